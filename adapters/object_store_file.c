/* Objects as files below one folder, for a single machine.
 *
 * An object is written in a folder that no key leads into, forced to disk and moved to its key, so
 * that a crash or a full disk leaves nothing half-visible. What a crash leaves in that folder is
 * removed by who opens it a day later. Folders are walked one by one without following
 * symbolic links: nothing inside DIR leads out of it. The content type is not kept: whoever
 * serves the files tells it from their names. Unlike in S3, "a" and "a/b" cannot both be keys. */
#include "adapters/disk.h"
#include "adapters/object_store_backend.h"
#include "fn/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DRAFT (O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
#define DRAFTS "~"
#define DRAFT_SIZE 17 /* 16 hex digits + NUL */
#define DEAD_S 86400  /* nobody writes for a day */
#define PIECE (256 * 1024)
#define SOURCE_FAILED -1 /* no errno, and the error is set already */

struct file_store {
	struct object_store base;
	int root;   /* DIR */
	int drafts; /* DIR/~ */
};

static void
drop_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* ---- Steps: each returns 0, or the errno of the call that failed ----------------------------- */

static int
folder_enter(int *folder, const char *name)
{
	int inside = openat(*folder, name, FOLDER);

	if (inside < 0)
		return errno;
	close(*folder);
	*folder = inside;
	return 0;
}

/* A new folder is on disk only once its parent is. */
static int
folder_make(int *folder, const char *name)
{
	if (mkdirat(*folder, name, 0755) != 0 && errno != EEXIST)
		return errno;
	return fsync(*folder) == 0 ? folder_enter(folder, name) : errno;
}

/* Opens the folder of a key, made on the way if it has to be; `name` is the key's last segment. */
static int
folder_open(struct object_store *base, struct fn_arena *arena, struct fn_bytes key, bool make,
	int *folder, const char **name)
{
	const struct file_store *store = (struct file_store *)base;

	*folder = openat(store->root, ".", FOLDER);
	if (*folder < 0)
		return errno;
	*name = fn_text(arena, fn_bytes_cut(&key, '/'));
	while (key.size > 0) {
		int failed = folder_enter(folder, *name);
		if (failed == ENOENT && make)
			failed = folder_make(folder, *name);
		if (failed)
			return failed;
		*name = fn_text(arena, fn_bytes_cut(&key, '/'));
	}
	return 0;
}

static int
source_write(int file, const struct fn_source *source, struct fn_arena *arena, struct fn_error *err)
{
	size_t most = source->size < PIECE ? (size_t)source->size : PIECE;
	char *piece = fn_arena_alloc(arena, most);

	for (uint64_t at = 0; at < source->size; at += most) {
		size_t size = source->size - at < most ? (size_t)(source->size - at) : most;
		if (!source->read(source->with, at, piece, size, err))
			return SOURCE_FAILED;
		int failed = disk_write(file, (struct fn_bytes){piece, size});
		if (failed)
			return failed;
	}
	return fsync(file) == 0 ? 0 : errno;
}

static int
object_write(int drafts, int folder, const char *name, const struct fn_source *source,
	struct fn_arena *arena, struct fn_error *err)
{
	unsigned long long random;
	char draft[DRAFT_SIZE];

	arc4random_buf(&random, sizeof(random));
	snprintf(draft, sizeof(draft), "%016llx", random);
	AUTO(drop_fd) int file = openat(drafts, draft, DRAFT, 0644);
	if (file < 0)
		return errno;
	int failed = source_write(file, source, arena, err);
	if (!failed && renameat(drafts, draft, folder, name) != 0)
		failed = errno;
	if (failed) {
		unlinkat(drafts, draft, 0);
		return failed;
	}
	return fsync(folder) == 0 ? 0 : errno;
}

static int
object_open(int folder, const char *name, int *file, size_t *size)
{
	struct stat is;

	*file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (*file < 0 || fstat(*file, &is) != 0)
		return errno;
	*size = (size_t)is.st_size;
	return S_ISREG(is.st_mode) ? 0 : ENOENT;
}

static int
object_unlink(int folder, const char *name)
{
	if (unlinkat(folder, name, 0) != 0)
		return errno;
	return fsync(folder) == 0 ? 0 : errno;
}

/* ---- The backend ----------------------------------------------------------------------------- */

static bool
is_absence(int failed)
{
	return failed == ENOENT || failed == ENOTDIR || failed == EISDIR;
}

static bool
disk_fail(struct fn_error *err, const char *verb, int failed)
{
	return fn_fail(
		err, FN_UPSTREAM, "file: cannot %s the object: %s", verb, strerrordesc_np(failed));
}

static bool
file_put_stream(struct object_store *base, struct fn_call *call, struct fn_bytes key,
	const struct object_stream *object, struct fn_error *err)
{
	int drafts = ((struct file_store *)base)->drafts;
	AUTO(drop_fd) int folder = -1;
	const char *name = "";

	int failed = folder_open(base, call->arena, key, true, &folder, &name);
	if (!failed)
		failed = object_write(drafts, folder, name, object->source, call->arena, err);
	if (failed == SOURCE_FAILED)
		return false;
	return failed ? disk_fail(err, "write", failed) : true;
}

static bool
copy_bytes(void *with, uint64_t offset, char *into, size_t size, struct fn_error *err)
{
	const struct fn_bytes *bytes = with;

	(void)err;
	memcpy(into, bytes->at + offset, size);
	return true;
}

static bool
file_put(struct object_store *base, struct fn_call *call, struct fn_bytes key,
	const struct object *object, struct fn_error *err)
{
	struct fn_bytes bytes = object->bytes;
	const struct fn_source source = {bytes.size, copy_bytes, &bytes};

	return file_put_stream(base, call, key, &(struct object_stream){.source = &source}, err);
}

static bool
file_get(struct object_store *base, struct fn_call *call, struct fn_bytes key, size_t most,
	struct fn_bytes *bytes, struct fn_error *err)
{
	AUTO(drop_fd) int folder = -1;
	AUTO(drop_fd) int file = -1;
	const char *name = "";
	size_t size = 0;

	int failed = folder_open(base, call->arena, key, false, &folder, &name);
	if (!failed)
		failed = object_open(folder, name, &file, &size);
	if (is_absence(failed))
		return fn_fail(err, FN_NOT_FOUND, "file: no such object");
	if (failed)
		return disk_fail(err, "read", failed);
	if (size > most)
		return fn_fail(err, FN_TOO_LARGE, "file: the object has more than %zu bytes", most);

	char *at = fn_arena_try(call->arena, size);
	failed = at ? disk_read(file, 0, at, size) : ENOMEM;
	if (failed)
		return disk_fail(err, "read", failed);
	*bytes = (struct fn_bytes){at, size};
	return true;
}

static bool
file_remove(
	struct object_store *base, struct fn_call *call, struct fn_bytes key, struct fn_error *err)
{
	AUTO(drop_fd) int folder = -1;
	const char *name = "";

	int failed = folder_open(base, call->arena, key, false, &folder, &name);
	if (!failed)
		failed = object_unlink(folder, name);
	return failed && !is_absence(failed) ? disk_fail(err, "delete", failed) : true;
}

static void
file_close(struct object_store *base)
{
	struct file_store *store = (struct file_store *)base;

	close(store->drafts);
	close(store->root);
	free(store);
}

static bool
open_or_make(int within, const char *path, int flags, int *folder, struct fn_error *err)
{
	if (mkdirat(within, path, 0755) != 0 && errno != EEXIST)
		return fn_fail(err, FN_INVALID, "OBJECTS_URL: cannot make the folder \"%s\": %s",
			path, strerrordesc_np(errno));
	*folder = openat(within, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	if (*folder < 0)
		return fn_fail(err, FN_INVALID, "OBJECTS_URL: cannot open the folder \"%s\": %s",
			path, strerrordesc_np(errno));
	return true;
}

/* Whatever cannot be removed now can be later. */
static void
remove_dead_drafts(int drafts)
{
	int64_t dead_s = fn_unix_ms() / 1000 - DEAD_S;
	struct dirent **list = NULL;
	int count = scandirat(drafts, ".", &list, NULL, NULL);
	struct stat is;

	for (int i = 0; i < count; i++) {
		if (fstatat(drafts, list[i]->d_name, &is, AT_SYMLINK_NOFOLLOW) == 0 &&
			is.st_mtime < dead_s)
			unlinkat(drafts, list[i]->d_name, 0);
		free(list[i]);
	}
	free(list);
}

static bool
file_open(struct object_store **base, const char *where, const struct object_store_config *config,
	struct fn_http_client *http, struct fn_error *err)
{
	AUTO(drop_fd) int root = -1;
	AUTO(drop_fd) int drafts = -1;

	(void)config;
	(void)http;
	TRY(open_or_make(AT_FDCWD, where, 0, &root, err));
	TRY(open_or_make(root, DRAFTS, O_NOFOLLOW, &drafts, err));
	remove_dead_drafts(drafts);
	struct file_store *store = calloc(1, sizeof(*store));
	if (!store)
		return fn_fail(err, FN_INTERNAL, "object store: out of memory");
	store->root = root;
	store->drafts = drafts;
	root = drafts = -1; /* the store's now */
	*base = &store->base;
	return true;
}

const struct object_store_backend object_store_file = {
	.scheme = "file:",
	.open = file_open,
	.close = file_close,
	.put = file_put,
	.put_stream = file_put_stream,
	.get = file_get,
	.remove = file_remove,
};
