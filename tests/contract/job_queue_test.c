/* What job_queue.h promises, verb by verb, on a real server. */
#include "adapters/job_queue.h"
#include "fn/clock.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PATIENCE_MS 120000
#define HOUR_MS INT64_C(3600000)

static struct redis_server *server;
static struct job_queue_config config = {.ca_file = "", .lease_ms = 60000};
static struct job_queue_config brief_config = {.ca_file = "", .lease_ms = 1};
static struct job_queue *queue; /* leases of a minute */
static struct job_queue *brief; /* leases that are over at once */
static struct fn_call call;
static struct fn_error err;
static struct job_worker ann, ben;

static const struct job_limits wide = {.failures = 5, .crashes = 4};

static void
must(bool done)
{
	ck_assert_msg(done, "%s", err.message);
}

static void
must_fail(bool done, enum fn_code code)
{
	ck_assert_msg(!done && err.code == code, "%d: %s", err.code, err.message);
	err = (struct fn_error){0};
}

static void
rebuild(const struct job_limits *limits)
{
	bool mine;

	must(job_queue_rebuild_begin(queue, &call, &ann, &mine, &err));
	ck_assert(mine);
	must(job_queue_rebuild_end(queue, &call, &ann, limits, &err));
}

static void
flush(void)
{
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "FLUSHALL");
}

static void
setup(void)
{
	call = (struct fn_call){.arena = fn_arena_new()};
	err = (struct fn_error){0};
	config.url = brief_config.url = redis_server_url(server);
	must(job_queue_open(&queue, &config, &err));
	must(job_queue_open(&brief, &brief_config, &err));
	job_worker_init(&ann, "ann");
	job_worker_init(&ben, "ben");
	flush();
	rebuild(&wide);
}

static void
teardown(void)
{
	job_queue_close(queue);
	job_queue_close(brief);
	fn_arena_drop(call.arena);
}

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- Shorthands ------------------------------------------------------------------------------ */

static struct job_order
order(const char *id, const char *user)
{
	return (struct job_order){.id = fn_bytes(id),
		.user = fn_bytes(user),
		.payload = FN_BYTES("{}"),
		.fingerprint = FN_BYTES("f")};
}

static struct job_ticket
enqueue_as(const char *id, const char *user, int64_t penalty_ms, int64_t quantum_ms)
{
	struct job_order wanted = order(id, user);
	struct job_ticket ticket;

	wanted.class = (struct job_class){penalty_ms, quantum_ms};
	must(job_queue_enqueue(queue, &call, &wanted, &ticket, &err));
	return ticket;
}

static struct job_ticket
enqueue(const char *id, const char *user)
{
	return enqueue_as(id, user, 0, 0);
}

static struct job_claim
claim_from(struct job_queue *from, struct job_worker *worker)
{
	struct job_claim claim;

	must(job_queue_claim(from, &call, worker, &claim, &err));
	return claim;
}

static struct job
claim(const char *id)
{
	struct job_claim claimed = claim_from(queue, &ann);

	ck_assert_msg(claimed.kind == JOB_CLAIMED, "claim: kind %d", claimed.kind);
	ck_assert_bytes_eq(claimed.job.id, id);
	return claimed.job;
}

static void
must_rest(enum job_claim_kind kind)
{
	struct job_claim claimed = claim_from(queue, &ann);

	ck_assert_int_eq(claimed.kind, kind);
}

static enum job_state
finish(const struct job *job, enum job_verdict verdict, int64_t delay_ms)
{
	struct job_end end = {.verdict = verdict, .delay_ms = delay_ms};

	must(job_queue_finish(queue, &call, job, &end, &err));
	return end.state;
}

static struct job_info
get(const char *id)
{
	struct job_info info;

	must(job_queue_get(queue, &call, fn_bytes(id), &info, &err));
	return info;
}

static void
must_be(const char *id, enum job_state state)
{
	struct job_info info = get(id);

	ck_assert_msg(info.state == state, "%s is %s", id, job_state_name(info.state));
}

static void
sweep(void)
{
	size_t ready;

	must(job_queue_sweep(queue, &call, &ready, &err));
}

/* Sweeps until the job is no more what it was. */
static enum job_state
after(const char *id, enum job_state was)
{
	int64_t deadline_ms = fn_now_ms() + PATIENCE_MS;

	while (get(id).state == was) {
		ck_assert_msg(fn_now_ms() < deadline_ms, "%s stays %s", id, job_state_name(was));
		pause_ms(1);
		sweep();
	}
	return get(id).state;
}

/* A worker takes the job and is not seen again. */
static struct job
claim_and_vanish(const char *id)
{
	struct job_claim claimed = claim_from(brief, &ben);

	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	ck_assert_bytes_eq(claimed.job.id, id);
	after(id, JOB_ACTIVE);
	return claimed.job;
}

static struct job_queue_status
status(void)
{
	struct job_queue_status seen;

	must(job_queue_status(queue, &call, &seen, &err));
	return seen;
}

/* ---- Enqueue --------------------------------------------------------------------------------- */

/* What goes in comes out, once, and what was finished is told from what never was. */
START_TEST(job_goes_through)
{
	struct job_order wanted = order("a", "u");
	struct job_ticket ticket;

	wanted.payload = FN_BYTES("{\"prompt\":\"\xc3\xa4\"}\r\n\0x");
	must(job_queue_enqueue(queue, &call, &wanted, &ticket, &err));
	ck_assert(!ticket.existed && ticket.runnable && ticket.state == JOB_WAITING);
	struct job job = claim("a");
	ck_assert_bytes_eq(job.user, "u");
	ck_assert(fn_bytes_equal(job.payload, wanted.payload));
	ck_assert(job.attempt == 1 && job.failures == 0 && job.crashes == 0);
	ck_assert(job.operation.size == 0 && job.call_age_ms == -1 && !job.cancel_wanted);
	ck_assert_int_gt(job.lease_until_ms, fn_now_ms());
	must_be("a", JOB_ACTIVE);
	must_rest(JOB_IDLE);
	ck_assert_int_eq(finish(&job, JOB_SUCCESS, 0), JOB_SUCCEEDED);
	must_be("a", JOB_SUCCEEDED);
	must_be("b", JOB_UNKNOWN);
	must_rest(JOB_IDLE);
}
END_TEST

/* An order that comes again changes nothing, whatever has become of its job. */
START_TEST(order_is_taken_once)
{
	struct job_ticket first = enqueue("a", "u"), again = enqueue("a", "u");

	ck_assert(again.existed && again.state == JOB_WAITING && again.runnable);
	ck_assert(again.score == first.score && again.position == 1 && again.of == 1);
	struct job job = claim("a");
	again = enqueue("a", "u");
	ck_assert(again.existed && again.state == JOB_ACTIVE && again.position == 0);
	ck_assert(!again.runnable);
	finish(&job, JOB_SUCCESS, 0);
	ck_assert_int_eq(enqueue("a", "u").state, JOB_SUCCEEDED);
	must_rest(JOB_IDLE);
	ck_assert_uint_eq(status().enqueued, 1);
}
END_TEST

/* The id of one order is no other order's. */
START_TEST(other_order_is_refused)
{
	struct job_order other = order("a", "u");
	struct job_ticket ticket;

	enqueue("a", "u");
	other.fingerprint = FN_BYTES("g");
	must_fail(job_queue_enqueue(queue, &call, &other, &ticket, &err), FN_UNPROCESSABLE);
}
END_TEST

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

static const struct {
	struct fn_bytes id, user, fingerprint;
	size_t payload;
	enum fn_code code;
} orders[] = {
	{FN_BYTES_INIT(X64), FN_BYTES_INIT(X64), FN_BYTES_INIT(X64), JOB_PAYLOAD_MOST, FN_OK},
	{FN_BYTES_INIT("!"), FN_BYTES_INIT("~"), FN_BYTES_INIT(""), 0, FN_OK},
	{FN_BYTES_INIT(""), FN_BYTES_INIT("u"), FN_BYTES_INIT("f"), 2, FN_INVALID},
	{FN_BYTES_INIT(X64 "x"), FN_BYTES_INIT("u"), FN_BYTES_INIT("f"), 2, FN_INVALID},
	{FN_BYTES_INIT("a b"), FN_BYTES_INIT("u"), FN_BYTES_INIT("f"), 2, FN_INVALID},
	{FN_BYTES_INIT("a"), FN_BYTES_INIT(""), FN_BYTES_INIT("f"), 2, FN_INVALID},
	{FN_BYTES_INIT("a"), FN_BYTES_INIT("u\n"), FN_BYTES_INIT("f"), 2, FN_INVALID},
	{FN_BYTES_INIT("a"), FN_BYTES_INIT("\xc3\xa4"), FN_BYTES_INIT("f"), 2, FN_INVALID},
	{FN_BYTES_INIT("a"), FN_BYTES_INIT("u"), FN_BYTES_INIT(X64 "x"), 2, FN_INVALID},
	{FN_BYTES_INIT("a"), FN_BYTES_INIT("u"), FN_BYTES_INIT("f"), JOB_PAYLOAD_MOST + 1,
		FN_INVALID},
};

/* Orders are as large as the port says, and no larger. */
START_TEST(order_is_checked)
{
	struct job_order wanted = {
		.id = orders[_i].id,
		.user = orders[_i].user,
		.fingerprint = orders[_i].fingerprint,
		.payload = {fn_arena_zero(call.arena, orders[_i].payload + 1), orders[_i].payload},
	};
	struct job_ticket ticket;
	bool done = job_queue_enqueue(queue, &call, &wanted, &ticket, &err);

	ck_assert_msg(done == (orders[_i].code == FN_OK) && err.code == orders[_i].code, "%s",
		err.message);
}
END_TEST

/* The queue is bounded, in all and for each user; what was accepted before is always let in. */
START_TEST(queue_is_bounded)
{
	struct job_order wanted;
	struct job_ticket ticket;

	must(job_queue_set_limits(queue, &call,
		&(struct job_limits){
			.waiting = 3, .waiting_per_user = 2, .failures = 1, .crashes = 1},
		&err));
	enqueue("a", "u");
	enqueue("b", "u");
	wanted = order("c", "u");
	must_fail(job_queue_enqueue(queue, &call, &wanted, &ticket, &err), FN_RATE_LIMITED);
	enqueue("d", "v");
	wanted = order("e", "v");
	must_fail(job_queue_enqueue(queue, &call, &wanted, &ticket, &err), FN_BUSY);
	must_be("c", JOB_UNKNOWN);
	wanted.score = 1;
	must(job_queue_enqueue(queue, &call, &wanted, &ticket, &err));
	ck_assert(ticket.score == 1 && ticket.position == 1 && ticket.of == 4);
}
END_TEST

/* ---- Order ----------------------------------------------------------------------------------- */

/* Equal jobs of different users are served as they came, and each knows its place. */
START_TEST(first_come_is_first_served)
{
	static const char *const ids[] = {"e", "b", "d", "a", "c"};

	for (size_t i = 0; i < COUNT(ids); i++) {
		struct job_ticket ticket = enqueue(ids[i], ids[i]);
		ck_assert(ticket.position == i + 1 && ticket.of == i + 1);
	}
	for (size_t i = 0; i < COUNT(ids); i++) {
		for (size_t k = i; k < COUNT(ids); k++)
			ck_assert_uint_eq(get(ids[k]).position, k - i + 1);
		claim(ids[i]);
		ck_assert_uint_eq(get(ids[i]).position, 0);
	}
}
END_TEST

/* The server's clock goes on, and nothing is enqueued before this moment any more. */
static void
let_pass(int64_t moment)
{
	AUTO(drop_reply)
	redisReply *reply = redis_server_ask(server, "HSET phx:{v}:n tick %ld", (long)moment);
}

/* A class without penalty passes one with; once its moment has come, nothing new does. */
START_TEST(priority_never_starves)
{
	struct job_ticket early = enqueue_as("soon", "u", HOUR_MS, 0);

	enqueue_as("late", "v", 3 * HOUR_MS, 0);
	enqueue_as("paid", "w", 0, 0);
	ck_assert_uint_eq(get("paid").position, 1);
	let_pass(early.score);
	enqueue_as("new", "x", 0, 0);
	claim("paid");
	claim("soon");
	claim("new");
	claim("late");
}
END_TEST

/* Who has asked for much waits for it; others pass after the first of it. */
START_TEST(hog_costs_others_one_place)
{
	static const char *const ids[] = {"h1", "h2", "h3", "h4", "h5"};
	int64_t first = 0;

	for (size_t i = 0; i < COUNT(ids); i++) {
		int64_t score = enqueue_as(ids[i], "hog", 0, 45000).score;
		first = i == 0 ? score : first;
		ck_assert_int_eq(score, first + (int64_t)i * 45000000);
	}
	ck_assert_uint_eq(enqueue_as("mine", "me", 0, 45000).position, 2);
	claim("h1");
	claim("mine");
	claim("h2");
}
END_TEST

/* A place that was reserved is kept for who comes with its score, whoever comes in between; and it
 * is one of the user's turns. */
START_TEST(place_is_reserved)
{
	const struct job_class class = {1000, 45000};
	struct job_order wanted = order("a", "u");
	struct job_ticket ticket;
	int64_t next;

	must(job_queue_reserve(queue, &call, wanted.user, &class, &wanted.score, &err));
	must(job_queue_reserve(queue, &call, wanted.user, &class, &next, &err));
	ck_assert_int_eq(next, wanted.score + 45000000);
	ck_assert_uint_eq(status().waiting, 0);
	ck_assert_int_gt(enqueue_as("b", "v", 1000, 0).score, wanted.score);
	must(job_queue_enqueue(queue, &call, &wanted, &ticket, &err));
	ck_assert(ticket.score == wanted.score && ticket.position == 1);
	claim("a");
	claim("b");
}
END_TEST

/* Where no more may wait, no place is reserved; who has one is let in. */
START_TEST(reserved_places_are_bounded)
{
	const struct job_class class = {0, 0};
	struct job_order wanted = order("c", "u");
	struct job_ticket ticket;
	int64_t score = -7;

	must(job_queue_set_limits(queue, &call,
		&(struct job_limits){
			.waiting = 3, .waiting_per_user = 2, .failures = 1, .crashes = 1},
		&err));
	must(job_queue_reserve(queue, &call, wanted.user, &class, &wanted.score, &err));
	enqueue("a", "u");
	enqueue("b", "u");
	must_fail(job_queue_reserve(queue, &call, FN_BYTES("u"), &class, &score, &err),
		FN_RATE_LIMITED);
	enqueue("d", "v");
	must_fail(job_queue_reserve(queue, &call, FN_BYTES("v"), &class, &score, &err), FN_BUSY);
	must_fail(job_queue_reserve(queue, &call, FN_BYTES(""), &class, &score, &err), FN_INVALID);
	ck_assert_int_eq(score, -7);
	must(job_queue_enqueue(queue, &call, &wanted, &ticket, &err));
	ck_assert_uint_eq(ticket.of, 4);
}
END_TEST

/* To cancel gives no turn back: the next job still waits its share. */
START_TEST(cancel_gains_nothing)
{
	int64_t first = enqueue_as("a", "u", 0, HOUR_MS).score;
	enum job_state state;

	must(job_queue_cancel(queue, &call, FN_BYTES("a"), &state, &err));
	ck_assert_int_eq(enqueue_as("b", "u", 0, HOUR_MS).score, first + HOUR_MS * 1000);
}
END_TEST

/* ---- Limits of what runs --------------------------------------------------------------------- */

static void
limit(long running, long running_per_user)
{
	struct job_limits limits = wide;

	limits.running = running;
	limits.running_per_user = running_per_user;
	must(job_queue_set_limits(queue, &call, &limits, &err));
}

/* A user's jobs beyond the limit wait, others pass; each end, of any kind, lets one more run. */
START_TEST(user_runs_so_many_at_once)
{
	static const enum job_verdict verdicts[] = {
		JOB_SUCCESS, JOB_STOPPED, JOB_RETRY, JOB_RELEASE, JOB_FAILURE};

	limit(0, 1);
	enqueue("a", "u");
	ck_assert(!enqueue("b", "u").runnable);
	ck_assert(enqueue("c", "v").runnable);
	struct job job = claim("a");
	claim("c");
	must_rest(JOB_IDLE);
	finish(&job, verdicts[_i], HOUR_MS);
	claim("b");
}
END_TEST

/* A user's place goes to the best of its jobs, also when that one comes last. */
START_TEST(better_job_takes_the_place)
{
	limit(0, 1);
	enqueue_as("slow", "u", HOUR_MS, 0);
	ck_assert(enqueue_as("fast", "u", 0, 0).runnable);
	struct job fast = claim("fast");
	must_rest(JOB_IDLE);
	finish(&fast, JOB_SUCCESS, 0);
	claim("slow");
}
END_TEST

/* A canceled job makes room for the next of its user. */
START_TEST(canceled_job_gives_its_place)
{
	enum job_state state;

	limit(0, 1);
	enqueue("a", "u");
	enqueue("b", "u");
	enqueue("c", "u");
	must(job_queue_cancel(queue, &call, FN_BYTES("a"), &state, &err));
	claim("b");
	must_rest(JOB_IDLE);
}
END_TEST

/* New limits hold for what waits already. */
START_TEST(limits_change_under_way)
{
	char id[8];

	limit(0, 2);
	for (int i = 0; i < 6; i++) {
		snprintf(id, sizeof(id), "%d", i);
		enqueue(fn_textf(call.arena, "%s", id), "u");
	}
	ck_assert_uint_eq(status().ready, 2);
	limit(0, 4);
	ck_assert_uint_eq(status().ready, 4);
	limit(0, 1);
	ck_assert_uint_eq(status().ready, 1);
	must(job_queue_set_user_limit(queue, &call, FN_BYTES("u"), 3, &err));
	ck_assert_uint_eq(status().ready, 3);
	limit(0, 5);
	ck_assert_uint_eq(status().ready, 3);
	must(job_queue_set_user_limit(queue, &call, FN_BYTES("u"), 0, &err));
	ck_assert_uint_eq(status().ready, 5);
	limit(0, 0);
	ck_assert_uint_eq(status().ready, 6);
	claim("0");
	claim("1");
	limit(0, 3);
	ck_assert_uint_eq(status().ready, 1);
}
END_TEST

/* Where more run than a lowered limit allows, nothing starts. */
START_TEST(lowered_limit_lets_nobody_in)
{
	static const char *const ids[] = {"a", "b", "c"};

	for (size_t i = 0; i < COUNT(ids); i++) {
		enqueue(ids[i], "u");
		claim(ids[i]);
	}
	limit(0, 1);
	ck_assert(!enqueue("d", "u").runnable);
	must_rest(JOB_IDLE);
}
END_TEST

/* New limits reach every user, however many jobs wait. */
START_TEST(limits_change_for_all)
{
	limit(0, 1);
	for (int i = 0; i < 1200; i++)
		enqueue(fn_textf(call.arena, "j%d", i), fn_textf(call.arena, "u%d", i / 2));
	ck_assert_uint_eq(status().ready, 600);
	limit(0, 2);
	ck_assert_uint_eq(status().ready, 1200);
	limit(0, 1);
	ck_assert_uint_eq(status().ready, 600);
}
END_TEST

/* No more than so many run in all; an end makes room. */
START_TEST(so_many_run_in_all)
{
	limit(2, 0);
	enqueue("a", "u");
	enqueue("b", "v");
	enqueue("c", "w");
	struct job job = claim("a");
	claim("b");
	must_rest(JOB_FULL);
	finish(&job, JOB_SUCCESS, 0);
	claim("c");
}
END_TEST

/* No minute sees more calls begun than allowed; who has an operation needs no call. */
START_TEST(calls_are_paced)
{
	struct job_limits limits = wide;
	struct job_order paid = order("paid", "p");
	struct job_ticket ticket;

	limits.calls_per_minute = 4;
	must(job_queue_set_limits(queue, &call, &limits, &err));
	enqueue("a", "u");
	enqueue("b", "u");
	enqueue("c", "u");
	claim("a");
	claim("b");
	struct job_claim full = claim_from(queue, &ann);
	ck_assert(full.kind == JOB_FULL && full.again_ms > 0 && full.again_ms <= 5000);
	paid.score = 1;
	paid.operation = FN_BYTES("op");
	must(job_queue_enqueue(queue, &call, &paid, &ticket, &err));
	claim("paid");
	must_rest(JOB_FULL);
}
END_TEST

/* ---- Leases ---------------------------------------------------------------------------------- */

/* A worker that dies loses its job to the next one; the crash is not the job's failure. */
START_TEST(lapsed_job_is_claimed_again)
{
	enqueue("a", "u");
	struct job first = claim_and_vanish("a");
	struct job second = claim("a");

	ck_assert(second.attempt == 2 && second.crashes == 1 && second.failures == 0);
	ck_assert_uint_gt(second.fence, first.fence);
	ck_assert(!fn_bytes_equal(second.token, first.token));
}
END_TEST

/* Who has lost its lease changes nothing any more, but what was paid for is kept. */
START_TEST(lapsed_worker_is_fenced)
{
	struct job_end end = {.verdict = JOB_SUCCESS};

	enqueue("a", "u");
	struct job first = claim_and_vanish("a");
	struct job second = claim("a");
	struct job_renewal renewal = {.job = &first, .progress = 50};
	must(job_queue_renew(queue, &call, &renewal, 1, &err));
	ck_assert_int_eq(renewal.hold, JOB_TAKEN);
	must_fail(job_queue_finish(queue, &call, &first, &end, &err), FN_PRECONDITION);
	must_fail(
		job_queue_set_operation(queue, &call, &first, FN_BYTES(""), &err), FN_PRECONDITION);
	must(job_queue_set_operation(queue, &call, &first, FN_BYTES("op-1"), &err));
	ck_assert_bytes_eq(get("a").operation, "op-1");
	must(job_queue_set_operation(queue, &call, &second, FN_BYTES("op-2"), &err));
	must_fail(job_queue_set_operation(queue, &call, &first, FN_BYTES("op-1"), &err),
		FN_PRECONDITION);
	ck_assert_int_eq(finish(&second, JOB_SUCCESS, 0), JOB_SUCCEEDED);
}
END_TEST

/* A job that nobody took meanwhile is taken back; the next worker finds nothing. */
START_TEST(lapsed_job_is_taken_back)
{
	enqueue("a", "u");
	struct job job = claim_and_vanish("a");
	struct job_renewal renewal = {.job = &job, .progress = 7};

	must_be("a", JOB_WAITING);
	must(job_queue_renew(queue, &call, &renewal, 1, &err));
	ck_assert_int_eq(renewal.hold, JOB_HELD);
	must_rest(JOB_IDLE);
	ck_assert_int_eq(get("a").progress, 7);
	ck_assert_int_eq(finish(&job, JOB_SUCCESS, 0), JOB_SUCCEEDED);
}
END_TEST

/* It is not where its user runs as many as may by then, or all places are taken. */
START_TEST(lapsed_job_waits_for_a_place)
{
	limit(_i == 0 ? 1 : 0, _i == 1 ? 1 : 0);
	enqueue_as("a", "u", HOUR_MS, 0);
	struct job job = claim_and_vanish("a");
	struct job_renewal renewal = {.job = &job, .progress = -1};

	enqueue("b", "u");
	claim("b");
	must(job_queue_renew(queue, &call, &renewal, 1, &err));
	ck_assert_int_eq(renewal.hold, JOB_TAKEN);
	must_be("a", JOB_WAITING);
}
END_TEST

/* What was given back is not taken back. */
START_TEST(released_job_is_not_taken_back)
{
	enqueue("a", "u");
	struct job job = claim("a");
	struct job_renewal renewal = {.job = &job, .progress = -1};

	ck_assert_int_eq(finish(&job, JOB_RELEASE, 0), JOB_WAITING);
	must(job_queue_renew(queue, &call, &renewal, 1, &err));
	ck_assert_int_eq(renewal.hold, JOB_TAKEN);
	claim("a");
}
END_TEST

/* One round trip renews many leases and says of each how it stands. */
START_TEST(leases_are_renewed_together)
{
	struct job jobs[100];
	struct job_renewal renewals[COUNT(jobs)];
	enum job_state state;

	for (size_t i = 0; i < COUNT(jobs); i++) {
		char *id = fn_textf(call.arena, "j%zu", i);
		enqueue(id, "u");
		struct job_claim claimed = claim_from(queue, &ann);
		jobs[i] = claimed.job;
		jobs[i].lease_until_ms = 0;
		renewals[i] = (struct job_renewal){.job = &jobs[i], .progress = (int)i};
	}
	int64_t end_ms = get("j99").at_ms;
	must(job_queue_cancel(queue, &call, FN_BYTES("j70"), &state, &err));
	ck_assert_int_eq(state, JOB_ACTIVE);
	AUTO(drop_reply) redisReply *gone = redis_server_ask(server, "DEL phx:{v}:j:j80");
	pause_ms(2);
	must(job_queue_renew(queue, &call, renewals, COUNT(jobs), &err));
	for (size_t i = 0; i < COUNT(jobs); i++) {
		enum job_hold want = i == 70   ? JOB_CANCEL_WANTED
				     : i == 80 ? JOB_FORGOTTEN
					       : JOB_HELD;
		ck_assert_int_eq(renewals[i].hold, want);
		ck_assert_int_eq(jobs[i].lease_until_ms > fn_now_ms(), i != 80);
	}
	ck_assert_int_gt(get("j99").at_ms, end_ms);
	ck_assert_int_eq(get("j99").progress, 99);
	ck_assert(get("j70").cancel_wanted);
}
END_TEST

/* A job that costs one worker after the other its life ends as a dead letter. */
START_TEST(poison_is_buried)
{
	enqueue("a", "u");
	for (int i = 1; i <= 4; i++) {
		ck_assert_uint_eq(get("a").crashes, i - 1);
		claim_and_vanish("a");
	}
	must_be("a", JOB_DEAD);
	must_rest(JOB_IDLE);
	ck_assert(status().crashed == 4 && status().buried == 1);
}
END_TEST

/* A canceled job whose worker is gone is canceled. */
START_TEST(lapsed_and_canceled_job_ends)
{
	enum job_state state;

	enqueue("a", "u");
	struct job_claim claimed = claim_from(brief, &ben);
	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	must(job_queue_cancel(queue, &call, FN_BYTES("a"), &state, &err));
	ck_assert_int_eq(after("a", JOB_ACTIVE), JOB_CANCELED);
	must_rest(JOB_IDLE);
}
END_TEST

/* ---- Claims that are repeated ---------------------------------------------------------------- */

/* A claim whose reply was lost gives the same job again, with all that is known of it. */
START_TEST(claim_is_repeated)
{
	enqueue("a", "u");
	enqueue("b", "u");
	struct job_worker before = ann;
	struct job first = claim("a");
	ann = before;
	struct job again = claim("a");
	ck_assert(first.fence == again.fence && again.attempt == 1);
	ck_assert(fn_bytes_equal(first.token, again.token));
	claim("b");
}
END_TEST

/* One that comes late, when its worker is further on, takes nothing. */
START_TEST(late_claim_takes_nothing)
{
	enqueue("a", "u");
	enqueue("b", "u");
	struct job_worker before = ann;
	struct job job = claim("a");
	finish(&job, JOB_SUCCESS, 0);
	must_rest(JOB_CLAIMED);
	enqueue("c", "u");
	ann = before;
	must_rest(JOB_IDLE);
	ck_assert_uint_eq(status().waiting, 1);
}
END_TEST

/* A repeated claim of a job that is finished meanwhile takes the next one. */
START_TEST(finished_job_is_not_claimed_again)
{
	enqueue("a", "u");
	enqueue("b", "u");
	struct job_worker before = ann;
	struct job job = claim("a");
	finish(&job, JOB_SUCCESS, 0);
	ann = before;
	claim("b");
}
END_TEST

/* ---- Ends ------------------------------------------------------------------------------------ */

/* A failed job comes again after its delay, so many times, and then rests. */
START_TEST(failed_job_is_retried)
{
	struct job_limits limits = wide;

	limits.failures = 3;
	must(job_queue_set_limits(queue, &call, &limits, &err));
	int64_t score = enqueue("a", "u").score;
	for (unsigned failures = 0; failures < 3; failures++) {
		struct job job = claim("a");
		ck_assert(job.attempt == failures + 1 && job.failures == failures);
		ck_assert(job.crashes == 0);
		ck_assert_int_eq(job.last_failure, failures == 2);
		enum job_state state = finish(&job, JOB_RETRY, 1);
		ck_assert_int_eq(state, failures == 2 ? JOB_DEAD : JOB_DELAYED);
		if (state == JOB_DELAYED)
			ck_assert_int_eq(after("a", JOB_DELAYED), JOB_WAITING);
		ck_assert_int_eq(get("a").score, score);
	}
	must_rest(JOB_IDLE);
	ck_assert(status().failed == 3 && status().buried == 1 && status().dead == 1);
}
END_TEST

/* A delayed job is not claimed before its time, and says when that is. */
START_TEST(delayed_job_waits)
{
	enqueue("a", "u");
	struct job job = claim("a");
	finish(&job, JOB_RETRY, HOUR_MS);
	struct job_info info = get("a");
	ck_assert(info.state == JOB_DELAYED && info.position == 0);
	ck_assert_int_gt(info.at_ms, info.enqueued_ms + HOUR_MS - 1);
	struct job_claim idle = claim_from(queue, &ann);
	ck_assert(idle.kind == JOB_IDLE && idle.again_ms == 5000);
}
END_TEST

/* An idle worker is told when something will be due. */
START_TEST(idle_worker_knows_when_to_ask)
{
	enqueue("a", "u");
	struct job job = claim("a");
	finish(&job, JOB_RETRY, 4900);
	struct job_claim idle = claim_from(queue, &ann);
	ck_assert(idle.kind == JOB_IDLE && idle.again_ms <= 4900);
}
END_TEST

/* A job that is given back keeps its place and its failures. */
START_TEST(released_job_keeps_its_place)
{
	enqueue("a", "u");
	enqueue("b", "v");
	struct job job = claim("a");
	ck_assert_int_eq(finish(&job, JOB_RELEASE, 0), JOB_WAITING);
	ck_assert_uint_eq(get("a").position, 1);
	job = claim("a");
	ck_assert(job.failures == 0 && job.crashes == 0 && job.attempt == 2);
	ck_assert_int_eq(finish(&job, JOB_RELEASE, 1), JOB_DELAYED);
	ck_assert_int_eq(after("a", JOB_DELAYED), JOB_WAITING);
	ck_assert_uint_eq(get("a").position, 1);
	ck_assert_uint_eq(status().released, 2);
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
		{JOB_RETRY, HOUR_MS, JOB_DELAYED},
		{JOB_RETRY, 0, JOB_WAITING},
		{JOB_RELEASE, HOUR_MS, JOB_DELAYED},
		{JOB_RELEASE, 0, JOB_WAITING},
		{JOB_FAILURE, 0, JOB_DEAD},
	};

	enqueue("a", "u");
	struct job job = claim("a");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(finish(&job, ends[_i].verdict, ends[_i].delay_ms), ends[_i].state);
	struct job_info info = get("a");
	ck_assert_uint_eq(info.failures, ends[_i].verdict == JOB_RETRY);
	struct job_queue_status seen = status();
	ck_assert_uint_eq(
		seen.succeeded + seen.canceled + seen.failed + seen.released + seen.buried, 1);
	ck_assert_uint_eq(seen.active, 0);
}
END_TEST

/* What nobody knows is told from what is another's. */
START_TEST(forgotten_job_is_not_found)
{
	struct job_end end = {.verdict = JOB_SUCCESS};

	enqueue("a", "u");
	struct job job = claim("a");
	flush();
	must_fail(job_queue_finish(queue, &call, &job, &end, &err), FN_NOT_FOUND);
	must_fail(job_queue_set_operation(queue, &call, &job, FN_BYTES(""), &err), FN_NOT_FOUND);
	must_fail(job_queue_set_operation(queue, &call, &job, FN_BYTES("op"), &err), FN_NOT_FOUND);
}
END_TEST

/* The end of one job and the claim of the next are one step. */
START_TEST(worker_goes_on_in_one_step)
{
	struct job_end end = {.verdict = JOB_SUCCESS};
	struct job_claim next;

	limit(1, 1);
	enqueue("a", "u");
	enqueue("b", "u");
	struct job job = claim("a");
	must(job_queue_finish_and_claim(queue, &call, &job, &end, &ann, &next, &err));
	ck_assert(end.state == JOB_SUCCEEDED && next.was_ours && next.kind == JOB_CLAIMED);
	ck_assert_bytes_eq(next.job.id, "b");
	ck_assert_int_gt(next.job.lease_until_ms, fn_now_ms());
	job = next.job;
	must(job_queue_finish_and_claim(queue, &call, &job, &end, &ann, &next, &err));
	ck_assert(next.was_ours && next.kind == JOB_IDLE);
}
END_TEST

/* An end that comes too late is refused, and the next job is given all the same. */
START_TEST(late_end_is_refused_and_the_next_claimed)
{
	struct job_end end = {.verdict = JOB_SUCCESS};
	struct job_claim next;

	enqueue("a", "u");
	enqueue("b", "u");
	struct job job = claim_and_vanish("a");
	claim("a");
	must(job_queue_finish_and_claim(queue, &call, &job, &end, &ben, &next, &err));
	ck_assert(!next.was_ours && next.kind == JOB_CLAIMED);
	ck_assert_bytes_eq(next.job.id, "b");
	must_be("a", JOB_ACTIVE);
}
END_TEST

/* All that ends is counted, also what is swept in the same step, or ended with a late claim. */
START_TEST(ends_in_one_step_are_counted)
{
	struct job_end end = {.verdict = JOB_STOPPED};
	struct job_worker late = ann;
	enum job_state state;
	struct job_claim next;

	enqueue("a", "u");
	enqueue("b", "u");
	enqueue("c", "u");
	struct job first = claim("a"), second = claim("b");
	ck_assert_int_eq(claim_from(brief, &ben).kind, JOB_CLAIMED);
	must(job_queue_cancel(queue, &call, FN_BYTES("c"), &state, &err));
	pause_ms(5);
	enqueue("d", "u");
	must(job_queue_finish_and_claim(queue, &call, &first, &end, &ann, &next, &err));
	ck_assert_int_eq(next.kind, JOB_CLAIMED);
	ck_assert_uint_eq(status().canceled, 2);
	must(job_queue_finish_and_claim(queue, &call, &second, &end, &late, &next, &err));
	ck_assert(next.kind == JOB_IDLE && next.was_ours);
	ck_assert_uint_eq(status().canceled, 3);
}
END_TEST

/* A note is kept for the operator, of a sensible length. */
START_TEST(note_is_kept)
{
	struct job_end end = {
		.verdict = JOB_FAILURE, .note = {fn_arena_zero(call.arena, 5000), 5000}};

	enqueue("a", "u");
	struct job job = claim("a");
	must(job_queue_finish(queue, &call, &job, &end, &err));
	ck_assert_uint_eq(get("a").note.size, 1024);
}
END_TEST

/* ---- Operations ------------------------------------------------------------------------------ */

/* What a dead worker had begun is told to the next: the name, or that a call is in the air. */
START_TEST(operation_outlives_its_worker)
{
	enqueue("a", "u");
	struct job_claim claimed = claim_from(brief, &ben);
	must(job_queue_set_operation(queue, &call, &claimed.job, FN_BYTES(""), &err));
	after("a", JOB_ACTIVE);
	struct job job = claim("a");
	ck_assert(job.operation.size == 0 && job.call_age_ms >= 0);
	must(job_queue_set_operation(queue, &call, &job, FN_BYTES("op"), &err));
	finish(&job, JOB_RETRY, 0);
	job = claim("a");
	ck_assert_bytes_eq(job.operation, "op");
	ck_assert_int_eq(job.call_age_ms, -1);
}
END_TEST

/* Whoever takes over from a worker that died in a call is not told of the one before, which has
 * failed. */
START_TEST(new_call_takes_the_place_of_the_last)
{
	enqueue("a", "u");
	struct job_claim claimed = claim_from(brief, &ben);
	must(job_queue_set_operation(queue, &call, &claimed.job, FN_BYTES(""), &err));
	must(job_queue_set_operation(queue, &call, &claimed.job, FN_BYTES("op"), &err));
	must(job_queue_set_operation(queue, &call, &claimed.job, FN_BYTES(""), &err));
	after("a", JOB_ACTIVE);
	struct job job = claim("a");
	ck_assert(job.operation.size == 0 && job.call_age_ms >= 0);
}
END_TEST

/* An operation that failed is forgotten where the worker says so. */
START_TEST(failed_operation_is_forgotten)
{
	struct job_end end = {.verdict = JOB_RETRY, .fresh = true};

	enqueue("a", "u");
	struct job job = claim("a");
	must(job_queue_set_operation(queue, &call, &job, FN_BYTES(""), &err));
	must(job_queue_set_operation(queue, &call, &job, FN_BYTES("op"), &err));
	must(job_queue_finish(queue, &call, &job, &end, &err));
	job = claim("a");
	ck_assert(job.operation.size == 0 && job.call_age_ms == -1);
}
END_TEST

/* ---- Cancel, replay, drop -------------------------------------------------------------------- */

/* To cancel ends what has not begun, asks what runs, and leaves the rest. */
START_TEST(job_is_canceled)
{
	enum job_state state;

	enqueue("waits", "u");
	must(job_queue_cancel(queue, &call, FN_BYTES("waits"), &state, &err));
	ck_assert_int_eq(state, JOB_CANCELED);
	must_rest(JOB_IDLE);
	enqueue("a", "u");
	struct job job = claim("a");
	must(job_queue_cancel(queue, &call, FN_BYTES("a"), &state, &err));
	ck_assert_int_eq(state, JOB_ACTIVE);
	finish(&job, JOB_RETRY, 0);
	job = claim("a");
	ck_assert(job.cancel_wanted);
	finish(&job, JOB_RETRY, HOUR_MS);
	must(job_queue_cancel(queue, &call, FN_BYTES("a"), &state, &err));
	ck_assert_int_eq(state, JOB_CANCELED);
	ck_assert(status().delayed == 0 && status().canceled == 2);
	must(job_queue_cancel(queue, &call, FN_BYTES("a"), &state, &err));
	ck_assert_int_eq(state, JOB_CANCELED);
	must(job_queue_cancel(queue, &call, FN_BYTES("nobody"), &state, &err));
	ck_assert_int_eq(state, JOB_UNKNOWN);
	enqueue("b", "u");
	job = claim("b");
	finish(&job, JOB_FAILURE, 0);
	must(job_queue_cancel(queue, &call, FN_BYTES("b"), &state, &err));
	ck_assert_int_eq(state, JOB_DEAD);
	ck_assert_uint_eq(status().canceled, 2);
}
END_TEST

/* A dead letter begins anew when it is replayed, with the operation that was paid for. */
START_TEST(dead_letter_is_replayed)
{
	struct job_end end = {.verdict = JOB_FAILURE, .note = FN_BYTES("why")};
	const struct job_class class = {.penalty_ms = HOUR_MS};
	struct job_ticket ticket;

	int64_t score = enqueue("a", "u").score;
	struct job job = claim("a");
	finish(&job, JOB_RETRY, 0);
	job = claim("a");
	must(job_queue_set_operation(queue, &call, &job, FN_BYTES("op"), &err));
	must(job_queue_finish(queue, &call, &job, &end, &err));
	ck_assert_bytes_eq(get("a").note, "why");
	must(job_queue_replay(queue, &call, FN_BYTES("a"), &class, &ticket, &err));
	ck_assert(ticket.state == JOB_WAITING && ticket.position == 1 && ticket.runnable);
	ck_assert_int_gt(ticket.score, score + HOUR_MS * 1000);
	must_fail(job_queue_replay(queue, &call, FN_BYTES("a"), &class, &ticket, &err),
		FN_PRECONDITION);
	uint64_t fence = job.fence;
	job = claim("a");
	ck_assert(job.attempt == 1 && job.failures == 0 && job.fence > fence);
	ck_assert_bytes_eq(job.operation, "op");
	ck_assert_uint_eq(status().dead, 0);
}
END_TEST

/* A dropped letter is gone; nothing else can be dropped. */
START_TEST(dead_letter_is_dropped)
{
	enqueue("a", "u");
	must_fail(job_queue_drop(queue, &call, FN_BYTES("a"), &err), FN_PRECONDITION);
	struct job job = claim("a");
	finish(&job, JOB_FAILURE, 0);
	must(job_queue_drop(queue, &call, FN_BYTES("a"), &err));
	must_be("a", JOB_UNKNOWN);
	must_fail(job_queue_drop(queue, &call, FN_BYTES("a"), &err), FN_PRECONDITION);
}
END_TEST

/* ---- Operators ------------------------------------------------------------------------------- */

/* A paused queue takes jobs and gives none. */
START_TEST(queue_is_paused)
{
	must(job_queue_pause(queue, &call, &err));
	enqueue("a", "u");
	ck_assert(status().paused);
	must_rest(JOB_PAUSED);
	must(job_queue_resume(queue, &call, &err));
	ck_assert(!status().paused);
	claim("a");
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
	struct job jobs[6];

	for (size_t i = 0; i < COUNT(ids); i++)
		enqueue(ids[i], ids[i]);
	for (size_t i = 0; i < COUNT(jobs); i++)
		jobs[i] = claim(ids[i]);
	finish(&jobs[0], JOB_FAILURE, 0);
	finish(&jobs[1], JOB_FAILURE, 0);
	finish(&jobs[2], JOB_RETRY, 2 * HOUR_MS);
	finish(&jobs[3], JOB_RETRY, HOUR_MS);
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct fn_builder seen = {.arena = call.arena};
		const struct job_info *infos;
		size_t count, skip = 0;

		do {
			count = 2;
			must(job_queue_list(
				queue, &call, lists[i].state, skip, &infos, &count, &err));
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
	must_fail(job_queue_list(queue, &call, JOB_SUCCEEDED, 0, &infos, &count, &err), FN_INVALID);
	must(job_queue_list(queue, &call, JOB_ACTIVE, 0, &infos, &count, &err));
	ck_assert_bytes_eq(infos[0].worker, ann.id);
}
END_TEST

/* Workers are seen with what they do. */
START_TEST(workers_are_listed)
{
	const struct job_worker_info *workers;
	size_t count;

	enqueue("a", "u");
	claim("a");
	claim_from(queue, &ben);
	must(job_queue_workers(queue, &call, &workers, &count, &err));
	ck_assert_uint_eq(count, 2);
	const struct job_worker_info *busy = workers[0].busy ? &workers[0] : &workers[1];
	const struct job_worker_info *idle = workers[0].busy ? &workers[1] : &workers[0];
	ck_assert_bytes_eq(busy->id, ann.id);
	ck_assert_bytes_eq(busy->job, "a");
	ck_assert_bytes_eq(idle->id, ben.id);
	ck_assert(!idle->busy && idle->job.size == 0 && idle->silent_ms >= 0);
}
END_TEST

/* The status counts what waits, runs, and has ended, and knows the limits. */
START_TEST(status_adds_up)
{
	const struct job_limits limits = {10, 2, 1000, 100, 50, 5, 4};

	must(job_queue_set_limits(queue, &call, &limits, &err));
	for (int i = 0; i < 8; i++)
		enqueue(fn_textf(call.arena, "%d", i), i < 4 ? "u" : "v");
	struct job first = claim("0"), second = claim("1");
	finish(&first, JOB_SUCCESS, 0);
	finish(&second, JOB_STOPPED, 0);
	claim("2");
	struct job_queue_status seen = status();
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
	struct job_order wanted = order(id, user);
	struct job_ticket ticket;

	must(job_queue_reserve(queue, &call, wanted.user, &class, &wanted.score, &err));
	must(job_queue_enqueue(queue, &call, &wanted, &ticket, &err));
}

/* The estimate follows from how fast jobs were claimed while others waited. */
START_TEST(start_is_estimated)
{
	ck_assert_int_eq(enqueue("a", "u").starts_in_ms, -1);
	enqueue_reserved("b", "u");
	enqueue("c", "u");
	enqueue("d", "u");
	claim("a");
	ck_assert_int_eq(get("b").starts_in_ms, -1);
	pause_ms(1100);
	claim("b");
	struct job_info next = get("c"), last = get("d");
	ck_assert_int_ge(next.starts_in_ms, 1100);
	ck_assert_int_ge(last.starts_in_ms, 2 * next.starts_in_ms - 1);
	ck_assert_int_ge(status().gap_ms, 1100);
	claim("c");
	claim("d");
	int64_t gap_ms = status().gap_ms;
	pause_ms(1100);
	enqueue("e", "u");
	claim("e"); /* nobody had waited */
	ck_assert_int_eq(status().gap_ms, gap_ms);
}
END_TEST

/* ---- Waiting --------------------------------------------------------------------------------- */

static void *
enqueue_later(void *with)
{
	struct fn_call own = {.arena = fn_arena_new()};
	struct job_order wanted = order("a", "u");
	struct job_ticket ticket;
	struct fn_error failure;

	pause_ms(20);
	*(bool *)with = job_queue_enqueue(queue, &own, &wanted, &ticket, &failure);
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

	must(job_queue_wait_and_claim(queue, &call, 10, &ann, &claimed, &err));
	ck_assert_int_eq(claimed.kind, JOB_IDLE);
	must(job_queue_wait_and_claim(queue, &call, 0, &ann, &claimed, &err));
	ck_assert_int_eq(claimed.kind, JOB_IDLE);
	int64_t begun_ms = fn_now_ms();
	pthread_create(&thread, NULL, enqueue_later, &enqueued);
	must(job_queue_wait_and_claim(queue, &call, PATIENCE_MS, &ann, &claimed, &err));
	ck_assert_int_lt(fn_now_ms(), begun_ms + config.lease_ms / 3);
	pthread_join(thread, NULL);
	ck_assert(enqueued && claimed.kind == JOB_CLAIMED);
	ck_assert_bytes_eq(claimed.job.id, "a");
	ck_assert_int_ge(claimed.job.lease_until_ms, begun_ms + config.lease_ms);
	ck_assert_int_lt(claimed.job.lease_until_ms, fn_now_ms() + config.lease_ms);
	must_be("a", JOB_ACTIVE);
}
END_TEST

static void
must_wake(bool want)
{
	AUTO(drop_reply) redisReply *hint = redis_server_ask(server, "LPOP phx:{v}:wake");

	ck_assert_int_eq(hint->type != REDIS_REPLY_NIL, want);
}

/* All that makes a job ready leaves a hint; what no one can run does not. */
START_TEST(hints_are_left)
{
	enum job_state state;

	limit(0, 1);
	enqueue("a", "u");
	must_wake(true);
	enqueue("b", "u");
	must_wake(false);
	struct job job = claim("a");
	finish(&job, JOB_SUCCESS, 0);
	must_wake(true);
	job = claim("b");
	finish(&job, JOB_RELEASE, 0);
	must_wake(true);
	enqueue("c", "u");
	must(job_queue_cancel(queue, &call, FN_BYTES("b"), &state, &err));
	must_wake(true);
	must(job_queue_pause(queue, &call, &err));
	must(job_queue_resume(queue, &call, &err));
	must_wake(true);
	must_wake(false);
	limit(1, 1);
	must_wake(true);
	enqueue("d", "v");
	must_wake(true);
	job = claim("c");
	finish(&job, JOB_SUCCESS, 0);
	must_wake(true);
}
END_TEST

/* Hints without a job are cleared by whoever finds nothing, and are never many. */
START_TEST(hints_do_not_pile_up)
{
	for (int i = 0; i < 100; i++)
		enqueue(fn_textf(call.arena, "%d", i), "u");
	ck_assert_int_eq(redis_server_number(server, "LLEN phx:{v}:wake"), 64);
	for (int i = 0; i < 100; i++)
		claim(fn_textf(call.arena, "%d", i));
	must_rest(JOB_IDLE);
	must_wake(false);
}
END_TEST

/* A tick with no worker up makes ready what is due. */
START_TEST(tick_makes_ready)
{
	size_t ready = 0;

	enqueue("a", "u");
	struct job job = claim("a");
	finish(&job, JOB_RETRY, 1);
	pause_ms(2);
	for (int64_t end_ms = fn_now_ms() + PATIENCE_MS; ready == 0 && fn_now_ms() < end_ms;)
		must(job_queue_sweep(queue, &call, &ready, &err));
	ck_assert_uint_eq(ready, 1);
	must_be("a", JOB_WAITING);
}
END_TEST

/* ---- Loss and rebuild ------------------------------------------------------------------------ */

/* A queue that has lost everything says so until it is rebuilt; then all is as it was. */
START_TEST(queue_is_rebuilt)
{
	struct job_order lost[] = {order("a", "u"), order("b", "v"), order("c", "u")};
	struct job_ticket ticket;
	bool mine;

	for (size_t i = 0; i < COUNT(lost); i++) {
		lost[i].class.quantum_ms = 45000;
		must(job_queue_enqueue(queue, &call, &lost[i], &ticket, &err));
		lost[i].score = ticket.score;
	}
	lost[2].operation = FN_BYTES("op");
	lost[2].fence = UINT64_C(1) << 52;
	flush();
	enqueue("new", "w");
	must_rest(JOB_REBUILD);
	must(job_queue_rebuild_begin(queue, &call, &ann, &mine, &err));
	ck_assert(mine);
	must(job_queue_rebuild_begin(queue, &call, &ben, &mine, &err));
	ck_assert(!mine);
	must_fail(job_queue_rebuild_end(queue, &call, &ben, &wide, &err), FN_PRECONDITION);
	for (size_t i = COUNT(lost); i-- > 0;)
		must(job_queue_enqueue(queue, &call, &lost[i], &ticket, &err));
	must_rest(JOB_REBUILD);
	must(job_queue_rebuild_begin(queue, &call, &ann, &mine, &err));
	ck_assert(mine);
	must(job_queue_rebuild_end(queue, &call, &ann, &wide, &err));
	claim("a");
	claim("b");
	claim("new");
	struct job job = claim("c");
	ck_assert_bytes_eq(job.operation, "op");
	ck_assert_uint_eq(job.fence, (UINT64_C(1) << 52) + 1);
	ck_assert(status().rebuilt);
	must(job_queue_rebuild_begin(queue, &call, &ben, &mine, &err));
	ck_assert(mine);
}
END_TEST

/* An entry whose job was deleted by hand is passed over, and healed by its order. */
START_TEST(ghost_is_passed_over)
{
	enqueue("a", "u");
	enqueue("b", "u");
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "DEL phx:{v}:j:a");
	claim("b");
	must_rest(JOB_IDLE);
	enqueue("a", "u");
	claim("a");
}
END_TEST

/* The caller's calendar has no say. */
START_TEST(calendar_of_the_caller_does_not_matter)
{
	fn_clock_pretend(INT64_C(4102444800000));
	int64_t first = enqueue("a", "u").score;
	struct job job = claim("a");
	finish(&job, JOB_RETRY, HOUR_MS);
	fn_clock_pretend(1000);
	int64_t second = enqueue("b", "u").score;
	fn_clock_pretend(0);
	ck_assert_int_gt(second, first);
	ck_assert_int_lt(second - first, INT64_C(60000000));
	sweep();
	struct job_info info = get("a");
	ck_assert_int_eq(info.state, JOB_DELAYED);
	ck_assert_int_ge(info.seen_ms, info.enqueued_ms);
	ck_assert_int_lt(info.seen_ms, info.enqueued_ms + HOUR_MS);
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
	bool ok = job_queue_claim(queue, &own, &worker, &claimed, &failure);
	while (ok && claimed.kind == JOB_CLAIMED) {
		struct job job = claimed.job;
		ok = job_queue_finish_and_claim(
			queue, &own, &job, &end, &worker, &claimed, &failure);
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
		enqueue(fn_textf(call.arena, "%d", i), fn_textf(call.arena, "u%d", i % 7));
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &done[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += done[i];
	}
	ck_assert_uint_eq(sum, JOBS);
	ck_assert(status().succeeded == JOBS && status().active == 0 && status().waiting == 0);
}
END_TEST

int
main(void)
{
#define CASE(name)                                                                                 \
	{                                                                                          \
		name, 1, setup, teardown                                                           \
	}
	const struct suite_case cases[] = {
		CASE(job_goes_through),
		CASE(order_is_taken_once),
		CASE(other_order_is_refused),
		{order_is_checked, COUNT(orders), setup, teardown},
		CASE(queue_is_bounded),
		CASE(first_come_is_first_served),
		CASE(priority_never_starves),
		CASE(hog_costs_others_one_place),
		CASE(place_is_reserved),
		CASE(reserved_places_are_bounded),
		CASE(cancel_gains_nothing),
		{user_runs_so_many_at_once, 5, setup, teardown},
		CASE(better_job_takes_the_place),
		CASE(canceled_job_gives_its_place),
		CASE(limits_change_under_way),
		CASE(lowered_limit_lets_nobody_in),
		CASE(limits_change_for_all),
		CASE(so_many_run_in_all),
		CASE(calls_are_paced),
		CASE(lapsed_job_is_claimed_again),
		CASE(lapsed_worker_is_fenced),
		CASE(lapsed_job_is_taken_back),
		{lapsed_job_waits_for_a_place, 2, setup, teardown},
		CASE(released_job_is_not_taken_back),
		CASE(leases_are_renewed_together),
		CASE(poison_is_buried),
		CASE(lapsed_and_canceled_job_ends),
		CASE(claim_is_repeated),
		CASE(late_claim_takes_nothing),
		CASE(finished_job_is_not_claimed_again),
		CASE(failed_job_is_retried),
		CASE(delayed_job_waits),
		CASE(idle_worker_knows_when_to_ask),
		CASE(released_job_keeps_its_place),
		{end_is_repeated, 7, setup, teardown},
		CASE(forgotten_job_is_not_found),
		CASE(worker_goes_on_in_one_step),
		CASE(late_end_is_refused_and_the_next_claimed),
		CASE(ends_in_one_step_are_counted),
		CASE(note_is_kept),
		CASE(operation_outlives_its_worker),
		CASE(new_call_takes_the_place_of_the_last),
		CASE(failed_operation_is_forgotten),
		CASE(job_is_canceled),
		CASE(dead_letter_is_replayed),
		CASE(dead_letter_is_dropped),
		CASE(queue_is_paused),
		CASE(jobs_are_listed),
		CASE(workers_are_listed),
		CASE(status_adds_up),
		CASE(start_is_estimated),
		CASE(idle_worker_is_given_a_job),
		CASE(hints_are_left),
		CASE(hints_do_not_pile_up),
		CASE(tick_makes_ready),
		CASE(queue_is_rebuilt),
		CASE(ghost_is_passed_over),
		CASE(calendar_of_the_caller_does_not_matter),
		CASE(threads_share_a_queue),
	};

	server = redis_server_start(NULL);
	int failed = suite_run("job queue", cases, COUNT(cases));
	redis_server_stop(server);
	return failed;
}
