/* What only an embedded store has to bear: other processes, their locks, a disk that is full. */
#include "adapters/document_store_indexes.h"
#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "tests/support/children.h"
#include "tests/support/disk.h"
#include "tests/support/suite.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Processes ------------------------------------------------------------------------------- */

#define PROCESSES 100
#define ROUNDS 3

static bool
increment(const char *id)
{
	struct document document;

	do {
		if (!document_store_get(
			    disk.store, &disk.call, "things", fn_bytes(id), &document, &disk.err))
			return false;
		int n = (int)json_integer_value(json_object_get(document.fields, "n"));
		if (disk_write(DOCUMENT_REPLACE, id, n + 1, document.version))
			return true;
	} while (disk.err.code == FN_PRECONDITION);
	return false;
}

static bool
create_and_count(int n)
{
	if (!document_store_open(&disk.store, &disk.config, NULL, NULL, &disk.err))
		return false;
	if (!disk_create("counter", 0) && disk.err.code != FN_CONFLICT)
		return false;
	for (int round = 0; round < ROUNDS; round++) {
		if (!disk_create(fn_textf(disk.call.arena, "p%d.%d", n, round), n) ||
			!increment("counter"))
			return false;
	}
	document_store_close(disk.store);
	return true;
}

/* A hundred processes start on an empty folder and write at once: none fails, nothing is lost. */
START_TEST(hundred_processes_write_at_once)
{
	children_run(PROCESSES, create_and_count, &disk.err);
	ck_assert_int_eq(disk_number("counter"), PROCESSES * ROUNDS);
	for (int n = 0; n < PROCESSES; n++) {
		for (int round = 0; round < ROUNDS; round++)
			ck_assert_int_eq(
				disk_number(fn_textf(disk.call.arena, "p%d.%d", n, round)), n);
	}
}
END_TEST

/* ---- Locks ----------------------------------------------------------------------------------- */

struct holder {
	pid_t child;
	int release; /* closing it ends the lock */
};

static struct holder
lock_store(unsigned release_after_ms)
{
	int held[2], release[2];
	char byte;

	ck_assert(pipe(held) == 0 && pipe(release) == 0);
	struct holder holder = {.child = fork(), .release = release[1]};
	if (holder.child == 0) {
		sqlite3 *db;

		close(release[1]);
		if (sqlite3_open(disk.path, &db) != SQLITE_OK ||
			sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK ||
			write(held[1], "", 1) != 1)
			_exit(1);
		poll(&(struct pollfd){.fd = release[0], .events = POLLIN}, 1,
			release_after_ms ? (int)release_after_ms : -1);
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		_exit(0);
	}
	close(release[0]);
	ck_assert_int_eq(read(held[0], &byte, 1), 1);
	return holder;
}

static void
unlock_store(struct holder holder)
{
	int status;

	close(holder.release);
	waitpid(holder.child, &status, 0);
	ck_assert_int_eq(status, 0);
}

/* A store that another process keeps locked is busy at the deadline; nothing was written. */
START_TEST(lock_is_waited_for_until_the_deadline)
{
	ck_assert(disk_create("before", 1));
	struct holder holder = lock_store(0);

	disk.call.deadline_ms = fn_now_ms() + 100;
	disk_fails(disk_create("during", 1), FN_BUSY, disk.path);
	ck_assert_uint_gt(disk.err.retry_after_s, 0);
	ck_assert_int_ge(fn_now_ms(), disk.call.deadline_ms - 20);
	ck_assert_int_eq(disk_number("before"), 1); /* readers pass */
	unlock_store(holder);
	ck_assert_int_eq(disk_number("during"), -1);
	ck_assert(
		disk_create("during", 2)); /* the deadline is over: one try is made all the same */
}
END_TEST

/* A lock that ends in time has delayed the commit, no more. */
START_TEST(lock_that_ends_is_waited_for)
{
	ck_assert(disk_create("before", 1));
	struct holder holder = lock_store(100);

	ck_assert_msg(disk_create("during", 1), "%s", disk.err.message);
	unlock_store(holder);
	ck_assert_int_eq(disk_number("during"), 1);
}
END_TEST

/* The same for a store that has yet to be made: who holds it locked makes the others wait. */
START_TEST(lock_on_a_new_file_is_waited_for)
{
	struct holder holder = lock_store(100);

	ck_assert_msg(disk_create("first", 1), "%s", disk.err.message);
	unlock_store(holder);
}
END_TEST

/* ---- Full and read-only disks ---------------------------------------------------------------- */

static void
limit_size(rlim_t most)
{
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){most, RLIM_INFINITY}), 0);
}

static bool
file_size_begin(void)
{
	limit_size(256 * 1024);
	return true;
}

static bool
file_size_end(void)
{
	limit_size(RLIM_INFINITY);
	return true;
}

/* In a mount namespace of this process alone. */
static bool
small_disk_begin(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", disk.folder, "tmpfs", 0, "size=512k") == 0;
}

static bool
small_disk_end(void)
{
	return mount("none", disk.folder, "tmpfs", MS_REMOUNT, "size=64m") == 0;
}

static void
small_disk_teardown(void)
{
	disk_end();
	umount2(disk.folder, MNT_DETACH);
}

static const struct {
	const char *name;
	bool (*begin)(void), (*end)(void);
} small_places[] = {
	{"a limit on the size of files", file_size_begin, file_size_end},
	{"a full file system", small_disk_begin, small_disk_end},
};

static bool
create_large(int n)
{
	char text[4097] = {0};
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = "things",
		.id = fn_bytes(fn_textf(disk.call.arena, "large%d", n)),
		.fields = json_keep(disk.call.arena,
			json_pack("{s:i, s:s}", "n", n, "text", memset(text, 'x', 4096))),
	};

	return document_store_commit(disk.store, &disk.call, &write, 1, &disk.err);
}

/* A full disk fails the write that finds it full, takes nothing back of those before, and is
 * forgotten once there is room. */
START_TEST(full_disk_is_said_and_survived)
{
	int made = 0;

	if (!small_places[_i].begin()) {
		fprintf(stderr, "skipped: %s cannot be had here\n", small_places[_i].name);
		return;
	}
	/* the first failure makes a little room, since it moves the log into the file */
	for (int again = 0; again < 3; again++) {
		while (made < 1000 && create_large(made))
			made++;
		disk_fails(made == 1000, FN_UPSTREAM, disk.path);
	}
	ck_assert_int_gt(made, 3);

	ck_assert(small_places[_i].end());
	for (int n = 0; n < made; n++)
		ck_assert_int_eq(disk_number(fn_textf(disk.call.arena, "large%d", n)), n);
	ck_assert_int_eq(disk_number(fn_textf(disk.call.arena, "large%d", made)), -1);
	ck_assert_msg(create_large(made), "%s", disk.err.message);
}
END_TEST

static bool
read_but_not_write(int n)
{
	(void)n;
	if (getuid() == 0 && setuid(65534) != 0)
		return false;
	if (!document_store_open(&disk.store, &disk.config, NULL, NULL, &disk.err))
		return false;
	if (disk_create("e", 1) || disk.err.code != FN_UPSTREAM ||
		!strstr(disk.err.message, disk.path))
		return false;
	document_store_close(disk.store);
	return true;
}

/* A store that may not be written fails the write, with its path. */
START_TEST(read_only_store_is_said)
{
	ck_assert(disk_create("d", 1));
	ck_assert(chmod(disk.path, 0444) == 0 && chmod(disk.folder, 0555) == 0);
	children_run(1, read_but_not_write, &disk.err);
	ck_assert_int_eq(chmod(disk.folder, 0700), 0);
	ck_assert_int_eq(disk_number("e"), -1);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = hundred_processes_write_at_once},
		{.test = lock_is_waited_for_until_the_deadline},
		{.test = lock_that_ends_is_waited_for},
		{.test = lock_on_a_new_file_is_waited_for},
		{.test = full_disk_is_said_and_survived,
			.rows = COUNT(small_places),
			.teardown = small_disk_teardown},
		{.test = read_only_store_is_said},
	};

	document_store_indexes_pretend();
	return suite_run_with(
		"document store on sqlite, beset", cases, COUNT(cases), disk_begin, disk_end);
}
