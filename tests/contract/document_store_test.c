/* What document_store.h promises, for every backend. */
#include "adapters/document_store.h"
#include "adapters/document_store_indexes.h"
#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "fn/retry.h"
#include "tests/support/children.h"
#include "tests/support/firestore_emulator.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Backends ---- */

static struct firestore_emulator *emulator; /* NULL: it cannot be had here */

static const char *
sqlite_url(void)
{
	static char url[4200];

	snprintf(url, sizeof(url), "sqlite:%s/store.db", temp_folder());
	return url;
}

/* Firestore is the last: where it cannot be had there is one backend less. */
static const struct {
	const char *name;
	const char *(*url)(void); /* of a new, empty store */
} backends[] = {
	{"sqlite", sqlite_url},
	{"firestore", firestore_emulator_store},
};

static int
backend_count(void)
{
	return emulator ? COUNT(backends) : COUNT(backends) - 1;
}

/* ---- A store and a call for each row ---- */

static struct document_store_config config;
static struct fn_http_client *http;
static struct document_store *store;
static struct fn_call call;
static struct fn_error err;

static bool
store_opened(void)
{
	return fn_http_client_open(&http, &err) &&
	       document_store_open(&store, &config, NULL, http, &err);
}

static void
open_store(void)
{
	ck_assert_msg(store_opened(), "%s", err.message);
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
	config.url = backends[backend].url();
	config.emulator_host = emulator ? firestore_emulator_host(emulator) : "";
	open_store();
	call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 30000};
}

static void
teardown(void)
{
	close_store();
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
		"{\"null\":null,\"yes\":true,\"no\":false,\"list\":[1,{\"list\":[]},{}],\"map\":{"
		"\"b\":1,"
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

		close_store();
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
	use(_i % backend_count());
	__typeof__(&presumptions[0]) c = &presumptions[_i / backend_count()];
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
	committed(create("in.the.way", 1));
	struct document_write writes[] = {
		create("new", 1),
		replace("there", 2, 0),
		create("in.the.way", 3),
		create("newer", 1),
	};

	ck_assert(!document_store_commit(store, &call, writes, COUNT(writes), &err));
	ck_assert_msg(err.code == FN_CONFLICT, "%s", err.message);
	ck_assert_int_eq(number_of("new"), -1);
	ck_assert_int_eq(number_of("newer"), -1);
	ck_assert_int_eq(number_of("there"), 1);
}
END_TEST

/* Whatever is wanted of it, a document is written once in a commit. */
START_TEST(second_write_of_a_document_is_refused)
{
	use(_i);
	committed(create("d", 1));
	struct document_write writes[] = {replace("d", 2, 0), create("e", 1), delete ("d", 0)};

	ck_assert(!document_store_commit(store, &call, writes, COUNT(writes), &err));
	ck_assert_int_eq(err.code, FN_INTERNAL);
	ck_assert_int_eq(number_of("d"), 1);
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
	use(_i % backend_count());
	const char *id = ids[_i / backend_count()].id;
	bool usable = ids[_i / backend_count()].usable;

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
	{"things", "f", "{\"kind\":\"box\",\"rank\":1795498618123,\"name\":null,\"open\":true}"},
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
	use(_i % backend_count());
	const struct shelf_query *c = &queries[_i / backend_count()];

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
	struct document_query query = query_of(&queries[1], 3); /* e b a, c d f */
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
		struct document_query query = query_of(&queries[1], 2);

		query.page_token = fn_bytes(tokens[i]);
		ck_assert_msg(
			!document_store_query(store, &call, &query, &page, &err), "%s", tokens[i]);
		ck_assert_msg(err.code == FN_INVALID, "%s: %s", tokens[i], err.message);
		ck_assert_uint_eq(page.count, 7);
	}
}
END_TEST

/* ---- Many at once ---- */

#define WRITERS 16
#define STEPS 2

static bool
add_one(struct fn_call *own, struct fn_error *why)
{
	struct document_write write = {.kind = DOCUMENT_ADD,
		.collection = "things",
		.id = FN_BYTES("added"),
		.fields = json_keep(own->arena, json_pack("{s:i}", "n", 1))};

	return document_store_commit(store, own, &write, 1, why);
}

/* Waits as the domain does, so that one of those who meet gets on. */
static bool
read_and_write_one_more(struct fn_call *own, struct fn_error *why)
{
	struct fn_retry retry = {.attempts = UINT_MAX, .first_ms = 1, .most_ms = 500};
	struct document document;
	struct document_write write = {
		.kind = DOCUMENT_REPLACE, .collection = "things", .id = FN_BYTES("rewritten")};

	do {
		TRY(document_store_get(store, own, "things", write.id, &document, why));
		json_t *n = json_object_get(document.fields, "n");
		json_integer_set(n, json_integer_value(n) + 1);
		write.fields = document.fields;
		write.if_version = document.version;
		if (document_store_commit(store, own, &write, 1, why))
			return true;
	} while (why->code == FN_PRECONDITION && fn_retry_wait(&retry, own, 0));
	return false;
}

static bool
take_steps(struct fn_error *why)
{
	struct fn_call own = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 50000};
	bool ok = true;

	for (int i = 0; ok && i < STEPS; i++) {
		ok = add_one(&own, why) && read_and_write_one_more(&own, why);
		fn_arena_reset(own.arena);
	}
	fn_arena_drop(own.arena);
	return ok;
}

static void *
take_steps_in_thread(void *unused)
{
	struct fn_error why;

	(void)unused;
	return take_steps(&why) ? store : NULL;
}

static bool
take_steps_in_process(int n)
{
	(void)n;
	return store_opened() && take_steps(&err);
}

static void
begin_counting(int backend)
{
	use(backend);
	committed(create("added", 0));
	committed(create("rewritten", 0));
}

static void
assert_all_counted(void)
{
	ck_assert_int_eq(number_of("added"), WRITERS * STEPS);
	ck_assert_int_eq(number_of("rewritten"), WRITERS * STEPS);
}

/* Of threads that add, and read, add and write back if nothing changed, none loses a step. */
START_TEST(threads_lose_no_update)
{
	pthread_t threads[WRITERS];

	begin_counting(_i);
	for (size_t i = 0; i < WRITERS; i++)
		ck_assert(pthread_create(&threads[i], NULL, take_steps_in_thread, NULL) == 0);
	for (size_t i = 0; i < WRITERS; i++) {
		void *ok;

		pthread_join(threads[i], &ok);
		ck_assert_ptr_nonnull(ok);
	}
	assert_all_counted();
}
END_TEST

/* Nor do processes. */
START_TEST(processes_lose_no_update)
{
	begin_counting(_i);
	children_run(WRITERS, take_steps_in_process, &err);
	assert_all_counted();
}
END_TEST

/* ---- Death ---- */

#define DEATHS 10

/* Step n of a life: one of each kind of write, which only together make sense. */
static bool
commit_step(int n)
{
	struct document_write writes[] = {
		create(fn_textf(call.arena, "step%d", n), n),
		replace("rewritten", n, 0),
		replace("added", 1, 0),
		delete (fn_textf(call.arena, "step%d", n - 1), 0),
	};

	writes[2].kind = DOCUMENT_ADD;
	return document_store_commit(store, &call, writes, COUNT(writes), &err);
}

/* Goes on for ever; says after each step how far it has come. */
_Noreturn static void
live(int progress)
{
	if (!store_opened())
		_exit(1);
	for (int n = 1;; n++) {
		call.deadline_ms = fn_now_ms() + 30000;
		if (!commit_step(n) || write(progress, &n, sizeof(n)) != sizeof(n))
			_exit(1);
		fn_arena_reset(call.arena);
	}
}

/* Lets it make some steps, and kills it at some moment of the next: returns how many it has told.
 */
static int
live_and_die(void)
{
	int progress[2], told = 0;
	pid_t child;

	ck_assert_int_eq(pipe(progress), 0);
	child = fork();
	if (child == 0)
		live(progress[1]);
	close(progress[1]);
	for (int i = 0; i < 3; i++)
		ck_assert(read(progress[0], &told, sizeof(told)) == sizeof(told));
	usleep(arc4random_uniform(10000));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (read(progress[0], &told, sizeof(told)) == sizeof(told))
		continue;
	close(progress[0]);
	return told;
}

#define LEFT_MOST 8

static void
get_all(const struct document_name *names, size_t count, struct document *now)
{
	ck_assert_msg(
		document_store_get_many(store, &call, names, count, now, &err), "%s", err.message);
}

/* Its last commit may still be on its way, and so between two documents of a read. What two reads
 * find the same was so at the moment between them. */
static void
get_at_one_moment(const struct document_name *names, size_t count, struct document *now)
{
	struct document before[LEFT_MOST];
	bool same;

	ck_assert(count <= LEFT_MOST);
	get_all(names, count, now);
	do {
		same = true;
		memcpy(before, now, count * sizeof(*now));
		get_all(names, count, now);
		for (size_t i = 0; i < count; i++)
			same = same && now[i].version == before[i].version;
	} while (!same);
}

/* What a process killed in the midst of its commits leaves is all that was answered, and no half.
 */
START_TEST(killed_writer_leaves_whole_commits)
{
	use(_i % backend_count());
	committed(create("rewritten", 0));
	committed(create("added", 0));
	close_store();
	int told = live_and_die();

	open_store();
	const struct document_name names[] = {
		{"things", FN_BYTES_INIT("rewritten")},
		{"things", FN_BYTES_INIT("added")},
		{"things", fn_bytes(fn_textf(call.arena, "step%d", told - 1))},
		{"things", fn_bytes(fn_textf(call.arena, "step%d", told))},
		{"things", fn_bytes(fn_textf(call.arena, "step%d", told + 1))},
	};
	struct document now[COUNT(names)];

	get_at_one_moment(names, COUNT(names), now);
	json_int_t made = json_integer_value(json_object_get(now[0].fields, "n"));
	ck_assert(made == told || made == told + 1);
	ck_assert_int_eq(json_integer_value(json_object_get(now[1].fields, "n")), made);
	ck_assert_ptr_null(now[2].fields);
	ck_assert((now[3].fields != NULL) == (made == told));
	ck_assert((now[4].fields != NULL) == (made == told + 1));
}
END_TEST

/* ---- Fields and expiry ---- */

/* Fields that not every backend could keep are refused by all. */
static const char *const unusable_fields[] = {
	"[]",
	"{\"list\":[[1]]}",
	"{\"map\":{\"list\":[1,{\"list\":[[]]}]}}",
	"{\"\":1}",
	"{\"_n\":1}",
	"{\"1n\":1}",
	"{\"a.b\":1}",
	"{\"map\":{\"a b\":1}}",
	"{\"expires_at\":1}",
};
START_TEST(fields_are_kept_or_refused)
{
	use(_i % backend_count());
	struct document_write write = create("d", 1);

	write.fields =
		json_keep(call.arena, json_loads(unusable_fields[_i / backend_count()], 0, NULL));
	ck_assert(!commit(write));
	ck_assert_int_eq(err.code, FN_INTERNAL);
	ck_assert_int_eq(number_of("d"), -1);
}
END_TEST

/* Until it expires a document is there, and shows its own fields only. */
START_TEST(document_stays_until_it_expires)
{
	struct document document;

	use(_i);
	struct document_write write = create("d", 1);

	write.expires_at_ms = fn_unix_ms() + 60000;
	committed(write);
	committed(replace("d", 2, 0));
	write.id = FN_BYTES("e");
	committed(write);
	ck_assert_int_eq(number_of("d"), 2);
	ck_assert(document_store_get(store, &call, "things", write.id, &document, &err));
	ck_assert(json_equal(document.fields, write.fields));
}
END_TEST

/* ---- URLs ---- */

/* A URL that names no store is refused at once, with the variable to mend. */
START_TEST(url_is_refused)
{
	static const char *const urls[] = {"", "data/phoenix.db", "sqlit:x.db", "sqlite",
		"sqlite:", "sqlite::memory:", "mysql://x", "firestore:", "firestore:project",
		"firestore:project/", "firestore:/database", "firestore:project/data/base"};

	config = (struct document_store_config){urls[_i], ""};
	ck_assert(!document_store_open(&store, &config, NULL, NULL, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strncmp(err.message, "STORE_URL: ", 11) == 0, "%s", err.message);
	ck_assert_ptr_null(store);
}
END_TEST

int
main(void)
{
	const char *why;
	size_t each, rows = 0;

	document_store_indexes_pretend();
	emulator = firestore_emulator_start(&why);
	each = (size_t)backend_count();
	const struct suite_case cases[] = {
		{document_comes_back_as_written, each, NULL, teardown},
		{presumption_is_checked, each * COUNT(presumptions), NULL, teardown},
		{addition_changes_its_numbers_only, each, NULL, teardown},
		{many_are_read_at_once, each, NULL, teardown},
		{commit_is_all_or_nothing, each, NULL, teardown},
		{second_write_of_a_document_is_refused, each, NULL, teardown},
		{commit_writes_all, each, NULL, teardown},
		{version_differs_after_each_write, each, NULL, teardown},
		{collections_do_not_meet, each, NULL, teardown},
		{id_is_kept_or_refused, each * COUNT(ids), NULL, teardown},
		{query_finds_in_order, each * COUNT(queries), NULL, teardown},
		{query_reads_documents, each, NULL, teardown},
		{pages_are_stable, each, NULL, teardown},
		{foreign_page_token_is_refused, each, NULL, teardown},
		{threads_lose_no_update, each, NULL, teardown},
		{processes_lose_no_update, each, NULL, teardown},
		{killed_writer_leaves_whole_commits, each * DEATHS, NULL, teardown},
		{fields_are_kept_or_refused, each * COUNT(unusable_fields), NULL, teardown},
		{document_stays_until_it_expires, each, NULL, teardown},
		{.test = url_is_refused, .rows = 12},
	};

	for (size_t i = 0; i < COUNT(cases) - 1; i++)
		rows += cases[i].rows;
	if (!emulator)
		suite_skipped(rows, why);
	int status = suite_run("document store", cases, COUNT(cases));
	firestore_emulator_stop(emulator);
	return status;
}
