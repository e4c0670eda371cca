/* rate_limit_redis.h: turns that Redis counts for all processes. Private to adapters. */
#ifndef RATE_LIMIT_REDIS_H
#define RATE_LIMIT_REDIS_H

#include "adapters/rate_limit.h"

struct rate_limit_redis; /* opaque; safe for many threads */

FN_MUST bool rate_limit_redis_open(
	struct rate_limit_redis **, const struct rate_limit_config *, struct fn_error *);
void rate_limit_redis_close(struct rate_limit_redis *); /* NULL is fine */

/* False: Redis is down. The log says so once, and for a while it is not asked again. */
bool rate_limit_redis_take(struct rate_limit_redis *, struct fn_call *, const struct rate_rule *,
	struct fn_bytes event, struct rate_turn *);
bool rate_limit_redis_give_back(struct rate_limit_redis *, struct fn_call *,
	const struct rate_rule *, struct fn_bytes event);

#endif
