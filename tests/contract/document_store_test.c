/* What document_store.h promises of documents and commits, for every backend. */
#include "adapters/document_store_indexes.h"
#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "tests/support/any_store.h"
#include "tests/support/suite.h"

/* ---- Documents and commits ------------------------------------------------------------------- */

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

	any_store_use(_i);
	for (size_t i = 0; i < COUNT(texts); i++) {
		json_t *fields = json_keep(any.call.arena, json_loads(texts[i], 0, NULL));
		struct fn_bytes id = fn_bytes(fn_textf(any.call.arena, "d%zu", i));
		struct document_write write = {.kind = DOCUMENT_CREATE,
			.collection = "things",
			.id = id,
			.fields = fields};
		struct document document;
		int64_t version = any_committed(write);

		any_store_close();
		ck_assert(any_store_open());
		ck_assert(document_store_get(
			any.store, &any.call, "things", id, &document, &any.err));
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
	__typeof__(&presumptions[0]) c = &presumptions[any_store_use(_i)];
	int64_t stale = any_committed(any_create("d", 0));
	int64_t current = any_committed(any_replace("d", 1, stale));
	struct document_write write = any_create("d", 2);

	if (!c->exists)
		any_committed(any_delete("d", current));
	write.kind = c->kind;
	write.if_version = (int64_t[]){0, current, stale}[c->if_version];
	bool ok = any_commit(write);
	ck_assert_msg(ok == (c->code == FN_OK), "%s", c->name);
	if (!ok) {
		ck_assert_msg(any.err.code == c->code, "%s: %s", c->name, any.err.message);
		ck_assert_msg(
			strstr(any.err.message, "things/d"), "%s: %s", c->name, any.err.message);
	}
	ck_assert_msg(any_number("d") == c->left, "%s: %d", c->name, any_number("d"));
}
END_TEST

/* What is added to a number, or to none, is all that an addition changes. */
START_TEST(addition_changes_its_numbers_only)
{
	struct document document;

	any_store_use(_i);
	struct document_write write = any_create("d", 0);

	write.fields = json_keep(any.call.arena,
		json_pack("{s:i, s:s, s:n, s:{s:i}}", "n", 1, "text", "1", "none", "map", "n", 5));
	any_committed(write);
	write.kind = DOCUMENT_ADD;
	write.fields = json_keep(any.call.arena, json_pack("{s:i, s:i}", "n", -3, "new", 4));
	any_committed(write);
	any_committed(write);
	ck_assert(document_store_get(
		any.store, &any.call, "things", FN_BYTES("d"), &document, &any.err));
	json_t *wanted =
		json_keep(any.call.arena, json_pack("{s:i, s:s, s:n, s:{s:i}, s:i}", "n", -5,
						  "text", "1", "none", "map", "n", 5, "new", 8));
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

	any_store_use(_i);
	struct document_write other = any_create("a", 3);
	int64_t version = any_committed(any_create("b", 2));

	any_committed(any_create("a", 1));
	other.collection = "other";
	any_committed(other);
	ck_assert_msg(document_store_get_many(
			      any.store, &any.call, names, COUNT(names), documents, &any.err),
		"%s", any.err.message);
	for (size_t i = 0; i < COUNT(names); i++) {
		const json_t *n = json_object_get(documents[i].fields, "n");

		ck_assert(fn_bytes_equal(documents[i].id, names[i].id));
		ck_assert_int_eq(documents[i].fields ? json_integer_value(n) : -1, numbers[i]);
		ck_assert_int_eq(documents[i].version == 0, numbers[i] == -1);
	}
	ck_assert_int_eq(documents[0].version, version);
	ck_assert(document_store_get_many(any.store, &any.call, NULL, 0, NULL, &any.err));
}
END_TEST

/* One refused write takes back the others of its commit, whether before or behind it. */
START_TEST(commit_is_all_or_nothing)
{
	any_store_use(_i);
	any_committed(any_create("there", 1));
	any_committed(any_create("in.the.way", 1));
	struct document_write writes[] = {
		any_create("new", 1),
		any_replace("there", 2, 0),
		any_create("in.the.way", 3),
		any_create("newer", 1),
	};

	ck_assert(!document_store_commit(any.store, &any.call, writes, COUNT(writes), &any.err));
	ck_assert_msg(any.err.code == FN_CONFLICT, "%s", any.err.message);
	ck_assert_int_eq(any_number("new"), -1);
	ck_assert_int_eq(any_number("newer"), -1);
	ck_assert_int_eq(any_number("there"), 1);
}
END_TEST

/* Whatever is wanted of it, a document is written once in a commit. */
START_TEST(second_write_of_a_document_is_refused)
{
	any_store_use(_i);
	any_committed(any_create("d", 1));
	struct document_write writes[] = {
		any_replace("d", 2, 0), any_create("e", 1), any_delete("d", 0)};

	ck_assert(!document_store_commit(any.store, &any.call, writes, COUNT(writes), &any.err));
	ck_assert_int_eq(any.err.code, FN_INTERNAL);
	ck_assert_int_eq(any_number("d"), 1);
}
END_TEST

/* All writes of a commit that is accepted are there. */
START_TEST(commit_writes_all)
{
	any_store_use(_i);
	any_committed(any_create("old", 1));
	struct document_write writes[] = {
		any_create("a", 1), any_replace("old", 2, 0), any_create("b", 3)};

	ck_assert(document_store_commit(any.store, &any.call, writes, COUNT(writes), &any.err));
	ck_assert_int_eq(any_number("a"), 1);
	ck_assert_int_eq(any_number("old"), 2);
	ck_assert_int_eq(any_number("b"), 3);
}
END_TEST

/* No version comes twice, also when nothing changes and when a document is made anew. */
START_TEST(version_differs_after_each_write)
{
	int64_t versions[50];

	any_store_use(_i);
	versions[0] = any_committed(any_create("d", 1));
	for (size_t i = 1; i < COUNT(versions); i++) {
		if (i % 10 == 0) {
			any_committed(any_delete("d", versions[i - 1]));
			versions[i] = any_committed(any_create("d", 1));
		} else {
			versions[i] = any_committed(any_replace("d", 1, versions[i - 1]));
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

	any_store_use(_i);
	any_committed(any_create("d", 1));
	ck_assert(!document_store_get(
		any.store, &any.call, "others", fn_bytes("d"), &document, &any.err));
	ck_assert_int_eq(any.err.code, FN_NOT_FOUND);
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
	__typeof__(&ids[0]) c = &ids[any_store_use(_i)];

	ck_assert_int_eq(any_number(c->id), -1);
	bool ok = any_commit(any_create(c->id, 1));
	ck_assert_msg(ok == c->usable, "\"%s\"", c->id);
	ck_assert(ok || any.err.code == FN_INVALID);
	ck_assert_int_eq(any_number(c->id), c->usable ? 1 : -1);
}
END_TEST

/* ---- Fields and expiry ----------------------------------------------------------------------- */

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
	const char *fields = unusable_fields[any_store_use(_i)];
	struct document_write write = any_create("d", 1);

	write.fields = json_keep(any.call.arena, json_loads(fields, 0, NULL));
	ck_assert(!any_commit(write));
	ck_assert_int_eq(any.err.code, FN_INTERNAL);
	ck_assert_int_eq(any_number("d"), -1);
}
END_TEST

/* Until it expires a document is there, and shows its own fields only. */
START_TEST(document_stays_until_it_expires)
{
	struct document document;

	any_store_use(_i);
	struct document_write write = any_create("d", 1);

	write.expires_at_ms = fn_unix_ms() + 60000;
	any_committed(write);
	any_committed(any_replace("d", 2, 0));
	write.id = FN_BYTES("e");
	any_committed(write);
	ck_assert_int_eq(any_number("d"), 2);
	ck_assert(
		document_store_get(any.store, &any.call, "things", write.id, &document, &any.err));
	ck_assert(json_equal(document.fields, write.fields));
}
END_TEST

/* ---- URLs ------------------------------------------------------------------------------------ */

/* A URL that names no store is refused at once, with the variable to mend. */
static const char *const unusable_urls[] = {"", "data/phoenix.db", "sqlit:x.db", "sqlite",
	"sqlite:", "sqlite::memory:", "mysql://x", "firestore:", "firestore:project",
	"firestore:project/", "firestore:/database", "firestore:project/data/base"};
START_TEST(url_is_refused)
{
	const struct document_store_config config = {unusable_urls[any_store_use(_i)], ""};
	struct document_store *none = NULL;

	ck_assert(!document_store_open(&none, &config, NULL, any.http, &any.err));
	ck_assert_int_eq(any.err.code, FN_INVALID);
	ck_assert_msg(strncmp(any.err.message, "STORE_URL: ", 11) == 0, "%s", any.err.message);
	ck_assert_ptr_null(none);
}
END_TEST

int
main(void)
{
	struct suite_case cases[] = {
		{.test = document_comes_back_as_written},
		{.test = presumption_is_checked, .rows = COUNT(presumptions)},
		{.test = addition_changes_its_numbers_only},
		{.test = many_are_read_at_once},
		{.test = commit_is_all_or_nothing},
		{.test = second_write_of_a_document_is_refused},
		{.test = commit_writes_all},
		{.test = version_differs_after_each_write},
		{.test = collections_do_not_meet},
		{.test = id_is_kept_or_refused, .rows = COUNT(ids)},
		{.test = fields_are_kept_or_refused, .rows = COUNT(unusable_fields)},
		{.test = document_stays_until_it_expires},
		{.test = url_is_refused, .rows = COUNT(unusable_urls)},
	};

	document_store_indexes_pretend();
	return any_store_suite("document store", cases, COUNT(cases));
}
