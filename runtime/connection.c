#include "connection.h"

#include "fn/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HELD = 1,      /* by a handler */
	EVENT = 2,     /* the loop has seen something meanwhile */
	ANSWERING = 4, /* the handler has begun to write */
	EXPIRED = 8,   /* the loop has answered */
};

struct connection *
connection_new(int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->fd = fd;
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
	size_t size;

	/* an empty line before a request is a leftover of the last one (RFC 9112, 2.2) */
	while (connection->scanned == 0 && fn_bytes_starts(*stream, "\r\n"))
		*stream = (struct fn_bytes){stream->at + 2, stream->size - 2};
	switch (http_head_find(*stream, &connection->scanned, &size, &refusal)) {
	case HTTP_NEEDS_MORE:
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
	if (stream->size == 0 && connection->exchange->body.state != BODY_DONE)
		send_continue(connection);
	return CONNECTION_REQUEST;
}

static enum connection_result
feed_body(struct connection *connection, struct fn_bytes *stream)
{
	struct http_refusal refusal;
	size_t used;

	switch (http_body_feed(&connection->exchange->body, *stream, &used, &refusal)) {
	case HTTP_REFUSED:
		return refused(connection, &refusal);
	case HTTP_FOUND:
		connection->reading_body = false;
		*stream = (struct fn_bytes){stream->at + used, stream->size - used};
		return CONNECTION_REQUEST;
	case HTTP_NEEDS_MORE:
		break;
	}
	*stream = (struct fn_bytes){stream->at, 0};
	return CONNECTION_BLOCKED;
}

/* Uses up what it can of the stream, up to the end of one request. */
static enum connection_result
feed(struct connection *connection, struct fn_bytes *stream, size_t body_limit)
{
	enum connection_result result = CONNECTION_REQUEST;

	if (!connection->reading_body)
		result = feed_head(connection, stream, body_limit);
	return result == CONNECTION_REQUEST ? feed_body(connection, stream) : result;
}

/* Keeps what has been read and belongs to a head that is not whole, or to the next request. */
static bool
keep(struct connection *connection, struct fn_bytes rest)
{
	char *kept = NULL;

	if (rest.size > 0) {
		kept = malloc(rest.size);
		if (!kept)
			return false;
		memcpy(kept, rest.at, rest.size);
	}
	free(connection->kept);
	connection->kept = kept;
	connection->kept_size = rest.size;
	return true;
}

static ssize_t
receive(struct connection *connection, char *into, size_t room)
{
	ssize_t size;

	do
		size = recv(connection->fd, into, room, MSG_DONTWAIT);
	while (size < 0 && errno == EINTR);
	return size;
}

enum connection_result
connection_read(struct connection *connection, char *scratch, size_t body_limit)
{
	struct fn_bytes stream = {scratch, connection->kept_size};
	enum connection_result result;
	bool idle = stream.size == 0 && !connection->reading_body;
	ssize_t size = 0;

	if (stream.size > 0)
		memcpy(scratch, connection->kept, stream.size);
	while ((result = feed(connection, &stream, body_limit)) == CONNECTION_BLOCKED) {
		size_t used = (size_t)(stream.at - scratch) + stream.size;

		if (stream.size == 0)
			stream.at = scratch, used = 0;
		size = receive(connection, scratch + used, CONNECTION_SCRATCH - used);
		if (size <= 0)
			break;
		connection->more = (size_t)size == CONNECTION_SCRATCH - used;
		stream.size += (size_t)size;
		if (idle || connection->reading_body)
			connection->since_ms = fn_now_ms();
		idle = false;
	}
	if (size == 0 && result == CONNECTION_BLOCKED)
		return CONNECTION_CLOSED;
	if (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
		return CONNECTION_CLOSED;
	return keep(connection, stream) ? result : CONNECTION_CLOSED;
}

enum connection_result
connection_linger(struct connection *connection, char *scratch)
{
	ssize_t size;

	do
		size = receive(connection, scratch, CONNECTION_SCRATCH);
	while (size > 0);
	return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? CONNECTION_BLOCKED
								     : CONNECTION_CLOSED;
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

enum connection_result
connection_write(struct connection *connection)
{
	struct iovec *out = connection->exchange->out;
	ssize_t size;

	do {
		struct msghdr message = {.msg_iov = out, .msg_iovlen = 2};

		size = sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (size < 0 && errno != EINTR)
			return errno == EAGAIN || errno == EWOULDBLOCK ? CONNECTION_BLOCKED
								       : CONNECTION_CLOSED;
		if (size > 0)
			connection->since_ms = fn_now_ms();
	} while (!advance(out, size > 0 ? (size_t)size : 0));
	return CONNECTION_DONE;
}

void
connection_refuse(
	struct connection *connection, int status, const char *reason, unsigned retry_after_s)
{
	if (!connection->exchange) {
		connection->exchange = exchange_new(connection);
		connection->exchange->close = true;
	}
	if (connection->reading_body)
		connection->exchange->close = true;
	exchange_refuse(connection->exchange, status, reason, retry_after_s);
	exchange_compose(connection->exchange);
	connection->phase = CONNECTION_WRITING;
	connection->since_ms = fn_now_ms();
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
	bool pending =
		connection->kept_size > 0 || connection->more || atomic_load(&connection->hung_up);

	atomic_store(&connection->deadline_ms, deadline_ms);
	atomic_store(&connection->holding, HELD | (pending ? EVENT : 0));
}

bool
connection_is_lent(struct connection *connection)
{
	unsigned holding = atomic_load(&connection->holding);

	while (holding & HELD) {
		if (atomic_compare_exchange_weak(&connection->holding, &holding, holding | EVENT))
			return true;
	}
	return false;
}

bool
connection_expire(struct connection *connection)
{
	unsigned holding = atomic_load(&connection->holding);

	while ((holding & HELD) && !(holding & (ANSWERING | EXPIRED))) {
		if (atomic_compare_exchange_weak(&connection->holding, &holding, holding | EXPIRED))
			return true;
	}
	return false;
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
	atomic_store(&connection->holding, 0);
}
