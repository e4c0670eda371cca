/* outcome.h: what becomes of a claimed job, and its document's share in that. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "functions/video_worker/services.h"

struct outcome {
	const struct services *use;
	struct fn_call *call;
	const struct job *claimed;

	struct job_end end;     /* for the queue... */
	bool is_lost;           /* ...unless the job is another worker's by now */
	struct fn_bytes reason; /* why it failed, for people; empty: nothing that helps them */
	struct fn_bytes url;    /* where the video is, once it is stored... */
	struct video_file file; /* ...and what it is like */
};

/* So long, or up to half of it less, so that workers do not do the same at the same moment. */
int64_t outcome_delay_ms(int64_t most_ms);

/* ---- Ways out: all are false, and so end what they are returned from ------------------------- */

/* It has failed, and may do better. `fresh`: not with what the model has begun. */
bool outcome_fail(struct outcome *, bool fresh, const char *reason, struct fn_bytes note);

/* It has failed, and would do so again. The note may be empty. */
bool outcome_fail_for_good(struct outcome *, struct fn_bytes reason, struct fn_bytes note);

/* It could not be gone on with, which is not its fault. `fresh`: nothing was begun. */
bool outcome_hand_back(struct outcome *, int64_t delay_ms, bool fresh, const struct fn_error *why);

/* A step of the document's, or the lease, did not let us go on. */
bool outcome_interrupt(struct outcome *, const struct fn_error *why);

/* The way on: true. The video is stored, and outcome->file says what it is like. */
bool outcome_succeed(struct outcome *, struct fn_bytes url);

/* ---- The end --------------------------------------------------------------------------------- */

/* Tells the document what has become of the job. If that cannot be, or has been decided otherwise,
 * the outcome changes. Without a video no object stays. */
void outcome_write(struct outcome *, struct video_job *);

void outcome_log(const struct outcome *);

#endif
