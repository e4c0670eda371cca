/* lease.h: a claimed job stays ours, whatever we wait for, because a thread renews its lease.
 *
 * The same renewals carry our progress there, and back that the job's owner wants it canceled. */
#ifndef LEASE_H
#define LEASE_H

#include "adapters/job_queue.h"

#include <pthread.h>

struct lease {
	struct job_queue *jobs;
	struct job job;
	int64_t length_ms;
	struct fn_call call; /* the thread's own */
	pthread_t thread;

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	enum job_hold hold; /* as of the last renewal */
	int64_t until_ms;   /* when it ends unless it is renewed; on fn_now_ms()'s clock */
	int64_t renew_ms;   /* when to renew it next; the same */
	int progress;       /* percent; -1: not known */
	bool over;
};

/* The job's text is borrowed until the end. FN_BUSY: there is no thread for it. */
FN_MUST bool lease_begin(struct lease *, const struct fn_call *, struct job_queue *,
	const struct job *, int64_t length_ms, struct fn_error *);
void lease_end(struct lease *);

/* How far the work is, from now on. */
void lease_tell(struct lease *, int percent);

/* Waits so long, which may be no time at all, and longer where the lease seems to have run out and
 * the queue has yet to say whose the job is. True if it is ours then, and has not to be left now:
 *
 * FN_PRECONDITION: it is another's. FN_CONFLICT: its owner wants it canceled.
 * FN_BUSY: the process stops, or the call's time is used up. */
FN_MUST bool lease_hold(struct lease *, const struct fn_call *, int64_t wait_ms, struct fn_error *);

#endif
