/* likes.h: who likes what, and how many do.
 *
 * A like is a document, so that it counts once however often it is sent. How many there are is the
 * sum of LIKES_COUNTERS numbers, of which each like changes one that is drawn, so that no document
 * is written much more than once a second when all the world likes one creation. They are made with
 * the first like and go with the creation: while they are there it may be liked, which saves a like
 * from asking.
 *
 * The creation's own document has the sum as well, for lists. It is right once likes_settle has run
 * after the last like. */
#ifndef LIKES_H
#define LIKES_H

#include "domain/creation.h"

#define LIKES_COUNTERS 10

/* Both may be repeated. FN_NOT_FOUND: `user` sees no such creation. FN_CONFLICT: it is the user's
 * own and not listed. FN_BUSY, FN_UPSTREAM, FN_DEADLINE: the store; it may have happened. */
FN_MUST bool likes_add(struct fn_call *, struct document_store *, const struct user *,
	struct fn_bytes creation, struct fn_error *);
FN_MUST bool likes_remove(struct fn_call *, struct document_store *, const struct user *,
	struct fn_bytes creation, struct fn_error *);

/* How many there are at this moment. */
FN_MUST bool likes_count(struct fn_call *, struct document_store *, struct fn_bytes creation,
	int64_t *likes, struct fn_error *);

/* Sets `liked` in creations as JSON: whether `user` likes them. */
FN_MUST bool likes_show(struct fn_call *, struct document_store *, const struct user *,
	json_t *creations, struct fn_error *);

/* Brings the documents of so many creations up to date; one that is gone is left alone.
 * FN_PRECONDITION: somebody else was at it; nothing was written. */
#define LIKES_SETTLE_MOST 50
FN_MUST bool likes_settle(struct fn_call *, struct document_store *, const struct fn_bytes *ids,
	size_t count, struct fn_error *);

/* Forgets all of a creation that is gone. */
FN_MUST bool likes_delete(
	struct fn_call *, struct document_store *, struct fn_bytes creation, struct fn_error *);

#endif
