/* Names and tokens while many want the same at once, over every kind of store. */
#include "domain/tokens_hold.h"
#include "domain/username.h"
#include "fn/clock.h"
#include "tests/support/any_store.h"
#include "tests/support/children.h"
#include "tests/support/ledger.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <unistd.h>

#define CROWD 64
#define USER "user_7"
#define PRICE 10
#define SIGNUP 25

/* Runs so many processes at once, each with a store of its own. */
static void
crowd(bool (*work)(int n))
{
	any_store_close();
	children_run(CROWD, work, &any.err);
	any_must(any_store_open());
}

static struct fn_bytes
user_n(int n)
{
	return fn_bytes(fn_textf(any.call.arena, "user_%d", n));
}

/* ---- Races --------------------------------------------------------------------------------- */

static bool
claim_ada(int n)
{
	struct user user = {.id = user_n(n)};

	return any_store_open() &&
	       (username_claim(&user, &any.call, any.store, FN_BYTES("ada"), &any.err) ||
		       any.err.code == FN_CONFLICT);
}

/* Of many who want a name at once one has it. */
START_TEST(name_goes_to_one)
{
	struct user found;
	int owners = 0;

	any_store_use(_i);
	crowd(claim_ada);
	any_must(username_find(&found, &any.call, any.store, FN_BYTES("ada"), &any.err));
	ck_assert_bytes_eq(found.username, "ada");
	for (int n = 0; n < CROWD; n++) {
		struct user user = {.id = user_n(n)};

		any_must(username_read(&user, &any.call, any.store, &any.err));
		owners += user.username.size > 0;
		ck_assert(fn_bytes_equal(user.id, found.id) == (user.username.size > 0));
	}
	ck_assert_int_eq(owners, 1);
}
END_TEST

static const struct tokens_config prices = {.image = PRICE, .signup = SIGNUP};

static bool
spend(int n)
{
	struct fn_bytes creation = fn_bytes(fn_textf(any.call.arena, "img_%d", n));
	struct tokens_hold paid;

	return any_store_open() &&
	       (tokens_hold(&paid, &any.call, any.store, &prices, PRICE, "image", FN_BYTES(USER),
			creation, fn_unix_ms() + 60000, &any.err) ||
		       any.err.code == FN_PAYMENT_REQUIRED);
}

/* Of many who spend the last tokens at once as many may as there are tokens for. */
START_TEST(tokens_are_spent_once)
{
	any_store_use(_i);
	crowd(spend);
	struct ledger ledger = ledger_check(any.store, &any.call, USER);

	ck_assert_int_eq(ledger.balance, SIGNUP % PRICE);
	ck_assert_uint_eq(ledger.debits, SIGNUP / PRICE);
}
END_TEST

int
main(void)
{
	struct suite_case cases[] = {
		{.test = name_goes_to_one},
		{.test = tokens_are_spent_once},
	};

	return any_store_suite("names and tokens", cases, COUNT(cases));
}
