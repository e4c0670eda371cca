#include "fn/clock.h"

#include "tests/support/suite.h"

static const struct {
	int64_t unix_ms;
	const char *text;
} times[] = {
	{0, "1970-01-01T00:00:00.000Z"},
	{999, "1970-01-01T00:00:00.999Z"},
	{951782400007, "2000-02-29T00:00:00.007Z"},
	{1795498618123, "2026-11-24T05:36:58.123Z"},
	{253402300799999, "9999-12-31T23:59:59.999Z"},
};

/* A moment is written as RFC 3339 says, whatever the time zone of the machine. */
START_TEST(moments_are_written_in_utc)
{
	char text[FN_TIMESTAMP_SIZE];

	fn_timestamp(times[_i].unix_ms, text);
	ck_assert_str_eq(text, times[_i].text);
}
END_TEST

/* The calendar's clock can be set by hand and given back; deadlines do not notice. */
START_TEST(the_calendar_can_be_pretended)
{
	int64_t before = fn_now_ms();

	fn_clock_pretend(1000);
	ck_assert_int_eq(fn_unix_ms(), 1000);
	ck_assert_int_ge(fn_now_ms(), before);
	fn_clock_pretend(0);
	ck_assert_int_gt(fn_unix_ms(), 1700000000000);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = moments_are_written_in_utc, .rows = COUNT(times)},
		{.test = the_calendar_can_be_pretended},
	};

	return suite_run("clock", cases, COUNT(cases));
}
