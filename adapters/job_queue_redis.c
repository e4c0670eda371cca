/* The queue in Redis: each verb is one script, so one round trip and all or nothing. What is kept
 * there, and why, stands in adapters/job_queue/core.lua.
 *
 * Needs Redis 6.2 or Valkey, and none of the commands that managed ones forbid. */
#include "adapters/job_queue.h"
#include "adapters/job_queue_scripts.h"
#include "adapters/redis_client.h"
#include "fn/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KEYS "phx:{v}"
#define WORDS_MOST 256
#define RENEWALS_MOST 60 /* in one round trip */
#define NOTE_MOST 1024
#define FINGERPRINT_MOST 64
#define AGAIN_MOST_MS 5000 /* a hint may be lost */
#define LOCK_MS 60000
#define SEATS_AT_ONCE 500

struct job_queue {
	const struct job_queue_config *config;
	struct redis_client *redis;
	struct fn_arena *arena;
	struct job_script scripts[JOB_SCRIPT_COUNT];
};

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

/* The words of a command: EVALSHA, the script, the number of keys, the key, arguments. */
struct ask {
	enum job_script_id script;
	struct fn_arena *arena;
	struct fn_bytes words[WORDS_MOST];
	size_t count;
};

static void
ask_text(struct ask *ask, struct fn_bytes text)
{
	assert(ask->count < WORDS_MOST);
	ask->words[ask->count++] = text;
}

static void
ask_number(struct ask *ask, int64_t number)
{
	char *text = fn_arena_alloc(ask->arena, 24);

	snprintf(text, 24, "%" PRId64, number);
	ask_text(ask, fn_bytes(text));
}

static void
ask_begin(struct ask *ask, const struct job_queue *queue, const struct fn_call *call,
	enum job_script_id script)
{
	ask->script = script;
	ask->arena = call->arena;
	ask->words[0] = FN_BYTES("EVALSHA");
	ask->words[1] = queue->scripts[script].sha1;
	ask->words[2] = FN_BYTES("1");
	ask->words[3] = FN_BYTES(KEYS);
	ask->count = 4;
}

static bool
is_error(const redisReply *reply, const char *code)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, code, strlen(code)) == 0;
}

static bool
no_error(const redisReply *reply, struct fn_error *err)
{
	return reply->type != REDIS_REPLY_ERROR ||
	       fn_fail(err, FN_UPSTREAM, "redis: %s", reply->str);
}

/* A server that does not know the script, since it was restarted, gets its text. */
static bool
ask_send(struct job_queue *queue, struct fn_call *call, struct ask *ask, const redisReply **reply,
	struct fn_error *err)
{
	TRY(redis_client_send(queue->redis, call, ask->words, ask->count, 0, reply, err));
	if (is_error(*reply, "NOSCRIPT")) {
		ask->words[0] = FN_BYTES("EVAL");
		ask->words[1] = queue->scripts[ask->script].text;
		TRY(redis_client_send(queue->redis, call, ask->words, ask->count, 0, reply, err));
	}
	return no_error(*reply, err);
}

/* ---- Reading replies ------------------------------------------------------------------------- */

static bool
is_list(const redisReply *reply, size_t count)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements >= count;
}

static bool
odd(struct fn_error *err)
{
	return fn_fail(err, FN_UPSTREAM, "redis: a reply that no script of ours gives");
}

static struct fn_bytes
text_of(const redisReply *reply)
{
	bool is_text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;

	return is_text ? (struct fn_bytes){reply->str, (size_t)reply->len} : fn_bytes(NULL);
}

static struct fn_bytes
text_at(const redisReply *list, size_t i)
{
	return text_of(list->element[i]);
}

/* Fields of a hash come as text, what a script has computed as a number. */
static int64_t
number_or(const redisReply *list, size_t i, int64_t absent)
{
	const redisReply *reply = list->element[i];

	if (reply->type == REDIS_REPLY_INTEGER)
		return reply->integer;
	return reply->type == REDIS_REPLY_STRING && reply->len > 0 ? strtoll(reply->str, NULL, 10)
								   : absent;
}

static int64_t
number_at(const redisReply *list, size_t i)
{
	return number_or(list, i, 0);
}

static unsigned
count_at(const redisReply *list, size_t i)
{
	return (unsigned)number_at(list, i);
}

static enum job_state
state_of(struct fn_bytes text)
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

static int64_t
starts_in_ms(size_t position, int64_t gap_us)
{
	if (position == 0 || gap_us < 0)
		return -1;
	return (int64_t)position * gap_us / 1000;
}

/* ---- Enqueue --------------------------------------------------------------------------------- */

static bool
id_check(struct fn_bytes id, const char *what, struct fn_error *err)
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

static bool
order_check(const struct job_order *order, struct fn_error *err)
{
	TRY(id_check(order->id, "job id", err));
	TRY(id_check(order->user, "user id", err));
	if (order->payload.size > JOB_PAYLOAD_MOST)
		return fn_fail(err, FN_INVALID, "payload: %zu bytes, at most %d are allowed",
			order->payload.size, JOB_PAYLOAD_MOST);
	if (order->fingerprint.size > FINGERPRINT_MOST)
		return fn_fail(err, FN_INVALID, "fingerprint: %zu bytes, at most %d are allowed",
			order->fingerprint.size, FINGERPRINT_MOST);
	return true;
}

static bool
ticket_read(const redisReply *reply, struct job_ticket *ticket, struct fn_error *err)
{
	if (!is_list(reply, 7))
		return odd(err);
	*ticket = (struct job_ticket){
		.existed = number_at(reply, 0),
		.state = state_of(text_at(reply, 1)),
		.runnable = number_at(reply, 2),
		.score = number_at(reply, 3),
		.position = (size_t)number_at(reply, 4),
		.of = (size_t)number_at(reply, 5),
	};
	ticket->starts_in_ms = starts_in_ms(ticket->position, number_at(reply, 6));
	return true;
}

static bool
refused(struct fn_bytes why, struct fn_error *err)
{
	static const struct {
		const char *why;
		enum fn_code code;
		const char *sentence;
	} reasons[] = {
		{"other", FN_UNPROCESSABLE, "this id belongs to another order"},
		{"full", FN_BUSY, "as many jobs wait as may"},
		{"user full", FN_RATE_LIMITED, "as many of your jobs wait as may"},
		{"not dead", FN_PRECONDITION, "this job is no dead letter"},
	};

	for (size_t i = 0; i < COUNT(reasons); i++)
		if (fn_bytes_is(why, reasons[i].why))
			return fn_fail(err, reasons[i].code, "%s", reasons[i].sentence);
	return odd(err);
}

static bool
enqueue_send(struct job_queue *queue, struct fn_call *call, const struct job_order *order,
	const redisReply **reply, struct fn_error *err)
{
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_ENQUEUE);
	ask_text(&ask, order->id);
	ask_text(&ask, order->user);
	ask_text(&ask, order->fingerprint);
	ask_text(&ask, order->payload);
	ask_number(&ask, order->class.penalty_ms * 1000);
	ask_number(&ask, order->class.quantum_ms * 1000);
	if (order->score > 0) {
		ask_number(&ask, order->score);
		ask_number(&ask, (int64_t)order->fence);
		ask_text(&ask, order->operation);
	}
	return ask_send(queue, call, &ask, reply, err);
}

bool
job_queue_reserve(struct job_queue *queue, struct fn_call *call, struct fn_bytes user,
	const struct job_class *class, int64_t *score, struct fn_error *err)
{
	const struct job_order nothing = {.user = user, .class = *class};
	const redisReply *reply;
	uint64_t number;

	TRY(id_check(user, "user id", err));
	TRY(enqueue_send(queue, call, &nothing, &reply, err));
	if (!is_list(reply, 1))
		return odd(err);
	if (!fn_bytes_number(text_at(reply, 0), INT64_MAX, &number))
		return refused(text_at(reply, 0), err);
	*score = (int64_t)number;
	return true;
}

bool
job_queue_enqueue(struct job_queue *queue, struct fn_call *call, const struct job_order *order,
	struct job_ticket *ticket, struct fn_error *err)
{
	const redisReply *reply;

	TRY(order_check(order, err));
	TRY(enqueue_send(queue, call, order, &reply, err));
	if (is_list(reply, 1) && reply->elements == 1)
		return refused(text_at(reply, 0), err);
	return ticket_read(reply, ticket, err);
}

/* ---- Claim ----------------------------------------------------------------------------------- */

static void
ask_claim(struct ask *ask, const struct job_queue *queue, const struct job_worker *worker)
{
	char *history = fn_arena_alloc(ask->arena, REDIS_HISTORY_SIZE);

	redis_client_history(queue->redis, history);
	ask_text(ask, fn_bytes(worker->id));
	ask_text(ask, fn_bytes(fn_textf(ask->arena, "%010" PRIu64, worker->claims)));
	ask_number(ask, queue->config->lease_ms * 1000);
	ask_text(ask, fn_bytes(history));
}

/* {state of the job before, 'J', reconcile, id, user, payload, token, fence, most failures}, and
 * where it was claimed before {attempt, failures, crashes, cancel wanted, operation, age of the
 * call} behind it. */
static bool
job_read(const redisReply *reply, struct job *job, struct fn_error *err)
{
	if (!is_list(reply, 9))
		return odd(err);
	*job = (struct job){
		.id = text_at(reply, 3),
		.user = text_at(reply, 4),
		.payload = text_at(reply, 5),
		.token = text_at(reply, 6),
		.fence = (uint64_t)number_at(reply, 7),
		.call_age_ms = -1,
		.attempt = 1,
		.last_failure = number_at(reply, 8) <= 1,
	};
	if (!is_list(reply, 15))
		return true;
	int64_t age_us = number_at(reply, 14);
	job->attempt = count_at(reply, 9);
	job->failures = count_at(reply, 10);
	job->crashes = count_at(reply, 11);
	job->cancel_wanted = number_at(reply, 12);
	job->operation = text_at(reply, 13);
	job->call_age_ms = age_us < 0 ? -1 : age_us / 1000;
	job->last_failure = number_at(reply, 10) + 1 >= number_at(reply, 8);
	return true;
}

static int64_t
again_ms(int64_t wait_us)
{
	int64_t wait_ms = (wait_us + 999) / 1000;

	return wait_us < 0 || wait_ms > AGAIN_MOST_MS ? AGAIN_MOST_MS : wait_ms;
}

/* The number is used up once there is an answer to it. */
static bool
claim_read(const redisReply *reply, struct job_worker *worker, struct job_claim *claim,
	struct fn_error *err)
{
	static const struct {
		const char *letter;
		enum job_claim_kind kind;
	} kinds[] = {
		{"J", JOB_CLAIMED},
		{"E", JOB_IDLE},
		{"P", JOB_PAUSED},
		{"F", JOB_FULL},
		{"I", JOB_REBUILD},
	};
	struct job_claim read = {.was_ours = true};
	size_t i = 0;

	if (!is_list(reply, 4))
		return odd(err);
	while (i < COUNT(kinds) && !fn_bytes_is(text_at(reply, 1), kinds[i].letter))
		i++;
	if (i == COUNT(kinds))
		return odd(err);
	read.kind = kinds[i].kind;
	read.reconcile = number_at(reply, 2);
	if (read.kind == JOB_CLAIMED)
		TRY(job_read(reply, &read.job, err));
	else
		read.again_ms = again_ms(number_at(reply, 3));
	worker->claims++;
	*claim = read;
	return true;
}

bool
job_queue_claim(struct job_queue *queue, struct fn_call *call, struct job_worker *worker,
	struct job_claim *claim, struct fn_error *err)
{
	int64_t lease_until_ms = fn_now_ms() + queue->config->lease_ms;
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_CLAIM);
	ask_claim(&ask, queue, worker);
	TRY(ask_send(queue, call, &ask, &reply, err));
	TRY(claim_read(reply, worker, claim, err));
	claim->job.lease_until_ms = lease_until_ms;
	return true;
}

/* ---- Renew ----------------------------------------------------------------------------------- */

static enum job_hold
hold_of(int64_t number)
{
	switch (number) {
	case 1:
		return JOB_HELD;
	case 2:
		return JOB_CANCEL_WANTED;
	case -1:
		return JOB_FORGOTTEN;
	default:
		return JOB_TAKEN;
	}
}

static bool
renew_some(struct job_queue *queue, struct fn_call *call, struct job_renewal *renewals,
	size_t count, struct fn_error *err)
{
	int64_t lease_until_ms = fn_now_ms() + queue->config->lease_ms;
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_RENEW);
	ask_number(&ask, queue->config->lease_ms * 1000);
	for (size_t i = 0; i < count; i++) {
		ask_text(&ask, renewals[i].job->id);
		ask_text(&ask, renewals[i].job->token);
		ask_number(&ask, renewals[i].progress);
		ask_number(&ask, (int64_t)renewals[i].job->fence);
	}
	TRY(ask_send(queue, call, &ask, &reply, err));
	if (!is_list(reply, count))
		return odd(err);
	for (size_t i = 0; i < count; i++) {
		renewals[i].hold = hold_of(number_at(reply, i));
		if (renewals[i].hold == JOB_HELD || renewals[i].hold == JOB_CANCEL_WANTED)
			renewals[i].job->lease_until_ms = lease_until_ms;
	}
	return true;
}

bool
job_queue_renew(struct job_queue *queue, struct fn_call *call, struct job_renewal *renewals,
	size_t count, struct fn_error *err)
{
	for (size_t done = 0; done < count; done += RENEWALS_MOST) {
		size_t left = count - done;

		TRY(renew_some(queue, call, renewals + done,
			left < RENEWALS_MOST ? left : RENEWALS_MOST, err));
	}
	return true;
}

/* ---- Operation and end ----------------------------------------------------------------------- */

/* Of set_operation.lua and finish.lua: whether the verb was let through. */
static bool
let_through(struct fn_bytes answer, const struct job *job, struct fn_error *err)
{
	if (fn_bytes_is(answer, "gone"))
		return fn_fail(
			err, FN_NOT_FOUND, "job %.*s: the queue does not know it", FN_ARG(job->id));
	if (fn_bytes_is(answer, "lost"))
		return fn_fail(
			err, FN_PRECONDITION, "job %.*s: the lease had ended", FN_ARG(job->id));
	return true;
}

bool
job_queue_set_operation(struct job_queue *queue, struct fn_call *call, const struct job *job,
	struct fn_bytes operation, struct fn_error *err)
{
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_SET_OPERATION);
	ask_text(&ask, job->id);
	ask_text(&ask, job->token);
	ask_text(&ask, operation);
	TRY(ask_send(queue, call, &ask, &reply, err));
	return let_through(text_of(reply), job, err);
}

static void
ask_finish(struct ask *ask, const struct job_queue *queue, const struct fn_call *call,
	const struct job *job, const struct job_end *end)
{
	static const char *const letters[] = {
		[JOB_SUCCESS] = "S",
		[JOB_STOPPED] = "C",
		[JOB_RETRY] = "R",
		[JOB_RELEASE] = "H",
		[JOB_FAILURE] = "X",
	};
	struct fn_bytes note = end->note;

	if (note.size > NOTE_MOST)
		note.size = NOTE_MOST;
	ask_begin(ask, queue, call, JOB_SCRIPT_FINISH);
	ask_text(ask, job->id);
	ask_text(ask, job->token);
	ask_text(ask, fn_bytes(letters[end->verdict]));
	ask_number(ask, end->delay_ms * 1000);
	ask_text(ask, end->fresh ? FN_BYTES("1") : FN_BYTES("0"));
	ask_text(ask, note);
}

bool
job_queue_finish(struct job_queue *queue, struct fn_call *call, const struct job *job,
	struct job_end *end, struct fn_error *err)
{
	const redisReply *reply;
	struct ask ask;

	ask_finish(&ask, queue, call, job, end);
	TRY(ask_send(queue, call, &ask, &reply, err));
	if (!is_list(reply, 1))
		return odd(err);
	TRY(let_through(text_at(reply, 0), job, err));
	end->state = state_of(text_at(reply, 0));
	return true;
}

bool
job_queue_finish_and_claim(struct job_queue *queue, struct fn_call *call, const struct job *job,
	struct job_end *end, struct job_worker *worker, struct job_claim *claim,
	struct fn_error *err)
{
	int64_t lease_until_ms = fn_now_ms() + queue->config->lease_ms;
	struct fn_error refusal;
	const redisReply *reply;
	struct ask ask;

	ask_finish(&ask, queue, call, job, end);
	ask_claim(&ask, queue, worker);
	TRY(ask_send(queue, call, &ask, &reply, err));
	TRY(claim_read(reply, worker, claim, err));
	claim->job.lease_until_ms = lease_until_ms;
	claim->was_ours = let_through(text_at(reply, 0), job, &refusal);
	end->state = state_of(text_at(reply, 0));
	return true;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

/* Until there is a hint. */
static struct redis_command
pause_of(struct fn_arena *arena, int64_t wait_ms)
{
	struct fn_bytes *words = fn_arena_alloc(arena, 3 * sizeof(*words));

	words[0] = FN_BYTES("BLPOP");
	words[1] = FN_BYTES(KEYS ":wake");
	words[2] = fn_bytes(fn_textf(arena, "%.3f", (double)wait_ms / 1000));
	return (struct redis_command){words, 3};
}

/* The server carries out what comes behind a BLPOP as soon as that has ended. */
bool
job_queue_wait_and_claim(struct job_queue *queue, struct fn_call *call, int64_t wait_ms,
	struct job_worker *worker, struct job_claim *claim, struct fn_error *err)
{
	int64_t sent_ms = fn_now_ms(), most_ms = queue->config->lease_ms / 3;
	const redisReply *replies[2];
	struct ask ask;

	wait_ms = fn_time_left_ms(call, wait_ms < most_ms ? wait_ms : most_ms);
	if (wait_ms <= 0)
		return job_queue_claim(queue, call, worker, claim, err);
	ask_begin(&ask, queue, call, JOB_SCRIPT_CLAIM);
	ask_claim(&ask, queue, worker);
	const struct redis_command commands[] = {
		pause_of(call->arena, wait_ms), {ask.words, ask.count}};
	TRY(redis_client_send_all(
		queue->redis, call, commands, COUNT(commands), wait_ms, replies, err));
	TRY(no_error(replies[0], err));
	if (is_error(replies[1], "NOSCRIPT"))
		return job_queue_claim(queue, call, worker, claim, err);
	TRY(no_error(replies[1], err));
	TRY(claim_read(replies[1], worker, claim, err));
	claim->job.lease_until_ms = sent_ms + queue->config->lease_ms;
	return true;
}

/* ---- Sweeping -------------------------------------------------------------------------------- */

bool
job_queue_sweep(struct job_queue *queue, struct fn_call *call, size_t *ready, struct fn_error *err)
{
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_TICK);
	TRY(ask_send(queue, call, &ask, &reply, err));
	*ready = (size_t)reply->integer;
	return true;
}

/* ---- One job --------------------------------------------------------------------------------- */

/* {state, user, payload, operation, note, token, score, enqueued at, progress, attempts, failures,
 * crashes, cancel wanted, timer, position, id} */
static bool
info_read(const redisReply *reply, size_t waiting, int64_t gap_us, struct job_info *info,
	struct fn_error *err)
{
	if (!is_list(reply, 16))
		return odd(err);
	struct fn_bytes token = text_at(reply, 5);
	const char *slash = token.size ? memrchr(token.at, '/', token.size) : NULL;
	*info = (struct job_info){
		.state = state_of(text_at(reply, 0)),
		.user = text_at(reply, 1),
		.payload = text_at(reply, 2),
		.operation = text_at(reply, 3),
		.note = text_at(reply, 4),
		.score = number_at(reply, 6),
		.enqueued_ms = number_at(reply, 7) / 1000,
		.progress = (int)number_or(reply, 8, -1),
		.attempts = count_at(reply, 9),
		.failures = count_at(reply, 10),
		.crashes = count_at(reply, 11),
		.cancel_wanted = number_at(reply, 12),
		.at_ms = number_at(reply, 13) / 1000,
		.position = (size_t)number_at(reply, 14),
		.of = waiting,
		.id = text_at(reply, 15),
	};
	if (slash)
		info->worker = (struct fn_bytes){token.at, (size_t)(slash - token.at)};
	info->starts_in_ms = starts_in_ms(info->position, gap_us);
	return true;
}

/* {how many wait, gap, jobs, time} */
static bool
infos_read(const redisReply *reply, struct fn_arena *arena, const struct job_info **read,
	size_t *count, struct fn_error *err)
{
	if (!is_list(reply, 4) || !is_list(reply->element[2], 0))
		return odd(err);
	const redisReply *list = reply->element[2];
	struct job_info *infos = fn_arena_alloc(arena, (list->elements + 1) * sizeof(*infos));
	size_t waiting = (size_t)number_at(reply, 0);

	for (size_t i = 0; i < list->elements; i++) {
		TRY(info_read(list->element[i], waiting, number_at(reply, 1), &infos[i], err));
		infos[i].seen_ms = number_at(reply, 3) / 1000;
	}
	*read = infos;
	*count = list->elements;
	return true;
}

bool
job_queue_get(struct job_queue *queue, struct fn_call *call, struct fn_bytes id,
	struct job_info *info, struct fn_error *err)
{
	const struct job_info *infos;
	const redisReply *reply;
	struct ask ask;
	size_t count;

	ask_begin(&ask, queue, call, JOB_SCRIPT_GET);
	ask_text(&ask, id);
	TRY(ask_send(queue, call, &ask, &reply, err));
	TRY(infos_read(reply, call->arena, &infos, &count, err));
	if (count != 1)
		return odd(err);
	*info = infos[0];
	return true;
}

bool
job_queue_cancel(struct job_queue *queue, struct fn_call *call, struct fn_bytes id,
	enum job_state *state, struct fn_error *err)
{
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_CANCEL);
	ask_text(&ask, id);
	TRY(ask_send(queue, call, &ask, &reply, err));
	*state = state_of(text_of(reply));
	return true;
}

bool
job_queue_replay(struct job_queue *queue, struct fn_call *call, struct fn_bytes id,
	const struct job_class *class, struct job_ticket *ticket, struct fn_error *err)
{
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_REPLAY);
	ask_text(&ask, id);
	ask_number(&ask, class->penalty_ms * 1000);
	ask_number(&ask, class->quantum_ms * 1000);
	TRY(ask_send(queue, call, &ask, &reply, err));
	if (is_list(reply, 1) && reply->elements == 1)
		return refused(text_at(reply, 0), err);
	return ticket_read(reply, ticket, err);
}

bool
job_queue_drop(
	struct job_queue *queue, struct fn_call *call, struct fn_bytes id, struct fn_error *err)
{
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_DROP);
	ask_text(&ask, id);
	TRY(ask_send(queue, call, &ask, &reply, err));
	return reply->integer == 1 || refused(FN_BYTES("not dead"), err);
}

/* ---- Operators ------------------------------------------------------------------------------- */

bool
job_queue_list(struct job_queue *queue, struct fn_call *call, enum job_state state, size_t skip,
	const struct job_info **infos, size_t *count, struct fn_error *err)
{
	static const char *const letters[] = {
		[JOB_WAITING] = "W", [JOB_DELAYED] = "D", [JOB_ACTIVE] = "A", [JOB_DEAD] = "X"};
	const redisReply *reply;
	struct ask ask;

	if (state >= COUNT(letters) || !letters[state])
		return fn_fail(
			err, FN_INVALID, "jobs that are %s are not listed", job_state_name(state));
	ask_begin(&ask, queue, call, JOB_SCRIPT_LIST);
	ask_text(&ask, fn_bytes(letters[state]));
	ask_number(&ask, (int64_t)skip);
	ask_number(&ask, *count < JOB_LIST_MOST ? (int64_t)*count : JOB_LIST_MOST);
	TRY(ask_send(queue, call, &ask, &reply, err));
	return infos_read(reply, call->arena, infos, count, err);
}

bool
job_queue_workers(struct job_queue *queue, struct fn_call *call,
	const struct job_worker_info **workers, size_t *count, struct fn_error *err)
{
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_WORKERS);
	TRY(ask_send(queue, call, &ask, &reply, err));
	if (!is_list(reply, 0))
		return odd(err);
	struct job_worker_info *infos =
		fn_arena_alloc(call->arena, (reply->elements + 1) * sizeof(*infos));
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *one = reply->element[i];

		if (!is_list(one, 4))
			return odd(err);
		infos[i] = (struct job_worker_info){
			.id = text_at(one, 0),
			.silent_ms = number_at(one, 1) / 1000,
			.job = text_at(one, 2),
			.busy = number_at(one, 3),
		};
	}
	*workers = infos;
	*count = reply->elements;
	return true;
}

static bool
seat_all(struct job_queue *queue, struct fn_call *call, int64_t most, struct fn_error *err)
{
	int64_t cursor = 0;

	do {
		const redisReply *reply;
		struct ask ask;

		ask_begin(&ask, queue, call, JOB_SCRIPT_SEAT);
		ask_number(&ask, cursor);
		ask_number(&ask, SEATS_AT_ONCE);
		ask_number(&ask, most);
		TRY(ask_send(queue, call, &ask, &reply, err));
		cursor = reply->integer;
	} while (cursor > 0);
	return true;
}

bool
job_queue_set_limits(struct job_queue *queue, struct fn_call *call, const struct job_limits *limits,
	struct fn_error *err)
{
	const struct {
		struct fn_bytes name;
		long value;
	} rows[] = {
		{FN_BYTES("gmax"), limits->running},
		{FN_BYTES("qmax"), limits->waiting},
		{FN_BYTES("uqmax"), limits->waiting_per_user},
		{FN_BYTES("rate"), limits->calls_per_minute},
		{FN_BYTES("maxfails"), limits->failures},
		{FN_BYTES("maxcrash"), limits->crashes},
	};
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_LIMITS);
	ask_number(&ask, limits->running_per_user);
	for (size_t i = 0; i < COUNT(rows); i++) {
		ask_text(&ask, rows[i].name);
		ask_number(&ask, rows[i].value);
	}
	TRY(ask_send(queue, call, &ask, &reply, err));
	return reply->integer == 0 || seat_all(queue, call, reply->integer, err);
}

bool
job_queue_set_user_limit(struct job_queue *queue, struct fn_call *call, struct fn_bytes user,
	long running, struct fn_error *err)
{
	const redisReply *reply;
	struct ask ask;

	TRY(id_check(user, "user id", err));
	ask_begin(&ask, queue, call, JOB_SCRIPT_USER_LIMIT);
	ask_text(&ask, user);
	ask_number(&ask, running);
	return ask_send(queue, call, &ask, &reply, err);
}

static bool
pause_set(struct job_queue *queue, struct fn_call *call, bool paused, struct fn_error *err)
{
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_PAUSE);
	ask_number(&ask, paused);
	return ask_send(queue, call, &ask, &reply, err);
}

bool
job_queue_pause(struct job_queue *queue, struct fn_call *call, struct fn_error *err)
{
	return pause_set(queue, call, true, err);
}

bool
job_queue_resume(struct job_queue *queue, struct fn_call *call, struct fn_error *err)
{
	return pause_set(queue, call, false, err);
}

bool
job_queue_status(struct job_queue *queue, struct fn_call *call, struct job_queue_status *status,
	struct fn_error *err)
{
	const redisReply *reply, *notes;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_STATUS);
	TRY(ask_send(queue, call, &ask, &reply, err));
	if (!is_list(reply, 6) || !is_list(reply->element[5], 18))
		return odd(err);
	notes = reply->element[5];
	*status = (struct job_queue_status){
		.waiting = (size_t)number_at(reply, 0),
		.ready = (size_t)number_at(reply, 1),
		.active = (size_t)number_at(reply, 2),
		.delayed = (size_t)number_at(reply, 3),
		.dead = (size_t)number_at(reply, 4),
		.rebuilt = notes->element[0]->type != REDIS_REPLY_NIL,
		.paused = text_at(notes, 1).size > 0,
		.gap_ms = number_or(notes, 2, -1000) / 1000,
		.limits = {.running = (long)number_at(notes, 3),
			.running_per_user = (long)number_at(notes, 4),
			.waiting = (long)number_at(notes, 5),
			.waiting_per_user = (long)number_at(notes, 6),
			.calls_per_minute = (long)number_at(notes, 7),
			.failures = (long)number_at(notes, 8),
			.crashes = (long)number_at(notes, 9)},
		.enqueued = (uint64_t)number_at(notes, 10),
		.claimed = (uint64_t)number_at(notes, 11),
		.succeeded = (uint64_t)number_at(notes, 12),
		.canceled = (uint64_t)number_at(notes, 13),
		.failed = (uint64_t)number_at(notes, 14),
		.crashed = (uint64_t)number_at(notes, 15),
		.released = (uint64_t)number_at(notes, 16),
		.buried = (uint64_t)number_at(notes, 17),
	};
	return true;
}

/* ---- Rebuild --------------------------------------------------------------------------------- */

bool
job_queue_rebuild_begin(struct job_queue *queue, struct fn_call *call,
	const struct job_worker *worker, bool *mine, struct fn_error *err)
{
	const redisReply *reply;
	struct ask ask;

	ask_begin(&ask, queue, call, JOB_SCRIPT_REBUILD_BEGIN);
	ask_text(&ask, fn_bytes(worker->id));
	ask_number(&ask, LOCK_MS);
	TRY(ask_send(queue, call, &ask, &reply, err));
	*mine = reply->integer == 1;
	return true;
}

bool
job_queue_rebuild_end(struct job_queue *queue, struct fn_call *call,
	const struct job_worker *worker, const struct job_limits *limits, struct fn_error *err)
{
	char history[REDIS_HISTORY_SIZE];
	const redisReply *reply;
	struct ask ask;

	TRY(job_queue_set_limits(queue, call, limits, err));
	redis_client_history(queue->redis, history);
	ask_begin(&ask, queue, call, JOB_SCRIPT_REBUILD_END);
	ask_text(&ask, fn_bytes(worker->id));
	ask_text(&ask, fn_bytes(history));
	TRY(ask_send(queue, call, &ask, &reply, err));
	return reply->integer == 1 ||
	       fn_fail(err, FN_PRECONDITION, "rebuild: the lock was lost; begin again");
}
