#include "domain/fields.h"
#include "functions/feed/endpoints.h"
#include "functions/feed/reply.h"

/* GET /api/me: {"id", "username", "tokens"}: who asks, and what he has. 200, 401. */
bool
feed_account(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	json_t *json = fields_keep(call, json_object());
	struct tokens tokens;
	struct user user;

	TRY(user_require(&user, call, use->identity, err));
	TRY(tokens_read(&tokens, call, use->feed.documents, user.id, use->prices->signup, err));
	fields_put(json, "id", fields_text_or_null(user.id));
	fields_put(json, "username", fields_text_or_null(user.username));
	fields_put(json, "tokens", json_integer(tokens.balance));
	return reply_private(call, json, err);
}

/* GET /api/me/drafts?limit&cursor: what of his own is not listed: kept back, being made, failed or
 * canceled. 200, 400, 401. */
bool
feed_drafts(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct feed_place place;
	struct user user;
	json_t *page;

	TRY(user_require(&user, call, use->identity, err));
	TRY(place_read(&place, call, err));
	const struct feed_list list = {.owner = user.id, .drafts = true};

	TRY(feed_page(&use->feed, call, &list, &place, &page, err));
	return reply_private(call, page, err);
}
