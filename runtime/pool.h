/* pool.h: the server's threads: one leads the loop, at most so many others are in handlers, and a
 * bounded line of requests waits for them.
 *
 * Leader and followers: while handlers are slow the leader only reads and writes, and followers
 * take requests from the line. Once many handlers in a row were quick the leader calls them
 * itself, which saves two changes of threads a request. One follower keeps watch meanwhile: when a
 * handler keeps the leader for some milliseconds, it takes the lead, and the old leader is a
 * follower that happens to be in a handler. So no handler holds the loop for long.
 *
 * Threads are made when work needs them and stay. Source of the pattern: Schmidt et al.,
 * Pattern-Oriented Software Architecture 2, "Leader/Followers". */
#ifndef POOL_H
#define POOL_H

#include "exchange.h"

struct pool;

enum pool_lead {
	POOL_RELIEVED,  /* another thread leads now */
	POOL_DONE,      /* all is over, and nobody is in a handler */
	POOL_ABANDONED, /* all is over, but for handlers that do not end */
};

struct pool_work {
	size_t handlers_most, waiting_most;
	size_t quick_calls; /* in a row make the next ones likely to be quick, too */
	enum pool_lead (*lead)(void *with);            /* runs the loop */
	void (*run)(struct fn_exchange *, void *with); /* handles one from the line */
	void *with;
};

struct pool *pool_new(const struct pool_work *);
void pool_drop(struct pool *);

/* Has the calling thread lead until a follower relieves it, waits until all is over, and ends the
 * followers. False where they are abandoned: they still run, and use what they have. */
bool pool_run(struct pool *);

/* ---- For the leader ------------------------------------------------------------------------- */

/* Puts it at the end of the line; false where as many wait as may. */
FN_MUST bool pool_add(struct pool *, struct fn_exchange *);

/* Sees to it that somebody comes for those that wait: one thread, which runs quick handlers in a
 * row; once they have waited for a millisecond as many again as are at work, and so on. So quick
 * handlers cost few wakes, and slow ones soon run side by side. To be called after each round of
 * pool_add, and while it returns true again after a millisecond. */
bool pool_wake(struct pool *, int64_t now_us);

/* Takes back one that was whole before `whole_us` and still waits, NULL where none does. */
struct fn_exchange *pool_take_stale(struct pool *, int64_t whole_us);

/* Takes back the one of this connection, NULL where that does not wait. */
struct fn_exchange *pool_take(struct pool *, const struct connection *);

/* How many wait, and how many have a handler, right now. */
void pool_count(struct pool *, size_t *waiting, size_t *running);

/* Around a call of a handler by the leader itself. False: it is to put it in the line instead,
 * where the loop has stood still for `kept_us`, or nobody keeps watch. */
FN_MUST bool pool_leave(struct pool *, int64_t kept_us, uint64_t *visit);
/* False: another thread leads now, and what is the leader's is not ours any more. */
FN_MUST bool pool_return(struct pool *, uint64_t visit);

/* At the end of a round. True: the leader is relieved. That happens once, to the thread of
 * pool_run, which calls no handlers, so that it is there when all is over. */
FN_MUST bool pool_relieve(struct pool *);

#endif
