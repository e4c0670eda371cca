#include "adapters/document_store_sqlite.h"
#include "adapters/wire/json.h"

/* ---- Get ------------------------------------------------------------------------------------- */

static struct fn_bytes
column_text(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return (struct fn_bytes){text, (size_t)sqlite3_column_bytes(row, column)};
}

/* A row is id, version, fields. */
static bool
read_row(const struct sqlite_connection *conn, sqlite3_stmt *row, struct fn_call *call,
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
get_row(struct sqlite_connection *conn, struct fn_call *call, const struct document_name *name,
	struct document *document, struct fn_error *err)
{
	sqlite3_stmt *get = sqlite_statement_for(conn, SQL_GET, name->collection, name->id);
	int step = sqlite3_step(get);
	bool ok = step == SQLITE_DONE;

	*document = (struct document){.id = name->id};
	if (step == SQLITE_ROW)
		ok = read_row(conn, get, call, name->collection, document, err);
	else if (!ok)
		sqlite_fail(conn, err);
	sqlite3_reset(get);
	return ok;
}

struct get {
	struct fn_call *call;
	const struct document_name *names;
	size_t count;
	struct document *documents;
};

static bool
get_one(struct sqlite_connection *conn, void *with, struct fn_error *err)
{
	const struct get *get = with;
	struct document document;

	TRY(get_row(conn, get->call, get->names, &document, err));
	if (!document.fields)
		return fn_fail(err, FN_NOT_FOUND, "%s/%.*s: there is no such document",
			get->names->collection, FN_ARG(get->names->id));
	*get->documents = document;
	return true;
}

bool
sqlite_get(struct document_store *self, struct fn_call *call, const char *collection,
	struct fn_bytes id, struct document *document, struct fn_error *err)
{
	const struct document_name name = {collection, id};
	struct get get = {call, &name, 1, document};

	return sqlite_carry_out((struct sqlite_store *)self, call, get_one, &get, err);
}

static bool
get_all(struct sqlite_connection *conn, void *with, struct fn_error *err)
{
	const struct get *get = with;

	TRY(sqlite_run(conn, SQL_BEGIN_READ, err));
	for (size_t i = 0; i < get->count; i++)
		TRY(get_row(conn, get->call, &get->names[i], &get->documents[i], err));
	return sqlite_run(conn, SQL_COMMIT, err);
}

bool
sqlite_get_many(struct document_store *self, struct fn_call *call,
	const struct document_name *names, size_t count, struct document *documents,
	struct fn_error *err)
{
	struct get get = {call, names, count, documents};

	return sqlite_carry_out((struct sqlite_store *)self, call, get_all, &get, err);
}

/* ---- Query ----------------------------------------------------------------------------------- */

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

struct query {
	struct fn_call *call;
	const struct document_query *asked;
	const struct document_place *after;
	struct document *documents;
	size_t count;
};

static bool
find(struct sqlite_connection *conn, void *with, struct fn_error *err)
{
	struct query *query = with;
	const struct document_query *asked = query->asked;
	struct fn_bytes sql = query_text(asked, query->after, query->call->arena);
	AUTO(drop_statement) sqlite3_stmt *statement = NULL;
	int step;

	if (sqlite3_prepare_v2(conn->db, sql.at, (int)sql.size, &statement, NULL) != SQLITE_OK)
		return sqlite_fail(conn, err);
	bind_query(statement, asked, query->after);
	query->count = 0;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW)
		TRY(read_row(conn, statement, query->call, asked->collection,
			&query->documents[query->count++], err));
	return step == SQLITE_DONE || sqlite_fail(conn, err);
}

bool
sqlite_query(struct document_store *self, struct fn_call *call, const struct document_query *asked,
	const struct document_place *after, struct document *documents, size_t *count,
	struct fn_error *err)
{
	struct query query = {call, asked, after, documents, 0};

	TRY(sqlite_carry_out((struct sqlite_store *)self, call, find, &query, err));
	*count = query.count;
	return true;
}
