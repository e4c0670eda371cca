/* gate.h: so many requests inside at once; the next ones wait a little, then are sent away.
 *
 * This is how Cloud Run treats a service whose instances are all busy: a short queue, then 503.
 * Source: cloud.google.com/run/docs/about-concurrency. */
#ifndef GATE_H
#define GATE_H

#include "fn/error.h"

#include <pthread.h>
#include <stdint.h>

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t left;
	unsigned room;    /* how many more may enter */
	unsigned waiting; /* for room */
	unsigned most_waiting;
	int64_t wait_ms; /* each of them, at most */
};

void gate_init(struct gate *, unsigned room, unsigned most_waiting, int64_t wait_ms);

/* FN_BUSY, with retry_after_s: the queue is full, or nobody left in time. */
FN_MUST bool gate_enter(struct gate *, struct fn_error *);
void gate_leave(struct gate *);

#endif
