#include "tests/support/store_fault.h"

#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

static sqlite3 *other;

static void
open_other(const char *path, const char *begin)
{
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, begin, NULL, NULL, NULL), SQLITE_OK);
}

static void
limit_files(rlim_t most)
{
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){most, RLIM_INFINITY}), 0);
}

void
store_fault_lock(const char *path)
{
	open_other(path, "BEGIN EXCLUSIVE");
}

void
store_fault_unlock(void)
{
	sqlite3_close(other);
}

/* Nor is the log emptied, as it would be by the last who closes the store. */
static void
fill(const char *path)
{
	char log_path[4200];
	struct stat log;

	open_other(path, "SELECT * FROM documents");
	snprintf(log_path, sizeof(log_path), "%s-wal", path);
	ck_assert_int_eq(stat(log_path, &log), 0);
	limit_files((rlim_t)log.st_size);
}

static void
empty(void)
{
	limit_files(RLIM_INFINITY);
	sqlite3_close(other);
}

const struct store_fault store_faults[STORE_FAULTS] = {
	{store_fault_lock, store_fault_unlock, 503, 1, "locked"},
	{fill, empty, 502, 0, "phoenix.db"},
};
