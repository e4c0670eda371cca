/* clock.h: two clocks. Deadlines use the monotonic one, documents the calendar's. */
#ifndef FN_CLOCK_H
#define FN_CLOCK_H

#include "fn/bytes.h"

#include <stdint.h>

int64_t fn_now_ms(void);  /* monotonic; never stops, never steps; for deadlines */
int64_t fn_unix_ms(void); /* milliseconds since 1970-01-01T00:00:00Z */

/* Moves fn_unix_ms by hand: tests only. 0 gives the real clock back. */
void fn_clock_pretend(int64_t unix_ms);

/* RFC 3339 in UTC with milliseconds: "2026-11-24T05:36:58.123Z". From 1970 to the end of 9999. */
#define FN_TIMESTAMP_SIZE 25
void fn_timestamp(int64_t unix_ms, char text[FN_TIMESTAMP_SIZE]);

/* The same moments as HTTP writes them (RFC 9110, 5.6.7): "Tue, 24 Nov 2026 05:36:58 GMT" */
#define FN_HTTP_DATE_SIZE 30
void fn_http_date(int64_t unix_s, char text[FN_HTTP_DATE_SIZE]);

#endif
