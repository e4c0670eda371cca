#include "fn/json.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static struct fn_arena *arena;

static void
arena_open(void)
{
	arena = fn_arena_new();
}

static void
arena_close(void)
{
	fn_arena_drop(arena);
}

/* ---- Checking ---------------------------------------------------------------------------- */

static const char *const good[] = {
	"null",
	"true",
	"false",
	"0",
	"-0",
	"10",
	"1e400",
	"-1.5E-3",
	"9223372036854775808",
	"\"\"",
	"\"a\\\"b\\\\c\\/\\b\\f\\n\\r\\t\\u00e9\"",
	"\"\xc3\xa9\"",
	"[]",
	"{}",
	" [ 1 , 2 ] ",
	"{\"a\":{\"b\":[1,{}]},\"a\":2}",
	"\t{ \"a\" : \"}\" }\r\n",
};

static const char *const bad[] = {
	"",
	" ",
	"nul",
	"True",
	"01",
	"-",
	"1.",
	".5",
	"1e",
	"+1",
	"0x10",
	"\"",
	"\"\\",
	"\"\\x\"",
	"\"\\u12\"",
	"\"\\u12g4\"",
	"\"a\nb\"",
	"\"\xc3\"",
	"\"\xed\xa0\x80\"",
	"[",
	"[1,]",
	"[1 2]",
	"[,1]",
	"]",
	"{",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{a:1}",
	"{1:1}",
	"{\"a\":1 \"b\":2}",
	"{} {}",
	"[1]]",
	"'a'",
	"NaN",
};

START_TEST(good_json_passes)
{
	struct fn_error err = {0};
	struct fn_bytes value;

	ck_assert_msg(
		fn_json_read(fn_bytes(good[_i]), &value, &err), "%s: %s", good[_i], err.message);
}
END_TEST

START_TEST(bad_json_is_refused)
{
	struct fn_error err = {0};
	struct fn_bytes value;

	ck_assert_msg(!fn_json_read(fn_bytes(bad[_i]), &value, &err), "%s", bad[_i]);
	ck_assert_int_eq(err.code, FN_INVALID);
}
END_TEST

/* A NUL ends the strings of C, and no search for it in one may find it. */
START_TEST(escaped_nul_is_refused)
{
	struct fn_error err = {0};
	struct fn_bytes value;

	ck_assert(!fn_json_read(FN_BYTES("\"\\\0\""), &value, &err));
}
END_TEST

/* The sentence names the byte where it went wrong. */
START_TEST(refusal_names_the_place)
{
	struct fn_error err = {0};
	struct fn_bytes value;

	ck_assert(!fn_json_read(FN_BYTES("[1, 2, x]"), &value, &err));
	ck_assert_str_eq(err.message, "this is no JSON, from byte 7 on");
}
END_TEST

/* Nesting is bounded, so hostile input cannot exhaust the stack. */
START_TEST(depth_is_bounded)
{
	struct fn_error err = {0};
	struct fn_bytes value;
	char text[2 * FN_JSON_DEPTH + 2];

	memset(text, '[', FN_JSON_DEPTH);
	memset(text + FN_JSON_DEPTH, ']', FN_JSON_DEPTH);
	ck_assert(fn_json_read((struct fn_bytes){text, 2 * FN_JSON_DEPTH}, &value, &err));
	memset(text, '[', FN_JSON_DEPTH + 1);
	memset(text + FN_JSON_DEPTH + 1, ']', FN_JSON_DEPTH + 1);
	ck_assert(!fn_json_read((struct fn_bytes){text, 2 * FN_JSON_DEPTH + 2}, &value, &err));
}
END_TEST

/* ---- Walking ----------------------------------------------------------------------------- */

/* Members come in order, with their values exactly as they were written. */
START_TEST(members_are_walked)
{
	struct fn_json_items items = fn_json_items(FN_BYTES(
		"{ \"a\" : 1e400, \"b\":\"x,}\\\"]\" , \"c\":[1,[2]],\"d\":{\"e\":null} }"));
	static const char *const want[][2] = {
		{"a", "1e400"}, {"b", "\"x,}\\\"]\""}, {"c", "[1,[2]]"}, {"d", "{\"e\":null}"}};
	struct fn_bytes name, value;

	for (size_t i = 0; i < 4; i++) {
		ck_assert(fn_json_next(&items, &name, &value));
		ck_assert_msg(fn_bytes_is(name, want[i][0]) && fn_bytes_is(value, want[i][1]),
			"%.*s: %.*s", FN_ARG(name), FN_ARG(value));
	}
	ck_assert(!fn_json_next(&items, &name, &value));
}
END_TEST

START_TEST(elements_are_walked)
{
	struct fn_json_items items = fn_json_items(FN_BYTES("[ -1 ,\"\\\\\",{}, true]"));
	static const char *const want[] = {"-1", "\"\\\\\"", "{}", "true"};
	struct fn_bytes name, value;

	for (size_t i = 0; i < 4; i++) {
		ck_assert(fn_json_next(&items, &name, &value));
		ck_assert_msg(fn_bytes_is(value, want[i]), "%.*s", FN_ARG(value));
		ck_assert_uint_eq(name.size, 0);
	}
	ck_assert(!fn_json_next(&items, &name, &value));
}
END_TEST

START_TEST(what_is_no_list_has_no_items)
{
	struct fn_json_items items = fn_json_items(FN_BYTES("12"));
	struct fn_bytes name, value;

	ck_assert(!fn_json_next(&items, &name, &value));
	items = fn_json_items(FN_BYTES("{ }"));
	ck_assert(!fn_json_next(&items, &name, &value));
	ck_assert(!fn_json_member(FN_BYTES("[\"a\"]"), "a", &value));
	ck_assert(!fn_json_member(FN_BYTES("{\"b\":1}"), "a", &value));
}
END_TEST

static const struct {
	const char *value, *text; /* NULL: no string */
} strings[] = {
	{"\"\"", ""},
	{"\"plain\"", "plain"},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
	{"\"\\u0041\\u00e9\\u20ac\"", "A\xc3\xa9\xe2\x82\xac"},
	{"\"\\ud83e\\udd8a\"", "\xf0\x9f\xa6\x8a"},
	{"\"\\ud83e!\"", "\xef\xbf\xbd!"},
	{"\"\\udd8a\"", "\xef\xbf\xbd"},
	{"\"\\ud83e\\u0041\"", "\xef\xbf\xbd"
			       "A"},
	{"12", NULL},
	{"[\"a\"]", NULL},
};

START_TEST(strings_are_unescaped)
{
	struct fn_bytes text = {0};
	bool ok = fn_json_string(fn_bytes(strings[_i].value), arena, &text);

	ck_assert_int_eq(ok, strings[_i].text != NULL);
	ck_assert_msg(!ok || fn_bytes_is(text, strings[_i].text), "%s: %.*s", strings[_i].value,
		FN_ARG(text));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = good_json_passes, .rows = COUNT(good)},
		{.test = bad_json_is_refused, .rows = COUNT(bad)},
		{.test = escaped_nul_is_refused},
		{.test = refusal_names_the_place},
		{.test = depth_is_bounded},
		{.test = members_are_walked},
		{.test = elements_are_walked},
		{.test = what_is_no_list_has_no_items},
		{.test = strings_are_unescaped,
			.rows = COUNT(strings),
			.setup = arena_open,
			.teardown = arena_close},
	};

	return suite_run("json", cases, COUNT(cases));
}
