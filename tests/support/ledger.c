#include "tests/support/ledger.h"

#include "tests/support/suite.h"

#include <string.h>

static void
count(struct ledger *ledger, const json_t *entry)
{
	const char *reason = json_string_value(json_object_get(entry, "reason"));

	ledger->entries++;
	ledger->balance += json_integer_value(json_object_get(entry, "amount"));
	ledger->signups += strcmp(reason, "signup") == 0;
	ledger->debits += strcmp(reason, "video") == 0 || strcmp(reason, "image") == 0;
	ledger->refunds += strcmp(reason, "refund") == 0;
	ck_assert_int_eq(
		json_integer_value(json_object_get(entry, "number")), (int64_t)ledger->entries);
	ck_assert_int_ge(ledger->balance, 0);
	ck_assert_int_eq(json_integer_value(json_object_get(entry, "balance")), ledger->balance);
}

static void
compare(const struct ledger *ledger, struct document_store *documents, struct fn_call *call,
	const char *user)
{
	struct document document;
	struct fn_error err;

	if (ledger->entries == 0) {
		ck_assert(!document_store_get(
			documents, call, "balances", fn_bytes(user), &document, &err));
		return;
	}
	ck_assert_msg(
		document_store_get(documents, call, "balances", fn_bytes(user), &document, &err),
		"%s", err.message);
	ck_assert_int_eq(
		json_integer_value(json_object_get(document.fields, "tokens")), ledger->balance);
	ck_assert_int_eq(json_integer_value(json_object_get(document.fields, "entries")),
		(int64_t)ledger->entries);
}

struct ledger
ledger_check(struct document_store *documents, struct fn_call *call, const char *user)
{
	struct document_query query = {
		.collection = "ledger",
		.filters = {{"user_id", json_string(user)}},
		.filter_count = 1,
		.order_by = "number",
		.limit = DOCUMENT_PAGE_MOST,
	};
	struct ledger ledger = {0};
	struct document_page page;
	struct fn_error err;

	do {
		ck_assert_msg(document_store_query(documents, call, &query, &page, &err), "%s",
			err.message);
		for (size_t i = 0; i < page.count; i++)
			count(&ledger, page.documents[i].fields);
		query.page_token = page.next;
	} while (page.next.size > 0);
	json_decref(query.filters[0].value);
	compare(&ledger, documents, call, user);
	return ledger;
}
