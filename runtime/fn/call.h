/* call.h: one invocation of a handler: what was asked, and what to answer.
 *
 * All bytes in a call are borrowed until the handler returns and live in the connection's
 * buffers or in call->arena. A handler answers with fn_reply (or by returning false, which the
 * runtime turns into an RFC 9457 problem document). The answer is sent after it has returned.
 * A call made of nothing but an arena and a body is enough to run a handler in a test. */
#ifndef FN_CALL_H
#define FN_CALL_H

#include "fn/arena.h"
#include "fn/bytes.h"
#include "fn/error.h"
#include "fn/log.h"

#include <stdint.h>

struct fn_header {
	struct fn_bytes name, value;
};

struct fn_param {
	struct fn_bytes name, value; /* of a {name} in the route's path; value percent-decoded */
};

struct fn_exchange; /* the runtime's side of a call: its connection */

struct fn_call {
	struct fn_bytes method;          /* "POST" */
	struct fn_bytes path;            /* as received, still percent-encoded; starts with '/' */
	struct fn_bytes query;           /* as received, without '?' */
	const struct fn_header *headers; /* in order, duplicates kept; names as received */
	size_t header_count;
	struct fn_bytes body;
	struct fn_param params[4]; /* filled by fn_route */
	size_t param_count;

	struct fn_arena *arena;
	int64_t deadline_ms; /* on fn_now_ms()'s clock; 0: none */
	struct fn_log_context log;

	struct fn_answer {
		int status; /* 0: nothing answered yet */
		struct fn_header headers[16];
		size_t header_count;
		struct fn_bytes body; /* must live until the arena is dropped, or be static */
	} answer;

	struct fn_exchange *exchange; /* NULL in a test without a server */
};

/* `with` is what main.c registered beside the handler: the services it uses. */
typedef bool fn_handler(struct fn_call *, const void *with, struct fn_error *);

/* The first header of this name (any case), empty where absent. */
struct fn_bytes fn_header(const struct fn_call *, const char *name);

/* The value of a {name} in the route's path. Asking for a name that the route lacks is our bug. */
struct fn_bytes fn_param(const struct fn_call *, const char *name);

/* The first value of a query parameter, percent-decoded, '+' as a blank; false where absent. */
bool fn_query(const struct fn_call *, const char *name, struct fn_bytes *value);

/* Milliseconds left until the deadline, at most `most_ms`; 0 when it has passed. */
int64_t fn_time_left_ms(const struct fn_call *, int64_t most_ms);

/* Whether nobody waits for the answer any more, so that work for it alone can stop early: the
 * client has hung up, or was told after the deadline that this takes too long. */
bool fn_client_gone(const struct fn_call *);

/* Whether the process is to end (SIGTERM): what needs more than a few seconds yet should be handed
 * back now, so that another process can go on with it. */
bool fn_stopping(const struct fn_call *);

/* Sets the answer. Content-Type is application/json unless fn_reply_header set another. */
FN_MUST bool fn_reply(struct fn_call *, int status, struct fn_bytes body, struct fn_error *);

/* Adds a header to the answer. The value is copied; CR, LF and NUL in it are refused. */
FN_MUST bool fn_reply_header(
	struct fn_call *, const char *name, struct fn_bytes value, struct fn_error *);

/* Whether the answer has a header of this name (any case). */
bool fn_reply_has(const struct fn_call *, const char *name);

#endif
