/* The proof that the ledger adds up, as an operator asks for it. */
#include "domain/tokens.h"
#include "fn/clock.h"
#include "tests/support/phoenixctl.h"
#include "tests/support/suite.h"

#include <string.h>

#define SIGNUP 25

static struct document_store *documents;
static struct fn_call call;
static struct fn_error err;

static void
must(bool done)
{
	ck_assert_msg(done, "%s", err.message);
}

/* Spends 10 on it and, if it is so, gets them back. */
static void
buy(const char *user, const char *creation, bool refund)
{
	struct writes debit = {0}, back = {0};
	struct tokens tokens;

	must(tokens_read(&tokens, &call, documents, fn_bytes(user), SIGNUP, &err));
	must(tokens_debit(&tokens, &call, &debit, 10, "video", fn_bytes(creation), &err));
	must(writes_commit(&debit, &call, documents, &err));
	if (!refund)
		return;
	must(tokens_read(&tokens, &call, documents, fn_bytes(user), SIGNUP, &err));
	tokens_refund(&tokens, &call, &back, 10, fn_bytes(creation));
	must(writes_commit(&back, &call, documents, &err));
}

static void
setup(void)
{
	struct document_store_config config = {.emulator_host = ""};

	call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 30000};
	phoenixctl_prepare(call.arena, "redis://127.0.0.1:1"); /* which is not needed */
	config.url = phoenixctl_settings[CTL_STORE] + strlen("STORE_URL=");
	must(document_store_open(&documents, &config, NULL, NULL, &err));
	buy("ann", "vid_1", true);
	buy("ann", "vid_2", false);
	buy("ben", "vid_3", false);
}

static void
teardown(void)
{
	document_store_close(documents);
	fn_arena_drop(call.arena);
}

/* What is right is said to be, for all and for one. */
START_TEST(right_ledger_is_proved)
{
	ck_assert_str_eq(
		phoenixctl_says("ledger check"), "2 users, 6 entries: 0 ledgers are wrong.\n");
	ck_assert_str_eq(phoenixctl_says("ledger check --user ben"),
		"1 users, 2 entries: 0 ledgers are wrong.\n");
	phoenixctl_includes("ledger check --json", "{\"users\":2,\"entries\":6,\"wrong\":0}");
}
END_TEST

/* Where there is nothing, nothing is proved. */
START_TEST(no_ledger_is_no_proof)
{
	phoenixctl_fails("ledger check --user nobody", 3, "the store has no ledger of nobody");
	phoenixctl_settings[CTL_STORE] =
		fn_textf(call.arena, "%s.of-nobody", phoenixctl_settings[CTL_STORE]);
	phoenixctl_fails("ledger check", 3, "the store has no ledger");
}
END_TEST

static const struct {
	const char *collection, *id;
	const char *field; /* NULL: the document is deleted */
	int value;
	const char *said;
} tamperings[] = {
	{"balances", "ann", "tokens", 16, "ann: the balance is 16, the sum is 15\n"},
	{"balances", "ann", "entries", 5, "ann: the balance counts 5 entries, there are 4\n"},
	{"balances", "ann", NULL, 0, "ann: the balance counts 0 entries, there are 4\n"},
	{"ledger", "vid_1.refund", NULL, 0, "ann: vid_2.debit: is number 4 where 3 is wanted\n"},
	{"ledger", "vid_2.debit", NULL, 0, "ann: the balance counts 4 entries, there are 3\n"},
	{"ledger", "ann.signup", NULL, 0, "ann: vid_1.debit: is number 2 where 1 is wanted\n"},
	{"ledger", "vid_1.debit", "amount", -9, "ann: vid_1.debit: says 15, the sum is 16\n"},
	{"ledger", "vid_1.debit", "balance", 0, "ann: vid_1.debit: says 0, the sum is 15\n"},
	{"ledger", "vid_2.debit", "number", 3, "is number 3 where 4 is wanted\n"},
};

static void
tamper(const char *collection, const char *id, const char *field, int value)
{
	struct document document;
	struct document_write write = {.kind = field ? DOCUMENT_REPLACE : DOCUMENT_DELETE,
		.collection = collection,
		.id = fn_bytes(id)};

	must(document_store_get(documents, &call, collection, fn_bytes(id), &document, &err));
	if (field)
		json_object_set_new(document.fields, field, json_integer(value));
	write.fields = document.fields;
	must(document_store_commit(documents, &call, &write, 1, &err));
}

/* Whatever is changed behind its back is noticed, and whose it is. */
START_TEST(wrong_ledger_is_noticed)
{
	tamper(tamperings[_i].collection, tamperings[_i].id, tamperings[_i].field,
		tamperings[_i].value);
	for (int all = 0; all < 2; all++) {
		struct phoenixctl_answer answer =
			phoenixctl_ask(all ? "ledger check" : "ledger check --user ann");

		ck_assert_int_eq(answer.status, 1);
		ck_assert_msg(strstr(answer.said, tamperings[_i].said), "%s", answer.said);
		ck_assert_ptr_nonnull(strstr(answer.said, "1 ledgers are wrong"));
		ck_assert_str_eq(answer.complained, "phoenixctl: the ledger does not add up\n");
	}
	phoenixctl_says("ledger check --user ben");
	ck_assert_ptr_nonnull(strstr(phoenixctl_ask("ledger check --json").said, "\"wrong\":1}"));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = right_ledger_is_proved},
		{.test = no_ledger_is_no_proof},
		{.test = wrong_ledger_is_noticed, .rows = COUNT(tamperings)},
	};

	return suite_run_with("phoenixctl ledger", cases, COUNT(cases), setup, teardown);
}
