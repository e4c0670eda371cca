#include "adapters/document_store_sqlite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_AFTER_S 1

/* ?1 collection, ?2 id, ?3 the version to be found, ?4 the time in microseconds, ?5 fields, ?6 when
 * the document expires or 0. A purge takes more than the commit that pays for it has added. */
static const char *const statements[SQL_STATEMENTS] = {
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_SAVE] = "SAVEPOINT one",
	[SQL_UNDO] = "ROLLBACK TO one",
	[SQL_RELEASE] = "RELEASE one",
	[SQL_GET] = "SELECT id, version, fields FROM documents WHERE collection = ?1 AND id = ?2",
	[SQL_CREATE] =
		"INSERT INTO documents (collection, id, version, fields, expires_at_ms) "
		"VALUES (?1, ?2, ?4, ?5, nullif(?6, 0)) ON CONFLICT DO NOTHING RETURNING version",
	[SQL_REPLACE] =
		"UPDATE documents SET version = max(?4, version + 1), fields = ?5, "
		"expires_at_ms = nullif(?6, 0) "
		"WHERE collection = ?1 AND id = ?2 AND ?3 IN (0, version) RETURNING version",
	[SQL_ADD] =
		"UPDATE documents SET version = max(?4, version + 1), fields = json_patch(fields, "
		"(SELECT json_group_object(key, value + "
		"coalesce(json_extract(fields, '$.' || key), 0)) FROM json_each(?5))) "
		"WHERE collection = ?1 AND id = ?2 AND ?3 IN (0, version) RETURNING version",
	[SQL_DELETE] = "DELETE FROM documents "
		       "WHERE collection = ?1 AND id = ?2 AND ?3 IN (0, version) RETURNING version",
	[SQL_PURGE] = "DELETE FROM documents WHERE rowid IN "
		      "(SELECT rowid FROM documents WHERE expires_at_ms <= ?1 LIMIT 4)",
};

/* ---- Failures -------------------------------------------------------------------------------- */

bool
sqlite_fail_locked(const char *path, struct fn_error *err)
{
	fn_fail(err, FN_BUSY, "store %s: locked by others", path);
	err->retry_after_s = RETRY_AFTER_S;
	return false;
}

bool
sqlite_fail(const struct sqlite_connection *conn, struct fn_error *err)
{
	int code = sqlite3_errcode(conn->db) & 0xff;
	int cause = code == SQLITE_IOERR || code == SQLITE_CANTOPEN ? sqlite3_system_errno(conn->db)
								    : 0;

	if (code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_PROTOCOL)
		return sqlite_fail_locked(conn->path, err);
	return fn_fail(err, FN_UPSTREAM, "store %s: %s%s%s", conn->path, sqlite3_errmsg(conn->db),
		cause ? ": " : "", cause ? strerror(cause) : "");
}

bool
sqlite_execute(struct sqlite_connection *conn, const char *sql, struct fn_error *err)
{
	return sqlite3_exec(conn->db, sql, NULL, NULL, NULL) == SQLITE_OK || sqlite_fail(conn, err);
}

/* ---- Open and close -------------------------------------------------------------------------- */

void
sqlite_connection_close(struct sqlite_connection *conn)
{
	for (size_t i = 0; i < SQL_STATEMENTS; i++)
		sqlite3_finalize(conn->statements[i]);
	sqlite3_close(conn->db);
	free(conn);
}

FN_DROP(drop_connection, struct sqlite_connection *, sqlite_connection_close)

bool
sqlite_connection_open(const char *path, struct sqlite_connection **opened, struct fn_error *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			  SQLITE_OPEN_EXRESCODE;
	AUTO(drop_connection) struct sqlite_connection *conn = calloc(1, sizeof(*conn));

	assert(conn);
	conn->path = path;
	if (sqlite3_open_v2(path, &conn->db, flags, NULL) != SQLITE_OK)
		return sqlite_fail(conn, err);
	TRY(sqlite_execute(conn, "PRAGMA synchronous = FULL", err));
	TRY(sqlite_execute(conn, "PRAGMA journal_mode = WAL", err));
	TRY(sqlite_migrate(conn, err));
	for (size_t i = 0; i < SQL_STATEMENTS; i++) {
		if (sqlite3_prepare_v3(conn->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
			    &conn->statements[i], NULL) != SQLITE_OK)
			return sqlite_fail(conn, err);
	}
	*opened = conn;
	conn = NULL;
	return true;
}

/* ---- Statements ------------------------------------------------------------------------------ */

bool
sqlite_run(struct sqlite_connection *conn, enum sqlite_statement which, struct fn_error *err)
{
	bool ok = sqlite3_step(conn->statements[which]) == SQLITE_DONE || sqlite_fail(conn, err);

	sqlite3_reset(conn->statements[which]);
	return ok;
}

sqlite3_stmt *
sqlite_statement_for(struct sqlite_connection *conn, enum sqlite_statement which,
	const char *collection, struct fn_bytes id)
{
	sqlite3_stmt *statement = conn->statements[which];

	sqlite3_bind_text(statement, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, id.at, (int)id.size, SQLITE_STATIC);
	return statement;
}
