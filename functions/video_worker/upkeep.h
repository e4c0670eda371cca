/* upkeep.h: what keeps the queue whole beside the jobs themselves, at most once a minute. */
#ifndef UPKEEP_H
#define UPKEEP_H

#include "functions/video_worker/services.h"

struct upkeep *upkeep_new(void);
void upkeep_drop(struct upkeep *); /* NULL is fine */

/* On each wake: tells the queue its limits once, and once a minute looks for jobs that it has lost,
 * and for ends of which the documents do not know. What fails is logged, and tried on the next. */
void upkeep_do(const struct services *, struct fn_call *);

/* Fills a queue that is new or has lost everything, from the documents; or, where only the newest
 * writes may be missing, what was touched of late. Fails as video_reconcile_rebuild does. */
FN_MUST bool upkeep_rebuild(const struct services *, struct fn_call *, const struct job_worker *,
	enum video_reach, struct fn_error *);

#endif
