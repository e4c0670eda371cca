#include "adapters/document_store_sqlite.h"
#include "fn/clock.h"

#include <stdlib.h>
#include <time.h>

static const enum sqlite_statement statement_of[] = {
	[DOCUMENT_CREATE] = SQL_CREATE,
	[DOCUMENT_REPLACE] = SQL_REPLACE,
	[DOCUMENT_ADD] = SQL_ADD,
	[DOCUMENT_DELETE] = SQL_DELETE,
};

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Each statement returns the one row that it touched, or none. */
static bool
write_row(struct sqlite_connection *conn, struct document_write *write, struct fn_bytes text,
	struct fn_error *err)
{
	bool done = write->kind == DOCUMENT_DELETE && write->if_version == 0;
	sqlite3_stmt *statement =
		sqlite_statement_for(conn, statement_of[write->kind], write->collection, write->id);
	int step;

	sqlite3_bind_int64(statement, 3, write->if_version);
	if (write->kind != DOCUMENT_DELETE) {
		sqlite3_bind_int64(statement, 4, now_us());
		sqlite3_bind_text(statement, 5, text.at, (int)text.size, SQLITE_STATIC);
	}
	if (write->kind == DOCUMENT_CREATE || write->kind == DOCUMENT_REPLACE)
		sqlite3_bind_int64(statement, 6, write->expires_at_ms);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		write->version = sqlite3_column_int64(statement, 0);
		done = true;
	}
	bool ok = step == SQLITE_DONE || sqlite_fail(conn, err);
	sqlite3_reset(statement);
	return ok && (done || document_write_refused(write, err));
}

struct commit {
	struct turn turn;
	struct document_write *writes;
	struct fn_bytes *texts; /* each write's fields as JSON */
	size_t count;
	bool ok;
	struct fn_error err;
};

static bool
purge(struct sqlite_connection *conn, struct fn_error *err)
{
	sqlite3_bind_int64(conn->statements[SQL_PURGE], 1, fn_unix_ms());
	return sqlite_run(conn, SQL_PURGE, err);
}

static bool
write_rows(struct sqlite_connection *conn, const struct commit *commit, struct fn_error *err)
{
	for (size_t i = 0; i < commit->count; i++) {
		TRY(write_row(conn, &commit->writes[i], commit->texts[i], err));
		if (commit->writes[i].expires_at_ms != 0)
			TRY(purge(conn, err));
	}
	return true;
}

/* A precondition that fails concerns this one only, a store that does all of them. */
static bool
run_one(struct sqlite_connection *conn, struct commit *commit, struct fn_error *err)
{
	TRY(sqlite_run(conn, SQL_SAVE, err));
	commit->ok = write_rows(conn, commit, &commit->err);
	if (!commit->ok && commit->err.code == FN_UPSTREAM) {
		*err = commit->err;
		return false;
	}
	if (!commit->ok)
		TRY(sqlite_run(conn, SQL_UNDO, err));
	return sqlite_run(conn, SQL_RELEASE, err);
}

static bool
run_all(struct sqlite_connection *conn, void *with, struct fn_error *err)
{
	struct turns *turns = with;

	TRY(sqlite_run(conn, SQL_BEGIN, err));
	struct turn *turn = turns_take(turns);
	for (; turn; turn = turns_next(turns, turn))
		TRY(run_one(conn, (struct commit *)turn, err));
	return sqlite_run(conn, SQL_COMMIT, err);
}

/* What keeps all of them from it is what each of them fails with. */
static void
fail_all(struct turns *turns, struct turn *first, const struct fn_error *why)
{
	for (struct turn *turn = first; turn; turn = turns_next(turns, turn)) {
		struct commit *commit = (struct commit *)turn;

		commit->ok = false;
		commit->err = *why;
	}
}

/* For all that stand in line. */
static void
lead(struct sqlite_store *store, struct fn_call *call, struct commit *own)
{
	struct fn_error why;

	if (!sqlite_carry_out(store, call, run_all, &store->turns, &why))
		fail_all(&store->turns, &own->turn, &why);
	turns_end(&store->turns);
}

static bool
write_text(const struct document_write *write, struct fn_call *call, struct fn_bytes *text,
	struct fn_error *err)
{
	char *json = json_dumps(write->fields, JSON_COMPACT);

	if (!json)
		return fn_fail(err, FN_INTERNAL, "%s/%.*s: its fields are no JSON object",
			write->collection, FN_ARG(write->id));
	fn_arena_defer(call->arena, free, json);
	*text = fn_bytes(json);
	return true;
}

bool
sqlite_commit(struct document_store *self, struct fn_call *call, struct document_write *writes,
	size_t count, struct fn_error *err)
{
	struct sqlite_store *store = (struct sqlite_store *)self;
	struct commit commit = {
		.writes = writes,
		.texts = fn_arena_zero(call->arena, count * sizeof(*commit.texts)),
		.count = count,
	};

	for (size_t i = 0; i < count; i++) {
		if (writes[i].kind != DOCUMENT_DELETE)
			TRY(write_text(&writes[i], call, &commit.texts[i], err));
	}
	switch (turns_wait(&store->turns, &commit.turn, call)) {
	case TURN_FIRST:
		lead(store, call, &commit);
		break;
	case TURN_OVER:
		break;
	case TURN_LATE:
		return sqlite_fail_locked(store->path, err);
	}
	if (!commit.ok)
		*err = commit.err;
	return commit.ok;
}
