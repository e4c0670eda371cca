/* What job_queue.h promises of claims: each job is one worker's, as long as that lives. */
#include "fn/clock.h"
#include "tests/support/jobs.h"
#include "tests/support/suite.h"

#include <pthread.h>

/* ---- Leases ---------------------------------------------------------------------------------- */

/* A worker that dies loses its job to the next one; the crash is not the job's failure. */
START_TEST(lapsed_job_is_claimed_again)
{
	jobs_enqueue("a", "u");
	struct job first = jobs_claim_and_vanish("a");
	struct job second = jobs_claim("a");

	ck_assert(second.attempt == 2 && second.crashes == 1 && second.failures == 0);
	ck_assert_uint_gt(second.fence, first.fence);
	ck_assert(!fn_bytes_equal(second.token, first.token));
}
END_TEST

/* Who has lost its lease changes nothing any more, but what was paid for is kept. */
START_TEST(lapsed_worker_is_fenced)
{
	struct job_end end = {.verdict = JOB_SUCCESS};

	jobs_enqueue("a", "u");
	struct job first = jobs_claim_and_vanish("a");
	struct job second = jobs_claim("a");
	struct job_renewal renewal = {.job = &first, .progress = 50};
	jobs_must(job_queue_renew(jobs.queue, &jobs.call, &renewal, 1, &jobs.err));
	ck_assert_int_eq(renewal.hold, JOB_TAKEN);
	jobs_must_fail(
		job_queue_finish(jobs.queue, &jobs.call, &first, &end, &jobs.err), FN_PRECONDITION);
	jobs_must_fail(
		job_queue_set_operation(jobs.queue, &jobs.call, &first, FN_BYTES(""), &jobs.err),
		FN_PRECONDITION);
	jobs_must(job_queue_set_operation(
		jobs.queue, &jobs.call, &first, FN_BYTES("op-1"), &jobs.err));
	ck_assert_bytes_eq(jobs_get("a").operation, "op-1");
	jobs_must(job_queue_set_operation(
		jobs.queue, &jobs.call, &second, FN_BYTES("op-2"), &jobs.err));
	jobs_must_fail(job_queue_set_operation(
			       jobs.queue, &jobs.call, &first, FN_BYTES("op-1"), &jobs.err),
		FN_PRECONDITION);
	ck_assert_int_eq(jobs_finish(&second, JOB_SUCCESS, 0), JOB_SUCCEEDED);
}
END_TEST

/* A job that nobody took meanwhile is taken back; the next worker finds nothing. */
START_TEST(lapsed_job_is_taken_back)
{
	jobs_enqueue("a", "u");
	struct job job = jobs_claim_and_vanish("a");
	struct job_renewal renewal = {.job = &job, .progress = 7};

	jobs_must_be("a", JOB_WAITING);
	jobs_must(job_queue_renew(jobs.queue, &jobs.call, &renewal, 1, &jobs.err));
	ck_assert_int_eq(renewal.hold, JOB_HELD);
	jobs_must_rest(JOB_IDLE);
	ck_assert_int_eq(jobs_get("a").progress, 7);
	ck_assert_int_eq(jobs_finish(&job, JOB_SUCCESS, 0), JOB_SUCCEEDED);
}
END_TEST

/* It is not where its user runs as many as may by then, or all places are taken. */
START_TEST(lapsed_job_waits_for_a_place)
{
	jobs_limit(_i == 0 ? 1 : 0, _i == 1 ? 1 : 0);
	jobs_enqueue_as("a", "u", JOBS_HOUR_MS, 0);
	struct job job = jobs_claim_and_vanish("a");
	struct job_renewal renewal = {.job = &job, .progress = -1};

	jobs_enqueue("b", "u");
	jobs_claim("b");
	jobs_must(job_queue_renew(jobs.queue, &jobs.call, &renewal, 1, &jobs.err));
	ck_assert_int_eq(renewal.hold, JOB_TAKEN);
	jobs_must_be("a", JOB_WAITING);
}
END_TEST

/* What was given back is not taken back. */
START_TEST(released_job_is_not_taken_back)
{
	jobs_enqueue("a", "u");
	struct job job = jobs_claim("a");
	struct job_renewal renewal = {.job = &job, .progress = -1};

	ck_assert_int_eq(jobs_finish(&job, JOB_RELEASE, 0), JOB_WAITING);
	jobs_must(job_queue_renew(jobs.queue, &jobs.call, &renewal, 1, &jobs.err));
	ck_assert_int_eq(renewal.hold, JOB_TAKEN);
	jobs_claim("a");
}
END_TEST

/* One round trip renews many leases and says of each how it stands. */
START_TEST(leases_are_renewed_together)
{
	struct job held[100];
	struct job_renewal renewals[COUNT(held)];
	enum job_state state;

	for (size_t i = 0; i < COUNT(held); i++) {
		char *id = fn_textf(jobs.call.arena, "j%zu", i);
		jobs_enqueue(id, "u");
		struct job_claim claimed = jobs_claim_from(jobs.queue, &jobs.ann);
		held[i] = claimed.job;
		held[i].lease_until_ms = 0;
		renewals[i] = (struct job_renewal){.job = &held[i], .progress = (int)i};
	}
	int64_t end_ms = jobs_get("j99").at_ms;
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("j70"), &state, &jobs.err));
	ck_assert_int_eq(state, JOB_ACTIVE);
	AUTO(drop_reply) redisReply *gone = redis_server_ask(jobs.server, "DEL phx:{v}:j:j80");
	jobs_pause_ms(2);
	jobs_must(job_queue_renew(jobs.queue, &jobs.call, renewals, COUNT(held), &jobs.err));
	for (size_t i = 0; i < COUNT(held); i++) {
		enum job_hold want = i == 70   ? JOB_CANCEL_WANTED
				     : i == 80 ? JOB_FORGOTTEN
					       : JOB_HELD;
		ck_assert_int_eq(renewals[i].hold, want);
		ck_assert_int_eq(held[i].lease_until_ms > fn_now_ms(), i != 80);
	}
	ck_assert_int_gt(jobs_get("j99").at_ms, end_ms);
	ck_assert_int_eq(jobs_get("j99").progress, 99);
	ck_assert(jobs_get("j70").cancel_wanted);
}
END_TEST

/* A job that costs one worker after the other its life ends as a dead letter. */
START_TEST(poison_is_buried)
{
	jobs_enqueue("a", "u");
	for (int i = 1; i <= 4; i++) {
		ck_assert_uint_eq(jobs_get("a").crashes, i - 1);
		jobs_claim_and_vanish("a");
	}
	jobs_must_be("a", JOB_DEAD);
	jobs_must_rest(JOB_IDLE);
	ck_assert(jobs_status().crashed == 4 && jobs_status().buried == 1);
}
END_TEST

/* The lease is over, and nobody has seen it yet. */
static void
lapse(const char *id)
{
	ck_assert_int_eq(redis_server_number(jobs.server, "ZADD phx:{v}:l 1 %s", id), 0);
	redis_server_number(jobs.server, "HSET phx:{v}:n due 1");
}

static enum job_state
cancel(const char *id)
{
	enum job_state state;

	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, fn_bytes(id), &state, &jobs.err));
	return state;
}

/* A job that is canceled before its worker is gone is the next one's to end, however many it has
 * cost their lives. */
START_TEST(canceled_job_outlives_its_worker)
{
	const struct job_limits fragile = {.failures = 5, .crashes = 1};

	jobs_must(job_queue_set_limits(jobs.queue, &jobs.call, &fragile, &jobs.err));
	jobs_enqueue("a", "u");
	jobs_claim("a");
	ck_assert_int_eq(cancel("a"), JOB_ACTIVE);
	lapse("a");
	ck_assert(jobs_claim("a").cancel_wanted);
}
END_TEST

/* One that is canceled when its worker is gone has ended. */
START_TEST(canceled_job_without_worker_ends)
{
	jobs_enqueue("a", "u");
	jobs_claim("a");
	lapse("a");
	ck_assert_int_eq(cancel("a"), JOB_CANCELED);
	jobs_must_rest(JOB_IDLE);
}
END_TEST

/* ---- Claims that are repeated ---------------------------------------------------------------- */

/* A claim whose reply was lost gives the same job again, with all that is known of it. */
START_TEST(claim_is_repeated)
{
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	struct job_worker before = jobs.ann;
	struct job first = jobs_claim("a");
	jobs.ann = before;
	struct job again = jobs_claim("a");
	ck_assert(first.fence == again.fence && again.attempt == 1);
	ck_assert(fn_bytes_equal(first.token, again.token));
	jobs_claim("b");
}
END_TEST

/* One that comes late, when its worker is further on, takes nothing. */
START_TEST(late_claim_takes_nothing)
{
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	struct job_worker before = jobs.ann;
	struct job job = jobs_claim("a");
	jobs_finish(&job, JOB_SUCCESS, 0);
	jobs_must_rest(JOB_CLAIMED);
	jobs_enqueue("c", "u");
	jobs.ann = before;
	jobs_must_rest(JOB_IDLE);
	ck_assert_uint_eq(jobs_status().waiting, 1);
}
END_TEST

/* A repeated claim of a job that is finished meanwhile takes the next one. */
START_TEST(finished_job_is_not_claimed_again)
{
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	struct job_worker before = jobs.ann;
	struct job job = jobs_claim("a");
	jobs_finish(&job, JOB_SUCCESS, 0);
	jobs.ann = before;
	jobs_claim("b");
}
END_TEST

/* ---- Threads --------------------------------------------------------------------------------- */

#define THREADS 6
#define JOBS 300

static void *
work(void *with)
{
	struct fn_call own = {.arena = fn_arena_new()};
	struct job_worker worker;
	struct job_claim claimed;
	struct job_end end = {.verdict = JOB_SUCCESS};
	struct fn_error failure;
	size_t *done = with;

	job_worker_init(&worker, "thread");
	bool ok = job_queue_claim(jobs.queue, &own, &worker, &claimed, &failure);
	while (ok && claimed.kind == JOB_CLAIMED) {
		struct job job = claimed.job;
		ok = job_queue_finish_and_claim(
			jobs.queue, &own, &job, &end, &worker, &claimed, &failure);
		if (ok && claimed.was_ours)
			++*done;
	}
	fn_arena_drop(own.arena);
	return NULL;
}

/* Any number of threads share a queue, and each job is one's alone. */
START_TEST(threads_share_a_queue)
{
	pthread_t threads[THREADS];
	size_t done[THREADS] = {0}, sum = 0;

	for (int i = 0; i < JOBS; i++)
		jobs_enqueue(fn_textf(jobs.call.arena, "%d", i),
			fn_textf(jobs.call.arena, "u%d", i % 7));
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &done[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += done[i];
	}
	ck_assert_uint_eq(sum, JOBS);
	ck_assert(jobs_status().succeeded == JOBS && jobs_status().active == 0 &&
		  jobs_status().waiting == 0);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = lapsed_job_is_claimed_again},
		{.test = lapsed_worker_is_fenced},
		{.test = lapsed_job_is_taken_back},
		{.test = lapsed_job_waits_for_a_place, .rows = 2},
		{.test = released_job_is_not_taken_back},
		{.test = leases_are_renewed_together},
		{.test = poison_is_buried},
		{.test = canceled_job_outlives_its_worker},
		{.test = canceled_job_without_worker_ends},
		{.test = claim_is_repeated},
		{.test = late_claim_takes_nothing},
		{.test = finished_job_is_not_claimed_again},
		{.test = threads_share_a_queue},
	};

	return jobs_suite("leases of jobs", cases, COUNT(cases));
}
