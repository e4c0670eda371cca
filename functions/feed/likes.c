#include "domain/likes.h"

#include "functions/feed/endpoints.h"

/* What a like and its end have in common. Lists learn of it with the next page that is made. */
static bool
change(struct fn_call *call, const struct services *use,
	bool (*verb)(struct fn_call *, struct document_store *, const struct user *,
		struct fn_bytes creation, struct fn_error *),
	struct fn_error *err)
{
	struct fn_bytes id = fn_param(call, "id");
	struct user user;

	TRY(user_require(&user, call, use->identity, err));
	fn_log_field(call, "creation", id);
	TRY(verb(call, use->feed.documents, &user, id, err));
	feed_mark(&use->feed, call, id);
	return fn_reply(call, 204, FN_BYTES(""), err);
}

/* PUT /api/creations/{id}/like: the user likes it, however often that is said.
 *
 *   204 liked                 401 no usable token
 *   404 there is none         409 it is the user's own and not published */
bool
feed_like(struct fn_call *call, const void *with, struct fn_error *err)
{
	return change(call, with, likes_add, err);
}

/* DELETE /api/creations/{id}/like: the user does not, or not any more. 204, 401, 404. */
bool
feed_unlike(struct fn_call *call, const void *with, struct fn_error *err)
{
	return change(call, with, likes_remove, err);
}
