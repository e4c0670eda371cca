/* storage.h: as much of Cloud Storage's JSON API as it takes to find a film and to fetch it. */
#ifndef STORAGE_H
#define STORAGE_H

#include "local/vertex/operation.h"

/* Answers with the objects of {bucket} whose name begins with `prefix`, as far as there are any. */
FN_MUST bool storage_list(struct operations *, struct fn_call *, struct fn_error *);

/* The bytes of {object}. FN_NOT_FOUND: there is none. */
FN_MUST bool storage_read(
	struct operations *, struct fn_call *, struct fn_bytes *bytes, struct fn_error *);

/* Answers with them, or with the one range of them that the client asks for. */
FN_MUST bool storage_reply(struct fn_call *, struct fn_bytes bytes, struct fn_error *);

#endif
