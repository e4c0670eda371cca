/* What only files can do wrong: a full disk, links, folders in the way, a reader at the same time.
 */
#include "adapters/object_store.h"

#include "fn/clock.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB ((size_t)1024)
#define DAY_MS 86400000

static const char *folder;
static struct object_store *store;
static struct fn_call call;
static struct fn_error err;

static const char *
inside(const char *path)
{
	return fn_textf(call.arena, "%s/%s", folder, path);
}

static bool
open_in(const char *url)
{
	const struct object_store_config config = {.url = url, .public_url = "http://localhost/o"};

	return object_store_open(&store, &config, NULL, &err);
}

static void
setup(void)
{
	folder = temp_folder();
	call.arena = fn_arena_new();
	ck_assert_msg(open_in(fn_textf(call.arena, "file:%s", folder)), "%s", err.message);
}

static void
teardown(void)
{
	object_store_close(store);
	fn_arena_drop(call.arena);
}

static bool
put(struct fn_call *with, const char *key, struct fn_bytes bytes, struct fn_error *failure)
{
	const struct object object = {bytes, "image/png", NULL};

	return object_store_put(store, with, fn_bytes(key), &object, failure);
}

static struct fn_bytes
filled(struct fn_arena *arena, char with, size_t size)
{
	char *at = fn_arena_alloc(arena, size);

	return (struct fn_bytes){memset(at, with, size), size};
}

static size_t
entries(const char *path)
{
	struct dirent **list;
	int count = scandir(path, &list, NULL, alphasort);

	ck_assert_int_ge(count, 2); /* "." and ".." */
	for (int i = 0; i < count; i++)
		free(list[i]);
	free(list);
	return (size_t)count - 2;
}

static void
must_fail_on_disk(bool done, const char *reason)
{
	ck_assert(!done);
	ck_assert_msg(err.code == FN_UPSTREAM && strstr(err.message, reason), "%s", err.message);
}

/* The old object is there as it was, the new one is not, and nothing is drafted. */
static void
only_old_is_left(void)
{
	struct fn_bytes bytes;

	ck_assert_uint_eq(entries(inside("u")), 1);
	ck_assert_uint_eq(entries(inside("~")), 0);
	ck_assert(object_store_get(store, &call, FN_BYTES("u/old"), KIB, &bytes, &err));
	ck_assert_bytes_eq(bytes, "old");
}

/* ---- Disks ----------------------------------------------------------------------------------- */

/* A disk that takes only a part of an object leaves nothing of it, and what it replaces stays. */
START_TEST(full_disk_leaves_nothing_behind)
{
	const struct rlimit little = {.rlim_cur = 64 * KIB, .rlim_max = RLIM_INFINITY};

	ck_assert(put(&call, "u/old", FN_BYTES("old"), &err));
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
	struct fn_bytes large = filled(call.arena, 'x', 100 * KIB);
	must_fail_on_disk(
		put(&call, "u/new", large, &err), "file: cannot write the object: File too large");
	must_fail_on_disk(put(&call, "u/old", large, &err), "File too large");
	only_old_is_left();
}
END_TEST

static bool
read_half(void *with, uint64_t offset, char *into, size_t size, struct fn_error *failure)
{
	const uint64_t *whole = with;

	memset(into, 'x', size);
	return offset + size <= *whole / 2 || fn_fail(failure, FN_BUSY, "no more today");
}

/* The same goes for a stream that breaks off. */
START_TEST(broken_stream_leaves_nothing_behind)
{
	uint64_t size = 1024 * KIB;
	const struct fn_source source = {size, read_half, &size};
	const struct object_stream object = {&source, "video/mp4", NULL};

	ck_assert(put(&call, "u/old", FN_BYTES("old"), &err));
	ck_assert(!object_store_put_stream(store, &call, FN_BYTES("u/new"), &object, &err));
	ck_assert(!object_store_put_stream(store, &call, FN_BYTES("u/old"), &object, &err));
	ck_assert_int_eq(err.code, FN_BUSY);
	only_old_is_left();
}
END_TEST

static bool
read_and_die(void *with, uint64_t offset, char *into, size_t size, struct fn_error *failure)
{
	(void)with, (void)failure;
	memset(into, 'x', size);
	return offset == 0 || raise(SIGKILL) == 0;
}

static void
kill_writer(const char *key)
{
	const struct fn_source source = {1024 * KIB, read_and_die, NULL};
	const struct object_stream object = {&source, "video/mp4", NULL};
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		(void)!object_store_put_stream(store, &call, fn_bytes(key), &object, &err);
		_exit(EXIT_SUCCESS); /* never: the source kills it */
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void
open_again(void)
{
	object_store_close(store);
	ck_assert(open_in(fn_textf(call.arena, "file:%s", folder)));
}

/* What a killed writer leaves is nothing that can be seen. For a day it might be a living one's,
 * then it is removed. */
START_TEST(killed_writer_leaves_nothing_behind)
{
	struct fn_bytes bytes;

	ck_assert(put(&call, "u/old", FN_BYTES("old"), &err));
	kill_writer("u/old");
	kill_writer("u/new");
	ck_assert_uint_eq(entries(inside("u")), 1);
	ck_assert(object_store_get(store, &call, FN_BYTES("u/old"), KIB, &bytes, &err));
	ck_assert_bytes_eq(bytes, "old");
	open_again();
	ck_assert_uint_eq(entries(inside("~")), 2);
	fn_clock_pretend(fn_unix_ms() + DAY_MS + 2000);
	open_again();
	ck_assert_uint_eq(entries(inside("~")), 0);
	ck_assert_uint_eq(entries(inside("u")), 1);
}
END_TEST

/* A folder that may not be written is our failure, not the caller's. */
START_TEST(forbidden_folder_is_our_failure)
{
	ck_assert(put(&call, "u/a", FN_BYTES("x"), &err));
	ck_assert_int_eq(chmod(inside("u"), 0555), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	bool is_put = put(&call, "u/b", FN_BYTES("x"), &err);
	must_fail_on_disk(is_put, "file: cannot write the object: Permission denied");
	bool is_deleted = object_store_delete(store, &call, FN_BYTES("u/a"), &err);
	must_fail_on_disk(is_deleted, "file: cannot delete the object: Permission denied");
	ck_assert_int_eq(seteuid(getuid()), 0);
	ck_assert_int_eq(chmod(inside("u"), 0755), 0);
}
END_TEST

/* An object where a folder has to be, and the other way round, is refused and not lost. */
START_TEST(object_and_folder_exclude_each_other)
{
	struct fn_bytes bytes;

	ck_assert(put(&call, "u/a", FN_BYTES("x"), &err));
	must_fail_on_disk(put(&call, "u/a/b", FN_BYTES("y"), &err), "Not a directory");
	must_fail_on_disk(put(&call, "u", FN_BYTES("y"), &err), "Is a directory");
	ck_assert(object_store_delete(store, &call, FN_BYTES("u"), &err));
	ck_assert(object_store_get(store, &call, FN_BYTES("u/a"), KIB, &bytes, &err));
	ck_assert_bytes_eq(bytes, "x");
	ck_assert_uint_eq(entries(inside("u")), 1);
	ck_assert_uint_eq(entries(inside("~")), 0);
}
END_TEST

/* ---- Links ----------------------------------------------------------------------------------- */

/* No link inside the folder leads out of it, be it to a folder or to a file. */
START_TEST(link_leads_nowhere)
{
	const char *outside = temp_folder();
	const char *secret = fn_textf(call.arena, "%s/secret", outside);
	struct fn_bytes bytes = FN_BYTES("as it was");
	int fd = open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "secret", 6), 6);
	close(fd);
	ck_assert_int_eq(symlink(outside, inside("folder")), 0);
	ck_assert_int_eq(symlink(secret, inside("file")), 0);

	ck_assert(!object_store_get(store, &call, FN_BYTES("folder/secret"), KIB, &bytes, &err));
	ck_assert(!object_store_get(store, &call, FN_BYTES("file"), KIB, &bytes, &err));
	ck_assert_bytes_eq(bytes, "as it was");
	ck_assert(!put(&call, "folder/new", FN_BYTES("x"), &err));
	ck_assert_int_eq(rmdir(inside("~")), 0);
	ck_assert_int_eq(symlink(outside, inside("~")), 0);
	ck_assert(!open_in(fn_textf(call.arena, "file:%s", folder)));
	ck_assert(object_store_delete(store, &call, FN_BYTES("folder/secret"), &err));
	ck_assert_uint_eq(entries(outside), 1);
}
END_TEST

/* ---- Readers --------------------------------------------------------------------------------- */

#define REPLACED 50
#define SIZE (256 * KIB)

static atomic_bool stop;
static bool all_put;

static void *
replace_objects(void *with)
{
	struct fn_call own = {.arena = fn_arena_new()};
	struct fn_error failure;

	(void)with;
	all_put = true;
	for (int i = 0; i < REPLACED; i++)
		if (!put(&own, "u/a", filled(own.arena, (char)('a' + i % 26), SIZE), &failure))
			all_put = false;
	atomic_store(&stop, true);
	fn_arena_drop(own.arena);
	return NULL;
}

/* Whoever reads while an object is replaced sees the old one or the new one, never a mix. */
START_TEST(reader_sees_whole_objects)
{
	struct fn_bytes bytes;
	pthread_t writer;

	ck_assert(put(&call, "u/a", filled(call.arena, 'a', SIZE), &err));
	ck_assert_int_eq(pthread_create(&writer, NULL, replace_objects, NULL), 0);
	while (!atomic_load(&stop)) {
		struct fn_call own = {.arena = fn_arena_new()};
		bool ok = object_store_get(store, &own, FN_BYTES("u/a"), SIZE, &bytes, &err);
		ck_assert_msg(ok, "%s", err.message);
		struct fn_bytes uniform = filled(own.arena, bytes.at[0], SIZE);
		ck_assert(fn_bytes_equal(bytes, uniform));
		fn_arena_drop(own.arena);
	}
	pthread_join(writer, NULL);
	ck_assert(all_put);
	ck_assert_uint_eq(entries(inside("u")), 1);
}
END_TEST

/* ---- Settings -------------------------------------------------------------------------------- */

static const struct {
	const char *url, *reason;
} bad_urls[] = {
	{"file:", "OBJECTS_URL: cannot make the folder \"\": No such file or directory"},
	{"file:/nowhere/at/all", "OBJECTS_URL: cannot make the folder \"/nowhere/at/all\": No such "
				 "file or directory"},
	{"file:/dev/null", "OBJECTS_URL: cannot open the folder \"/dev/null\": Not a directory"},
	{"/srv/objects", "OBJECTS_URL must be file:DIR or s3:https://ENDPOINT/BUCKET"},
	{"ftp://host/", "OBJECTS_URL must be file:DIR or s3:https://ENDPOINT/BUCKET"},
	{"", "OBJECTS_URL must be file:DIR or s3:https://ENDPOINT/BUCKET"},
};

/* A folder that cannot be had is told at the start. */
START_TEST(bad_url_is_refused)
{
	object_store_close(store);
	store = NULL;
	ck_assert(!open_in(bad_urls[_i].url));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_str_eq(err.message, bad_urls[_i].reason);
	ck_assert_ptr_null(store);
}
END_TEST

/* Pictures must have a URL that a browser can follow. */
START_TEST(bad_public_url_is_refused)
{
	struct object_store_config config = {.url = "file:/tmp", .public_url = "media/objects"};

	ck_assert(!object_store_open(&store, &config, NULL, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_str_eq(err.message, "OBJECTS_PUBLIC_URL must start with https:// or http://");
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = broken_stream_leaves_nothing_behind},
		{.test = full_disk_leaves_nothing_behind},
		{.test = killed_writer_leaves_nothing_behind},
		{.test = forbidden_folder_is_our_failure},
		{.test = object_and_folder_exclude_each_other},
		{.test = link_leads_nowhere},
		{.test = reader_sees_whole_objects},
		{.test = bad_url_is_refused, .rows = COUNT(bad_urls)},
		{.test = bad_public_url_is_refused},
	};

	return suite_run_with("object store, files", cases, COUNT(cases), setup, teardown);
}
