/* retry.h: how long to wait before trying again. */
#ifndef FN_RETRY_H
#define FN_RETRY_H

#include "fn/call.h"

struct fn_retry {
	unsigned attempts; /* in all */
	unsigned first_ms; /* the wait before the second attempt, doubled each time... */
	unsigned most_ms;  /* ...up to this; each wait is drawn between half of it and the whole */
	unsigned made;     /* attempts made so far: start with 0 */
};

/* After a failed attempt: waits, and says whether to try again. `ask_ms` is what the other side
 * asked for (Retry-After), 0 where it did not, and is then waited in full. False at once, without
 * waiting, when the attempts are used up or the wait would pass the call's deadline. */
bool fn_retry_wait(struct fn_retry *, const struct fn_call *, int64_t ask_ms);

/* Retry-After in either of its forms (seconds, HTTP date); 0 where it is absent or unreadable. */
int64_t fn_retry_after_ms(struct fn_bytes value);

#endif
