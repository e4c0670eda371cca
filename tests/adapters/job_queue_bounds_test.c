/* What the queue keeps in Redis stays within bounds, and it within memory. */
#include "tests/support/jobs.h"
#include "tests/support/suite.h"

#include <string.h>

/* ---- Memory ---------------------------------------------------------------------------------- */

/* With no memory left nothing more is accepted, and all that runs comes to its end. */
START_TEST(full_memory_ends_what_runs)
{
	enum job_state state;
	struct job_ticket ticket;
	const struct job_order order = {.id = FN_BYTES("new"), .user = FN_BYTES("u")};
	size_t ready;

	for (int i = 0; i < 6; i++)
		jobs_enqueue(fn_textf(jobs.call.arena, "%d", i), NULL);
	struct job first = jobs_claim("0"), second = jobs_claim("1"), third = jobs_claim("2");
	AUTO(drop_reply) redisReply *due = redis_server_ask(jobs.server, "HSET phx:{v}:n due 1");
	AUTO(drop_reply)
	redisReply *reply = redis_server_ask(jobs.server, "CONFIG SET maxmemory 1");
	ck_assert(!job_queue_enqueue(jobs.queue, &jobs.call, &order, &ticket, &jobs.err));
	ck_assert_msg(jobs.err.code == FN_UPSTREAM && strstr(jobs.err.message, "OOM"), "%s",
		jobs.err.message);
	for (int i = 0; i < 2; i++) { /* the first of them sweeps as well */
		jobs.ann.claims--;    /* that of "2", as if its reply had been lost */
		jobs_claim("2");
	}
	jobs_must(job_queue_pause(jobs.queue, &jobs.call, &jobs.err));
	ck_assert_int_eq(jobs_claim_any().kind, JOB_PAUSED);
	jobs_must(job_queue_resume(jobs.queue, &jobs.call, &jobs.err));
	jobs_must(job_queue_set_limits(jobs.queue, &jobs.call, &jobs_patient, &jobs.err));
	struct job_renewal renewal = {.job = &first, .progress = 5};
	jobs_must(job_queue_renew(jobs.queue, &jobs.call, &renewal, 1, &jobs.err));
	ck_assert_int_eq(renewal.hold, JOB_HELD);
	jobs_must(job_queue_set_operation(jobs.queue, &jobs.call, &first, FN_BYTES(""), &jobs.err));
	jobs_must(
		job_queue_set_operation(jobs.queue, &jobs.call, &first, FN_BYTES("op"), &jobs.err));
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("0"), &state, &jobs.err));
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("5"), &state, &jobs.err));
	ck_assert_int_eq(state, JOB_CANCELED);
	jobs_finish(&first, JOB_SUCCESS, 0);
	struct job_end retry = {.verdict = JOB_RETRY, .delay_ms = 1};
	jobs_must(job_queue_finish(jobs.queue, &jobs.call, &second, &retry, &jobs.err));
	struct job_end failure = {.verdict = JOB_FAILURE};
	jobs_must(job_queue_finish(jobs.queue, &jobs.call, &third, &failure, &jobs.err));
	jobs_must(job_queue_sweep(jobs.queue, &jobs.call, &ready, &jobs.err));
	ck_assert_uint_ge(ready, 2);
	for (int i = 0; i < 3; i++) {
		struct job_claim claimed = jobs_claim_any();
		while (claimed.kind == JOB_IDLE) {
			jobs_pause_ms(1);
			claimed = jobs_claim_any();
		}
		jobs_finish(&claimed.job, JOB_SUCCESS, 0);
	}
	ck_assert_int_eq(jobs_claim_any().kind, JOB_IDLE);
}
END_TEST

/* ---- Bounds ---------------------------------------------------------------------------------- */

/* Of dead letters the oldest are forgotten when there are too many. */
START_TEST(dead_letters_are_bounded)
{
	struct job_end end = {.verdict = JOB_FAILURE};
	struct job_queue_status status;
	struct job_info info;

	jobs_enqueue("oldest", NULL);
	struct job job = jobs_claim("oldest");
	jobs_must(job_queue_finish(jobs.queue, &jobs.call, &job, &end, &jobs.err));
	for (int i = 0; i < 9999; i++) {
		AUTO(drop_reply)
		redisReply *reply =
			redis_server_ask(jobs.server, "ZADD phx:{v}:x 9000000000000000 x%d", i);
	}
	jobs_enqueue("a", NULL);
	job = jobs_claim("a");
	jobs_must(job_queue_finish(jobs.queue, &jobs.call, &job, &end, &jobs.err));
	jobs_must(job_queue_status(jobs.queue, &jobs.call, &status, &jobs.err));
	ck_assert_uint_eq(status.dead, 10000);
	jobs_must(job_queue_get(jobs.queue, &jobs.call, FN_BYTES("oldest"), &info, &jobs.err));
	ck_assert_int_eq(info.state, JOB_UNKNOWN);
}
END_TEST

static bool
is_noted(const char *field)
{
	return redis_server_number(jobs.server, "HEXISTS phx:{v}:n %s", field) == 1;
}

static struct job
enqueue_and_claim(const char *id, int64_t quantum_ms)
{
	const struct job_order order = {
		.id = fn_bytes(id), .user = fn_bytes(id), .class = {.quantum_ms = quantum_ms}};
	struct job_ticket ticket;

	jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &order, &ticket, &jobs.err));
	return jobs_claim(id);
}

/* Who has had a fair share is forgotten with the last job, who has had more when its time is over.
 */
START_TEST(served_users_are_forgotten)
{
	struct job fair = enqueue_and_claim("fair", 0), hog = enqueue_and_claim("hog", 3600000);
	size_t ready;

	ck_assert(is_noted("v:fair") && is_noted("v:hog"));
	jobs_finish(&fair, JOB_SUCCESS, 0);
	jobs_finish(&hog, JOB_SUCCESS, 0);
	ck_assert(!is_noted("v:fair"));
	jobs_must(job_queue_sweep(jobs.queue, &jobs.call, &ready, &jobs.err));
	ck_assert(is_noted("v:hog"));
	AUTO(drop_reply)
	redisReply *reply = redis_server_ask(jobs.server, "HSET phx:{v}:n v:hog 1");
	jobs_must(job_queue_sweep(jobs.queue, &jobs.call, &ready, &jobs.err));
	ck_assert(!is_noted("v:hog"));
}
END_TEST

/* Workers that are long gone are forgotten by the tick. */
START_TEST(gone_workers_are_forgotten)
{
	const struct job_worker_info *workers;
	size_t count, ready;

	jobs_claim_any();
	AUTO(drop_reply)
	redisReply *reply = redis_server_ask(
		jobs.server, "HSET phx:{v}:n k:old.1 %s", "0000000001 1000000 job");
	jobs_must(job_queue_workers(jobs.queue, &jobs.call, &workers, &count, &jobs.err));
	ck_assert_uint_eq(count, 2);
	jobs_must(job_queue_sweep(jobs.queue, &jobs.call, &ready, &jobs.err));
	jobs_must(job_queue_workers(jobs.queue, &jobs.call, &workers, &count, &jobs.err));
	ck_assert_uint_eq(count, 1);
	ck_assert_bytes_eq(workers[0].id, jobs.ann.id);
}
END_TEST

/* More is due than one sweep takes: the next ones take the rest. */
START_TEST(sweeps_are_bounded)
{
	size_t ready = 0;

	job_queue_close(jobs.queue);
	jobs_open(redis_server_url(jobs.server), 1);
	for (int i = 0; i < 40; i++)
		jobs_enqueue(fn_textf(jobs.call.arena, "%d", i), NULL);
	AUTO(drop_reply)
	redisReply *eval = redis_server_ask(jobs.server, "EVAL %s 0",
		"for i = 0, 39 do "
		"redis.call('ZADD', 'phx:{v}:l', 1000 + i, i) "
		"redis.call('HSET', 'phx:{v}:j:' .. i, 'st', 'A', 'tok', 'x/1') "
		"redis.call('HINCRBY', 'phx:{v}:n', 'f:' .. i, 1) end "
		"redis.call('DEL', 'phx:{v}:w', 'phx:{v}:r') "
		"redis.call('HSET', 'phx:{v}:n', 'due', 1000)");
	for (int i = 0; i < 3; i++) {
		jobs_must(job_queue_sweep(jobs.queue, &jobs.call, &ready, &jobs.err));
		ck_assert_uint_eq(ready, i < 2 ? (size_t)(i + 1) * 16 : 40);
	}
}
END_TEST

/* A server whose clock is behind what was written continues after it, in order. */
START_TEST(clock_that_went_back_is_outrun)
{
	const int64_t ahead = INT64_C(4000000000000000);

	AUTO(drop_reply)
	redisReply *reply = redis_server_ask(jobs.server, "HSET phx:{v}:n tick 4000000000000000");
	ck_assert_int_eq(jobs_enqueue("b", NULL).score, ahead + 1);
	ck_assert_int_eq(jobs_enqueue("a", NULL).score, ahead + 2);
	jobs_claim("b");
	jobs_claim("a");
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = full_memory_ends_what_runs},
		{.test = dead_letters_are_bounded},
		{.test = served_users_are_forgotten},
		{.test = gone_workers_are_forgotten},
		{.test = sweeps_are_bounded},
		{.test = clock_that_went_back_is_outrun},
	};

	return suite_run_with(
		"job queue's bounds", cases, COUNT(cases), jobs_begin_server, jobs_end);
}
