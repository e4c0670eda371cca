#include "pool.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#define STACK_SIZE (512 * 1024)
#define PATIENCE_US 1000 /* a quick handler is done long before, and takes the next one itself */

struct pool {
	void (*run)(struct fn_exchange *, void *with);
	void *with;
	size_t threads_most, waiting_most;

	sem_t call; /* for one of the threads that sleep */
	pthread_mutex_t lock;
	struct fn_exchange *first, *last;
	size_t waiting;
	size_t asleep, called; /* threads; who is called is not asleep any more */
	bool stopping;
	size_t thread_count;
	pthread_t threads[];
};

static void *work(void *);

struct pool *
pool_new(size_t threads_most, size_t waiting_most, void (*run)(struct fn_exchange *, void *with),
	void *with)
{
	struct pool *pool = calloc(1, sizeof(*pool) + threads_most * sizeof(pool->threads[0]));

	if (!pool)
		return NULL;
	pool->run = run;
	pool->with = with;
	pool->threads_most = threads_most;
	pool->waiting_most = waiting_most;
	sem_init(&pool->call, 0, 0);
	pthread_mutex_init(&pool->lock, NULL);
	return pool;
}

/* ---- Threads ----------------------------------------------------------------------------- */

static bool
add_thread(struct pool *pool)
{
	pthread_attr_t attributes;
	bool ok;

	if (pool->thread_count == pool->threads_most)
		return false;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	ok = pthread_create(&pool->threads[pool->thread_count], &attributes, work, pool) == 0;
	pthread_attr_destroy(&attributes);
	pool->thread_count += ok;
	return ok;
}

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

/* With the lock, which is let go meanwhile. A call that comes before the sleep ends it at once. */
static void
sleep_until_called(struct pool *pool)
{
	pool->asleep++;
	pthread_mutex_unlock(&pool->lock);
	while (sem_wait(&pool->call) != 0)
		continue;
	pthread_mutex_lock(&pool->lock);
	pool->called--;
}

static void *
work(void *with)
{
	struct pool *pool = with;
	struct fn_exchange *exchange;

	pthread_mutex_lock(&pool->lock);
	pool->called--;
	while (!pool->stopping) {
		exchange = take_first(pool);
		if (!exchange) {
			sleep_until_called(pool);
			continue;
		}
		pthread_mutex_unlock(&pool->lock);
		pool->run(exchange, pool->with);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* ---- The line ---------------------------------------------------------------------------- */

bool
pool_add(struct pool *pool, struct fn_exchange *exchange)
{
	bool room;

	exchange->next = NULL;
	pthread_mutex_lock(&pool->lock);
	room = pool->waiting < pool->waiting_most;
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
		wanted = now_us - pool->first->whole_us < PATIENCE_US
				 ? 1
				 : pool->thread_count - pool->asleep + 1;
	if (wanted > pool->waiting)
		wanted = pool->waiting;
	for (; pool->called < wanted; pool->called++) {
		if (pool->asleep > 0)
			pool->asleep--, calls++;
		else if (!add_thread(pool))
			break;
	}
	more = pool->first && (pool->asleep > 0 || pool->thread_count < pool->threads_most);
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

void
pool_count(struct pool *pool, size_t *waiting, size_t *running)
{
	pthread_mutex_lock(&pool->lock);
	*waiting = pool->waiting;
	*running = pool->thread_count - pool->asleep - pool->called;
	pthread_mutex_unlock(&pool->lock);
}

void
pool_drop(struct pool *pool)
{
	size_t calls;

	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	calls = pool->asleep;
	pool->called += calls;
	pthread_mutex_unlock(&pool->lock);
	while (calls-- > 0)
		sem_post(&pool->call);
	for (size_t i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	sem_destroy(&pool->call);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
