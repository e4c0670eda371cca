/* What document_store.h promises of queries, for every backend. */
#include "adapters/document_store_indexes.h"
#include "adapters/wire/json.h"
#include "tests/support/any_store.h"
#include "tests/support/suite.h"

/* Some that tie, some without the field that is ordered by, some of another collection. */
static const struct {
	const char *collection, *id, *fields;
} shelf[] = {
	{"things", "a", "{\"kind\":\"box\",\"rank\":3,\"name\":\"kiwi\",\"open\":true}"},
	{"things", "b", "{\"kind\":\"box\",\"rank\":1,\"name\":\"fig\",\"open\":false}"},
	{"things", "c", "{\"kind\":\"jar\",\"rank\":3,\"name\":\"apple\",\"open\":true}"},
	{"things", "d", "{\"kind\":\"box\",\"rank\":3,\"name\":\"Fig\",\"open\":true}"},
	{"things", "e", "{\"kind\":\"box\",\"rank\":-20,\"name\":\"f\",\"open\":true}"},
	{"things", "f", "{\"kind\":\"box\",\"rank\":1795498618123,\"name\":null,\"open\":true}"},
	{"things", "g", "{\"kind\":\"box\",\"name\":\"\u00e9clair\",\"open\":false}"},
	{"others", "h", "{\"kind\":\"box\",\"rank\":2,\"name\":\"plum\",\"open\":true}"},
};

static void
fill_shelf(void)
{
	for (size_t i = 0; i < COUNT(shelf); i++) {
		struct document_write write = any_create(shelf[i].id, 0);

		write.collection = shelf[i].collection;
		write.fields = json_keep(any.call.arena, json_loads(shelf[i].fields, 0, NULL));
		any_committed(write);
	}
}

static const struct shelf_query {
	const char *filters; /* a JSON object */
	const char *order_by;
	bool descending;
	const char *ids;      /* in order, a letter each */
	const char *start_at; /* JSON; NULL: none */
} queries[] = {
	{"{}", NULL, false, "abcdefg", NULL},
	{"{}", "rank", false, "ebacdf", NULL},
	{"{}", "rank", true, "fdcabe", NULL},
	{"{}", "name", false, "dcebag", NULL},
	{"{\"kind\":\"box\"}", "rank", false, "ebadf", NULL},
	{"{\"kind\":\"box\",\"open\":true}", "rank", true, "fdae", NULL},
	{"{\"open\":false}", NULL, false, "bg", NULL},
	{"{\"rank\":3}", "name", true, "acd", NULL},
	{"{\"rank\":3,\"kind\":\"jar\",\"name\":\"apple\",\"open\":true}", NULL, false, "c", NULL},
	{"{\"kind\":\"tin\"}", "rank", false, "", NULL},
	{"{\"rank\":\"3\"}", NULL, false, "", NULL},
	{"{\"colour\":\"red\"}", NULL, false, "", NULL},
	{"{}", "colour", false, "", NULL},
	{"{}", "rank", false, "acdf", "2"},
	{"{}", "rank", false, "acdf", "3"},
	{"{}", "rank", true, "dcabe", "3"},
	{"{}", "rank", true, "be", "2"},
	{"{\"kind\":\"box\"}", "name", false, "bag", "\"fig\""},
	{"{}", "rank", false, "", "1795498618124"},
};

static struct document_query
query_of(const struct shelf_query *from, size_t limit)
{
	struct document_query query = {
		.collection = "things",
		.order_by = from->order_by,
		.descending = from->descending,
		.limit = limit,
	};
	if (from->start_at)
		query.start_at = json_keep(
			any.call.arena, json_loads(from->start_at, JSON_DECODE_ANY, NULL));
	json_t *filters = json_keep(any.call.arena, json_loads(from->filters, 0, NULL)), *value;
	const char *field;

	json_object_foreach(filters, field, value)
	{
		query.filters[query.filter_count++] = (struct document_filter){field, value};
	}
	return query;
}

static struct document_page
page_of(const struct document_query *query)
{
	struct document_page page;

	ck_assert_msg(document_store_query(any.store, &any.call, query, &page, &any.err), "%s",
		any.err.message);
	return page;
}

/* A query finds what fits, in its order, however large its pages are. */
START_TEST(query_finds_in_order)
{
	const struct shelf_query *c = &queries[any_store_use(_i)];

	fill_shelf();
	for (size_t limit = 1; limit <= COUNT(shelf); limit++) {
		struct document_query query = query_of(c, limit);
		struct fn_builder found = {.arena = any.call.arena};
		struct document_page page;

		do {
			page = page_of(&query);
			for (size_t i = 0; i < page.count; i++)
				fn_add(&found, page.documents[i].id);
			ck_assert(page.count == limit || page.next.size == 0);
			query.page_token = page.next;
		} while (page.next.size > 0);
		ck_assert_bytes_eq(fn_built(&found), c->ids);
	}
}
END_TEST

/* What a query finds is what a get would read. */
START_TEST(query_reads_documents)
{
	struct document document;

	any_store_use(_i);
	fill_shelf();
	struct document_query query = query_of(&queries[0], COUNT(shelf));
	struct document_page page = page_of(&query);

	for (size_t i = 0; i < page.count; i++) {
		const struct document *found = &page.documents[i];

		ck_assert(document_store_get(
			any.store, &any.call, "things", found->id, &document, &any.err));
		ck_assert(fn_bytes_equal(document.id, found->id));
		ck_assert_int_eq(document.version, found->version);
		ck_assert(json_equal(document.fields, found->fields));
	}
}
END_TEST

/* What comes and goes between two pages neither repeats nor hides what stays. */
START_TEST(pages_are_stable)
{
	any_store_use(_i);
	fill_shelf();
	struct document_query query = query_of(&queries[1], 3); /* e b a, c d f */
	struct document_page first = page_of(&query);

	any_committed(any_delete("a", 0));
	any_committed(any_delete("e", 0));
	struct document_write late = any_create("0", 0);
	late.fields = json_keep(any.call.arena, json_pack("{s:i}", "rank", -30));
	any_committed(late);
	query.page_token = first.next;
	struct document_page second = page_of(&query);

	ck_assert_uint_eq(second.count, 3);
	ck_assert_bytes_eq(second.documents[0].id, "c");
	ck_assert_bytes_eq(second.documents[2].id, "f");
	ck_assert_uint_eq(second.next.size, 0);
}
END_TEST

/* A token that no page of this query has given is refused. */
START_TEST(foreign_page_token_is_refused)
{
	static const char *const tokens[] = {"x", "{}", "[]", "[3]", "[null,\"a\"]", "[3,7]",
		"[3,\"a/b\"]", "[3,\"a\",1]", "[[],\"a\"]", "[true,\"a\"]", "[3,\"a\"]]"};
	struct document_page page = {.count = 7};

	any_store_use(_i);
	fill_shelf();
	for (size_t i = 0; i < COUNT(tokens); i++) {
		struct document_query query = query_of(&queries[1], 2);

		query.page_token = fn_bytes(tokens[i]);
		ck_assert_msg(!document_store_query(any.store, &any.call, &query, &page, &any.err),
			"%s", tokens[i]);
		ck_assert_msg(any.err.code == FN_INVALID, "%s: %s", tokens[i], any.err.message);
		ck_assert_uint_eq(page.count, 7);
	}
}
END_TEST

int
main(void)
{
	struct suite_case cases[] = {
		{.test = query_finds_in_order, .rows = COUNT(queries)},
		{.test = query_reads_documents},
		{.test = pages_are_stable},
		{.test = foreign_page_token_is_refused},
	};

	document_store_indexes_pretend();
	return any_store_suite("document store's queries", cases, COUNT(cases));
}
