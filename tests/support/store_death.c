#include "tests/support/store_death.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static atomic_uint left;

void
store_death_step(void)
{
	if (atomic_fetch_sub(&left, 1) == 1)
		raise(SIGKILL);
}

/* Nobody cuts the power, and a flush takes longer than all else: the whole program does without. */
int
fsync(int fd)
{
	return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

int
fdatasync(int fd)
{
	return fsync(fd);
}

/* ---- Instead of SQLite's system calls -------------------------------------------------------- */

static ssize_t
step_and_write(int fd, const void *from, size_t size, off_t at)
{
	store_death_step();
	return pwrite(fd, from, size, at);
}

static int
step_and_truncate(int fd, off_t size)
{
	store_death_step();
	return ftruncate(fd, size);
}

static int
step_and_unlink(const char *path)
{
	store_death_step();
	return unlink(path);
}

/* What was done under a lock is done; it may have been in memory that processes share. */
static int
step_and_control(int fd, int command, ...)
{
	va_list rest;

	va_start(rest, command);
	struct flock *what = va_arg(rest, struct flock *);
	va_end(rest);
	if (command == F_SETLK && what->l_type == F_UNLCK)
		store_death_step();
	return fcntl(fd, command, what);
}

static const struct {
	const char *name;
	sqlite3_syscall_ptr call;
} calls[] = {
	{"pwrite", (sqlite3_syscall_ptr)step_and_write},
	{"pwrite64", (sqlite3_syscall_ptr)step_and_write},
	{"ftruncate", (sqlite3_syscall_ptr)step_and_truncate},
	{"unlink", (sqlite3_syscall_ptr)step_and_unlink},
	{"fcntl", (sqlite3_syscall_ptr)step_and_control},
};

void
store_death_at(unsigned nth)
{
	sqlite3_vfs *system = sqlite3_vfs_find(NULL);

	atomic_store(&left, nth);
	assert(system);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		system->xSetSystemCall(system, calls[i].name, calls[i].call);
}
