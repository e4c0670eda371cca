#include "fn/clock.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static atomic_llong pretended_ms;

static int64_t
clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
fn_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t
fn_unix_ms(void)
{
	int64_t pretended = atomic_load_explicit(&pretended_ms, memory_order_relaxed);

	return pretended ? pretended : clock_ms(CLOCK_REALTIME);
}

void
fn_clock_pretend(int64_t unix_ms)
{
	atomic_store(&pretended_ms, unix_ms);
}

/* A moment of the calendar. Not by gmtime_r and strftime: in each process they first read the
 * machine's time zone, which is a twentieth of a start. */
struct moment {
	int64_t year;
	unsigned month, day, weekday; /* from 1, from 1, from Sunday */
	unsigned hour, minute, second;
};

#define DAYS_TO_1970 719468      /* from 1 March of the year 0 */
#define DAYS_OF_400_YEARS 146097 /* after which the calendar repeats itself */

/* Years that begin in March have their leap day last, and months of (153 n + 2) / 5 days.
 * Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days. */
static struct moment
moment_of(int64_t unix_s)
{
	int64_t days = unix_s / 86400, since = days + DAYS_TO_1970;
	unsigned second = (unsigned)(unix_s % 86400), day = (unsigned)(since % DAYS_OF_400_YEARS);
	unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	unsigned day_of_year = day - (365 * year + year / 4 - year / 100);
	unsigned from_march = (5 * day_of_year + 2) / 153;

	return (struct moment){
		.year = since / DAYS_OF_400_YEARS * 400 + year + (from_march >= 10),
		.month = from_march < 10 ? from_march + 3 : from_march - 9,
		.day = day_of_year - (153 * from_march + 2) / 5 + 1,
		.weekday = (unsigned)((days + 4) % 7), /* 1970-01-01 was a Thursday */
		.hour = second / 3600,
		.minute = second / 60 % 60,
		.second = second % 60,
	};
}

void
fn_timestamp(int64_t unix_ms, char text[FN_TIMESTAMP_SIZE])
{
	struct moment at = moment_of(unix_ms / 1000);

	snprintf(text, FN_TIMESTAMP_SIZE, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u.%03uZ", at.year,
		at.month, at.day, at.hour, at.minute, at.second, (unsigned)(unix_ms % 1000));
}

void
fn_http_date(int64_t unix_s, char text[FN_HTTP_DATE_SIZE])
{
	static const char weekdays[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct moment at = moment_of(unix_s);

	snprintf(text, FN_HTTP_DATE_SIZE, "%s, %02u %s %04" PRId64 " %02u:%02u:%02u GMT",
		weekdays[at.weekday], at.day, months[at.month - 1], at.year, at.hour, at.minute,
		at.second);
}
