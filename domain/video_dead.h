/* video_dead.h: dead letters of video jobs, about which an operator decides.
 *
 * The document comes first here as well. One that does not say yet how its job has ended is written
 * before anything else: its workers died one after the other and could not. */
#ifndef VIDEO_DEAD_H
#define VIDEO_DEAD_H

#include "domain/video_queue.h"

/* Both fail with FN_NOT_FOUND where the queue does not know the job, and with FN_PRECONDITION where
 * it is no dead letter. */

/* Charges for it and queues it as if it were new. May be repeated where it fails between the two.
 * FN_NOT_FOUND: the video is gone. FN_CONFLICT: it has ended otherwise, so that nobody wants it.
 * FN_PAYMENT_REQUIRED: its owner has too few tokens. */
FN_MUST bool video_dead_replay(const struct video_queue *, struct fn_call *,
	struct document_store *, struct fn_bytes id, struct job_ticket *, struct fn_error *);

/* Takes it out of the queue; the video stays as it has ended. */
FN_MUST bool video_dead_drop(const struct video_queue *, struct fn_call *, struct document_store *,
	struct fn_bytes id, struct fn_error *);

#endif
