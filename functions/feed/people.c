#include "domain/fields.h"
#include "domain/members.h"
#include "domain/username.h"
#include "functions/feed/endpoints.h"
#include "functions/feed/reply.h"

static json_t *
person(const struct user *user, struct fn_call *call)
{
	json_t *json = fields_keep(call, json_object());

	fields_put(json, "id", fields_text_or_null(user->id));
	fields_put(json, "username", fields_text_or_null(user->username));
	return json;
}

/* ---- Oneself --------------------------------------------------------------------------------- */

static bool
reply_account(struct fn_call *call, const struct services *use, const struct user *user,
	struct fn_error *err)
{
	json_t *json = person(user, call);
	struct tokens tokens;

	TRY(tokens_read(&tokens, call, use->feed.documents, user->id, use->prices->signup, err));
	fields_put(json, "tokens", json_integer(tokens_to_spend(&tokens)));
	return reply_private(call, json, err);
}

/* GET /api/me: {"id", "username", "tokens"}: who asks, and how rich. 200, 401. */
bool
feed_account(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct user user;

	TRY(user_require(&user, call, use->identity, err));
	TRY(username_read(&user, call, use->feed.documents, err));
	return reply_account(call, use, &user, err);
}

/* PUT /api/me/username {"username": text}: the user takes a name, and has the old one held.
 *
 *   200 the account, as above         400 it is no name         401 no usable token
 *   409 another's, or reserved        415 the body is no JSON */
bool
feed_rename(struct fn_call *call, const void *with, struct fn_error *err)
{
	static const struct member members[] = {{"username", member_text, 0}};
	const struct services *use = with;
	struct fn_bytes name = {0};
	struct user user;

	TRY(user_require(&user, call, use->identity, err));
	TRY(members_read(call, members, 1, &name, err));
	TRY(username_claim(&user, call, use->feed.documents, name, err));
	names_learn(use->feed.names, &user);
	return reply_account(call, use, &user, err);
}

/* What is listed of the user's own, or what is not. */
static bool
own_page(struct user *user, json_t **page, struct fn_call *call, const struct services *use,
	bool drafts, struct fn_error *err)
{
	struct feed_place place;

	TRY(user_require(user, call, use->identity, err));
	TRY(place_read(&place, call, err));
	const struct feed_list list = {.owner = user->id, .drafts = drafts};

	return feed_page(&use->feed, call, &list, &place, page, err);
}

/* GET /api/me/creations?limit&cursor: what the user has published, under a name or none. 200, 400,
 * 401. */
bool
feed_own(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct user user;
	json_t *page;

	TRY(own_page(&user, &page, call, use, false, err));
	return reply_list(call, use, &user, page, err);
}

/* GET /api/me/drafts?limit&cursor: what of the user's own is not listed: kept back, being made,
 * failed or canceled. 200, 400, 401. */
bool
feed_drafts(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct user user;
	json_t *page;

	TRY(own_page(&user, &page, call, use, true, err));
	return reply_private(call, page, err);
}

/* ---- Others ---------------------------------------------------------------------------------- */

/* GET /api/users/{username}: {"id", "username"}: who has this name, or had it not long ago. 200,
 * 304, 401, 404. */
bool
feed_profile(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct user user, found;

	TRY(user_recognize(&user, call, use->identity, err));
	TRY(username_find(&found, call, use->feed.documents, fn_param(call, "username"), err));
	const struct page shown = page_of(call, fields_dump(person(&found, call), call));

	return reply_public(call, &shown, err);
}

/* GET /api/users/{username}/creations?limit&cursor: what that user has published. 200, 304, 400,
 * 401, 404. */
bool
feed_profile_creations(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct feed_place place;
	struct user user, found;
	json_t *page;

	TRY(user_recognize(&user, call, use->identity, err));
	TRY(place_read(&place, call, err));
	TRY(username_find(&found, call, use->feed.documents, fn_param(call, "username"), err));
	const struct feed_list list = {.owner = found.id};

	TRY(feed_page(&use->feed, call, &list, &place, &page, err));
	return reply_list(call, use, &user, page, err);
}
