#include "functions/video_worker/upkeep.h"

#include "domain/video_bell.h"
#include "fn/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define EVERY_MS 60000
#define RINGS_MOST 10

struct upkeep {
	pthread_mutex_t lock;
	bool has_limits; /* the queue has ours */
	int64_t next_ms; /* on fn_now_ms()'s clock */
	struct video_pass pass;
};

struct upkeep *
upkeep_new(void)
{
	struct upkeep *upkeep = calloc(1, sizeof(*upkeep));

	assert(upkeep);
	pthread_mutex_init(&upkeep->lock, NULL);
	return upkeep;
}

void
upkeep_drop(struct upkeep *upkeep)
{
	if (!upkeep)
		return;
	pthread_mutex_destroy(&upkeep->lock);
	free(upkeep);
}

/* Jobs that nobody was rung for, since they came back by themselves: one is ours. */
static bool
ring_for_others(const struct services *use, struct fn_call *call, struct fn_error *err)
{
	size_t ready;

	TRY(job_queue_sweep(use->videos.queue.jobs, call, &ready, err));
	for (size_t i = 1; i < ready && i < RINGS_MOST; i++)
		video_bell_ring(use->events, call, (struct fn_bytes){0});
	return true;
}

static bool
keep_up(const struct services *use, struct fn_call *call, struct fn_error *err)
{
	struct upkeep *upkeep = use->upkeep;

	if (!upkeep->has_limits)
		TRY(job_queue_set_limits(use->videos.queue.jobs, call, use->limits, err));
	upkeep->has_limits = true;
	if (fn_now_ms() < upkeep->next_ms)
		return true;
	TRY(video_reconcile_pass(&use->videos, call, &upkeep->pass, err));
	TRY(ring_for_others(use, call, err));
	upkeep->next_ms = fn_now_ms() + EVERY_MS;
	return true;
}

/* One thread is enough. */
void
upkeep_do(const struct services *use, struct fn_call *call)
{
	struct fn_error why;

	if (pthread_mutex_trylock(&use->upkeep->lock) != 0)
		return;
	if (!keep_up(use, call, &why))
		fn_log(call, FN_WARNING, "upkeep: %s", why.message);
	pthread_mutex_unlock(&use->upkeep->lock);
}

bool
upkeep_rebuild(const struct services *use, struct fn_call *call, const struct job_worker *worker,
	enum video_reach reach, struct fn_error *err)
{
	fn_log(call, FN_NOTICE, "the queue is brought in line with the documents");
	TRY(video_reconcile_rebuild(&use->videos, call, worker, use->limits, reach, err));
	return ring_for_others(use, call, err);
}
