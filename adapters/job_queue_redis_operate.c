/* What keeps the queue as it should be: limits, a pause, a sweep, a rebuild. */
#include "adapters/job_queue_redis.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LOCK_MS 10000
#define SEATS_AT_ONCE 500

/* ---- Limits ---------------------------------------------------------------------------------- */

static bool
seat_all(struct job_queue *queue, struct fn_call *call, int64_t most, struct fn_error *err)
{
	int64_t cursor = 0;

	do {
		const redisReply *reply;
		struct job_ask ask;

		job_ask_begin(&ask, queue, call, JOB_SCRIPT_SEAT);
		job_ask_number(&ask, cursor);
		job_ask_number(&ask, SEATS_AT_ONCE);
		job_ask_number(&ask, most);
		TRY(job_ask_send(&ask, &reply, err));
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
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_LIMITS);
	job_ask_number(&ask, limits->running_per_user);
	for (size_t i = 0; i < COUNT(rows); i++) {
		job_ask_text(&ask, rows[i].name);
		job_ask_number(&ask, rows[i].value);
	}
	TRY(job_ask_send(&ask, &reply, err));
	return reply->integer == 0 || seat_all(queue, call, reply->integer, err);
}

bool
job_queue_set_user_limit(struct job_queue *queue, struct fn_call *call, struct fn_bytes user,
	long running, struct fn_error *err)
{
	const redisReply *reply;
	struct job_ask ask;

	TRY(job_id_check(user, "user id", err));
	job_ask_begin(&ask, queue, call, JOB_SCRIPT_USER_LIMIT);
	job_ask_text(&ask, user);
	job_ask_number(&ask, running);
	return job_ask_send(&ask, &reply, err);
}

static bool
pause_set(struct job_queue *queue, struct fn_call *call, bool paused, struct fn_error *err)
{
	const redisReply *reply;
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_PAUSE);
	job_ask_number(&ask, paused);
	return job_ask_send(&ask, &reply, err);
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

/* ---- Sweep ----------------------------------------------------------------------------------- */

bool
job_queue_sweep(struct job_queue *queue, struct fn_call *call, size_t *ready, struct fn_error *err)
{
	const redisReply *reply;
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_TICK);
	TRY(job_ask_send(&ask, &reply, err));
	*ready = (size_t)reply->integer;
	return true;
}

/* ---- Rebuild --------------------------------------------------------------------------------- */

bool
job_queue_rebuild_begin(struct job_queue *queue, struct fn_call *call,
	const struct job_worker *worker, bool *mine, struct fn_error *err)
{
	const redisReply *reply;
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_REBUILD_BEGIN);
	job_ask_text(&ask, fn_bytes(worker->id));
	job_ask_number(&ask, LOCK_MS);
	TRY(job_ask_send(&ask, &reply, err));
	*mine = reply->integer == 1;
	return true;
}

bool
job_queue_rebuild_end(struct job_queue *queue, struct fn_call *call,
	const struct job_worker *worker, const struct job_limits *limits, struct fn_error *err)
{
	char history[REDIS_HISTORY_SIZE];
	const redisReply *reply;
	struct job_ask ask;

	TRY(job_queue_set_limits(queue, call, limits, err));
	redis_client_history(queue->redis, history);
	job_ask_begin(&ask, queue, call, JOB_SCRIPT_REBUILD_END);
	job_ask_text(&ask, fn_bytes(worker->id));
	job_ask_text(&ask, fn_bytes(history));
	TRY(job_ask_send(&ask, &reply, err));
	return reply->integer == 1 ||
	       fn_fail(err, FN_PRECONDITION, "rebuild: the lock was lost; begin again");
}
