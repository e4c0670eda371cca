#include "fn/error.h"

#include "tests/support/suite.h"

#include <string.h>

/* A failure says its code and its sentence, and answers false for its caller to return. */
START_TEST(a_failure_is_told)
{
	struct fn_error err = {.retry_after_s = 7};

	ck_assert(!fn_fail(&err, FN_PRECONDITION, "r2: object %s exists", "a"));
	ck_assert_int_eq(err.code, FN_PRECONDITION);
	ck_assert_str_eq(err.message, "r2: object a exists");
	ck_assert_uint_eq(err.retry_after_s, 0);
}
END_TEST

/* Each step that knows more stands in front; what the machine reads stays as it was. */
START_TEST(steps_are_added_in_front)
{
	struct fn_error err;

	fn_fail(&err, FN_BUSY, "503");
	err.retry_after_s = 7;
	ck_assert(!fn_wrap(&err, "firestore"));
	ck_assert(!fn_wrap(&err, "publish post %s", "p1"));
	ck_assert_str_eq(err.message, "publish post p1: firestore: 503");
	ck_assert_int_eq(err.code, FN_BUSY);
	ck_assert_uint_eq(err.retry_after_s, 7);
}
END_TEST

/* A sentence too long for its place keeps its beginning, whoever made it too long. */
START_TEST(a_long_sentence_is_cut_at_its_end)
{
	struct fn_error err;
	char endless[1000];

	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';

	fn_fail(&err, FN_INTERNAL, "a%s", endless);
	ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
	fn_wrap(&err, "b");
	ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
	ck_assert_int_eq(strncmp(err.message, "b: axxx", 7), 0);
	fn_wrap(&err, "c%s", endless);
	ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
	ck_assert_int_eq(strncmp(err.message, "cxxx", 4), 0);
}
END_TEST

static bool
third_step_fails(int *done, struct fn_error *err)
{
	TRY(++*done == 1);
	TRY(*done == 0 || ++*done == 2);
	TRY(fn_fail(err, FN_CONFLICT, "third"));
	++*done;
	return true;
}

/* The first step that fails is the last one taken. */
START_TEST(try_stops_at_the_failure)
{
	struct fn_error err = {0};
	int done = 0;

	ck_assert(!third_step_fails(&done, &err));
	ck_assert_int_eq(done, 2);
	ck_assert_int_eq(err.code, FN_CONFLICT);
}
END_TEST

static const int statuses[] = {200, 400, 401, 402, 403, 404, 405, 408, 409, 412, 413, 415, 422, 429,
	499, 500, 502, 503, 504};

/* A code and its status stand for each other, in the order of the header. */
START_TEST(codes_and_statuses_are_one_to_one)
{
	ck_assert_int_eq(fn_code_status((enum fn_code)_i), statuses[_i]);
	ck_assert_int_eq(fn_code_of_status(statuses[_i]), _i);
}
END_TEST

/* A status that no code stands for is the caller's fault below 500, and the server's above. */
START_TEST(other_statuses_have_a_side)
{
	ck_assert_int_eq(fn_code_of_status(418), FN_INVALID);
	ck_assert_int_eq(fn_code_of_status(498), FN_INVALID);
	ck_assert_int_eq(fn_code_of_status(302), FN_UPSTREAM);
	ck_assert_int_eq(fn_code_of_status(501), FN_UPSTREAM);
	ck_assert_int_eq(fn_code_of_status(0), FN_UPSTREAM);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = a_failure_is_told},
		{.test = steps_are_added_in_front},
		{.test = a_long_sentence_is_cut_at_its_end},
		{.test = try_stops_at_the_failure},
		{.test = codes_and_statuses_are_one_to_one, .rows = COUNT(statuses)},
		{.test = other_statuses_have_a_side},
	};

	return suite_run("error", cases, COUNT(cases));
}
