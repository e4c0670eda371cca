#include "adapters/identity_cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PARTS 1024
#define PLACES 4 /* in each part */

struct place {
	struct sha256 hash;
	int64_t until_ms; /* 0: it is free */
	unsigned char size;
	char subject[IDENTITY_SUBJECT_MOST];
};

struct identity_cache {
	pthread_mutex_t lock;
	struct place places[PARTS][PLACES];
};

bool
identity_cache_open(struct identity_cache **cache, struct fn_error *err)
{
	struct identity_cache *made =
		calloc(1, sizeof(*made)); /* pages that nobody uses cost nothing */

	if (!made)
		return fn_fail(err, FN_INTERNAL, "out of memory");
	pthread_mutex_init(&made->lock, NULL);
	*cache = made;
	return true;
}

void
identity_cache_close(struct identity_cache *cache)
{
	if (!cache)
		return;
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* A hash is as good a number as any. */
static struct place *
part_of(struct identity_cache *cache, const struct sha256 *hash)
{
	return cache->places[(hash->at[0] << 8 | hash->at[1]) % PARTS];
}

bool
identity_cache_find(struct identity_cache *cache, const struct sha256 *hash, int64_t now_ms,
	struct fn_arena *arena, struct fn_bytes *subject)
{
	struct place *part = part_of(cache, hash);
	bool found = false;

	pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < PLACES && !found; i++) {
		if (now_ms < part[i].until_ms && !memcmp(&part[i].hash, hash, sizeof(*hash))) {
			*subject = fn_bytes_copy(
				arena, (struct fn_bytes){part[i].subject, part[i].size});
			found = true;
		}
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}

void
identity_cache_add(struct identity_cache *cache, const struct sha256 *hash, int64_t until_ms,
	struct fn_bytes subject)
{
	struct place *part = part_of(cache, hash), *chosen = part;

	assert(subject.size <= IDENTITY_SUBJECT_MOST);
	pthread_mutex_lock(&cache->lock);
	for (size_t i = 1; i < PLACES; i++) {
		if (part[i].until_ms < chosen->until_ms)
			chosen = &part[i];
	}
	chosen->hash = *hash;
	chosen->until_ms = until_ms;
	chosen->size = (unsigned char)subject.size;
	memcpy(chosen->subject, subject.at, subject.size);
	pthread_mutex_unlock(&cache->lock);
}
