/* page_cache_redis.h: the part of page_cache.h that all processes share. Private to adapters. */
#ifndef PAGE_CACHE_REDIS_H
#define PAGE_CACHE_REDIS_H

#include "adapters/page_cache.h"

struct page_cache_redis;

FN_MUST bool page_cache_redis_open(
	struct page_cache_redis **, const struct page_cache_config *, struct fn_error *);
void page_cache_redis_close(struct page_cache_redis *); /* NULL is fine */

/* A Redis that does not answer is left alone for some seconds: each of these is false then. */

struct page_cache_look {
	struct fn_bytes text; /* empty: there is none */
	int64_t age_ms;
	bool mine; /* it is not fresh, and nobody else is making it */
};

bool page_cache_redis_look(
	struct page_cache_redis *, struct fn_call *, unsigned slot, struct page_cache_look *);
bool page_cache_redis_put(
	struct page_cache_redis *, struct fn_call *, unsigned slot, struct fn_bytes text);
bool page_cache_redis_abandon(struct page_cache_redis *, struct fn_call *, unsigned slot);
bool page_cache_redis_flush(struct page_cache_redis *, struct fn_call *);

bool page_cache_redis_mark(struct page_cache_redis *, struct fn_call *, struct fn_bytes name);
bool page_cache_redis_marks(struct page_cache_redis *, struct fn_call *, struct page_mark *,
	size_t most, size_t *count);
bool page_cache_redis_unmark(struct page_cache_redis *, struct fn_call *, const struct page_mark *);

#endif
