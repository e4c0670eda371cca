#include "fn/base64.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

/* RFC 4648, section 10, and what lies beyond text. */
static const struct {
	struct fn_bytes bytes;
	const char *text;
} pairs[] = {
	{FN_BYTES_INIT(""), ""},
	{FN_BYTES_INIT("f"), "Zg=="},
	{FN_BYTES_INIT("fo"), "Zm8="},
	{FN_BYTES_INIT("foo"), "Zm9v"},
	{FN_BYTES_INIT("foob"), "Zm9vYg=="},
	{FN_BYTES_INIT("fooba"), "Zm9vYmE="},
	{FN_BYTES_INIT("foobar"), "Zm9vYmFy"},
	{FN_BYTES_INIT("\0\xff\xfe"), "AP/+"},
};

START_TEST(bytes_become_text)
{
	struct fn_arena *arena = fn_arena_new();

	ck_assert_bytes_eq(fn_base64_encode(pairs[_i].bytes, arena), pairs[_i].text);
	fn_arena_drop(arena);
}
END_TEST

/* In place, as large answers are decoded. */
START_TEST(text_becomes_bytes)
{
	char text[16] = {0};
	size_t size;

	memcpy(text, pairs[_i].text, strlen(pairs[_i].text));
	ck_assert(fn_base64_decode(fn_bytes(text), text, &size));
	ck_assert(fn_bytes_equal((struct fn_bytes){text, size}, pairs[_i].bytes));
}
END_TEST

static const char *const bad[] = {"Z", "Zg", "Zg=", "Zm9vY", "====", "=AAA", "A===", "AA=A",
	"Zm9v\n", "Zm 9", "Zm9-", "Zm9_", "Zh==", "Zm9=", "\xc3\xa9\x41\x41",
	"Zg==Zg==", "A-AAAAAAAAAA"};

START_TEST(what_is_no_base64_is_refused)
{
	char into[16];
	size_t size;

	ck_assert_msg(!fn_base64_decode(fn_bytes(bad[_i]), into, &size), "%s", bad[_i]);
}
END_TEST

#define LONG 80 /* long enough to be decoded in every way there is */

/* Each place among four has a table of its own, each among 32 a place in a vector. */
START_TEST(every_byte_is_judged_in_every_place)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (int byte = 0; byte < 256; byte++) {
		char text[LONG], into[LONG];
		size_t size;
		bool is_digit = memchr(alphabet, byte, sizeof(alphabet) - 1);

		memset(text, 'A', LONG);
		text[_i] = (char)byte;
		ck_assert_msg(
			fn_base64_decode((struct fn_bytes){text, LONG}, into, &size) == is_digit,
			"byte %d", byte);
	}
}
END_TEST

static void
check_decoded(struct fn_bytes text, char *into, struct fn_bytes bytes)
{
	struct fn_bytes decoded = {into, 0};

	ck_assert(fn_base64_decode(text, into, &decoded.size));
	ck_assert(fn_bytes_equal(decoded, bytes));
}

/* In place, and in memory that has just as much room as the header asks for. */
START_TEST(any_number_of_bytes_comes_back)
{
	struct fn_arena *arena = fn_arena_new();
	char all[301];

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)(i * i * 37 + i / 7);
	for (size_t size = 0; size <= sizeof(all); size++) {
		struct fn_bytes bytes = {all, size};
		struct fn_bytes text = fn_base64_encode(bytes, arena);
		char *just_enough = malloc(text.size / 4 * 3), *in_place = fn_text(arena, text);

		check_decoded(text, just_enough, bytes);
		check_decoded((struct fn_bytes){in_place, text.size}, in_place, bytes);
		free(just_enough);
	}
	fn_arena_drop(arena);
}
END_TEST

/* RFC 4648, section 10, in the other alphabet and without padding; then what is none of it. */
static const struct {
	const char *text, *bytes; /* NULL: refused */
} encodings[] = {
	{"", ""},
	{"Zg", "f"},
	{"Zm8", "fo"},
	{"Zm9v", "foo"},
	{"Zm9vYg", "foob"},
	{"Zm9vYmE", "fooba"},
	{"Zm9vYmFy", "foobar"},
	{"-_-_", "\xfb\xff\xbf"},
	{"Z", NULL},
	{"Zm9vY", NULL},
	{"Zg==", NULL},
	{"Zm8=", NULL},
	{"Zh", NULL},
	{"Zm9", NULL},
	{"+/+/", NULL},
	{"Zm9v\n", NULL},
	{"Zm 9v", NULL},
	{"Zm.v", NULL},
	{"====", NULL},
	{"\xc3\xa4_v", NULL},
};

START_TEST(text_for_urls_is_the_only_one)
{
	struct fn_arena *arena = fn_arena_new();
	struct fn_bytes bytes;
	bool ok = fn_base64url_decode(fn_bytes(encodings[_i].text), arena, &bytes);

	ck_assert_msg(ok == (encodings[_i].bytes != NULL), "%s", encodings[_i].text);
	if (ok) {
		ck_assert_bytes_eq(bytes, encodings[_i].bytes);
		ck_assert_str_eq(fn_base64url_encode(bytes, arena).at, encodings[_i].text);
	}
	fn_arena_drop(arena);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = bytes_become_text, .rows = COUNT(pairs)},
		{.test = text_becomes_bytes, .rows = COUNT(pairs)},
		{.test = what_is_no_base64_is_refused, .rows = COUNT(bad)},
		/* the last may be '=' */
		{.test = every_byte_is_judged_in_every_place, .rows = LONG - 1},
		{.test = any_number_of_bytes_comes_back},
		{.test = text_for_urls_is_the_only_one, .rows = COUNT(encodings)},
	};

	return suite_run("base64", cases, COUNT(cases));
}
