/* The first byte says where the stream is cut, the others are the stream. */
#include "http_head.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct outcome {
	enum http_found found;
	struct http_refusal refusal;
	size_t size;
	struct http_head head;
};

static void
find(struct outcome *outcome, struct fn_bytes stream, size_t first, size_t step)
{
	size_t scanned = 0, come = first;

	do {
		char *piece = fuzz_copy((struct fn_bytes){stream.at, come});

		outcome->found = http_head_find((struct fn_bytes){piece, come}, &scanned,
			&outcome->size, &outcome->refusal);
		free(piece);
		assert(outcome->found != HTTP_NEEDS_MORE || scanned == come);
		come = come + step < stream.size ? come + step : stream.size;
	} while (outcome->found == HTTP_NEEDS_MORE && scanned < stream.size);
}

static void
assert_header_is_clean(const struct fn_header *header)
{
	assert(header->name.size > 0);
	for (size_t i = 0; i < header->name.size; i++)
		assert(header->name.at[i] > ' ' && header->name.at[i] != ':');
	for (size_t i = 0; i < header->value.size; i++)
		assert(!strchr("\r\n", header->value.at[i])); /* which finds NUL as well */
}

static void
assert_head_is_sane(const struct http_head *head)
{
	unsigned hosts = 0, framings = 0;

	assert(head->method.size > 0);
	assert(fn_bytes_starts(head->path, "/") ||
		(fn_bytes_is(head->path, "*") && fn_bytes_is(head->method, "OPTIONS")));
	assert(head->path.size + head->query.size <= HTTP_TARGET_MOST);
	assert(head->header_count <= HTTP_HEADERS_MOST);
	assert(head->content_length <= INT64_MAX);
	for (size_t i = 0; i < head->header_count; i++) {
		assert_header_is_clean(&head->headers[i]);
		hosts += fn_bytes_is_nocase(head->headers[i].name, "Host");
		framings += fn_bytes_is_nocase(head->headers[i].name, "Content-Length") ||
			    fn_bytes_is_nocase(head->headers[i].name, "Transfer-Encoding");
	}
	assert(hosts == 1 || (hosts == 0 && head->http_1_0));
	assert(framings <= 1);
	assert(!head->chunked || framings == 1);
}

static void
read_head(struct fn_bytes stream, struct outcome *outcome)
{
	char *text = fuzz_copy((struct fn_bytes){stream.at, outcome->size});
	struct fn_arena *arena = fn_arena_new();

	assert(outcome->size <= stream.size && outcome->size <= HTTP_HEAD_MOST);
	assert(outcome->size >= 4 && memcmp(text + outcome->size - 4, "\r\n\r\n", 4) == 0);
	if (http_head_read(&outcome->head, (struct fn_bytes){text, outcome->size}, arena,
		    &outcome->refusal))
		assert_head_is_sane(&outcome->head);
	else
		assert(outcome->refusal.status >= 400 && outcome->refusal.reason);
	fn_arena_drop(arena);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct outcome whole = {0}, cut = {0}, trickled = {0};
	struct fn_bytes stream;

	if (size == 0)
		return 0;
	stream = (struct fn_bytes){(const char *)bytes + 1, size - 1};
	find(&whole, stream, stream.size, 1);
	find(&cut, stream, bytes[0] < stream.size ? bytes[0] : stream.size, stream.size);
	if (size < 1024) /* it takes the square of the time */
		find(&trickled, stream, 0, 1);
	else
		trickled = whole;
	assert(whole.found == cut.found && whole.found == trickled.found);
	assert(whole.size == cut.size && whole.size == trickled.size);
	assert(whole.refusal.status == cut.refusal.status);
	assert(whole.refusal.status == trickled.refusal.status);
	if (whole.found == HTTP_FOUND)
		read_head(stream, &whole);
	return 0;
}
