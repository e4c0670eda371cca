#include "local/gateway/handler.h"

#include "local/gateway/forward.h"

#include <string.h>

#define OBJECTS "/objects" /* where the public bucket is, in the path */

/* /api/...      to the function whose route fits
 * /objects/KEY  the public bucket: what R2 serves from its own host in the cloud
 * all else      the web page */
bool
gateway_handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct gateway *gateway = with;
	struct fn_bytes path = call->path;
	struct service *service;

	if (fn_bytes_starts(path, OBJECTS "/")) {
		path.at += strlen(OBJECTS);
		path.size -= strlen(OBJECTS);
		return files_serve(&gateway->objects, call, path, err);
	}
	if (!fn_bytes_starts(path, "/api/"))
		return files_serve(&gateway->web, call, path, err);

	service = services_find(gateway->services, call->method, path);
	if (!service)
		return fn_fail(err, FN_NOT_FOUND, "%.*s: there is no such resource", FN_ARG(path));
	return forward(call, service, gateway->client, err);
}
