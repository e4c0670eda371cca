#include "adapters/turns.h"

#include "fn/clock.h"

#include <time.h>

#define WAIT_MOST_MS 3600000

void
turns_init(struct turns *turns)
{
	pthread_mutex_init(&turns->lock, NULL);
	turns->first = NULL;
}

void
turns_destroy(struct turns *turns)
{
	pthread_mutex_destroy(&turns->lock);
}

/* ---- Waiting --------------------------------------------------------------------------------- */

static void
turn_init(struct turn *turn)
{
	pthread_cond_init(&turn->changed, NULL);
	turn->next = NULL;
	turn->is_taken = turn->is_over = false;
}

/* The link that leads to it, or with NULL the last one. */
static struct turn **
link_to(struct turns *turns, const struct turn *turn)
{
	struct turn **link = &turns->first;

	while (*link != turn)
		link = &(*link)->next;
	return link;
}

/* Who was taken is seen to, however late it is. */
static bool
wait_for_change(struct turns *turns, struct turn *turn, int64_t until_ms)
{
	const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

	if (turn->is_taken)
		return pthread_cond_wait(&turn->changed, &turns->lock) == 0;
	return pthread_cond_clockwait(&turn->changed, &turns->lock, CLOCK_MONOTONIC, &until) == 0;
}

static enum turn_call
wait_in_line(struct turns *turns, struct turn *turn, const struct fn_call *call)
{
	int64_t until_ms = fn_now_ms() + fn_time_left_ms(call, WAIT_MOST_MS);
	bool in_time = true;

	*link_to(turns, NULL) = turn;
	while (turns->first != turn && !turn->is_over && (turn->is_taken || in_time))
		in_time = wait_for_change(turns, turn, until_ms);
	if (turn->is_over)
		return TURN_OVER;
	if (turns->first == turn) {
		turn->is_taken = true;
		return TURN_FIRST;
	}
	*link_to(turns, turn) = turn->next;
	return TURN_LATE;
}

enum turn_call
turns_wait(struct turns *turns, struct turn *turn, const struct fn_call *call)
{
	turn_init(turn);
	pthread_mutex_lock(&turns->lock);
	enum turn_call called = wait_in_line(turns, turn, call);
	pthread_mutex_unlock(&turns->lock);
	if (called != TURN_FIRST)
		pthread_cond_destroy(&turn->changed);
	return called;
}

/* ---- The first ------------------------------------------------------------------------------- */

struct turn *
turns_take(struct turns *turns)
{
	pthread_mutex_lock(&turns->lock);
	struct turn *first = turns->first;
	for (struct turn *turn = first; turn; turn = turn->next)
		turn->is_taken = true;
	pthread_mutex_unlock(&turns->lock);
	return first;
}

struct turn *
turns_next(struct turns *turns, const struct turn *turn)
{
	pthread_mutex_lock(&turns->lock);
	struct turn *next = turn->next && turn->next->is_taken ? turn->next : NULL;
	pthread_mutex_unlock(&turns->lock);
	return next;
}

void
turns_end(struct turns *turns)
{
	pthread_mutex_lock(&turns->lock);
	struct turn *own = turns->first, *turn = own->next;

	for (; turn && turn->is_taken; turn = turn->next) {
		turn->is_over = true;
		pthread_cond_signal(&turn->changed);
	}
	turns->first = turn;
	if (turn)
		pthread_cond_signal(&turn->changed);
	pthread_mutex_unlock(&turns->lock);
	pthread_cond_destroy(&own->changed);
}
