#include "adapters/rate_limit.h"

#include "adapters/rate_limit_memory.h"
#include "adapters/rate_limit_redis.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_AFTER_S 5

#define INTO(member) offsetof(struct rate_limit_config, member)

const struct fn_setting rate_limit_settings[] = {
	{"LIMITS_WITHOUT_REDIS", FN_TEXT, INTO(without), "open", 0, 0,
		"while Redis is down: open (each process counts alone) or closed (answer 503)"},
	{0},
};

const struct fn_setting rate_limit_redis_settings[] = {
	{"REDIS_URL", FN_SECRET, INTO(url), "", 0, 0,
		"where all processes count together; empty: each counts alone"},
	{"REDIS_CA_FILE", FN_TEXT, INTO(ca_file), "", 0, 0, "authorities of a rediss:// server"},
	{0},
};

struct rate_limit {
	bool closed;
	struct rate_limit_redis *redis; /* NULL: none */
	struct rate_limit_memory *memory;
};

bool
rate_limit_open(
	struct rate_limit **opened, const struct rate_limit_config *config, struct fn_error *err)
{
	bool closed = strcmp(config->without, "closed") == 0;
	struct rate_limit_redis *redis = NULL;

	if (!closed && strcmp(config->without, "open") != 0)
		return fn_fail(err, FN_INVALID, "LIMITS_WITHOUT_REDIS must be open or closed");
	if (config->url[0])
		TRY(rate_limit_redis_open(&redis, config, err));
	struct rate_limit *limit = calloc(1, sizeof(*limit));

	assert(limit);
	*limit = (struct rate_limit){closed, redis, rate_limit_memory_open()};
	*opened = limit;
	return true;
}

void
rate_limit_close(struct rate_limit *limit)
{
	if (!limit)
		return;
	rate_limit_redis_close(limit->redis);
	rate_limit_memory_close(limit->memory);
	free(limit);
}

bool
rate_limit_take(struct rate_limit *limit, struct fn_call *call, const struct rate_rule *rule,
	struct fn_bytes event, struct rate_turn *turn, struct fn_error *err)
{
	assert(event.size >= 1 && event.size <= RATE_EVENT_MOST && rule->most >= 1);
	if (limit->redis) {
		if (rate_limit_redis_take(limit->redis, call, rule, event, turn))
			return true;
		if (limit->closed) {
			fn_fail(err, FN_BUSY, "limits cannot be counted, and none is waived");
			err->retry_after_s = RETRY_AFTER_S;
			return false;
		}
	}
	rate_limit_memory_take(limit->memory, rule, event, turn);
	return true;
}

void
rate_limit_give_back(struct rate_limit *limit, struct fn_call *call, const struct rate_rule *rule,
	struct fn_bytes event)
{
	if (!limit->redis || !rate_limit_redis_give_back(limit->redis, call, rule, event))
		rate_limit_memory_give_back(limit->memory, rule, event);
}
