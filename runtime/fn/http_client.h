/* http_client.h: calls to other services, within the deadline of the call they serve.
 *
 * One client serves all threads of a process and keeps connections open between calls. The
 * trace context of `call` is sent along (W3C traceparent). Redirects are not followed.
 * Backend: libcurl. */
#ifndef FN_HTTP_CLIENT_H
#define FN_HTTP_CLIENT_H

#include "fn/call.h"

struct fn_http_client;

FN_MUST bool fn_http_client_open(struct fn_http_client **, struct fn_error *);
void fn_http_client_close(struct fn_http_client *);

/* Bytes of known size that are read when they are needed: anywhere, and more than once. */
struct fn_source {
	uint64_t size;
	/* Reads all of the `size` bytes at `offset`, of which none is beyond the end. */
	bool (*read)(void *with, uint64_t offset, char *into, size_t size, struct fn_error *);
	void *with;
};

/* Takes bytes in the order in which they come. */
struct fn_sink {
	bool (*write)(void *with, struct fn_bytes piece, struct fn_error *);
	void *with;
};

struct fn_http_request {
	const char *method;              /* NULL: GET */
	const char *url;                 /* sent as it is: no normalisation of its path */
	const struct fn_header *headers; /* those with an empty name are skipped */
	size_t header_count;
	struct fn_bytes body;
	const struct fn_source *source; /* NULL, or the body: read while it is sent */
	const struct fn_sink *sink;     /* NULL, or what takes the body of a 2xx, of any size */
	size_t max_response; /* bytes of a body in memory; 0: 1 MiB. A larger one is FN_UPSTREAM */
	unsigned timeout_ms; /* for one attempt; 0: 30 s. The call's deadline ends it earlier */
	unsigned attempts;   /* 0 or 1: one try. More: see below */
	bool direct;         /* never through a proxy (metadata server) */
	bool *sent;          /* NULL, or for what must not be done twice: see below */
};

struct fn_http_response {
	int status;
	char *body; /* in call->arena, the caller's to change in place; followed by a NUL;
		       empty where it went into a sink */
	size_t size;
	const struct fn_header *headers;
	size_t header_count;
};

/* True once there is an answer, whatever its status. False: FN_DEADLINE when time ran out (the
 * request may have been carried out all the same), FN_UPSTREAM for all other failures of
 * transport; the message names the host, never the query or the body.
 *
 * With attempts > 1, failures of transport and the statuses 408, 429, 500, 502, 503, 504 are
 * tried again while the deadline allows: after Retry-After where the answer has one, else after
 * an exponential, jittered wait. The last answer is returned as it is. Ask for it only where
 * repeating the request is safe. Also without it, a request on a connection that the other side
 * has just given up (it is closed with no byte of an answer) is sent anew on a fresh one.
 *
 * With `sent`, a request goes out once, on a connection of its own, whatever happens. Success or
 * not, *sent says afterwards whether the other side may have got it.
 *
 * An error of a source or a sink is the request's own. Once a sink has got a piece nothing is tried
 * again; where the answer then breaks off, what it got is to be thrown away. */
FN_MUST bool fn_http_send(struct fn_http_client *, struct fn_call *, const struct fn_http_request *,
	struct fn_http_response *, struct fn_error *);

/* The first header of this name (any case), empty where absent. */
struct fn_bytes fn_http_header(const struct fn_http_response *, const char *name);

#endif
