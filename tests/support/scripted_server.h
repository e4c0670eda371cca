/* scripted_server.h: an HTTP server inside the test that answers what a script says, and that can
 * do what no honest server does: cut an answer, stall in it, reset the connection.
 *
 * It listens on a free port of 127.0.0.1. Each request takes the next step of the script, over
 * all connections together; after the last step that one is repeated. Its threads do not survive
 * a fork: start it in the test itself or in a checked fixture. A setup that fails aborts.
 *
 *	const struct script script[] = {
 *		{.status = 429, .headers = "Retry-After: 1\r\n"},
 *		{.status = 200, .body = FN_BYTES("{\"half\":"), .missing = 40, .end = SCRIPT_CLOSE},
 *		{.end = SCRIPT_RESET},
 *		{.status = 200, .body = FN_BYTES("{}")},
 *	};
 *	struct scripted_server *server = scripted_server_start(script, 4); */
#ifndef SCRIPTED_SERVER_H
#define SCRIPTED_SERVER_H

#include "fn/bytes.h"

struct scripted_server;

enum script_end {
	SCRIPT_KEEP,  /* the connection waits for its next request */
	SCRIPT_CLOSE, /* it is closed in order */
	SCRIPT_STALL, /* it stays open, and silent, until the client hangs up */
	SCRIPT_RESET, /* it is closed by a TCP reset */
};

/* One answer. Bytes and text are borrowed until the server stops. */
struct script {
	int status;          /* 0: no status line and no head are sent, only the body as it is */
	const char *headers; /* more header lines, each with its "\r\n"; NULL: none */
	struct fn_bytes body;
	size_t missing;   /* Content-Length promises so many bytes more than the body has */
	unsigned wait_ms; /* before the first byte */
	bool held;        /* its first byte waits for scripted_server_release */
	enum script_end end;
};

struct scripted_server *scripted_server_start(const struct script *, size_t count);

/* The same for steps that do not live until the server stops: a test's own, before its teardown. */
struct scripted_server *scripted_server_start_copy(const struct script *, size_t count);

/* Ends all connections and frees all that was recorded. NULL is fine. */
void scripted_server_stop(struct scripted_server *);

/* Lets go of what is held, now and from now on. */
void scripted_server_release(struct scripted_server *);

unsigned scripted_server_port(const struct scripted_server *);
const char *scripted_server_url(const struct scripted_server *); /* "http://127.0.0.1:PORT" */

/* How many requests were read whole, and how many connections were accepted, so far. */
size_t scripted_server_requests(struct scripted_server *);
size_t scripted_server_connections(struct scripted_server *);

/* Waits until so many requests were read; that they do not come is the test's mistake. */
void scripted_server_wait(struct scripted_server *, size_t requests);

/* The nth request from 0 in order of arrival: its head and body as received, followed by a NUL
 * that does not count. One that has not come is the test's mistake. */
struct fn_bytes scripted_server_request(struct scripted_server *, size_t n);

#endif
