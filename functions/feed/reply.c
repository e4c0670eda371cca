#include "functions/feed/reply.h"

#include "domain/fields.h"
#include "domain/likes.h"

#define PUBLIC "public, max-age=0, s-maxage=3, stale-while-revalidate=30"
#define PRIVATE "private, no-cache"

bool
place_read(struct feed_place *place, struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes limit;
	uint64_t number = FEED_LIMIT;

	if (fn_query(call, "limit", &limit) &&
		(!fn_bytes_number(limit, FEED_LIMIT_MOST, &number) || number == 0))
		return fn_fail(err, FN_INVALID, "limit: a whole number from 1 to %d is wanted",
			FEED_LIMIT_MOST);
	*place = (struct feed_place){.limit = (size_t)number};
	(void)fn_query(call, "cursor", &place->cursor); /* none: the first page */
	return true;
}

/* RFC 9110, 13.1.2: weak comparison. */
static bool
has_it(const struct fn_call *call, struct fn_bytes etag)
{
	struct fn_bytes list = fn_header(call, "If-None-Match");

	while (list.size > 0) {
		struct fn_bytes one = fn_bytes_trim(fn_bytes_cut(&list, ','));

		if (fn_bytes_starts(one, "W/"))
			one = (struct fn_bytes){one.at + 2, one.size - 2};
		if (fn_bytes_equal(one, etag) || fn_bytes_is(one, "*"))
			return true;
	}
	return false;
}

bool
reply_public(struct fn_call *call, const struct page *page, struct fn_error *err)
{
	TRY(fn_reply_header(call, "Cache-Control", FN_BYTES(PUBLIC), err));
	TRY(fn_reply_header(call, "Vary", FN_BYTES("Authorization"), err));
	TRY(fn_reply_header(call, "ETag", page->etag, err));
	if (has_it(call, page->etag))
		return fn_reply(call, 304, FN_BYTES(""), err);
	return fn_reply(call, 200, page->text, err);
}

bool
reply_private(struct fn_call *call, const json_t *json, struct fn_error *err)
{
	TRY(fn_reply_header(call, "Cache-Control", FN_BYTES(PRIVATE), err));
	TRY(fn_reply_header(call, "Vary", FN_BYTES("Authorization"), err));
	return fn_reply(call, 200, fields_dump(json, call), err);
}

bool
reply_list(struct fn_call *call, const struct services *use, const struct user *user, json_t *page,
	struct fn_error *err)
{
	if (user->id.size == 0) {
		const struct page shown = page_of(call, fields_dump(page, call));

		return reply_public(call, &shown, err);
	}
	TRY(likes_show(call, use->feed.documents, user, json_object_get(page, "creations"), err));
	return reply_private(call, page, err);
}
