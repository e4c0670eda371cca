/* Image models that fail for a while: whether they are asked again, when, and what is told. */
#include "fn/clock.h"
#include "tests/support/easel.h"
#include "tests/support/suite.h"

#include <string.h>

#define SOON .headers = "Retry-After: 1\r\n"

static const struct script passing[] = {
	{.status = 429, SOON},
	{.status = 500, SOON},
	{.status = 503, SOON},
	{.status = 504, SOON},
	{.end = SCRIPT_RESET},
	{.status = 200,
		.body = FN_BYTES_INIT("{\"candidates\":["),
		.missing = 9,
		.end = SCRIPT_CLOSE},
};

START_TEST(passing_failure_is_got_over)
{
	const struct script script[] = {passing[_i], {.status = 200, .body = FN_BYTES(GEMINI_OK)}};

	easel_open(GEMINI, script, COUNT(script));
	ck_assert_msg(easel_paint_fox(), "%d: %s", _i, easel.err.message);
	ck_assert_uint_eq(scripted_server_requests(easel.server), 2);
}
END_TEST

static const struct lasting_case {
	struct script script;
	int64_t left_ms; /* 0: no deadline */
	enum fn_code code;
	unsigned retry_after_s;
	const char *message;
	size_t requests;
} lasting_cases[] = {
	{{.status = 429, SOON}, 0, FN_RATE_LIMITED, 1,
		"the image model has no capacity left at the moment", 3},
	{{.status = 429, .headers = "Retry-After: 60\r\n"}, 30000, FN_RATE_LIMITED, 60,
		"the image model has no capacity left at the moment", 1},
	{{.status = 429}, 900, FN_RATE_LIMITED, 10,
		"the image model has no capacity left at the moment", 1},
	{{.status = 503}, 900, FN_UPSTREAM, 0,
		"gemini-3.1-flash-image: it is not available (status 503 in global): ", 1},
	{{.status = 504, SOON}, 0, FN_DEADLINE, 0,
		"gemini-3.1-flash-image: it was too slow (status 504 in global): ", 2},
};

START_TEST(lasting_failure_is_told)
{
	const struct lasting_case *c = &lasting_cases[_i];

	easel_open(GEMINI, &c->script, 1);
	if (c->left_ms > 0)
		easel.call.deadline_ms = fn_now_ms() + c->left_ms;
	ck_assert(!easel_paint_fox());
	ck_assert_int_eq(easel.err.code, c->code);
	ck_assert_str_eq(easel.err.message, c->message);
	ck_assert_uint_eq(easel.err.retry_after_s, c->retry_after_s);
	ck_assert_uint_eq(scripted_server_requests(easel.server), c->requests);
}
END_TEST

struct turns {
	size_t taken, most;
};

static bool
take_turn(void *with, struct fn_call *of, struct fn_error *err)
{
	struct turns *turns = with;

	(void)of;
	return turns->taken++ < turns->most || fn_fail(err, FN_BUSY, "no turn");
}

static const struct pace_case {
	struct script first;
	size_t most, taken, requests;
	enum fn_code code;
} pace_cases[] = {
	{{.status = 200, .body = FN_BYTES_INIT(GEMINI_OK)}, 9, 1, 1, FN_OK},
	{{.status = 429, SOON}, 9, 2, 2, FN_OK},
	{{.status = 503, SOON}, 9, 2, 2, FN_OK},
	{{.status = 200, .body = FN_BYTES_INIT(GEMINI_FINISH("NO_IMAGE"))}, 9, 2, 2, FN_OK},
	{{.status = 404}, 9, 1, 1, FN_UPSTREAM},
	{{.status = 429, SOON}, 0, 1, 0, FN_BUSY},
	{{.status = 429, SOON}, 1, 2, 1, FN_RATE_LIMITED},
	{{.status = 503, SOON}, 1, 2, 1, FN_UPSTREAM},
};

/* Each attempt takes a turn, and without one the model is not asked: then what it said last is
 * told. */
START_TEST(attempts_keep_the_pace)
{
	const struct pace_case *c = &pace_cases[_i];
	const struct script script[] = {c->first, {.status = 200, .body = FN_BYTES(GEMINI_OK)}};
	struct turns turns = {.most = c->most};
	const struct image_pace pace = {take_turn, &turns};

	easel_open(GEMINI, script, COUNT(script));
	bool ok = easel_paint(&easel_fox, &pace);
	ck_assert_msg(
		ok ? c->code == FN_OK : easel.err.code == c->code, "%d: %s", _i, easel.err.message);
	ck_assert_uint_eq(turns.taken, c->taken);
	ck_assert_uint_eq(scripted_server_requests(easel.server), c->requests);
}
END_TEST

START_TEST(hanging_model_is_left_at_the_deadline)
{
	const struct script script = {.end = SCRIPT_STALL};

	easel_open(GEMINI, &script, 1);
	easel.call.deadline_ms = fn_now_ms() + 500;
	ck_assert(!easel_paint_fox());
	ck_assert_int_eq(easel.err.code, FN_DEADLINE);
	ck_assert_uint_eq(scripted_server_requests(easel.server), 1);
}
END_TEST

START_TEST(refused_token_is_replaced_once)
{
	const struct script script[] = {
		{.status = 401}, {.status = (int[]){200, 401}[_i], .body = FN_BYTES(GEMINI_OK)}};

	easel_open(GEMINI, script, COUNT(script));
	bool ok = easel_paint_fox();
	ck_assert_msg(ok == (_i == 0), "%s", easel.err.message);
	ck_assert_msg(ok || strstr(easel.err.message, "it does not take our credentials"), "%s",
		easel.err.message);
	ck_assert_ptr_null(strstr(easel.err.message, "Bearer"));
	ck_assert_uint_eq(scripted_server_requests(easel.server), 2);
	ck_assert_ptr_nonnull(strstr(easel_request(0), "Authorization: Bearer one\r\n"));
	ck_assert_ptr_nonnull(strstr(easel_request(1), "Authorization: Bearer two\r\n"));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = passing_failure_is_got_over, .rows = COUNT(passing)},
		{.test = lasting_failure_is_told, .rows = COUNT(lasting_cases)},
		{.test = attempts_keep_the_pace, .rows = COUNT(pace_cases)},
		{.test = hanging_model_is_left_at_the_deadline},
		{.test = refused_token_is_replaced_once, .rows = 2},
	};

	return suite_run_with("image_model, failing", cases, COUNT(cases), easel_begin, easel_end);
}
