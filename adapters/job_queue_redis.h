/* job_queue_redis.h: what the verbs of the queue in Redis share: each asks a script and reads its
 * reply. Private to adapters. */
#ifndef JOB_QUEUE_REDIS_H
#define JOB_QUEUE_REDIS_H

#include "adapters/job_queue.h"
#include "adapters/job_queue_scripts.h"
#include "adapters/redis_client.h"
#include "adapters/redis_reply.h"

#define JOB_KEYS "phx:{v}" /* all keys begin with it */

struct job_queue {
	const struct job_queue_config *config;
	struct redis_client *redis;
	struct fn_arena *arena;
	struct job_script scripts[JOB_SCRIPT_COUNT];
};

/* The words of a command: EVALSHA, the script, the number of keys, the key, arguments. */
struct job_ask {
	const struct job_queue *queue;
	struct fn_call *call;
	enum job_script_id script;
	struct fn_bytes words[REDIS_WORDS_MOST];
	size_t count;
};

void job_ask_begin(
	struct job_ask *, const struct job_queue *, struct fn_call *, enum job_script_id);
void job_ask_text(struct job_ask *, struct fn_bytes); /* borrowed until it is sent */
void job_ask_number(struct job_ask *, int64_t);

/* FN_UPSTREAM also where the script ended with an error. */
FN_MUST bool job_ask_send(struct job_ask *, const redisReply **, struct fn_error *);

/* Always false: the reply is none that the script gives. */
bool job_reply_odd(struct fn_error *);

/* Of the letter that stands for it. */
enum job_state job_state_of(struct fn_bytes);

/* -1 where nothing can be said: it does not wait, or nothing is claimed. */
int64_t job_starts_in_ms(size_t position, int64_t gap_us);

/* FN_INVALID where it could not be kept. `what` is its name in the message. */
FN_MUST bool job_id_check(struct fn_bytes id, const char *what, struct fn_error *);

#endif
