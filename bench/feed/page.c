/* page SMALL LARGE ROUNDS: what the first explore page costs, from two stores of SQLite, beside a
 * floor: the bare statement, prepared once, and the same JSON from its rows.
 *
 * All four take turns, so that whatever else the machine does meets all alike. Prints the medians
 * of their CPU times in µs: "FLOOR_SMALL FLOOR_LARGE PAGE_SMALL PAGE_LARGE DEEP_LARGE", of which
 * the last is a page from the middle of the large store. */
#include "domain/feed.h"
#include "domain/fields.h"
#include "fn/clock.h"

#include <err.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PAGE FEED_LIMIT
#define WARM_UP 20
#define ROUNDS_MOST 10000

struct store {
	struct feed feed;
	sqlite3 *db;
	sqlite3_stmt *floor;
	struct fn_bytes deep; /* a cursor */
};

static struct fn_error why;

static void
must(bool ok)
{
	if (!ok)
		errx(1, "%s", why.message);
}

/* ---- The floor ------------------------------------------------------------------------------- */

static const char floor_sql[] =
	"SELECT id, fields FROM documents WHERE collection = 'creations'"
	" AND json_extract(fields, '$.listed') = 1"
	" ORDER BY json_extract(fields, '$.created_at_ms') DESC, id DESC LIMIT 20";

/* What the answer says of it, by the least that does. */
static json_t *
shown(const char *id, const json_t *fields)
{
	static const char *const copied[] = {"type", "status", "prompt", "url", "mime_type",
		"width", "height", "likes", "published"};
	char created_at[FN_TIMESTAMP_SIZE];
	json_t *json = json_object(), *owner = json_object();

	fn_timestamp(json_integer_value(json_object_get(fields, "created_at_ms")), created_at);
	json_object_set_new_nocheck(json, "id", json_string(id));
	for (size_t i = 0; i < COUNT(copied); i++)
		json_object_set_nocheck(json, copied[i], json_object_get(fields, copied[i]));
	json_object_set_nocheck(owner, "id", json_object_get(fields, "owner_id"));
	json_object_set_nocheck(owner, "username", json_object_get(fields, "owner_username"));
	json_object_set_new_nocheck(json, "owner", owner);
	json_object_set_new_nocheck(json, "liked", json_false());
	json_object_set_new_nocheck(json, "created_at", json_string(created_at));
	return json;
}

static size_t
floor_page(struct store *store)
{
	json_t *page = json_object(), *array = json_array();
	size_t size;
	char *text;

	json_object_set_new_nocheck(page, "creations", array);
	while (sqlite3_step(store->floor) == SQLITE_ROW) {
		json_t *fields = json_loadb((const char *)sqlite3_column_text(store->floor, 1),
			(size_t)sqlite3_column_bytes(store->floor, 1), 0, NULL);

		json_array_append_new(
			array, shown((const char *)sqlite3_column_text(store->floor, 0), fields));
		json_decref(fields);
	}
	sqlite3_reset(store->floor);
	json_object_set_new_nocheck(page, "next_cursor", json_null());
	text = json_dumps(page, JSON_COMPACT);
	size = strlen(text);
	free(text);
	json_decref(page);
	return size;
}

/* ---- Ours ------------------------------------------------------------------------------------ */

static size_t
feed_text(struct store *store, struct fn_arena *arena, struct fn_bytes cursor)
{
	struct fn_call call = {.arena = arena};
	json_t *page;

	must(feed_page(&store->feed, &call, &(const struct feed_list){0},
		&(const struct feed_place){.limit = PAGE, .cursor = cursor}, &page, &why));
	size_t size = fields_dump(page, &call).size;

	fn_arena_reset(arena);
	return size;
}

static struct document_store_config documents_config = {.emulator_host = ""};
static const struct object_store_config objects_config = {
	.url = "file:/tmp", .public_url = "http://localhost/objects", .region = "auto"};
static const struct page_cache_config pages_config = {
	.url = "", .ca_file = "", .fresh_ms = 1, .stale_ms = 0};

/* The cursor that leads behind half of what there is. */
static struct fn_bytes
find_deep(struct store *store, struct fn_arena *arena)
{
	struct fn_call call = {.arena = arena};
	sqlite3_stmt *middle;

	sqlite3_prepare_v2(store->db,
		"SELECT id, json_extract(fields, '$.created_at_ms') FROM documents"
		" WHERE collection = 'creations' LIMIT 1"
		" OFFSET (SELECT count(*) / 2 FROM documents WHERE collection = 'creations')",
		-1, &middle, NULL);
	if (sqlite3_step(middle) != SQLITE_ROW)
		errx(1, "%s", sqlite3_errmsg(store->db));
	const char *token = fn_textf(arena, "[%" PRId64 ",\"%s\"]",
		(int64_t)sqlite3_column_int64(middle, 1), sqlite3_column_text(middle, 0));

	sqlite3_finalize(middle);
	return cursor_seal(&store->feed.key, &call, FN_BYTES("list of , all"), fn_bytes(token));
}

static void
open_store(
	struct store *store, const char *path, struct fn_http_client *http, struct fn_arena *arena)
{
	documents_config.url = fn_textf(arena, "sqlite:%s", path);
	must(document_store_open(&store->feed.documents, &documents_config, NULL, http, &why));
	must(object_store_open(&store->feed.objects, &objects_config, http, &why));
	must(page_cache_open(&store->feed.pages, &pages_config, &why));
	store->feed.names = names_open();
	cursor_key_init(&store->feed.key, FN_BYTES("bench"));
	if (sqlite3_open(path, &store->db) != SQLITE_OK ||
		sqlite3_prepare_v2(store->db, floor_sql, -1, &store->floor, NULL) != SQLITE_OK)
		errx(1, "%s", sqlite3_errmsg(store->db));
	store->deep = find_deep(store, arena);
}

/* ---- Turns ----------------------------------------------------------------------------------- */

static double
cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

enum turn { FLOOR_SMALL, FLOOR_LARGE, PAGE_SMALL, PAGE_LARGE, DEEP_LARGE, TURNS };

static size_t
take_turn(enum turn turn, struct store *small, struct store *large, struct fn_arena *arena)
{
	static const struct fn_bytes first;

	switch (turn) {
	case FLOOR_SMALL:
		return floor_page(small);
	case FLOOR_LARGE:
		return floor_page(large);
	case PAGE_SMALL:
		return feed_text(small, arena, first);
	case PAGE_LARGE:
		return feed_text(large, arena, first);
	default:
		return feed_text(large, arena, large->deep);
	}
}

static int
compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

int
main(int argc, char **argv)
{
	static double times[TURNS][ROUNDS_MOST];
	int rounds = argc == 4 ? atoi(argv[3]) : 0;
	struct fn_arena *arena = fn_arena_new(), *of_call = fn_arena_new();
	struct store small = {0}, large = {0};
	struct fn_http_client *http;

	if (rounds < 1 || rounds > ROUNDS_MOST)
		errx(1, "usage: page SMALL LARGE ROUNDS");
	must(fn_http_client_open(&http, &why));
	open_store(&small, argv[1], http, arena);
	open_store(&large, argv[2], http, arena);
	for (int round = -WARM_UP; round < rounds; round++) {
		for (enum turn turn = 0; turn < TURNS; turn++) {
			double before_us = cpu_us();

			if (take_turn(turn, &small, &large, of_call) < 1000)
				errx(1, "a page is too small to be one");
			if (round >= 0)
				times[turn][round] = cpu_us() - before_us;
		}
	}
	for (enum turn turn = 0; turn < TURNS; turn++) {
		qsort(times[turn], (size_t)rounds, sizeof(double), compare);
		printf("%.1f ", times[turn][rounds / 2]);
	}
	puts("");
	return 0;
}
