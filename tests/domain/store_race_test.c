/* Names and tokens while many want the same at once and processes are killed in the middle, over
 * every kind of store. */
#include "domain/ledger_audit.h"
#include "domain/tokens_hold.h"
#include "domain/username.h"
#include "fn/clock.h"
#include "tests/support/children.h"
#include "tests/support/firestore_emulator.h"
#include "tests/support/ledger.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CROWD 64
#define DEATHS 12
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

static struct tokens_config prices = {.image = PRICE, .signup = SIGNUP};

static bool
hold(struct tokens_hold *paid, int n)
{
	const char *creation = fn_textf(call.arena, "img_%d_%d", (int)getpid(), n);

	return tokens_hold(paid, &call, store, &prices, PRICE, "image", FN_BYTES(USER),
		fn_bytes(creation), fn_unix_ms() + 60000, &err);
}

static bool
spend(int n)
{
	struct tokens_hold paid;

	return open_store() && (hold(&paid, n) || err.code == FN_PAYMENT_REQUIRED);
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

/* ---- Deaths -------------------------------------------------------------------------------- */

static bool
buy(int n)
{
	struct writes writes = {0};
	struct tokens_hold paid;

	TRY(hold(&paid, n));
	if (n % 2 == 0) {
		tokens_hold_refund(&paid, &call, store);
		return true;
	}
	TRY(tokens_hold_keep(&paid, &call, store, &writes, &err));
	return writes_commit(&writes, &call, store, &err);
}

/* Takes other names and spends tokens, until it is killed. */
_Noreturn static void
live(void)
{
	static const char *const names[] = {"ada", "countess", "lovelace", "analyst"};
	struct user user = {.id = FN_BYTES(USER)};
	bool ok = open_store();

	for (int n = 0; ok; n++) {
		ok = username_claim(&user, &call, store, fn_bytes(names[n % 4]), &err);
		ok = ok && buy(n);
	}
	fprintf(stderr, "%s\n", err.message);
	_exit(1);
}

static void
kill_one(int backend)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0)
		live();
	usleep((backend == 0 ? 5000 : 50000) + arc4random_uniform(backend == 0 ? 30000 : 200000));
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* One name in use, which is the profile's, and at most one held. */
static void
assert_names_agree(void)
{
	const struct document_query query = {
		.collection = "usernames",
		.filters = {{"user_id", json_string(USER)}},
		.filter_count = 1,
		.limit = DOCUMENT_PAGE_MOST,
	};
	struct user user = {.id = FN_BYTES(USER)}, found;
	struct document_page page;
	size_t used = 0;

	must(document_store_query(store, &call, &query, &page, &err));
	json_decref(query.filters[0].value);
	for (size_t i = 0; i < page.count; i++)
		used += json_integer_value(
				json_object_get(page.documents[i].fields, "held_until_ms")) == 0;
	must(username_read(&user, &call, store, &err));
	ck_assert_uint_eq(used, user.username.size > 0);
	ck_assert_uint_le(page.count - used, 1);
	if (used > 0) {
		must(username_find(&found, &call, store, user.username, &err));
		ck_assert_bytes_eq(found.id, USER);
	}
}

static void
tell(void *with, struct fn_bytes user, const char *sentence)
{
	(void)with;
	ck_abort_msg("%.*s: %s", FN_ARG(user), sentence);
}

/* Wherever a process is killed, the names agree and the ledger adds up. */
START_TEST(killed_process_leaves_no_half)
{
	struct ledger_audit audit = {.tell = tell};

	prices.signup = 1000000;
	use(_i);
	for (int n = 0; n < DEATHS; n++) {
		close_store();
		kill_one(_i);
		must(open_store());
		assert_names_agree();
		must(ledger_audit_all(&audit, &call, store, &err));
	}
	ck_assert_uint_eq(audit.wrong, 0);
}
END_TEST

int
main(void)
{
	const char *why;

	emulator = firestore_emulator_start(&why);
	size_t each = emulator ? 2 : 1;
	const struct suite_case cases[] = {
		{name_goes_to_one, each, NULL, teardown},
		{tokens_are_spent_once, each, NULL, teardown},
		{killed_process_leaves_no_half, each, NULL, teardown},
	};

	if (!emulator)
		suite_skipped(COUNT(cases), why);
	int status = suite_run("names and tokens", cases, COUNT(cases));
	firestore_emulator_stop(emulator);
	return status;
}
