#include "fn/route.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Matches one path against one pattern, segment by segment; fills in the parameters. */
static bool
path_fits(struct fn_call *call, const char *pattern)
{
	struct fn_bytes wanted = fn_bytes(pattern), path = call->path;

	call->param_count = 0;
	while (wanted.size > 0 && path.size > 0) {
		struct fn_bytes want = fn_bytes_cut(&wanted, '/'), have = fn_bytes_cut(&path, '/');
		struct fn_param *param = &call->params[call->param_count];

		if (!fn_bytes_unescape(have, call->arena, &have))
			return false;
		if (want.size == 0 || want.at[0] != '{') {
			if (!fn_bytes_equal(want, have))
				return false;
			continue;
		}
		if (have.size == 0 || call->param_count == COUNT(call->params))
			return false;
		param->name = (struct fn_bytes){want.at + 1, want.size - 2};
		param->value = have;
		call->param_count++;
	}
	/* a '/' at the end leaves one side with nothing left but an empty segment to come */
	return wanted.size == 0 && path.size == 0 &&
	       (pattern[strlen(pattern) - 1] == '/') == (call->path.at[call->path.size - 1] == '/');
}

static bool
method_fits(const struct fn_call *call, const char *method)
{
	return fn_bytes_is(call->method, method) ||
	       (fn_bytes_is(call->method, "HEAD") && strcmp(method, "GET") == 0);
}

bool
fn_route(struct fn_call *call, const struct fn_route *routes, size_t count, const void *with,
	struct fn_error *err)
{
	struct fn_builder allow = {.arena = call->arena};

	for (size_t i = 0; i < count; i++) {
		if (!path_fits(call, routes[i].path))
			continue;
		if (method_fits(call, routes[i].method))
			return routes[i].handler(call, with, err);
		fn_addf(&allow, "%s%s%s", allow.size ? ", " : "", routes[i].method,
			strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
	}
	if (allow.size == 0)
		return fn_fail(
			err, FN_NOT_FOUND, "%.*s: there is no such resource", FN_ARG(call->path));
	TRY(fn_reply_header(call, "Allow", fn_built(&allow), err));
	return fn_fail(err, FN_METHOD_NOT_ALLOWED, "%.*s is not possible here, only %.*s",
		FN_ARG(call->method), FN_ARG(fn_built(&allow)));
}
