#include "domain/video_bell.h"

#include "fn/clock.h"

#include <inttypes.h>

#define QUEUED "phoenix.video.queued"

void
video_bell_ring(struct events *events, struct fn_call *call, struct fn_bytes job)
{
	char time[FN_TIMESTAMP_SIZE];
	int64_t now_ms = fn_unix_ms();
	struct fn_error why;

	fn_timestamp(now_ms, time);
	const struct fn_event event = {
		.id = fn_bytes(fn_textf(call->arena, "%.*s.%" PRId64, FN_ARG(job), now_ms)),
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

bool
video_bell_is(const struct fn_event *event)
{
	static const char *const types[] = {
		QUEUED,
		"phoenix.video.tick",
		"google.cloud.pubsub.topic.v1.messagePublished",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (fn_bytes_is(event->type, types[i]))
			return true;
	return false;
}
