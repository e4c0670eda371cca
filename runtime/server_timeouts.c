#include "server_parts.h"

#define HANG_UP_MS 1000    /* so long who has hung up keeps his place in the line */
#define GREETING_MS 50     /* while stopping: how long a new connection may still speak up... */
#define LAST_BYTES_MS 1000 /* ...and how long a request that has begun may stay incomplete */

static const char too_slow[] = "This took too long and was given up. Please try again.";

const struct server_timeouts server_timeouts = {
	.head_ms = 60000,
	.body_ms = 30000,
	.write_ms = 60000,
	.idle_ms = 650000, /* longer than the platform's own 620 s, so that it closes first */
	.linger_ms = 2000,
	.drain_ms = 8000, /* of the platform's 10 s */
};

static bool
is_idle(const struct connection *connection)
{
	return connection->phase == CONNECTION_READING && !connection->reading_body &&
	       connection->unread.size == 0;
}

/* How long this connection may stay as it is. */
static int64_t
patience_ms(const struct server *server, const struct connection *connection)
{
	const struct server_timeouts *timeouts = &server->options->timeouts;
	bool draining = atomic_load(&server->draining);
	int64_t reading_ms = connection->reading_body ? timeouts->body_ms : timeouts->head_ms;

	if (is_idle(connection))
		return !draining ? timeouts->idle_ms : connection->greeted ? 0 : GREETING_MS;
	switch (connection->phase) {
	case CONNECTION_READING:
		return draining && reading_ms > LAST_BYTES_MS ? LAST_BYTES_MS : reading_ms;
	case CONNECTION_WRITING:
		return timeouts->write_ms;
	default:
		return timeouts->linger_ms;
	}
}

static bool
is_overdue(const struct server *server, const struct connection *connection, int64_t now_ms)
{
	return !atomic_load(&connection->holding) &&
	       now_ms - connection->since_ms >= patience_ms(server, connection);
}

/* Who hangs up and is not served soon has not just said that this was all that he sends. */
static void
sweep_call(struct server *server, struct connection *connection, int64_t now_ms)
{
	int64_t begun_ms = connection->deadline_ms - server->options->request_timeout_ms;

	if (now_ms >= connection->deadline_ms)
		connection_expire(connection, 504, too_slow);
	else if (atomic_load(&connection->hung_up) && now_ms - begun_ms >= HANG_UP_MS &&
		 pool_take(server->pool, connection))
		server_refuse_waiting(server, connection);
}

static void
sweep_connection(struct server *server, struct connection *connection, int64_t now_ms)
{
	if (atomic_load(&connection->holding)) {
		sweep_call(server, connection, now_ms);
		return;
	}
	/* in a process that was frozen much is overdue, and has its next bytes here already */
	if (!is_overdue(server, connection, now_ms) || !server_go_on(server, connection) ||
		!is_overdue(server, connection, now_ms))
		return;
	if (connection->phase == CONNECTION_WRITING)
		connection_forget(connection);
	if (is_idle(connection) || connection->phase != CONNECTION_READING) {
		server_drop_connection(server, connection);
		return;
	}
	connection_refuse(connection, 408, "The request took too long to arrive.", 0);
	server_go_on(server, connection);
}

void
server_sweep(struct server *server, int64_t now_ms)
{
	struct fn_exchange *waiting;
	struct connection *next;

	while ((waiting =
			pool_take_stale(server->pool, (now_ms - server->options->wait_ms) * 1000)))
		server_refuse_waiting(server, waiting->connection);
	for (struct connection *at = server->connections; at; at = next) {
		next = at->next;
		sweep_connection(server, at, now_ms);
	}
	server_set_accepting(server, server->connection_count < server->connections_most);
	server->swept_ms = now_ms;
}
