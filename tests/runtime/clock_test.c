#include "fn/clock.h"

#include "tests/support/suite.h"

#include <time.h>

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

static const struct {
	int64_t unix_s;
	const char *text;
} dates[] = {
	{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
	{784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110's own */
	{951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
	{253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

START_TEST(moments_are_written_for_http)
{
	char text[FN_HTTP_DATE_SIZE];

	fn_http_date(dates[_i].unix_s, text);
	ck_assert_str_eq(text, dates[_i].text);
}
END_TEST

/* Every day of eight centuries is the C library's, whose first leap day left out is in 2100. */
START_TEST(the_calendar_is_the_usual_one)
{
	char text[FN_HTTP_DATE_SIZE], usual[64];
	struct tm utc;

	for (time_t at = 3599; at < (time_t)800 * 366 * 86400; at += 86401) {
		gmtime_r(&at, &utc);
		strftime(usual, sizeof(usual), "%a, %d %b %Y %T GMT", &utc);
		fn_http_date(at, text);
		ck_assert_str_eq(text, usual);
	}
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
		{.test = moments_are_written_for_http, .rows = COUNT(dates)},
		{.test = the_calendar_is_the_usual_one},
		{.test = the_calendar_can_be_pretended},
	};

	return suite_run("clock", cases, COUNT(cases));
}
