/* handler.h: the function feed: what everybody sees, who likes it, and who somebody is. */
#ifndef FEED_HANDLER_H
#define FEED_HANDLER_H

#include "adapters/identity.h"
#include "domain/feed.h"
#include "domain/tokens.h"
#include "fn/api.h"
#include "fn/files.h"

struct services {
	const struct fn_api *api;
	struct identity *identity;
	struct feed feed;
	const struct tokens_config *prices;
	struct fn_files web; /* the page; its folder is -1 where another serves it */
};

/* `with` is a struct services. */
bool feed(struct fn_call *, const void *with, struct fn_error *);

#endif
