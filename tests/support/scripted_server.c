#include "tests/support/scripted_server.h"

#include "fn/clock.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 30000

struct connection {
	struct scripted_server *server;
	struct connection *next;
	pthread_t thread;
	int fd; /* -1 once closed */
	char *at;
	size_t size, room; /* what was read and is not yet a whole request */
};

struct scripted_server {
	const struct script *script;
	struct script *copy; /* NULL: the script is borrowed */
	size_t steps;
	int listener, gate; /* an eventfd: what is held may go on */
	unsigned port;
	char url[32];
	pthread_t acceptor;

	pthread_mutex_t lock; /* for all below, and for every connection's fd */
	struct connection *connections;
	size_t connection_count;
	struct fn_bytes *requests;
	size_t request_count;
};

/* ---- Reading ---- */

static bool
read_more(struct connection *from)
{
	if (from->size + 1 >= from->room) {
		from->room = from->room ? 2 * from->room : 64 * 1024;
		from->at = realloc(from->at, from->room);
		assert(from->at);
	}
	ssize_t got;
	do
		got = recv(from->fd, from->at + from->size, from->room - from->size - 1, 0);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return false;
	from->size += (size_t)got;
	from->at[from->size] = 0;
	return true;
}

/* The size of the head with its empty line; 0 when the client hung up before. */
static size_t
read_head(struct connection *from)
{
	const char *end;

	while (!(end = from->size > 0 ? strstr(from->at, "\r\n\r\n") : NULL))
		if (!read_more(from))
			return 0;
	return (size_t)(end - from->at) + 4;
}

static const char *
head_value(const char *head, size_t size, const char *name)
{
	const char *found = strcasestr(head, name);

	return found && found < head + size ? found + strlen(name) : NULL;
}

/* The size of head and body; 0 when the client hung up before their end. */
static size_t
read_request(struct connection *from)
{
	size_t head = read_head(from);

	if (head == 0)
		return 0;
	if (head_value(from->at, head, "\r\nExpect: 100-continue"))
		send(from->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);

	const char *length = head_value(from->at, head, "\r\nContent-Length:");
	size_t whole = head + (length ? strtoul(length, NULL, 10) : 0);
	while (from->size < whole)
		if (!read_more(from))
			return 0;
	return whole;
}

/* Moves the request from the connection's buffer into the record; the step that answers it. */
static const struct script *
record(struct connection *from, size_t size)
{
	struct scripted_server *server = from->server;
	char *copy = malloc(size + 1);

	assert(copy);
	memcpy(copy, from->at, size);
	copy[size] = 0;
	from->size -= size;
	memmove(from->at, from->at + size, from->size + 1);

	pthread_mutex_lock(&server->lock);
	size_t nth = server->request_count++;
	server->requests =
		realloc(server->requests, server->request_count * sizeof(*server->requests));
	assert(server->requests);
	server->requests[nth].at = copy;
	server->requests[nth].size = size;
	pthread_mutex_unlock(&server->lock);
	return &server->script[nth < server->steps ? nth : server->steps - 1];
}

/* ---- Answering ---- */

static void
send_all(int fd, const char *at, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return;
		at += sent;
		size -= (size_t)sent;
	}
}

/* Both end early when the client hangs up or the server stops. */
static void
wait_silently(int fd, int ms)
{
	struct pollfd hang_up = {.fd = fd, .events = POLLRDHUP};

	poll(&hang_up, 1, ms);
}

static void
wait_for_release(int fd, int gate)
{
	struct pollfd events[] = {{.fd = fd, .events = POLLRDHUP}, {.fd = gate, .events = POLLIN}};

	poll(events, 2, -1);
}

static void
answer(const struct connection *client, const struct script *step)
{
	int fd = client->fd;

	if (step->held)
		wait_for_release(fd, client->server->gate);
	if (step->wait_ms > 0)
		wait_silently(fd, (int)step->wait_ms);
	if (step->status > 0) {
		char head[4096];
		int size = snprintf(head, sizeof(head),
			"HTTP/1.1 %d Scripted\r\n%sContent-Length: %zu\r\n\r\n", step->status,
			step->headers ? step->headers : "", step->body.size + step->missing);

		assert(size > 0 && (size_t)size < sizeof(head));
		send_all(fd, head, (size_t)size);
	}
	send_all(fd, step->body.at, step->body.size);
	if (step->end == SCRIPT_STALL)
		wait_silently(fd, -1);
	if (step->end == SCRIPT_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
			sizeof(struct linger));
}

static void *
serve_connection(void *with)
{
	struct connection *client = with;
	size_t size;
	enum script_end end = SCRIPT_KEEP;

	while (end == SCRIPT_KEEP && (size = read_request(client)) > 0) {
		const struct script *step = record(client, size);

		answer(client, step);
		end = step->end;
	}
	pthread_mutex_lock(&client->server->lock);
	close(client->fd);
	client->fd = -1;
	pthread_mutex_unlock(&client->server->lock);
	return NULL;
}

/* ---- Starting and stopping ---- */

static void *
accept_connections(void *with)
{
	struct scripted_server *server = with;
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct connection *client = calloc(1, sizeof(*client));

		assert(client);
		client->server = server;
		client->fd = fd;
		pthread_mutex_lock(&server->lock);
		client->next = server->connections;
		server->connections = client;
		server->connection_count++;
		int failed = pthread_create(&client->thread, NULL, serve_connection, client);
		assert(!failed);
		pthread_mutex_unlock(&server->lock);
	}
	return NULL;
}

struct scripted_server *
scripted_server_start(const struct script *script, size_t count)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct scripted_server *server = calloc(1, sizeof(*server));

	assert(server && count > 0);

	server->script = script;
	server->steps = count;
	pthread_mutex_init(&server->lock, NULL);
	server->gate = eventfd(0, EFD_CLOEXEC);
	assert(server->gate >= 0);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int failed = bind(server->listener, (struct sockaddr *)&address, size) ||
		     listen(server->listener, SOMAXCONN) ||
		     getsockname(server->listener, (struct sockaddr *)&address, &size);
	assert(!failed);
	server->port = ntohs(address.sin_port);
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u", server->port);
	failed = pthread_create(&server->acceptor, NULL, accept_connections, server);
	assert(!failed);
	return server;
}

struct scripted_server *
scripted_server_start_copy(const struct script *script, size_t count)
{
	struct script *copy = malloc(count * sizeof(*copy));

	assert(copy);
	memcpy(copy, script, count * sizeof(*copy));
	struct scripted_server *server = scripted_server_start(copy, count);
	server->copy = copy;
	return server;
}

static void
end_connection(struct connection *client)
{
	pthread_mutex_lock(&client->server->lock);
	if (client->fd >= 0)
		shutdown(client->fd, SHUT_RDWR);
	pthread_mutex_unlock(&client->server->lock);
	pthread_join(client->thread, NULL);
	free(client->at);
	free(client);
}

void
scripted_server_stop(struct scripted_server *server)
{
	if (!server)
		return;
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->acceptor, NULL);
	close(server->listener);
	for (struct connection *client = server->connections, *next; client; client = next) {
		next = client->next;
		end_connection(client);
	}
	for (size_t i = 0; i < server->request_count; i++)
		free((char *)server->requests[i].at);
	close(server->gate);
	free(server->requests);
	free(server->copy);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

void
scripted_server_release(struct scripted_server *server)
{
	int failed = eventfd_write(server->gate, 1);

	assert(!failed);
}

/* ---- What was seen ---- */

unsigned
scripted_server_port(const struct scripted_server *server)
{
	return server->port;
}

const char *
scripted_server_url(const struct scripted_server *server)
{
	return server->url;
}

static size_t
count_of(struct scripted_server *server, const size_t *count)
{
	pthread_mutex_lock(&server->lock);
	size_t now = *count;
	pthread_mutex_unlock(&server->lock);
	return now;
}

size_t
scripted_server_requests(struct scripted_server *server)
{
	return count_of(server, &server->request_count);
}

size_t
scripted_server_connections(struct scripted_server *server)
{
	return count_of(server, &server->connection_count);
}

void
scripted_server_wait(struct scripted_server *server, size_t requests)
{
	int64_t until_ms = fn_now_ms() + PATIENCE_MS;

	while (scripted_server_requests(server) < requests) {
		assert(fn_now_ms() < until_ms);
		usleep(1000);
	}
}

struct fn_bytes
scripted_server_request(struct scripted_server *server, size_t n)
{
	pthread_mutex_lock(&server->lock);
	assert(n < server->request_count);
	struct fn_bytes request = server->requests[n];
	pthread_mutex_unlock(&server->lock);
	return request;
}
