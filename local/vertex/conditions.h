/* conditions.h: how good a day the models have: latency, quota and faults, from the environment. */
#ifndef CONDITIONS_H
#define CONDITIONS_H

#include "fn/call.h"
#include "fn/config.h"
#include "local/vertex/model.h"

struct conditions; /* opaque; safe for many threads */

struct conditions_config {
	const char *latency;    /* IMAGEN_LATENCY_MS, VEO_LATENCY_S */
	long quota;             /* IMAGEN_QUOTA_PER_S, VEO_QUOTA_PER_MINUTE */
	const char *faults;     /* IMAGEN_FAULTS, VEO_FAULTS */
	const char *time_scale; /* TIME_SCALE: how long a second of Veo's lasts; NULL: a second */
};

extern const struct fn_setting image_conditions_settings[];
extern const struct fn_setting video_conditions_settings[];

/* What the settings above are called, and what they count in. */
struct conditions_kind {
	const char *latency, *faults;
	int64_t latency_unit_ms, quota_unit_ms;
};

extern const struct conditions_kind image_conditions, video_conditions;

/* FN_INVALID: a setting is wrong; the message names the variable. */
FN_MUST bool conditions_open(struct conditions **, const struct conditions_kind *,
	const struct conditions_config *, struct fn_error *);
void conditions_close(struct conditions *);

/* Whether the model's quota has room for one more call now, which then is used up: a bucket that
 * holds as much as one unit of time may have. */
bool conditions_admit(struct conditions *, const struct model *);

/* The next of the scheduled faults; FAULT_NONE once all have happened. */
struct fault conditions_next_fault(struct conditions *);

/* How long the model takes this time. */
int64_t conditions_latency_ms(const struct conditions *);

/* Lets so much time pass, and less where the deadline comes earlier or the client hangs up. */
void conditions_pass(const struct fn_call *, int64_t ms);

#endif
