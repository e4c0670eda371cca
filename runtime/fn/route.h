/* route.h: one function, several endpoints. */
#ifndef FN_ROUTE_H
#define FN_ROUTE_H

#include "fn/call.h"

struct fn_route {
	const char *method; /* "GET"; a GET route answers HEAD as well */
	const char *path;   /* "/api/creations/{id}/like": {name} stands for one path segment */
	fn_handler *handler;
};

/* Calls the handler whose route fits. FN_NOT_FOUND where no path fits; where a path fits and no
 * method does, FN_METHOD_NOT_ALLOWED with an Allow header. */
FN_MUST bool fn_route(struct fn_call *, const struct fn_route *, size_t count, const void *with,
	struct fn_error *);

#endif
