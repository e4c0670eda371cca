/* Documents in one SQLite file, shared by any number of processes on one machine.
 *
 * WAL lets readers pass a writer; synchronous=FULL makes an answered commit outlive a power cut,
 * which NORMAL would not. The commits of a process stand in line, and one transaction carries out
 * all that have come by the time it begins: one flush to disk for many, each in its turn. Who finds
 * the file locked by another process tries the whole step again after a short, drawn wait until the
 * call's deadline: SQLite's own busy timeout waits ever longer and never again for some kinds of
 * lock, so of a hundred writers the unlucky ones would fail. */
#include "adapters/document_store_sqlite.h"
#include "fn/retry.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Connections ----------------------------------------------------------------------------- */

static bool
connection_take(struct sqlite_store *store, struct sqlite_connection **conn, struct fn_error *err)
{
	pthread_mutex_lock(&store->lock);
	*conn = store->idle;
	if (*conn)
		store->idle = (*conn)->next;
	pthread_mutex_unlock(&store->lock);
	return *conn || sqlite_connection_open(store->path, conn, err);
}

/* What a call left undone is rolled back. A connection that saw the store fail is not used again:
 * the file may have been replaced since. */
static void
connection_give(struct sqlite_store *store, struct sqlite_connection *conn, bool failed)
{
	bool clean = sqlite3_get_autocommit(conn->db) ||
		     sqlite3_exec(conn->db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK;

	if (failed || !clean) {
		sqlite_connection_close(conn);
		return;
	}
	pthread_mutex_lock(&store->lock);
	conn->next = store->idle;
	store->idle = conn;
	pthread_mutex_unlock(&store->lock);
}

static bool
attempt(struct sqlite_store *store, sqlite_step *step, void *with, struct fn_error *err)
{
	struct sqlite_connection *conn;

	TRY(connection_take(store, &conn, err));
	bool ok = step(conn, with, err);
	connection_give(store, conn, !ok && err->code == FN_UPSTREAM);
	return ok;
}

/* Once at least, even when the deadline has passed: the store is no network away. */
bool
sqlite_carry_out(struct sqlite_store *store, struct fn_call *call, sqlite_step *step, void *with,
	struct fn_error *err)
{
	struct fn_retry retry = {.attempts = UINT_MAX, .first_ms = 1, .most_ms = 10};
	struct fn_error why;

	while (!attempt(store, step, with, &why)) {
		if (why.code != FN_BUSY || !fn_retry_wait(&retry, call, 0)) {
			*err = why;
			return false;
		}
	}
	return true;
}

/* ---- Open and close -------------------------------------------------------------------------- */

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
		struct sqlite_connection *conn = store->idle;

		store->idle = conn->next;
		sqlite_connection_close(conn);
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
