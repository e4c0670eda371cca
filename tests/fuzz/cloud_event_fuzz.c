/* A request of header lines, an empty line and a body. Every event that comes out of it has what
 * an event needs, and its JSON form reads as the same event again. */
#include "fn/cloud_event.h"
#include "fn/json.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#define HEADERS_MOST 64

/* "Name: value" up to an empty line; what is left is the body. */
static void
read_headers(struct fn_call *call, struct fn_header *headers)
{
	while (call->body.size > 0 && call->header_count < HEADERS_MOST) {
		struct fn_bytes value = fn_bytes_cut(&call->body, '\n');
		struct fn_bytes name = fn_bytes_cut(&value, ':');

		if (name.size == 0)
			return;
		headers[call->header_count++] = (struct fn_header){name, fn_bytes_trim(value)};
	}
}

/* The event's form nests its data, so that it may be one deeper than JSON may be. */
static bool
is_readable(struct fn_bytes json)
{
	struct fn_bytes value;
	struct fn_error err;

	return fn_json_read(json, &value, &err);
}

static void
check_event(const struct fn_event *event, struct fn_arena *arena)
{
	const struct fn_header header = {
		FN_BYTES("Content-Type"), FN_BYTES("application/cloudevents+json")};
	struct fn_call call = {.arena = arena,
		.headers = &header,
		.header_count = 1,
		.body = fn_event_json(event, arena)};
	const struct fn_event *again;
	struct fn_error err;
	size_t count;

	assert(event->id.size > 0 && event->source.size > 0 && event->type.size > 0);
	if (!is_readable(call.body))
		return;
	assert(fn_events_read(&call, &again, &count, &err) && count == 1);
	assert(fn_bytes_equal(fn_event_json(again, arena), call.body));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fn_header headers[HEADERS_MOST];
	struct fn_call call = {.arena = fn_arena_new(),
		.path = FN_BYTES("/projects/p/topics/t"),
		.headers = headers,
		.body = {(const char *)bytes, size}};
	const struct fn_event *events;
	struct fn_error err;
	size_t count;

	read_headers(&call, headers);
	if (fn_events_read(&call, &events, &count, &err)) {
		for (size_t i = 0; i < count; i++)
			check_event(&events[i], call.arena);
	}
	fn_arena_drop(call.arena);
	return 0;
}
