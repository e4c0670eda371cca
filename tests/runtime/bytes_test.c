#include "fn/bytes.h"

#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static struct fn_arena *arena;

static void
arena_open(void)
{
	arena = fn_arena_new();
	fn_textf(arena, "%03000d", 0); /* what an earlier call may have left */
	fn_arena_reset(arena);
}

static void
arena_close(void)
{
	fn_arena_drop(arena);
}

/* Nothing and the empty text are the same bytes, and compare without being looked at. */
START_TEST(empty_bytes_are_equal)
{
	ck_assert(fn_bytes_equal((struct fn_bytes){0}, fn_bytes("")));
	ck_assert(fn_bytes_equal(fn_bytes(NULL), fn_bytes("")));
	ck_assert(fn_bytes_is((struct fn_bytes){0}, ""));
	ck_assert(fn_bytes_is_nocase((struct fn_bytes){0}, ""));
	ck_assert(fn_bytes_starts((struct fn_bytes){0}, ""));
	ck_assert(!fn_bytes_starts((struct fn_bytes){0}, "a"));
}
END_TEST

static const struct {
	const char *text, *other;
	bool equal, nocase, starts, starts_nocase;
} comparisons[] = {
	{"abc", "abc", true, true, true, true},
	{"abc", "ABC", false, true, false, true},
	{"abc", "ab", false, false, true, true},
	{"abc", "AB", false, false, false, true},
	{"ab", "abc", false, false, false, false},
	{"abc", "abd", false, false, false, false},
	{"[", "{", false, false, false, false},
	{"\xc3\x84", "\xc3\xa4", false, false, false, false},
};

/* Only ASCII letters are the same in both cases; a longer text never fits into a shorter one. */
START_TEST(bytes_are_compared)
{
	struct fn_bytes text = fn_bytes(comparisons[_i].text);
	const char *other = comparisons[_i].other;

	ck_assert_int_eq(fn_bytes_is(text, other), comparisons[_i].equal);
	ck_assert_int_eq(fn_bytes_is_nocase(text, other), comparisons[_i].nocase);
	ck_assert_int_eq(fn_bytes_starts(text, other), comparisons[_i].starts);
	ck_assert_int_eq(fn_bytes_starts_nocase(text, other), comparisons[_i].starts_nocase);
}
END_TEST

static const struct {
	struct fn_bytes text;
	bool fits;
} alphabets[] = {
	{FN_BYTES_INIT("cab"), true},
	{FN_BYTES_INIT("cabd"), false},
	{FN_BYTES_INIT("dcab"), false},
	{FN_BYTES_INIT("a\0b"), false},
	{FN_BYTES_INIT(""), false},
};

START_TEST(bytes_consist_of_characters)
{
	ck_assert_int_eq(fn_bytes_consists_of(alphabets[_i].text, "abc"), alphabets[_i].fits);
}
END_TEST

static const struct {
	const char *text, *trimmed;
} trims[] = {
	{"", ""},
	{"a", "a"},
	{" \t a b\t ", "a b"},
	{" \t ", ""},
	{"\na ", "\na"},
	{" \xc2\xa0", "\xc2\xa0"},
};

/* Blanks and tabs go from both ends, and nothing else does. */
START_TEST(ends_are_trimmed)
{
	ck_assert_bytes_eq(fn_bytes_trim(fn_bytes(trims[_i].text)), trims[_i].trimmed);
}
END_TEST

static const struct {
	const char *text, *before, *after;
} cuts[] = {
	{"a=b=c", "a", "b=c"},
	{"a", "a", ""},
	{"", "", ""},
	{"=", "", ""},
	{"=b", "", "b"},
	{"a=", "a", ""},
};

/* A text is cut at its first separator, and taken whole without one. */
START_TEST(text_is_cut)
{
	struct fn_bytes rest = fn_bytes(cuts[_i].text);

	ck_assert_bytes_eq(fn_bytes_cut(&rest, '='), cuts[_i].before);
	ck_assert_bytes_eq(rest, cuts[_i].after);
}
END_TEST

/* What stands behind the last separator can be told from a text without one. */
START_TEST(a_cut_at_the_end_leaves_a_place)
{
	struct fn_bytes with = fn_bytes("a="), without = fn_bytes("a");

	fn_bytes_cut(&with, '=');
	fn_bytes_cut(&without, '=');
	ck_assert_ptr_nonnull(with.at);
	ck_assert_ptr_null(without.at);
}
END_TEST

static const struct {
	const char *text;
	uint64_t max;
	bool ok;
	uint64_t number;
} numbers[] = {
	{"0", 0, true, 0},
	{"007", 7, true, 7},
	{"65535", 65535, true, 65535},
	{"65536", 65535, false, 0},
	{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
	{"18446744073709551616", UINT64_MAX, false, 0},
	{"99999999999999999999999", UINT64_MAX, false, 0},
	{"", 9, false, 0},
	{"-1", 9, false, 0},
	{"+1", 9, false, 0},
	{" 1", 9, false, 0},
	{"1 ", 9, false, 0},
	{"0x1", 9, false, 0},
	{"\xb1", 9, false, 0},
};

/* Every way a number can be wrong leaves the output as it was. */
START_TEST(number_is_read_or_refused)
{
	uint64_t number = 4711;
	bool ok = fn_bytes_number(fn_bytes(numbers[_i].text), numbers[_i].max, &number);

	ck_assert_int_eq(ok, numbers[_i].ok);
	ck_assert_uint_eq(number, numbers[_i].ok ? numbers[_i].number : 4711);
}
END_TEST

static const struct {
	const char *name, *text;
	bool ok;
} utf8[] = {
	{"empty", "", true},
	{"ASCII", "a\x01\x7f", true},
	{"first of two bytes", "\xc2\x80", true},
	{"last of two bytes", "\xdf\xbf", true},
	{"first of three", "\xe0\xa0\x80", true},
	{"last before the surrogates", "\xed\x9f\xbf", true},
	{"first after the surrogates", "\xee\x80\x80", true},
	{"last of three", "\xef\xbf\xbf", true},
	{"first of four", "\xf0\x90\x80\x80", true},
	{"U+10FFFF", "\xf4\x8f\xbf\xbf", true},
	{"lone continuation", "a\x80", false},
	{"overlong NUL", "\xc0\x80", false},
	{"overlong slash in two", "\xc1\xbf", false},
	{"overlong in three", "\xe0\x9f\xbf", false},
	{"overlong in four", "\xf0\x8f\xbf\xbf", false},
	{"first surrogate", "\xed\xa0\x80", false},
	{"last surrogate", "\xed\xbf\xbf", false},
	{"U+110000", "\xf4\x90\x80\x80", false},
	{"no such first byte", "\xf5\x80\x80\x80", false},
	{"0xff", "\xff", false},
	{"cut after one of two", "\xc3", false},
	{"cut after two of three", "\xe2\x82", false},
	{"cut after three of four", "\xf0\x9f\x98", false},
	{"a letter within a sequence", "\xe2\x28\xa1", false},
};

/* RFC 3629, section 4, at each of its borders. */
START_TEST(utf8_is_told_from_other_bytes)
{
	ck_assert_msg(
		fn_bytes_is_utf8(fn_bytes(utf8[_i].text)) == utf8[_i].ok, "%s", utf8[_i].name);
}
END_TEST

static const struct {
	const char *text, *plain; /* NULL: refused */
} escapes[] = {
	{"", ""},
	{"plain+text", "plain+text"},
	{"%41%7a%2F", "Az/"},
	{"a%2fb", "a/b"},
	{"%2541", "%41"},
	{"%", NULL},
	{"%4", NULL},
	{"a%4", NULL},
	{"%4g", NULL},
	{"%g4", NULL},
	{"%%41", NULL},
	{"% 41", NULL},
};

/* One round of escapes is undone, and a broken one is refused. */
START_TEST(escapes_are_undone_once)
{
	struct fn_bytes plain = FN_BYTES("untouched");
	bool ok = fn_bytes_unescape(fn_bytes(escapes[_i].text), arena, &plain);

	ck_assert_int_eq(ok, escapes[_i].plain != NULL);
	ck_assert_bytes_eq(plain, ok ? escapes[_i].plain : "untouched");
}
END_TEST

/* What stands behind the end of the bytes completes nothing in them. */
START_TEST(bytes_end_where_they_end)
{
	struct fn_builder builder = {.arena = arena};
	struct fn_bytes plain;

	fn_add_json(&builder, (struct fn_bytes){"\xc3\xbc", 1});
	ck_assert_bytes_eq(fn_built(&builder), "\xef\xbf\xbd");
	ck_assert(!fn_bytes_is_utf8((struct fn_bytes){"\xc3\xbc", 1}));
	ck_assert(!fn_bytes_is_utf8((struct fn_bytes){"\xf0\x9f\xa6\x8a", 3}));
	ck_assert(!fn_bytes_unescape((struct fn_bytes){"%41", 2}, arena, &plain));
	ck_assert(!fn_bytes_unescape((struct fn_bytes){"a%41", 2}, arena, &plain));
}
END_TEST

/* An escaped NUL is a byte like the others, and cuts nothing off. */
START_TEST(an_escaped_nul_is_kept)
{
	struct fn_bytes plain;

	ck_assert(fn_bytes_unescape(FN_BYTES("a%00b"), arena, &plain));
	ck_assert(fn_bytes_equal(plain, FN_BYTES("a\0b")));
}
END_TEST

/* A copy does not change with its original, and ends as a C string does. */
START_TEST(a_copy_stands_alone)
{
	char original[] = "text";
	struct fn_bytes copy = fn_bytes_copy(arena, fn_bytes(original));

	original[0] = 'n';
	ck_assert_uint_eq(copy.size, 4);
	ck_assert_str_eq(copy.at, "text");
	ck_assert_str_eq(fn_text(arena, (struct fn_bytes){0}), "");
	ck_assert_str_eq(fn_textf(arena, "%s-%d", "a", 1), "a-1");
	ck_assert_str_eq(fn_textf(arena, "%s", ""), "");
}
END_TEST

/* What is built from many pieces is what was added, wherever the builder had to grow. */
START_TEST(a_builder_keeps_every_piece)
{
	struct fn_builder builder = {.arena = arena};
	struct fn_bytes built;

	for (int i = 0; i < 10000; i++) {
		fn_add(&builder, FN_BYTES("ab"));
		fn_addf(&builder, "%04d", i);
		fn_add(&builder, (struct fn_bytes){0});
	}
	built = fn_built(&builder);
	ck_assert_uint_eq(built.size, 60000);
	for (int i = 0; i < 10000; i++) {
		char piece[7];

		snprintf(piece, sizeof(piece), "ab%04d", i);
		ck_assert(memcmp(built.at + (size_t)i * 6, piece, 6) == 0);
	}
}
END_TEST

/* A builder that was given nothing has built nothing. */
START_TEST(an_idle_builder_is_empty)
{
	struct fn_builder builder = {.arena = arena};

	fn_addf(&builder, "%s", "");
	ck_assert_uint_eq(fn_built(&builder).size, 0);
}
END_TEST

static const struct {
	struct fn_bytes text;
	const char *json;
} json_texts[] = {
	{FN_BYTES_INIT(""), ""},
	{FN_BYTES_INIT("a red fox"), "a red fox"},
	{FN_BYTES_INIT("\"\\\n\r\t"), "\\\"\\\\\\n\\r\\t"},
	{FN_BYTES_INIT("a\0b\x1f\x7f"), "a\\u0000b\\u001f\\u007f"},
	{FN_BYTES_INIT("</script>"), "</script>"},
	{FN_BYTES_INIT("F\xc3\xbc\xc3\x9f"
		       "e \xf0\x9f\xa6\x8a"),
		"F\xc3\xbc\xc3\x9f"
		"e \xf0\x9f\xa6\x8a"},
	{FN_BYTES_INIT("a\xff"
		       "b"),
		"a\xef\xbf\xbd"
		"b"},
	{FN_BYTES_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{FN_BYTES_INIT("cut \xf0\x9f"), "cut \xef\xbf\xbd\xef\xbf\xbd"},
};

/* Any bytes become the inside of a JSON string. */
START_TEST(json_text_is_escaped)
{
	struct fn_builder builder = {.arena = arena};

	fn_add_json(&builder, json_texts[_i].text);
	ck_assert_bytes_eq(fn_built(&builder), json_texts[_i].json);
}
END_TEST

static const struct {
	struct fn_bytes text;
	const char *keep, *escaped;
} uris[] = {
	{FN_BYTES_INIT("AZaz09-._~"), "", "AZaz09-._~"},
	{FN_BYTES_INIT("a b+c/d"), "", "a%20b%2Bc%2Fd"},
	{FN_BYTES_INIT("a/b c"), "/", "a/b%20c"},
	{FN_BYTES_INIT("\0%\xff"), "", "%00%25%FF"},
	{FN_BYTES_INIT("\xc3\xbc"), "/", "%C3%BC"},
};

/* RFC 3986, section 2.3: unreserved characters stay, all else is two capital digits. */
START_TEST(uri_text_is_escaped)
{
	struct fn_builder builder = {.arena = arena};

	fn_add_escaped(&builder, uris[_i].text, uris[_i].keep);
	ck_assert_bytes_eq(fn_built(&builder), uris[_i].escaped);
}
END_TEST

#define IN_ARENA .setup = arena_open, .teardown = arena_close

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = empty_bytes_are_equal},
		{.test = bytes_are_compared, .rows = COUNT(comparisons)},
		{.test = bytes_consist_of_characters, .rows = COUNT(alphabets)},
		{.test = ends_are_trimmed, .rows = COUNT(trims)},
		{.test = text_is_cut, .rows = COUNT(cuts)},
		{.test = a_cut_at_the_end_leaves_a_place},
		{.test = number_is_read_or_refused, .rows = COUNT(numbers)},
		{.test = utf8_is_told_from_other_bytes, .rows = COUNT(utf8)},
		{.test = escapes_are_undone_once, .rows = COUNT(escapes), IN_ARENA},
		{.test = bytes_end_where_they_end, IN_ARENA},
		{.test = an_escaped_nul_is_kept, IN_ARENA},
		{.test = a_copy_stands_alone, IN_ARENA},
		{.test = a_builder_keeps_every_piece, IN_ARENA},
		{.test = an_idle_builder_is_empty, IN_ARENA},
		{.test = json_text_is_escaped, .rows = COUNT(json_texts), IN_ARENA},
		{.test = uri_text_is_escaped, .rows = COUNT(uris), IN_ARENA},
	};

	return suite_run("bytes", cases, COUNT(cases));
}
