#include "tests/support/redis_proxy.h"

#include "tests/support/redis_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MOST 1024
#define PIECE 65536
#define WORDS_MOST 256

struct passage {
	struct redis_proxy *proxy;
	int client, server;
	pthread_t thread;
};

struct redis_proxy {
	int fd;
	char url[64];
	pthread_t thread;
	struct passage passages[CONNECTIONS_MOST]; /* of the accepting thread until it has ended */
	size_t count;
	atomic_uint port;
	atomic_int drop_every, commands, stalls;
	_Atomic(const char *) answer;
};

static void
send_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		size -= (size_t)sent;
	}
}

/* The next whole command or reply, which is for freeReplyObject; NULL at the end of the connection.
 * With to >= 0 its bytes are passed on as they come. */
static redisReply *
read_one(redisReader *reader, int from, int to)
{
	void *whole = NULL;

	while (redisReaderGetReply(reader, &whole) == REDIS_OK && !whole) {
		char bytes[PIECE];
		ssize_t size = recv(from, bytes, sizeof(bytes), 0);

		if (size <= 0)
			break;
		redisReaderFeed(reader, bytes, (size_t)size);
		if (to >= 0)
			send_all(to, bytes, (size_t)size);
	}
	return whole;
}

/* One of several that a client may have sent at once. */
static void
send_command(int fd, const redisReply *command)
{
	const char *words[WORDS_MOST];
	size_t sizes[WORDS_MOST];
	char *bytes;

	assert(command->elements <= WORDS_MOST);
	for (size_t i = 0; i < command->elements; i++) {
		words[i] = command->element[i]->str;
		sizes[i] = (size_t)command->element[i]->len;
	}
	long long size = redisFormatCommandArgv(&bytes, (int)command->elements, words, sizes);
	assert(size > 0);
	send_all(fd, bytes, (size_t)size);
	free(bytes);
}

static bool
is_script(const redisReply *command)
{
	return command->type == REDIS_REPLY_ARRAY && command->elements > 0 &&
	       strncasecmp(command->element[0]->str, "EVAL", 4) == 0;
}

static bool
is_dropped(struct redis_proxy *proxy)
{
	int every = atomic_load(&proxy->drop_every);

	return every > 0 && atomic_fetch_add(&proxy->commands, 1) % every == every - 1;
}

/* One command and its reply; false ends the connection. */
static bool
pass_command(struct passage *passage, redisReader *commands, redisReader *replies)
{
	struct redis_proxy *proxy = passage->proxy;
	AUTO(drop_reply) redisReply *command = read_one(commands, passage->client, -1);
	const char *answer = NULL;

	if (!command)
		return false;
	if (is_script(command))
		answer = atomic_exchange(&proxy->answer, NULL);
	if (answer) {
		send_all(passage->client, answer, strlen(answer));
		send_all(passage->client, "\r\n", 2);
		return true;
	}
	if (atomic_load(&proxy->stalls))
		return true;
	send_command(passage->server, command);
	bool dropped = is_dropped(proxy);
	AUTO(drop_reply)
	redisReply *reply = read_one(replies, passage->server, dropped ? -1 : passage->client);
	return reply && !dropped;
}

static void *
run_passage(void *with)
{
	struct passage *passage = with;
	redisReader *commands = redisReaderCreate(), *replies = redisReaderCreate();

	while (pass_command(passage, commands, replies))
		continue;
	shutdown(passage->client, SHUT_RDWR);
	shutdown(passage->server, SHUT_RDWR);
	redisReaderFree(commands);
	redisReaderFree(replies);
	return NULL;
}

static int
connect_to(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void *
accept_all(void *with)
{
	struct redis_proxy *proxy = with;
	int client;

	while ((client = accept4(proxy->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		int server = connect_to(atomic_load(&proxy->port));

		if (server < 0) {
			close(client);
			continue;
		}
		assert(proxy->count < CONNECTIONS_MOST);
		struct passage *passage = &proxy->passages[proxy->count++];
		*passage = (struct passage){proxy, client, server, 0};
		pthread_create(&passage->thread, NULL, run_passage, passage);
	}
	return NULL;
}

struct redis_proxy *
redis_proxy_start(unsigned server_port)
{
	struct redis_proxy *proxy = calloc(1, sizeof(*proxy));
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	assert(proxy);
	atomic_store(&proxy->port, server_port);
	proxy->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(proxy->fd >= 0 && bind(proxy->fd, (struct sockaddr *)&address, size) == 0);
	assert(listen(proxy->fd, 64) == 0);
	assert(getsockname(proxy->fd, (struct sockaddr *)&address, &size) == 0);
	snprintf(proxy->url, sizeof(proxy->url), "redis://127.0.0.1:%u/0", ntohs(address.sin_port));
	assert(pthread_create(&proxy->thread, NULL, accept_all, proxy) == 0);
	return proxy;
}

void
redis_proxy_stop(struct redis_proxy *proxy)
{
	if (!proxy)
		return;
	shutdown(proxy->fd, SHUT_RDWR);
	pthread_join(proxy->thread, NULL);
	close(proxy->fd);
	for (size_t i = 0; i < proxy->count; i++) {
		shutdown(proxy->passages[i].client, SHUT_RDWR);
		shutdown(proxy->passages[i].server, SHUT_RDWR);
		pthread_join(proxy->passages[i].thread, NULL);
		close(proxy->passages[i].client);
		close(proxy->passages[i].server);
	}
	free(proxy);
}

const char *
redis_proxy_url(const struct redis_proxy *proxy)
{
	return proxy->url;
}

void
redis_proxy_drop_every(struct redis_proxy *proxy, int n)
{
	atomic_store(&proxy->drop_every, n);
}

void
redis_proxy_answer(struct redis_proxy *proxy, const char *line)
{
	atomic_store(&proxy->answer, line);
}

void
redis_proxy_stall(struct redis_proxy *proxy, int stalls)
{
	atomic_store(&proxy->stalls, stalls);
}

void
redis_proxy_lead_to(struct redis_proxy *proxy, unsigned server_port)
{
	atomic_store(&proxy->port, server_port);
}
