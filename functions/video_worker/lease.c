#include "functions/video_worker/lease.h"

#include "fn/clock.h"

#include <time.h>

#define NAP_MS 100       /* how soon it is noticed that the process stops */
#define TRY_AGAIN_MS 500 /* after a renewal that failed... */
#define RENEW_MS 2000    /* ...or took so long */

static int64_t
earlier(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

/* With the lock: until something changes, at most until then. */
static void
wait_until(struct lease *lease, int64_t moment_ms)
{
	const struct timespec moment = {
		.tv_sec = moment_ms / 1000, .tv_nsec = moment_ms % 1000 * 1000000};

	pthread_cond_timedwait(&lease->changed, &lease->lock, &moment);
}

/* ---- Renewing ------------------------------------------------------------------------------ */

/* With the lock, which is let go meanwhile. A queue that has forgotten the job leaves it to us. */
static void
renew(struct lease *lease)
{
	struct job_renewal renewal = {&lease->job, lease->progress, JOB_TAKEN};
	struct fn_error why;

	pthread_mutex_unlock(&lease->lock);
	int64_t now_ms = fn_now_ms();
	fn_arena_reset(lease->call.arena);
	lease->call.deadline_ms = now_ms + RENEW_MS;
	bool ok = job_queue_renew(lease->jobs, &lease->call, &renewal, 1, &why);
	if (!ok)
		fn_log(&lease->call, FN_WARNING, "lease not renewed: %s", why.message);
	pthread_mutex_lock(&lease->lock);

	lease->renew_ms = fn_now_ms() + TRY_AGAIN_MS;
	if (!ok)
		return;
	lease->hold = renewal.hold;
	if (renewal.hold != JOB_TAKEN)
		lease->until_ms = now_ms + lease->length_ms;
	if (lease->progress == renewal.progress)
		lease->renew_ms = now_ms + lease->length_ms / 3;
	pthread_cond_broadcast(&lease->changed);
}

static void *
keep(void *with)
{
	struct lease *lease = with;

	pthread_mutex_lock(&lease->lock);
	while (!lease->over && lease->hold != JOB_TAKEN) {
		if (fn_now_ms() >= lease->renew_ms)
			renew(lease);
		else
			wait_until(lease, lease->renew_ms);
	}
	pthread_mutex_unlock(&lease->lock);
	return NULL;
}

/* ---- Beginning and end --------------------------------------------------------------------- */

static void
locks_init(struct lease *lease)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&lease->lock, NULL);
	pthread_cond_init(&lease->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void
lease_drop(struct lease *lease)
{
	pthread_cond_destroy(&lease->changed);
	pthread_mutex_destroy(&lease->lock);
	fn_arena_drop(lease->call.arena);
}

bool
lease_begin(struct lease *lease, const struct fn_call *call, struct job_queue *jobs,
	const struct job *job, int64_t length_ms, struct fn_error *err)
{
	*lease = (struct lease){
		.jobs = jobs,
		.job = *job,
		.length_ms = length_ms,
		.call = {.arena = fn_arena_new(), .log = call->log},
		.hold = job->cancel_wanted ? JOB_CANCEL_WANTED : JOB_HELD,
		.until_ms = job->lease_until_ms,
		.renew_ms = job->lease_until_ms - length_ms * 2 / 3,
		.progress = -1,
	};
	locks_init(lease);
	if (pthread_create(&lease->thread, NULL, keep, lease) == 0)
		return true;
	lease_drop(lease);
	return fn_fail(err, FN_BUSY, "there is no thread to renew the lease");
}

void
lease_end(struct lease *lease)
{
	pthread_mutex_lock(&lease->lock);
	lease->over = true;
	pthread_cond_broadcast(&lease->changed);
	pthread_mutex_unlock(&lease->lock);
	pthread_join(lease->thread, NULL);
	lease_drop(lease);
}

/* ---- Working under it ---------------------------------------------------------------------- */

void
lease_tell(struct lease *lease, int percent)
{
	pthread_mutex_lock(&lease->lock);
	if (lease->progress != percent) {
		lease->progress = percent;
		lease->renew_ms = 0;
		pthread_cond_broadcast(&lease->changed);
	}
	pthread_mutex_unlock(&lease->lock);
}

static bool
must_go_on(const struct lease *lease, const struct fn_call *call, struct fn_error *err)
{
	if (lease->hold == JOB_TAKEN)
		return fn_fail(err, FN_PRECONDITION, "another worker has the job");
	if (lease->hold == JOB_CANCEL_WANTED)
		return fn_fail(err, FN_CONFLICT, "its owner wants the job canceled");
	if (fn_stopping(call) || fn_time_left_ms(call, 1) == 0)
		return fn_fail(err, FN_BUSY, "this worker has no more time for the job");
	return true;
}

/* A sixth of the lease is left for what has been begun by the time it runs out. */
bool
lease_hold(struct lease *lease, const struct fn_call *call, int64_t wait_ms, struct fn_error *err)
{
	int64_t now_ms = fn_now_ms(), end_ms = now_ms + wait_ms;
	bool ok;

	pthread_mutex_lock(&lease->lock);
	while ((ok = must_go_on(lease, call, err))) {
		bool ran_out = now_ms >= lease->until_ms - lease->length_ms / 6;

		if (!ran_out && now_ms >= end_ms)
			break;
		wait_until(lease, ran_out ? now_ms + NAP_MS : earlier(end_ms, now_ms + NAP_MS));
		now_ms = fn_now_ms();
	}
	pthread_mutex_unlock(&lease->lock);
	return ok;
}
