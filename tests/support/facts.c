#include "tests/support/facts.h"

#include "domain/creation.h"
#include "tests/support/ledger.h"
#include "tests/support/suite.h"

#include <stdarg.h>
#include <stdio.h>

struct facts {
	struct document_store *store;
	struct object_store *objects;
	struct fn_call *call;
	struct fn_builder text;
};

static struct document_page
read_all(const struct facts *facts, const char *collection)
{
	const struct document_query query = {.collection = collection, .limit = DOCUMENT_PAGE_MOST};
	struct document_page page;
	struct fn_error err = {0};
	bool ok = document_store_query(facts->store, facts->call, &query, &page, &err);

	ck_assert_msg(ok && page.next.size == 0, "%s: %s", collection, err.message);
	return page;
}

static const char *
text_of(const struct document *document, const char *field)
{
	return json_string_value(json_object_get(document->fields, field));
}

static int64_t
number_of(const struct document *document, const char *field)
{
	return json_integer_value(json_object_get(document->fields, field));
}

__attribute__((format(printf, 2, 3))) static void
add_fact(struct facts *facts, const char *format, ...)
{
	char fact[64];
	va_list rest;

	va_start(rest, format);
	vsnprintf(fact, sizeof(fact), format, rest);
	va_end(rest);
	fn_addf(&facts->text, "%s%s", facts->text.size > 0 ? ", " : "", fact);
}

static void
add_tokens(struct facts *facts)
{
	struct document_page balances = read_all(facts, "balances");
	int64_t balance = ledger_check(facts->store, facts->call, FACTS_USER).balance, held = 0;
	json_t *open;
	size_t i;

	if (balances.count == 0)
		return;
	ck_assert_uint_eq(balances.count, 1);
	json_array_foreach(json_object_get(balances.documents[0].fields, "open"), i, open)
	{
		held += json_integer_value(json_object_get(open, "amount"));
	}
	add_fact(facts, "%d tokens", (int)balance);
	if (held > 0)
		add_fact(facts, "%d held", (int)held);
}

static void
add_names(struct facts *facts)
{
	struct document_page profiles = read_all(facts, "users"),
			     names = read_all(facts, "usernames");

	for (size_t i = 0; i < profiles.count; i++)
		add_fact(facts, "called %s", text_of(&profiles.documents[i], "username"));
	for (size_t i = 0; i < names.count; i++) {
		const struct document *name = &names.documents[i];

		ck_assert_str_eq(text_of(name, "user_id"), FACTS_USER);
		add_fact(facts, "%s %.*s", number_of(name, "held_until_ms") ? "holds" : "owns",
			FN_ARG(name->id));
	}
}

static void
add_creations(struct facts *facts)
{
	struct document_page creations = read_all(facts, CREATIONS);

	ck_assert_uint_le(creations.count, 1);
	if (creations.count == 0)
		return;
	const struct document *made = &creations.documents[0];
	bool published = json_is_true(json_object_get(made->fields, "published"));

	ck_assert(json_is_true(json_object_get(made->fields, "listed")) == published);
	add_fact(facts, "%s", published ? "published" : text_of(made, "status"));
	if (number_of(made, "likes") > 0)
		add_fact(facts, "%d shown", (int)number_of(made, "likes"));
}

static void
add_likes(struct facts *facts)
{
	struct document_page likes = read_all(facts, "likes"),
			     counters = read_all(facts, "like_counters");
	int64_t counted = 0;

	for (size_t i = 0; i < counters.count; i++)
		counted += number_of(&counters.documents[i], "likes");
	if (likes.count > 0)
		add_fact(facts, "%zu like", likes.count);
	if (counters.count > 0)
		add_fact(facts, "%d counted", (int)counted);
}

static void
add_deletion(struct facts *facts)
{
	struct fn_bytes bytes;
	struct fn_error err;

	if (read_all(facts, "deletions").count > 0)
		add_fact(facts, "noted");
	if (object_store_get(
		    facts->objects, facts->call, FN_BYTES(FACTS_OBJECT), 100, &bytes, &err))
		add_fact(facts, "stored");
}

static void
add_keys(struct facts *facts)
{
	struct document_page keys = read_all(facts, "idempotency");

	for (size_t i = 0; i < keys.count; i++)
		add_fact(facts, "key %s",
			number_of(&keys.documents[i], "working_until_ms") ? "at work" : "done");
}

const char *
facts_of(struct document_store *store, struct object_store *objects, struct fn_call *call)
{
	struct facts facts = {store, objects, call, {.arena = call->arena}};

	add_tokens(&facts);
	add_names(&facts);
	add_creations(&facts);
	add_likes(&facts);
	add_deletion(&facts);
	add_keys(&facts);
	return fn_text(call->arena, fn_built(&facts.text));
}
