/* exchange.h: one request and its answer, from the first byte read to the last byte written.
 *
 * Whoever has its connection has the exchange too: the loop while the request is read and while a
 * slow reader takes the answer, a handler's thread in between. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "http_body.h"
#include "http_head.h"

#include <sys/uio.h>

struct connection;

struct fn_exchange {
	struct fn_call call;
	struct fn_arena *arena;
	struct connection *connection;
	struct http_head head;
	struct http_body body;
	bool close;               /* the connection ends with this answer */
	bool streaming;           /* the answer is sent while it is made; see fn/stream.h */
	bool broken;              /* ...and could not be made whole */
	struct iovec out[2];      /* what is left to write: head, body */
	int64_t whole_us;         /* when the request was whole, on metrics_clock_us; 0: never */
	struct fn_exchange *next; /* in the line of those that wait for a handler */
};

/* An exchange lives in its own arena. */
struct fn_exchange *exchange_new(struct connection *);
void exchange_drop(struct fn_exchange *);

/* Another one for the same request, for an answer in its handler's place: made only of what the
 * handler cannot be changing. It borrows from the first one. */
struct fn_exchange *exchange_stand_in(const struct fn_exchange *);

/* Reads the head that starts at `text` and prepares for its body. */
bool exchange_read_head(
	struct fn_exchange *, struct fn_bytes text, size_t body_limit, struct http_refusal *);

/* Runs the handler, and makes the problem document of RFC 9457 out of its error. */
void exchange_run(struct fn_exchange *, fn_handler *, const void *with);

/* Answers with a problem document without any handler. */
void exchange_refuse(struct fn_exchange *, int status, const char *reason, unsigned retry_after_s);

/* Puts the answer into `out`, ready to be written. */
void exchange_compose(struct fn_exchange *);

#endif
