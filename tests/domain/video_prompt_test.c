#include "domain/video_prompt.h"

#include "tests/support/suite.h"

static const struct fn_header content_type = {
	FN_BYTES_INIT("Content-Type"), FN_BYTES_INIT("application/json")};
static struct fn_call call;
static struct video_prompt prompt;
static struct fn_error err;

static void
setup(void)
{
	call = (struct fn_call){
		.arena = fn_arena_new(), .headers = &content_type, .header_count = 1};
}

static void
teardown(void)
{
	fn_arena_drop(call.arena);
}

static bool
parse(const char *body)
{
	call.body = fn_bytes(body);
	return video_prompt_parse(&prompt, &call, &err);
}

#define AND(member) "{\"prompt\":\"a kite\"," member "}"

/* What is wrong is named, with what is wanted; the rest of it is prompt_test's. */
static const struct {
	const char *body, *sentence;
} wrong[] = {
	{"", "body: empty, a JSON object is wanted"},
	{"[]", "body: a JSON object is wanted, this is an array"},
	{"{}", "prompt: missing, 1 to 2000 characters are wanted"},
	{"{\"prompt\":\" \"}", "prompt: blank, 1 to 2000 characters are wanted"},
	{"{\"prompt\":7}", "prompt: text is wanted, this is a number"},
	{AND("\"aspect_ratio\":\"1:1\""), "aspect_ratio: \"1:1\" is none of 16:9, 9:16"},
	{AND("\"aspect_ratio\":9"), "aspect_ratio: one of 16:9, 9:16 is wanted, this is a number"},
	{AND("\"duration_s\":5"), "duration_s: one of 4, 6, 8 is wanted"},
	{AND("\"duration_s\":8.0"), "duration_s: one of 4, 6, 8 is wanted"},
	{AND("\"duration_s\":\"8\""), "duration_s: one of 4, 6, 8 is wanted"},
	{AND("\"duration_s\":-4"), "duration_s: one of 4, 6, 8 is wanted"},
	{AND("\"duration_s\":4294967300"), "duration_s: one of 4, 6, 8 is wanted"},
	{AND("\"seed\":0"), "seed: a whole number from 1 to 2147483647 is wanted"},
	{AND("\"audio\":\"yes\""), "audio: true or false is wanted, this is text"},
	{AND("\"publish\":null"), "publish: true or false is wanted, this is null"},
	{AND("\"negative_prompt\":\"fog\""), "negative_prompt: there is no such member"},
};
START_TEST(wrong_body_is_refused)
{
	prompt.video.duration_s = 77;
	ck_assert_msg(!parse(wrong[_i].body), "%s", wrong[_i].body);
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_str_eq(err.message, wrong[_i].sentence);
	ck_assert_uint_eq(prompt.video.duration_s, 77);
}
END_TEST

/* The one member that must be there is enough. */
START_TEST(defaults_are_filled_in)
{
	ck_assert_msg(parse("{\"prompt\":\"a kite\"}"), "%s", err.message);
	ck_assert_bytes_eq(prompt.video.prompt, "a kite");
	ck_assert_bytes_eq(prompt.video.negative_prompt, "");
	ck_assert_str_eq(prompt.video.aspect_ratio, "16:9");
	ck_assert_uint_eq(prompt.video.duration_s, 8);
	ck_assert(prompt.video.audio);
	ck_assert(!prompt.video.has_seed);
	ck_assert(prompt.publish);
}
END_TEST

START_TEST(all_members_are_read)
{
	static const unsigned durations[] = {4, 6, 8};

	ck_assert_msg(parse(fn_textf(call.arena,
			      "{\"publish\":false,\"audio\":false,\"seed\":7,\"duration_s\":%u,"
			      "\"aspect_ratio\":\"9:16\",\"prompt\":\"a kite\"}",
			      durations[_i])),
		"%s", err.message);
	ck_assert_str_eq(prompt.video.aspect_ratio, "9:16");
	ck_assert_uint_eq(prompt.video.duration_s, durations[_i]);
	ck_assert(!prompt.video.audio);
	ck_assert(prompt.video.has_seed);
	ck_assert_uint_eq(prompt.video.seed, 7);
	ck_assert(!prompt.publish);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = wrong_body_is_refused, .rows = COUNT(wrong)},
		{.test = defaults_are_filled_in},
		{.test = all_members_are_read, .rows = 3},
	};

	return suite_run_with("video prompt", cases, COUNT(cases), setup, teardown);
}
