/* What is done with orders: to enqueue, cancel, replay and drop them. */
#include "adapters/job_queue_redis.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FINGERPRINT_MOST 64

/* ---- Enqueue --------------------------------------------------------------------------------- */

static bool
order_check(const struct job_order *order, struct fn_error *err)
{
	TRY(job_id_check(order->id, "job id", err));
	TRY(job_id_check(order->user, "user id", err));
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
	if (!redis_is_list(reply, 7))
		return job_reply_odd(err);
	*ticket = (struct job_ticket){
		.existed = redis_number_at(reply, 0),
		.state = job_state_of(redis_text_at(reply, 1)),
		.runnable = redis_number_at(reply, 2),
		.score = redis_number_at(reply, 3),
		.position = (size_t)redis_number_at(reply, 4),
		.of = (size_t)redis_number_at(reply, 5),
	};
	ticket->starts_in_ms = job_starts_in_ms(ticket->position, redis_number_at(reply, 6));
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
	return job_reply_odd(err);
}

static bool
enqueue_send(struct job_queue *queue, struct fn_call *call, const struct job_order *order,
	const redisReply **reply, struct fn_error *err)
{
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_ENQUEUE);
	job_ask_text(&ask, order->id);
	job_ask_text(&ask, order->user);
	job_ask_text(&ask, order->fingerprint);
	job_ask_text(&ask, order->payload);
	job_ask_number(&ask, order->class.penalty_ms * 1000);
	job_ask_number(&ask, order->class.quantum_ms * 1000);
	if (order->score > 0) {
		job_ask_number(&ask, order->score);
		job_ask_number(&ask, (int64_t)order->fence);
		job_ask_text(&ask, order->operation);
	}
	return job_ask_send(&ask, reply, err);
}

bool
job_queue_reserve(struct job_queue *queue, struct fn_call *call, struct fn_bytes user,
	const struct job_class *class, int64_t *score, struct fn_error *err)
{
	const struct job_order nothing = {.user = user, .class = *class};
	const redisReply *reply;
	uint64_t number;

	TRY(job_id_check(user, "user id", err));
	TRY(enqueue_send(queue, call, &nothing, &reply, err));
	if (!redis_is_list(reply, 1))
		return job_reply_odd(err);
	if (!fn_bytes_number(redis_text_at(reply, 0), INT64_MAX, &number))
		return refused(redis_text_at(reply, 0), err);
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
	if (redis_is_list(reply, 1) && reply->elements == 1)
		return refused(redis_text_at(reply, 0), err);
	return ticket_read(reply, ticket, err);
}

/* ---- Afterwards ------------------------------------------------------------------------------ */

bool
job_queue_cancel(struct job_queue *queue, struct fn_call *call, struct fn_bytes id,
	enum job_state *state, struct fn_error *err)
{
	const redisReply *reply;
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_CANCEL);
	job_ask_text(&ask, id);
	TRY(job_ask_send(&ask, &reply, err));
	*state = job_state_of(redis_text(reply));
	return true;
}

bool
job_queue_replay(struct job_queue *queue, struct fn_call *call, struct fn_bytes id,
	const struct job_class *class, struct job_ticket *ticket, struct fn_error *err)
{
	const redisReply *reply;
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_REPLAY);
	job_ask_text(&ask, id);
	job_ask_number(&ask, class->penalty_ms * 1000);
	job_ask_number(&ask, class->quantum_ms * 1000);
	TRY(job_ask_send(&ask, &reply, err));
	if (redis_is_list(reply, 1) && reply->elements == 1)
		return refused(redis_text_at(reply, 0), err);
	return ticket_read(reply, ticket, err);
}

bool
job_queue_drop(
	struct job_queue *queue, struct fn_call *call, struct fn_bytes id, struct fn_error *err)
{
	const redisReply *reply;
	struct job_ask ask;

	job_ask_begin(&ask, queue, call, JOB_SCRIPT_DROP);
	job_ask_text(&ask, id);
	TRY(job_ask_send(&ask, &reply, err));
	return reply->integer == 1 || refused(FN_BYTES("not dead"), err);
}
