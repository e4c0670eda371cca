/* What only an embedded store has to see to itself: its file, what expires, its indexes. */
#include "adapters/document_store_indexes.h"
#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "tests/support/disk.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
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

/* ---- Files ----------------------------------------------------------------------------------- */

/* The folders of the path are made; the file itself comes with the first use. */
START_TEST(folders_are_made)
{
	disk_place(disk.folder, "a/b/c/phoenix.db");
	document_store_close(disk.store);
	disk_open();
	ck_assert_int_ne(access(disk.path, F_OK), 0);
	ck_assert(disk_create("d", 1));
	ck_assert_int_eq(access(disk.path, F_OK), 0);
}
END_TEST

/* A folder that cannot be made stops the program at start, and says which. */
START_TEST(folder_in_the_way_is_named)
{
	struct document_store *other = NULL;

	ck_assert(disk_create("d", 1));
	disk_place(disk.folder, "phoenix.db/below-a-file/phoenix.db");
	disk_fails(document_store_open(&other, &disk.config, NULL, NULL, &disk.err), FN_INVALID,
		"below-a-file");
	ck_assert_ptr_null(other);
}
END_TEST

/* A commit is answered after the disk has it: its log was synced in between. */
START_TEST(commit_outlives_a_power_cut)
{
	ck_assert(disk_create("first", 0));
	for (int n = 1; n <= 10; n++) {
		int before = syncs;

		ck_assert(disk_write(DOCUMENT_REPLACE, "first", n, 0));
		ck_assert_int_gt(syncs, before);
	}
}
END_TEST

static void
overwrite(long offset, size_t size)
{
	FILE *file = fopen(disk.path, "r+");

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

	ck_assert(disk_create("d", 1));
	document_store_close(disk.store); /* the last to close moves the log into the file */
	overwrite(damages[_i].offset, damages[_i].size);
	disk_open();
	ck_assert_int_eq(disk_number("d"), -1);
	disk_fails(false, FN_UPSTREAM, damages[_i].sentence);
	disk_fails(disk_create("e", 1), FN_UPSTREAM, disk.path);
}
END_TEST

static void
run_sql(const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(disk.path, &db), SQLITE_OK);
	ck_assert_msg(
		sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* A file that a newer program has migrated is left alone. */
START_TEST(newer_schema_is_refused)
{
	run_sql("PRAGMA user_version = 1000");
	disk_fails(disk_create("d", 1), FN_UPSTREAM, "schema 1000");
}
END_TEST

/* A row that is no JSON is said to be so, with its name. */
START_TEST(broken_row_is_named)
{
	ck_assert(disk_create("d", 1));
	run_sql("DROP INDEX documents_by_status_and_touch;" /* they would not take such a row */
		"DROP INDEX documents_by_listing;"
		"DROP INDEX documents_by_type_and_listing;"
		"DROP INDEX documents_by_owner_and_listing;"
		"DROP INDEX documents_by_creation;"
		"UPDATE documents SET fields = '{\"n\":'");
	ck_assert_int_eq(disk_number("d"), -1);
	disk_fails(false, FN_UPSTREAM, "things/d");
}
END_TEST

/* ---- Expiry ---------------------------------------------------------------------------------- */

static void
create_expiring(const char *id, int64_t expires_at_ms)
{
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = "things",
		.id = fn_bytes(id),
		.fields = json_keep(disk.call.arena, json_object()),
		.expires_at_ms = expires_at_ms,
	};

	ck_assert_msg(document_store_commit(disk.store, &disk.call, &write, 1, &disk.err), "%s",
		disk.err.message);
}

static int
count_rows(void)
{
	sqlite3_stmt *count;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(disk.path, &db), SQLITE_OK);
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
	ck_assert(disk_create("ever", 1));
	for (int i = 0; i < 20; i++)
		create_expiring(fn_textf(disk.call.arena, "short%d", i), now_ms + 1000);
	ck_assert_int_eq(count_rows(), 21);

	fn_clock_pretend(now_ms + 1000);
	for (int i = 0; i < 5; i++)
		create_expiring(fn_textf(disk.call.arena, "long%d", i), now_ms + 5000);
	ck_assert_int_eq(count_rows(), 6);
	ck_assert_int_eq(disk_number("ever"), 1);
	fn_clock_pretend(0);
}
END_TEST

/* ---- Indexes --------------------------------------------------------------------------------- */

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
	run_sql(fn_textf(disk.call.arena,
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
			document_store_query(disk.store, &disk.call, &query, &page, &disk.err),
			"%s", disk.err.message);
		query.page_token = page.next;
	}
	query.limit = 3;
	steps = 0;
	ck_assert_msg(document_store_query(disk.store, &disk.call, &query, &page, &disk.err), "%s",
		disk.err.message);
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

		fits[i] = fn_textf(disk.call.arena, "'%s', 'this'", field);
		differs[i] = fn_textf(disk.call.arena, "'%s', 'that'", field);
		if (c->fields[i])
			query.filters[query.filter_count++] = (struct document_filter){
				field, json_keep(disk.call.arena, json_string("this"))};
	}
	sqlite3_auto_extension((void (*)(void))watch_steps);
	ck_assert(disk_create("d", 1));
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
		{.test = folders_are_made},
		{.test = folder_in_the_way_is_named},
		{.test = commit_outlives_a_power_cut},
		{.test = damage_is_said, .rows = 2},
		{.test = newer_schema_is_refused},
		{.test = broken_row_is_named},
		{.test = expired_documents_are_purged},
		{.test = indexed_query_looks_at_its_page_only, .rows = 2 * COUNT(indexed)},
	};

	document_store_indexes_pretend();
	return suite_run_with(
		"document store on sqlite", cases, COUNT(cases), disk_begin, disk_end);
}
