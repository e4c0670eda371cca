#include "fn/stream.h"

#include "connection.h"
#include "fn/clock.h"
#include "stream_end.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define WAIT_MS 60000 /* for a client that takes nothing */

/* ---- Sending all of it ------------------------------------------------------------------- */

static bool
wait_until_writable(struct fn_call *call, int fd, struct fn_error *err)
{
	struct pollfd socket = {.fd = fd, .events = POLLOUT};
	int64_t wait_ms = fn_time_left_ms(call, WAIT_MS);
	int ready;

	if (wait_ms == 0)
		return fn_fail(err, FN_DEADLINE, "stream: the deadline has passed");
	do
		ready = poll(&socket, 1, (int)wait_ms);
	while (ready < 0 && errno == EINTR);
	if (ready == 0 && wait_ms == WAIT_MS)
		return fn_fail(err, FN_CLIENT_GONE, "stream: the client takes nothing any more");
	return true;
}

/* The pieces that are left once `size` bytes are sent. */
static void
advance(struct msghdr *message, size_t size)
{
	while (message->msg_iovlen > 0 && size >= message->msg_iov->iov_len) {
		size -= message->msg_iov->iov_len;
		message->msg_iov++;
		message->msg_iovlen--;
	}
	if (message->msg_iovlen > 0) {
		message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + size;
		message->msg_iov->iov_len -= size;
	}
}

static bool
send_all(struct fn_call *call, struct iovec *pieces, size_t count, struct fn_error *err)
{
	int fd = call->exchange->connection->fd;
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};

	while (message.msg_iovlen > 0) {
		ssize_t size = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (size >= 0) {
			advance(&message, (size_t)size);
		} else if (errno == EAGAIN) {
			TRY(wait_until_writable(call, fd, err));
		} else if (errno != EINTR) {
			return fn_fail(err, FN_CLIENT_GONE, "stream: the client has hung up");
		}
	}
	return true;
}

/* ---- The stream -------------------------------------------------------------------------- */

bool
fn_stream_begin(struct fn_call *call, int status, struct fn_error *err)
{
	struct fn_exchange *exchange = call->exchange;

	TRY(fn_reply(call, status, FN_BYTES(""), err));
	if (!exchange)
		return true; /* a test without a server: what is written becomes the answer's body
			      */
	if (!connection_claim_answer(exchange->connection))
		return fn_fail(err, FN_DEADLINE, "stream: the call has been given up already");
	exchange->streaming = true;
	exchange->close = exchange->close || exchange->head.http_1_0;
	connection_compose(exchange->connection);
	if (send_all(call, exchange->out, 1, err))
		return true;
	exchange->broken = true;
	return false;
}

static bool
collect(struct fn_call *call, struct fn_bytes piece)
{
	struct fn_builder body = {.arena = call->arena};

	fn_add(&body, call->answer.body);
	fn_add(&body, piece);
	call->answer.body = fn_built(&body);
	return true;
}

static bool
has_body(const struct fn_exchange *exchange)
{
	int status = exchange->call.answer.status;

	return status != 204 && status != 304 && !fn_bytes_is(exchange->call.method, "HEAD");
}

bool
fn_stream_write(struct fn_call *call, struct fn_bytes piece, struct fn_error *err)
{
	struct fn_exchange *exchange = call->exchange;
	char size[24];
	struct iovec chunk[3] = {
		{size, 0}, {(void *)(uintptr_t)piece.at, piece.size}, {(char[]){"\r\n"}, 2}};

	if (!exchange)
		return collect(call, piece);
	if (exchange->broken)
		return fn_fail(err, FN_CLIENT_GONE, "stream: the client has hung up");
	if (piece.size == 0 || !has_body(exchange)) /* an empty chunk would be the last one */
		return true;
	chunk[0].iov_len = (size_t)snprintf(size, sizeof(size), "%zx\r\n", piece.size);
	if (exchange->head.http_1_0 ? send_all(call, &chunk[1], 1, err)
				    : send_all(call, chunk, 3, err))
		return true;
	exchange->broken = true;
	return false;
}

bool
stream_end(struct fn_exchange *exchange)
{
	struct iovec last = {(char[]){"0\r\n\r\n"}, 5};
	struct fn_error ignored;

	if (exchange->broken)
		return false;
	if (exchange->head.http_1_0 || !has_body(exchange))
		return true;
	return send_all(&exchange->call, &last, 1, &ignored);
}

/* ---- Server-sent events ------------------------------------------------------------------ */

/* Lines end with CR LF, LF or CR. */
static struct fn_bytes
next_line(struct fn_bytes *rest)
{
	struct fn_bytes line = *rest;
	size_t end;

	line.size = 0;
	while (line.size < rest->size && !memchr("\r\n", line.at[line.size], 2))
		line.size++;
	end = line.size + 1;
	if (end < rest->size && line.at[line.size] == '\r' && line.at[end] == '\n')
		end++;
	*rest = line.size < rest->size ? (struct fn_bytes){rest->at + end, rest->size - end}
				       : (struct fn_bytes){0};
	return line;
}

bool
fn_stream_event(
	struct fn_call *call, struct fn_bytes event, struct fn_bytes data, struct fn_error *err)
{
	/* a stream may have more events than should stay in memory until it ends */
	struct fn_builder text = {.arena = fn_arena_new()};
	struct fn_bytes line;
	bool ok;

	line = next_line(&event);
	if (line.size > 0)
		fn_addf(&text, "event: %.*s\n", FN_ARG(line));
	do {
		line = next_line(&data);
		fn_add(&text, FN_BYTES("data: "));
		fn_add(&text, line);
		fn_add(&text, FN_BYTES("\n"));
	} while (data.at);
	fn_add(&text, FN_BYTES("\n"));
	ok = fn_stream_write(call, fn_built(&text), err);
	fn_arena_drop(text.arena);
	return ok;
}
