#include "domain/tokens.h"

#include "fn/clock.h"
#include "tests/support/ledger.h"
#include "tests/support/shelf.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define USER "user_7"
#define SIGNUP 25

static struct tokens
balance(void)
{
	struct tokens tokens;

	must(tokens_read(&tokens, &call, documents, FN_BYTES(USER), SIGNUP, &err));
	return tokens;
}

/* Spends in a commit of its own, presuming what was read, on something new. */
static bool
spend(struct tokens *tokens, struct fn_call *own, int64_t amount, struct fn_error *why)
{
	static atomic_int charges;
	struct fn_bytes charge = tokens_charge(own, FN_BYTES("vid_1"), ++charges);
	struct writes writes = {0};

	TRY(tokens_debit(tokens, own, &writes, amount, "video", charge, why));
	ck_assert_uint_le(writes.count, TOKENS_WRITES);
	return writes.count == 0 || writes_commit(&writes, own, documents, why);
}

static bool
spend_now(int64_t amount)
{
	struct tokens tokens = balance();

	return spend(&tokens, &call, amount, &err);
}

static void
refund_now(int64_t amount)
{
	static int refunds;
	struct fn_bytes charge = tokens_charge(&call, FN_BYTES("vid_1"), ++refunds);
	struct tokens tokens = balance();
	struct writes writes = {0};

	tokens_refund(&tokens, &call, &writes, amount, charge);
	if (writes.count > 0)
		must(writes_commit(&writes, &call, documents, &err));
}

/* A new user is shown the grant, and has it in the ledger before the first thing it is spent on. */
START_TEST(everybody_begins_with_a_grant)
{
	ck_assert_int_eq(balance().balance, SIGNUP);
	ck_assert_uint_eq(ledger_check(documents, &call, USER).entries, 0);

	ck_assert_msg(spend_now(10), "%s", err.message);
	struct ledger ledger = ledger_check(documents, &call, USER);
	ck_assert_int_eq(ledger.balance, SIGNUP - 10);
	ck_assert_uint_eq(ledger.signups, 1);
	ck_assert_uint_eq(ledger.debits, 1);
	ck_assert(!balance().paid);
}
END_TEST

/* The grant is given once, however often tokens come and go. */
START_TEST(ledger_adds_up)
{
	for (int i = 0; i < 5; i++) {
		ck_assert_msg(spend_now(20), "%s", err.message);
		refund_now(20);
	}
	struct ledger ledger = ledger_check(documents, &call, USER);

	ck_assert_int_eq(ledger.balance, SIGNUP);
	ck_assert_uint_eq(ledger.signups, 1);
	ck_assert_uint_eq(ledger.debits, 5);
	ck_assert_uint_eq(ledger.refunds, 5);
}
END_TEST

/* Of one charge there is one debit and one refund, whatever was read. */
START_TEST(charge_is_debited_and_refunded_once)
{
	for (int refund = 0; refund < 2; refund++) {
		for (int again = 0; again < 2; again++) {
			struct tokens tokens = balance();
			struct writes writes = {0};

			if (refund)
				tokens_refund(&tokens, &call, &writes, 2, FN_BYTES("vid_9"));
			else
				ck_assert(tokens_debit(&tokens, &call, &writes, 2, "video",
					FN_BYTES("vid_9"), &err));
			ck_assert(writes_commit(&writes, &call, documents, &err) == !again);
			ck_assert(!again || err.code == FN_CONFLICT);
		}
	}
	struct ledger ledger = ledger_check(documents, &call, USER);

	ck_assert_int_eq(ledger.balance, SIGNUP);
	ck_assert_uint_eq(ledger.entries, 3);
}
END_TEST

/* Where nobody is given a grant, none is in the ledger. */
START_TEST(no_grant_is_no_entry)
{
	struct writes writes = {0};
	struct tokens tokens;

	ck_assert(tokens_read(&tokens, &call, documents, FN_BYTES(USER), 0, &err));
	tokens_refund(&tokens, &call, &writes, 10, FN_BYTES("vid_1"));
	must(writes_commit(&writes, &call, documents, &err));
	ck_assert_uint_eq(ledger_check(documents, &call, USER).entries, 1);
}
END_TEST

/* All that there is can be spent, and not one token more. */
START_TEST(nothing_is_lent)
{
	ck_assert(!spend_now(SIGNUP + 1));
	ck_assert_int_eq(err.code, FN_PAYMENT_REQUIRED);
	ck_assert_str_eq(err.message, "tokens: this takes 26, you have 25");
	ck_assert_uint_eq(ledger_check(documents, &call, USER).entries, 0);

	ck_assert_msg(spend_now(SIGNUP), "%s", err.message);
	ck_assert(!spend_now(1));
	ck_assert_int_eq(err.code, FN_PAYMENT_REQUIRED);
	ck_assert_int_eq(ledger_check(documents, &call, USER).balance, 0);
}
END_TEST

/* What costs nothing leaves no trace. */
START_TEST(nothing_costs_nothing)
{
	ck_assert_msg(spend_now(0), "%s", err.message);
	refund_now(0);
	ck_assert_uint_eq(ledger_check(documents, &call, USER).entries, 0);
}
END_TEST

/* Who was passed over between reading and writing is told, and nothing is written: for the first
 * change of a balance as for all others. */
START_TEST(stale_balance_is_not_spent)
{
	if (_i)
		ck_assert(spend_now(1));
	struct tokens stale = balance();
	ck_assert(spend_now(1));
	struct ledger before = ledger_check(documents, &call, USER);

	ck_assert(!spend(&stale, &call, 1, &err));
	ck_assert(err.code == FN_CONFLICT || err.code == FN_PRECONDITION);
	struct ledger after = ledger_check(documents, &call, USER);
	ck_assert_mem_eq(&before, &after, sizeof(before));
}
END_TEST

#define THREADS 64

static atomic_int spent, refused;

static void *
spend_last(void *unused)
{
	struct fn_call own = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 30000};
	struct fn_retry retry = WRITES_RETRY;
	struct tokens tokens;
	struct fn_error why;
	bool ok;

	(void)unused;
	do
		ok = tokens_read(&tokens, &own, documents, FN_BYTES(USER), SIGNUP, &why) &&
		     spend(&tokens, &own, 20, &why);
	while (!ok && writes_again(&retry, &own, &why));
	spent += ok;
	refused += !ok && why.code == FN_PAYMENT_REQUIRED;
	fn_arena_drop(own.arena);
	return NULL;
}

/* Of many who spend the last tokens at once one may; all others are told why not. */
START_TEST(last_token_is_spent_once)
{
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, spend_last, NULL);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(spent, 1);
	ck_assert_int_eq(refused, THREADS - 1);
	ck_assert_int_eq(ledger_check(documents, &call, USER).balance, SIGNUP - 20);
}
END_TEST

/* A document that is no balance is said to be none; nobody is given a new one instead. */
START_TEST(foreign_balance_is_refused)
{
	static const char *const fields[] = {
		"{}",
		"{\"tokens\":\"5\",\"entries\":1,\"paid\":false}",
		"{\"tokens\":5,\"paid\":false}",
		"{\"tokens\":5,\"entries\":1}",
		"{\"tokens\":5,\"entries\":1,\"paid\":false,\"open\":1}",
	};
	json_t *foreign = json_loads(fields[_i], 0, NULL);
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = "balances",
		.id = FN_BYTES(USER),
		.fields = foreign,
	};
	struct tokens tokens;

	ck_assert(document_store_commit(documents, &call, &write, 1, &err));
	ck_assert(!tokens_read(&tokens, &call, documents, FN_BYTES(USER), SIGNUP, &err));
	ck_assert_int_eq(err.code, FN_INTERNAL);
	ck_assert_msg(strstr(err.message, "balances/" USER), "%s", err.message);
	json_decref(foreign);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = everybody_begins_with_a_grant},
		{.test = ledger_adds_up},
		{.test = charge_is_debited_and_refunded_once},
		{.test = no_grant_is_no_entry},
		{.test = nothing_is_lent},
		{.test = nothing_costs_nothing},
		{.test = stale_balance_is_not_spent, .rows = 2},
		{.test = last_token_is_spent_once},
		{.test = foreign_balance_is_refused, .rows = 5},
	};

	return suite_run_with("tokens", cases, COUNT(cases), shelf_begin, shelf_end);
}
