/* server.h: one loop, many connections, few handlers.
 *
 * The loop reads requests and finishes answers, on epoll. At most `concurrency` handlers run at the
 * same time, each on a thread of its own or, while they are quick, on that of the loop; they write
 * their answer themselves as far as the socket takes it. So a slow client never holds a handler,
 * and a slow handler never holds a socket. */
#ifndef SERVER_H
#define SERVER_H

#include "fn/call.h"

/* How long a connection may stay as it is. */
struct server_timeouts {
	long head_ms;   /* from the first byte of a head to its last */
	long body_ms;   /* for each 16 KiB of a body, or the rest of it */
	long write_ms;  /* without a byte taken of the answer */
	long idle_ms;   /* without a request */
	long linger_ms; /* after the last answer */
	long drain_ms;  /* in all, once the server is to stop */
};

extern const struct server_timeouts server_timeouts; /* the usual ones */

struct server_options {
	const char *host; /* to listen on; empty: every address of the machine */
	long port;
	long admin_port; /* where GET /metrics is answered; 0: nowhere */
	long concurrency;
	long request_timeout_ms;
	long wait_ms; /* a request waits so long for a handler before it is answered 503 */
	size_t waiting_most;
	size_t quick_calls; /* in a row, before the loop calls the handler itself; see pool.h */
	size_t body_limit;
	const char *probe_path;     /* where GET says whether the server serves; empty: nowhere */
	const char *ignored_routes; /* "/a|/b": paths that are answered 404 without a call */
	bool log_execution_id;
	struct server_timeouts timeouts;
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
