/* limits.h: how many pictures and videos somebody may ask for in an hour. */
#ifndef LIMITS_H
#define LIMITS_H

#include "adapters/rate_limit.h"
#include "domain/user.h"

struct limits_config {
	long generations_per_hour; /* GENERATIONS_PER_HOUR; 0: no limit */
};

extern const struct fn_setting limits_settings[];

struct limits {
	struct rate_limit *counter; /* unused where there is no limit */
	struct limits_config config;
};

/* Counts a generation, and sets the headers of the answer that say what is left: RateLimit and
 * RateLimit-Policy, and the three of an older draft that clients know. The same event again counts
 * once.
 * FN_RATE_LIMITED (with retry_after_s): there were as many within the last hour as may.
 * FN_BUSY (with retry_after_s): it cannot be counted.
 * Source: draft-ietf-httpapi-ratelimit-headers-10, and -06 for those of the older draft. */
FN_MUST bool limits_generation(const struct limits *, struct fn_call *, const struct user *,
	struct fn_bytes event, struct fn_error *);

/* Nothing came of it, and the user cannot help it. */
void limits_give_back(
	const struct limits *, struct fn_call *, const struct user *, struct fn_bytes event);

#endif
