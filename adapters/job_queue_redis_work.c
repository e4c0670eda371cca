/* What a worker does: claim, renew, note the operation, finish, wait. */
#include "adapters/job_queue_redis.h"
#include "fn/clock.h"

#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RENEWALS_MOST 60 /* in one round trip */
#define NOTE_MOST 1024
#define AGAIN_MOST_MS 5000 /* a hint may be lost */

/* ---- Claim ----------------------------------------------------------------------------------- */

static void
ask_claim(struct job_ask *ask, const struct job_worker *worker)
{
	const struct job_queue *queue = ask->queue;
	struct fn_arena *arena = ask->call->arena;
	char *history = fn_arena_alloc(arena, REDIS_HISTORY_SIZE);

	redis_client_history(queue->redis, history);
	job_ask_text(ask, fn_bytes(worker->id));
	job_ask_text(ask, fn_bytes(fn_textf(arena, "%010" PRIu64, worker->claims)));
	job_ask_number(ask, queue->config->lease_ms * 1000);
	job_ask_text(ask, fn_bytes(history));
}

/* {state of the job before, 'J', reconcile, id, user, payload, token, fence, most failures}, and
 * where it was claimed before {attempt, failures, crashes, cancel wanted, operation, age of the
 * call} behind it. */
static bool
job_read(const redisReply *reply, struct job *job, struct fn_error *err)
{
	if (!redis_is_list(reply, 9))
		return job_reply_odd(err);
	*job = (struct job){
		.id = redis_text_at(reply, 3),
		.user = redis_text_at(reply, 4),
		.payload = redis_text_at(reply, 5),
		.token = redis_text_at(reply, 6),
		.fence = (uint64_t)redis_number_at(reply, 7),
		.call_age_ms = -1,
		.attempt = 1,
		.last_failure = redis_number_at(reply, 8) <= 1,
	};
	if (!redis_is_list(reply, 15))
		return true;
	int64_t age_us = redis_number_at(reply, 14);
	job->attempt = (unsigned)redis_number_at(reply, 9);
	job->failures = (unsigned)redis_number_at(reply, 10);
	job->crashes = (unsigned)redis_number_at(reply, 11);
	job->cancel_wanted = redis_number_at(reply, 12);
	job->operation = redis_text_at(reply, 13);
	job->call_age_ms = age_us < 0 ? -1 : age_us / 1000;
	job->last_failure = redis_number_at(reply, 10) + 1 >= redis_number_at(reply, 8);
	return true;
}

/* -1 stays what it is. */
static int64_t
whole_ms(int64_t us)
{
	return us < 0 ? -1 : (us + 999) / 1000;
}

static int64_t
again_ms(int64_t wait_us)
{
	int64_t wait_ms = whole_ms(wait_us);

	return wait_ms < 0 || wait_ms > AGAIN_MOST_MS ? AGAIN_MOST_MS : wait_ms;
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

	if (!redis_is_list(reply, 5))
		return job_reply_odd(err);
	while (i < COUNT(kinds) && !fn_bytes_is(redis_text_at(reply, 1), kinds[i].letter))
		i++;
	if (i == COUNT(kinds))
		return job_reply_odd(err);
	read.kind = kinds[i].kind;
	read.reconcile = redis_number_at(reply, 2);
	if (read.kind == JOB_CLAIMED) {
		TRY(job_read(reply, &read.job, err));
	} else {
		read.again_ms = again_ms(redis_number_at(reply, 3));
		read.due_ms = whole_ms(redis_number_at(reply, 4));
	}
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
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_CLAIM);
	ask_claim(&ask, worker);
	TRY(job_ask_send(&ask, &reply, err));
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
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_RENEW);
	job_ask_number(&ask, queue->config->lease_ms * 1000);
	for (size_t i = 0; i < count; i++) {
		job_ask_text(&ask, renewals[i].job->id);
		job_ask_text(&ask, renewals[i].job->token);
		job_ask_number(&ask, renewals[i].progress);
		job_ask_number(&ask, (int64_t)renewals[i].job->fence);
	}
	TRY(job_ask_send(&ask, &reply, err));
	if (!redis_is_list(reply, count))
		return job_reply_odd(err);
	for (size_t i = 0; i < count; i++) {
		renewals[i].hold = hold_of(redis_number_at(reply, i));
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
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_SET_OPERATION);
	job_ask_text(&ask, job->id);
	job_ask_text(&ask, job->token);
	job_ask_text(&ask, operation);
	TRY(job_ask_send(&ask, &reply, err));
	return let_through(redis_text(reply), job, err);
}

static void
ask_finish(struct job_ask *ask, const struct job_queue *queue, struct fn_call *call,
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
	job_ask_begin(ask, queue, call, JOB_SCRIPT_FINISH);
	job_ask_text(ask, job->id);
	job_ask_text(ask, job->token);
	job_ask_text(ask, fn_bytes(letters[end->verdict]));
	job_ask_number(ask, end->delay_ms * 1000);
	job_ask_text(ask, end->fresh ? FN_BYTES("1") : FN_BYTES("0"));
	job_ask_text(ask, note);
}

bool
job_queue_finish(struct job_queue *queue, struct fn_call *call, const struct job *job,
	struct job_end *end, struct fn_error *err)
{
	const redisReply *reply;
	struct job_ask ask;

	ask_finish(&ask, queue, call, job, end);
	TRY(job_ask_send(&ask, &reply, err));
	if (!redis_is_list(reply, 1))
		return job_reply_odd(err);
	TRY(let_through(redis_text_at(reply, 0), job, err));
	end->state = job_state_of(redis_text_at(reply, 0));
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
	struct job_ask ask;

	ask_finish(&ask, queue, call, job, end);
	ask_claim(&ask, worker);
	TRY(job_ask_send(&ask, &reply, err));
	TRY(claim_read(reply, worker, claim, err));
	claim->job.lease_until_ms = lease_until_ms;
	claim->was_ours = let_through(redis_text_at(reply, 0), job, &refusal);
	end->state = job_state_of(redis_text_at(reply, 0));
	return true;
}

/* ---- Wait ------------------------------------------------------------------------------------ */

/* Until there is a hint. */
static struct redis_command
pause_of(struct fn_arena *arena, int64_t wait_ms)
{
	struct fn_bytes *words = fn_arena_alloc(arena, 3 * sizeof(*words));

	words[0] = FN_BYTES("BLPOP");
	words[1] = FN_BYTES(JOB_KEYS ":wake");
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
	struct job_ask ask;

	wait_ms = fn_time_left_ms(call, wait_ms < most_ms ? wait_ms : most_ms);
	if (wait_ms <= 0)
		return job_queue_claim(queue, call, worker, claim, err);
	job_ask_begin(&ask, queue, call, JOB_SCRIPT_CLAIM);
	ask_claim(&ask, worker);
	const struct redis_command commands[] = {
		pause_of(call->arena, wait_ms), {ask.words, ask.count}};
	TRY(redis_client_send_all(
		queue->redis, call, commands, COUNT(commands), wait_ms, replies, err));
	TRY(redis_no_error(replies[0], err));
	if (redis_is_error(replies[1], "NOSCRIPT"))
		return job_queue_claim(queue, call, worker, claim, err);
	TRY(redis_no_error(replies[1], err));
	TRY(claim_read(replies[1], worker, claim, err));
	claim->job.lease_until_ms = sent_ms + queue->config->lease_ms;
	return true;
}
