/* work.h: one job, from its claim to an end, or as far as this worker gets with it. */
#ifndef WORK_H
#define WORK_H

#include "functions/video_worker/services.h"

/* Works at a job just claimed, and writes into its document what becomes of it. The text of `end`
 * lives as long as the call. False: it is another worker's by now; the queue is told nothing. */
bool work_at(const struct services *, struct fn_call *, const struct job *, struct job_end *end);

#endif
