/* What job_queue.h promises to operators: limits, lists, and a queue that can be rebuilt. */
#include "fn/clock.h"
#include "tests/support/jobs.h"
#include "tests/support/suite.h"

#include <stdio.h>

/* ---- Limits of what runs --------------------------------------------------------------------- */

/* A user's jobs beyond the limit wait, others pass; each end, of any kind, lets one more run. */
START_TEST(user_runs_so_many_at_once)
{
	static const enum job_verdict verdicts[] = {
		JOB_SUCCESS, JOB_STOPPED, JOB_RETRY, JOB_RELEASE, JOB_FAILURE};

	jobs_limit(0, 1);
	jobs_enqueue("a", "u");
	ck_assert(!jobs_enqueue("b", "u").runnable);
	ck_assert(jobs_enqueue("c", "v").runnable);
	struct job job = jobs_claim("a");
	jobs_claim("c");
	jobs_must_rest(JOB_IDLE);
	jobs_finish(&job, verdicts[_i], JOBS_HOUR_MS);
	jobs_claim("b");
}
END_TEST

/* A user's place goes to the best of its jobs, also when that one comes last. */
START_TEST(better_job_takes_the_place)
{
	jobs_limit(0, 1);
	jobs_enqueue_as("slow", "u", JOBS_HOUR_MS, 0);
	ck_assert(jobs_enqueue_as("fast", "u", 0, 0).runnable);
	struct job fast = jobs_claim("fast");
	jobs_must_rest(JOB_IDLE);
	jobs_finish(&fast, JOB_SUCCESS, 0);
	jobs_claim("slow");
}
END_TEST

/* A canceled job makes room for the next of its user. */
START_TEST(canceled_job_gives_its_place)
{
	enum job_state state;

	jobs_limit(0, 1);
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	jobs_enqueue("c", "u");
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("a"), &state, &jobs.err));
	jobs_claim("b");
	jobs_must_rest(JOB_IDLE);
}
END_TEST

/* New limits hold for what waits already. */
START_TEST(limits_change_under_way)
{
	char id[8];

	jobs_limit(0, 2);
	for (int i = 0; i < 6; i++) {
		snprintf(id, sizeof(id), "%d", i);
		jobs_enqueue(fn_textf(jobs.call.arena, "%s", id), "u");
	}
	ck_assert_uint_eq(jobs_status().ready, 2);
	jobs_limit(0, 4);
	ck_assert_uint_eq(jobs_status().ready, 4);
	jobs_limit(0, 1);
	ck_assert_uint_eq(jobs_status().ready, 1);
	jobs_must(job_queue_set_user_limit(jobs.queue, &jobs.call, FN_BYTES("u"), 3, &jobs.err));
	ck_assert_uint_eq(jobs_status().ready, 3);
	jobs_limit(0, 5);
	ck_assert_uint_eq(jobs_status().ready, 3);
	jobs_must(job_queue_set_user_limit(jobs.queue, &jobs.call, FN_BYTES("u"), 0, &jobs.err));
	ck_assert_uint_eq(jobs_status().ready, 5);
	jobs_limit(0, 0);
	ck_assert_uint_eq(jobs_status().ready, 6);
	jobs_claim("0");
	jobs_claim("1");
	jobs_limit(0, 3);
	ck_assert_uint_eq(jobs_status().ready, 1);
}
END_TEST

/* Where more run than a lowered limit allows, nothing starts. */
START_TEST(lowered_limit_lets_nobody_in)
{
	static const char *const ids[] = {"a", "b", "c"};

	for (size_t i = 0; i < COUNT(ids); i++) {
		jobs_enqueue(ids[i], "u");
		jobs_claim(ids[i]);
	}
	jobs_limit(0, 1);
	ck_assert(!jobs_enqueue("d", "u").runnable);
	jobs_must_rest(JOB_IDLE);
}
END_TEST

/* New limits reach every user, however many jobs wait. */
START_TEST(limits_change_for_all)
{
	jobs_limit(0, 1);
	for (int i = 0; i < 1200; i++)
		jobs_enqueue(fn_textf(jobs.call.arena, "j%d", i),
			fn_textf(jobs.call.arena, "u%d", i / 2));
	ck_assert_uint_eq(jobs_status().ready, 600);
	jobs_limit(0, 2);
	ck_assert_uint_eq(jobs_status().ready, 1200);
	jobs_limit(0, 1);
	ck_assert_uint_eq(jobs_status().ready, 600);
}
END_TEST

/* No more than so many run in all; an end makes room. */
START_TEST(so_many_run_in_all)
{
	jobs_limit(2, 0);
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "v");
	jobs_enqueue("c", "w");
	struct job job = jobs_claim("a");
	jobs_claim("b");
	jobs_must_rest(JOB_FULL);
	jobs_finish(&job, JOB_SUCCESS, 0);
	jobs_claim("c");
}
END_TEST

/* No minute sees more calls begun than allowed; who has an operation needs no call. */
START_TEST(calls_are_paced)
{
	struct job_limits limits = jobs_wide;
	struct job_order paid = jobs_order("paid", "p");
	struct job_ticket ticket;

	limits.calls_per_minute = 4;
	jobs_must(job_queue_set_limits(jobs.queue, &jobs.call, &limits, &jobs.err));
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	jobs_enqueue("c", "u");
	jobs_claim("a");
	jobs_claim("b");
	struct job_claim full = jobs_claim_from(jobs.queue, &jobs.ann);
	ck_assert(full.kind == JOB_FULL && full.again_ms > 0 && full.again_ms <= 5000);
	ck_assert(full.due_ms >= full.again_ms && full.due_ms <= 30000);
	paid.score = 1;
	paid.operation = FN_BYTES("op");
	jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &paid, &ticket, &jobs.err));
	jobs_claim("paid");
	jobs_must_rest(JOB_FULL);
}
END_TEST

/* ---- Operators ------------------------------------------------------------------------------- */

/* A paused queue takes jobs and gives none, and no delay is worth waiting for. */
START_TEST(queue_is_paused)
{
	jobs_enqueue("delayed", "u");
	struct job job = jobs_claim("delayed");
	jobs_finish(&job, JOB_RETRY, JOBS_HOUR_MS);
	jobs_must(job_queue_pause(jobs.queue, &jobs.call, &jobs.err));
	jobs_enqueue("a", "u");
	ck_assert(jobs_status().paused);
	struct job_claim paused = jobs_claim_from(jobs.queue, &jobs.ann);
	ck_assert(paused.kind == JOB_PAUSED && paused.due_ms == -1);
	jobs_must(job_queue_resume(jobs.queue, &jobs.call, &jobs.err));
	ck_assert(!jobs_status().paused);
	jobs_claim("a");
}
END_TEST

/* Each list has its own jobs in its own order, page by page. */
START_TEST(jobs_are_listed)
{
	static const struct {
		enum job_state state;
		const char *ids;
	} lists[] = {
		{JOB_WAITING, "w1 w2 w3 "},
		{JOB_ACTIVE, "a1 a2 "},
		{JOB_DELAYED, "d2 d1 "},
		{JOB_DEAD, "x2 x1 "},
	};
	static const char *const ids[] = {"x1", "x2", "d1", "d2", "a1", "a2", "w1", "w2", "w3"};
	struct job held[6];

	for (size_t i = 0; i < COUNT(ids); i++)
		jobs_enqueue(ids[i], ids[i]);
	for (size_t i = 0; i < COUNT(held); i++)
		held[i] = jobs_claim(ids[i]);
	jobs_finish(&held[0], JOB_FAILURE, 0);
	jobs_finish(&held[1], JOB_FAILURE, 0);
	jobs_finish(&held[2], JOB_RETRY, 2 * JOBS_HOUR_MS);
	jobs_finish(&held[3], JOB_RETRY, JOBS_HOUR_MS);
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct fn_builder seen = {.arena = jobs.call.arena};
		const struct job_info *infos;
		size_t count, skip = 0;

		do {
			count = 2;
			jobs_must(job_queue_list(jobs.queue, &jobs.call, lists[i].state, skip,
				&infos, &count, &jobs.err));
			for (size_t k = 0; k < count; k++) {
				ck_assert_int_eq(infos[k].state, lists[i].state);
				ck_assert(fn_bytes_equal(infos[k].id, infos[k].user));
				fn_addf(&seen, "%.*s ", FN_ARG(infos[k].id));
			}
			skip += count;
		} while (count > 0);
		ck_assert_bytes_eq(fn_built(&seen), lists[i].ids);
	}
	size_t count = 1;
	const struct job_info *infos;
	jobs_must_fail(
		job_queue_list(jobs.queue, &jobs.call, JOB_SUCCEEDED, 0, &infos, &count, &jobs.err),
		FN_INVALID);
	jobs_must(job_queue_list(jobs.queue, &jobs.call, JOB_ACTIVE, 0, &infos, &count, &jobs.err));
	ck_assert_bytes_eq(infos[0].worker, jobs.ann.id);
}
END_TEST

/* Workers are seen with what they do. */
START_TEST(workers_are_listed)
{
	const struct job_worker_info *workers;
	size_t count;

	jobs_enqueue("a", "u");
	jobs_claim("a");
	jobs_claim_from(jobs.queue, &jobs.ben);
	jobs_must(job_queue_workers(jobs.queue, &jobs.call, &workers, &count, &jobs.err));
	ck_assert_uint_eq(count, 2);
	const struct job_worker_info *busy = workers[0].busy ? &workers[0] : &workers[1];
	const struct job_worker_info *idle = workers[0].busy ? &workers[1] : &workers[0];
	ck_assert_bytes_eq(busy->id, jobs.ann.id);
	ck_assert_bytes_eq(busy->job, "a");
	ck_assert_bytes_eq(idle->id, jobs.ben.id);
	ck_assert(!idle->busy && idle->job.size == 0 && idle->silent_ms >= 0);
}
END_TEST

/* The status counts what waits, runs, and has ended, and knows the limits. */
START_TEST(status_adds_up)
{
	const struct job_limits limits = {10, 2, 1000, 100, 50, 5, 4};

	jobs_must(job_queue_set_limits(jobs.queue, &jobs.call, &limits, &jobs.err));
	for (int i = 0; i < 8; i++)
		jobs_enqueue(fn_textf(jobs.call.arena, "%d", i), i < 4 ? "u" : "v");
	struct job first = jobs_claim("0"), second = jobs_claim("1");
	jobs_finish(&first, JOB_SUCCESS, 0);
	jobs_finish(&second, JOB_STOPPED, 0);
	jobs_claim("2");
	struct job_queue_status seen = jobs_status();
	ck_assert(seen.waiting == 5 && seen.ready == 3 && seen.active == 1 && seen.dead == 0);
	ck_assert(seen.enqueued == 8 && seen.claimed == 3 && seen.succeeded == 1);
	ck_assert(seen.canceled == 1 && seen.rebuilt && !seen.paused);
	ck_assert_mem_eq(&seen.limits, &limits, sizeof(limits));
}
END_TEST

static void
enqueue_reserved(const char *id, const char *user)
{
	const struct job_class class = {0, 0};
	struct job_order wanted = jobs_order(id, user);
	struct job_ticket ticket;

	jobs_must(job_queue_reserve(
		jobs.queue, &jobs.call, wanted.user, &class, &wanted.score, &jobs.err));
	jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &wanted, &ticket, &jobs.err));
}

/* The estimate follows from how fast jobs were claimed while others waited. */
START_TEST(start_is_estimated)
{
	ck_assert_int_eq(jobs_enqueue("a", "u").starts_in_ms, -1);
	enqueue_reserved("b", "u");
	jobs_enqueue("c", "u");
	jobs_enqueue("d", "u");
	jobs_claim("a");
	ck_assert_int_eq(jobs_get("b").starts_in_ms, -1);
	jobs_pause_ms(1100);
	jobs_claim("b");
	struct job_info next = jobs_get("c"), last = jobs_get("d");
	ck_assert_int_ge(next.starts_in_ms, 1100);
	ck_assert_int_ge(last.starts_in_ms, 2 * next.starts_in_ms - 1);
	ck_assert_int_ge(jobs_status().gap_ms, 1100);
	jobs_claim("c");
	jobs_claim("d");
	int64_t gap_ms = jobs_status().gap_ms;
	jobs_pause_ms(1100);
	jobs_enqueue("e", "u");
	jobs_claim("e"); /* nobody had waited */
	ck_assert_int_eq(jobs_status().gap_ms, gap_ms);
}
END_TEST

/* ---- Loss and rebuild ------------------------------------------------------------------------ */

/* A queue that has lost everything says so until it is rebuilt; then all is as it was. */
START_TEST(queue_is_rebuilt)
{
	struct job_order lost[] = {
		jobs_order("a", "u"), jobs_order("b", "v"), jobs_order("c", "u")};
	struct job_ticket ticket;
	bool mine;

	for (size_t i = 0; i < COUNT(lost); i++) {
		lost[i].class.quantum_ms = 45000;
		jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &lost[i], &ticket, &jobs.err));
		lost[i].score = ticket.score;
	}
	lost[2].operation = FN_BYTES("op");
	lost[2].fence = UINT64_C(1) << 52;
	jobs_flush();
	jobs_enqueue("new", "w");
	jobs_must_rest(JOB_REBUILD);
	jobs_must(job_queue_rebuild_begin(jobs.queue, &jobs.call, &jobs.ann, &mine, &jobs.err));
	ck_assert(mine);
	jobs_must(job_queue_rebuild_begin(jobs.queue, &jobs.call, &jobs.ben, &mine, &jobs.err));
	ck_assert(!mine);
	jobs_must_fail(
		job_queue_rebuild_end(jobs.queue, &jobs.call, &jobs.ben, &jobs_wide, &jobs.err),
		FN_PRECONDITION);
	for (size_t i = COUNT(lost); i-- > 0;)
		jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &lost[i], &ticket, &jobs.err));
	jobs_must_rest(JOB_REBUILD);
	jobs_must(job_queue_rebuild_begin(jobs.queue, &jobs.call, &jobs.ann, &mine, &jobs.err));
	ck_assert(mine);
	jobs_must(job_queue_rebuild_end(jobs.queue, &jobs.call, &jobs.ann, &jobs_wide, &jobs.err));
	jobs_claim("a");
	jobs_claim("b");
	jobs_claim("new");
	struct job job = jobs_claim("c");
	ck_assert_bytes_eq(job.operation, "op");
	ck_assert_uint_eq(job.fence, (UINT64_C(1) << 52) + 1);
	ck_assert(jobs_status().rebuilt);
	jobs_must(job_queue_rebuild_begin(jobs.queue, &jobs.call, &jobs.ben, &mine, &jobs.err));
	ck_assert(mine);
}
END_TEST

/* An entry whose job was deleted by hand is passed over, and healed by its order. */
START_TEST(ghost_is_passed_over)
{
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	AUTO(drop_reply) redisReply *reply = redis_server_ask(jobs.server, "DEL phx:{v}:j:a");
	jobs_claim("b");
	jobs_must_rest(JOB_IDLE);
	jobs_enqueue("a", "u");
	jobs_claim("a");
}
END_TEST

/* The caller's calendar has no say. */
START_TEST(calendar_of_the_caller_does_not_matter)
{
	fn_clock_pretend(INT64_C(4102444800000));
	int64_t first = jobs_enqueue("a", "u").score;
	struct job job = jobs_claim("a");
	jobs_finish(&job, JOB_RETRY, JOBS_HOUR_MS);
	fn_clock_pretend(1000);
	int64_t second = jobs_enqueue("b", "u").score;
	fn_clock_pretend(0);
	ck_assert_int_gt(second, first);
	ck_assert_int_lt(second - first, INT64_C(60000000));
	jobs_sweep();
	struct job_info info = jobs_get("a");
	ck_assert_int_eq(info.state, JOB_DELAYED);
	ck_assert_int_ge(info.seen_ms, info.enqueued_ms);
	ck_assert_int_lt(info.seen_ms, info.enqueued_ms + JOBS_HOUR_MS);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = user_runs_so_many_at_once, .rows = 5},
		{.test = better_job_takes_the_place},
		{.test = canceled_job_gives_its_place},
		{.test = limits_change_under_way},
		{.test = lowered_limit_lets_nobody_in},
		{.test = limits_change_for_all},
		{.test = so_many_run_in_all},
		{.test = calls_are_paced},
		{.test = queue_is_paused},
		{.test = jobs_are_listed},
		{.test = workers_are_listed},
		{.test = status_adds_up},
		{.test = start_is_estimated},
		{.test = queue_is_rebuilt},
		{.test = ghost_is_passed_over},
		{.test = calendar_of_the_caller_does_not_matter},
	};

	return jobs_suite("operating the job queue", cases, COUNT(cases));
}
