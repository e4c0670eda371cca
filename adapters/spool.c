#include "adapters/spool.h"

#include "adapters/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
disk_fail(struct fn_error *err, const char *verb, int failed)
{
	return fn_fail(
		err, FN_UPSTREAM, "cannot %s a temporary file: %s", verb, strerrordesc_np(failed));
}

static void
close_file(void *file)
{
	close(*(int *)file);
}

bool
spool_open(struct spool *spool, struct fn_arena *arena, struct fn_error *err)
{
	const char *folder = getenv("TMPDIR");
	char *path = fn_textf(arena, "%s/spool-XXXXXX", folder ? folder : "/tmp");
	int *file = fn_arena_alloc(arena, sizeof(*file));

	*file = mkostemp(path, O_CLOEXEC);
	if (*file < 0)
		return disk_fail(err, "make", errno);
	fn_arena_defer(arena, close_file, file);
	unlink(path);
	*spool = (struct spool){.file = *file};
	return true;
}

bool
spool_add(struct spool *spool, struct fn_bytes bytes, struct fn_error *err)
{
	int failed = disk_write(spool->file, bytes);

	if (failed)
		return disk_fail(err, "write", failed);
	spool->size += bytes.size;
	return true;
}

static bool
read_file(void *with, uint64_t offset, char *into, size_t size, struct fn_error *err)
{
	const int *file = with;
	int failed = disk_read(*file, offset, into, size);

	return failed == 0 || disk_fail(err, "read", failed);
}

bool
spool_source(int file, struct fn_arena *arena, struct fn_source *source, struct fn_error *err)
{
	int *with = fn_arena_alloc(arena, sizeof(*with));
	struct stat is;

	if (fstat(file, &is) != 0)
		return disk_fail(err, "read", errno);
	*with = file;
	*source = (struct fn_source){(uint64_t)is.st_size, read_file, with};
	return true;
}
