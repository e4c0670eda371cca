#include "adapters/document_store_sqlite.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

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

static int
take_number(void *number, int columns, char **values, char **names)
{
	(void)columns, (void)names;
	*(size_t *)number = strtoul(values[0], NULL, 10);
	return 0;
}

static bool
read_schema(struct sqlite_connection *conn, size_t *schema, struct fn_error *err)
{
	if (sqlite3_exec(conn->db, "PRAGMA user_version", take_number, schema, NULL) != SQLITE_OK)
		return sqlite_fail(conn, err);
	if (*schema > COUNT(migrations))
		return fn_fail(err, FN_UPSTREAM,
			"store %s: has schema %zu, this program knows up to %zu", conn->path,
			*schema, COUNT(migrations));
	return true;
}

/* Read once more under the lock: of all that start together one migrates. */
bool
sqlite_migrate(struct sqlite_connection *conn, struct fn_error *err)
{
	size_t schema;

	TRY(read_schema(conn, &schema, err));
	if (schema == COUNT(migrations))
		return true;
	TRY(sqlite_execute(conn, "BEGIN IMMEDIATE", err));
	TRY(read_schema(conn, &schema, err));
	for (; schema < COUNT(migrations); schema++)
		TRY(sqlite_execute(conn, migrations[schema], err));
	return sqlite_execute(conn, "COMMIT", err);
}
