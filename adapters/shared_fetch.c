#include "adapters/shared_fetch.h"

#include "fn/clock.h"

#include <time.h>

#define PAUSE_MS 10000 /* after a failure that something old hides */
#define WAIT_MOST_MS 60000

void
shared_fetch_init(struct shared_fetch *shared)
{
	pthread_mutex_init(&shared->lock, NULL);
	pthread_cond_init(&shared->ended, NULL);
}

void
shared_fetch_destroy(struct shared_fetch *shared)
{
	pthread_cond_destroy(&shared->ended);
	pthread_mutex_destroy(&shared->lock);
}

static bool
run(struct shared_fetch *shared, struct fn_call *call, struct fn_error *err)
{
	void *got = NULL;

	shared->asked_ms = fn_unix_ms();
	shared->is_running = true;
	pthread_mutex_unlock(&shared->lock);
	bool ok = shared->fetch(shared->owner, call, &got, err) || fn_wrap(err, "%s", shared->name);
	pthread_mutex_lock(&shared->lock);
	shared->is_running = false;
	shared->count++;
	shared->failure = ok ? (struct fn_error){0} : *err;
	if (ok)
		shared->keep(shared->owner, got, shared->asked_ms);
	pthread_cond_broadcast(&shared->ended);
	return ok;
}

/* While the old one can still be used, a failure to renew it is nobody's problem yet. */
static bool
renew(struct shared_fetch *shared, struct fn_call *call, struct fn_error *err)
{
	if (run(shared, call, err))
		return true;
	if (fn_unix_ms() >= shared->usable_until_ms)
		return false;
	fn_log(call, FN_WARNING, "%s; the old one serves on", err->message);
	shared->fresh_until_ms = fn_unix_ms() + PAUSE_MS;
	return true;
}

/* A failure is shared by all who waited for it, lest each of them wait for one of its own. Only
 * somebody else's deadline is not ours: then it is our turn to fetch. */
bool
shared_fetch_wait(struct shared_fetch *shared, struct fn_call *call, struct fn_error *err)
{
	int64_t until_ms = fn_now_ms() + fn_time_left_ms(call, WAIT_MOST_MS);
	const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
	unsigned count = shared->count;
	int timed_out = 0;

	while (shared->count == count && !timed_out)
		timed_out = pthread_cond_clockwait(
			&shared->ended, &shared->lock, CLOCK_MONOTONIC, &until);
	if (shared->count == count)
		return fn_fail(err, FN_DEADLINE, "%s: nothing in time", shared->name);
	if (shared->failure.code == FN_OK || shared->failure.code == FN_DEADLINE)
		return true;
	*err = shared->failure;
	return false;
}

bool
shared_fetch_ensure(struct shared_fetch *shared, struct fn_call *call, struct fn_error *err)
{
	for (;;) {
		int64_t now_ms = fn_unix_ms();

		if (now_ms < shared->fresh_until_ms)
			return true;
		if (!shared->is_running)
			return renew(shared, call, err);
		if (now_ms < shared->usable_until_ms)
			return true;
		TRY(shared_fetch_wait(shared, call, err));
	}
}
