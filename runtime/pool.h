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

/* False where as many wait as may. */
FN_MUST bool pool_add(struct pool *, struct fn_exchange *);

/* Takes back one that has waited since before `since_ms`, NULL where none has. */
struct fn_exchange *pool_take_stale(struct pool *, int64_t since_ms);

/* When the longest-waiting one began to wait; 0 where nobody waits. */
int64_t pool_waiting_since_ms(struct pool *);

/* Ends the threads. Every exchange must have been run. */
void pool_drop(struct pool *);

#endif
