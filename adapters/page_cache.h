/* page_cache.h: a few pages that many ask for, each kept for some seconds.
 *
 * They are kept in the process and, where REDIS_URL is set, in Redis for all processes. A page is
 * fresh, then stale: still good for everybody but for one who is to make it anew. All that is kept
 * here may be lost at any time, and a Redis that is down is as if there were none.
 *
 * Beside them stand marks: names of what has changed and is to be looked at before a page is made.
 * Backends: page_cache.c in the process, page_cache_redis.c. */
#ifndef PAGE_CACHE_H
#define PAGE_CACHE_H

#include "fn/call.h"
#include "fn/config.h"

struct page_cache; /* opaque; safe for many threads */

struct page_cache_config {
	const char *url;     /* REDIS_URL; empty: in the process alone */
	const char *ca_file; /* REDIS_CA_FILE; empty: the system's authorities */
	long fresh_ms;       /* PAGE_FRESH_MS */
	long stale_ms;       /* PAGE_STALE_MS: after that */
};

extern const struct fn_setting page_cache_settings[];

struct page {
	struct fn_bytes text; /* lives as long as the call that it was found for */
	struct fn_bytes etag; /* quoted */
};

/* One that is kept nowhere: the text with its tag. */
struct page page_of(struct fn_call *, struct fn_bytes text);

#define PAGE_CACHE_SLOTS 256
#define PAGE_CACHE_MOST 65536 /* bytes of a page; a larger one is not kept */

/* The config's text is borrowed until the cache is closed. FN_INVALID: a setting is wrong. */
FN_MUST bool page_cache_open(
	struct page_cache **, const struct page_cache_config *, struct fn_error *);
void page_cache_close(struct page_cache *);

/* True: this is the page to show. False: the caller is to make it, and then to put or to abandon
 * it; others may be waiting. */
bool page_cache_find(struct page_cache *, struct fn_call *, unsigned slot, struct page *);

/* The text is copied. */
void page_cache_put(
	struct page_cache *, struct fn_call *, unsigned slot, struct fn_bytes text, struct page *);

/* It could not be made. True: there is an old one left, to be shown rather than nothing. */
bool page_cache_abandon(struct page_cache *, struct fn_call *, unsigned slot, struct page *);

/* What is kept is wrong: other processes show it until it is no longer fresh. */
void page_cache_flush(struct page_cache *, struct fn_call *);

struct page_mark {
	struct fn_bytes name;
	uint64_t count; /* how often it was set */
};

#define PAGE_MARK_MOST 64 /* bytes of a name; a longer one is our bug */

void page_cache_mark(struct page_cache *, struct fn_call *, struct fn_bytes name);

/* Some of the marks that are set; how many. */
size_t page_cache_marks(struct page_cache *, struct fn_call *, struct page_mark *, size_t most);

/* Takes back a mark, unless it was set again since it was read. */
void page_cache_unmark(struct page_cache *, struct fn_call *, const struct page_mark *);

#endif
