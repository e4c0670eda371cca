/* shared_fetch.h: something from elsewhere that many threads need and that ages: one of them
 * fetches it for all. Private to adapters.
 *
 * What is old but usable serves the others while one fetches anew, and everybody where that fails.
 * Where there is none they wait, and share what comes of it. */
#ifndef SHARED_FETCH_H
#define SHARED_FETCH_H

#include "fn/call.h"

#include <pthread.h>

struct shared_fetch {
	const char *name; /* for messages */
	void *owner;
	/* Runs without the lock; what it gets lives in the call's arena. */
	bool (*fetch)(void *owner, struct fn_call *, void **got, struct fn_error *);
	/* Runs with the lock, and sets the two moments below. */
	void (*keep)(void *owner, void *got, int64_t asked_ms);

	pthread_mutex_t lock; /* for all below, and for what is kept */
	pthread_cond_t ended;
	bool is_running;
	unsigned count;          /* of fetches that have ended */
	struct fn_error failure; /* of the last one */
	int64_t asked_ms;        /* Unix time: the last one began; 0: there was none */
	int64_t fresh_until_ms;
	int64_t usable_until_ms; /* 0: there is nothing */
};

/* Name, owner and functions have been set. */
void shared_fetch_init(struct shared_fetch *);
void shared_fetch_destroy(struct shared_fetch *);

/* Both want the lock to be held, and let it go while they wait.
 *
 * Ensure that there is something usable, if need be anew. */
FN_MUST bool shared_fetch_ensure(struct shared_fetch *, struct fn_call *, struct fn_error *);

/* Waits for the end of the fetch that runs, whatever comes of it, unless that is a failure that is
 * not its caller's alone. */
FN_MUST bool shared_fetch_wait(struct shared_fetch *, struct fn_call *, struct fn_error *);

#endif
