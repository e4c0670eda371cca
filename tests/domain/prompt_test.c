#include "domain/prompt.h"

#include "tests/support/suite.h"

#include <string.h>

static struct fn_call call;
static struct fn_header content_type;
static struct prompt prompt;
static struct fn_error err;

static void
setup(void)
{
	content_type = (struct fn_header){FN_BYTES("Content-Type"), FN_BYTES("application/json")};
	call = (struct fn_call){
		.arena = fn_arena_new(), .headers = &content_type, .header_count = 1};
}

static void
teardown(void)
{
	fn_arena_drop(call.arena);
}

static bool
parse(struct fn_bytes body)
{
	call.body = body;
	return prompt_parse(&prompt, &call, &err);
}

/* {"prompt": "x", name: text, as often as asked}; the name may be prompt itself. */
static struct fn_bytes
body_of(const char *name, const char *text, size_t times)
{
	bool is_prompt = strcmp(name, "prompt") == 0;
	struct fn_builder body = {.arena = call.arena};

	fn_addf(&body, "{%s\"%s\":\"", is_prompt ? "" : "\"prompt\":\"x\",", name);
	while (times-- > 0)
		fn_add(&body, fn_bytes(text));
	fn_add(&body, FN_BYTES("\"}"));
	return fn_built(&body);
}

/* ---- Bodies that are wrong ---- */

#define AND(member) FN_BYTES_INIT("{\"prompt\":\"a red fox\"," member "}")
#define PROMPT(text) FN_BYTES_INIT("{\"prompt\":\"" text "\"}")

/* Every way a body can be wrong is told apart: the sentence names the member and what is wanted. */
static const struct {
	struct fn_bytes body;
	const char *sentence; /* all of it, or its beginning where the JSON parser ends it */
} wrong[] = {
	{FN_BYTES_INIT(""), "body: empty, a JSON object is wanted"},
	{FN_BYTES_INIT(" \n"), "body: line 2, column 0: "},
	{FN_BYTES_INIT("prompt=fox"), "body: line 1, column 6: '[' or '{' expected"},
	{FN_BYTES_INIT("\"fox\""), "body: line 1, column 5: '[' or '{' expected"},
	{FN_BYTES_INIT("[\"fox\"]"), "body: a JSON object is wanted, this is an array"},
	{FN_BYTES_INIT("{\"prompt\":\"fox\"} x"), "body: line 1, column 18: end of file expected"},
	{FN_BYTES_INIT("{\"prompt\":\"fox\"}\0"), "body: line 1, column 17: end of file expected"},
	{FN_BYTES_INIT("{\"prompt\":\"fox\",}"), "body: line 1, column 17: string or '}' expected"},
	{FN_BYTES_INIT("{\"prompt\":\"fox"), "body: line 1, column 14: premature end of input"},
	{FN_BYTES_INIT("{'prompt':'fox'}"), "body: line 1, column 2: string or '}' expected"},
	{AND("\"prompt\":\"b\""), "body: line 1, column 30: duplicate object key"},
	{PROMPT("\xff"), "body: line 1, column 11: unable to decode byte 0xff"},
	{PROMPT("\xc0\xaf"), "body: line 1, column 11: unable to decode byte 0xc0"},
	{PROMPT("\xed\xa0\x80"), "body: line 1, column 11: unable to decode byte 0xed"},
	{PROMPT("\\ud800"), "body: line 1, column 18: invalid Unicode"},
	{PROMPT("\\u0000"), "body: line 1, column 18: \\u0000 is not allowed"},
	{PROMPT("a\nb"), "body: line 1, column 12: unexpected newline"},

	{FN_BYTES_INIT("{}"), "prompt: missing, 1 to 2000 characters are wanted"},
	{FN_BYTES_INIT("{\"prompt\":7}"), "prompt: text is wanted, this is a number"},
	{FN_BYTES_INIT("{\"prompt\":null}"), "prompt: text is wanted, this is null"},
	{FN_BYTES_INIT("{\"prompt\":[\"fox\"]}"), "prompt: text is wanted, this is an array"},
	{PROMPT(""), "prompt: blank, 1 to 2000 characters are wanted"},
	{PROMPT(" \\t\\r\\n"), "prompt: blank, 1 to 2000 characters are wanted"},
	{PROMPT("\xc2\xa0\xe2\x80\x83\xe3\x80\x80"),
		"prompt: blank, 1 to 2000 characters are wanted"},
	{PROMPT("a\\u0007"), "prompt: the control character U+0007 in place 2 is not allowed"},
	{PROMPT("\xc3\xa9\\u001b[2J"),
		"prompt: the control character U+001B in place 2 is not allowed"},
	{PROMPT("fox\\u007f"), "prompt: the control character U+007F in place 4 is not allowed"},
	{PROMPT("\xc2\x85"), "prompt: the control character U+0085 in place 1 is not allowed"},

	{AND("\"negative_prompt\":1"), "negative_prompt: text is wanted, this is a number"},
	{AND("\"negative_prompt\":\" \""),
		"negative_prompt: blank, 1 to 2000 characters are wanted"},
	{AND("\"negative_prompt\":\"\\u0001\""),
		"negative_prompt: the control character U+0001 in place 1 is not allowed"},

	{AND("\"aspect_ratio\":\"2:1\""),
		"aspect_ratio: \"2:1\" is none of 1:1, 3:4, 4:3, 9:16, 16:9"},
	{AND("\"aspect_ratio\":\"\""), "aspect_ratio: \"\" is none of 1:1, 3:4, 4:3, 9:16, 16:9"},
	{AND("\"aspect_ratio\":\"1:1 \""), "aspect_ratio: \"1:1 \" is none of"},
	{AND("\"aspect_ratio\":{}"),
		"aspect_ratio: one of 1:1, 3:4, 4:3, 9:16, 16:9 is wanted, this is an object"},

	{AND("\"seed\":0"), "seed: a whole number from 1 to 2147483647 is wanted"},
	{AND("\"seed\":-1"), "seed: a whole number from 1 to 2147483647 is wanted"},
	{AND("\"seed\":2147483648"), "seed: a whole number from 1 to 2147483647 is wanted"},
	{AND("\"seed\":4294967297"), "seed: a whole number from 1 to 2147483647 is wanted"},
	{AND("\"seed\":1.0"), "seed: a whole number from 1 to 2147483647 is wanted"},
	{AND("\"seed\":\"1\""), "seed: a whole number from 1 to 2147483647 is wanted"},
	{AND("\"seed\":null"), "seed: a whole number from 1 to 2147483647 is wanted"},
	{AND("\"seed\":99999999999999999999"), "body: line 1, column 49: too big integer"},

	{AND("\"publish\":1"), "publish: true or false is wanted, this is a number"},
	{AND("\"publish\":\"true\""), "publish: true or false is wanted, this is text"},

	{AND("\"colour\":\"red\""), "colour: there is no such member"},
	{AND("\"Prompt\":\"b\""), "Prompt: there is no such member"},
	{AND("\"a red fox\":true"), "body: there is no member of such a name"},
	{AND("\"\":\"b\""), "body: there is no member of such a name"},
};
START_TEST(wrong_body_is_refused)
{
	prompt.image.seed = 77;
	ck_assert_msg(!parse(wrong[_i].body), "%.*s", FN_ARG(wrong[_i].body));
	ck_assert_msg(err.code == FN_INVALID, "code %d: %s", err.code, err.message);
	ck_assert_msg(strncmp(err.message, wrong[_i].sentence, strlen(wrong[_i].sentence)) == 0,
		"\"%s\", not \"%s\"", err.message, wrong[_i].sentence);
	ck_assert_uint_eq(prompt.image.seed, 77);
}
END_TEST

/* Characters are counted as people do, not bytes. */
static const struct {
	const char *member, *character;
	size_t times;
	const char *sentence; /* NULL: right */
} lengths[] = {
	{"prompt", "x", 2000, NULL},
	{"prompt", "\xc3\xa9", 2000, NULL},
	{"prompt", "\xf0\x9f\xa6\x8a", 2000, NULL},
	{"prompt", "\\ud83e\\udd8a", 2000, NULL},
	{"prompt", "x", 2001, "prompt: 2001 characters, at most 2000 are allowed"},
	{"prompt", "\xf0\x9f\xa6\x8a", 2001, "prompt: 2001 characters, at most 2000 are allowed"},
	{"prompt", "xyz", 300000, "prompt: 900000 characters, at most 2000 are allowed"},
	{"negative_prompt", "\xe2\x82\xac", 2000, NULL},
	{"negative_prompt", "x", 2001,
		"negative_prompt: 2001 characters, at most 2000 are allowed"},
};
START_TEST(length_counts_characters)
{
	bool ok = parse(body_of(lengths[_i].member, lengths[_i].character, lengths[_i].times));

	ck_assert_msg(ok == !lengths[_i].sentence, "%s", err.message);
	if (!ok)
		ck_assert_str_eq(err.message, lengths[_i].sentence);
}
END_TEST

/* What nests without end is refused before it has eaten the stack; a long name is shown in part. */
START_TEST(hostile_body_is_refused)
{
	struct fn_builder deep = {.arena = call.arena}, named = {.arena = call.arena};

	for (int i = 0; i < 100000; i++)
		fn_add(&deep, FN_BYTES("{\"prompt\":"));
	ck_assert(!parse(fn_built(&deep)));
	ck_assert_msg(strstr(err.message, "maximum parsing depth"), "%s", err.message);

	fn_add(&named, FN_BYTES("{\""));
	for (int i = 0; i < 100000; i++)
		fn_add(&named, FN_BYTES("n"));
	fn_add(&named, FN_BYTES("\":1}"));
	ck_assert(!parse(fn_built(&named)));
	ck_assert_msg(strstr(err.message, "nnn: there is no such member"), "%s", err.message);
}
END_TEST

/* ---- Bodies that are right ---- */

/* The one member that must be there is enough: all others have their default. */
START_TEST(defaults_are_filled_in)
{
	ck_assert_msg(parse(FN_BYTES("{\"prompt\":\"a red fox\"}")), "%s", err.message);
	ck_assert_bytes_eq(prompt.image.prompt, "a red fox");
	ck_assert_uint_eq(prompt.image.negative_prompt.size, 0);
	ck_assert_str_eq(prompt.image.aspect_ratio, "1:1");
	ck_assert(!prompt.image.has_seed);
	ck_assert(prompt.publish);
}
END_TEST

/* Text comes out as it was meant: escapes undone, white space as it was. */
START_TEST(all_members_are_read)
{
	ck_assert_msg(
		parse(FN_BYTES(
			"\t{\"publish\": false, \"seed\": 2147483647, \"aspect_ratio\": \"16:9\","
			"\"negative_prompt\": \"blur\", \"prompt\": \" \\\"sch\\u00f6n\\\"\\n"
			"\xf0\x9f\xa6\x8a\\u200b \"}\n")),
		"%s", err.message);
	ck_assert_bytes_eq(prompt.image.prompt, " \"sch\xc3\xb6n\"\n\xf0\x9f\xa6\x8a\xe2\x80\x8b ");
	ck_assert_bytes_eq(prompt.image.negative_prompt, "blur");
	ck_assert_str_eq(prompt.image.aspect_ratio, "16:9");
	ck_assert(prompt.image.has_seed);
	ck_assert_uint_eq(prompt.image.seed, 2147483647);
	ck_assert(!prompt.publish);
}
END_TEST

static const char *const ratios[] = {"1:1", "3:4", "4:3", "9:16", "16:9"};
START_TEST(every_ratio_is_accepted)
{
	ck_assert(parse(fn_bytes(
		fn_textf(call.arena, "{\"prompt\":\"fox\",\"aspect_ratio\":\"%s\"}", ratios[_i]))));
	ck_assert_str_eq(prompt.image.aspect_ratio, ratios[_i]);
}
END_TEST

/* ---- The media type ---- */

static const struct {
	const char *type; /* NULL: no such header */
	const char *sentence;
} types[] = {
	{"application/json", NULL},
	{"application/json; charset=utf-8", NULL},
	{"Application/JSON ;charset=UTF-8", NULL},
	{NULL, "Content-Type: missing, application/json is wanted"},
	{"", "Content-Type: missing, application/json is wanted"},
	{"text/plain", "Content-Type: application/json is wanted, this is text/plain"},
	{"application/json5",
		"Content-Type: application/json is wanted, this is application/json5"},
	{"application/x-www-form-urlencoded; a=b", "Content-Type: application/json is wanted, this "
						   "is application/x-www-form-urlencoded"},
};
START_TEST(media_type_is_checked)
{
	content_type.value = fn_bytes(types[_i].type);
	call.header_count = types[_i].type ? 1 : 0;
	bool ok = parse(FN_BYTES("{\"prompt\":\"fox\"}"));

	ck_assert_msg(ok == !types[_i].sentence, "%s", err.message);
	if (!ok) {
		ck_assert_int_eq(err.code, FN_UNSUPPORTED_MEDIA);
		ck_assert_str_eq(err.message, types[_i].sentence);
	}
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = wrong_body_is_refused, .rows = COUNT(wrong)},
		{.test = length_counts_characters, .rows = COUNT(lengths)},
		{.test = hostile_body_is_refused},
		{.test = defaults_are_filled_in},
		{.test = all_members_are_read},
		{.test = every_ratio_is_accepted, .rows = COUNT(ratios)},
		{.test = media_type_is_checked, .rows = COUNT(types)},
	};

	return suite_run_with("prompt", cases, COUNT(cases), setup, teardown);
}
