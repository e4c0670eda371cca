#include "adapters/page_cache_redis.h"

#include "adapters/redis_client.h"
#include "fn/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PATIENCE_MS 250 /* with Redis: the store is not much slower */
#define PAUSE_MS 3000   /* after a failure */
#define MAKING_MS 5000  /* of who died in making a page */
#define MARKS "phoenix:{feed}:marks"

struct page_cache_redis {
	struct redis_client *client;
	int64_t fresh_ms, kept_ms;
	_Atomic int64_t paused_until_ms;
};

bool
page_cache_redis_open(struct page_cache_redis **opened, const struct page_cache_config *config,
	struct fn_error *err)
{
	struct redis_client *client;

	TRY(redis_client_open(&client, config->url, config->ca_file, err));
	struct page_cache_redis *redis = calloc(1, sizeof(*redis));

	assert(redis);
	redis->client = client;
	redis->fresh_ms = config->fresh_ms;
	redis->kept_ms = config->fresh_ms + config->stale_ms;
	*opened = redis;
	return true;
}

void
page_cache_redis_close(struct page_cache_redis *redis)
{
	if (!redis)
		return;
	redis_client_close(redis->client);
	free(redis);
}

/* ---- Commands -------------------------------------------------------------------------------- */

static bool
ask(struct page_cache_redis *redis, struct fn_call *call, const struct fn_bytes *words,
	size_t count, const redisReply **reply)
{
	struct fn_call brief = *call;
	struct fn_error why;

	if (fn_now_ms() < redis->paused_until_ms)
		return false;
	brief.deadline_ms = fn_now_ms() + fn_time_left_ms(call, PATIENCE_MS);
	if (redis_client_send(redis->client, &brief, words, count, 0, reply, &why) &&
		(*reply)->type != REDIS_REPLY_ERROR)
		return true;
	redis->paused_until_ms = fn_now_ms() + PAUSE_MS;
	fn_log(call, FN_WARNING, "pages are cached in this process alone: %s",
		(*reply) ? (*reply)->str : why.message);
	return false;
}

static struct fn_bytes
key(struct fn_call *call, const char *kind, unsigned slot)
{
	return fn_bytes(fn_textf(call->arena, "phoenix:{feed}:%s:%u", kind, slot));
}

static struct fn_bytes
number(struct fn_call *call, int64_t value)
{
	return fn_bytes(fn_textf(call->arena, "%" PRId64, value));
}

/* ---- Pages ----------------------------------------------------------------------------------- */

bool
page_cache_redis_look(struct page_cache_redis *redis, struct fn_call *call, unsigned slot,
	struct page_cache_look *look)
{
	static const char script[] =
		"local text, left = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])\n"
		"local age = tonumber(ARGV[2]) - left\n"
		"local fresh = text and age < tonumber(ARGV[1])\n"
		"local mine = not fresh and redis.call('SET', KEYS[2], 1, 'NX', 'PX', ARGV[3])\n"
		"return {text or '', age, mine and 1 or 0}";
	const struct fn_bytes words[] = {FN_BYTES("EVAL"), fn_bytes(script), FN_BYTES("2"),
		key(call, "page", slot), key(call, "making", slot), number(call, redis->fresh_ms),
		number(call, redis->kept_ms), number(call, MAKING_MS)};
	const redisReply *reply = NULL;

	if (!ask(redis, call, words, COUNT(words), &reply) || reply->elements != 3)
		return false;
	*look = (struct page_cache_look){
		.text = {reply->element[0]->str, reply->element[0]->len},
		.age_ms = reply->element[1]->integer,
		.mine = reply->element[2]->integer == 1,
	};
	return true;
}

bool
page_cache_redis_abandon(struct page_cache_redis *redis, struct fn_call *call, unsigned slot)
{
	const struct fn_bytes words[] = {FN_BYTES("DEL"), key(call, "making", slot)};
	const redisReply *reply = NULL;

	return ask(redis, call, words, COUNT(words), &reply);
}

bool
page_cache_redis_put(
	struct page_cache_redis *redis, struct fn_call *call, unsigned slot, struct fn_bytes text)
{
	const struct fn_bytes words[] = {FN_BYTES("SET"), key(call, "page", slot), text,
		FN_BYTES("PX"), number(call, redis->kept_ms)};
	const redisReply *reply = NULL;

	return ask(redis, call, words, COUNT(words), &reply) &&
	       page_cache_redis_abandon(redis, call, slot);
}

/* One command cannot name all slots: it has at most REDIS_WORDS_MOST words. */
bool
page_cache_redis_flush(struct page_cache_redis *redis, struct fn_call *call)
{
	static const char script[] =
		"for slot = 0, ARGV[1] - 1 do redis.call('DEL', KEYS[1] .. slot) end";
	const struct fn_bytes words[] = {FN_BYTES("EVAL"), fn_bytes(script), FN_BYTES("1"),
		FN_BYTES("phoenix:{feed}:page:"), number(call, PAGE_CACHE_SLOTS)};
	const redisReply *reply = NULL;

	return ask(redis, call, words, COUNT(words), &reply);
}

/* ---- Marks ----------------------------------------------------------------------------------- */

bool
page_cache_redis_mark(struct page_cache_redis *redis, struct fn_call *call, struct fn_bytes name)
{
	const struct fn_bytes words[] = {FN_BYTES("HINCRBY"), FN_BYTES(MARKS), name, FN_BYTES("1")};
	const redisReply *reply = NULL;

	return ask(redis, call, words, COUNT(words), &reply);
}

bool
page_cache_redis_marks(struct page_cache_redis *redis, struct fn_call *call,
	struct page_mark *marks, size_t most, size_t *count)
{
	const struct fn_bytes words[] = {FN_BYTES("HRANDFIELD"), FN_BYTES(MARKS),
		number(call, (int64_t)most), FN_BYTES("WITHVALUES")};
	const redisReply *reply = NULL;

	if (!ask(redis, call, words, COUNT(words), &reply))
		return false;
	for (*count = 0; *count < reply->elements / 2; ++*count) {
		const redisReply *name = reply->element[2 * *count];
		const redisReply *times = reply->element[2 * *count + 1];

		marks[*count] = (struct page_mark){.name = {name->str, name->len}};
		(void)fn_bytes_number((struct fn_bytes){times->str, times->len}, UINT64_MAX,
			&marks[*count].count);
	}
	return true;
}

bool
page_cache_redis_unmark(
	struct page_cache_redis *redis, struct fn_call *call, const struct page_mark *mark)
{
	static const char script[] = "if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then "
				     "redis.call('HDEL', KEYS[1], ARGV[1]) end";
	const struct fn_bytes words[] = {FN_BYTES("EVAL"), fn_bytes(script), FN_BYTES("1"),
		FN_BYTES(MARKS), mark->name, number(call, (int64_t)mark->count)};
	const redisReply *reply = NULL;

	return ask(redis, call, words, COUNT(words), &reply);
}
