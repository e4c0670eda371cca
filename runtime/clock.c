#include "fn/clock.h"

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

void
fn_timestamp(int64_t unix_ms, char text[FN_TIMESTAMP_SIZE])
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm utc;
	size_t size;

	gmtime_r(&seconds, &utc);
	size = strftime(text, FN_TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + size, FN_TIMESTAMP_SIZE - size, ".%03dZ", (int)(unix_ms % 1000));
}
