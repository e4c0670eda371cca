/* What the queue tells: of jobs, of workers, of itself. */
#include "adapters/job_queue_redis.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Jobs ------------------------------------------------------------------------------------ */

/* {state, user, payload, operation, note, token, score, enqueued at, progress, attempts, failures,
 * crashes, cancel wanted, timer, position, id} */
static bool
info_read(const redisReply *reply, size_t waiting, int64_t gap_us, struct job_info *info,
	struct fn_error *err)
{
	if (!redis_is_list(reply, 16))
		return job_reply_odd(err);
	struct fn_bytes token = redis_text_at(reply, 5);
	const char *slash = token.size ? memrchr(token.at, '/', token.size) : NULL;
	*info = (struct job_info){
		.state = job_state_of(redis_text_at(reply, 0)),
		.user = redis_text_at(reply, 1),
		.payload = redis_text_at(reply, 2),
		.operation = redis_text_at(reply, 3),
		.note = redis_text_at(reply, 4),
		.score = redis_number_at(reply, 6),
		.enqueued_ms = redis_number_at(reply, 7) / 1000,
		.progress = (int)redis_number_or(reply, 8, -1),
		.attempts = (unsigned)redis_number_at(reply, 9),
		.failures = (unsigned)redis_number_at(reply, 10),
		.crashes = (unsigned)redis_number_at(reply, 11),
		.cancel_wanted = redis_number_at(reply, 12),
		.at_ms = redis_number_at(reply, 13) / 1000,
		.position = (size_t)redis_number_at(reply, 14),
		.of = waiting,
		.id = redis_text_at(reply, 15),
	};
	if (slash)
		info->worker = (struct fn_bytes){token.at, (size_t)(slash - token.at)};
	info->starts_in_ms = job_starts_in_ms(info->position, gap_us);
	return true;
}

/* {how many wait, gap, jobs, time} */
static bool
infos_read(const redisReply *reply, struct fn_arena *arena, const struct job_info **read,
	size_t *count, struct fn_error *err)
{
	if (!redis_is_list(reply, 4) || !redis_is_list(reply->element[2], 0))
		return job_reply_odd(err);
	const redisReply *list = reply->element[2];
	struct job_info *infos = fn_arena_alloc(arena, (list->elements + 1) * sizeof(*infos));
	size_t waiting = (size_t)redis_number_at(reply, 0);

	for (size_t i = 0; i < list->elements; i++) {
		TRY(info_read(
			list->element[i], waiting, redis_number_at(reply, 1), &infos[i], err));
		infos[i].seen_ms = redis_number_at(reply, 3) / 1000;
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
	struct job_ask ask;
	size_t count;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_GET);
	job_ask_text(&ask, id);
	TRY(job_ask_send(&ask, &reply, err));
	TRY(infos_read(reply, call->arena, &infos, &count, err));
	if (count != 1)
		return job_reply_odd(err);
	*info = infos[0];
	return true;
}

bool
job_queue_list(struct job_queue *queue, struct fn_call *call, enum job_state state, size_t skip,
	const struct job_info **infos, size_t *count, struct fn_error *err)
{
	static const char *const letters[] = {
		[JOB_WAITING] = "W", [JOB_DELAYED] = "D", [JOB_ACTIVE] = "A", [JOB_DEAD] = "X"};
	const redisReply *reply;
	struct job_ask ask;

	if (state >= COUNT(letters) || !letters[state])
		return fn_fail(
			err, FN_INVALID, "jobs that are %s are not listed", job_state_name(state));
	job_ask_begin(&ask, queue, call, JOB_SCRIPT_LIST);
	job_ask_text(&ask, fn_bytes(letters[state]));
	job_ask_number(&ask, (int64_t)skip);
	job_ask_number(&ask, *count < JOB_LIST_MOST ? (int64_t)*count : JOB_LIST_MOST);
	TRY(job_ask_send(&ask, &reply, err));
	return infos_read(reply, call->arena, infos, count, err);
}

/* ---- Workers --------------------------------------------------------------------------------- */

bool
job_queue_workers(struct job_queue *queue, struct fn_call *call,
	const struct job_worker_info **workers, size_t *count, struct fn_error *err)
{
	const redisReply *reply;
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_WORKERS);
	TRY(job_ask_send(&ask, &reply, err));
	if (!redis_is_list(reply, 0))
		return job_reply_odd(err);
	struct job_worker_info *infos =
		fn_arena_alloc(call->arena, (reply->elements + 1) * sizeof(*infos));
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *one = reply->element[i];

		if (!redis_is_list(one, 4))
			return job_reply_odd(err);
		infos[i] = (struct job_worker_info){
			.id = redis_text_at(one, 0),
			.silent_ms = redis_number_at(one, 1) / 1000,
			.job = redis_text_at(one, 2),
			.busy = redis_number_at(one, 3),
		};
	}
	*workers = infos;
	*count = reply->elements;
	return true;
}

/* ---- The queue ------------------------------------------------------------------------------- */

bool
job_queue_status(struct job_queue *queue, struct fn_call *call, struct job_queue_status *status,
	struct fn_error *err)
{
	const redisReply *reply, *notes;
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_STATUS);
	TRY(job_ask_send(&ask, &reply, err));
	if (!redis_is_list(reply, 6) || !redis_is_list(reply->element[5], 18))
		return job_reply_odd(err);
	notes = reply->element[5];
	*status = (struct job_queue_status){
		.waiting = (size_t)redis_number_at(reply, 0),
		.ready = (size_t)redis_number_at(reply, 1),
		.active = (size_t)redis_number_at(reply, 2),
		.delayed = (size_t)redis_number_at(reply, 3),
		.dead = (size_t)redis_number_at(reply, 4),
		.rebuilt = notes->element[0]->type != REDIS_REPLY_NIL,
		.paused = redis_text_at(notes, 1).size > 0,
		.gap_ms = redis_number_or(notes, 2, -1000) / 1000,
		.limits = {.running = (long)redis_number_at(notes, 3),
			.running_per_user = (long)redis_number_at(notes, 4),
			.waiting = (long)redis_number_at(notes, 5),
			.waiting_per_user = (long)redis_number_at(notes, 6),
			.calls_per_minute = (long)redis_number_at(notes, 7),
			.failures = (long)redis_number_at(notes, 8),
			.crashes = (long)redis_number_at(notes, 9)},
		.enqueued = (uint64_t)redis_number_at(notes, 10),
		.claimed = (uint64_t)redis_number_at(notes, 11),
		.succeeded = (uint64_t)redis_number_at(notes, 12),
		.canceled = (uint64_t)redis_number_at(notes, 13),
		.failed = (uint64_t)redis_number_at(notes, 14),
		.crashed = (uint64_t)redis_number_at(notes, 15),
		.released = (uint64_t)redis_number_at(notes, 16),
		.buried = (uint64_t)redis_number_at(notes, 17),
	};
	return true;
}
