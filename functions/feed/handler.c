#include "functions/feed/handler.h"

#include "functions/feed/endpoints.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct fn_route routes[] = {
	{"GET", "/api/feed", feed_explore},
	{"GET", "/api/creations/{id}", feed_show},
	{"DELETE", "/api/creations/{id}", feed_remove},
	{"PUT", "/api/creations/{id}/publish", feed_publish},
	{"PUT", "/api/creations/{id}/like", feed_like},
	{"DELETE", "/api/creations/{id}/like", feed_unlike},
	{"GET", "/api/users/{username}", feed_profile},
	{"GET", "/api/users/{username}/creations", feed_profile_creations},
	{"GET", "/api/me", feed_account},
	{"PUT", "/api/me/username", feed_rename},
	{"GET", "/api/me/creations", feed_own},
	{"GET", "/api/me/drafts", feed_drafts},
};

/* No framework, no inline code, nothing from elsewhere but pictures and videos, wherever they are
 * kept. */
#define PAGE_POLICY                                                                                \
	"default-src 'self'; img-src * data:; media-src *; object-src 'none'; base-uri 'none'; "   \
	"frame-ancestors 'none'; form-action 'self'"

static bool
page(struct fn_call *call, const struct fn_files *web, struct fn_error *err)
{
	struct fn_bytes path;

	if (!fn_bytes_unescape(call->path, call->arena, &path))
		return fn_fail(err, FN_NOT_FOUND, "there is no such file");
	TRY(fn_reply_header(call, "Content-Security-Policy", FN_BYTES(PAGE_POLICY), err));
	TRY(fn_reply_header(call, "X-Content-Type-Options", FN_BYTES("nosniff"), err));
	return fn_files_reply(web, call, path, err);
}

bool
feed(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;

	if (use->web.folder >= 0 && !fn_bytes_starts(call->path, "/api/"))
		return page(call, &use->web, err);
	return fn_api_route(call, use->api, routes, COUNT(routes), use, err);
}
