#include "tests/support/redis_server.h"

#include "tests/support/ports.h"
#include "tests/support/temp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS_MOST 40
#define TRIES 1000
#define TRY_MS 10

struct redis_server {
	pid_t pid;
	unsigned port;
	const char *folder;
	const char *const *options;
	char url[64];
	redisContext *context;
};

_Noreturn static void
server_run(const struct redis_server *server)
{
	const char *named = getenv("REDIS_SERVER"), *program = named ? named : "redis-server";
	char port[8];
	const char *words[OPTIONS_MOST] = {program, "--port", port, "--bind", "127.0.0.1", "--dir",
		server->folder, "--save", "", "--daemonize", "no", "--logfile", "redis.log"};
	size_t count = 13;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(port, sizeof(port), "%u", server->port);
	for (const char *const *at = server->options; at && *at; at++) {
		assert(count < OPTIONS_MOST - 1);
		words[count++] = *at;
	}
	int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(nothing, STDOUT_FILENO);
	execvp(program, (char *const *)(uintptr_t)words);
	perror(program);
	_exit(127);
}

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static bool
answers(const struct redis_server *server)
{
	redisContext *context = redisConnect("127.0.0.1", (int)server->port);
	redisReply *reply = context && !context->err ? redisCommand(context, "PING") : NULL;
	/* With a password it answers too, if only that it wants it. */
	bool ready = reply && strncmp(reply->str, "LOADING", 7) != 0;

	freeReplyObject(reply);
	redisFree(context);
	return ready;
}

void
redis_server_revive(struct redis_server *server)
{
	server->pid = fork();
	assert(server->pid >= 0);
	if (server->pid == 0)
		server_run(server);
	for (int i = 0; i < TRIES && !answers(server); i++) {
		if (waitpid(server->pid, NULL, WNOHANG) == server->pid)
			break;
		pause_ms(TRY_MS);
	}
	if (!answers(server)) {
		fprintf(stderr, "redis-server on port %u did not start: see %s/redis.log\n",
			server->port, server->folder);
		abort();
	}
}

struct redis_server *
redis_server_start(const char *const *options)
{
	struct redis_server *server = calloc(1, sizeof(*server));

	assert(server);
	server->port = free_port();
	server->folder = temp_folder();
	server->options = options;
	snprintf(server->url, sizeof(server->url), "redis://127.0.0.1:%u/0", server->port);
	redis_server_revive(server);
	return server;
}

void
redis_server_kill(struct redis_server *server)
{
	if (server->context)
		redisFree(server->context);
	server->context = NULL;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
}

void
redis_server_stop(struct redis_server *server)
{
	if (!server)
		return;
	redis_server_kill(server);
	free(server);
}

const char *
redis_server_url(const struct redis_server *server)
{
	return server->url;
}

const char *
redis_server_folder(const struct redis_server *server)
{
	return server->folder;
}

unsigned
redis_server_port(const struct redis_server *server)
{
	return server->port;
}

pid_t
redis_server_pid(const struct redis_server *server)
{
	return server->pid;
}

static redisReply *
ask(struct redis_server *server, const char *format, va_list args)
{
	if (!server->context)
		server->context = redisConnect("127.0.0.1", (int)server->port);
	redisReply *reply = redisvCommand(server->context, format, args);
	if (!reply) {
		fprintf(stderr, "redis-server on port %u: %s: %s\n", server->port, format,
			server->context->errstr);
		abort();
	}
	return reply;
}

redisReply *
redis_server_ask(struct redis_server *server, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	redisReply *reply = ask(server, format, args);
	va_end(args);
	return reply;
}

int64_t
redis_server_number(struct redis_server *server, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	AUTO(drop_reply) redisReply *reply = ask(server, format, args);
	va_end(args);
	if (reply->type == REDIS_REPLY_INTEGER)
		return reply->integer;
	return reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
}
