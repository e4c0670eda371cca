/* document_store_sqlite.h: what reading and writing the file share. Private to adapters. */
#ifndef DOCUMENT_STORE_SQLITE_H
#define DOCUMENT_STORE_SQLITE_H

#include "adapters/document_store_backend.h"
#include "adapters/turns.h"

#include <sqlite3.h>

/* ---- A connection ---------------------------------------------------------------------------- */

enum sqlite_statement {
	SQL_BEGIN_READ,
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_SAVE,
	SQL_UNDO,
	SQL_RELEASE,
	SQL_GET,
	SQL_CREATE,
	SQL_REPLACE,
	SQL_ADD,
	SQL_DELETE,
	SQL_PURGE,
	SQL_STATEMENTS,
};

/* One call at a time uses it. */
struct sqlite_connection {
	struct sqlite_connection *next; /* of those not in use */
	const char *path;
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_STATEMENTS];
};

FN_MUST bool sqlite_connection_open(
	const char *path, struct sqlite_connection **, struct fn_error *);
void sqlite_connection_close(struct sqlite_connection *);

/* Brings the file to the newest schema. FN_UPSTREAM: it has one that is newer than this program. */
FN_MUST bool sqlite_migrate(struct sqlite_connection *, struct fn_error *);

/* Always false: passes on what SQLite has just complained about. FN_BUSY: others hold a lock. */
bool sqlite_fail(const struct sqlite_connection *, struct fn_error *);
bool sqlite_fail_locked(const char *path, struct fn_error *);

FN_MUST bool sqlite_execute(struct sqlite_connection *, const char *sql, struct fn_error *);

/* A statement without parameters and rows. */
FN_MUST bool sqlite_run(struct sqlite_connection *, enum sqlite_statement, struct fn_error *);

/* With its first two parameters bound; to be reset after use. */
sqlite3_stmt *sqlite_statement_for(struct sqlite_connection *, enum sqlite_statement,
	const char *collection, struct fn_bytes id);

/* ---- The store ------------------------------------------------------------------------------- */

struct sqlite_store {
	struct document_store port;
	pthread_mutex_t lock; /* for idle */
	struct sqlite_connection *idle;
	struct turns turns; /* of commits */
	char path[];
};

/* What is done on a connection, as a whole and again while others hold a lock. */
typedef bool sqlite_step(struct sqlite_connection *, void *with, struct fn_error *);

FN_MUST bool sqlite_carry_out(
	struct sqlite_store *, struct fn_call *, sqlite_step *step, void *with, struct fn_error *);

bool sqlite_get(struct document_store *, struct fn_call *, const char *collection,
	struct fn_bytes id, struct document *, struct fn_error *);
bool sqlite_get_many(struct document_store *, struct fn_call *, const struct document_name *,
	size_t count, struct document *, struct fn_error *);
bool sqlite_query(struct document_store *, struct fn_call *, const struct document_query *,
	const struct document_place *, struct document *, size_t *count, struct fn_error *);
bool sqlite_commit(struct document_store *, struct fn_call *, struct document_write *, size_t count,
	struct fn_error *);

#endif
