/* What only an embedded store has to bear: other processes, a full disk, a power cut. */
#include "adapters/document_store.h"
#include "adapters/document_store_indexes.h"
#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "tests/support/children.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* SQLite calls ours: how often has it asked the disk to keep what was written? */
static atomic_int syncs;

int
fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

static const char *folder;
static char path[4200], url[4300];
static struct document_store_config config = {.url = url};
static struct document_store *store;
static struct fn_call call;
static struct fn_error err;

static void
open_store(void)
{
	ck_assert_msg(document_store_open(&store, &config, NULL, NULL, &err), "%s", err.message);
}

static void
place(const char *under, const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", under, name);
	snprintf(url, sizeof(url), "sqlite:%s", path);
}

static void
setup(void)
{
	folder = temp_folder();
	place(folder, "phoenix.db");
	open_store();
	call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 120000};
}

static void
teardown(void)
{
	document_store_close(store);
	fn_arena_drop(call.arena);
}

static bool
write_n(enum document_write_kind kind, const char *id, int n, int64_t if_version)
{
	struct document_write write = {
		.kind = kind,
		.collection = "things",
		.id = fn_bytes(id),
		.fields = json_keep(call.arena, json_pack("{s:i}", "n", n)),
		.if_version = if_version,
	};

	return document_store_commit(store, &call, &write, 1, &err);
}

static bool
create(const char *id, int n)
{
	return write_n(DOCUMENT_CREATE, id, n, 0);
}

/* The number in a document; -1: none, or (then err says so) the store failed. */
static int
number_of(const char *id)
{
	struct document document;

	if (!document_store_get(store, &call, "things", fn_bytes(id), &document, &err))
		return -1;
	return (int)json_integer_value(json_object_get(document.fields, "n"));
}

static void
assert_fails(bool ok, enum fn_code code, const char *part)
{
	ck_assert_msg(!ok && err.code == code && strstr(err.message, part),
		"ok %d, code %d, \"%s\", not \"%s\"", ok, err.code, err.message, part);
}

/* ---- Files --------------------------------------------------------------------------------- */

/* The folders of the path are made; the file itself comes with the first use. */
START_TEST(folders_are_made)
{
	place(folder, "a/b/c/phoenix.db");
	document_store_close(store);
	open_store();
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert(create("d", 1));
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* A folder that cannot be made stops the program at start, and says which. */
START_TEST(folder_in_the_way_is_named)
{
	struct document_store *other = NULL;

	ck_assert(create("d", 1));
	place(folder, "phoenix.db/below-a-file/phoenix.db");
	assert_fails(
		document_store_open(&other, &config, NULL, NULL, &err), FN_INVALID, "below-a-file");
	ck_assert_ptr_null(other);
}
END_TEST

/* A commit is answered after the disk has it: its log was synced in between. */
START_TEST(commit_outlives_a_power_cut)
{
	ck_assert(create("first", 0));
	for (int n = 1; n <= 10; n++) {
		int before = syncs;

		ck_assert(write_n(DOCUMENT_REPLACE, "first", n, 0));
		ck_assert_int_gt(syncs, before);
	}
}
END_TEST

static void
overwrite(long offset, size_t size)
{
	FILE *file = fopen(path, "r+");

	ck_assert_ptr_nonnull(file);
	fseek(file, offset, SEEK_SET);
	while (size-- > 0)
		fputc(0xa5, file);
	fclose(file);
}

/* A file that is damaged or no store at all fails each call, with its path, and crashes none. */
START_TEST(damage_is_said)
{
	static const struct {
		long offset;
		size_t size;
		const char *sentence;
	} damages[] = {
		{0, 4096, "not a database"},
		{4096, 3 * 4096, "malformed"},
	};

	ck_assert(create("d", 1));
	document_store_close(store); /* the last to close moves the log into the file */
	overwrite(damages[_i].offset, damages[_i].size);
	open_store();
	ck_assert_int_eq(number_of("d"), -1);
	assert_fails(false, FN_UPSTREAM, damages[_i].sentence);
	assert_fails(create("e", 1), FN_UPSTREAM, path);
}
END_TEST

static void
run_sql(const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(
		sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* A file that a newer program has migrated is left alone. */
START_TEST(newer_schema_is_refused)
{
	run_sql("PRAGMA user_version = 1000");
	assert_fails(create("d", 1), FN_UPSTREAM, "schema 1000");
}
END_TEST

/* A row that is no JSON is said to be so, with its name. */
START_TEST(broken_row_is_named)
{
	ck_assert(create("d", 1));
	run_sql("DROP INDEX documents_by_status_and_touch;" /* they would not take such a row */
		"DROP INDEX documents_by_listing;"
		"DROP INDEX documents_by_type_and_listing;"
		"DROP INDEX documents_by_owner_and_listing;"
		"DROP INDEX documents_by_creation;"
		"UPDATE documents SET fields = '{\"n\":'");
	ck_assert_int_eq(number_of("d"), -1);
	assert_fails(false, FN_UPSTREAM, "things/d");
}
END_TEST

/* ---- Processes ------------------------------------------------------------------------------ */

#define PROCESSES 100
#define ROUNDS 3

static bool
increment(const char *id)
{
	struct document document;

	do {
		if (!document_store_get(store, &call, "things", fn_bytes(id), &document, &err))
			return false;
		int n = (int)json_integer_value(json_object_get(document.fields, "n"));
		if (write_n(DOCUMENT_REPLACE, id, n + 1, document.version))
			return true;
	} while (err.code == FN_PRECONDITION);
	return false;
}

static bool
create_and_count(int n)
{
	if (!document_store_open(&store, &config, NULL, NULL, &err))
		return false;
	if (!create("counter", 0) && err.code != FN_CONFLICT)
		return false;
	for (int round = 0; round < ROUNDS; round++) {
		if (!create(fn_textf(call.arena, "p%d.%d", n, round), n) || !increment("counter"))
			return false;
	}
	document_store_close(store);
	return true;
}

/* A hundred processes start on an empty folder and write at once: none fails, nothing is lost. */
START_TEST(hundred_processes_write_at_once)
{
	children_run(PROCESSES, create_and_count, &err);
	ck_assert_int_eq(number_of("counter"), PROCESSES * ROUNDS);
	for (int n = 0; n < PROCESSES; n++) {
		for (int round = 0; round < ROUNDS; round++)
			ck_assert_int_eq(number_of(fn_textf(call.arena, "p%d.%d", n, round)), n);
	}
}
END_TEST

/* ---- Locks --------------------------------------------------------------------------------- */

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
		if (sqlite3_open(path, &db) != SQLITE_OK ||
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
	ck_assert(create("before", 1));
	struct holder holder = lock_store(0);

	call.deadline_ms = fn_now_ms() + 100;
	assert_fails(create("during", 1), FN_BUSY, path);
	ck_assert_uint_gt(err.retry_after_s, 0);
	ck_assert_int_ge(fn_now_ms(), call.deadline_ms - 20);
	ck_assert_int_eq(number_of("before"), 1); /* readers pass */
	unlock_store(holder);
	ck_assert_int_eq(number_of("during"), -1);
	ck_assert(create("during", 2)); /* the deadline is over: one try is made all the same */
}
END_TEST

/* A lock that ends in time has delayed the commit, no more. */
START_TEST(lock_that_ends_is_waited_for)
{
	ck_assert(create("before", 1));
	struct holder holder = lock_store(100);

	ck_assert_msg(create("during", 1), "%s", err.message);
	unlock_store(holder);
	ck_assert_int_eq(number_of("during"), 1);
}
END_TEST

/* The same for a store that has yet to be made: who holds it locked makes the others wait. */
START_TEST(lock_on_a_new_file_is_waited_for)
{
	struct holder holder = lock_store(100);

	ck_assert_msg(create("first", 1), "%s", err.message);
	unlock_store(holder);
}
END_TEST

/* ---- Full and read-only disks -------------------------------------------------------------- */

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
	       mount("none", folder, "tmpfs", 0, "size=512k") == 0;
}

static bool
small_disk_end(void)
{
	return mount("none", folder, "tmpfs", MS_REMOUNT, "size=64m") == 0;
}

static void
small_disk_teardown(void)
{
	teardown();
	umount2(folder, MNT_DETACH);
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
		.id = fn_bytes(fn_textf(call.arena, "large%d", n)),
		.fields = json_keep(call.arena,
			json_pack("{s:i, s:s}", "n", n, "text", memset(text, 'x', 4096))),
	};

	return document_store_commit(store, &call, &write, 1, &err);
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
		assert_fails(made == 1000, FN_UPSTREAM, path);
	}
	ck_assert_int_gt(made, 3);

	ck_assert(small_places[_i].end());
	for (int n = 0; n < made; n++)
		ck_assert_int_eq(number_of(fn_textf(call.arena, "large%d", n)), n);
	ck_assert_int_eq(number_of(fn_textf(call.arena, "large%d", made)), -1);
	ck_assert_msg(create_large(made), "%s", err.message);
}
END_TEST

static bool
read_but_not_write(int n)
{
	(void)n;
	if (getuid() == 0 && setuid(65534) != 0)
		return false;
	if (!document_store_open(&store, &config, NULL, NULL, &err))
		return false;
	if (create("e", 1) || err.code != FN_UPSTREAM || !strstr(err.message, path))
		return false;
	document_store_close(store);
	return true;
}

/* A store that may not be written fails the write, with its path. */
START_TEST(read_only_store_is_said)
{
	ck_assert(create("d", 1));
	ck_assert(chmod(path, 0444) == 0 && chmod(folder, 0555) == 0);
	children_run(1, read_but_not_write, &err);
	ck_assert_int_eq(chmod(folder, 0700), 0);
	ck_assert_int_eq(number_of("e"), -1);
}
END_TEST

/* ---- Expiry -------------------------------------------------------------------------------- */

static void
create_expiring(const char *id, int64_t expires_at_ms)
{
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = "things",
		.id = fn_bytes(id),
		.fields = json_keep(call.arena, json_object()),
		.expires_at_ms = expires_at_ms,
	};

	ck_assert_msg(document_store_commit(store, &call, &write, 1, &err), "%s", err.message);
}

static int
count_rows(void)
{
	sqlite3_stmt *count;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert(sqlite3_prepare_v2(db, "SELECT count(*) FROM documents", -1, &count, NULL) ==
		  SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(count), SQLITE_ROW);
	int rows = sqlite3_column_int(count, 0);
	sqlite3_finalize(count);
	sqlite3_close(db);
	return rows;
}

/* Who keeps something for some time sees to what others have kept long enough, so that no more
 * than lives is ever there for long; what never expires stays. */
START_TEST(expired_documents_are_purged)
{
	const int64_t now_ms = 1795498618000;

	fn_clock_pretend(now_ms);
	ck_assert(create("ever", 1));
	for (int i = 0; i < 20; i++)
		create_expiring(fn_textf(call.arena, "short%d", i), now_ms + 1000);
	ck_assert_int_eq(count_rows(), 21);

	fn_clock_pretend(now_ms + 1000);
	for (int i = 0; i < 5; i++)
		create_expiring(fn_textf(call.arena, "long%d", i), now_ms + 5000);
	ck_assert_int_eq(count_rows(), 6);
	ck_assert_int_eq(number_of("ever"), 1);
	fn_clock_pretend(0);
}
END_TEST

/* ---- Indexes ------------------------------------------------------------------------------- */

static int steps; /* that SQLite's machine has made for queries */

static int
count_steps(unsigned type, void *with, void *statement, void *unused)
{
	(void)type, (void)with, (void)unused;
	if (strstr(sqlite3_sql(statement), "LIMIT"))
		steps += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
	return 0;
}

static int
watch_steps(sqlite3 *db, const char **why, const void *unused)
{
	(void)why, (void)unused;
	return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, count_steps, NULL);
}

/* Each document fits the two filters of the query, or one of them, or none. */
static void
create_rows(const char *prefix, const char *first, const char *second, int count)
{
	run_sql(fn_textf(call.arena,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		"INSERT INTO documents (collection, id, version, fields) SELECT 'things', '%s' || "
		"(1000000 + i), 1,"
		" json_object(%s, %s, 'touched_at_ms', r, 'created_at_ms', r)"
		" FROM (SELECT i, i + unicode('%s') * 1000 AS r FROM n)",
		count, prefix, first, second, prefix));
}

static const struct {
	const char *fields[2]; /* that are filtered by */
	const char *order_by;
} indexed[] = {
	{{"status"}, "touched_at_ms"},
	{{"listed"}, "created_at_ms"},
	{{"type", "listed"}, "created_at_ms"},
	{{"owner_id", "listed"}, "created_at_ms"},
	{{"creation_id"}, NULL},
};

/* Of the page behind the first `before` rows. */
static int
steps_of_page(const struct document_query *of, size_t before)
{
	struct document_query query = *of;
	struct document_page page;

	for (query.limit = before; query.limit > 0; query.limit = 0) {
		ck_assert_msg(
			document_store_query(store, &call, &query, &page, &err), "%s", err.message);
		query.page_token = page.next;
	}
	query.limit = 3;
	steps = 0;
	ck_assert_msg(document_store_query(store, &call, &query, &page, &err), "%s", err.message);
	ck_assert_uint_eq(page.count, 3);
	ck_assert_int_gt(steps, 0);
	return steps;
}

/* What a page costs depends neither on how many documents there are nor on where it is. */
START_TEST(indexed_query_looks_at_its_page_only)
{
	__typeof__(&indexed[0]) c = &indexed[_i / 2];
	struct document_query query = {
		.collection = "things",
		.order_by = c->order_by,
		.descending = c->order_by && _i % 2,
	};
	char *fits[2], *differs[2];

	for (int i = 0; i < 2; i++) {
		const char *field = c->fields[i] ? c->fields[i] : "unused";

		fits[i] = fn_textf(call.arena, "'%s', 'this'", field);
		differs[i] = fn_textf(call.arena, "'%s', 'that'", field);
		if (c->fields[i])
			query.filters[query.filter_count++] = (struct document_filter){
				field, json_keep(call.arena, json_string("this"))};
	}
	sqlite3_auto_extension((void (*)(void))watch_steps);
	ck_assert(create("d", 1));
	create_rows("a", fits[0], fits[1], 10);
	int alone = steps_of_page(&query, 5);

	create_rows("b", differs[0], fits[1], 1000);
	if (c->fields[1])
		create_rows("c", fits[0], differs[1], 1000);
	create_rows("d", fits[0], fits[1], 1000);
	ck_assert_int_eq(steps_of_page(&query, 5), alone);
	ck_assert_int_eq(steps_of_page(&query, 300), alone);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{folders_are_made, 1, setup, teardown},
		{folder_in_the_way_is_named, 1, setup, teardown},
		{commit_outlives_a_power_cut, 1, setup, teardown},
		{damage_is_said, 2, setup, teardown},
		{newer_schema_is_refused, 1, setup, teardown},
		{broken_row_is_named, 1, setup, teardown},
		{hundred_processes_write_at_once, 1, setup, teardown},
		{lock_is_waited_for_until_the_deadline, 1, setup, teardown},
		{lock_that_ends_is_waited_for, 1, setup, teardown},
		{lock_on_a_new_file_is_waited_for, 1, setup, teardown},
		{full_disk_is_said_and_survived, COUNT(small_places), setup, small_disk_teardown},
		{read_only_store_is_said, 1, setup, teardown},
		{expired_documents_are_purged, 1, setup, teardown},
		{indexed_query_looks_at_its_page_only, 2 * COUNT(indexed), setup, teardown},
	};

	document_store_indexes_pretend();
	return suite_run("document store on sqlite", cases, COUNT(cases));
}
