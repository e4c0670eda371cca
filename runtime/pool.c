#include "pool.h"

#include "metrics.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#define STACK_SIZE (512 * 1024)
#define PATIENCE_US 1000 /* a quick handler is done long before, and takes the next one itself */
#define LOOK_MS 5        /* of the watch: seldom enough to be lost among quick calls */
#define QUIET_LOOKS 100  /* before it goes to sleep */

/* Where the leader is. */
enum {
	WATCHED = 1, /* by a follower that is neither asleep nor called */
	AWAY = 2,    /* in a handler; then the watch may not end */
	VISIT = 4,   /* the bits above count how often it was */
};

struct pool {
	struct pool_work work;
	_Atomic uint64_t visits;

	sem_t call; /* for one of the threads that sleep */
	sem_t over;
	pthread_mutex_t lock;
	struct fn_exchange *first, *last;
	size_t waiting;
	size_t asleep, called; /* threads; who is called is not asleep any more */
	size_t quick_calls;    /* in a row, of handlers of the line */
	bool follower_leads;
	bool vacant; /* the lead: whoever watches takes it */
	bool stopping;
	size_t thread_count;
	pthread_t threads[];
};

static void *follow(void *);

struct pool *
pool_new(const struct pool_work *work)
{
	size_t threads_most = work->handlers_most + 1; /* one of them leads */
	struct pool *pool = calloc(1, sizeof(*pool) + threads_most * sizeof(pool->threads[0]));

	if (!pool)
		return NULL;
	pool->work = *work;
	sem_init(&pool->call, 0, 0);
	sem_init(&pool->over, 0, 0);
	pthread_mutex_init(&pool->lock, NULL);
	return pool;
}

void
pool_drop(struct pool *pool)
{
	sem_destroy(&pool->call);
	sem_destroy(&pool->over);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static void
await(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		continue;
}

/* ---- The lead, with the lock, which is let go meanwhile ----------------------------------- */

static void
lead(struct pool *pool)
{
	enum pool_lead end;

	pthread_mutex_unlock(&pool->lock);
	end = pool->work.lead(pool->work.with);
	pthread_mutex_lock(&pool->lock);
	if (end == POOL_RELIEVED)
		return;
	if (end == POOL_DONE) {
		pool->stopping = true;
		for (; pool->asleep > 0; pool->asleep--, pool->called++)
			sem_post(&pool->call);
	}
	sem_post(&pool->over);
}

bool
pool_run(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	lead(pool);
	pthread_mutex_unlock(&pool->lock);
	await(&pool->over);
	if (!pool->stopping)
		return false;
	for (size_t i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	return true;
}

bool
pool_leave(struct pool *pool, int64_t kept_us, uint64_t *visit)
{
	uint64_t visits = atomic_load(&pool->visits);

	*visit = visits + AWAY;
	return kept_us < PATIENCE_US && pool->follower_leads && (visits & WATCHED) &&
	       atomic_compare_exchange_strong(&pool->visits, &visits, *visit);
}

bool
pool_return(struct pool *pool, uint64_t visit)
{
	return atomic_compare_exchange_strong(&pool->visits, &visit, visit - AWAY + VISIT);
}

bool
pool_relieve(struct pool *pool)
{
	bool watched;

	if (pool->follower_leads || !(atomic_load(&pool->visits) & WATCHED))
		return false;
	pthread_mutex_lock(&pool->lock);
	watched = atomic_load(&pool->visits) & WATCHED;
	pool->vacant = watched;
	pthread_mutex_unlock(&pool->lock);
	return watched;
}

/* ---- Followers, with the lock, which is let go meanwhile ---------------------------------- */

static struct fn_exchange *
take_first(struct pool *pool)
{
	struct fn_exchange *exchange = pool->first;

	if (!exchange)
		return NULL;
	pool->first = exchange->next;
	pool->waiting--;
	return exchange;
}

static void
run(struct pool *pool, struct fn_exchange *exchange)
{
	int64_t began_us = metrics_clock_us();

	pthread_mutex_unlock(&pool->lock);
	pool->work.run(exchange, pool->work.with);
	pthread_mutex_lock(&pool->lock);
	pool->quick_calls = metrics_clock_us() - began_us < PATIENCE_US ? pool->quick_calls + 1 : 0;
}

/* A call that comes before the sleep ends it at once. */
static void
sleep_until_called(struct pool *pool)
{
	pool->asleep++;
	pthread_mutex_unlock(&pool->lock);
	await(&pool->call);
	pthread_mutex_lock(&pool->lock);
	pool->called--;
}

static void
sleep_for_a_look(struct pool *pool)
{
	struct timespec time = {.tv_nsec = LOOK_MS * 1000000L};

	pthread_mutex_unlock(&pool->lock);
	nanosleep(&time, NULL);
	pthread_mutex_lock(&pool->lock);
}

static bool
has_work(const struct pool *pool)
{
	return pool->vacant || pool->first || pool->stopping;
}

static bool
wants_a_watch(struct pool *pool)
{
	return pool->quick_calls >= pool->work.quick_calls &&
	       !(atomic_load(&pool->visits) & WATCHED);
}

/* True where two looks find the leader in the same handler: then it is relieved. False as soon as
 * there is other work, or nothing to watch. */
static bool
watch(struct pool *pool)
{
	uint64_t before = 0, now;

	atomic_fetch_or(&pool->visits, WATCHED);
	for (int quiet = 0;; quiet++) {
		now = atomic_load(&pool->visits);
		if (now != before)
			quiet = 0;
		before = now;
		if (!(now & AWAY) && (has_work(pool) || quiet == QUIET_LOOKS) &&
			atomic_compare_exchange_strong(&pool->visits, &now, now - WATCHED))
			return false;
		if ((now & AWAY) && quiet > 0 &&
			atomic_compare_exchange_strong(
				&pool->visits, &now, now - AWAY - WATCHED + VISIT))
			return true;
		sleep_for_a_look(pool);
	}
}

static void
rest(struct pool *pool)
{
	if (wants_a_watch(pool) && watch(pool)) {
		pool->quick_calls = 0;
		lead(pool);
	} else if (!has_work(pool)) {
		sleep_until_called(pool);
	}
}

static void *
follow(void *with)
{
	struct pool *pool = with;
	struct fn_exchange *exchange;

	pthread_mutex_lock(&pool->lock);
	pool->called--;
	while (!pool->stopping) {
		if (pool->vacant) {
			pool->vacant = false;
			pool->follower_leads = true;
			lead(pool);
		} else if ((exchange = take_first(pool))) {
			run(pool, exchange);
		} else {
			rest(pool);
		}
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static bool
has_room_for_a_thread(const struct pool *pool)
{
	return pool->thread_count < pool->work.handlers_most + pool->follower_leads;
}

static bool
add_thread(struct pool *pool)
{
	pthread_attr_t attributes;
	bool ok;

	if (!has_room_for_a_thread(pool))
		return false;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	ok = pthread_create(&pool->threads[pool->thread_count], &attributes, follow, pool) == 0;
	pthread_attr_destroy(&attributes);
	pool->thread_count += ok;
	return ok;
}

/* Threads that are in a handler. */
static size_t
at_work(struct pool *pool)
{
	bool watched = atomic_load(&pool->visits) & WATCHED;

	return pool->thread_count - pool->asleep - pool->called - pool->follower_leads - watched;
}

/* ---- The line ---------------------------------------------------------------------------- */

bool
pool_add(struct pool *pool, struct fn_exchange *exchange)
{
	bool room;

	exchange->next = NULL;
	pthread_mutex_lock(&pool->lock);
	room = pool->waiting < pool->work.waiting_most;
	if (room) {
		*(pool->first ? &pool->last->next : &pool->first) = exchange;
		pool->last = exchange;
		pool->waiting++;
	}
	pthread_mutex_unlock(&pool->lock);
	return room;
}

bool
pool_wake(struct pool *pool, int64_t now_us)
{
	size_t wanted = 0, calls = 0;
	bool more;

	pthread_mutex_lock(&pool->lock);
	/* while one that was called has not come yet the others would not come sooner */
	if (pool->first && pool->called == 0)
		wanted = now_us - pool->first->whole_us < PATIENCE_US ? 1 : at_work(pool) + 1;
	if (wanted > pool->waiting)
		wanted = pool->waiting;
	for (; pool->called < wanted; pool->called++) {
		if (pool->asleep > 0)
			pool->asleep--, calls++;
		else if (!add_thread(pool))
			break;
	}
	more = pool->first && (pool->asleep > 0 || has_room_for_a_thread(pool));
	pthread_mutex_unlock(&pool->lock);
	/* who is called before the lock is free only goes to sleep again */
	while (calls-- > 0)
		sem_post(&pool->call);
	return more;
}

struct fn_exchange *
pool_take_stale(struct pool *pool, int64_t whole_us)
{
	struct fn_exchange *exchange = NULL;

	pthread_mutex_lock(&pool->lock);
	if (pool->first && pool->first->whole_us < whole_us)
		exchange = take_first(pool);
	pthread_mutex_unlock(&pool->lock);
	return exchange;
}

struct fn_exchange *
pool_take(struct pool *pool, const struct connection *connection)
{
	struct fn_exchange *before = NULL, *at;

	pthread_mutex_lock(&pool->lock);
	for (at = pool->first; at && at->connection != connection; at = at->next)
		before = at;
	if (at) {
		*(before ? &before->next : &pool->first) = at->next;
		if (pool->last == at)
			pool->last = before;
		pool->waiting--;
	}
	pthread_mutex_unlock(&pool->lock);
	return at;
}

void
pool_count(struct pool *pool, size_t *waiting, size_t *running)
{
	pthread_mutex_lock(&pool->lock);
	*waiting = pool->waiting;
	*running = at_work(pool);
	pthread_mutex_unlock(&pool->lock);
}
