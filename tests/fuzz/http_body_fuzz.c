/* The first byte says where the stream is cut, the second one how long the body is said to be (0:
 * it is chunked), the others are the stream. */
#include "http_body.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 200

struct outcome {
	struct fn_arena *arena;
	struct http_body body;
	struct http_refusal refusal;
	enum http_found found;
	size_t used;
};

static void
read_body(struct outcome *outcome, const struct http_head *head, struct fn_bytes stream,
	size_t first, size_t step)
{
	size_t come = first;

	outcome->arena = fn_arena_new();
	outcome->found = HTTP_REFUSED;
	if (!http_body_begin(&outcome->body, head, outcome->arena, LIMIT, &outcome->refusal))
		return;
	for (;; come = come + step < stream.size ? come + step : stream.size) {
		struct fn_bytes piece = {stream.at + outcome->used, come - outcome->used};
		char *copy = fuzz_copy(piece);
		size_t used = 0;

		outcome->found = http_body_feed(&outcome->body, (struct fn_bytes){copy, piece.size},
			&used, &outcome->refusal);
		free(copy);
		outcome->used += used;
		assert(outcome->body.size <= LIMIT);
		if (outcome->found != HTTP_NEEDS_MORE || come == stream.size)
			return;
		assert(outcome->used == come);
	}
}

static void
assert_same(const struct outcome *a, const struct outcome *b)
{
	assert(a->found == b->found && a->refusal.status == b->refusal.status);
	if (a->found != HTTP_FOUND)
		return;
	assert(a->used == b->used);
	assert(fn_bytes_equal((struct fn_bytes){a->body.at, a->body.size},
		(struct fn_bytes){b->body.at, b->body.size}));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct outcome whole = {0}, cut = {0}, trickled = {0};
	struct http_head head = {0};
	struct fn_bytes stream;

	if (size < 2)
		return 0;
	stream = (struct fn_bytes){(const char *)bytes + 2, size - 2};
	head.content_length = bytes[1];
	head.chunked = bytes[1] == 0;
	read_body(&whole, &head, stream, stream.size, 1);
	read_body(
		&cut, &head, stream, bytes[0] < stream.size ? bytes[0] : stream.size, stream.size);
	read_body(&trickled, &head, stream, 0, 1);
	assert_same(&whole, &cut);
	assert_same(&whole, &trickled);
	if (whole.found == HTTP_FOUND && !head.chunked) {
		assert(whole.used == head.content_length && whole.body.size == whole.used);
		assert(memcmp(whole.body.at, stream.at, whole.used) == 0);
	}
	fn_arena_drop(whole.arena);
	fn_arena_drop(cut.arena);
	fn_arena_drop(trickled.arena);
	return 0;
}
