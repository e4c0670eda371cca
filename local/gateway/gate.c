#include "local/gateway/gate.h"

#include "fn/clock.h"

#include <time.h>

#define RETRY_AFTER_S 1

void
gate_init(struct gate *gate, unsigned room, unsigned most_waiting, int64_t wait_ms)
{
	*gate = (struct gate){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.left = PTHREAD_COND_INITIALIZER,
		.room = room,
		.most_waiting = most_waiting,
		.wait_ms = wait_ms,
	};
}

/* Called and left with the lock held. */
static bool
wait_for_room(struct gate *gate)
{
	int64_t until_ms = fn_now_ms() + gate->wait_ms;
	const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
	int failed = 0;

	gate->waiting++;
	while (gate->room == 0 && !failed)
		failed = pthread_cond_clockwait(&gate->left, &gate->lock, CLOCK_MONOTONIC, &until);
	gate->waiting--;
	return gate->room > 0;
}

static bool
send_away(struct fn_error *err, const char *why)
{
	fn_fail(err, FN_BUSY, "busy: %s", why);
	err->retry_after_s = RETRY_AFTER_S;
	return false;
}

bool
gate_enter(struct gate *gate, struct fn_error *err)
{
	bool ok = true;

	pthread_mutex_lock(&gate->lock);
	if (gate->room == 0 && gate->waiting == gate->most_waiting)
		ok = send_away(err, "its queue is full");
	else if (gate->room == 0 && !wait_for_room(gate))
		ok = send_away(err, "no request has ended in time");
	else
		gate->room--;
	pthread_mutex_unlock(&gate->lock);
	return ok;
}

void
gate_leave(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->room++;
	pthread_cond_signal(&gate->left);
	pthread_mutex_unlock(&gate->lock);
}
