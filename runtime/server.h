/* server.h: one loop, many connections, few handlers.
 *
 * The loop is one thread on epoll that reads requests and finishes answers; handlers run on a
 * pool of at most `concurrency` threads and write their answer themselves as far as the socket
 * takes it. So a slow client never holds a handler, and a slow handler never holds a socket. */
#ifndef SERVER_H
#define SERVER_H

#include "fn/call.h"

struct server_options {
	const char *host; /* to listen on; empty: every address of the machine */
	long port;
	long concurrency;
	long request_timeout_ms;
	long wait_ms; /* a request waits so long for a handler before it is answered 503 */
	size_t waiting_most;
	size_t body_limit;
	fn_handler *handler;
	const void *with;
};

struct server;

/* Listens. The options must outlive the server. */
FN_MUST bool server_open(struct server **, const struct server_options *, struct fn_error *);

/* Serves until SIGTERM or SIGINT, then finishes what it has begun. True: all of it was finished,
 * and no thread of the server runs any more. A second signal ends the process at once. */
bool server_run(struct server *);
void server_close(struct server *);

#endif
