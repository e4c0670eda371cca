/* connection.h: one client: bytes in, requests out, answers back.
 *
 * A connection is the loop's, except while a handler holds it: from connection_lend until
 * connection_return. Only the atomic members may be touched by the other side meanwhile; they are
 * how the loop tells of events, and how both agree on who answers. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "exchange.h"

#include <stdatomic.h>

struct connection {
	int fd;
	bool is_admin;               /* came in by the admin port */
	atomic_uint holding;         /* HELD and what has happened since; see connection.c */
	atomic_bool hung_up;         /* the client sends no more */
	const atomic_bool *stopping; /* the server is */
	int64_t deadline_ms;         /* of the call that a handler works on */

	enum connection_phase {
		CONNECTION_READING,
		CONNECTION_WRITING,
		CONNECTION_LINGERING, /* has had its last answer */
		CONNECTION_OVER,
	} phase;
	int64_t since_ms; /* of the last progress; while a head comes in: of its first byte */
	bool greeted;     /* has had an answer */
	struct fn_exchange *exchange;
	bool reading_body;
	size_t body_counted; /* bytes of the body that had come at since_ms */
	bool more;           /* to read, perhaps: no read has emptied the socket since an event */
	char *kept;          /* owns what is unread */
	struct fn_bytes unread; /* received, and not used yet */
	size_t scanned;         /* bytes of it that do not end a head */

	struct connection *previous, *next; /* all connections */
	struct connection *next_returned;
};

struct connection *connection_new(int fd, const atomic_bool *stopping);
void connection_drop(struct connection *); /* closes the socket too */
/* From now on closing takes back what the client has not taken, which the kernel would keep. */
void connection_forget(struct connection *);

enum connection_result {
	CONNECTION_BLOCKED, /* wait for the socket */
	CONNECTION_MORE,    /* there may be more to read at once */
	CONNECTION_REQUEST, /* a whole request is in ->exchange */
	CONNECTION_REFUSED, /* ->exchange has a refusal for an answer */
	CONNECTION_DONE,    /* the answer is written */
	CONNECTION_CLOSED,  /* the client is gone, or as good as gone */
};

#define CONNECTION_SCRATCH (2 * HTTP_HEAD_MOST)

/* Takes a request from what is unread, else from one read of the socket. `scratch` has
 * CONNECTION_SCRATCH bytes. */
enum connection_result connection_read(struct connection *, char *scratch, size_t body_limit);
/* Writes as much of the answer as the socket takes. */
enum connection_result connection_write(struct connection *);
/* Throws away what still comes in after the last answer, so that closing does not reset the
 * connection before the client has read that answer (RFC 9112, 9.6). */
enum connection_result connection_linger(struct connection *, char *scratch);

/* Makes the answer's bytes. While stopping it is the last where nothing has come in behind it. */
void connection_compose(struct connection *);
/* The exchange has its answer: make it ready to be written. */
void connection_answer(struct connection *);
/* Answers with a problem document instead of what the client asked for. */
void connection_refuse(struct connection *, int status, const char *reason, unsigned retry_after_s);
/* The answer is written: make ready for the next request, or for the end. */
void connection_next(struct connection *);

/* ---- Who holds it --------------------------------------------------------------------------- */

/* The loop, before a handler gets the exchange. */
void connection_lend(struct connection *, int64_t deadline_ms);
/* The loop, at an event: false where a handler holds it, which learns of the event at its end. */
bool connection_on_event(struct connection *);
/* The loop: answers in the handler's place, for the last time, and says so in the log. The handler
 * keeps its exchange. Does nothing where the handler is answering, or the loop has done so. */
void connection_expire(struct connection *, int status, const char *reason);
/* The handler: whether the loop has answered in its place. */
bool connection_is_expired(const struct connection *);
/* The handler: false where the loop has answered in its place. */
bool connection_claim_answer(struct connection *);
/* The handler: true: the connection is the loop's again, which waits for an event. False: something
 * has happened meanwhile, and the loop must be told to take the connection back. */
bool connection_return(struct connection *);
/* The loop, when it takes a connection back. */
void connection_take_back(struct connection *);

#endif
