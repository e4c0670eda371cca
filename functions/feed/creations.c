#include "domain/fields.h"
#include "domain/likes.h"
#include "fn/clock.h"
#include "functions/feed/endpoints.h"
#include "functions/feed/reply.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define MAKE_MS 5000

/* ---- GET /api/feed --------------------------------------------------------------------------- */

static const struct {
	const char *name, *type;
} kinds[] = {
	{"all", NULL},
	{"images", "image"},
	{"videos", "video"},
};

_Static_assert(COUNT(kinds) * FEED_LIMIT_MOST <= PAGE_CACHE_SLOTS, "each first page has a slot");

static bool
kind_read(size_t *kind, struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes name = FN_BYTES("all");

	(void)fn_query(call, "type", &name); /* absent: all */
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (fn_bytes_is(name, kinds[i].name)) {
			*kind = i;
			return true;
		}
	}
	return fn_fail(err, FN_INVALID, "type: one of all, images, videos is wanted");
}

/* First pages are what everybody asks for: they are made once in a few seconds. While the store is
 * down, or hangs, an old one is shown. */
static bool
first_page(struct page *page, struct fn_call *call, const struct services *use, size_t kind,
	const struct feed_place *place, struct fn_error *err)
{
	const struct feed_list list = {.type = kinds[kind].type};
	unsigned slot = (unsigned)(kind * FEED_LIMIT_MOST + place->limit - 1);
	struct fn_call brief = *call;
	json_t *json;

	if (page_cache_find(use->feed.pages, call, slot, page))
		return true;
	brief.deadline_ms = fn_now_ms() + fn_time_left_ms(call, MAKE_MS);
	if (!feed_page(&use->feed, &brief, &list, place, &json, err))
		return page_cache_abandon(use->feed.pages, call, slot, page);
	page_cache_put(use->feed.pages, call, slot, fields_dump(json, call), page);
	return true;
}

/* Where it comes from anybody may have written. */
static bool
page_read(json_t **json, struct fn_call *call, const struct page *page, struct fn_error *err)
{
	*json = fields_keep(call, json_loadb(page->text.at, page->text.size, 0, NULL));
	return *json || fn_fail(err, FN_UPSTREAM, "cache: a page that is no JSON");
}

/* GET ?type=all|images|videos&limit&cursor: what is published, the newest first. For a user,
 * with what that user likes.
 *
 *   200 {"creations": [...], "next_cursor"}   304 the client has it
 *   400 no usable type, limit or cursor       401 the token is not valid */
bool
feed_explore(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct feed_place place;
	struct page page;
	struct user user;
	size_t kind;
	json_t *json;

	TRY(user_recognize(&user, call, use->identity, err));
	TRY(kind_read(&kind, call, err));
	TRY(place_read(&place, call, err));
	if (place.cursor.size > 0) {
		const struct feed_list list = {.type = kinds[kind].type};

		TRY(feed_page(&use->feed, call, &list, &place, &json, err));
		return reply_list(call, use, &user, json, err);
	}
	TRY(first_page(&page, call, use, kind, &place, err));
	if (user.id.size == 0)
		return reply_public(call, &page, err);
	TRY(page_read(&json, call, &page, err));
	return reply_list(call, use, &user, json, err);
}

/* ---- /api/creations/{id} --------------------------------------------------------------------- */

/* GET: one creation. 200, 304, 401; 404: there is none, or it is another's that is not published.
 */
bool
feed_show(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct user user;
	json_t *json;

	TRY(user_recognize(&user, call, use->identity, err));
	TRY(feed_creation(&use->feed, call, &user, fn_param(call, "id"), &json, err));
	if (user.id.size > 0)
		return reply_private(call, json, err);
	const struct page shown = page_of(call, fields_dump(json, call));

	return reply_public(call, &shown, err);
}

/* DELETE: its owner wants it gone, with its picture and all likes. Once that is answered nobody
 * sees it but who has kept a page of some seconds ago.
 *
 *   204 gone   401 no usable token   403 another's   404 there is none   409 it is being made */
bool
feed_remove(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct user user;

	TRY(user_require(&user, call, use->identity, err));
	fn_log_field(call, "creation", fn_param(call, "id"));
	TRY(feed_delete(&use->feed, call, &user, fn_param(call, "id"), err));
	return fn_reply(call, 204, FN_BYTES(""), err);
}

/* PUT /api/creations/{id}/publish: its owner shows a draft to everybody; one that is being made
 * will be shown once it is.
 *
 *   204 published   401 no usable token   403 another's   404 there is none */
bool
feed_publish(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct user user;

	TRY(user_require(&user, call, use->identity, err));
	fn_log_field(call, "creation", fn_param(call, "id"));
	TRY(creation_publish(call, use->feed.documents, fn_param(call, "id"), &user, err));
	page_cache_flush(use->feed.pages, call);
	return fn_reply(call, 204, FN_BYTES(""), err);
}
