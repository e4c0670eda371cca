#include "fn/api.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"
#define REQUEST_HEADERS "Authorization, Content-Type, Idempotency-Key, If-None-Match, traceparent"
#define ANSWER_HEADERS "ETag, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate"
#define PREFLIGHT_S "7200" /* no browser keeps it longer */

const struct fn_setting fn_api_settings[] = {
	{"CORS_ORIGINS", FN_TEXT, offsetof(struct fn_api, origins), "", 0, 0,
		"origins of pages that may call from elsewhere, separated by commas; or *"},
	{0},
};

/* ---- Origins --------------------------------------------------------------------------------- */

/* As browsers write it: no path, not even a slash. */
static bool
is_origin(struct fn_bytes text)
{
	struct fn_bytes rest = text, scheme = fn_bytes_cut(&rest, ':');

	return (fn_bytes_is(scheme, "https") || fn_bytes_is(scheme, "http")) &&
	       fn_bytes_starts(rest, "//") && rest.size > 2 &&
	       !memchr(rest.at + 2, '/', rest.size - 2) && !memchr(rest.at, '*', rest.size);
}

bool
fn_api_check(const struct fn_api *api, struct fn_error *err)
{
	struct fn_bytes rest = fn_bytes(api->origins);

	if (fn_bytes_is(rest, "*"))
		return true;
	while (rest.size > 0) {
		struct fn_bytes origin = fn_bytes_trim(fn_bytes_cut(&rest, ','));

		if (!is_origin(origin))
			return fn_fail(err, FN_INVALID,
				"CORS_ORIGINS: \"%.*s\" is no origin such as https://www.example",
				FN_ARG(origin));
	}
	return true;
}

static bool
is_listed(const struct fn_api *api, struct fn_bytes origin)
{
	struct fn_bytes rest = fn_bytes(api->origins);

	while (rest.size > 0) {
		if (fn_bytes_equal(fn_bytes_trim(fn_bytes_cut(&rest, ',')), origin))
			return true;
	}
	return false;
}

/* ---- Headers --------------------------------------------------------------------------------- */

static bool
add(struct fn_call *call, const struct fn_header *headers, size_t count, struct fn_error *err)
{
	for (size_t i = 0; i < count; i++)
		TRY(fn_reply_header(call, headers[i].name.at, headers[i].value, err));
	return true;
}

/* What is answered is data: nothing in it runs, is shown in a frame, or is part of another's page.
 */
static bool
add_security(struct fn_call *call, struct fn_error *err)
{
	static const struct fn_header always[] = {
		{FN_BYTES_INIT("X-Content-Type-Options"), FN_BYTES_INIT("nosniff")},
		{FN_BYTES_INIT("Content-Security-Policy"),
			FN_BYTES_INIT("default-src 'none'; frame-ancestors 'none'")},
		{FN_BYTES_INIT("Cross-Origin-Resource-Policy"), FN_BYTES_INIT("same-origin")},
	};
	static const struct fn_header over_tls = {
		FN_BYTES_INIT("Strict-Transport-Security"), FN_BYTES_INIT("max-age=63072000")};

	TRY(add(call, always, COUNT(always), err));
	return !fn_bytes_is(fn_header(call, "X-Forwarded-Proto"), "https") ||
	       add(call, &over_tls, 1, err);
}

static bool
is_preflight(const struct fn_call *call)
{
	return fn_bytes_is(call->method, "OPTIONS") &&
	       fn_header(call, "Access-Control-Request-Method").size > 0;
}

/* An answer that is not for all origins alike must not be kept for all of them. */
static bool
add_cors(struct fn_call *call, const struct fn_api *api, struct fn_error *err)
{
	const struct fn_header vary = {FN_BYTES("Vary"), FN_BYTES("Origin")};
	struct fn_bytes origin = fn_header(call, "Origin");
	bool all = strcmp(api->origins, "*") == 0;
	const struct fn_header allowed[] = {
		{FN_BYTES("Access-Control-Allow-Origin"), all ? FN_BYTES("*") : origin},
		{FN_BYTES("Access-Control-Expose-Headers"), FN_BYTES(ANSWER_HEADERS)},
	};

	if (api->origins[0] == '\0')
		return true;
	if (!all)
		TRY(add(call, &vary, 1, err));
	return (!all && !is_listed(api, origin)) || add(call, allowed, COUNT(allowed), err);
}

/* Without Access-Control-Allow-Origin the browser does not look at the rest. */
static bool
reply_preflight(struct fn_call *call, struct fn_error *err)
{
	static const struct fn_header may[] = {
		{FN_BYTES_INIT("Access-Control-Allow-Methods"), FN_BYTES_INIT(METHODS)},
		{FN_BYTES_INIT("Access-Control-Allow-Headers"), FN_BYTES_INIT(REQUEST_HEADERS)},
		{FN_BYTES_INIT("Access-Control-Max-Age"), FN_BYTES_INIT(PREFLIGHT_S)},
	};

	TRY(add(call, may, COUNT(may), err));
	return fn_reply(call, 204, (struct fn_bytes){0}, err);
}

/* ---- The call -------------------------------------------------------------------------------- */

/* A form or plain text could come from any page, without a preflight. */
static bool
check_media_type(const struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes rest = fn_header(call, "Content-Type");
	struct fn_bytes type = fn_bytes_trim(fn_bytes_cut(&rest, ';'));

	return call->body.size == 0 || fn_bytes_is_nocase(type, "application/json") ||
	       fn_fail(err, FN_UNSUPPORTED_MEDIA, "Content-Type: application/json is wanted");
}

bool
fn_api_route(struct fn_call *call, const struct fn_api *api, const struct fn_route *routes,
	size_t count, const void *with, struct fn_error *err)
{
	static const struct fn_header uncached = {
		FN_BYTES_INIT("Cache-Control"), FN_BYTES_INIT("no-store")};

	TRY(add_security(call, err));
	TRY(add_cors(call, api, err));
	if (is_preflight(call))
		return reply_preflight(call, err);
	TRY(check_media_type(call, err));
	TRY(fn_route(call, routes, count, with, err));
	return fn_reply_has(call, "Cache-Control") || add(call, &uncached, 1, err);
}
