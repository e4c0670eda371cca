/* What job_queue.h promises of orders: how they come in, in which order they go out, and how they
 * are taken back. */
#include "fn/clock.h"
#include "tests/support/jobs.h"
#include "tests/support/suite.h"

/* ---- Enqueue --------------------------------------------------------------------------------- */

/* What goes in comes out, once, and what was finished is told from what never was. */
START_TEST(job_goes_through)
{
	struct job_order wanted = jobs_order("a", "u");
	struct job_ticket ticket;

	wanted.payload = FN_BYTES("{\"prompt\":\"\xc3\xa4\"}\r\n\0x");
	jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &wanted, &ticket, &jobs.err));
	ck_assert(!ticket.existed && ticket.runnable && ticket.state == JOB_WAITING);
	struct job job = jobs_claim("a");
	ck_assert_bytes_eq(job.user, "u");
	ck_assert(fn_bytes_equal(job.payload, wanted.payload));
	ck_assert(job.attempt == 1 && job.failures == 0 && job.crashes == 0);
	ck_assert(job.operation.size == 0 && job.call_age_ms == -1 && !job.cancel_wanted);
	ck_assert_int_gt(job.lease_until_ms, fn_now_ms());
	jobs_must_be("a", JOB_ACTIVE);
	jobs_must_rest(JOB_IDLE);
	ck_assert_int_eq(jobs_finish(&job, JOB_SUCCESS, 0), JOB_SUCCEEDED);
	jobs_must_be("a", JOB_SUCCEEDED);
	jobs_must_be("b", JOB_UNKNOWN);
	jobs_must_rest(JOB_IDLE);
}
END_TEST

/* An order that comes again changes nothing, whatever has become of its job. */
START_TEST(order_is_taken_once)
{
	struct job_ticket first = jobs_enqueue("a", "u"), again = jobs_enqueue("a", "u");

	ck_assert(again.existed && again.state == JOB_WAITING && again.runnable);
	ck_assert(again.score == first.score && again.position == 1 && again.of == 1);
	struct job job = jobs_claim("a");
	again = jobs_enqueue("a", "u");
	ck_assert(again.existed && again.state == JOB_ACTIVE && again.position == 0);
	ck_assert(!again.runnable);
	jobs_finish(&job, JOB_SUCCESS, 0);
	ck_assert_int_eq(jobs_enqueue("a", "u").state, JOB_SUCCEEDED);
	jobs_must_rest(JOB_IDLE);
	ck_assert_uint_eq(jobs_status().enqueued, 1);
}
END_TEST

/* The id of one order is no other order's. */
START_TEST(other_order_is_refused)
{
	struct job_order other = jobs_order("a", "u");
	struct job_ticket ticket;

	jobs_enqueue("a", "u");
	other.fingerprint = FN_BYTES("g");
	jobs_must_fail(job_queue_enqueue(jobs.queue, &jobs.call, &other, &ticket, &jobs.err),
		FN_UNPROCESSABLE);
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
		.payload = {fn_arena_zero(jobs.call.arena, orders[_i].payload + 1),
			orders[_i].payload},
	};
	struct job_ticket ticket;
	bool done = job_queue_enqueue(jobs.queue, &jobs.call, &wanted, &ticket, &jobs.err);

	ck_assert_msg(done == (orders[_i].code == FN_OK) && jobs.err.code == orders[_i].code, "%s",
		jobs.err.message);
}
END_TEST

/* The queue is bounded, in all and for each user; what was accepted before is always let in. */
START_TEST(queue_is_bounded)
{
	struct job_order wanted;
	struct job_ticket ticket;

	jobs_must(job_queue_set_limits(jobs.queue, &jobs.call,
		&(struct job_limits){
			.waiting = 3, .waiting_per_user = 2, .failures = 1, .crashes = 1},
		&jobs.err));
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	wanted = jobs_order("c", "u");
	jobs_must_fail(job_queue_enqueue(jobs.queue, &jobs.call, &wanted, &ticket, &jobs.err),
		FN_RATE_LIMITED);
	jobs_enqueue("d", "v");
	wanted = jobs_order("e", "v");
	jobs_must_fail(
		job_queue_enqueue(jobs.queue, &jobs.call, &wanted, &ticket, &jobs.err), FN_BUSY);
	jobs_must_be("c", JOB_UNKNOWN);
	wanted.score = 1;
	jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &wanted, &ticket, &jobs.err));
	ck_assert(ticket.score == 1 && ticket.position == 1 && ticket.of == 4);
}
END_TEST

/* ---- Order ----------------------------------------------------------------------------------- */

/* Equal jobs of different users are served as they came, and each knows its place. */
START_TEST(first_come_is_first_served)
{
	static const char *const ids[] = {"e", "b", "d", "a", "c"};

	for (size_t i = 0; i < COUNT(ids); i++) {
		struct job_ticket ticket = jobs_enqueue(ids[i], ids[i]);
		ck_assert(ticket.position == i + 1 && ticket.of == i + 1);
	}
	for (size_t i = 0; i < COUNT(ids); i++) {
		for (size_t k = i; k < COUNT(ids); k++)
			ck_assert_uint_eq(jobs_get(ids[k]).position, k - i + 1);
		jobs_claim(ids[i]);
		ck_assert_uint_eq(jobs_get(ids[i]).position, 0);
	}
}
END_TEST

/* The server's clock goes on, and nothing is enqueued before this moment any more. */
static void
let_pass(int64_t moment)
{
	AUTO(drop_reply)
	redisReply *reply = redis_server_ask(jobs.server, "HSET phx:{v}:n tick %ld", (long)moment);
}

/* A class without penalty passes one with; once its moment has come, nothing new does. */
START_TEST(priority_never_starves)
{
	struct job_ticket early = jobs_enqueue_as("soon", "u", JOBS_HOUR_MS, 0);

	jobs_enqueue_as("late", "v", 3 * JOBS_HOUR_MS, 0);
	jobs_enqueue_as("paid", "w", 0, 0);
	ck_assert_uint_eq(jobs_get("paid").position, 1);
	let_pass(early.score);
	jobs_enqueue_as("new", "x", 0, 0);
	jobs_claim("paid");
	jobs_claim("soon");
	jobs_claim("new");
	jobs_claim("late");
}
END_TEST

/* Who has asked for much waits for it; others pass after the first of it. */
START_TEST(hog_costs_others_one_place)
{
	static const char *const ids[] = {"h1", "h2", "h3", "h4", "h5"};
	int64_t first = 0;

	for (size_t i = 0; i < COUNT(ids); i++) {
		int64_t score = jobs_enqueue_as(ids[i], "hog", 0, 45000).score;
		first = i == 0 ? score : first;
		ck_assert_int_eq(score, first + (int64_t)i * 45000000);
	}
	ck_assert_uint_eq(jobs_enqueue_as("mine", "me", 0, 45000).position, 2);
	jobs_claim("h1");
	jobs_claim("mine");
	jobs_claim("h2");
}
END_TEST

/* A place that was reserved is kept for who comes with its score, whoever comes in between; and it
 * is one of the user's turns. */
START_TEST(place_is_reserved)
{
	const struct job_class class = {1000, 45000};
	struct job_order wanted = jobs_order("a", "u");
	struct job_ticket ticket;
	int64_t next;

	jobs_must(job_queue_reserve(
		jobs.queue, &jobs.call, wanted.user, &class, &wanted.score, &jobs.err));
	jobs_must(job_queue_reserve(jobs.queue, &jobs.call, wanted.user, &class, &next, &jobs.err));
	ck_assert_int_eq(next, wanted.score + 45000000);
	ck_assert_uint_eq(jobs_status().waiting, 0);
	ck_assert_int_gt(jobs_enqueue_as("b", "v", 1000, 0).score, wanted.score);
	jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &wanted, &ticket, &jobs.err));
	ck_assert(ticket.score == wanted.score && ticket.position == 1);
	jobs_claim("a");
	jobs_claim("b");
}
END_TEST

/* Where no more may wait, no place is reserved; who has one is let in. */
START_TEST(reserved_places_are_bounded)
{
	const struct job_class class = {0, 0};
	struct job_order wanted = jobs_order("c", "u");
	struct job_ticket ticket;
	int64_t score = -7;

	jobs_must(job_queue_set_limits(jobs.queue, &jobs.call,
		&(struct job_limits){
			.waiting = 3, .waiting_per_user = 2, .failures = 1, .crashes = 1},
		&jobs.err));
	jobs_must(job_queue_reserve(
		jobs.queue, &jobs.call, wanted.user, &class, &wanted.score, &jobs.err));
	jobs_enqueue("a", "u");
	jobs_enqueue("b", "u");
	jobs_must_fail(
		job_queue_reserve(jobs.queue, &jobs.call, FN_BYTES("u"), &class, &score, &jobs.err),
		FN_RATE_LIMITED);
	jobs_enqueue("d", "v");
	jobs_must_fail(
		job_queue_reserve(jobs.queue, &jobs.call, FN_BYTES("v"), &class, &score, &jobs.err),
		FN_BUSY);
	jobs_must_fail(
		job_queue_reserve(jobs.queue, &jobs.call, FN_BYTES(""), &class, &score, &jobs.err),
		FN_INVALID);
	ck_assert_int_eq(score, -7);
	jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &wanted, &ticket, &jobs.err));
	ck_assert_uint_eq(ticket.of, 4);
}
END_TEST

/* To cancel gives no turn back: the next job still waits its share. */
START_TEST(cancel_gains_nothing)
{
	int64_t first = jobs_enqueue_as("a", "u", 0, JOBS_HOUR_MS).score;
	enum job_state state;

	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("a"), &state, &jobs.err));
	ck_assert_int_eq(
		jobs_enqueue_as("b", "u", 0, JOBS_HOUR_MS).score, first + JOBS_HOUR_MS * 1000);
}
END_TEST

/* ---- Cancel, replay, drop -------------------------------------------------------------------- */

/* To cancel ends what has not begun, asks what runs, and leaves the rest. */
START_TEST(job_is_canceled)
{
	enum job_state state;

	jobs_enqueue("waits", "u");
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("waits"), &state, &jobs.err));
	ck_assert_int_eq(state, JOB_CANCELED);
	jobs_must_rest(JOB_IDLE);
	jobs_enqueue("a", "u");
	struct job job = jobs_claim("a");
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("a"), &state, &jobs.err));
	ck_assert_int_eq(state, JOB_ACTIVE);
	jobs_finish(&job, JOB_RETRY, 0);
	job = jobs_claim("a");
	ck_assert(job.cancel_wanted);
	jobs_finish(&job, JOB_RETRY, JOBS_HOUR_MS);
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("a"), &state, &jobs.err));
	ck_assert_int_eq(state, JOB_CANCELED);
	ck_assert(jobs_status().delayed == 0 && jobs_status().canceled == 2);
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("a"), &state, &jobs.err));
	ck_assert_int_eq(state, JOB_CANCELED);
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("nobody"), &state, &jobs.err));
	ck_assert_int_eq(state, JOB_UNKNOWN);
	jobs_enqueue("b", "u");
	job = jobs_claim("b");
	jobs_finish(&job, JOB_FAILURE, 0);
	jobs_must(job_queue_cancel(jobs.queue, &jobs.call, FN_BYTES("b"), &state, &jobs.err));
	ck_assert_int_eq(state, JOB_DEAD);
	ck_assert_uint_eq(jobs_status().canceled, 2);
}
END_TEST

/* A dead letter begins anew when it is replayed, with the operation that was paid for. */
START_TEST(dead_letter_is_replayed)
{
	struct job_end end = {.verdict = JOB_FAILURE, .note = FN_BYTES("why")};
	const struct job_class class = {.penalty_ms = JOBS_HOUR_MS};
	struct job_ticket ticket;

	int64_t score = jobs_enqueue("a", "u").score;
	struct job job = jobs_claim("a");
	jobs_finish(&job, JOB_RETRY, 0);
	job = jobs_claim("a");
	jobs_must(job_queue_set_operation(jobs.queue, &jobs.call, &job, FN_BYTES("op"), &jobs.err));
	jobs_must(job_queue_finish(jobs.queue, &jobs.call, &job, &end, &jobs.err));
	ck_assert_bytes_eq(jobs_get("a").note, "why");
	jobs_must(job_queue_replay(
		jobs.queue, &jobs.call, FN_BYTES("a"), &class, &ticket, &jobs.err));
	ck_assert(ticket.state == JOB_WAITING && ticket.position == 1 && ticket.runnable);
	ck_assert_int_gt(ticket.score, score + JOBS_HOUR_MS * 1000);
	jobs_must_fail(
		job_queue_replay(jobs.queue, &jobs.call, FN_BYTES("a"), &class, &ticket, &jobs.err),
		FN_PRECONDITION);
	uint64_t fence = job.fence;
	job = jobs_claim("a");
	ck_assert(job.attempt == 1 && job.failures == 0 && job.fence > fence);
	ck_assert_bytes_eq(job.operation, "op");
	ck_assert_uint_eq(jobs_status().dead, 0);
}
END_TEST

/* A dropped letter is gone; nothing else can be dropped. */
START_TEST(dead_letter_is_dropped)
{
	jobs_enqueue("a", "u");
	jobs_must_fail(
		job_queue_drop(jobs.queue, &jobs.call, FN_BYTES("a"), &jobs.err), FN_PRECONDITION);
	struct job job = jobs_claim("a");
	jobs_finish(&job, JOB_FAILURE, 0);
	jobs_must(job_queue_drop(jobs.queue, &jobs.call, FN_BYTES("a"), &jobs.err));
	jobs_must_be("a", JOB_UNKNOWN);
	jobs_must_fail(
		job_queue_drop(jobs.queue, &jobs.call, FN_BYTES("a"), &jobs.err), FN_PRECONDITION);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = job_goes_through},
		{.test = order_is_taken_once},
		{.test = other_order_is_refused},
		{.test = order_is_checked, .rows = COUNT(orders)},
		{.test = queue_is_bounded},
		{.test = first_come_is_first_served},
		{.test = priority_never_starves},
		{.test = hog_costs_others_one_place},
		{.test = place_is_reserved},
		{.test = reserved_places_are_bounded},
		{.test = cancel_gains_nothing},
		{.test = job_is_canceled},
		{.test = dead_letter_is_replayed},
		{.test = dead_letter_is_dropped},
	};

	return jobs_suite("orders of jobs", cases, COUNT(cases));
}
