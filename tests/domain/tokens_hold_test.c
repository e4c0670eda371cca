#include "domain/tokens_hold.h"

#include "fn/clock.h"
#include "tests/support/ledger.h"
#include "tests/support/shelf.h"
#include "tests/support/suite.h"

#define USER "user_7"
#define NOW_MS INT64_C(1795498618000)
#define MINUTE_MS 60000
#define PRICE 10
#define SIGNUP 25

static int64_t price = PRICE;
static const struct tokens_config prices = {.image = PRICE, .signup = SIGNUP};

static void
setup(void)
{
	shelf_begin();
	fn_clock_pretend(NOW_MS);
}

/* A request for this creation that may be at work for so many minutes from the beginning. */
static bool
hold(struct tokens_hold *held, const char *creation, int minutes)
{
	return tokens_hold(held, &call, documents, &prices, price, "image", FN_BYTES(USER),
		fn_bytes(creation), NOW_MS + minutes * MINUTE_MS, &err);
}

static struct tokens_hold
held(const char *creation, int minutes)
{
	struct tokens_hold got;

	ck_assert_msg(hold(&got, creation, minutes), "%s", err.message);
	return got;
}

/* Whether the creation's commit is made, which says that it is paid. */
static bool
keep(const struct tokens_hold *paid)
{
	struct writes writes = {0};

	TRY(tokens_hold_keep(paid, &call, documents, &writes, &err));
	ck_assert_uint_le(writes.count, 1);
	return writes_commit(&writes, &call, documents, &err);
}

static void
refund(const struct tokens_hold *paid)
{
	tokens_hold_refund(paid, &call, documents);
}

static void
assert_ledger(int64_t balance, size_t debits, size_t refunds)
{
	struct ledger ledger = ledger_check(documents, &call, USER);

	ck_assert_int_eq(ledger.balance, balance);
	ck_assert_uint_eq(ledger.debits, debits);
	ck_assert_uint_eq(ledger.refunds, refunds);
}

/* What is made is paid for, and not refunded after that. */
START_TEST(kept_is_not_refunded)
{
	struct tokens_hold paid = held("img_1", 1);

	assert_ledger(SIGNUP - PRICE, 1, 0);
	ck_assert(keep(&paid));
	refund(&paid);
	ck_assert(!keep(&paid));
	assert_ledger(SIGNUP - PRICE, 1, 0);
}
END_TEST

/* What is not made is refunded once, and cannot be kept after that. */
START_TEST(refunded_is_not_kept)
{
	struct tokens_hold paid = held("img_1", 1);

	for (int again = 0; again < 2; again++)
		refund(&paid);
	ck_assert(!keep(&paid));
	ck_assert_int_eq(err.code, FN_DEADLINE);
	assert_ledger(SIGNUP, 1, 1);
}
END_TEST

/* What a dead process has left open comes back when its user spends again, and not before its time
 * is over. */
START_TEST(dead_request_is_refunded)
{
	struct tokens_hold dead = held("img_1", 1), other = held("img_2", 9);

	ck_assert(!hold(&other, "img_3", 9));
	ck_assert_int_eq(err.code, FN_PAYMENT_REQUIRED);
	fn_clock_pretend(NOW_MS + MINUTE_MS + 1);
	struct tokens_hold third = held("img_3", 9);

	assert_ledger(SIGNUP - 2 * PRICE, 3, 1);
	ck_assert(!keep(&dead));
	ck_assert(keep(&other) && keep(&third));
	assert_ledger(SIGNUP - 2 * PRICE, 3, 1);
}
END_TEST

/* The retry of a dead request goes on with what it has paid; should the dead one live, it can
 * neither keep nor refund it. */
START_TEST(retry_takes_over)
{
	struct tokens_hold dead = held("img_1", 1);

	fn_clock_pretend(NOW_MS + MINUTE_MS + 1);
	struct tokens_hold retry = held("img_1", 3);

	refund(&dead);
	ck_assert(!keep(&dead));
	assert_ledger(SIGNUP - PRICE, 1, 0);
	ck_assert(keep(&retry));
	assert_ledger(SIGNUP - PRICE, 1, 0);
}
END_TEST

/* A retry that comes after the refund is charged anew. */
START_TEST(retry_after_the_refund_pays_again)
{
	for (int again = 0; again < 3; again++) {
		struct tokens_hold paid = held("img_1", 1);

		refund(&paid);
		assert_ledger(SIGNUP, (size_t)again + 1, (size_t)again + 1);
	}
	struct tokens_hold paid = held("img_1", 1);

	ck_assert(keep(&paid));
	assert_ledger(SIGNUP - PRICE, 4, 3);
}
END_TEST

/* However many are overdue, all of them come back in the end. */
START_TEST(all_that_is_overdue_comes_back)
{
	held("img_1", 1);
	held("img_2", 1);
	fn_clock_pretend(NOW_MS + 2 * MINUTE_MS);
	held("img_3", 3);
	held("img_4", 3);
	fn_clock_pretend(NOW_MS + 4 * MINUTE_MS);
	held("img_5", 5);
	assert_ledger(SIGNUP - PRICE, 5, 4);
}
END_TEST

/* So many may be overdue as one may ask for in an hour, and what they cost can be spent at once. */
START_TEST(all_that_is_overdue_can_be_spent)
{
	struct tokens tokens;
	struct tokens_hold video;

	price = 2;
	for (int nth = 0; nth < 10; nth++)
		held(fn_textf(call.arena, "img_%d", nth), 1);
	assert_ledger(SIGNUP - 20, 10, 0);
	fn_clock_pretend(NOW_MS + 2 * MINUTE_MS);
	must(tokens_read(&tokens, &call, documents, FN_BYTES(USER), SIGNUP, &err));
	ck_assert_int_eq(tokens_to_spend(&tokens), SIGNUP);
	price = SIGNUP;
	video = held("vid_1", 3);
	assert_ledger(0, 11, 10);
	ck_assert(keep(&video));
	must(tokens_read(&tokens, &call, documents, FN_BYTES(USER), SIGNUP, &err));
	ck_assert_int_eq(tokens_to_spend(&tokens), 0);
}
END_TEST

/* What costs nothing leaves no trace, and can be kept. */
START_TEST(nothing_is_held_for_nothing)
{
	struct tokens_hold paid;
	struct writes writes = {0};

	ck_assert(tokens_hold(&paid, &call, documents, &prices, 0, "image", FN_BYTES(USER),
		FN_BYTES("img_1"), NOW_MS, &err));
	ck_assert(tokens_hold_keep(&paid, &call, documents, &writes, &err));
	ck_assert_uint_eq(writes.count, 0);
	refund(&paid);
	ck_assert_uint_eq(ledger_check(documents, &call, USER).entries, 0);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = kept_is_not_refunded},
		{.test = refunded_is_not_kept},
		{.test = dead_request_is_refunded},
		{.test = retry_takes_over},
		{.test = retry_after_the_refund_pays_again},
		{.test = all_that_is_overdue_comes_back},
		{.test = all_that_is_overdue_can_be_spent},
		{.test = nothing_is_held_for_nothing},
	};

	return suite_run_with("tokens_hold", cases, COUNT(cases), setup, shelf_end);
}
