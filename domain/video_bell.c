#include "domain/video_bell.h"

#include "fn/base64.h"
#include "fn/clock.h"
#include "fn/json.h"

#include <stdlib.h>

#define QUEUED "phoenix.video.queued"
#define TICK "phoenix.video.tick"

void
video_bell_ring(struct events *events, struct fn_call *call, struct fn_bytes job)
{
	char time[FN_TIMESTAMP_SIZE];
	struct fn_error why;

	fn_timestamp(fn_unix_ms(), time);
	const struct fn_event event = {
		.id = fn_bytes(fn_textf(call->arena, "%08x%08x", arc4random(), arc4random())),
		.source = FN_BYTES("/api/video"),
		.type = FN_BYTES(QUEUED),
		.time = fn_bytes(time),
		.data_content_type = FN_BYTES("application/json"),
		.data = fn_bytes(fn_textf(call->arena, "{\"job\":\"%.*s\"}", FN_ARG(job))),
		.has_data = true,
	};
	if (!events_publish(events, call, &event, &why) && why.code != FN_BUSY)
		fn_log(call, FN_WARNING, "no worker was rung for: %s", why.message);
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* What is in a message of Pub/Sub's; empty where it has attributes alone. */
static bool
unwrap(struct fn_bytes data, struct fn_arena *arena, struct fn_bytes *content)
{
	struct fn_bytes json, message, text = {0};
	struct fn_error ignored;
	size_t size;

	if (!fn_json_read(data, &json, &ignored) || !fn_json_member(json, "message", &message))
		return false;
	if (fn_json_member(message, "data", &json) && !fn_json_string(json, arena, &text))
		return false;
	char *bytes = fn_text(arena, text);
	if (!fn_base64_decode(text, bytes, &size))
		return false;
	*content = (struct fn_bytes){bytes, size};
	return true;
}

bool
video_bell_read(const struct fn_event *event, struct fn_arena *arena, struct fn_bytes *job)
{
	struct fn_bytes content = event->data, json;
	struct fn_error ignored;

	if (fn_bytes_is(event->type, "google.cloud.pubsub.topic.v1.messagePublished")) {
		if (!unwrap(event->data, arena, &content))
			return false;
	} else if (!fn_bytes_is(event->type, QUEUED) && !fn_bytes_is(event->type, TICK)) {
		return false;
	}
	if (!fn_json_read(content, &json, &ignored) || !fn_json_text(json, "job", arena, job))
		*job = (struct fn_bytes){0};
	return true;
}
