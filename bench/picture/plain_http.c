#include "bench/picture/plain_http.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FIRST_ROOM 4096
#define BACKLOG 64

/* ---- Messages ------------------------------------------------------------------------------ */

static void
make_room(struct message *message, size_t room)
{
	if (room <= message->room)
		return;
	message->at = realloc(message->at, room);
	if (!message->at)
		err(1, "out of memory");
	message->room = room;
}

static bool
receive(struct message *message, int fd)
{
	ssize_t got = recv(fd, message->at + message->size, message->room - message->size - 1, 0);

	if (got <= 0)
		return false;
	message->size += (size_t)got;
	message->at[message->size] = '\0';
	return true;
}

static bool
receive_up_to(struct message *message, int fd, size_t whole)
{
	make_room(message, whole + 1);
	while (message->size < whole) {
		if (!receive(message, fd))
			return false;
	}
	return true;
}

/* Reads all chunks, then pushes them together. No text that is sent here ends as the last does. */
static bool
receive_chunks(struct message *message, int fd)
{
	static const char last[] = "\r\n0\r\n\r\n";
	const size_t last_size = sizeof(last) - 1;
	char *in, *out;

	while (message->size < message->head + last_size ||
		memcmp(message->at + message->size - last_size, last, last_size) != 0) {
		if (message->size + 1 == message->room)
			make_room(message, 2 * message->room);
		if (!receive(message, fd))
			return false;
	}
	in = out = message->at + message->head;
	for (size_t size; (size = strtoul(in, &in, 16)) > 0; in += size + 2) {
		in += 2;
		memmove(out, in, size);
		out += size;
	}
	*out = '\0';
	message->size = (size_t)(out - message->at);
	return true;
}

static size_t
content_length(const char *head)
{
	const char *found = strcasestr(head, "\r\nContent-Length:");

	return found ? strtoul(strchr(found, ':') + 1, NULL, 10) : 0;
}

bool
message_read(struct message *message, int fd)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const char *end;

	message->size = 0;
	make_room(message, FIRST_ROOM);
	do {
		if (!receive(message, fd))
			return false;
	} while (!(end = strstr(message->at, "\r\n\r\n")));
	message->head = (size_t)(end - message->at) + 4;
	message->at[message->head - 1] = '\0';
	if (strcasestr(message->at, "\r\nExpect: 100-continue"))
		bytes_send(fd, go_on, sizeof(go_on) - 1);
	if (strcasestr(message->at, "\r\nTransfer-Encoding: chunked"))
		return receive_chunks(message, fd);
	return receive_up_to(message, fd, message->head + content_length(message->at));
}

void
bytes_send(int fd, const void *at, size_t size)
{
	const char *next = at;

	while (size > 0) {
		ssize_t sent = send(fd, next, size, MSG_NOSIGNAL);

		if (sent < 0)
			err(1, "send");
		next += sent;
		size -= (size_t)sent;
	}
}

void
message_send(int fd, const char *head, const void *body, size_t body_size)
{
	size_t head_size = strlen(head);
	struct iovec pieces[] = {{(void *)head, head_size}, {(void *)body, body_size}};
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
	ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

	if (sent < (ssize_t)head_size)
		err(1, "send");
	bytes_send(fd, (const char *)body + sent - head_size, head_size + body_size - sent);
}

/* ---- Connections --------------------------------------------------------------------------- */

static struct sockaddr_in
loopback(const char *port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static void
send_at_once(int fd)
{
	int yes = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static void (*serve_one)(int fd);

static void *
serve(void *with)
{
	int fd = (int)(intptr_t)with;

	send_at_once(fd);
	serve_one(fd);
	close(fd);
	return NULL;
}

void
connections_serve(const char *port, void (*serve_connection)(int fd))
{
	const struct sockaddr_in address = loopback(port);
	int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
	pthread_t thread;

	serve_one = serve_connection;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (const void *)&address, sizeof(address)) != 0 ||
		listen(listener, BACKLOG) != 0)
		err(1, "port %s", port);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0 || pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
			err(1, "new connection");
		pthread_detach(thread);
	}
}

int
connection_open(const char *port)
{
	const struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (const void *)&address, sizeof(address)) != 0)
		err(1, "port %s", port);
	send_at_once(fd);
	return fd;
}
