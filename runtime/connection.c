#include "connection.h"

#include "fn/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)
#define BODY_STEP 16384 /* bytes of a body that count as progress, so that a trickle is none */

enum {
	HELD = 1,      /* by a handler, or in the line of those that wait for one */
	EVENT = 2,     /* the loop has seen something meanwhile */
	ANSWERING = 4, /* the handler has begun to write */
	EXPIRED = 8,   /* the loop has answered */
};

struct connection *
connection_new(int fd, const atomic_bool *stopping)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->fd = fd;
	connection->stopping = stopping;
	connection->since_ms = fn_now_ms();
	return connection;
}

void
connection_drop(struct connection *connection)
{
	close(connection->fd);
	exchange_drop(connection->exchange);
	free(connection->kept);
	free(connection);
}

void
connection_forget(struct connection *connection)
{
	struct linger at_once = {.l_onoff = 1};

	setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* ---- In ---------------------------------------------------------------------------------- */

static enum connection_result
refused(struct connection *connection, const struct http_refusal *refusal)
{
	connection_refuse(connection, refusal->status, refusal->reason, 0);
	return CONNECTION_REFUSED;
}

/* A client that waits for our word before it sends a body gets it, once the head was found good. */
static void
send_continue(const struct connection *connection)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (connection->exchange->head.expects_continue)
		(void)!send(connection->fd, line, sizeof(line) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static enum connection_result
feed_head(struct connection *connection, struct fn_bytes *stream, size_t body_limit)
{
	struct http_refusal refusal;
	size_t size, scanned;

	/* an empty line before a request is a leftover of the last one (RFC 9112, 2.2) */
	while (fn_bytes_starts(*stream, "\r\n")) {
		*stream = (struct fn_bytes){stream->at + 2, stream->size - 2};
		connection->scanned = 0;
	}
	scanned = connection->scanned;
	switch (http_head_find(*stream, &connection->scanned, &size, &refusal)) {
	case HTTP_NEEDS_MORE:
		if (scanned == 0 && stream->size > 0)
			connection->since_ms = fn_now_ms();
		return CONNECTION_BLOCKED;
	case HTTP_REFUSED:
		return refused(connection, &refusal);
	case HTTP_FOUND:
		break;
	}
	connection->exchange = exchange_new(connection);
	if (!exchange_read_head(connection->exchange, (struct fn_bytes){stream->at, size},
		    body_limit, &refusal))
		return refused(connection, &refusal);
	*stream = (struct fn_bytes){stream->at + size, stream->size - size};
	connection->scanned = 0;
	connection->reading_body = true;
	connection->body_counted = 0;
	if (stream->size == 0 && connection->exchange->body.state != BODY_DONE)
		send_continue(connection);
	return CONNECTION_REQUEST;
}

static enum connection_result
feed_body(struct connection *connection, struct fn_bytes *stream)
{
	struct http_body *body = &connection->exchange->body;
	struct http_refusal refusal;
	size_t used;

	switch (http_body_feed(body, *stream, &used, &refusal)) {
	case HTTP_REFUSED:
		return refused(connection, &refusal);
	case HTTP_FOUND:
		connection->reading_body = false;
		*stream = (struct fn_bytes){stream->at + used, stream->size - used};
		return CONNECTION_REQUEST;
	case HTTP_NEEDS_MORE:
		break;
	}
	if (body->size - connection->body_counted >= BODY_STEP) {
		connection->body_counted = body->size;
		connection->since_ms = fn_now_ms();
	}
	stream->size = 0;
	return CONNECTION_BLOCKED;
}

/* Uses up what it can of the stream, up to the end of one request. */
static enum connection_result
feed(struct connection *connection, struct fn_bytes *stream, size_t body_limit)
{
	enum connection_result result = CONNECTION_REQUEST;
	bool begins = !connection->reading_body;

	if (begins)
		result = feed_head(connection, stream, body_limit);
	if (result == CONNECTION_REQUEST)
		result = feed_body(connection, stream);
	if (begins && connection->reading_body)
		connection->since_ms = fn_now_ms(); /* what is to come has its own time */
	return result;
}

/* CONNECTION_DONE: *size bytes have come in. */
static enum connection_result
receive(struct connection *connection, char *scratch, size_t *size)
{
	ssize_t got;

	do
		got = recv(connection->fd, scratch, CONNECTION_SCRATCH, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	connection->more = got == CONNECTION_SCRATCH;
	if (got <= 0)
		return got < 0 && errno == EAGAIN ? CONNECTION_BLOCKED : CONNECTION_CLOSED;
	*size = (size_t)got;
	return CONNECTION_DONE;
}

/* A read that does not fill its room has emptied the socket, and there will be an event when more
 * comes (epoll(7)); but of the end of all there has been one already where the client has hung
 * up. */
static enum connection_result
blocked(const struct connection *connection)
{
	return connection->more || atomic_load(&connection->hung_up) ? CONNECTION_MORE
								     : CONNECTION_BLOCKED;
}

/* Puts what has come in behind what was unread. */
static bool
join(struct connection *connection, struct fn_bytes *stream)
{
	struct fn_bytes unread = connection->unread;
	char *joined;

	if (unread.size == 0)
		return true;
	joined = malloc(unread.size + stream->size);
	if (!joined)
		return false;
	memcpy(joined, unread.at, unread.size);
	memcpy(joined + unread.size, stream->at, stream->size);
	free(connection->kept);
	connection->kept = joined;
	*stream = (struct fn_bytes){joined, unread.size + stream->size};
	return true;
}

/* Keeps what is left of the stream: the start of a head, or the requests behind this one. */
static bool
keep(struct connection *connection, struct fn_bytes rest)
{
	if (rest.size == 0) {
		free(connection->kept);
		connection->kept = NULL;
	} else if (!connection->kept) {
		connection->kept = malloc(rest.size);
		if (!connection->kept)
			return false;
		memcpy(connection->kept, rest.at, rest.size);
		rest.at = connection->kept;
	}
	connection->unread = rest;
	return true;
}

enum connection_result
connection_read(struct connection *connection, char *scratch, size_t body_limit)
{
	struct fn_bytes stream = connection->unread;
	enum connection_result result = feed(connection, &stream, body_limit);

	if (!keep(connection, stream))
		return CONNECTION_CLOSED;
	if (result != CONNECTION_BLOCKED)
		return result;

	stream.at = scratch;
	result = receive(connection, scratch, &stream.size);
	if (result != CONNECTION_DONE)
		return result;
	if (!join(connection, &stream))
		return CONNECTION_CLOSED;
	result = feed(connection, &stream, body_limit);
	if (!keep(connection, stream))
		return CONNECTION_CLOSED;
	return result == CONNECTION_BLOCKED ? blocked(connection) : result;
}

enum connection_result
connection_linger(struct connection *connection, char *scratch)
{
	size_t size;
	enum connection_result result = receive(connection, scratch, &size);

	return result == CONNECTION_DONE ? blocked(connection) : result;
}

/* ---- Out --------------------------------------------------------------------------------- */

/* Moves `out` past `size` bytes that are written; true when nothing is left. */
static bool
advance(struct iovec out[2], size_t size)
{
	for (size_t i = 0; i < 2; i++) {
		size_t part = size < out[i].iov_len ? size : out[i].iov_len;

		if (part > 0)
			out[i].iov_base = (char *)out[i].iov_base + part;
		out[i].iov_len -= part;
		size -= part;
	}
	return out[0].iov_len + out[1].iov_len == 0;
}

static ssize_t
send_out(int fd, struct iovec out[2])
{
	struct msghdr message = {.msg_iov = out, .msg_iovlen = 2};
	ssize_t size;

	do
		size = out[1].iov_len == 0 ? send(fd, out[0].iov_base, out[0].iov_len, SEND_FLAGS)
					   : sendmsg(fd, &message, SEND_FLAGS);
	while (size < 0 && errno == EINTR);
	return size;
}

/* A write that leaves something over has filled the socket: there will be an event. */
enum connection_result
connection_write(struct connection *connection)
{
	struct iovec *out = connection->exchange->out;
	ssize_t size = send_out(connection->fd, out);

	if (size < 0)
		return errno == EAGAIN ? CONNECTION_BLOCKED : CONNECTION_CLOSED;
	if (advance(out, (size_t)size))
		return CONNECTION_DONE;
	connection->since_ms = fn_now_ms();
	return CONNECTION_BLOCKED;
}

void
connection_compose(struct connection *connection)
{
	struct fn_exchange *exchange = connection->exchange;

	if (atomic_load(connection->stopping) && connection->unread.size == 0)
		exchange->close = true;
	exchange_compose(exchange);
}

void
connection_answer(struct connection *connection)
{
	connection_compose(connection);
	connection->phase = CONNECTION_WRITING;
	connection->since_ms = fn_now_ms();
}

void
connection_refuse(
	struct connection *connection, int status, const char *reason, unsigned retry_after_s)
{
	if (!connection->exchange)
		connection->exchange = exchange_new(connection);
	/* where a request is not whole, nobody knows where the next one starts */
	if (connection->exchange->body.state != BODY_DONE)
		connection->exchange->close = true;
	exchange_refuse(connection->exchange, status, reason, retry_after_s);
	connection_answer(connection);
}

void
connection_next(struct connection *connection)
{
	bool close = connection->exchange->close;

	exchange_drop(connection->exchange);
	connection->exchange = NULL;
	connection->reading_body = false;
	connection->scanned = 0;
	connection->greeted = true;
	connection->since_ms = fn_now_ms();
	connection->phase = CONNECTION_READING;
	if (close) {
		connection->phase = CONNECTION_LINGERING;
		shutdown(connection->fd, SHUT_WR);
	}
}

/* ---- Who holds it ------------------------------------------------------------------------ */

void
connection_lend(struct connection *connection, int64_t deadline_ms)
{
	/* what has come already makes no event of its own any more */
	bool pending = connection->unread.size > 0 || connection->more ||
		       atomic_load(&connection->hung_up);

	connection->deadline_ms = deadline_ms;
	atomic_store(&connection->holding, HELD | (pending ? EVENT : 0));
}

bool
connection_on_event(struct connection *connection)
{
	unsigned holding = atomic_load(&connection->holding);

	while (holding & HELD) {
		if (atomic_compare_exchange_weak(&connection->holding, &holding, holding | EVENT))
			return false;
	}
	connection->more = true;
	return true;
}

static bool
claim_expiry(struct connection *connection)
{
	unsigned holding = atomic_load(&connection->holding);

	while ((holding & HELD) && !(holding & (ANSWERING | EXPIRED))) {
		if (atomic_compare_exchange_weak(&connection->holding, &holding, holding | EXPIRED))
			return true;
	}
	return false;
}

void
connection_expire(struct connection *connection, int status, const char *reason)
{
	struct fn_exchange *exchange;

	if (!claim_expiry(connection))
		return;
	exchange = exchange_stand_in(connection->exchange);
	fn_log(&exchange->call, FN_ERROR, "%d %.*s %.*s: the handler has not ended", status,
		FN_ARG(exchange->call.method), FN_ARG(exchange->call.path));
	exchange_refuse(exchange, status, reason, 0);
	exchange_compose(exchange);
	(void)send_out(connection->fd, exchange->out); /* what does not fit is lost on the client */
	shutdown(connection->fd, SHUT_WR);
	exchange_drop(exchange);
}

bool
connection_is_expired(const struct connection *connection)
{
	return atomic_load(&connection->holding) & EXPIRED;
}

bool
connection_claim_answer(struct connection *connection)
{
	return !(atomic_fetch_or(&connection->holding, ANSWERING) & EXPIRED);
}

bool
connection_return(struct connection *connection)
{
	unsigned untouched = HELD | ANSWERING;

	return atomic_compare_exchange_strong(&connection->holding, &untouched, 0);
}

void
connection_take_back(struct connection *connection)
{
	unsigned holding = atomic_exchange(&connection->holding, 0);

	connection->more = connection->more || (holding & EVENT);
	if (holding & EXPIRED) {
		connection->phase = CONNECTION_LINGERING;
		connection->since_ms = fn_now_ms();
	}
}

/* ---- What a handler may ask -------------------------------------------------------------- */

bool
fn_client_gone(const struct fn_call *call)
{
	const struct connection *connection = call->exchange ? call->exchange->connection : NULL;

	return connection &&
	       (atomic_load(&connection->hung_up) || connection_is_expired(connection));
}

bool
fn_stopping(const struct fn_call *call)
{
	return call->exchange && atomic_load(call->exchange->connection->stopping);
}
