/* video_submit.h: a video is asked for, once and for its price. */
#ifndef VIDEO_SUBMIT_H
#define VIDEO_SUBMIT_H

#include "domain/limits.h"
#include "domain/tokens.h"
#include "domain/video_queue.h"

struct video_submit {
	struct document_store *documents;
	struct video_queue queue;
	const struct tokens_config *prices;
	struct limits limits;
};

/* One commit: the creation, what it costs, and what the request's Idempotency-Key stands for. If
 * that is a video already, it is read instead. Its place in the queue is known before; while the
 * queue is down, `score` is 0 and the place is found later.
 *
 * FN_PAYMENT_REQUIRED: there are too few tokens.
 * FN_RATE_LIMITED (with retry_after_s): the user has asked for as many as may be in an hour.
 * FN_BUSY, FN_RATE_LIMITED (with retry_after_s): as many wait as may, in all or of this user.
 * FN_INVALID, FN_UNPROCESSABLE, FN_NOT_FOUND: the key, as for idempotency_begin.
 * FN_DEADLINE, FN_UPSTREAM: the store; it may have happened, a request with the same key tells. */
FN_MUST bool video_submit(const struct video_submit *, struct fn_call *, const struct user *,
	const struct video_prompt *, struct video_job *, bool *is_new, struct fn_error *);

#endif
