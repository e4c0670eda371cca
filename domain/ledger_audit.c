#include "domain/ledger_audit.h"

#include "domain/fields.h"
#include "domain/tokens.h"
#include "fn/retry.h"

#include <inttypes.h>

#define ROUNDS 20 /* with somebody who spends meanwhile */
#define SENTENCE_SIZE 160

/* ---- One user ------------------------------------------------------------------------------ */

/* The first thing that is wrong is kept; there is a reason for whatever follows. */
struct sum {
	int64_t entries, tokens;
	char wrong[SENTENCE_SIZE]; /* empty: nothing */
};

static void
add(struct sum *sum, const struct document *entry)
{
	struct fields from = {entry->fields, NULL};
	int64_t number = fields_number(&from, "number"), amount = fields_number(&from, "amount");
	int64_t balance = fields_number(&from, "balance");

	sum->entries++;
	sum->tokens += amount;
	if (sum->wrong[0])
		return;
	if (from.wrong)
		snprintf(sum->wrong, sizeof(sum->wrong), "%.*s: no usable %s in it",
			FN_ARG(entry->id), from.wrong);
	else if (number != sum->entries)
		snprintf(sum->wrong, sizeof(sum->wrong),
			"%.*s: is number %" PRId64 " where %" PRId64 " is wanted",
			FN_ARG(entry->id), number, sum->entries);
	else if (balance != sum->tokens || balance < 0)
		snprintf(sum->wrong, sizeof(sum->wrong),
			"%.*s: says %" PRId64 ", the sum is %" PRId64, FN_ARG(entry->id), balance,
			sum->tokens);
}

static bool
add_entries(struct sum *sum, struct fn_call *call, struct document_store *documents,
	struct fn_bytes user, struct fn_error *err)
{
	struct document_query query = {
		.collection = LEDGER,
		.filters = {{"user_id", fields_keep(call, fields_text_or_null(user))}},
		.filter_count = 1,
		.order_by = "number",
		.limit = DOCUMENT_PAGE_MOST,
	};
	struct document_page page;

	do {
		TRY(document_store_query(documents, call, &query, &page, err));
		for (size_t i = 0; i < page.count; i++)
			add(sum, &page.documents[i]);
		query.page_token = page.next;
	} while (page.next.size > 0);
	return true;
}

static void
compare(struct sum *sum, const struct tokens *tokens)
{
	if (sum->wrong[0])
		return;
	if (tokens->entries != sum->entries)
		snprintf(sum->wrong, sizeof(sum->wrong),
			"the balance counts %" PRId64 " entries, there are %" PRId64,
			tokens->entries, sum->entries);
	else if (tokens->balance != sum->tokens)
		snprintf(sum->wrong, sizeof(sum->wrong),
			"the balance is %" PRId64 ", the sum is %" PRId64, tokens->balance,
			sum->tokens);
}

/* Who has no balance yet has the version 0 and, as nothing is granted here, nothing. */
static bool
sum_up(struct sum *sum, struct fn_call *call, struct document_store *documents,
	struct fn_bytes user, struct fn_error *err)
{
	struct tokens before, after;

	for (int round = 0; round < ROUNDS; round++) {
		*sum = (struct sum){0};
		TRY(tokens_read(&before, call, documents, user, 0, err));
		TRY(add_entries(sum, call, documents, user, err));
		TRY(tokens_read(&after, call, documents, user, 0, err));
		if (before.version == after.version) {
			compare(sum, &after);
			return true;
		}
	}
	return fn_fail(err, FN_BUSY, "%.*s: spends all the time", FN_ARG(user));
}

bool
ledger_audit_user(struct ledger_audit *audit, struct fn_call *call,
	struct document_store *documents, struct fn_bytes user, struct fn_error *err)
{
	struct fn_call own = *call;
	struct sum sum;

	own.arena = fn_arena_new();
	bool ok = sum_up(&sum, &own, documents, user, err);

	fn_arena_drop(own.arena);
	TRY(ok);
	audit->users += sum.entries > 0;
	audit->entries += (size_t)sum.entries;
	audit->wrong += sum.wrong[0] != '\0';
	if (sum.wrong[0])
		audit->tell(audit->with, user, sum.wrong);
	return true;
}

/* ---- All ----------------------------------------------------------------------------------- */

static bool
audit_page(struct ledger_audit *audit, struct fn_call *call, struct document_store *documents,
	const struct document_page *page, struct fn_error *err)
{
	for (size_t i = 0; i < page->count; i++)
		TRY(ledger_audit_user(audit, call, documents, page->documents[i].id, err));
	return true;
}

/* Those whose ledger has no balance beside it: each ledger has a first entry. */
static bool
audit_orphans(struct ledger_audit *audit, struct fn_call *call, struct document_store *documents,
	const struct document_page *page, struct fn_error *err)
{
	struct tokens tokens;

	for (size_t i = 0; i < page->count; i++) {
		struct fields from = {page->documents[i].fields, NULL};
		struct fn_bytes user = fields_text(&from, "user_id");

		TRY(tokens_read(&tokens, call, documents, user, 0, err));
		if (tokens.version == 0)
			TRY(ledger_audit_user(audit, call, documents, user, err));
	}
	return true;
}

typedef bool page_audit(struct ledger_audit *, struct fn_call *, struct document_store *,
	const struct document_page *, struct fn_error *);

static bool
audit_pages(struct ledger_audit *audit, struct fn_call *call, struct document_store *documents,
	struct document_query *query, page_audit *audit_each, struct fn_error *err)
{
	struct document_page page;

	query->limit = DOCUMENT_PAGE_MOST;
	do {
		TRY(document_store_query(documents, call, query, &page, err));
		TRY(audit_each(audit, call, documents, &page, err));
		query->page_token = page.next;
	} while (page.next.size > 0);
	return true;
}

bool
ledger_audit_all(struct ledger_audit *audit, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	struct document_query balances = {.collection = BALANCES};
	struct document_query firsts = {
		.collection = LEDGER,
		.filters = {{"number", fields_keep(call, json_integer(1))}},
		.filter_count = 1,
	};

	TRY(audit_pages(audit, call, documents, &balances, audit_page, err));
	return audit_pages(audit, call, documents, &firsts, audit_orphans, err);
}
