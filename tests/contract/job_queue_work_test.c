/* What job_queue.h promises to workers: how a job ends, what is kept of it, how one waits. */
#include "fn/clock.h"
#include "tests/support/jobs.h"
#include "tests/support/suite.h"

#include <pthread.h>

/* ---- Ends ------------------------------------------------------------------------------------ */

/* A failed job comes again after its delay, so many times, and then rests. */
START_TEST(failed_job_is_retried)
{
	struct job_limits limits = jobs_wide;

	limits.failures = 3;
	jobs_must(job_queue_set_limits(jobs.queue, &jobs.call, &limits, &jobs.err));
	int64_t score = jobs_enqueue("a", "u").score;
	for (unsigned failures = 0; failures < 3; failures++) {
		struct job job = jobs_claim("a");
		ck_assert(job.attempt == failures + 1 && job.failures == failures);
		ck_assert(job.crashes == 0);
		ck_assert_int_eq(job.last_failure, failures == 2);
		enum job_state state = jobs_finish(&job, JOB_RETRY, 1);
		ck_assert_int_eq(state, failures == 2 ? JOB_DEAD : JOB_DELAYED);
		if (state == JOB_DELAYED)
			ck_assert_int_eq(jobs_after("a", JOB_DELAYED), JOB_WAITING);
		ck_assert_int_eq(jobs_get("a").score, score);
	}
	jobs_must_rest(JOB_IDLE);
	ck_assert(
		jobs_status().failed == 3 && jobs_status().buried == 1 && jobs_status().dead == 1);
}
END_TEST

/* A delayed job is not claimed before its time, and says when that is. */
START_TEST(delayed_job_waits)
{
	jobs_enqueue("a", "u");
	struct job job = jobs_claim("a");
	jobs_finish(&job, JOB_RETRY, JOBS_HOUR_MS);
	struct job_info info = jobs_get("a");
	ck_assert(info.state == JOB_DELAYED && info.position == 0);
	ck_assert_int_gt(info.at_ms, info.enqueued_ms + JOBS_HOUR_MS - 1);
	struct job_claim idle = jobs_claim_from(jobs.queue, &jobs.ann);
	ck_assert(idle.kind == JOB_IDLE && idle.again_ms == 5000);
	ck_assert(idle.due_ms > JOBS_HOUR_MS / 2 && idle.due_ms <= JOBS_HOUR_MS);
}
END_TEST

/* An idle worker is told when something will be due; a lease of another's may be renewed. */
START_TEST(idle_worker_knows_when_to_ask)
{
	jobs_enqueue("a", "u");
	struct job job = jobs_claim("a");
	struct job_claim idle = jobs_claim_from(jobs.queue, &jobs.ben);
	ck_assert(idle.kind == JOB_IDLE && idle.again_ms == 5000 && idle.due_ms == -1);
	jobs_finish(&job, JOB_RETRY, 4900);
	idle = jobs_claim_from(jobs.queue, &jobs.ann);
	ck_assert(idle.kind == JOB_IDLE && idle.again_ms <= 4900 && idle.due_ms <= 4900);
}
END_TEST

/* A job that is given back keeps its place and its failures. */
START_TEST(released_job_keeps_its_place)
{
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "v");
	struct job job = jobs_claim("a");
	ck_assert_int_eq(jobs_finish(&job, JOB_RELEASE, 0), JOB_WAITING);
	ck_assert_uint_eq(jobs_get("a").position, 1);
	job = jobs_claim("a");
	ck_assert(job.failures == 0 && job.crashes == 0 && job.attempt == 2);
	ck_assert_int_eq(jobs_finish(&job, JOB_RELEASE, 1), JOB_DELAYED);
	ck_assert_int_eq(jobs_after("a", JOB_DELAYED), JOB_WAITING);
	ck_assert_uint_eq(jobs_get("a").position, 1);
	ck_assert_uint_eq(jobs_status().released, 2);
}
END_TEST

/* Every end may be told again, and what became of the job is the same. */
START_TEST(end_is_repeated)
{
	static const struct {
		enum job_verdict verdict;
		int64_t delay_ms;
		enum job_state state;
	} ends[] = {
		{JOB_SUCCESS, 0, JOB_SUCCEEDED},
		{JOB_STOPPED, 0, JOB_CANCELED},
		{JOB_RETRY, JOBS_HOUR_MS, JOB_DELAYED},
		{JOB_RETRY, 0, JOB_WAITING},
		{JOB_RELEASE, JOBS_HOUR_MS, JOB_DELAYED},
		{JOB_RELEASE, 0, JOB_WAITING},
		{JOB_FAILURE, 0, JOB_DEAD},
	};

	jobs_enqueue("a", "u");
	struct job job = jobs_claim("a");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
			jobs_finish(&job, ends[_i].verdict, ends[_i].delay_ms), ends[_i].state);
	struct job_info info = jobs_get("a");
	ck_assert_uint_eq(info.failures, ends[_i].verdict == JOB_RETRY);
	struct job_queue_status seen = jobs_status();
	ck_assert_uint_eq(
		seen.succeeded + seen.canceled + seen.failed + seen.released + seen.buried, 1);
	ck_assert_uint_eq(seen.active, 0);
}
END_TEST

/* What nobody knows is told from what is another's. */
START_TEST(forgotten_job_is_not_found)
{
	struct job_end end = {.verdict = JOB_SUCCESS};

	jobs_enqueue("a", "u");
	struct job job = jobs_claim("a");
	jobs_flush();
	jobs_must_fail(
		job_queue_finish(jobs.queue, &jobs.call, &job, &end, &jobs.err), FN_NOT_FOUND);
	jobs_must_fail(
		job_queue_set_operation(jobs.queue, &jobs.call, &job, FN_BYTES(""), &jobs.err),
		FN_NOT_FOUND);
	jobs_must_fail(
		job_queue_set_operation(jobs.queue, &jobs.call, &job, FN_BYTES("op"), &jobs.err),
		FN_NOT_FOUND);
}
END_TEST

/* The end of one job and the claim of the next are one step. */
START_TEST(worker_goes_on_in_one_step)
{
	struct job_end end = {.verdict = JOB_SUCCESS};
	struct job_claim next;

	jobs_limit(1, 1);
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	struct job job = jobs_claim("a");
	jobs_must(job_queue_finish_and_claim(
		jobs.queue, &jobs.call, &job, &end, &jobs.ann, &next, &jobs.err));
	ck_assert(end.state == JOB_SUCCEEDED && next.was_ours && next.kind == JOB_CLAIMED);
	ck_assert_bytes_eq(next.job.id, "b");
	ck_assert_int_gt(next.job.lease_until_ms, fn_now_ms());
	job = next.job;
	jobs_must(job_queue_finish_and_claim(
		jobs.queue, &jobs.call, &job, &end, &jobs.ann, &next, &jobs.err));
	ck_assert(next.was_ours && next.kind == JOB_IDLE);
}
END_TEST

/* An end that comes too late is refused, and the next job is given all the same. */
START_TEST(late_end_is_refused_and_the_next_claimed)
{
	struct job_end end = {.verdict = JOB_SUCCESS};
	struct job_claim next;

	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	struct job job = jobs_claim_and_vanish("a");
	jobs_claim("a");
	jobs_must(job_queue_finish_and_claim(
		jobs.queue, &jobs.call, &job, &end, &jobs.ben, &next, &jobs.err));
	ck_assert(!next.was_ours && next.kind == JOB_CLAIMED);
	ck_assert_bytes_eq(next.job.id, "b");
	jobs_must_be("a", JOB_ACTIVE);
}
END_TEST

/* All that ends is counted, also what is swept in the same step, or ended with a late claim. */
START_TEST(ends_in_one_step_are_counted)
{
	struct job_end end = {.verdict = JOB_STOPPED};
	struct job_worker late = jobs.ann;
	struct job_claim next;

	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	jobs_enqueue("c", "u");
	struct job first = jobs_claim("a"), second = jobs_claim("b");
	ck_assert_int_eq(jobs_claim_from(jobs.brief, &jobs.ben).kind, JOB_CLAIMED);
	jobs_pause_ms(5);
	jobs_must(job_queue_finish_and_claim(
		jobs.queue, &jobs.call, &first, &end, &jobs.ann, &next, &jobs.err));
	ck_assert_int_eq(next.kind, JOB_CLAIMED);
	ck_assert(jobs_status().canceled == 1 && jobs_status().crashed == 1);
	jobs_must(job_queue_finish_and_claim(
		jobs.queue, &jobs.call, &second, &end, &late, &next, &jobs.err));
	ck_assert(next.kind == JOB_IDLE && next.was_ours);
	ck_assert_uint_eq(jobs_status().canceled, 2);
}
END_TEST

/* A note is kept for the operator, of a sensible length. */
START_TEST(note_is_kept)
{
	struct job_end end = {
		.verdict = JOB_FAILURE, .note = {fn_arena_zero(jobs.call.arena, 5000), 5000}};

	jobs_enqueue("a", "u");
	struct job job = jobs_claim("a");
	jobs_must(job_queue_finish(jobs.queue, &jobs.call, &job, &end, &jobs.err));
	ck_assert_uint_eq(jobs_get("a").note.size, 1024);
}
END_TEST

/* ---- Operations ------------------------------------------------------------------------------ */

/* What a dead worker had begun is told to the next: the name, or that a call is in the air. */
START_TEST(operation_outlives_its_worker)
{
	jobs_enqueue("a", "u");
	struct job_claim claimed = jobs_claim_from(jobs.brief, &jobs.ben);
	jobs_must(job_queue_set_operation(
		jobs.queue, &jobs.call, &claimed.job, FN_BYTES(""), &jobs.err));
	jobs_after("a", JOB_ACTIVE);
	struct job job = jobs_claim("a");
	ck_assert(job.operation.size == 0 && job.call_age_ms >= 0);
	jobs_must(job_queue_set_operation(jobs.queue, &jobs.call, &job, FN_BYTES("op"), &jobs.err));
	jobs_finish(&job, JOB_RETRY, 0);
	job = jobs_claim("a");
	ck_assert_bytes_eq(job.operation, "op");
	ck_assert_int_eq(job.call_age_ms, -1);
}
END_TEST

/* Whoever takes over from a worker that died in a call is not told of the one before, which has
 * failed. */
START_TEST(new_call_takes_the_place_of_the_last)
{
	jobs_enqueue("a", "u");
	struct job_claim claimed = jobs_claim_from(jobs.brief, &jobs.ben);
	jobs_must(job_queue_set_operation(
		jobs.queue, &jobs.call, &claimed.job, FN_BYTES(""), &jobs.err));
	jobs_must(job_queue_set_operation(
		jobs.queue, &jobs.call, &claimed.job, FN_BYTES("op"), &jobs.err));
	jobs_must(job_queue_set_operation(
		jobs.queue, &jobs.call, &claimed.job, FN_BYTES(""), &jobs.err));
	jobs_after("a", JOB_ACTIVE);
	struct job job = jobs_claim("a");
	ck_assert(job.operation.size == 0 && job.call_age_ms >= 0);
}
END_TEST

/* An operation that failed is forgotten where the worker says so. */
START_TEST(failed_operation_is_forgotten)
{
	struct job_end end = {.verdict = JOB_RETRY, .fresh = true};

	jobs_enqueue("a", "u");
	struct job job = jobs_claim("a");
	jobs_must(job_queue_set_operation(jobs.queue, &jobs.call, &job, FN_BYTES(""), &jobs.err));
	jobs_must(job_queue_set_operation(jobs.queue, &jobs.call, &job, FN_BYTES("op"), &jobs.err));
	jobs_must(job_queue_finish(jobs.queue, &jobs.call, &job, &end, &jobs.err));
	job = jobs_claim("a");
	ck_assert(job.operation.size == 0 && job.call_age_ms == -1);
}
END_TEST

/* ---- Waiting --------------------------------------------------------------------------------- */

static void *
enqueue_later(void *with)
{
	struct fn_call own = {.arena = fn_arena_new()};
	struct job_order wanted = jobs_order("a", "u");
	struct job_ticket ticket;
	struct fn_error failure;

	jobs_pause_ms(20);
	*(bool *)with = job_queue_enqueue(jobs.queue, &own, &wanted, &ticket, &failure);
	fn_arena_drop(own.arena);
	return NULL;
}

/* An idle worker is given the job that comes, else it is told that there is none. Its lease has
 * begun with the wait, which does not end by itself before a third of it is over. */
START_TEST(idle_worker_is_given_a_job)
{
	struct job_claim claimed;
	bool enqueued = false;
	pthread_t thread;

	jobs_must(job_queue_wait_and_claim(
		jobs.queue, &jobs.call, 10, &jobs.ann, &claimed, &jobs.err));
	ck_assert_int_eq(claimed.kind, JOB_IDLE);
	jobs_must(job_queue_wait_and_claim(
		jobs.queue, &jobs.call, 0, &jobs.ann, &claimed, &jobs.err));
	ck_assert_int_eq(claimed.kind, JOB_IDLE);
	int64_t begun_ms = fn_now_ms();
	pthread_create(&thread, NULL, enqueue_later, &enqueued);
	jobs_must(job_queue_wait_and_claim(
		jobs.queue, &jobs.call, JOBS_PATIENCE_MS, &jobs.ann, &claimed, &jobs.err));
	ck_assert_int_lt(fn_now_ms(), begun_ms + jobs.config.lease_ms / 3);
	pthread_join(thread, NULL);
	ck_assert(enqueued && claimed.kind == JOB_CLAIMED);
	ck_assert_bytes_eq(claimed.job.id, "a");
	ck_assert_int_ge(claimed.job.lease_until_ms, begun_ms + jobs.config.lease_ms);
	ck_assert_int_lt(claimed.job.lease_until_ms, fn_now_ms() + jobs.config.lease_ms);
	jobs_must_be("a", JOB_ACTIVE);
}
END_TEST

static void
must_wake(bool want)
{
	AUTO(drop_reply) redisReply *hint = redis_server_ask(jobs.server, "LPOP phx:{v}:wake");

	ck_assert_int_eq(hint->type != REDIS_REPLY_NIL, want);
}

/* All that makes a job ready leaves a hint; what no one can run does not. */
START_TEST(hints_are_left)
{
	enum job_state state;

	jobs_limit(0, 1);
	jobs_enqueue("a", "u");
	must_wake(true);
	jobs_enqueue("b", "u");
	must_wake(false);
	struct job job = jobs_claim("a");
	jobs_finish(&job, JOB_SUCCESS, 0);
	must_wake(true);
	job = jobs_claim("b");
	jobs_finish(&job, JOB_RELEASE, 0);
	must_wake(true);
	jobs_enqueue("c", "u");
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("b"), &state, &jobs.err));
	must_wake(true);
	jobs_must(job_queue_pause(jobs.queue, &jobs.call, &jobs.err));
	jobs_must(job_queue_resume(jobs.queue, &jobs.call, &jobs.err));
	must_wake(true);
	must_wake(false);
	jobs_limit(1, 1);
	must_wake(true);
	jobs_enqueue("d", "v");
	must_wake(true);
	job = jobs_claim("c");
	jobs_finish(&job, JOB_SUCCESS, 0);
	must_wake(true);
}
END_TEST

/* Hints without a job are cleared by whoever finds nothing, and are never many. */
START_TEST(hints_do_not_pile_up)
{
	for (int i = 0; i < 100; i++)
		jobs_enqueue(fn_textf(jobs.call.arena, "%d", i), "u");
	ck_assert_int_eq(redis_server_number(jobs.server, "LLEN phx:{v}:wake"), 64);
	for (int i = 0; i < 100; i++)
		jobs_claim(fn_textf(jobs.call.arena, "%d", i));
	jobs_must_rest(JOB_IDLE);
	must_wake(false);
}
END_TEST

/* A tick with no worker up makes ready what is due. */
START_TEST(tick_makes_ready)
{
	size_t ready = 0;

	jobs_enqueue("a", "u");
	struct job job = jobs_claim("a");
	jobs_finish(&job, JOB_RETRY, 1);
	jobs_pause_ms(2);
	for (int64_t end_ms = fn_now_ms() + JOBS_PATIENCE_MS; ready == 0 && fn_now_ms() < end_ms;)
		jobs_must(job_queue_sweep(jobs.queue, &jobs.call, &ready, &jobs.err));
	ck_assert_uint_eq(ready, 1);
	jobs_must_be("a", JOB_WAITING);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = failed_job_is_retried},
		{.test = delayed_job_waits},
		{.test = idle_worker_knows_when_to_ask},
		{.test = released_job_keeps_its_place},
		{.test = end_is_repeated, .rows = 7},
		{.test = forgotten_job_is_not_found},
		{.test = worker_goes_on_in_one_step},
		{.test = late_end_is_refused_and_the_next_claimed},
		{.test = ends_in_one_step_are_counted},
		{.test = note_is_kept},
		{.test = operation_outlives_its_worker},
		{.test = new_call_takes_the_place_of_the_last},
		{.test = failed_operation_is_forgotten},
		{.test = idle_worker_is_given_a_job},
		{.test = hints_are_left},
		{.test = hints_do_not_pile_up},
		{.test = tick_makes_ready},
	};

	return jobs_suite("work on jobs", cases, COUNT(cases));
}
