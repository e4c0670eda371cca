#include "server_parts.h"

#include "stream_end.h"
#include "trace.h"

#include <unistd.h>

#define STEPS_MOST 32 /* of one connection, before it is the others' turn */

static const char busy[] = "Too busy right now. Please try again in a moment.";

/* ---- Answers without a call ------------------------------------------------------------ */

/* Browsers ask for their icon on their own; a function does not want to hear of it. */
static bool
is_ignored(const struct server *server, struct fn_bytes path)
{
	struct fn_bytes rest = fn_bytes(server->options->ignored_routes);

	while (rest.size > 0) {
		if (fn_bytes_equal(fn_bytes_cut(&rest, '|'), path))
			return true;
	}
	return false;
}

/* 0 where the function is to be called. A probe is answered while every handler is busy: one that
 * fails gets the process killed. */
static int
status_without_a_call(const struct server *server, const struct fn_call *call)
{
	struct fn_bytes probe_path = fn_bytes(server->options->probe_path);

	if (probe_path.size > 0 && fn_bytes_equal(call->path, probe_path))
		return atomic_load(&server->draining) ? 503 : 200;
	return is_ignored(server, call->path) ? 404 : 0;
}

/* The loop answers it: the page is wanted most when no handler is free. */
static void
answer_admin(struct server *server, struct connection *connection)
{
	struct fn_call *call = &connection->exchange->call;
	struct metrics_now now = {.connections = server->connection_count};

	if (fn_bytes_is(call->path, "/metrics")) {
		pool_count(server->pool, &now.waiting, &now.in_flight);
		call->answer.status = 200;
		call->answer.headers[call->answer.header_count++] = (struct fn_header){
			FN_BYTES("Content-Type"), FN_BYTES("text/plain; version=0.0.4")};
		call->answer.body = metrics_page(&server->metrics, &now, call->arena);
	} else {
		call->answer.status = 404;
	}
	connection_answer(connection);
}

static void
refuse_busy(struct server *server, struct connection *connection)
{
	atomic_fetch_add(&server->metrics.refused, 1);
	connection_refuse(connection, 503, busy, 1);
}

/* ---- From a request to a call ---------------------------------------------------------- */

/* Counts an answer that is written. */
static void
finish(struct server *server, struct connection *connection)
{
	const struct fn_exchange *exchange = connection->exchange;

	if (!connection->is_admin)
		metrics_count(&server->metrics, exchange->call.answer.status, exchange->whole_us);
	connection_next(connection);
}

/* False where the request has its answer without a call. */
static bool
begin_call(struct server *server, struct connection *connection)
{
	struct fn_exchange *exchange = connection->exchange;
	struct fn_call *call = &exchange->call;

	if (connection->is_admin) {
		answer_admin(server, connection);
		return false;
	}
	call->answer.status = status_without_a_call(server, call);
	if (call->answer.status != 0) {
		connection_answer(connection);
		return false;
	}
	exchange->whole_us = metrics_clock_us();
	call->deadline_ms = exchange->whole_us / 1000 + server->options->request_timeout_ms;
	connection_lend(connection, call->deadline_ms);
	return true;
}

enum progress {
	WAITING, /* for the socket, or until it is its turn again */
	CALLING, /* its handler is to be called */
	ENDED,
};

/* As far as it goes without waiting. */
static enum progress
proceed(struct server *server, struct connection *connection)
{
	enum connection_result result = CONNECTION_CLOSED;

	for (int steps = 0; steps < STEPS_MOST; steps++) {
		switch (connection->phase) {
		case CONNECTION_READING:
			result = connection_read(
				connection, server->scratch, server->options->body_limit);
			if (result == CONNECTION_REQUEST && begin_call(server, connection))
				return CALLING;
			break;
		case CONNECTION_WRITING:
			result = connection_write(connection);
			if (result == CONNECTION_DONE)
				finish(server, connection);
			break;
		case CONNECTION_LINGERING:
			result = connection_linger(connection, server->scratch);
			break;
		case CONNECTION_OVER:
			result = CONNECTION_CLOSED;
			break;
		}
		if (result == CONNECTION_BLOCKED)
			return WAITING;
		if (result == CONNECTION_CLOSED) {
			server_drop_connection(server, connection);
			return ENDED;
		}
	}
	server_postpone(server, connection);
	return WAITING;
}

/* Puts the call in the line; false where that is full, and the refusal is to be written. */
static bool
line_up(struct server *server, struct connection *connection)
{
	if (pool_add(server->pool, connection->exchange))
		return true;
	connection_take_back(connection);
	refuse_busy(server, connection);
	return false;
}

bool
server_go_on(struct server *server, struct connection *connection)
{
	enum progress progress;

	do
		progress = proceed(server, connection);
	while (progress == CALLING && !line_up(server, connection));
	return progress != ENDED;
}

/* ---- On a handler's thread ------------------------------------------------------------- */

static void
give_back(struct server *server, struct connection *connection)
{
	struct connection *top = atomic_load(&server->returned);
	uint64_t one = 1;

	do
		connection->next_returned = top;
	while (!atomic_compare_exchange_weak(&server->returned, &top, connection));
	if (!top)
		(void)!write(server->wake, &one, sizeof(one));
}

/* Writes the answer; what the socket does not take at once is left to the loop. */
static void
answer(struct server *server, struct connection *connection)
{
	if (connection->exchange->streaming) {
		if (stream_end(connection->exchange))
			finish(server, connection);
		else
			connection->phase = CONNECTION_OVER;
		return;
	}
	if (!connection_claim_answer(connection))
		return;
	connection_answer(connection);
	switch (connection_write(connection)) {
	case CONNECTION_DONE:
		finish(server, connection);
		break;
	case CONNECTION_BLOCKED:
		break;
	default:
		connection->phase = CONNECTION_OVER;
		break;
	}
}

/* Calls the handler. False: the leader has to go on with the connection. */
static bool
handle(struct server *server, struct connection *connection)
{
	struct fn_exchange *exchange = connection->exchange;
	const struct server_options *options = server->options;

	if (!connection_is_expired(connection)) {
		trace_read(&exchange->call);
		if (options->log_execution_id)
			trace_execution(&exchange->call);
		exchange_run(exchange, options->handler, options->with);
	}
	answer(server, connection);
	return connection->phase == CONNECTION_READING && connection_return(connection);
}

void
server_call(struct fn_exchange *exchange, void *with)
{
	struct connection *connection = exchange->connection;

	if (!handle(with, connection))
		give_back(with, connection);
}

/* ---- Events ---------------------------------------------------------------------------- */

bool
server_on_event(struct server *server, struct connection *connection, uint32_t events)
{
	uint64_t visit;
	bool settled;

	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		atomic_store(&connection->hung_up, true);
	if (!connection_on_event(connection))
		return true;
	while (proceed(server, connection) == CALLING) {
		if (!pool_leave(server->pool, connection->exchange->whole_us - server->turned_us,
			    &visit)) {
			if (line_up(server, connection))
				return true;
			continue;
		}
		settled = handle(server, connection);
		if (!pool_return(server->pool, visit)) {
			if (!settled)
				give_back(server, connection);
			return false;
		}
		if (settled)
			return true;
		connection_take_back(connection);
	}
	return true;
}

void
server_take_back(struct server *server)
{
	struct connection *connection = atomic_exchange(&server->returned, NULL), *next;

	for (; connection; connection = next) {
		next = connection->next_returned;
		connection_take_back(connection);
		server_go_on(server, connection);
	}
}

void
server_refuse_waiting(struct server *server, struct connection *connection)
{
	connection_take_back(connection);
	if (connection->phase == CONNECTION_READING)
		refuse_busy(server, connection);
	server_go_on(server, connection);
}
