/* What document_store.h promises, for every backend. */
#include "adapters/document_store.h"
#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <pthread.h>
#include <stdio.h>

/* ---- Backends ---- */

static char url_text[4200];

static const char *
sqlite_url(void)
{
	snprintf(url_text, sizeof(url_text), "sqlite:%s/store.db", temp_folder());
	return url_text;
}

static const struct {
	const char *name;
	const char *(*url)(void); /* of a new, empty store */
} backends[] = {
	{"sqlite", sqlite_url},
};

/* ---- A store and a call for each row ---- */

static struct document_store_config config;
static struct document_store *store;
static struct fn_call call;
static struct fn_error err;

static void
open_store(void)
{
	ck_assert_msg(document_store_open(&store, &config, NULL, NULL, &err), "%s", err.message);
}

static void
use(int backend)
{
	config.url = backends[backend].url();
	open_store();
	call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 30000};
}

static void
teardown(void)
{
	document_store_close(store);
	fn_arena_drop(call.arena);
}

static json_t *
fields_n(int n)
{
	return json_keep(call.arena, json_pack("{s:i}", "n", n));
}

static struct document_write
create(const char *id, int n)
{
	return (struct document_write){
		.kind = DOCUMENT_CREATE,
		.collection = "things",
		.id = fn_bytes(id),
		.fields = fields_n(n),
	};
}

static struct document_write
replace(const char *id, int n, int64_t if_version)
{
	return (struct document_write){
		.kind = DOCUMENT_REPLACE,
		.collection = "things",
		.id = fn_bytes(id),
		.fields = fields_n(n),
		.if_version = if_version,
	};
}

static struct document_write delete (const char *id, int64_t if_version)
{
	return (struct document_write){
		.kind = DOCUMENT_DELETE,
		.collection = "things",
		.id = fn_bytes(id),
		.if_version = if_version,
	};
}

static bool
commit(struct document_write write)
{
	return document_store_commit(store, &call, &write, 1, &err);
}

/* The version that the store gave to a write that must succeed. */
static int64_t
committed(struct document_write write)
{
	ck_assert_msg(document_store_commit(store, &call, &write, 1, &err), "%s", err.message);
	return write.version;
}

/* The number in a document, -1 where there is none. */
static int
number_of(const char *id)
{
	struct document document;

	if (document_store_get(store, &call, "things", fn_bytes(id), &document, &err))
		return (int)json_integer_value(json_object_get(document.fields, "n"));
	ck_assert_msg(err.code == FN_NOT_FOUND, "%s", err.message);
	return -1;
}

/* ---- Tests ---- */

/* A document is read as it was written, also by who opens the store later. */
START_TEST(document_comes_back_as_written)
{
	static const char *const texts[] = {
		"{}",
		"{\"text\":\"sch\xc3\xb6n \xf0\x9f\xa6\x8a \\\"quoted\\\" \\n "
		"\\u0001\",\"empty\":\"\"}",
		"{\"most\":9223372036854775807,\"least\":-9223372036854775808,\"real\":0.1}",
		"{\"null\":null,\"yes\":true,\"no\":false,\"list\":[1,[],{}],\"map\":{\"b\":1,"
		"\"a\":2}}",
	};

	use(_i);
	for (size_t i = 0; i < COUNT(texts); i++) {
		json_t *fields = json_keep(call.arena, json_loads(texts[i], 0, NULL));
		struct fn_bytes id = fn_bytes(fn_textf(call.arena, "d%zu", i));
		struct document_write write = {.kind = DOCUMENT_CREATE,
			.collection = "things",
			.id = id,
			.fields = fields};
		struct document document;
		int64_t version = committed(write);

		document_store_close(store);
		open_store();
		ck_assert(document_store_get(store, &call, "things", id, &document, &err));
		ck_assert_msg(json_equal(document.fields, fields), "%s", texts[i]);
		ck_assert_int_eq(document.version, version);
		ck_assert_int_ne(document.version, 0);
	}
}
END_TEST

/* What a write presumes is checked; a write that is refused changes nothing. */
enum { ANY, CURRENT, STALE };
static const struct {
	const char *name;
	enum document_write_kind kind;
	bool exists;
	int if_version;
	enum fn_code code;
	int left; /* the number in the document afterwards; -1: none */
} presumptions[] = {
	{"create", DOCUMENT_CREATE, false, ANY, FN_OK, 2},
	{"create where one is", DOCUMENT_CREATE, true, ANY, FN_CONFLICT, 1},
	{"replace", DOCUMENT_REPLACE, true, ANY, FN_OK, 2},
	{"replace as read", DOCUMENT_REPLACE, true, CURRENT, FN_OK, 2},
	{"replace after a change", DOCUMENT_REPLACE, true, STALE, FN_PRECONDITION, 1},
	{"replace none", DOCUMENT_REPLACE, false, ANY, FN_PRECONDITION, -1},
	{"replace what was deleted", DOCUMENT_REPLACE, false, STALE, FN_PRECONDITION, -1},
	{"add", DOCUMENT_ADD, true, ANY, FN_OK, 3},
	{"add as read", DOCUMENT_ADD, true, CURRENT, FN_OK, 3},
	{"add after a change", DOCUMENT_ADD, true, STALE, FN_PRECONDITION, 1},
	{"add to none", DOCUMENT_ADD, false, ANY, FN_PRECONDITION, -1},
	{"delete", DOCUMENT_DELETE, true, ANY, FN_OK, -1},
	{"delete as read", DOCUMENT_DELETE, true, CURRENT, FN_OK, -1},
	{"delete after a change", DOCUMENT_DELETE, true, STALE, FN_PRECONDITION, 1},
	{"delete none", DOCUMENT_DELETE, false, ANY, FN_OK, -1},
	{"delete what was deleted", DOCUMENT_DELETE, false, STALE, FN_PRECONDITION, -1},
};
START_TEST(presumption_is_checked)
{
	use(_i % (int)COUNT(backends));
	__typeof__(&presumptions[0]) c = &presumptions[_i / (int)COUNT(backends)];
	int64_t stale = committed(create("d", 0));
	int64_t current = committed(replace("d", 1, stale));
	struct document_write write = create("d", 2);

	if (!c->exists)
		committed(delete ("d", current));
	write.kind = c->kind;
	write.if_version = (int64_t[]){0, current, stale}[c->if_version];
	bool ok = commit(write);
	ck_assert_msg(ok == (c->code == FN_OK), "%s", c->name);
	if (!ok) {
		ck_assert_msg(err.code == c->code, "%s: %s", c->name, err.message);
		ck_assert_msg(strstr(err.message, "things/d"), "%s: %s", c->name, err.message);
	}
	ck_assert_msg(number_of("d") == c->left, "%s: %d", c->name, number_of("d"));
}
END_TEST

/* What is added to a number, or to none, is all that an addition changes. */
START_TEST(addition_changes_its_numbers_only)
{
	struct document document;

	use(_i);
	struct document_write write = create("d", 0);

	write.fields = json_keep(call.arena,
		json_pack("{s:i, s:s, s:n, s:{s:i}}", "n", 1, "text", "1", "none", "map", "n", 5));
	committed(write);
	write.kind = DOCUMENT_ADD;
	write.fields = json_keep(call.arena, json_pack("{s:i, s:i}", "n", -3, "new", 4));
	committed(write);
	committed(write);
	ck_assert(document_store_get(store, &call, "things", FN_BYTES("d"), &document, &err));
	json_t *wanted =
		json_keep(call.arena, json_pack("{s:i, s:s, s:n, s:{s:i}, s:i}", "n", -5, "text",
					      "1", "none", "map", "n", 5, "new", 8));
	ck_assert_msg(json_equal(document.fields, wanted), "%s",
		json_dumps(document.fields, JSON_COMPACT));
}
END_TEST

/* Many are read at once, whatever the collection, also one twice; what is not there is empty. */
START_TEST(many_are_read_at_once)
{
	const struct document_name names[] = {
		{"things", FN_BYTES_INIT("b")},
		{"other", FN_BYTES_INIT("a")},
		{"things", FN_BYTES_INIT("none")},
		{"things", FN_BYTES_INIT("a")},
		{"things", FN_BYTES_INIT("b")},
	};
	static const int numbers[] = {2, 3, -1, 1, 2};
	struct document documents[COUNT(names)];

	use(_i);
	struct document_write other = create("a", 3);
	int64_t version = committed(create("b", 2));

	committed(create("a", 1));
	other.collection = "other";
	committed(other);
	ck_assert_msg(document_store_get_many(store, &call, names, COUNT(names), documents, &err),
		"%s", err.message);
	for (size_t i = 0; i < COUNT(names); i++) {
		const json_t *n = json_object_get(documents[i].fields, "n");

		ck_assert(fn_bytes_equal(documents[i].id, names[i].id));
		ck_assert_int_eq(documents[i].fields ? json_integer_value(n) : -1, numbers[i]);
		ck_assert_int_eq(documents[i].version == 0, numbers[i] == -1);
	}
	ck_assert_int_eq(documents[0].version, version);
	ck_assert(document_store_get_many(store, &call, NULL, 0, NULL, &err));
}
END_TEST

/* One refused write takes back the others of its commit, whether before or behind it. */
START_TEST(commit_is_all_or_nothing)
{
	use(_i);
	committed(create("there", 1));
	struct document_write writes[] = {
		create("new", 1),
		replace("there", 2, 0),
		create("there", 3),
		create("newer", 1),
	};

	ck_assert(!document_store_commit(store, &call, writes, COUNT(writes), &err));
	ck_assert_int_eq(err.code, FN_CONFLICT);
	ck_assert_int_eq(number_of("new"), -1);
	ck_assert_int_eq(number_of("newer"), -1);
	ck_assert_int_eq(number_of("there"), 1);
}
END_TEST

/* All writes of a commit that is accepted are there. */
START_TEST(commit_writes_all)
{
	use(_i);
	committed(create("old", 1));
	struct document_write writes[] = {create("a", 1), replace("old", 2, 0), create("b", 3)};

	ck_assert(document_store_commit(store, &call, writes, COUNT(writes), &err));
	ck_assert_int_eq(number_of("a"), 1);
	ck_assert_int_eq(number_of("old"), 2);
	ck_assert_int_eq(number_of("b"), 3);
}
END_TEST

/* No version comes twice, also when nothing changes and when a document is made anew. */
START_TEST(version_differs_after_each_write)
{
	int64_t versions[50];

	use(_i);
	versions[0] = committed(create("d", 1));
	for (size_t i = 1; i < COUNT(versions); i++) {
		if (i % 10 == 0) {
			committed(delete ("d", versions[i - 1]));
			versions[i] = committed(create("d", 1));
		} else {
			versions[i] = committed(replace("d", 1, versions[i - 1]));
		}
		for (size_t k = 0; k < i; k++)
			ck_assert_int_ne(versions[i], versions[k]);
	}
}
END_TEST

/* The same id in two collections is two documents. */
START_TEST(collections_do_not_meet)
{
	struct document document = {.version = -7};

	use(_i);
	committed(create("d", 1));
	ck_assert(!document_store_get(store, &call, "others", fn_bytes("d"), &document, &err));
	ck_assert_int_eq(err.code, FN_NOT_FOUND);
	ck_assert_int_eq(document.version, -7);
}
END_TEST

#define EIGHT "abcdefgh"
#define SIXTY_FOUR EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT

/* An id that not every backend could keep is refused by all. */
static const struct {
	const char *id;
	bool usable;
} ids[] = {
	{"a", true},
	{"img_01jd3k.A-Z~9", true},
	{SIXTY_FOUR SIXTY_FOUR, true},
	{SIXTY_FOUR SIXTY_FOUR "x", false},
	{"", false},
	{".", false},
	{"..", false},
	{"__reserved__", false},
	{"a/b", false},
	{"a b", false},
	{"a%2fb", false},
	{"\xc3\xa9", false},
	{"a\n", false},
};
START_TEST(id_is_kept_or_refused)
{
	use(_i % (int)COUNT(backends));
	const char *id = ids[_i / (int)COUNT(backends)].id;
	bool usable = ids[_i / (int)COUNT(backends)].usable;

	ck_assert_int_eq(number_of(id), -1);
	bool ok = commit(create(id, 1));
	ck_assert_msg(ok == usable, "\"%s\"", id);
	ck_assert(ok || err.code == FN_INVALID);
	ck_assert_int_eq(number_of(id), usable ? 1 : -1);
}
END_TEST

/* ---- Queries ---- */

/* Some that tie, some without the field that is ordered by, some of another collection. */
static const struct {
	const char *collection, *id, *fields;
} shelf[] = {
	{"things", "a", "{\"kind\":\"box\",\"rank\":3,\"name\":\"kiwi\",\"open\":true}"},
	{"things", "b", "{\"kind\":\"box\",\"rank\":1,\"name\":\"fig\",\"open\":false}"},
	{"things", "c", "{\"kind\":\"jar\",\"rank\":3,\"name\":\"apple\",\"open\":true}"},
	{"things", "d", "{\"kind\":\"box\",\"rank\":3,\"name\":\"Fig\",\"open\":true}"},
	{"things", "e", "{\"kind\":\"box\",\"rank\":-20,\"name\":\"f\",\"open\":true}"},
	{"things", "f", "{\"kind\":\"box\",\"rank\":1795498618123,\"open\":true}"},
	{"things", "g", "{\"kind\":\"box\",\"name\":\"\u00e9clair\",\"open\":false}"},
	{"others", "h", "{\"kind\":\"box\",\"rank\":2,\"name\":\"plum\",\"open\":true}"},
};

static void
fill_shelf(void)
{
	for (size_t i = 0; i < COUNT(shelf); i++) {
		struct document_write write = create(shelf[i].id, 0);

		write.collection = shelf[i].collection;
		write.fields = json_keep(call.arena, json_loads(shelf[i].fields, 0, NULL));
		committed(write);
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
	{"{}", NULL, true, "gfedcba", NULL},
	{"{}", "rank", false, "ebacdf", NULL},
	{"{}", "rank", true, "fdcabe", NULL},
	{"{}", "name", false, "dcebag", NULL},
	{"{\"kind\":\"box\"}", "rank", false, "ebadf", NULL},
	{"{\"kind\":\"box\",\"open\":true}", "rank", true, "fdae", NULL},
	{"{\"open\":false}", NULL, true, "gb", NULL},
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
		query.start_at =
			json_keep(call.arena, json_loads(from->start_at, JSON_DECODE_ANY, NULL));
	json_t *filters = json_keep(call.arena, json_loads(from->filters, 0, NULL)), *value;
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

	ck_assert_msg(document_store_query(store, &call, query, &page, &err), "%s", err.message);
	return page;
}

/* A query finds what fits, in its order, however large its pages are. */
START_TEST(query_finds_in_order)
{
	use(_i % (int)COUNT(backends));
	const struct shelf_query *c = &queries[_i / (int)COUNT(backends)];

	fill_shelf();
	for (size_t limit = 1; limit <= COUNT(shelf); limit++) {
		struct document_query query = query_of(c, limit);
		struct fn_builder found = {.arena = call.arena};
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

	use(_i);
	fill_shelf();
	struct document_query query = query_of(&queries[0], COUNT(shelf));
	struct document_page page = page_of(&query);

	for (size_t i = 0; i < page.count; i++) {
		const struct document *found = &page.documents[i];

		ck_assert(document_store_get(store, &call, "things", found->id, &document, &err));
		ck_assert(fn_bytes_equal(document.id, found->id));
		ck_assert_int_eq(document.version, found->version);
		ck_assert(json_equal(document.fields, found->fields));
	}
}
END_TEST

/* What comes and goes between two pages neither repeats nor hides what stays. */
START_TEST(pages_are_stable)
{
	use(_i);
	fill_shelf();
	struct document_query query = query_of(&queries[2], 3); /* e b a, c d f */
	struct document_page first = page_of(&query);

	committed(delete ("a", 0));
	committed(delete ("e", 0));
	struct document_write late = create("0", 0);
	late.fields = json_keep(call.arena, json_pack("{s:i}", "rank", -30));
	committed(late);
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

	use(_i);
	fill_shelf();
	for (size_t i = 0; i < COUNT(tokens); i++) {
		struct document_query query = query_of(&queries[2], 2);

		query.page_token = fn_bytes(tokens[i]);
		ck_assert_msg(
			!document_store_query(store, &call, &query, &page, &err), "%s", tokens[i]);
		ck_assert_msg(err.code == FN_INVALID, "%s: %s", tokens[i], err.message);
		ck_assert_uint_eq(page.count, 7);
	}
}
END_TEST

/* ---- Threads ---- */

#define THREADS 8
#define INCREMENTS 25

static bool
increment(struct fn_call *own)
{
	struct fn_error why;
	struct document document;
	struct document_write write = {
		.kind = DOCUMENT_REPLACE, .collection = "things", .id = FN_BYTES("counter")};

	do {
		if (!document_store_get(store, own, "things", write.id, &document, &why))
			return false;
		json_t *n = json_object_get(document.fields, "n");
		json_integer_set(n, json_integer_value(n) + 1);
		write.fields = document.fields;
		write.if_version = document.version;
		if (document_store_commit(store, own, &write, 1, &why))
			return true;
	} while (why.code == FN_PRECONDITION);
	return false;
}

static void *
increment_often(void *unused)
{
	struct fn_call own = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 30000};
	bool ok = true;

	(void)unused;
	for (int i = 0; ok && i < INCREMENTS; i++) {
		ok = increment(&own);
		fn_arena_reset(own.arena);
	}
	fn_arena_drop(own.arena);
	return ok ? store : NULL;
}

/* Of threads that all read, add one and write back if nothing changed, none loses a step. */
START_TEST(threads_lose_no_update)
{
	pthread_t threads[THREADS];

	use(_i);
	committed(create("counter", 0));
	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, increment_often, NULL), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *ok;

		pthread_join(threads[i], &ok);
		ck_assert_ptr_nonnull(ok);
	}
	ck_assert_int_eq(number_of("counter"), THREADS * INCREMENTS);
}
END_TEST

/* ---- URLs ---- */

/* A URL that names no store is refused at once, with the variable to mend. */
START_TEST(url_is_refused)
{
	static const char *const urls[] = {"", "data/phoenix.db", "sqlit:x.db", "sqlite",
		"sqlite:", "sqlite::memory:", "mysql://x"};

	config.url = urls[_i];
	ck_assert(!document_store_open(&store, &config, NULL, NULL, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strncmp(err.message, "STORE_URL: ", 11) == 0, "%s", err.message);
	ck_assert_ptr_null(store);
}
END_TEST

int
main(void)
{
	const size_t each = COUNT(backends);
	const struct suite_case cases[] = {
		{document_comes_back_as_written, each, NULL, teardown},
		{presumption_is_checked, each * COUNT(presumptions), NULL, teardown},
		{addition_changes_its_numbers_only, each, NULL, teardown},
		{many_are_read_at_once, each, NULL, teardown},
		{commit_is_all_or_nothing, each, NULL, teardown},
		{commit_writes_all, each, NULL, teardown},
		{version_differs_after_each_write, each, NULL, teardown},
		{collections_do_not_meet, each, NULL, teardown},
		{id_is_kept_or_refused, each * COUNT(ids), NULL, teardown},
		{query_finds_in_order, each * COUNT(queries), NULL, teardown},
		{query_reads_documents, each, NULL, teardown},
		{pages_are_stable, each, NULL, teardown},
		{foreign_page_token_is_refused, each, NULL, teardown},
		{threads_lose_no_update, each, NULL, teardown},
		{.test = url_is_refused, .rows = 7},
	};

	return suite_run("document store", cases, COUNT(cases));
}
