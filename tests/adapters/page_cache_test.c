/* What page_cache.h promises: in one process, and in several that share a redis-server. */
#include "adapters/page_cache.h"

#include "fn/clock.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define HOUR_MS 3600000
#define SLOT 7

static struct page_cache_config config;
static struct page_cache *cache, *other; /* two processes', where there is Redis */
static struct redis_server *redis;
static struct fn_call call;
static struct fn_error err;
static struct page page;

static struct page_cache *
open_cache(void)
{
	struct page_cache *opened;

	ck_assert_msg(page_cache_open(&opened, &config, &err), "%s", err.message);
	return opened;
}

static void
reopen(long fresh_ms, long stale_ms)
{
	page_cache_close(cache);
	page_cache_close(other);
	config.fresh_ms = fresh_ms;
	config.stale_ms = stale_ms;
	cache = open_cache();
	other = open_cache();
}

static void
setup(void)
{
	fn_log_level(FN_CRITICAL);
	call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 50000};
	config = (struct page_cache_config){.url = "", .ca_file = ""};
	reopen(HOUR_MS, HOUR_MS);
}

static void
setup_redis(void)
{
	setup();
	redis = redis_server_start(NULL);
	config.url = redis_server_url(redis);
	reopen(HOUR_MS, HOUR_MS);
}

static void
teardown(void)
{
	fn_arena_drop(call.arena);
	page_cache_close(cache);
	page_cache_close(other);
	redis_server_stop(redis);
	redis = NULL;
}

static bool
finds(struct page_cache *in, const char *text)
{
	if (!page_cache_find(in, &call, SLOT, &page))
		return false;
	ck_assert_bytes_eq(page.text, text);
	return true;
}

static void
put(struct page_cache *in, const char *text)
{
	page_cache_put(in, &call, SLOT, fn_bytes(text), &page);
	ck_assert_bytes_eq(page.text, text);
}

/* ---- Pages ---- */

/* A page is found as it was put, under its own number, with a tag that is the text's. */
START_TEST(page_is_found_as_it_was_put)
{
	struct fn_bytes etag;

	ck_assert(!finds(cache, ""));
	put(cache, "one");
	etag = page.etag;
	ck_assert(finds(cache, "one"));
	ck_assert(fn_bytes_equal(page.etag, etag));
	ck_assert(fn_bytes_equal(page_of(&call, FN_BYTES("one")).etag, etag));
	ck_assert(!fn_bytes_equal(page_of(&call, FN_BYTES("two")).etag, etag));
	ck_assert_uint_eq(etag.size, 34);
	ck_assert(!page_cache_find(cache, &call, SLOT + 1, &page));
}
END_TEST

/* A call keeps the page that it has found, whatever becomes of it in the cache. */
START_TEST(found_page_outlives_its_place)
{
	struct page old;

	ck_assert(!finds(cache, ""));
	put(cache, "old");
	ck_assert(page_cache_find(cache, &call, SLOT, &old));
	page_cache_flush(cache, &call);
	ck_assert(!finds(cache, ""));
	put(cache, "new");
	ck_assert_bytes_eq(old.text, "old");
	ck_assert(finds(cache, "new"));
}
END_TEST

/* Of a stale page one is to make the next, and the others have it meanwhile. */
START_TEST(stale_page_is_made_anew_by_one)
{
	reopen(1, HOUR_MS);
	ck_assert(!finds(cache, ""));
	put(cache, "old");
	usleep(3000);
	ck_assert(!finds(cache, ""));
	for (int i = 0; i < 3; i++)
		ck_assert(finds(cache, "old"));
	put(cache, "new");
	ck_assert_bytes_eq(page.text, "new");
}
END_TEST

/* Who cannot make a page shows the old one, where there is one; the next call tries again. */
START_TEST(page_that_cannot_be_made_leaves_the_old_one)
{
	reopen(1, HOUR_MS);
	ck_assert(!finds(cache, ""));
	ck_assert(!page_cache_abandon(cache, &call, SLOT, &page));
	ck_assert(!finds(cache, ""));
	put(cache, "old");
	usleep(3000);
	ck_assert(!finds(cache, ""));
	ck_assert(page_cache_abandon(cache, &call, SLOT, &page));
	ck_assert_bytes_eq(page.text, "old");
	ck_assert(!finds(cache, ""));
}
END_TEST

/* A page that is too large is shown and not kept. */
START_TEST(large_page_is_not_kept)
{
	char *text = fn_arena_alloc(call.arena, PAGE_CACHE_MOST + 2);

	memset(text, 'x', PAGE_CACHE_MOST + 1);
	text[PAGE_CACHE_MOST + 1] = '\0';
	ck_assert(!finds(cache, ""));
	put(cache, text);
	ck_assert(!finds(cache, ""));
	put(cache, text + 1);
	ck_assert(finds(cache, text + 1));
}
END_TEST

#define ASKERS 16

static _Atomic unsigned makers, found;

static void *
ask(void *unused)
{
	struct fn_call own = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 30000};
	struct page mine;

	(void)unused;
	if (page_cache_find(cache, &own, SLOT, &mine)) {
		found += fn_bytes_is(mine.text, "made");
	} else {
		makers++;
		usleep(20000);
		page_cache_put(cache, &own, SLOT, FN_BYTES("made"), &mine);
	}
	fn_arena_drop(own.arena);
	return NULL;
}

/* Of many who ask at once for what is not there one makes it, and the others wait. */
START_TEST(missing_page_is_made_once)
{
	pthread_t threads[ASKERS];

	for (int i = 0; i < ASKERS; i++)
		ck_assert(pthread_create(&threads[i], NULL, ask, NULL) == 0);
	for (int i = 0; i < ASKERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(makers, 1);
	ck_assert_uint_eq(found, ASKERS - 1);
}
END_TEST

/* What one process has made is there for the other; so is that it is wrong. */
START_TEST(processes_share_pages)
{
	ck_assert(!finds(cache, ""));
	put(cache, "shared");
	ck_assert(finds(other, "shared"));
	page_cache_flush(cache, &call);
	reopen(HOUR_MS, HOUR_MS);
	ck_assert(!finds(other, ""));
	ck_assert(!page_cache_abandon(other, &call, SLOT, &page));
}
END_TEST

/* Of all processes one makes a stale page anew. */
START_TEST(stale_page_is_made_by_one_process)
{
	reopen(1, HOUR_MS);
	ck_assert(!finds(cache, ""));
	put(cache, "old");
	usleep(3000);
	ck_assert(!finds(cache, ""));
	ck_assert(finds(other, "old"));
	ck_assert(page_cache_abandon(cache, &call, SLOT, &page));
	reopen(1, HOUR_MS);
	ck_assert(!finds(other, ""));
}
END_TEST

/* A Redis that is gone is as if there were none. */
START_TEST(pages_and_marks_do_without_redis)
{
	struct page_mark mark;

	redis_server_kill(redis);
	ck_assert(!finds(cache, ""));
	put(cache, "own");
	ck_assert(finds(cache, "own"));
	ck_assert(!finds(other, ""));
	page_cache_mark(cache, &call, FN_BYTES("m"));
	ck_assert_uint_eq(page_cache_marks(cache, &call, &mark, 1), 1);
	ck_assert_bytes_eq(mark.name, "m");
	page_cache_flush(cache, &call);
}
END_TEST

/* A setting that is wrong is refused, and the URL is not told. */
START_TEST(url_is_refused)
{
	config.url = "http://user:hunter2@host";
	ck_assert(!page_cache_open(&other, &config, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "REDIS_URL"));
	ck_assert_ptr_null(strstr(err.message, "hunter2"));
}
END_TEST

/* ---- Marks ---- */

static size_t
marks(struct page_cache *in, struct page_mark *into)
{
	return page_cache_marks(in, &call, into, 10);
}

/* A mark stays until it is taken back as it was read: one that is set meanwhile is another. */
START_TEST(mark_stays_until_it_was_looked_at)
{
	struct page_mark read[10], again[10];

	ck_assert_uint_eq(marks(cache, read), 0);
	page_cache_mark(cache, &call, FN_BYTES("a"));
	page_cache_mark(cache, &call, FN_BYTES("b"));
	page_cache_mark(cache, &call, FN_BYTES("a"));
	ck_assert_uint_eq(marks(cache, read), 2);
	ck_assert_uint_eq(read[0].count + read[1].count, 3);
	page_cache_mark(cache, &call, FN_BYTES("b"));
	for (int i = 0; i < 2; i++)
		page_cache_unmark(cache, &call, &read[i]);
	ck_assert_uint_eq(marks(cache, again), 1);
	ck_assert_bytes_eq(again[0].name, "b");
	page_cache_unmark(cache, &call, &again[0]);
	ck_assert_uint_eq(marks(cache, again), 0);
}
END_TEST

/* What one process marks the other is told. */
START_TEST(processes_share_marks)
{
	struct page_mark read[10];

	page_cache_mark(cache, &call, FN_BYTES("a"));
	ck_assert_uint_eq(marks(other, read), 1);
	page_cache_unmark(other, &call, &read[0]);
	ck_assert_uint_eq(marks(cache, read), 0);
}
END_TEST

/* There are never more marks than there is room for. */
START_TEST(marks_are_bounded)
{
	struct page_mark *read = fn_arena_alloc(call.arena, 5000 * sizeof(*read));

	for (int i = 0; i < 3000; i++)
		page_cache_mark(cache, &call, fn_bytes(fn_textf(call.arena, "m%d", i)));
	ck_assert_uint_eq(page_cache_marks(cache, &call, read, 5000), 1024);
	ck_assert_uint_eq(page_cache_marks(cache, &call, read, 3), 3);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = page_is_found_as_it_was_put},
		{.test = page_is_found_as_it_was_put, .setup = setup_redis},
		{.test = found_page_outlives_its_place},
		{.test = stale_page_is_made_anew_by_one},
		{.test = page_that_cannot_be_made_leaves_the_old_one},
		{.test = page_that_cannot_be_made_leaves_the_old_one, .setup = setup_redis},
		{.test = large_page_is_not_kept},
		{.test = large_page_is_not_kept, .setup = setup_redis},
		{.test = missing_page_is_made_once},
		{.test = missing_page_is_made_once, .setup = setup_redis},
		{.test = processes_share_pages, .setup = setup_redis},
		{.test = stale_page_is_made_by_one_process, .setup = setup_redis},
		{.test = pages_and_marks_do_without_redis, .setup = setup_redis},
		{.test = url_is_refused},
		{.test = mark_stays_until_it_was_looked_at},
		{.test = mark_stays_until_it_was_looked_at, .setup = setup_redis},
		{.test = processes_share_marks, .setup = setup_redis},
		{.test = marks_are_bounded},
	};

	return suite_run_with("page cache", cases, COUNT(cases), setup, teardown);
}
