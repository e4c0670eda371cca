/* server_parts.h: what the parts of the server share.
 *
 *	server.c           connections come and go, and the loop turns
 *	server_calls.c     a connection's requests become calls, and calls answers
 *	server_timeouts.c  who has waited, or has been waited for, too long
 *
 * All of it is the leader's (see pool.h) but for what is atomic, and `returned`. */
#ifndef SERVER_PARTS_H
#define SERVER_PARTS_H

#include "connection.h"
#include "metrics.h"
#include "pool.h"
#include "server.h"

#include <sys/epoll.h>

enum { PUBLIC, ADMIN, LISTENERS };

#define EVENTS 256

struct server {
	const struct server_options *options;
	int epoll, wake, signals;
	int listeners[LISTENERS]; /* -1: not listened to */
	struct metrics metrics;
	struct pool *pool;
	struct connection *connections; /* a list */
	size_t connection_count, connections_most;
	bool accepting;
	bool some_wait; /* for a handler that could be woken */
	int64_t swept_ms;
	atomic_bool draining;
	int64_t draining_since_ms;
	struct epoll_event events[EVENTS]; /* of this turn; those before event_at are dealt with */
	int event_count, event_at;
	int64_t turned_us;                     /* when they came */
	_Atomic(struct connection *) returned; /* a stack, pushed to by handlers' threads */
	char *scratch;                         /* of CONNECTION_SCRATCH bytes, to read into */
};

/* ---- server.c ------------------------------------------------------------------------------- */

void server_set_accepting(struct server *, bool accepting);
void server_drop_connection(struct server *, struct connection *);
/* What is ready comes up again, behind the others. */
void server_postpone(struct server *, struct connection *);

/* ---- server_calls.c ------------------------------------------------------------------------- */

/* Goes on with a connection as far as it goes without waiting; false when it has ended. Its calls
 * are for followers... */
bool server_go_on(struct server *, struct connection *);
/* ...but here the leader makes them itself as long as it may. False: another thread leads now. */
FN_MUST bool server_on_event(struct server *, struct connection *, uint32_t events);
/* Goes on with those that handlers have returned. */
void server_take_back(struct server *);
/* Refuses one that has waited, and has been taken from the line. */
void server_refuse_waiting(struct server *, struct connection *);
/* A follower: makes a call of the line. */
void server_call(struct fn_exchange *, void *server);

/* ---- server_timeouts.c ---------------------------------------------------------------------- */

void server_sweep(struct server *, int64_t now_ms);

#endif
