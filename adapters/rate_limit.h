/* rate_limit.h: turns, of which a window of time has no more than so many, wherever it begins.
 *
 * Each turn is given a moment, at once or in a while, and is remembered until it has left the
 * window: a sliding window, counted exactly. Who would have to wait for longer than he may is
 * refused, and takes none. Turns are given in the order in which they are asked for.
 *
 * They are counted in Redis for all processes, by its clock, in one round trip; without REDIS_URL
 * in this process alone. While Redis is down LIMITS_WITHOUT_REDIS decides: "open", each process
 * counts alone; "closed", nobody gets a turn. The log says so.
 * Backends: rate_limit_redis.c, rate_limit_memory.c. */
#ifndef RATE_LIMIT_H
#define RATE_LIMIT_H

#include "fn/call.h"
#include "fn/config.h"

struct rate_limit; /* opaque; safe for many threads */

struct rate_limit_config {
	const char *url;     /* REDIS_URL; empty: in this process alone */
	const char *ca_file; /* REDIS_CA_FILE; empty: the system's authorities */
	const char *without; /* LIMITS_WITHOUT_REDIS: "open" or "closed" */
};

extern const struct fn_setting rate_limit_settings[];       /* LIMITS_WITHOUT_REDIS */
extern const struct fn_setting rate_limit_redis_settings[]; /* where nothing else has them */

/* The config's text is borrowed until it is closed. Nothing is connected yet.
 * FN_INVALID: a setting is wrong; the message names the variable. */
FN_MUST bool rate_limit_open(
	struct rate_limit **, const struct rate_limit_config *, struct fn_error *);
void rate_limit_close(struct rate_limit *); /* NULL is fine */

struct rate_rule {
	struct fn_bytes name; /* of what is limited, and for whom: "generations:user_7" */
	long most;            /* turns in a window, at least 1 */
	int64_t window_ms;
	int64_t patience_ms; /* for how long one may have to wait */
};

struct rate_turn {
	bool refused;
	int64_t wait_ms;   /* until it comes; where it was refused, until one could be had */
	int64_t remaining; /* that could be had now */
	int64_t reset_ms;  /* until the oldest leaves the window, which gives one back */
};

/* `event` is what the turn is for: asked for again it is the same turn, and counts once.
 * FN_BUSY (with retry_after_s): it cannot be known. */
#define RATE_EVENT_MOST 64 /* bytes; a longer one is our bug */
FN_MUST bool rate_limit_take(struct rate_limit *, struct fn_call *, const struct rate_rule *,
	struct fn_bytes event, struct rate_turn *, struct fn_error *);

/* The turn was not used. That it cannot be given back now is no matter. */
void rate_limit_give_back(
	struct rate_limit *, struct fn_call *, const struct rate_rule *, struct fn_bytes event);

#endif
