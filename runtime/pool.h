/* pool.h: at most so many handlers at once, and a bounded line of those that wait for one.
 *
 * Threads are made when work needs them and stay. */
#ifndef POOL_H
#define POOL_H

#include "exchange.h"

struct pool;

/* `run` is called on one of the pool's threads for each exchange. */
struct pool *pool_new(size_t threads_most, size_t waiting_most,
	void (*run)(struct fn_exchange *, void *with), void *with);

/* Puts it at the end of the line; false where as many wait as may. */
FN_MUST bool pool_add(struct pool *, struct fn_exchange *);

/* Sees to it that somebody comes for those that wait: one thread, which runs quick handlers in a
 * row; once they have waited for a millisecond as many again as are at work, and so on. So quick
 * handlers cost few wakes, and slow ones soon run side by side. To be called after each round of
 * pool_add, and while it returns true again after a millisecond. */
bool pool_wake(struct pool *, int64_t now_us);

/* Takes back one that was whole before `whole_us` and still waits, NULL where none does. */
struct fn_exchange *pool_take_stale(struct pool *, int64_t whole_us);

/* How many wait, and how many have a handler, right now. */
void pool_count(struct pool *, size_t *waiting, size_t *running);

/* Ends the threads. Every exchange must have been run. */
void pool_drop(struct pool *);

#endif
