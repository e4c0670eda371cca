/* http_body.h: the body of an HTTP/1.x request, sized or chunked, collected in an arena.
 *
 * Pure functions on bytes, no I/O. Source: RFC 9112, sections 6 and 7. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "http_head.h"

struct http_body {
	struct fn_arena *arena;
	size_t limit; /* bytes of the decoded body */
	char *at;     /* what has come so far */
	size_t size, room;
	uint64_t left; /* of the sized body or of the current chunk */
	enum {
		BODY_SIZED,
		BODY_CHUNK_SIZE,
		BODY_CHUNK_SIZE_END,
		BODY_CHUNK_EXTENSION,
		BODY_CHUNK_SIZE_LF,
		BODY_CHUNK_DATA,
		BODY_CHUNK_DATA_CR,
		BODY_CHUNK_DATA_LF,
		BODY_TRAILER,
		BODY_TRAILER_LF,
		BODY_DONE,
	} state;
	unsigned digits;     /* of the current chunk's size */
	size_t framing;      /* bytes spent on extensions and trailers: bounded */
	size_t trailer_line; /* bytes in the current trailer line */
};

/* Refused at once, with 413, where the head announces more than `limit` bytes; with 503 where
 * there is no memory for it. */
bool http_body_begin(struct http_body *, const struct http_head *, struct fn_arena *, size_t limit,
	struct http_refusal *);

/* Takes what it can use from the start of `stream`: *used bytes. HTTP_FOUND: the body is whole
 * and what is left of the stream is the next request. Trailers are read over. */
enum http_found http_body_feed(
	struct http_body *, struct fn_bytes stream, size_t *used, struct http_refusal *);

#endif
