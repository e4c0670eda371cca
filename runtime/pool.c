#include "pool.h"

#include "fn/clock.h"

#include <pthread.h>
#include <stdlib.h>

#define STACK_SIZE (512 * 1024)

struct pool {
	void (*run)(struct fn_exchange *, void *with);
	void *with;
	size_t threads_most, waiting_most;

	pthread_mutex_t lock;
	pthread_cond_t work;
	struct fn_exchange *first, *last;
	size_t waiting;
	size_t idle;   /* threads that sleep */
	bool wakening; /* one was woken and has not come yet */
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
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	return pool;
}

static bool
add_thread(struct pool *pool)
{
	pthread_attr_t attributes;
	bool ok;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	ok = pthread_create(&pool->threads[pool->thread_count], &attributes, work, pool) == 0;
	pthread_attr_destroy(&attributes);
	pool->thread_count += ok;
	return ok;
}

/* Wakes one thread, or makes one, if there is work. Never more than one at a time: who comes and
 * finds more work calls the next. So quick handlers are run in a row by one thread, while slow
 * ones still spread over all threads at once. */
static void
call_for_help(struct pool *pool)
{
	if (!pool->first || pool->wakening)
		return;
	if (pool->idle > 0)
		pthread_cond_signal(&pool->work);
	else if (pool->thread_count == pool->threads_most || !add_thread(pool))
		return;
	pool->wakening = true;
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

static void *
work(void *with)
{
	struct pool *pool = with;
	struct fn_exchange *exchange;

	pthread_mutex_lock(&pool->lock);
	pool->wakening = false;
	for (;;) {
		while (!pool->first && !pool->stopping) {
			pool->idle++;
			pthread_cond_wait(&pool->work, &pool->lock);
			pool->idle--;
			pool->wakening = false;
		}
		exchange = take_first(pool);
		if (!exchange)
			break;
		call_for_help(pool);
		pthread_mutex_unlock(&pool->lock);
		pool->run(exchange, pool->with);
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

bool
pool_add(struct pool *pool, struct fn_exchange *exchange)
{
	bool room;

	exchange->next = NULL;
	exchange->since_ms = fn_now_ms();
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

void
pool_wake(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	call_for_help(pool);
	pthread_mutex_unlock(&pool->lock);
}

struct fn_exchange *
pool_take_stale(struct pool *pool, int64_t since_ms)
{
	struct fn_exchange *exchange = NULL;

	pthread_mutex_lock(&pool->lock);
	if (pool->first && pool->first->since_ms < since_ms)
		exchange = take_first(pool);
	pthread_mutex_unlock(&pool->lock);
	return exchange;
}

void
pool_count(struct pool *pool, size_t *waiting, size_t *running)
{
	pthread_mutex_lock(&pool->lock);
	*waiting = pool->waiting;
	*running = pool->thread_count - pool->idle;
	pthread_mutex_unlock(&pool->lock);
}

void
pool_drop(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
