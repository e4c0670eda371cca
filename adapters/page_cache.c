#include "adapters/page_cache.h"

#include "adapters/page_cache_redis.h"
#include "adapters/wire/sha256.h"
#include "fn/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 5000 /* for who makes a page that there is none of yet */
#define MARKS_MOST 1024
#define ETAG_SIZE 35 /* "32 hex digits" in quotes, and NUL */

#define INTO(member) offsetof(struct page_cache_config, member)

const struct fn_setting page_cache_settings[] = {
	{"REDIS_URL", FN_SECRET, INTO(url), "", 0, 0,
		"where processes share pages; empty: nowhere"},
	{"REDIS_CA_FILE", FN_TEXT, INTO(ca_file), "", 0, 0, "authorities of a rediss:// server"},
	{"PAGE_FRESH_MS", FN_NUMBER, INTO(fresh_ms), "3000", 1, 3600000, "how long a page is kept"},
	{"PAGE_STALE_MS", FN_NUMBER, INTO(stale_ms), "30000", 0, 3600000,
		"how long after that it may be shown while it is made anew"},
	{0},
};

/* A page in the cache, which calls may still be sending when the next one has come. */
struct kept {
	_Atomic unsigned users;
	size_t size;
	char etag[ETAG_SIZE];
	char text[];
};

struct slot {
	pthread_mutex_t lock; /* for all of it */
	pthread_cond_t made;
	struct kept *page; /* NULL: none yet */
	int64_t made_at_ms;
	bool making; /* somebody is at it */
};

struct mark {
	char name[PAGE_MARK_MOST];
	size_t size;
	uint64_t count; /* 0: this place is free */
};

struct page_cache {
	int64_t fresh_ms, stale_ms;
	struct page_cache_redis *redis; /* NULL: none */
	struct slot slots[PAGE_CACHE_SLOTS];
	pthread_mutex_t marks_lock;
	struct mark marks[MARKS_MOST];
};

/* ---- Open and close -------------------------------------------------------------------------- */

bool
page_cache_open(
	struct page_cache **opened, const struct page_cache_config *config, struct fn_error *err)
{
	struct page_cache_redis *redis = NULL;

	if (config->url[0])
		TRY(page_cache_redis_open(&redis, config, err));
	struct page_cache *cache = calloc(1, sizeof(*cache));

	assert(cache);
	cache->fresh_ms = config->fresh_ms;
	cache->stale_ms = config->stale_ms;
	cache->redis = redis;
	pthread_mutex_init(&cache->marks_lock, NULL);
	for (size_t i = 0; i < PAGE_CACHE_SLOTS; i++) {
		pthread_mutex_init(&cache->slots[i].lock, NULL);
		pthread_cond_init(&cache->slots[i].made, NULL);
	}
	*opened = cache;
	return true;
}

static void
release(void *page)
{
	struct kept *kept = page;

	if (kept && atomic_fetch_sub(&kept->users, 1) == 1)
		free(kept);
}

void
page_cache_close(struct page_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < PAGE_CACHE_SLOTS; i++) {
		release(cache->slots[i].page);
		pthread_cond_destroy(&cache->slots[i].made);
		pthread_mutex_destroy(&cache->slots[i].lock);
	}
	pthread_mutex_destroy(&cache->marks_lock);
	page_cache_redis_close(cache->redis);
	free(cache);
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static void
tag(struct fn_bytes text, char etag[ETAG_SIZE])
{
	const struct sha256 hash = sha256_of(text);
	char hex[SHA256_HEX_SIZE];

	sha256_hex(&hash, hex);
	snprintf(etag, ETAG_SIZE, "\"%.32s\"", hex);
}

struct page
page_of(struct fn_call *call, struct fn_bytes text)
{
	char *etag = fn_arena_alloc(call->arena, ETAG_SIZE);

	tag(text, etag);
	return (struct page){text, {etag, ETAG_SIZE - 1}};
}

static struct kept *
keep(struct fn_bytes text)
{
	struct kept *kept = malloc(sizeof(*kept) + text.size);

	assert(kept);
	kept->users = 1;
	kept->size = text.size;
	memcpy(kept->text, text.at, text.size);
	tag(text, kept->etag);
	return kept;
}

/* For as long as the call lives. */
static void
lend(struct kept *kept, struct fn_call *call, struct page *page)
{
	atomic_fetch_add(&kept->users, 1);
	fn_arena_defer(call->arena, release, kept);
	*page = (struct page){{kept->text, kept->size}, {kept->etag, ETAG_SIZE - 1}};
}

/* Takes over the page, where there is one. Called with the lock. */
static void
settle(struct slot *slot, struct kept *kept, int64_t made_at_ms)
{
	slot->making = false;
	if (kept) {
		release(slot->page);
		slot->page = kept;
		slot->made_at_ms = made_at_ms;
	}
	pthread_cond_broadcast(&slot->made);
}

/* Called with the lock. */
static bool
is_younger(const struct slot *slot, int64_t ms)
{
	return slot->page && fn_now_ms() - slot->made_at_ms < ms;
}

static bool
wait_for_page(struct slot *slot, struct fn_call *call)
{
	int64_t until_ms = fn_now_ms() + fn_time_left_ms(call, WAIT_MS);
	const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

	return pthread_cond_clockwait(&slot->made, &slot->lock, CLOCK_MONOTONIC, &until) == 0;
}

/* With what other processes have: true where that will do. A stale page is shown for another
 * second before they are asked again. */
static bool
look_elsewhere(struct page_cache *cache, struct fn_call *call, unsigned number, struct page *page)
{
	struct slot *slot = &cache->slots[number];
	struct page_cache_look look;

	if (!cache->redis || !page_cache_redis_look(cache->redis, call, number, &look) ||
		look.mine || look.text.size == 0)
		return false;
	int64_t age_ms = look.age_ms < cache->fresh_ms ? look.age_ms : cache->fresh_ms - 1000;

	pthread_mutex_lock(&slot->lock);
	settle(slot, keep(look.text), fn_now_ms() - age_ms);
	lend(slot->page, call, page);
	pthread_mutex_unlock(&slot->lock);
	return true;
}

bool
page_cache_find(struct page_cache *cache, struct fn_call *call, unsigned number, struct page *page)
{
	struct slot *slot = &cache->slots[number];
	bool found, patient = true;

	assert(number < PAGE_CACHE_SLOTS);
	pthread_mutex_lock(&slot->lock);
	while (slot->making && !is_younger(slot, cache->fresh_ms + cache->stale_ms) && patient)
		patient = wait_for_page(slot, call);
	found = is_younger(slot, cache->fresh_ms) ||
		(slot->making && is_younger(slot, cache->fresh_ms + cache->stale_ms));
	if (found)
		lend(slot->page, call, page);
	else
		slot->making = true;
	pthread_mutex_unlock(&slot->lock);
	return found || look_elsewhere(cache, call, number, page);
}

void
page_cache_put(struct page_cache *cache, struct fn_call *call, unsigned number,
	struct fn_bytes text, struct page *page)
{
	struct slot *slot = &cache->slots[number];
	struct kept *kept = keep(text);
	bool fits = text.size <= PAGE_CACHE_MOST;

	lend(kept, call, page);
	pthread_mutex_lock(&slot->lock);
	settle(slot, fits ? kept : NULL, fn_now_ms());
	pthread_mutex_unlock(&slot->lock);
	if (!fits)
		release(kept);
	if (cache->redis && !(fits && page_cache_redis_put(cache->redis, call, number, text)))
		page_cache_redis_abandon(cache->redis, call, number);
}

bool
page_cache_abandon(
	struct page_cache *cache, struct fn_call *call, unsigned number, struct page *page)
{
	struct slot *slot = &cache->slots[number];
	bool found;

	pthread_mutex_lock(&slot->lock);
	settle(slot, NULL, 0);
	found = is_younger(slot, cache->fresh_ms + cache->stale_ms);
	if (found)
		lend(slot->page, call, page);
	pthread_mutex_unlock(&slot->lock);
	if (cache->redis)
		page_cache_redis_abandon(cache->redis, call, number);
	return found;
}

void
page_cache_flush(struct page_cache *cache, struct fn_call *call)
{
	for (size_t i = 0; i < PAGE_CACHE_SLOTS; i++) {
		struct slot *slot = &cache->slots[i];

		pthread_mutex_lock(&slot->lock);
		release(slot->page);
		slot->page = NULL;
		pthread_mutex_unlock(&slot->lock);
	}
	if (cache->redis)
		page_cache_redis_flush(cache->redis, call);
}

/* ---- Marks ----------------------------------------------------------------------------------- */

/* Called with the lock. NULL: it is not set. */
static struct mark *
find_mark(struct page_cache *cache, struct fn_bytes name)
{
	for (size_t i = 0; i < MARKS_MOST; i++) {
		struct mark *mark = &cache->marks[i];

		if (mark->count > 0 && mark->size == name.size &&
			memcmp(mark->name, name.at, name.size) == 0)
			return mark;
	}
	return NULL;
}

static void
set_mark(struct page_cache *cache, struct fn_bytes name)
{
	struct mark *mark = find_mark(cache, name);

	for (size_t i = 0; i < MARKS_MOST && !mark; i++)
		mark = cache->marks[i].count == 0 ? &cache->marks[i] : NULL;
	if (!mark) /* so many that one more is no matter */
		return;
	mark->count++;
	mark->size = name.size;
	memcpy(mark->name, name.at, name.size);
}

void
page_cache_mark(struct page_cache *cache, struct fn_call *call, struct fn_bytes name)
{
	assert(name.size <= PAGE_MARK_MOST);
	if (cache->redis && page_cache_redis_mark(cache->redis, call, name))
		return;
	pthread_mutex_lock(&cache->marks_lock);
	set_mark(cache, name);
	pthread_mutex_unlock(&cache->marks_lock);
}

static size_t
own_marks(struct page_cache *cache, struct fn_call *call, struct page_mark *marks, size_t most)
{
	size_t count = 0;

	pthread_mutex_lock(&cache->marks_lock);
	for (size_t i = 0; i < MARKS_MOST && count < most; i++) {
		const struct mark *mark = &cache->marks[i];
		const struct fn_bytes name = {mark->name, mark->size};

		if (mark->count > 0)
			marks[count++] =
				(struct page_mark){fn_bytes_copy(call->arena, name), mark->count};
	}
	pthread_mutex_unlock(&cache->marks_lock);
	return count;
}

size_t
page_cache_marks(
	struct page_cache *cache, struct fn_call *call, struct page_mark *marks, size_t most)
{
	size_t count = own_marks(cache, call, marks, most), shared = 0;

	if (cache->redis && count < most)
		(void)page_cache_redis_marks(
			cache->redis, call, marks + count, most - count, &shared);
	return count + shared;
}

/* Whose mark it was does not matter: where both have it both were looked at. */
void
page_cache_unmark(struct page_cache *cache, struct fn_call *call, const struct page_mark *read)
{
	pthread_mutex_lock(&cache->marks_lock);
	struct mark *mark = find_mark(cache, read->name);

	if (mark && mark->count == read->count)
		mark->count = 0;
	pthread_mutex_unlock(&cache->marks_lock);
	if (cache->redis)
		(void)page_cache_redis_unmark(cache->redis, call, read);
}
