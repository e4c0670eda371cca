/* connection.h: one client: bytes in, requests out, answers back.
 *
 * A connection is the loop's, except while a handler holds it: from connection_lend until
 * connection_return. Only the members marked atomic may be touched by the other side; they are
 * how the loop tells of events meanwhile and how both agree on who answers. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "exchange.h"

#include <stdatomic.h>

struct connection {
	int fd;
	atomic_uint holding;      /* HELD and what has happened since; see connection.c */
	atomic_bool hung_up;      /* the client sends no more */
	atomic_llong deadline_ms; /* of the call that a handler works on */

	enum connection_phase {
		CONNECTION_READING,
		CONNECTION_WRITING,
		CONNECTION_LINGERING, /* answered for the last time; reading what is still under way
				       */
		CONNECTION_OVER,
	} phase;
	int64_t since_ms; /* last progress in this phase; in a head: its first byte */
	bool greeted;     /* has had an answer */
	struct fn_exchange *exchange;
	bool reading_body;
	bool more;  /* the last read took all it could, so there may be more */
	char *kept; /* read, and not used yet */
	size_t kept_size, scanned;

	struct connection *previous, *next; /* all connections */
	struct connection *next_returned;
};

struct connection *connection_new(int fd);
void connection_drop(struct connection *); /* closes the socket too */

enum connection_result {
	CONNECTION_BLOCKED, /* wait for the socket */
	CONNECTION_REQUEST, /* a whole request is in ->exchange */
	CONNECTION_REFUSED, /* ->exchange has a refusal for an answer */
	CONNECTION_DONE,    /* the answer is written */
	CONNECTION_CLOSED,  /* the client is gone, or as good as gone */
};

#define CONNECTION_SCRATCH (2 * HTTP_HEAD_MOST)

/* Reads as far as the socket and one request go. `scratch` has CONNECTION_SCRATCH bytes. */
enum connection_result connection_read(struct connection *, char *scratch, size_t body_limit);
/* Writes as much of the answer as the socket takes. */
enum connection_result connection_write(struct connection *);
/* Throws away what still comes in after the last answer, so that closing does not reset the
 * connection before the client has read that answer (RFC 9112, 9.6). */
enum connection_result connection_linger(struct connection *, char *scratch);

/* Answers the exchange with a refusal: phase and exchange are ready to be written. */
void connection_refuse(struct connection *, int status, const char *reason, unsigned retry_after_s);
/* The answer is written: make ready for the next request, or for the end. */
void connection_next(struct connection *);

/* ---- Who holds it --------------------------------------------------------------------------- */

/* The loop, before a handler gets the exchange. */
void connection_lend(struct connection *, int64_t deadline_ms);
/* The loop: whether a handler holds it; if so, it is told of the event when it returns it. */
bool connection_is_lent(struct connection *);
/* The loop: takes the right to answer away from the handler; false where it is answering. */
bool connection_expire(struct connection *);
/* The handler: false where the loop has answered in its place. */
bool connection_claim_answer(struct connection *);
/* The handler: true: the loop waits for the next event; false: something happened meanwhile (or
 * is to be done), and the loop must be told to take the connection back. */
bool connection_return(struct connection *);
/* The loop, when it takes a connection back. */
void connection_take_back(struct connection *);

#endif
