#include "tests/support/firestore_proxy.h"

#include "fn/bytes.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 65536

struct firestore_proxy {
	int fd;
	char host[64];
	struct sockaddr_in emulator;
	pthread_t thread;
	pthread_mutex_t lock; /* for all below */
	const enum proxy_fault *faults;
	size_t fault_count, requests;
	void (*step)(void); /* NULL: nobody watches */
};

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void
send_all(int fd, struct fn_bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t sent = send(fd, bytes.at, bytes.size, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes.at += sent;
		bytes.size -= (size_t)sent;
	}
}

/* False at the end of what is sent. */
static bool
receive(int fd, struct fn_builder *into)
{
	char piece[PIECE];
	ssize_t size = recv(fd, piece, sizeof(piece), 0);

	if (size > 0)
		fn_add(into, (struct fn_bytes){piece, (size_t)size});
	return size > 0;
}

/* The head's size, with its empty line; 0: it has not come in full. */
static size_t
head_size(struct fn_bytes message)
{
	const char *end = message.size > 0 ? memmem(message.at, message.size, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - message.at) + 4 : 0;
}

static size_t
body_size(struct fn_bytes head)
{
	uint64_t size = 0;

	while (head.size > 0) {
		struct fn_bytes line = fn_bytes_cut(&head, '\n'), name = fn_bytes_cut(&line, ':');

		line.size -= line.size > 0; /* the CR */
		if (fn_bytes_is_nocase(name, "Content-Length") &&
			!fn_bytes_number(fn_bytes_trim(line), UINT32_MAX, &size))
			return 0;
	}
	return (size_t)size;
}

/* A request or an answer, whole; empty where the connection ends before. */
static struct fn_bytes
receive_message(int fd, struct fn_arena *arena)
{
	struct fn_builder message = {.arena = arena};
	struct fn_bytes so_far;
	size_t head;

	do {
		if (!receive(fd, &message))
			return (struct fn_bytes){0};
		so_far = fn_built(&message);
		head = head_size(so_far);
	} while (head == 0 || so_far.size < head + body_size((struct fn_bytes){so_far.at, head}));
	return so_far;
}

/* ---- Requests ------------------------------------------------------------------------------ */

static int
connect_to(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(fd >= 0);
	assert(connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0);
	return fd;
}

/* The client is told that its connection ends behind the answer. */
static struct fn_bytes
ask_emulator(const struct firestore_proxy *proxy, struct fn_bytes request, struct fn_arena *arena)
{
	struct fn_builder answer = {.arena = arena};
	int server = connect_to(&proxy->emulator);

	send_all(server, request);
	struct fn_bytes rest = receive_message(server, arena), line = fn_bytes_cut(&rest, '\n');
	close(server);
	fn_addf(&answer, "%.*s\nConnection: close\r\n", FN_ARG(line));
	fn_add(&answer, rest);
	return fn_built(&answer);
}

static const char *const refusals[] = {
	[PROXY_CONTEND] = "409 Conflict|ABORTED",
	[PROXY_EXHAUST] = "429 Too Many Requests|RESOURCE_EXHAUSTED",
	[PROXY_UNAVAILABLE] = "503 Service Unavailable|UNAVAILABLE",
	[PROXY_GATEWAY] = "502 Bad Gateway",
	[PROXY_FORBID] = "403 Forbidden|PERMISSION_DENIED",
};

static struct fn_bytes
refusal(enum proxy_fault fault, struct fn_arena *arena)
{
	struct fn_bytes name = fn_bytes(refusals[fault]), status = fn_bytes_cut(&name, '|');
	const char *body = "<html>";

	if (name.size > 0)
		body = fn_textf(arena,
			"{\"error\":{\"message\":\"as planned\",\"status\":\"%.*s\"}}",
			FN_ARG(name));
	return fn_bytes(fn_textf(arena,
		"HTTP/1.1 %.*s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
		FN_ARG(status), strlen(body), body));
}

static enum proxy_fault
next_fault(struct firestore_proxy *proxy)
{
	enum proxy_fault fault = PROXY_PASS;

	pthread_mutex_lock(&proxy->lock);
	if (proxy->fault_count > 0)
		fault = proxy->faults[proxy->requests < proxy->fault_count
					      ? proxy->requests
					      : proxy->fault_count - 1];
	proxy->requests++;
	pthread_mutex_unlock(&proxy->lock);
	return fault;
}

static void
take_step(struct firestore_proxy *proxy)
{
	pthread_mutex_lock(&proxy->lock);
	void (*step)(void) = proxy->step;
	pthread_mutex_unlock(&proxy->lock);
	if (step)
		step();
}

static void
serve(struct firestore_proxy *proxy, int client, struct fn_arena *arena)
{
	struct fn_bytes request = receive_message(client, arena), answer = {0};

	if (request.size == 0)
		return;
	take_step(proxy);
	enum proxy_fault fault = next_fault(proxy);
	if (fault == PROXY_PASS || fault == PROXY_LOSE_ANSWER)
		answer = ask_emulator(proxy, request, arena);
	else if (fault != PROXY_LOSE_REQUEST)
		answer = refusal(fault, arena);
	take_step(proxy);
	if (fault != PROXY_LOSE_ANSWER)
		send_all(client, answer);
}

static void *
serve_all(void *with)
{
	struct firestore_proxy *proxy = with;
	struct fn_arena *arena = fn_arena_new();
	int client;

	while ((client = accept4(proxy->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		serve(proxy, client, arena);
		close(client);
		fn_arena_reset(arena);
	}
	fn_arena_drop(arena);
	return NULL;
}

/* ---- Start and stop ------------------------------------------------------------------------ */

struct firestore_proxy *
firestore_proxy_start(const char *host)
{
	struct firestore_proxy *proxy = calloc(1, sizeof(*proxy));
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	const char *port = strrchr(host, ':');

	assert(proxy && port);
	proxy->emulator = address;
	proxy->emulator.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
	pthread_mutex_init(&proxy->lock, NULL);
	proxy->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(proxy->fd >= 0 && bind(proxy->fd, (struct sockaddr *)&address, size) == 0);
	assert(listen(proxy->fd, 64) == 0);
	assert(getsockname(proxy->fd, (struct sockaddr *)&address, &size) == 0);
	snprintf(proxy->host, sizeof(proxy->host), "127.0.0.1:%u", ntohs(address.sin_port));
	assert(pthread_create(&proxy->thread, NULL, serve_all, proxy) == 0);
	return proxy;
}

void
firestore_proxy_stop(struct firestore_proxy *proxy)
{
	if (!proxy)
		return;
	shutdown(proxy->fd, SHUT_RDWR);
	pthread_join(proxy->thread, NULL);
	close(proxy->fd);
	pthread_mutex_destroy(&proxy->lock);
	free(proxy);
}

const char *
firestore_proxy_host(const struct firestore_proxy *proxy)
{
	return proxy->host;
}

void
firestore_proxy_play(struct firestore_proxy *proxy, const enum proxy_fault *faults, size_t count)
{
	pthread_mutex_lock(&proxy->lock);
	proxy->faults = faults;
	proxy->fault_count = count;
	proxy->requests = 0;
	pthread_mutex_unlock(&proxy->lock);
}

size_t
firestore_proxy_requests(struct firestore_proxy *proxy)
{
	pthread_mutex_lock(&proxy->lock);
	size_t requests = proxy->requests;
	pthread_mutex_unlock(&proxy->lock);
	return requests;
}

void
firestore_proxy_watch(struct firestore_proxy *proxy, void (*step)(void))
{
	pthread_mutex_lock(&proxy->lock);
	proxy->step = step;
	pthread_mutex_unlock(&proxy->lock);
}
