#include "tests/support/temp.h"

#include <assert.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct folder {
	struct folder *next;
	pid_t owner;
	char path[4096];
};

static struct folder *folders;

static int
remove_entry(const char *path, const struct stat *what, int type, struct FTW *where)
{
	(void)what, (void)type, (void)where;
	return remove(path);
}

/* A child has its parent's list, and leaves the parent's folders alone. */
static void
remove_folders(void)
{
	while (folders) {
		struct folder *folder = folders;

		folders = folder->next;
		if (folder->owner == getpid())
			nftw(folder->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
		free(folder);
	}
}

const char *
temp_folder(void)
{
	static bool registered;
	const char *under = getenv("TMPDIR");
	struct folder *folder = malloc(sizeof(*folder));

	assert(folder);
	snprintf(folder->path, sizeof(folder->path), "%s/phoenix-XXXXXX",
		under && under[0] == '/' ? under : "/tmp");
	if (!mkdtemp(folder->path)) {
		perror(folder->path);
		abort();
	}
	folder->owner = getpid();
	folder->next = folders;
	folders = folder;
	if (!registered)
		registered = atexit(remove_folders) == 0;
	return folder->path;
}
