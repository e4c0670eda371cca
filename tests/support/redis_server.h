/* redis_server.h: a real redis-server beside the tests.
 *
 * It is a child process on a free port of 127.0.0.1, keeps its data in a temporary folder and is
 * taken along by a test that dies. REDIS_SERVER names another program, say valkey-server. A setup
 * that fails aborts, and says why. */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include "fn/arena.h"

#include <hiredis/hiredis.h>
#include <stdint.h>
#include <sys/types.h>

struct redis_server;

/* `options` are further words of its command line, up to a NULL; NULL: none. Persistence is off
 * unless they say otherwise. */
struct redis_server *redis_server_start(const char *const *options);
void redis_server_stop(struct redis_server *); /* NULL is fine */

const char *redis_server_url(const struct redis_server *); /* "redis://127.0.0.1:PORT/0" */
const char *redis_server_folder(const struct redis_server *);
unsigned redis_server_port(const struct redis_server *);
pid_t redis_server_pid(const struct redis_server *);

/* Ends it by SIGKILL; and starts it again with what it had written, on the same port. */
void redis_server_kill(struct redis_server *);
void redis_server_revive(struct redis_server *);

/* One command over a connection of its own. The reply is for freeReplyObject; what fails aborts,
 * an error of the command's own does not. */
redisReply *redis_server_ask(struct redis_server *, const char *format, ...);
FN_DROP(drop_reply, redisReply *, freeReplyObject)

/* The same where the answer is a number. */
int64_t redis_server_number(struct redis_server *, const char *format, ...);

#endif
