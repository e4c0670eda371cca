#include "adapters/wire/json_abridged.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static struct fn_arena *arena;
static struct fn_bytes long_text; /* just long enough */

static void
setup(void)
{
	char *text;

	arena = fn_arena_new();
	text = fn_arena_alloc(arena, JSON_LONG + 1);
	memset(text, 'A', JSON_LONG + 1);
	long_text = (struct fn_bytes){text, JSON_LONG + 1};
}

static void
teardown(void)
{
	fn_arena_drop(arena);
}

/* The pattern with the long text in place of each '@'. */
static struct fn_bytes
filled(const char *pattern)
{
	struct fn_builder built = {.arena = arena};

	for (; *pattern; pattern++)
		fn_add(&built, *pattern == '@' ? long_text : (struct fn_bytes){pattern, 1});
	return fn_built(&built);
}

static const struct string_case {
	const char *name;
	const char *json; /* of which the member "a" is asked for */
	const char *text; /* NULL: it is no string */
} string_cases[] = {
	{"short", "{\"a\":\"fox\"}", "fox"},
	{"empty", "{\"a\":\"\"}", ""},
	{"long", "{\"a\":\"@\"}", "@"},
	{"long, with white space around it", "{ \"a\" : \"@\" }", "@"},
	{"one of several long ones", "{\"b\":\"@\",\"a\":\"@B\",\"c\":[\"@\",\"@\"]}", "@B"},
	{"long, after an escaped quote", "{\"b\":\"\\\"\",\"a\":\"@\"}", "@"},
	{"long, after an escaped backslash", "{\"b\":\"\\\\\",\"a\":\"@\"}", "@"},
	{"long, with an escape in its midst", "{\"a\":\"@\\/@\"}", "@/@"},
	{"long, with an escaped quote in its midst", "{\"b\":\"@\",\"a\":\"@\\\"@\"}", "@\"@"},
	{"long, of more than ASCII", "{\"a\":\"@\xc3\xa4\"}", "@\xc3\xa4"},
	{"behind more long ones than are kept",
		"{\"b\":[\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\","
		"\"@\","
		"\"@\",\"@\",\"@\",\"@\"],\"a\":\"@C\"}",
		"@C"},
	{"absent", "{\"b\":\"@\"}", NULL},
	{"a number", "{\"a\":6,\"b\":\"@\"}", NULL},
	{"the number of a byte within a long one", "{\"a\":14,\"b\":\"@\"}", NULL},
	{"a list", "{\"a\":[\"@\"]}", NULL},
	{"null", "{\"a\":null}", NULL},
};

START_TEST(string_is_found_however_long)
{
	const struct string_case *c = &string_cases[_i];
	struct fn_bytes json = filled(c->json), want = filled(c->text ? c->text : "");
	struct json_abridged read;
	struct fn_error err = {0};
	char *text;
	size_t size;

	ck_assert_msg(json_abridged_read(&read, arena, (char *)(uintptr_t)json.at, json.size, &err),
		"%s: %s", c->name, err.message);
	bool ok = json_abridged_string(&read, arena, json_object_get(read.root, "a"), &text, &size);
	ck_assert_msg(ok == (c->text != NULL), "%s", c->name);
	ck_assert_msg(!ok || fn_bytes_equal((struct fn_bytes){text, size}, want), "%s", c->name);
}
END_TEST

/* That is what all this is for: a picture is not copied. */
static const char *const patterns[] = {"{\"a\":\"@\"}", "{\"b\":\"\\\"\",\"a\":\"@\"}",
	"{\"b\":\"\\\\\",\"a\":\"@\"}", "{\"b\":\"@\\\\\\\"@\",\"a\":\"@\"}"};

START_TEST(long_string_stays_where_it_is)
{
	struct fn_bytes json = filled(patterns[_i]);
	struct json_abridged read;
	struct fn_error err = {0};
	char *text;
	size_t size;

	ck_assert(json_abridged_read(&read, arena, (char *)(uintptr_t)json.at, json.size, &err));
	ck_assert(
		json_abridged_string(&read, arena, json_object_get(read.root, "a"), &text, &size));
	ck_assert_ptr_eq(text, json.at + json.size - strlen("\"}") - long_text.size);
	ck_assert_uint_eq(size, long_text.size);
}
END_TEST

static const char *const broken[] = {"", "{", "fox", "{\"a\":\"@", "{\"a\":\"@\"", "{\"a\":\"@\\",
	"{\"a\":\"\\", "{\"a\":\"@\\\"", "{\"@\":1}", "{\"a\":1\"@\"}", "{\"a\":\"@\"2}",
	"<html>\"@\"</html>", "{\"a\":\"@\"}{", "{\"a\":\"\xff\"}"};

START_TEST(what_is_no_json_is_refused)
{
	struct fn_bytes json = filled(broken[_i]);
	struct json_abridged read;
	struct fn_error err = {0};
	char *own = malloc(json.size + 1); /* for AddressSanitizer to watch its end */

	memcpy(own + 1, json.size > 0 ? json.at : "", json.size);
	bool ok = json_abridged_read(&read, arena, own + 1, json.size, &err);
	free(own);
	ck_assert_msg(!ok, "%s", broken[_i]);
	ck_assert_int_eq(err.code, FN_UPSTREAM);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = string_is_found_however_long, .rows = COUNT(string_cases)},
		{.test = long_string_stays_where_it_is, .rows = COUNT(patterns)},
		{.test = what_is_no_json_is_refused, .rows = COUNT(broken)},
	};
	return suite_run_with("json_abridged", cases, COUNT(cases), setup, teardown);
}
