/* The queue in Redis: each verb is one script, so one round trip and all or nothing. What is kept
 * there, and why, stands in adapters/job_queue/core.lua.
 *
 * Needs Redis 6.2 or Valkey, and none of the commands that managed ones forbid. */
#include "adapters/job_queue_redis.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool
job_queue_open(
	struct job_queue **opened, const struct job_queue_config *config, struct fn_error *err)
{
	struct redis_client *redis;
	struct job_queue *queue;

	TRY(redis_client_open(&redis, config->url, config->ca_file, err));
	queue = calloc(1, sizeof(*queue));
	assert(queue);
	queue->config = config;
	queue->redis = redis;
	queue->arena = fn_arena_new();
	job_scripts_make(queue->scripts, queue->arena);
	*opened = queue;
	return true;
}

void
job_queue_close(struct job_queue *queue)
{
	if (!queue)
		return;
	redis_client_close(queue->redis);
	fn_arena_drop(queue->arena);
	free(queue);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

void
job_ask_text(struct job_ask *ask, struct fn_bytes text)
{
	assert(ask->count < REDIS_WORDS_MOST);
	ask->words[ask->count++] = text;
}

void
job_ask_number(struct job_ask *ask, int64_t number)
{
	char *text = fn_arena_alloc(ask->call->arena, 24);

	snprintf(text, 24, "%" PRId64, number);
	job_ask_text(ask, fn_bytes(text));
}

void
job_ask_begin(struct job_ask *ask, const struct job_queue *queue, struct fn_call *call,
	enum job_script_id script)
{
	ask->queue = queue;
	ask->call = call;
	ask->script = script;
	ask->words[0] = FN_BYTES("EVALSHA");
	ask->words[1] = queue->scripts[script].sha1;
	ask->words[2] = FN_BYTES("1");
	ask->words[3] = FN_BYTES(JOB_KEYS);
	ask->count = 4;
}

static bool
send_words(const struct job_ask *ask, const redisReply **reply, struct fn_error *err)
{
	return redis_client_send(
		ask->queue->redis, ask->call, ask->words, ask->count, 0, reply, err);
}

/* A server that does not know the script, since it was restarted, gets its text. */
bool
job_ask_send(struct job_ask *ask, const redisReply **reply, struct fn_error *err)
{
	TRY(send_words(ask, reply, err));
	if (redis_is_error(*reply, "NOSCRIPT")) {
		ask->words[0] = FN_BYTES("EVAL");
		ask->words[1] = ask->queue->scripts[ask->script].text;
		TRY(send_words(ask, reply, err));
	}
	return redis_no_error(*reply, err);
}

/* ---- What several verbs read and check ------------------------------------------------------- */

bool
job_reply_odd(struct fn_error *err)
{
	return fn_fail(err, FN_UPSTREAM, "redis: a reply that no script of ours gives");
}

enum job_state
job_state_of(struct fn_bytes text)
{
	static const struct {
		char letter;
		enum job_state state;
	} states[] = {
		{'W', JOB_WAITING},
		{'D', JOB_DELAYED},
		{'A', JOB_ACTIVE},
		{'S', JOB_SUCCEEDED},
		{'C', JOB_CANCELED},
		{'X', JOB_DEAD},
	};

	for (size_t i = 0; i < COUNT(states); i++)
		if (text.size == 1 && text.at[0] == states[i].letter)
			return states[i].state;
	return JOB_UNKNOWN;
}

int64_t
job_starts_in_ms(size_t position, int64_t gap_us)
{
	if (position == 0 || gap_us < 0)
		return -1;
	return (int64_t)position * gap_us / 1000;
}

bool
job_id_check(struct fn_bytes id, const char *what, struct fn_error *err)
{
	if (id.size == 0 || id.size > JOB_ID_MOST)
		return fn_fail(err, FN_INVALID, "%s: %zu bytes, must be 1 to %d", what, id.size,
			JOB_ID_MOST);
	for (size_t i = 0; i < id.size; i++)
		if (id.at[i] <= ' ' || id.at[i] > '~')
			return fn_fail(
				err, FN_INVALID, "%s: a byte other than visible ASCII", what);
	return true;
}
