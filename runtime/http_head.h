/* http_head.h: the head of an HTTP/1.x request: found in a stream, then read strictly.
 *
 * Pure functions on bytes, no I/O. Everything that could be read in two ways is refused, so that
 * no proxy in front of us can see other requests than we do.
 * Source: RFC 9110, RFC 9112. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "fn/call.h"

#define HTTP_HEAD_MOST 65536   /* bytes of a whole head */
#define HTTP_TARGET_MOST 16384 /* bytes of the request target */
#define HTTP_HEADERS_MOST 128

/* Why a request is refused: the status to answer and a sentence for the client. */
struct http_refusal {
	int status; /* 0: not refused */
	const char *reason;
};

struct http_head {
	struct fn_bytes method, path, query;
	struct fn_bytes authority; /* of a target in absolute form; Host has it as well */
	struct fn_header *headers;
	size_t header_count;
	bool http_1_0;
	bool keep_alive;
	bool expects_continue;
	bool chunked;
	uint64_t content_length; /* 0 where there is none */
};

enum http_found {
	HTTP_FOUND,
	HTTP_NEEDS_MORE,
	HTTP_REFUSED,
};

/* Looks for the empty line that ends the head. `scanned` says how many bytes earlier calls have
 * looked at (start with 0) and keeps a long, slow head from being searched again and again.
 * HTTP_FOUND: *size is the size of the head with its empty line. */
enum http_found http_head_find(
	struct fn_bytes stream, size_t *scanned, size_t *size, struct http_refusal *);

/* Reads a whole head. Everything in `head` points into `text`, headers live in the arena. */
bool http_head_read(
	struct http_head *head, struct fn_bytes text, struct fn_arena *, struct http_refusal *);

#endif
