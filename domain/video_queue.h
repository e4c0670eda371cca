/* video_queue.h: video jobs in the queue, in a fair order.
 *
 * Each step has a second: who waits for an answer is not kept waiting by a queue that is down. */
#ifndef VIDEO_QUEUE_H
#define VIDEO_QUEUE_H

#include "domain/video_job.h"

struct video_queue_config {
	long free_penalty_s; /* QUEUE_FREE_PENALTY_S */
	long quantum_s;      /* QUEUE_QUANTUM_S */
};

extern const struct fn_setting video_queue_settings[];

struct video_queue {
	struct job_queue *jobs;
	const struct video_queue_config *config;
};

/* Who is served first: those who pay, and of them those who have asked for less. */
struct job_class video_queue_class(const struct video_queue *, const struct video_job *);

/* A place for a job that has none. Fails as job_queue_reserve does. */
FN_MUST bool video_queue_reserve(const struct video_queue *, struct fn_call *,
	const struct video_job *, int64_t *score, struct fn_error *);

/* Enqueues a job that has a place; one that is there already stays as it is. Fails as
 * job_queue_enqueue does, but lets everyone in. */
FN_MUST bool video_queue_enqueue(const struct video_queue *, struct fn_call *,
	const struct video_job *, struct job_ticket *, struct fn_error *);

/* What the queue knows of a job; while it is down, that nothing is known. */
struct video_outlook video_queue_look(
	const struct video_queue *, struct fn_call *, const struct video_job *);

/* By its owner: ends a job that nobody works at, and has a worker end one that is at work. Where
 * the queue cannot be asked the document says it all, and its next reader acts on it.
 * FN_CONFLICT: it has ended, and not by this. */
FN_MUST bool video_queue_cancel(const struct video_queue *, struct fn_call *,
	struct document_store *, struct video_job *, struct fn_error *);

#endif
