#include "local/gateway/handler.h"

#include "local/gateway/forward.h"

#include <string.h>

#define OBJECTS "/objects" /* where the public bucket is, in the path */
#define ISSUER "/issuer"

/* No framework, no inline code, nothing from elsewhere but the pictures, wherever they are kept. */
#define PAGE_POLICY                                                                                \
	"default-src 'self'; img-src * data:; object-src 'none'; base-uri 'none'; "                \
	"frame-ancestors 'none'; form-action 'self'"

static bool
reply_file(struct fn_call *call, const struct fn_files *files, struct fn_bytes path,
	struct fn_error *err)
{
	if (!fn_bytes_unescape(path, call->arena, &path))
		return fn_fail(err, FN_NOT_FOUND, "there is no such file");
	TRY(fn_reply_header(call, "X-Content-Type-Options", FN_BYTES("nosniff"), err));
	return fn_files_reply(files, call, path, err);
}

static bool
is_for_issuer(const struct gateway *gateway, struct fn_bytes path)
{
	return gateway->issuer && (fn_bytes_is(path, ISSUER) || fn_bytes_starts(path, ISSUER "/"));
}

/* /api/...      to the function whose route fits
 * /issuer...    where people sign in: in the cloud another's house
 * /objects/KEY  the public bucket: what R2 serves from its own host in the cloud
 * all else      the web page */
bool
gateway_handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct gateway *gateway = with;
	struct fn_bytes path = call->path;
	struct service *service;

	if (is_for_issuer(gateway, path))
		return forward(call, gateway->issuer, gateway->client, err);
	if (fn_bytes_starts(path, OBJECTS "/")) {
		path = (struct fn_bytes){path.at + strlen(OBJECTS), path.size - strlen(OBJECTS)};
		return reply_file(call, &gateway->objects, path, err);
	}
	if (!fn_bytes_starts(path, "/api/")) {
		TRY(fn_reply_header(call, "Content-Security-Policy", FN_BYTES(PAGE_POLICY), err));
		return reply_file(call, &gateway->web, path, err);
	}
	service = services_find(gateway->services, call->method, path);
	if (!service)
		return fn_fail(err, FN_NOT_FOUND, "%.*s: there is no such resource", FN_ARG(path));
	return forward(call, service, gateway->client, err);
}
