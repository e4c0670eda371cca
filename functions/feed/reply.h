/* reply.h: what is asked for and how it is answered, the same for all lists. */
#ifndef FEED_REPLY_H
#define FEED_REPLY_H

#include "functions/feed/handler.h"

/* The query's `limit` and `cursor`. FN_INVALID: a limit that is none. */
FN_MUST bool place_read(struct feed_place *, struct fn_call *, struct fn_error *);

/* The same for everybody: caches of others may keep it for some seconds. 304 where the client has
 * it. */
FN_MUST bool reply_public(struct fn_call *, const struct page *, struct fn_error *);

/* For this user alone. */
FN_MUST bool reply_private(struct fn_call *, const json_t *, struct fn_error *);

/* A list for `user`, who may be nobody: public then, else private and with what is liked. */
FN_MUST bool reply_list(struct fn_call *, const struct services *, const struct user *,
	json_t *page, struct fn_error *);

#endif
