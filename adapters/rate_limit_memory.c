/* The rule is take.lua's. Windows are found by hash, and those in which nothing is left make room
 * when the table would have to grow. */
#include "adapters/rate_limit_memory.h"

#include "fn/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PLACES 64 /* a power of two */

struct turn {
	int64_t at_ms;
	size_t size;
	char event[RATE_EVENT_MOST];
};

struct window {
	char *name; /* NULL: this place is free */
	size_t name_size;
	int64_t empty_at_ms;
	struct turn *turns; /* by their moment */
	size_t count, room;
};

struct rate_limit_memory {
	pthread_mutex_t lock; /* for all of it */
	struct window *places;
	size_t place_count, used;
};

struct rate_limit_memory *
rate_limit_memory_open(void)
{
	struct rate_limit_memory *memory = calloc(1, sizeof(*memory));

	assert(memory);
	pthread_mutex_init(&memory->lock, NULL);
	memory->place_count = FIRST_PLACES;
	memory->places = calloc(memory->place_count, sizeof(*memory->places));
	assert(memory->places);
	return memory;
}

static void
window_drop(struct window *window)
{
	free(window->name);
	free(window->turns);
}

void
rate_limit_memory_close(struct rate_limit_memory *memory)
{
	for (size_t i = 0; i < memory->place_count; i++)
		window_drop(&memory->places[i]);
	free(memory->places);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

/* ---- Windows --------------------------------------------------------------------------------- */

/* FNV-1a. Where the window is, or is to be. */
static struct window *
place_of(struct rate_limit_memory *memory, struct fn_bytes name)
{
	size_t hash = 2166136261;

	for (size_t i = 0; i < name.size; i++)
		hash = (hash ^ (unsigned char)name.at[i]) * 16777619;
	for (;; hash++) {
		struct window *window = &memory->places[hash & (memory->place_count - 1)];
		const struct fn_bytes here = {window->name, window->name_size};

		if (!window->name || fn_bytes_equal(here, name))
			return window;
	}
}

/* Into a table that is half empty, without those that have become so. */
static void
make_room(struct rate_limit_memory *memory, int64_t now_ms)
{
	struct window *old = memory->places;
	size_t old_count = memory->place_count, kept = 0;

	for (size_t i = 0; i < old_count; i++)
		kept += old[i].name && old[i].empty_at_ms > now_ms;
	while (memory->place_count < 4 * kept)
		memory->place_count *= 2;
	memory->places = calloc(memory->place_count, sizeof(*memory->places));
	assert(memory->places);
	memory->used = kept;
	for (size_t i = 0; i < old_count; i++) {
		const struct fn_bytes name = {old[i].name, old[i].name_size};

		if (old[i].name && old[i].empty_at_ms > now_ms)
			*place_of(memory, name) = old[i];
		else
			window_drop(&old[i]);
	}
	free(old);
}

static struct window *
window_of(struct rate_limit_memory *memory, struct fn_bytes name, int64_t now_ms)
{
	struct window *window = place_of(memory, name);

	if (window->name)
		return window;
	if (2 * (memory->used + 1) > memory->place_count) {
		make_room(memory, now_ms);
		window = place_of(memory, name);
	}
	window->name = malloc(name.size);
	assert(window->name);
	memcpy(window->name, name.at, name.size);
	window->name_size = name.size;
	memory->used++;
	return window;
}

/* ---- Turns ----------------------------------------------------------------------------------- */

static struct turn *
find_turn(struct window *window, struct fn_bytes event)
{
	for (size_t i = 0; i < window->count; i++) {
		const struct fn_bytes here = {window->turns[i].event, window->turns[i].size};

		if (fn_bytes_equal(here, event))
			return &window->turns[i];
	}
	return NULL;
}

static void
remove_turns(struct window *window, size_t at, size_t count)
{
	window->count -= count;
	if (window->count > at)
		memmove(&window->turns[at], &window->turns[at + count],
			(window->count - at) * sizeof(*window->turns));
}

static void
forget_old(struct window *window, int64_t until_ms)
{
	size_t old = 0;

	while (old < window->count && window->turns[old].at_ms <= until_ms)
		old++;
	if (old > 0)
		remove_turns(window, 0, old);
}

static void
add_turn(struct window *window, struct fn_bytes event, int64_t at_ms)
{
	size_t i;

	if (window->count == window->room) {
		window->room = 2 * window->room + 4;
		window->turns = realloc(window->turns, window->room * sizeof(*window->turns));
		assert(window->turns);
	}
	for (i = window->count++; i > 0 && window->turns[i - 1].at_ms > at_ms; i--)
		window->turns[i] = window->turns[i - 1];
	window->turns[i] = (struct turn){.at_ms = at_ms, .size = event.size};
	memcpy(window->turns[i].event, event.at, event.size);
}

static int64_t
next_turn_ms(const struct window *window, const struct rate_rule *rule, int64_t now_ms)
{
	size_t most = (size_t)rule->most;

	if (window->count < most)
		return now_ms;
	int64_t at_ms = window->turns[window->count - most].at_ms + rule->window_ms;

	return at_ms > now_ms ? at_ms : now_ms;
}

static void
take(struct window *window, const struct rate_rule *rule, struct fn_bytes event, int64_t now_ms,
	struct rate_turn *taken)
{
	forget_old(window, now_ms - rule->window_ms);
	const struct turn *had = find_turn(window, event);
	int64_t at_ms = had ? had->at_ms : next_turn_ms(window, rule, now_ms);
	bool refused = !had && at_ms - now_ms > rule->patience_ms;

	if (!had && !refused)
		add_turn(window, event, at_ms);
	window->empty_at_ms = now_ms + rule->window_ms + rule->patience_ms;
	*taken = (struct rate_turn){
		.refused = refused,
		.wait_ms = at_ms > now_ms ? at_ms - now_ms : 0,
		.remaining =
			rule->most > (long)window->count ? rule->most - (long)window->count : 0,
		.reset_ms = window->turns[0].at_ms + rule->window_ms - now_ms,
	};
}

void
rate_limit_memory_take(struct rate_limit_memory *memory, const struct rate_rule *rule,
	struct fn_bytes event, struct rate_turn *turn)
{
	int64_t now_ms = fn_now_ms();

	pthread_mutex_lock(&memory->lock);
	take(window_of(memory, rule->name, now_ms), rule, event, now_ms, turn);
	pthread_mutex_unlock(&memory->lock);
}

void
rate_limit_memory_give_back(
	struct rate_limit_memory *memory, const struct rate_rule *rule, struct fn_bytes event)
{
	pthread_mutex_lock(&memory->lock);
	struct window *window = place_of(memory, rule->name);
	const struct turn *turn = find_turn(window, event);

	if (turn)
		remove_turns(window, (size_t)(turn - window->turns), 1);
	pthread_mutex_unlock(&memory->lock);
}
