/* Documents in one SQLite file, shared by any number of processes on one machine.
 *
 * WAL lets readers pass a writer; synchronous=FULL makes an answered commit outlive a power cut,
 * which NORMAL would not. The commits of a process stand in line, and one transaction carries out
 * all that have come by the time it begins: one flush to disk for many, each in its turn. Who finds
 * the file locked by another process tries the whole step again after a short, drawn wait until the
 * call's deadline: SQLite's own busy timeout waits ever longer and never again for some kinds of
 * lock, so of a hundred writers the unlucky ones would fail. */
#include "adapters/document_store_backend.h"
#include "adapters/turns.h"
#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "fn/retry.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define RETRY_AFTER_S 1

/* Entry n makes schema n + 1 of schema n. Rows are larger than what WITHOUT ROWID is good for. */
static const char *const migrations[] = {
	"CREATE TABLE documents ("
	"	collection TEXT NOT NULL,"
	"	id TEXT NOT NULL,"
	"	version INTEGER NOT NULL,"
	"	fields TEXT NOT NULL,"
	"	PRIMARY KEY (collection, id));"
	"PRAGMA user_version = 1",

	/* Videos at work, the one first that was left alone for longest. SQLite uses an index where
	 * its expressions are, to the letter, the query's. */
	"CREATE INDEX documents_by_status_and_touch ON documents ("
	"	collection,"
	"	json_extract(fields, '$.status'),"
	"	json_extract(fields, '$.touched_at_ms'),"
	"	id)"
	"	WHERE json_extract(fields, '$.touched_at_ms') IS NOT NULL;"
	"PRAGMA user_version = 2",

	/* What is listed, the newest first: of all, of a type, of an owner. Likes of a creation. */
	"CREATE INDEX documents_by_listing ON documents ("
	"	collection,"
	"	json_extract(fields, '$.listed'),"
	"	json_extract(fields, '$.created_at_ms'),"
	"	id)"
	"	WHERE json_extract(fields, '$.listed') IS NOT NULL;"
	"CREATE INDEX documents_by_type_and_listing ON documents ("
	"	collection,"
	"	json_extract(fields, '$.type'),"
	"	json_extract(fields, '$.listed'),"
	"	json_extract(fields, '$.created_at_ms'),"
	"	id)"
	"	WHERE json_extract(fields, '$.listed') IS NOT NULL;"
	"CREATE INDEX documents_by_owner_and_listing ON documents ("
	"	collection,"
	"	json_extract(fields, '$.owner_id'),"
	"	json_extract(fields, '$.listed'),"
	"	json_extract(fields, '$.created_at_ms'),"
	"	id)"
	"	WHERE json_extract(fields, '$.listed') IS NOT NULL;"
	"CREATE INDEX documents_by_creation ON documents ("
	"	collection,"
	"	json_extract(fields, '$.creation_id'),"
	"	id)"
	"	WHERE json_extract(fields, '$.creation_id') IS NOT NULL;"
	"PRAGMA user_version = 3",

	"ALTER TABLE documents ADD COLUMN expires_at_ms INTEGER;"
	"CREATE INDEX documents_by_expiry ON documents (expires_at_ms)"
	"	WHERE expires_at_ms IS NOT NULL;"
	"PRAGMA user_version = 4",
};

enum statement {
	BEGIN_READ,
	BEGIN,
	COMMIT,
	SAVE,
	UNDO,
	RELEASE,
	GET,
	CREATE,
	REPLACE,
	ADD,
	DELETE,
	PURGE,
	STATEMENT_COUNT,
};

/* ?1 collection, ?2 id, ?3 the version to be found, ?4 the time in microseconds, ?5 fields, ?6 when
 * the document expires or 0. A purge takes more than the commit that pays for it has added. */
static const char *const statements[STATEMENT_COUNT] = {
	[BEGIN_READ] = "BEGIN",
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[SAVE] = "SAVEPOINT one",
	[UNDO] = "ROLLBACK TO one",
	[RELEASE] = "RELEASE one",
	[GET] = "SELECT id, version, fields FROM documents WHERE collection = ?1 AND id = ?2",
	[CREATE] =
		"INSERT INTO documents (collection, id, version, fields, expires_at_ms) "
		"VALUES (?1, ?2, ?4, ?5, nullif(?6, 0)) ON CONFLICT DO NOTHING RETURNING version",
	[REPLACE] = "UPDATE documents SET version = max(?4, version + 1), fields = ?5, "
		    "expires_at_ms = nullif(?6, 0) "
		    "WHERE collection = ?1 AND id = ?2 AND ?3 IN (0, version) RETURNING version",
	[ADD] = "UPDATE documents SET version = max(?4, version + 1), fields = json_patch(fields, "
		"(SELECT json_group_object(key, value + "
		"coalesce(json_extract(fields, '$.' || key), 0)) FROM json_each(?5))) "
		"WHERE collection = ?1 AND id = ?2 AND ?3 IN (0, version) RETURNING version",
	[DELETE] = "DELETE FROM documents "
		   "WHERE collection = ?1 AND id = ?2 AND ?3 IN (0, version) RETURNING version",
	[PURGE] = "DELETE FROM documents WHERE rowid IN "
		  "(SELECT rowid FROM documents WHERE expires_at_ms <= ?1 LIMIT 4)",
};

/* One call at a time uses a connection; those not in use wait in the store's list. */
struct connection {
	struct connection *next;
	const char *path;
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
};

struct sqlite_store {
	struct document_store port;
	pthread_mutex_t lock; /* for idle */
	struct connection *idle;
	struct turns turns; /* of commits */
	char path[];
};

/* ---- Connections --------------------------------------------------------------------------- */

static bool
fail_locked(const char *path, struct fn_error *err)
{
	fn_fail(err, FN_BUSY, "store %s: locked by others", path);
	err->retry_after_s = RETRY_AFTER_S;
	return false;
}

/* Passes on what SQLite has just complained about. */
static bool
fail(const struct connection *conn, struct fn_error *err)
{
	int code = sqlite3_errcode(conn->db) & 0xff;
	int cause = code == SQLITE_IOERR || code == SQLITE_CANTOPEN ? sqlite3_system_errno(conn->db)
								    : 0;

	if (code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_PROTOCOL)
		return fail_locked(conn->path, err);
	return fn_fail(err, FN_UPSTREAM, "store %s: %s%s%s", conn->path, sqlite3_errmsg(conn->db),
		cause ? ": " : "", cause ? strerror(cause) : "");
}

static bool
execute(struct connection *conn, const char *sql, struct fn_error *err)
{
	return sqlite3_exec(conn->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(conn, err);
}

static void
connection_close(struct connection *conn)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(conn->statements[i]);
	sqlite3_close(conn->db);
	free(conn);
}

FN_DROP(drop_connection, struct connection *, connection_close)

static int
take_number(void *number, int columns, char **values, char **names)
{
	(void)columns, (void)names;
	*(size_t *)number = strtoul(values[0], NULL, 10);
	return 0;
}

static bool
read_schema(struct connection *conn, size_t *schema, struct fn_error *err)
{
	if (sqlite3_exec(conn->db, "PRAGMA user_version", take_number, schema, NULL) != SQLITE_OK)
		return fail(conn, err);
	if (*schema > COUNT(migrations))
		return fn_fail(err, FN_UPSTREAM,
			"store %s: has schema %zu, this program knows up to %zu", conn->path,
			*schema, COUNT(migrations));
	return true;
}

/* Read once more under the lock: of all that start together one migrates. */
static bool
migrate(struct connection *conn, struct fn_error *err)
{
	size_t schema;

	TRY(read_schema(conn, &schema, err));
	if (schema == COUNT(migrations))
		return true;
	TRY(execute(conn, "BEGIN IMMEDIATE", err));
	TRY(read_schema(conn, &schema, err));
	for (; schema < COUNT(migrations); schema++)
		TRY(execute(conn, migrations[schema], err));
	return execute(conn, "COMMIT", err);
}

static bool
connection_open(const char *path, struct connection **opened, struct fn_error *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			  SQLITE_OPEN_EXRESCODE;
	AUTO(drop_connection) struct connection *conn = calloc(1, sizeof(*conn));

	assert(conn);
	conn->path = path;
	if (sqlite3_open_v2(path, &conn->db, flags, NULL) != SQLITE_OK)
		return fail(conn, err);
	TRY(execute(conn, "PRAGMA synchronous = FULL", err));
	TRY(execute(conn, "PRAGMA journal_mode = WAL", err));
	TRY(migrate(conn, err));
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		if (sqlite3_prepare_v3(conn->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
			    &conn->statements[i], NULL) != SQLITE_OK)
			return fail(conn, err);
	}
	*opened = conn;
	conn = NULL;
	return true;
}

static bool
connection_take(struct sqlite_store *store, struct connection **conn, struct fn_error *err)
{
	pthread_mutex_lock(&store->lock);
	*conn = store->idle;
	if (*conn)
		store->idle = (*conn)->next;
	pthread_mutex_unlock(&store->lock);
	return *conn || connection_open(store->path, conn, err);
}

/* What a call left undone is rolled back. A connection that saw the store fail is not used again:
 * the file may have been replaced since. */
static void
connection_give(struct sqlite_store *store, struct connection *conn, bool failed)
{
	bool clean = sqlite3_get_autocommit(conn->db) ||
		     sqlite3_exec(conn->db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK;

	if (failed || !clean) {
		connection_close(conn);
		return;
	}
	pthread_mutex_lock(&store->lock);
	conn->next = store->idle;
	store->idle = conn;
	pthread_mutex_unlock(&store->lock);
}

/* ---- Requests ------------------------------------------------------------------------------ */

struct request {
	bool (*run)(struct connection *, const struct request *, struct fn_error *);
	struct fn_call *call;

	const struct document_name *names;  /* to get */
	const struct document_query *query; /* to query */
	const struct document_place *after;
	struct document *documents;
	size_t *found;
	size_t count; /* of names */

	struct turns *turns; /* to commit */
};

static bool
attempt(struct sqlite_store *store, const struct request *request, struct fn_error *err)
{
	struct connection *conn;

	TRY(connection_take(store, &conn, err));
	bool ok = request->run(conn, request, err);
	connection_give(store, conn, !ok && err->code == FN_UPSTREAM);
	return ok;
}

/* Once at least, even when the deadline has passed: the store is no network away. */
static bool
carry_out(struct sqlite_store *store, const struct request *request, struct fn_error *err)
{
	struct fn_retry retry = {.attempts = UINT_MAX, .first_ms = 1, .most_ms = 10};
	struct fn_error why;

	while (!attempt(store, request, &why)) {
		if (why.code != FN_BUSY || !fn_retry_wait(&retry, request->call, 0)) {
			*err = why;
			return false;
		}
	}
	return true;
}

static bool
run_simple(struct connection *conn, enum statement which, struct fn_error *err)
{
	bool ok = sqlite3_step(conn->statements[which]) == SQLITE_DONE || fail(conn, err);

	sqlite3_reset(conn->statements[which]);
	return ok;
}

static sqlite3_stmt *
statement_for(
	struct connection *conn, enum statement which, const char *collection, struct fn_bytes id)
{
	sqlite3_stmt *statement = conn->statements[which];

	sqlite3_bind_text(statement, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, id.at, (int)id.size, SQLITE_STATIC);
	return statement;
}

/* ---- Get ----------------------------------------------------------------------------------- */

static struct fn_bytes
column_text(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return (struct fn_bytes){text, (size_t)sqlite3_column_bytes(row, column)};
}

/* A row is id, version, fields. */
static bool
read_row(const struct connection *conn, sqlite3_stmt *row, struct fn_call *call,
	const char *collection, struct document *document, struct fn_error *err)
{
	struct fn_bytes id = column_text(row, 0), text = column_text(row, 2);
	json_t *fields = json_keep(call->arena, json_loadb(text.at, text.size, 0, NULL));

	if (!fields)
		return fn_fail(err, FN_UPSTREAM, "store %s: %s/%.*s is no JSON object", conn->path,
			collection, FN_ARG(id));
	*document = (struct document){
		.id = fn_bytes_copy(call->arena, id),
		.fields = fields,
		.version = sqlite3_column_int64(row, 1),
	};
	return true;
}

/* No row, no fields. */
static bool
get_row(struct connection *conn, struct fn_call *call, const struct document_name *name,
	struct document *document, struct fn_error *err)
{
	sqlite3_stmt *get = statement_for(conn, GET, name->collection, name->id);
	int step = sqlite3_step(get);
	bool ok = step == SQLITE_DONE;

	*document = (struct document){.id = name->id};
	if (step == SQLITE_ROW)
		ok = read_row(conn, get, call, name->collection, document, err);
	else if (!ok)
		fail(conn, err);
	sqlite3_reset(get);
	return ok;
}

static bool
run_get(struct connection *conn, const struct request *request, struct fn_error *err)
{
	const struct document_name *name = request->names;
	struct document document;

	TRY(get_row(conn, request->call, name, &document, err));
	if (!document.fields)
		return fn_fail(err, FN_NOT_FOUND, "%s/%.*s: there is no such document",
			name->collection, FN_ARG(name->id));
	*request->documents = document;
	return true;
}

static bool
run_get_many(struct connection *conn, const struct request *request, struct fn_error *err)
{
	TRY(run_simple(conn, BEGIN_READ, err));
	for (size_t i = 0; i < request->count; i++)
		TRY(get_row(conn, request->call, &request->names[i], &request->documents[i], err));
	return run_simple(conn, COMMIT, err);
}

static bool
sqlite_get(struct document_store *self, struct fn_call *call, const char *collection,
	struct fn_bytes id, struct document *document, struct fn_error *err)
{
	const struct request request = {
		.run = run_get,
		.call = call,
		.names = &(const struct document_name){collection, id},
		.documents = document,
	};

	return carry_out((struct sqlite_store *)self, &request, err);
}

static bool
sqlite_get_many(struct document_store *self, struct fn_call *call,
	const struct document_name *names, size_t count, struct document *documents,
	struct fn_error *err)
{
	const struct request request = {
		.run = run_get_many,
		.call = call,
		.names = names,
		.documents = documents,
		.count = count,
	};

	return carry_out((struct sqlite_store *)self, &request, err);
}

/* ---- Query --------------------------------------------------------------------------------- */

static const char *
field_of(struct fn_arena *arena, const char *name)
{
	return fn_textf(arena, "json_extract(fields, '$.%s')", name);
}

/* Its parameters are the collection, each filter's value, the place. */
static struct fn_bytes
query_text(const struct document_query *query, const struct document_place *after,
	struct fn_arena *arena)
{
	struct fn_builder sql = {.arena = arena};
	const char *order = query->order_by ? field_of(arena, query->order_by) : NULL;
	const char *direction = query->descending ? "DESC" : "ASC";
	const char *beyond = query->descending ? "<" : ">";

	fn_addf(&sql, "SELECT id, version, fields FROM documents WHERE collection = ?");
	for (size_t i = 0; i < query->filter_count; i++)
		fn_addf(&sql, " AND %s = ?", field_of(arena, query->filters[i].field));
	if (order)
		fn_addf(&sql, " AND %s IS NOT NULL", order);
	if (after && order) /* an index is entered by this, and not by the pair */
		fn_addf(&sql, " AND %s %s= ?", order, beyond);
	if (after && order && after->id.size > 0)
		fn_addf(&sql, " AND (%s, id) %s (?, ?)", order, beyond);
	else if (after && !order)
		fn_addf(&sql, " AND id %s ?", beyond);
	if (order)
		fn_addf(&sql, " ORDER BY %s %s, id %s", order, direction, direction);
	else
		fn_addf(&sql, " ORDER BY id %s", direction);
	fn_addf(&sql, " LIMIT %zu", query->limit);
	return fn_built(&sql);
}

static void
bind_text(sqlite3_stmt *statement, int n, struct fn_bytes text)
{
	sqlite3_bind_text(statement, n, text.at, (int)text.size, SQLITE_STATIC);
}

/* To SQLite true is 1, as json_extract has it. */
static void
bind_value(sqlite3_stmt *statement, int n, const json_t *value)
{
	if (json_is_string(value))
		bind_text(statement, n, json_text(value));
	else
		sqlite3_bind_int64(statement, n,
			json_is_integer(value) ? json_integer_value(value) : json_is_true(value));
}

static void
bind_query(sqlite3_stmt *statement, const struct document_query *query,
	const struct document_place *after)
{
	int n = 1;

	sqlite3_bind_text(statement, n++, query->collection, -1, SQLITE_STATIC);
	for (size_t i = 0; i < query->filter_count; i++)
		bind_value(statement, n++, query->filters[i].value);
	if (after && after->value)
		bind_value(statement, n++, after->value);
	if (after && after->value && after->id.size > 0)
		bind_value(statement, n++, after->value);
	if (after && after->id.size > 0)
		bind_text(statement, n, after->id);
}

FN_DROP(drop_statement, sqlite3_stmt *, sqlite3_finalize)

static bool
run_query(struct connection *conn, const struct request *request, struct fn_error *err)
{
	const struct document_query *query = request->query;
	struct fn_bytes sql = query_text(query, request->after, request->call->arena);
	AUTO(drop_statement) sqlite3_stmt *statement = NULL;
	size_t found = 0;
	int step;

	if (sqlite3_prepare_v2(conn->db, sql.at, (int)sql.size, &statement, NULL) != SQLITE_OK)
		return fail(conn, err);
	bind_query(statement, query, request->after);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW)
		TRY(read_row(conn, statement, request->call, query->collection,
			&request->documents[found++], err));
	if (step != SQLITE_DONE)
		return fail(conn, err);
	*request->found = found;
	return true;
}

static bool
sqlite_query(struct document_store *self, struct fn_call *call, const struct document_query *query,
	const struct document_place *after, struct document *documents,
	size_t *count, /* NOLINT: written through `request` */
	struct fn_error *err)
{
	const struct request request = {
		.run = run_query,
		.call = call,
		.query = query,
		.after = after,
		.documents = documents,
		.found = count,
	};

	return carry_out((struct sqlite_store *)self, &request, err);
}

/* ---- Commit -------------------------------------------------------------------------------- */

static const enum statement statement_of[] = {
	[DOCUMENT_CREATE] = CREATE,
	[DOCUMENT_REPLACE] = REPLACE,
	[DOCUMENT_ADD] = ADD,
	[DOCUMENT_DELETE] = DELETE,
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
write_row(struct connection *conn, struct document_write *write, struct fn_bytes text,
	struct fn_error *err)
{
	bool done = write->kind == DOCUMENT_DELETE && write->if_version == 0;
	sqlite3_stmt *statement =
		statement_for(conn, statement_of[write->kind], write->collection, write->id);
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
	bool ok = step == SQLITE_DONE || fail(conn, err);
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
purge(struct connection *conn, struct fn_error *err)
{
	sqlite3_bind_int64(conn->statements[PURGE], 1, fn_unix_ms());
	return run_simple(conn, PURGE, err);
}

static bool
write_rows(struct connection *conn, const struct commit *commit, struct fn_error *err)
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
run_one(struct connection *conn, struct commit *commit, struct fn_error *err)
{
	TRY(run_simple(conn, SAVE, err));
	commit->ok = write_rows(conn, commit, &commit->err);
	if (!commit->ok && commit->err.code == FN_UPSTREAM) {
		*err = commit->err;
		return false;
	}
	if (!commit->ok)
		TRY(run_simple(conn, UNDO, err));
	return run_simple(conn, RELEASE, err);
}

static bool
run_commits(struct connection *conn, const struct request *request, struct fn_error *err)
{
	TRY(run_simple(conn, BEGIN, err));
	struct turn *turn = turns_take(request->turns);
	for (; turn; turn = turns_next(request->turns, turn))
		TRY(run_one(conn, (struct commit *)turn, err));
	return run_simple(conn, COMMIT, err);
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
	const struct request request = {.run = run_commits, .call = call, .turns = &store->turns};
	struct fn_error why;

	if (!carry_out(store, &request, &why))
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

static bool
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
		return fail_locked(store->path, err);
	}
	if (!commit.ok)
		*err = commit.err;
	return commit.ok;
}

/* ---- Open and close ------------------------------------------------------------------------ */

/* Makes the folders that the path goes through. */
static bool
make_folders(char *path, struct fn_error *err)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int why = mkdir(path, 0777) == 0 ? 0 : errno;
		if (why != 0 && why != EEXIST)
			return fn_fail(err, FN_INVALID, "STORE_URL: cannot make the folder %s: %s",
				path, strerror(why));
		*slash = '/';
	}
	return true;
}

static void
sqlite_close(struct document_store *self)
{
	struct sqlite_store *store = (struct sqlite_store *)self;

	while (store->idle) {
		struct connection *conn = store->idle;

		store->idle = conn->next;
		connection_close(conn);
	}
	turns_destroy(&store->turns);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

FN_DROP(drop_store, struct document_store *, sqlite_close)

/* The file itself is opened by the first call, so that a process starts quickly. */
static bool
sqlite_open(struct document_store **opened, const struct document_store_config *config,
	struct google_credentials *credentials, struct fn_http_client *http, struct fn_error *err)
{
	const char *path = config->url + strlen(document_store_sqlite.scheme);
	size_t size = strlen(path) + 1;
	struct sqlite_store *store = calloc(1, sizeof(*store) + size);
	AUTO(drop_store) struct document_store *port = &store->port;

	(void)credentials, (void)http; /* the file is on this machine */
	assert(store);
	port->backend = &document_store_sqlite;
	pthread_mutex_init(&store->lock, NULL);
	turns_init(&store->turns);
	memcpy(store->path, path, size);
	if (path[0] == '\0' || path[0] == ':')
		return fn_fail(err, FN_INVALID, "STORE_URL: \"sqlite:%s\" names no file", path);
	TRY(make_folders(store->path, err));
	*opened = port;
	port = NULL;
	return true;
}

const struct document_store_backend document_store_sqlite = {
	.scheme = "sqlite:",
	.open = sqlite_open,
	.close = sqlite_close,
	.get = sqlite_get,
	.get_many = sqlite_get_many,
	.query = sqlite_query,
	.commit = sqlite_commit,
};
