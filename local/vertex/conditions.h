/* conditions.h: how good a day the model has: latency, quota and faults, from the environment. */
#ifndef CONDITIONS_H
#define CONDITIONS_H

#include "fn/call.h"
#include "fn/config.h"
#include "local/vertex/model.h"

struct conditions; /* opaque; safe for many threads */

struct conditions_config {
	const char *latency_ms; /* IMAGEN_LATENCY_MS */
	long quota_per_s;       /* IMAGEN_QUOTA_PER_S */
	const char *faults;     /* IMAGEN_FAULTS */
};

extern const struct fn_setting conditions_settings[];

/* FN_INVALID: a setting is wrong; the message names the variable. */
FN_MUST bool conditions_open(
	struct conditions **, const struct conditions_config *, struct fn_error *);
void conditions_close(struct conditions *);

/* Whether the model's quota has room for one more call now, which then is used up: a bucket that
 * holds one second's worth of calls. */
bool conditions_admit(struct conditions *, const struct model *);

/* The next of the scheduled faults; FAULT_NONE once all have happened. */
struct fault conditions_next_fault(struct conditions *);

/* Lets the model's latency pass. */
void conditions_wait(const struct conditions *, const struct fn_call *);

/* Lets so much time pass, and less where the deadline comes earlier or the client hangs up. */
void conditions_pass(const struct fn_call *, int64_t ms);

#endif
