/* Events as messages of a Pub/Sub topic, over REST.
 * Source: cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish; CloudEvents,
 * Google Cloud Pub/Sub protocol binding. */
#include "adapters/events_backend.h"
#include "adapters/google_api.h"
#include "fn/base64.h"
#include "fn/clock.h"

#include <string.h>

#define GOOGLE "https://pubsub.googleapis.com"
#define PUBLISH_MS 2000
#define ATTEMPTS 3
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~+%:-"

struct pubsub_events {
	struct events port;
	struct fn_arena *arena; /* holds this */
	const char *url;        /* of the topic's method publish */
	bool is_emulator;       /* asks for no credentials */
	struct google_credentials *credentials;
	struct fn_http_client *http;
};

/* ---- Open and close ------------------------------------------------------------------------ */

/* projects/P/topics/T */
static bool
is_topic(const char *name)
{
	struct fn_bytes rest = fn_bytes(name);

	return fn_bytes_is(fn_bytes_cut(&rest, '/'), "projects") &&
	       fn_bytes_consists_of(fn_bytes_cut(&rest, '/'), NAME_CHARACTERS) &&
	       fn_bytes_is(fn_bytes_cut(&rest, '/'), "topics") &&
	       fn_bytes_consists_of(rest, NAME_CHARACTERS);
}

static void
pubsub_close(struct events *self)
{
	fn_arena_drop(((struct pubsub_events *)self)->arena);
}

static bool
pubsub_open(struct events **opened, const struct events_config *config,
	struct google_credentials *credentials, struct fn_http_client *http, struct fn_error *err)
{
	const char *topic = config->url + strlen(events_pubsub.scheme);
	bool is_emulator = config->emulator_host[0] != '\0';

	if (!is_topic(topic))
		return fn_fail(err, FN_INVALID,
			"EVENTS_URL: \"%s\" is not of the form pubsub:projects/P/topics/T",
			config->url);
	struct fn_arena *arena = fn_arena_new();
	struct pubsub_events *events = fn_arena_alloc(arena, sizeof(*events));

	*events = (struct pubsub_events){
		.port.backend = &events_pubsub,
		.arena = arena,
		.url = fn_textf(arena, "%s%s/v1/%s:publish", is_emulator ? "http://" : GOOGLE,
			config->emulator_host, topic),
		.is_emulator = is_emulator,
		.credentials = credentials,
		.http = http,
	};
	*opened = &events->port;
	return true;
}

/* ---- Publish ------------------------------------------------------------------------------- */

static void
add_attribute(struct fn_builder *json, const char *name, struct fn_bytes value)
{
	if (value.size == 0)
		return;
	fn_addf(json, ",\"%s\":\"", name);
	fn_add_json(json, value);
	fn_add(json, FN_BYTES("\""));
}

/* The event's data is the message's, its attributes are the message's with "ce-" before them. */
static struct fn_bytes
message_of(const struct fn_event *event, struct fn_arena *arena)
{
	struct fn_builder json = {.arena = arena};

	fn_add(&json, FN_BYTES("{\"messages\":[{\"data\":\""));
	fn_add(&json, fn_base64_encode(event->data, arena));
	fn_add(&json, FN_BYTES("\",\"attributes\":{\"ce-specversion\":\"1.0\""));
	add_attribute(&json, "ce-id", event->id);
	add_attribute(&json, "ce-source", event->source);
	add_attribute(&json, "ce-type", event->type);
	add_attribute(&json, "ce-subject", event->subject);
	add_attribute(&json, "ce-time", event->time);
	add_attribute(&json, "content-type", event->data_content_type);
	fn_add(&json, FN_BYTES("}}]}"));
	return fn_built(&json);
}

static bool
send(struct pubsub_events *events, struct fn_call *call, const struct fn_http_request *request,
	struct fn_http_response *response, struct fn_error *err)
{
	if (events->is_emulator)
		return fn_http_send(events->http, call, request, response, err);
	return google_api_send(events->credentials, events->http, call, request, response, err);
}

static bool
pubsub_publish(struct events *self, struct fn_call *call, const struct fn_event *event,
	struct fn_error *err)
{
	static const struct fn_header headers[] = {
		{FN_BYTES_INIT("Content-Type"), FN_BYTES_INIT("application/json")}};
	struct pubsub_events *events = (struct pubsub_events *)self;
	struct fn_call brief = *call;
	const struct fn_http_request request = {
		.method = "POST",
		.url = events->url,
		.headers = headers,
		.header_count = 1,
		.body = message_of(event, call->arena),
		.attempts = ATTEMPTS,
	};
	struct fn_http_response response;

	brief.deadline_ms = fn_now_ms() + fn_time_left_ms(call, PUBLISH_MS);
	if (!send(events, &brief, &request, &response, err))
		return fn_wrap(err, "pubsub");
	if (response.status != 200)
		return fn_fail(err, FN_UPSTREAM, "pubsub: %d: %.*s", response.status,
			FN_ARG(google_api_message(call, &response)));
	return true;
}

const struct events_backend events_pubsub = {
	.scheme = "pubsub:",
	.open = pubsub_open,
	.close = pubsub_close,
	.publish = pubsub_publish,
};
