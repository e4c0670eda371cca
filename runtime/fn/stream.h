/* stream.h: an answer that is sent while it is made: large ones, and server-sent events.
 *
 * After fn_stream_begin the status is on its way: a handler that then fails can only break the
 * connection off, which tells the client that the answer is not whole. */
#ifndef FN_STREAM_H
#define FN_STREAM_H

#include "fn/call.h"

/* Sends the head, with the headers set by fn_reply_header; instead of fn_reply. The body is chunked
 * where the client speaks HTTP/1.1 and ends with the connection where it does not. */
FN_MUST bool fn_stream_begin(struct fn_call *, int status, struct fn_error *);

/* Sends a piece now. Waits while the client is slower than the handler, so memory does not grow;
 * FN_CLIENT_GONE when it has hung up or takes nothing for a minute, FN_DEADLINE at the deadline. */
FN_MUST bool fn_stream_write(struct fn_call *, struct fn_bytes piece, struct fn_error *);

/* One server-sent event (text/event-stream); `event` may be empty. Lines of `data` are split as
 * the format wants. Source: html.spec.whatwg.org, 9.2. */
FN_MUST bool fn_stream_event(
	struct fn_call *, struct fn_bytes event, struct fn_bytes data, struct fn_error *);

#endif
