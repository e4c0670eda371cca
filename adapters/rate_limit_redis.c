#include "adapters/rate_limit_redis.h"

#include "adapters/redis_client.h"
#include "fn/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEYS "phoenix:limit:"
#define PATIENCE_MS 500 /* with Redis */
#define PAUSE_MS 1000   /* after a failure */

/* The file is part of the binary. It is sent with each turn, which is less work than to find out
 * that Redis has forgotten it, and to send it then. */
__asm__(".pushsection .rodata\n"
	"rate_limit_take_script:\n"
	".incbin \"adapters/rate_limit/take.lua\"\n"
	".byte 0\n"
	".popsection\n");
extern const char rate_limit_take_script[];

struct rate_limit_redis {
	struct redis_client *client;
	_Atomic int64_t paused_until_ms;
};

bool
rate_limit_redis_open(struct rate_limit_redis **opened, const struct rate_limit_config *config,
	struct fn_error *err)
{
	struct redis_client *client;

	TRY(redis_client_open(&client, config->url, config->ca_file, err));
	struct rate_limit_redis *redis = calloc(1, sizeof(*redis));

	assert(redis);
	redis->client = client;
	*opened = redis;
	return true;
}

void
rate_limit_redis_close(struct rate_limit_redis *redis)
{
	if (!redis)
		return;
	redis_client_close(redis->client);
	free(redis);
}

/* Of all who find it down at once, one says so. */
static bool
pause_asking(struct rate_limit_redis *redis, struct fn_call *call, const char *why)
{
	int64_t now_ms = fn_now_ms();

	if (atomic_exchange(&redis->paused_until_ms, now_ms + PAUSE_MS) <= now_ms)
		fn_log(call, FN_WARNING, "limits are not counted in Redis: %s", why);
	return false;
}

static bool
ask(struct rate_limit_redis *redis, struct fn_call *call, const struct fn_bytes *words,
	size_t count, const redisReply **reply)
{
	struct fn_call brief = *call;
	struct fn_error why;

	if (fn_now_ms() < redis->paused_until_ms)
		return false;
	brief.deadline_ms = fn_now_ms() + PATIENCE_MS;
	if (!redis_client_send(redis->client, &brief, words, count, 0, reply, &why))
		return pause_asking(redis, call, why.message);
	if ((*reply)->type == REDIS_REPLY_ERROR)
		return pause_asking(redis, call, (*reply)->str);
	return true;
}

static struct fn_bytes
key_of(struct fn_call *call, const struct rate_rule *rule)
{
	return fn_bytes(fn_textf(call->arena, KEYS "%.*s", FN_ARG(rule->name)));
}

static struct fn_bytes
number(struct fn_call *call, int64_t value)
{
	return fn_bytes(fn_textf(call->arena, "%" PRId64, value));
}

/* So that who waits for it does not come too early. */
static int64_t
ms_of(const redisReply *us)
{
	return (us->integer + 999) / 1000;
}

bool
rate_limit_redis_take(struct rate_limit_redis *redis, struct fn_call *call,
	const struct rate_rule *rule, struct fn_bytes event, struct rate_turn *turn)
{
	const struct fn_bytes words[] = {FN_BYTES("EVAL"), fn_bytes(rate_limit_take_script),
		FN_BYTES("1"), key_of(call, rule), event, number(call, rule->most),
		number(call, rule->window_ms * 1000), number(call, rule->patience_ms * 1000)};
	const redisReply *reply;

	TRY(ask(redis, call, words, COUNT(words), &reply));
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 4)
		return pause_asking(redis, call, "a reply that our script does not give");
	*turn = (struct rate_turn){
		.refused = reply->element[0]->integer == 1,
		.wait_ms = ms_of(reply->element[1]),
		.remaining = reply->element[2]->integer,
		.reset_ms = ms_of(reply->element[3]),
	};
	return true;
}

bool
rate_limit_redis_give_back(struct rate_limit_redis *redis, struct fn_call *call,
	const struct rate_rule *rule, struct fn_bytes event)
{
	const struct fn_bytes words[] = {FN_BYTES("ZREM"), key_of(call, rule), event};
	const redisReply *reply;

	return ask(redis, call, words, COUNT(words), &reply);
}
