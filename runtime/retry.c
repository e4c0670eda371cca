#include "fn/retry.h"

#include "fn/clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_ASKED_S 86400

/* Half of each wait is drawn, so that callers who failed together do not come back together. */
static int64_t
next_wait_ms(const struct fn_retry *retry)
{
	unsigned doublings = retry->made - 1;
	uint64_t wait_ms = doublings < 32 ? (uint64_t)retry->first_ms << doublings : UINT64_MAX;

	if (wait_ms > retry->most_ms)
		wait_ms = retry->most_ms;
	return (int64_t)(wait_ms - arc4random_uniform((uint32_t)(wait_ms / 2 + 1)));
}

bool
fn_retry_wait(struct fn_retry *retry, const struct fn_call *call, int64_t ask_ms)
{
	if (++retry->made >= retry->attempts)
		return false;

	int64_t wait_ms = ask_ms > 0 ? ask_ms : next_wait_ms(retry);
	if (fn_time_left_ms(call, wait_ms + 1) <= wait_ms)
		return false;

	struct timespec left = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};
	while (nanosleep(&left, &left) != 0)
		continue; /* a signal came: sleep what is left */
	return true;
}

/* The three forms of a date in HTTP (RFC 9110, 5.6.7); 0 for anything else. */
static int64_t
date_ms(const char *date)
{
	static const char *const forms[] = {
		"%a, %d %b %Y %T GMT", "%A, %d-%b-%y %T GMT", "%a %b %d %T %Y"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm utc = {0};
		const char *end = strptime(date, forms[i], &utc);

		if (end && !*end)
			return (int64_t)timegm(&utc) * 1000;
	}
	return 0;
}

int64_t
fn_retry_after_ms(struct fn_bytes value)
{
	uint64_t seconds;
	char date[64];

	value = fn_bytes_trim(value);
	if (fn_bytes_number(value, MOST_ASKED_S, &seconds))
		return (int64_t)seconds * 1000;
	if (value.size >= sizeof(date))
		return 0;

	memcpy(date, value.at ? value.at : "", value.size);
	date[value.size] = '\0';
	int64_t wait_ms = date_ms(date) - fn_unix_ms();
	return wait_ms > 0 && wait_ms <= MOST_ASKED_S * INT64_C(1000) ? wait_ms : 0;
}
