#include "fn/clock.h"
#include "fn/retry.h"
#include "tests/support/suite.h"

/* 2026-11-24T05:36:58.500Z */
#define NOW_MS INT64_C(1795498618500)

static const struct after_case {
	const char *value;
	int64_t wait_ms;
} after_cases[] = {
	{"0", 0},
	{"7", 7000},
	{" 120\t", 120000},
	{"86400", 86400000},
	{"86401", 0},
	{"99999999999999999999", 0},
	{"-1", 0},
	{"1.5", 0},
	{"soon", 0},
	{"", 0},
	{"Tue, 24 Nov 2026 05:37:00 GMT", 1500},
	{"Tuesday, 24-Nov-26 05:37:00 GMT", 1500}, /* RFC 850 */
	{"Tue Nov 24 05:37:00 2026", 1500},        /* asctime */
	{"Tue, 24 Nov 2026 05:36:58 GMT", 0},      /* has passed */
	{"Sun, 24 Nov 2126 05:37:00 GMT", 0},      /* not in our time */
	{"Tue, 24 Nov 2026 05:37:00 GMT, and then some more than any date could be", 0},
};

START_TEST(retry_after_is_seconds_or_a_date)
{
	const struct after_case *c = &after_cases[_i];

	fn_clock_pretend(NOW_MS);
	int64_t wait_ms = fn_retry_after_ms(fn_bytes(c->value));
	ck_assert_msg(wait_ms == c->wait_ms, "\"%s\": %lld", c->value, (long long)wait_ms);
}
END_TEST

START_TEST(retry_after_that_is_absent_asks_for_nothing)
{
	ck_assert_int_eq(fn_retry_after_ms((struct fn_bytes){0}), 0);
}
END_TEST

/* A deadline that just passes the longest possible wait, or just fails to, tells how long it is. */
static const struct wait_case {
	const char *name;
	struct fn_retry retry;
	int64_t ask_ms, left_ms; /* 0: no deadline */
	bool again;
} wait_cases[] = {
	{"an attempt is left", {.attempts = 2}, 0, 0, true},
	{"none is left", {.attempts = 1}, 0, 0, false},
	{"none was allowed", {.attempts = 0}, 0, 0, false},
	{"the last is made", {.attempts = 3, .made = 2}, 0, 0, false},
	{"the wait fits", {.attempts = 2, .first_ms = 2, .most_ms = 2}, 0, 60000, true},
	{"the wait would pass the deadline", {.attempts = 2, .first_ms = 120001, .most_ms = 120001},
		0, 60000, false},
	{"the wait is doubled each time",
		{.attempts = 9, .first_ms = 20001, .most_ms = 900000, .made = 3}, 0, 60000, false},
	{"but not beyond the most", {.attempts = 9, .first_ms = 20001, .most_ms = 2, .made = 3}, 0,
		60000, true},
	{"also after a great many", {.attempts = 99, .first_ms = 20001, .most_ms = 2, .made = 70},
		0, 60000, true},
	{"what is asked for counts alone", {.attempts = 2, .first_ms = 900000, .most_ms = 900000},
		1, 60000, true},
	{"what is asked for may be too much", {.attempts = 2}, 60000, 59000, false},
};

START_TEST(retry_keeps_to_its_attempts_and_the_deadline)
{
	const struct wait_case *c = &wait_cases[_i];
	struct fn_call call = {.deadline_ms = c->left_ms > 0 ? fn_now_ms() + c->left_ms : 0};
	struct fn_retry retry = c->retry;

	ck_assert_msg(fn_retry_wait(&retry, &call, c->ask_ms) == c->again, "%s", c->name);
	ck_assert_uint_eq(retry.made, c->retry.made + 1);
}
END_TEST

START_TEST(wait_is_at_least_half_and_what_is_asked_for_in_full)
{
	struct fn_retry retry = {.attempts = 3, .first_ms = 40, .most_ms = 40};
	struct fn_call call = {0};
	int64_t begun = fn_now_ms();

	ck_assert(fn_retry_wait(&retry, &call, 0));
	ck_assert_int_ge(fn_now_ms() - begun, 20);
	begun = fn_now_ms();
	ck_assert(fn_retry_wait(&retry, &call, 60));
	ck_assert_int_ge(fn_now_ms() - begun, 60);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = retry_after_is_seconds_or_a_date, .rows = COUNT(after_cases)},
		{.test = retry_after_that_is_absent_asks_for_nothing},
		{.test = retry_keeps_to_its_attempts_and_the_deadline, .rows = COUNT(wait_cases)},
		{.test = wait_is_at_least_half_and_what_is_asked_for_in_full},
	};
	return suite_run("retry", cases, COUNT(cases));
}
