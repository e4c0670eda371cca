/* Names and tokens while many want the same at once, over every kind of store. */
#include "domain/tokens_hold.h"
#include "domain/username.h"
#include "fn/clock.h"
#include "tests/support/children.h"
#include "tests/support/firestore_emulator.h"
#include "tests/support/ledger.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <stdio.h>
#include <unistd.h>

#define CROWD 64
#define USER "user_7"
#define PRICE 10
#define SIGNUP 25

static struct firestore_emulator *emulator; /* NULL: it cannot be had here */
static struct document_store_config config;
static struct fn_http_client *http;
static struct document_store *store;
static struct fn_call call;
static struct fn_error err;

static void
must(bool done)
{
	ck_assert_msg(done, "%s", err.message);
}

static bool
open_store(void)
{
	call.deadline_ms = fn_now_ms() + 50000;
	return fn_http_client_open(&http, &err) &&
	       document_store_open(&store, &config, NULL, http, &err);
}

static void
close_store(void)
{
	document_store_close(store);
	fn_http_client_close(http);
}

static void
use(int backend)
{
	call.arena = fn_arena_new();
	config.emulator_host = emulator ? firestore_emulator_host(emulator) : "";
	config.url = backend == 0 ? fn_textf(call.arena, "sqlite:%s/store.db", temp_folder())
				  : firestore_emulator_store();
	must(open_store());
}

static void
teardown(void)
{
	close_store();
	fn_arena_drop(call.arena);
}

/* Runs so many processes at once, each with a store of its own. */
static void
crowd(bool (*work)(int n))
{
	close_store();
	children_run(CROWD, work, &err);
	must(open_store());
}

static struct fn_bytes
user_n(int n)
{
	return fn_bytes(fn_textf(call.arena, "user_%d", n));
}

/* ---- Races --------------------------------------------------------------------------------- */

static bool
claim_ada(int n)
{
	struct user user = {.id = user_n(n)};

	return open_store() && (username_claim(&user, &call, store, FN_BYTES("ada"), &err) ||
				       err.code == FN_CONFLICT);
}

/* Of many who want a name at once one has it. */
START_TEST(name_goes_to_one)
{
	struct user found;
	int owners = 0;

	use(_i);
	crowd(claim_ada);
	must(username_find(&found, &call, store, FN_BYTES("ada"), &err));
	ck_assert_bytes_eq(found.username, "ada");
	for (int n = 0; n < CROWD; n++) {
		struct user user = {.id = user_n(n)};

		must(username_read(&user, &call, store, &err));
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
	struct fn_bytes creation = fn_bytes(fn_textf(call.arena, "img_%d", n));
	struct tokens_hold paid;

	return open_store() && (tokens_hold(&paid, &call, store, &prices, PRICE, "image",
					FN_BYTES(USER), creation, fn_unix_ms() + 60000, &err) ||
				       err.code == FN_PAYMENT_REQUIRED);
}

/* Of many who spend the last tokens at once as many may as there are tokens for. */
START_TEST(tokens_are_spent_once)
{
	use(_i);
	crowd(spend);
	struct ledger ledger = ledger_check(store, &call, USER);

	ck_assert_int_eq(ledger.balance, SIGNUP % PRICE);
	ck_assert_uint_eq(ledger.debits, SIGNUP / PRICE);
}
END_TEST

int
main(void)
{
	const char *why;

	emulator = firestore_emulator_start(&why);
	size_t each = emulator ? 2 : 1;
	const struct suite_case cases[] = {
		{.test = name_goes_to_one, .rows = each},
		{.test = tokens_are_spent_once, .rows = each},
	};

	if (!emulator)
		suite_skipped(COUNT(cases), why);
	int status = suite_run_with("names and tokens", cases, COUNT(cases), NULL, teardown);
	firestore_emulator_stop(emulator);
	return status;
}
