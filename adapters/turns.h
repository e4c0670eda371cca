/* turns.h: threads that want the same thing stand in line, and whoever is first sees to it for
 * those behind it as well. Private to adapters.
 *
 * So nobody is passed over, however often others come again, and what each of them would have had
 * to wait for (a lock, a flush to disk) is waited for once. */
#ifndef TURNS_H
#define TURNS_H

#include "fn/call.h"

#include <pthread.h>

struct turn { /* the first member of what its owner wants */
	struct turn *next;
	pthread_cond_t changed;
	bool is_taken, is_over;
};

struct turns {
	pthread_mutex_t lock; /* for all below, and for the turns in line */
	struct turn *first;
};

void turns_init(struct turns *);
void turns_destroy(struct turns *);

enum turn_call {
	TURN_FIRST, /* it is ours to act, and then to call turns_end */
	TURN_OVER,  /* somebody has seen to it */
	TURN_LATE,  /* the deadline has passed, and nobody will */
};

/* Stands in line until then. */
enum turn_call turns_wait(struct turns *, struct turn *, const struct fn_call *);

/* For the first: takes all that stand in line now, and returns itself. Those taken stay until
 * turns_end, whatever their deadlines. */
struct turn *turns_take(struct turns *);

/* The next one that was taken; NULL: there is none. */
struct turn *turns_next(struct turns *, const struct turn *);

/* For the first: its turn is over, and that of all that were taken. */
void turns_end(struct turns *);

#endif
