#include "tests/support/peer.h"

#include "tests/support/suite.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 120000
#define ROOM 65536

struct peer {
	int fd;
	struct fn_arena *arena;
	char *at; /* what has come and is not read yet */
	size_t size, room;
	bool over;   /* nothing more will come */
	bool broken; /* the connection was reset */
};

struct peer *
peer_connect_to(const char *address, unsigned port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *found;
	struct peer *peer = calloc(1, sizeof(*peer));
	char service[8];
	int yes = 1;

	snprintf(service, sizeof(service), "%u", port);
	ck_assert(peer && getaddrinfo(address, service, &hints, &found) == 0);
	peer->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(peer->fd >= 0);
	if (connect(peer->fd, found->ai_addr, found->ai_addrlen) != 0) {
		close(peer->fd);
		free(peer);
		peer = NULL;
	} else {
		setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		peer->arena = fn_arena_new();
	}
	freeaddrinfo(found);
	return peer;
}

struct peer *
peer_connect(unsigned port)
{
	struct peer *peer = peer_connect_to("127.0.0.1", port);

	ck_assert_msg(peer, "port %u: %s", port, strerror(errno));
	return peer;
}

void
peer_close(struct peer *peer)
{
	if (!peer)
		return;
	close(peer->fd);
	fn_arena_drop(peer->arena);
	free(peer->at);
	free(peer);
}

/* ---- Bytes ---- */

static void
take_in(struct peer *peer)
{
	ssize_t got;

	if (peer->room - peer->size < ROOM) {
		peer->room = 2 * peer->room + ROOM;
		peer->at = realloc(peer->at, peer->room);
		ck_assert(peer->at);
	}
	got = recv(peer->fd, peer->at + peer->size, peer->room - peer->size, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	peer->over = got <= 0;
	peer->broken = peer->broken || got < 0;
	peer->size += got > 0 ? (size_t)got : 0;
}

/* Waits for one of the events; what comes is taken in. False when time runs out. */
static bool
wait_for(struct peer *peer, short events, int ms)
{
	struct pollfd waited = {
		.fd = peer->fd, .events = (short)(events | (peer->over ? 0 : POLLIN))};
	int ready;

	do
		ready = poll(&waited, 1, ms);
	while (ready < 0 && errno == EINTR);
	if (waited.revents & POLLIN && !peer->over)
		take_in(peer);
	return ready > 0;
}

void
peer_send(struct peer *peer, struct fn_bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t sent = send(peer->fd, bytes.at, bytes.size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) {
			bytes.at += sent;
			bytes.size -= (size_t)sent;
		} else if (errno == EAGAIN) {
			ck_assert_msg(wait_for(peer, POLLOUT, PATIENCE_MS), "cannot send");
		} else {
			peer->broken = true; /* what was said before can still be read */
			return;
		}
	}
}

void
peer_sends(struct peer *peer, const char *text)
{
	peer_send(peer, fn_bytes(text));
}

void
peer_finish(struct peer *peer)
{
	shutdown(peer->fd, SHUT_WR);
}

void
peer_reset(struct peer *peer)
{
	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
		sizeof(struct linger));
}

bool
peer_ended(struct peer *peer)
{
	while (!peer->over)
		ck_assert_msg(wait_for(peer, POLLIN, PATIENCE_MS), "the connection does not end");
	return !peer->broken && peer->size == 0;
}

void
peer_is_given_up(struct peer *peer)
{
	struct pollfd socket = {.fd = peer->fd, .events = POLLRDHUP};

	ck_assert_msg(poll(&socket, 1, PATIENCE_MS) == 1, "the connection is not given up");
}

bool
peer_is_silent(struct peer *peer, int ms)
{
	return peer->size == 0 && !peer->over && !wait_for(peer, POLLIN, ms);
}

bool
peer_takes(struct peer *peer, size_t size, int ms)
{
	while (peer->size < size && !peer->over && wait_for(peer, POLLIN, ms))
		continue;
	return peer->size >= size;
}

/* ---- Answers ---- */

static bool
has_come(struct peer *peer, size_t size)
{
	while (peer->size < size && !peer->over)
		ck_assert_msg(wait_for(peer, POLLIN, PATIENCE_MS), "no answer");
	return peer->size >= size;
}

static struct fn_bytes
take(struct peer *peer, size_t size)
{
	struct fn_bytes taken = fn_bytes_copy(peer->arena, (struct fn_bytes){peer->at, size});

	peer->size -= size;
	memmove(peer->at, peer->at + size, peer->size);
	return taken;
}

bool
peer_read_head(struct peer *peer, struct answer *answer)
{
	const char *end = NULL;
	struct fn_bytes status;
	uint64_t number;

	for (size_t size = 1; !end; size = peer->size + 1) {
		if (!has_come(peer, size))
			return false;
		end = memmem(peer->at, peer->size, "\r\n\r\n", 4);
	}
	answer->head = take(peer, (size_t)(end - peer->at) + 4);
	answer->body = (struct fn_bytes){0};
	ck_assert(fn_bytes_starts(answer->head, "HTTP/1.1 ") && answer->head.at[12] == ' ');
	status = (struct fn_bytes){answer->head.at + 9, 3};
	ck_assert(fn_bytes_number(status, 599, &number));
	answer->status = (int)number;
	return true;
}

bool
peer_read(struct peer *peer, struct answer *answer)
{
	struct fn_bytes length;
	uint64_t size = 0;

	if (!peer_read_head(peer, answer))
		return false;
	length = answer_header(answer, "Content-Length");
	ck_assert(length.size == 0 || fn_bytes_number(length, UINT32_MAX, &size));
	if (!has_come(peer, size))
		return false;
	answer->body = take(peer, size);
	return true;
}

int
peer_ask(struct peer *peer, const char *text, struct answer *answer)
{
	peer_sends(peer, text);
	ck_assert_msg(peer_read(peer, answer), "no answer to %s", text);
	return answer->status;
}

struct fn_bytes
answer_header(const struct answer *answer, const char *name)
{
	struct fn_bytes rest = answer->head, line, key;

	while (rest.size > 0) {
		line = fn_bytes_cut(&rest, '\n');
		key = fn_bytes_cut(&line, ':');
		if (fn_bytes_is_nocase(key, name))
			return fn_bytes_trim((struct fn_bytes){line.at, line.size - 1});
	}
	return (struct fn_bytes){0};
}
