#include "functions/video_worker/upkeep.h"

#include "domain/video_bell.h"
#include "fn/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/param.h>

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

/* How it goes, for whoever watches: terraform/metrics.tf reads this line. The oldest is looked for
 * among those that are next. */
static bool
report(struct job_queue *jobs, struct fn_call *call, struct fn_error *err)
{
	struct job_queue_status status;
	const struct job_info *next;
	size_t count = JOB_LIST_MOST;
	int64_t oldest_ms = 0;

	TRY(job_queue_status(jobs, call, &status, err));
	TRY(job_queue_list(jobs, call, JOB_WAITING, 0, &next, &count, err));
	for (size_t i = 0; i < count; i++)
		oldest_ms = MAX(oldest_ms, next[i].seen_ms - next[i].enqueued_ms);
	fn_log(call, FN_INFO, "queue: %zu jobs wait, the oldest for %" PRId64 " s", status.waiting,
		oldest_ms / 1000);
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
	TRY(report(use->videos.queue.jobs, call, err));
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
