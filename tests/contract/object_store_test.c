/* What object_store.h promises, asked of every backend. */
#include "adapters/object_store.h"

#include "tests/support/s3_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define MIB ((size_t)1024 * 1024)

static struct object_store_config config = {
	.public_url = "https://media.example/",
	.access_key_id = S3_SERVER_KEY_ID,
	.secret_access_key = S3_SERVER_SECRET,
	.region = "auto",
};

static struct fn_http_client *http;
static struct object_store *store;
static struct fn_call call;
static struct fn_error err;

static void
setup(void)
{
	call.arena = fn_arena_new();
	ck_assert(fn_http_client_open(&http, &err));
	ck_assert_msg(object_store_open(&store, &config, http, &err), "%s", err.message);
}

static void
teardown(void)
{
	object_store_close(store);
	fn_http_client_close(http);
	fn_arena_drop(call.arena);
}

static void
must_put(const char *key, struct fn_bytes bytes)
{
	const struct object object = {bytes, "image/png", "public, max-age=31536000, immutable"};

	ck_assert_msg(
		object_store_put(store, &call, fn_bytes(key), &object, &err), "%s", err.message);
}

static void
must_hold(const char *key, struct fn_bytes wanted)
{
	struct fn_bytes bytes;

	ck_assert_msg(object_store_get(store, &call, fn_bytes(key), 8 * MIB, &bytes, &err), "%s",
		err.message);
	ck_assert_uint_eq(bytes.size, wanted.size);
	ck_assert(fn_bytes_equal(bytes, wanted));
}

static void
must_lack(const char *key)
{
	struct fn_bytes bytes = FN_BYTES("as it was");

	ck_assert(!object_store_get(store, &call, fn_bytes(key), MIB, &bytes, &err));
	ck_assert_msg(err.code == FN_NOT_FOUND, "%s", err.message);
	ck_assert_bytes_eq(bytes, "as it was");
}

/* Bytes that differ from place to place and from seed to seed. */
static struct fn_bytes
noise(struct fn_arena *arena, size_t size, unsigned seed)
{
	char *at = fn_arena_alloc(arena, size);

	for (size_t i = 0; i < size; i++) {
		seed = seed * 1664525 + 1013904223;
		at[i] = (char)(seed >> 24);
	}
	return (struct fn_bytes){at, size};
}

/* ---- Objects --------------------------------------------------------------------------------- */

static const size_t sizes[] = {1, 4096, 100000, 5 * MIB};

/* What is put is what is got, to the byte. */
START_TEST(object_comes_back_whole)
{
	struct fn_bytes bytes = noise(call.arena, sizes[_i], 1);

	must_put("images/user_dev/img_1.png", bytes);
	must_hold("images/user_dev/img_1.png", bytes);
}
END_TEST

struct flow {
	struct fn_bytes bytes;
	uint64_t most; /* read from there on it fails */
	size_t largest;
};

static bool
flow_read(void *with, uint64_t offset, char *into, size_t size, struct fn_error *failure)
{
	struct flow *flow = with;

	if (offset + size > flow->most)
		return fn_fail(failure, FN_NOT_FOUND, "the spring has dried up");
	memcpy(into, flow->bytes.at + offset, size);
	flow->largest = size > flow->largest ? size : flow->largest;
	return true;
}

static bool
put_stream(const char *key, struct flow *flow)
{
	const struct fn_source source = {flow->bytes.size, flow_read, flow};
	const struct object_stream object = {&source, "video/mp4", "public, max-age=31536000"};

	return object_store_put_stream(store, &call, fn_bytes(key), &object, &err);
}

/* A stream becomes the same object, and is never held as a whole. */
START_TEST(stream_comes_back_whole)
{
	struct flow flow = {noise(call.arena, sizes[_i], 3), UINT64_MAX, 0};

	ck_assert_msg(put_stream("videos/user_dev/vid_1.mp4", &flow), "%s", err.message);
	must_hold("videos/user_dev/vid_1.mp4", flow.bytes);
	ck_assert_uint_le(flow.largest, MIB);
}
END_TEST

/* A stream that breaks off says itself what happened. */
START_TEST(broken_stream_is_not_put)
{
	struct flow flow = {noise(call.arena, 2 * MIB, 4), MIB, 0};

	ck_assert(!put_stream("broken", &flow));
	ck_assert_int_eq(err.code, FN_NOT_FOUND);
	ck_assert_msg(strstr(err.message, "the spring has dried up"), "%s", err.message);
}
END_TEST

/* The second object under a key takes the place of the first, and of no other. */
START_TEST(object_is_replaced)
{
	must_put("videos/u/a", FN_BYTES("the first, which is longer"));
	must_put("videos/u/b", FN_BYTES("another"));
	must_put("videos/u/a", FN_BYTES("the second"));
	must_hold("videos/u/a", FN_BYTES("the second"));
	must_hold("videos/u/b", FN_BYTES("another"));
}
END_TEST

/* A key without an object is told from a failure, also where its folder exists. */
START_TEST(absent_object_is_not_found)
{
	must_put("absent/there", FN_BYTES("x"));
	must_lack("absent/here");
	must_lack("absent");
	must_lack("nowhere/at/all");
}
END_TEST

/* A deleted object is gone, and deleting it again is no failure. */
START_TEST(deleted_object_is_gone)
{
	struct fn_bytes key = FN_BYTES("deleted/a");

	must_put("deleted/a", FN_BYTES("x"));
	must_put("deleted/b", FN_BYTES("stays"));
	for (int i = 0; i < 2; i++)
		ck_assert_msg(object_store_delete(store, &call, key, &err), "%s", err.message);
	ck_assert(object_store_delete(store, &call, FN_BYTES("deleted/no/such"), &err));
	must_lack("deleted/a");
	must_hold("deleted/b", FN_BYTES("stays"));
}
END_TEST

/* An object of just the size that is allowed is got; a byte more is too large. */
START_TEST(large_object_is_refused)
{
	struct fn_bytes key = FN_BYTES("large");
	struct fn_bytes bytes = FN_BYTES("as it was");

	must_put("large", noise(call.arena, 1000, 2));
	ck_assert(!object_store_get(store, &call, key, 999, &bytes, &err));
	ck_assert_msg(err.code == FN_TOO_LARGE, "%s", err.message);
	ck_assert_bytes_eq(bytes, "as it was");
	ck_assert_msg(object_store_get(store, &call, key, 1000, &bytes, &err), "%s", err.message);
	ck_assert_uint_eq(bytes.size, 1000);
}
END_TEST

/* ---- Keys ------------------------------------------------------------------------------------ */

#define TEN(text) text text text text text text text text text text
#define BYTES_1024 TEN(TEN("sixteen-x/")) TEN("ab") "1234"

static const char *const good_keys[] = {
	"a", "Images/U-1/img_0.PNG", ".hidden", "a..b/...", "-", "_", BYTES_1024};

/* Every key that the port allows names an object. */
START_TEST(key_is_allowed)
{
	must_put(good_keys[_i], fn_bytes(good_keys[_i]));
	must_hold(good_keys[_i], fn_bytes(good_keys[_i]));
}
END_TEST

static const struct {
	struct fn_bytes key;
	const char *reason;
} bad_keys[] = {
	{FN_BYTES_INIT(""), "0 bytes, must be 1 to 1024"},
	{FN_BYTES_INIT(BYTES_1024 "x"), "1025 bytes, must be 1 to 1024"},
	{FN_BYTES_INIT("a b"), "a byte other than"},
	{FN_BYTES_INIT("a%2Fb"), "a byte other than"},
	{FN_BYTES_INIT("a\\b"), "a byte other than"},
	{FN_BYTES_INIT("a?b"), "a byte other than"},
	{FN_BYTES_INIT("~a"), "a byte other than"},
	{FN_BYTES_INIT("a\0b"), "a byte other than"},
	{FN_BYTES_INIT("\xc3\xa4"), "a byte other than"},
	{FN_BYTES_INIT("/"), "an empty, \".\" or \"..\" segment"},
	{FN_BYTES_INIT("/a"), "an empty, \".\" or \"..\" segment"},
	{FN_BYTES_INIT("a/"), "an empty, \".\" or \"..\" segment"},
	{FN_BYTES_INIT("a//b"), "an empty, \".\" or \"..\" segment"},
	{FN_BYTES_INIT("."), "an empty, \".\" or \"..\" segment"},
	{FN_BYTES_INIT(".."), "an empty, \".\" or \"..\" segment"},
	{FN_BYTES_INIT("../a"), "an empty, \".\" or \"..\" segment"},
	{FN_BYTES_INIT("a/./b"), "an empty, \".\" or \"..\" segment"},
	{FN_BYTES_INIT("a/../b"), "an empty, \".\" or \"..\" segment"},
	{FN_BYTES_INIT("a/.."), "an empty, \".\" or \"..\" segment"},
};

static void
must_be_refused(bool done, const char *reason)
{
	ck_assert(!done);
	ck_assert_msg(err.code == FN_INVALID && strstr(err.message, reason), "%s", err.message);
	err = (struct fn_error){0};
}

/* No other key is let through to a backend, whatever is asked of it. */
START_TEST(key_is_refused)
{
	const struct object object = {FN_BYTES("x"), "image/png", NULL};
	const struct fn_source nothing = {0};
	const struct object_stream stream = {&nothing, "video/mp4", NULL};
	struct fn_bytes key = bad_keys[_i].key;
	const char *reason = bad_keys[_i].reason;
	struct fn_bytes bytes;

	must_be_refused(object_store_put(store, &call, key, &object, &err), reason);
	must_be_refused(object_store_put_stream(store, &call, key, &stream, &err), reason);
	must_be_refused(object_store_get(store, &call, key, MIB, &bytes, &err), reason);
	must_be_refused(object_store_delete(store, &call, key, &err), reason);
}
END_TEST

/* The world's URL of an object is its key below the public URL, with one slash between. */
START_TEST(public_url_ends_in_the_key)
{
	struct fn_bytes url =
		object_store_public_url(store, call.arena, FN_BYTES("images/u/img_1.png"));

	ck_assert_bytes_eq(url, "https://media.example/images/u/img_1.png");
}
END_TEST

/* ---- Threads --------------------------------------------------------------------------------- */

#define THREADS 8
#define OBJECTS_EACH 5

struct writer {
	unsigned number;
	bool ok;
};

static void *
write_objects(void *with)
{
	struct writer *writer = with;
	struct fn_call own = {.arena = fn_arena_new()};
	struct fn_error failure;

	writer->ok = true;
	for (unsigned i = 0; i < OBJECTS_EACH; i++) {
		char *key = fn_textf(own.arena, "threads/%u/%u", i, writer->number);
		struct object object = {noise(own.arena, 50000, writer->number), "video/mp4", NULL};
		if (!object_store_put(store, &own, fn_bytes(key), &object, &failure))
			writer->ok = false;
	}
	fn_arena_drop(own.arena);
	return NULL;
}

/* Threads share a store, and the folders that their keys have in common. */
START_TEST(threads_put_at_once)
{
	struct writer writers[THREADS];
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		writers[i].number = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, write_objects, &writers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		ck_assert(writers[i].ok);
		for (unsigned k = 0; k < OBJECTS_EACH; k++)
			must_hold(fn_textf(call.arena, "threads/%u/%u", k, i),
				noise(call.arena, 50000, i));
	}
}
END_TEST

/* ---- Both backends --------------------------------------------------------------------------- */

static int
contract_run(const char *name, const char *url)
{
	const struct suite_case cases[] = {
		{.test = object_comes_back_whole, .rows = COUNT(sizes)},
		{.test = stream_comes_back_whole, .rows = COUNT(sizes)},
		{.test = broken_stream_is_not_put},
		{.test = object_is_replaced},
		{.test = absent_object_is_not_found},
		{.test = deleted_object_is_gone},
		{.test = large_object_is_refused},
		{.test = key_is_allowed, .rows = COUNT(good_keys)},
		{.test = key_is_refused, .rows = COUNT(bad_keys)},
		{.test = public_url_ends_in_the_key},
		{.test = threads_put_at_once},
	};

	config.url = url;
	return suite_run_with(name, cases, COUNT(cases), setup, teardown);
}

int
main(void)
{
	char url[4200];

	snprintf(url, sizeof(url), "file:%s/objects", temp_folder());
	int failed = contract_run("object store, file:", url);

	struct s3_server *server = s3_server_start();
	snprintf(url, sizeof(url), "s3:%s", s3_server_bucket_url(server));
	failed |= contract_run("object store, s3:", url);
	s3_server_stop(server);
	return failed;
}
