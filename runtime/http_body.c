#include "http_body.h"

#include <string.h>

#define FRAMING_MOST 16384 /* bytes of chunk extensions and trailers, all together */

static bool
refuse(struct http_refusal *refusal, int status, const char *reason)
{
	*refusal = (struct http_refusal){status, reason};
	return false;
}

bool
http_body_begin(struct http_body *body, const struct http_head *head, struct fn_arena *arena,
	size_t limit, struct http_refusal *refusal)
{
	*body = (struct http_body){.arena = arena, .limit = limit};
	if (head->chunked) {
		body->state = BODY_CHUNK_SIZE;
		return true;
	}
	if (head->content_length > limit)
		return refuse(refusal, 413, "the body is too large");
	body->state = head->content_length > 0 ? BODY_SIZED : BODY_DONE;
	body->left = head->content_length;
	body->room = (size_t)head->content_length;
	if (body->room > 0 && !(body->at = fn_arena_try(arena, body->room)))
		return refuse(refusal, 503, "there is no memory for the body");
	return true;
}

/* Room for a whole chunk, doubling, so that a body of many chunks is copied few times. */
static bool
make_room(struct http_body *body, struct http_refusal *refusal)
{
	size_t room = body->room * 2;
	char *at;

	if (body->left > body->limit - body->size)
		return refuse(refusal, 413, "the body is too large");
	if (body->left <= body->room - body->size)
		return true;
	if (room < body->size + body->left)
		room = body->size + (size_t)body->left;
	at = fn_arena_try(body->arena, room);
	if (!at)
		return refuse(refusal, 503, "there is no memory for the body");
	if (body->size > 0)
		memcpy(at, body->at, body->size);
	body->at = at;
	body->room = room;
	return true;
}

static size_t
take(struct http_body *body, struct fn_bytes stream)
{
	size_t size = stream.size < body->left ? stream.size : (size_t)body->left;

	memcpy(body->at + body->size, stream.at, size);
	body->size += size;
	body->left -= size;
	return size;
}

static bool
is_control(char c)
{
	return (unsigned char)c < ' ' && c != '\t';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 9112, 7.1.1: extensions are read over, so only their end must be beyond doubt. */
static bool
on_chunk_extension(struct http_body *body, char c, struct http_refusal *refusal)
{
	if (c == '\r')
		body->state = BODY_CHUNK_SIZE_LF;
	else if (++body->framing > FRAMING_MOST)
		return refuse(refusal, 431, "the chunk extensions are too large");
	else if (is_control(c))
		return refuse(refusal, 400, "a chunk's size ends without CR LF");
	return true;
}

/* Blanks may stand before an extension; anything else behind them could be taken for the size. */
static bool
on_chunk_size_end(struct http_body *body, char c, struct http_refusal *refusal)
{
	bool is_blank = c == ' ' || c == '\t';

	if (!is_blank && c != ';' && c != '\r')
		return refuse(refusal, 400, "a chunk's size is no hexadecimal number");
	body->state = is_blank ? BODY_CHUNK_SIZE_END : BODY_CHUNK_EXTENSION;
	return on_chunk_extension(body, c, refusal);
}

static bool
on_chunk_size(struct http_body *body, char c, struct http_refusal *refusal)
{
	int digit = hex_digit(c);

	if (digit >= 0 && body->digits < 15) {
		body->left = body->left * 16 + (unsigned)digit;
		body->digits++;
		return true;
	}
	if (body->digits == 0)
		return refuse(refusal, 400, "a chunk's size is no hexadecimal number");
	return on_chunk_size_end(body, c, refusal);
}

static bool
on_chunk_size_lf(struct http_body *body, char c, struct http_refusal *refusal)
{
	if (c != '\n')
		return refuse(refusal, 400, "a chunk's size ends without CR LF");
	body->digits = 0;
	body->trailer_line = 0;
	body->state = body->left > 0 ? BODY_CHUNK_DATA : BODY_TRAILER;
	return body->left == 0 || make_room(body, refusal);
}

static bool
on_chunk_data_end(struct http_body *body, char c, struct http_refusal *refusal)
{
	if (c != (body->state == BODY_CHUNK_DATA_CR ? '\r' : '\n'))
		return refuse(refusal, 400, "a chunk is longer than its size");
	body->state = body->state == BODY_CHUNK_DATA_CR ? BODY_CHUNK_DATA_LF : BODY_CHUNK_SIZE;
	return true;
}

static bool
on_trailer(struct http_body *body, char c, struct http_refusal *refusal)
{
	if (c == '\r')
		body->state = BODY_TRAILER_LF;
	else if (++body->framing > FRAMING_MOST)
		return refuse(refusal, 431, "the trailers are too large");
	else if (is_control(c))
		return refuse(refusal, 400, "a trailer ends without CR LF");
	else
		body->trailer_line++;
	return true;
}

static bool
on_trailer_lf(struct http_body *body, char c, struct http_refusal *refusal)
{
	if (c != '\n')
		return refuse(refusal, 400, "a trailer ends without CR LF");
	body->state = body->trailer_line > 0 ? BODY_TRAILER : BODY_DONE;
	body->trailer_line = 0;
	return true;
}

static bool
on_framing(struct http_body *body, char c, struct http_refusal *refusal)
{
	switch (body->state) {
	case BODY_CHUNK_SIZE:
		return on_chunk_size(body, c, refusal);
	case BODY_CHUNK_SIZE_END:
		return on_chunk_size_end(body, c, refusal);
	case BODY_CHUNK_EXTENSION:
		return on_chunk_extension(body, c, refusal);
	case BODY_CHUNK_SIZE_LF:
		return on_chunk_size_lf(body, c, refusal);
	case BODY_CHUNK_DATA_CR:
	case BODY_CHUNK_DATA_LF:
		return on_chunk_data_end(body, c, refusal);
	case BODY_TRAILER:
		return on_trailer(body, c, refusal);
	case BODY_TRAILER_LF:
		return on_trailer_lf(body, c, refusal);
	case BODY_SIZED:
	case BODY_CHUNK_DATA:
	case BODY_DONE:
		break;
	}
	return true;
}

enum http_found
http_body_feed(
	struct http_body *body, struct fn_bytes stream, size_t *used, struct http_refusal *refusal)
{
	size_t at = 0;

	while (at < stream.size && body->state != BODY_DONE) {
		if (body->state != BODY_SIZED && body->state != BODY_CHUNK_DATA) {
			if (!on_framing(body, stream.at[at++], refusal))
				return HTTP_REFUSED;
			continue;
		}
		at += take(body, (struct fn_bytes){stream.at + at, stream.size - at});
		if (body->left == 0)
			body->state = body->state == BODY_SIZED ? BODY_DONE : BODY_CHUNK_DATA_CR;
	}
	*used = at;
	return body->state == BODY_DONE ? HTTP_FOUND : HTTP_NEEDS_MORE;
}
