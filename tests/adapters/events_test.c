/* What events.h promises, towards servers that answer what a script says. */
#include "adapters/events.h"

#include "adapters/wire/json.h"
#include "fn/base64.h"
#include "fn/clock.h"
#include "fn/json.h"
#include "tests/support/ports.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static const struct script answers[] = {{.status = 200, .body = FN_BYTES_INIT("{}")}};
static const struct script stalls[] = {{.status = 204, .end = SCRIPT_STALL, .missing = 1}};

static const struct fn_event bell = {
	.id = FN_BYTES_INIT("vid_1.\"7\""),
	.source = FN_BYTES_INIT("/api/video"),
	.type = FN_BYTES_INIT("phoenix.video.queued"),
	.time = FN_BYTES_INIT("2026-11-24T05:36:58.123Z"),
	.data_content_type = FN_BYTES_INIT("application/json"),
	.data = FN_BYTES_INIT("{\"job\":\"vid_1\"}"),
	.has_data = true,
};

static struct fn_http_client *http;
static struct google_credentials *credentials;
static struct scripted_server *server;
static struct events_config config;
static struct events *events;
static struct fn_call call;
static struct fn_error err;

static void
setup(void)
{
	const struct google_credentials_config none = {
		.key_file = "", .metadata_host = "127.0.0.1:1"};

	fn_log_level(FN_CRITICAL);
	call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 20000};
	ck_assert(fn_http_client_open(&http, &err));
	ck_assert(google_credentials_open(&credentials, &none, http, &err));
}

static void
teardown(void)
{
	events_close(events);
	scripted_server_stop(server);
	google_credentials_close(credentials);
	fn_http_client_close(http);
	fn_arena_drop(call.arena);
}

static bool
open_at(const char *url, const char *emulator_host)
{
	/* borrowed until the close, which some tests stop the server before */
	config = (struct events_config){
		fn_text(call.arena, fn_bytes(url)), fn_text(call.arena, fn_bytes(emulator_host))};
	return events_open(&events, &config, credentials, http, &err);
}

static void
open_http(const struct script *script)
{
	server = scripted_server_start(script, 1);
	ck_assert_msg(open_at(scripted_server_url(server), ""), "%s", err.message);
}

static void
open_pubsub(const struct script *script, size_t count)
{
	server = scripted_server_start(script, count);
	ck_assert_msg(open_at("pubsub:projects/demo-p/topics/bells",
			      scripted_server_url(server) + strlen("http://")),
		"%s", err.message);
}

static bool
publish(void)
{
	return events_publish(events, &call, &bell, &err);
}

/* The head and the JSON of the nth request. */
static const char *
request(size_t n, struct fn_bytes *body)
{
	scripted_server_wait(server, n + 1);
	struct fn_bytes whole = scripted_server_request(server, n);
	const char *end = strstr(whole.at, "\r\n\r\n");

	*body = fn_bytes(end + 4);
	ck_assert_msg(fn_json_read(*body, body, &err), "%s", err.message);
	return fn_text(call.arena, (struct fn_bytes){whole.at, (size_t)(end + 2 - whole.at)});
}

static void
must_have(struct fn_bytes object, const char *name, const char *text)
{
	struct fn_bytes found;

	ck_assert_msg(fn_json_text(object, name, call.arena, &found), "%s", name);
	ck_assert_bytes_eq(found, text);
}

/* ---- URLs ---------------------------------------------------------------------------------- */

/* A URL that names no place for events stops the program at start. */
START_TEST(url_is_refused)
{
	static const char *const urls[] = {"", "bells", "https://h", "http://", "http:///path",
		"pubsub:", "pubsub:bells", "pubsub:projects/p/topics/", "pubsub:projects//topics/t",
		"pubsub:projects/p/topics/t/u", "pubsub:projects/p/subscriptions/t",
		"pubsub:projects/p/topics/t?x", "pubsub:/projects/p/topics/t"};

	ck_assert(!open_at(urls[_i], ""));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strncmp(err.message, "EVENTS_URL: ", 12) == 0, "%s", err.message);
	ck_assert_ptr_null(events);
}
END_TEST

/* ---- Pub/Sub ------------------------------------------------------------------------------- */

/* The message has the event's data and, as attributes, what the CloudEvent is. */
START_TEST(event_becomes_a_message)
{
	struct fn_bytes body, list, message, attributes, text, name;
	char data[64];
	size_t size;

	open_pubsub(answers, 1);
	ck_assert_msg(publish(), "%s", err.message);
	const char *head = request(0, &body);

	ck_assert_msg(strncmp(head, "POST /v1/projects/demo-p/topics/bells:publish HTTP/", 51) == 0,
		"%s", head);
	ck_assert_ptr_nonnull(strcasestr(head, "content-type: application/json\r\n"));
	ck_assert_ptr_null(strcasestr(head, "authorization"));
	ck_assert(fn_json_member(body, "messages", &list));
	struct fn_json_items items = fn_json_items(list);
	ck_assert(fn_json_next(&items, &name, &message));
	ck_assert(!fn_json_next(&items, &name, &list));
	ck_assert(fn_json_text(message, "data", call.arena, &text));
	ck_assert(text.size < sizeof(data) && fn_base64_decode(text, data, &size));
	ck_assert_bytes_eq(((struct fn_bytes){data, size}), "{\"job\":\"vid_1\"}");
	ck_assert(fn_json_member(message, "attributes", &attributes));
	must_have(attributes, "ce-specversion", "1.0");
	must_have(attributes, "ce-id", "vid_1.\"7\"");
	must_have(attributes, "ce-source", "/api/video");
	must_have(attributes, "ce-type", "phoenix.video.queued");
	must_have(attributes, "ce-time", "2026-11-24T05:36:58.123Z");
	must_have(attributes, "content-type", "application/json");
	ck_assert(!fn_json_member(attributes, "ce-subject", &text));
}
END_TEST

static const struct {
	struct script script[2];
	size_t steps;
	enum fn_code code;
	const char *sentence;
} topics[] = {
	{{{.status = 503}, {.status = 200, .body = FN_BYTES_INIT("{}")}}, 2, FN_OK, ""},
	{{{.status = 404,
		 .body = FN_BYTES_INIT(
			 "{\"error\":{\"code\":404,\"message\":\"Topic not found\"}}")}},
		1, FN_UPSTREAM, "pubsub: 404: Topic not found"},
	{{{.status = 400}}, 1, FN_UPSTREAM, "pubsub: 400: "},
	{{{.status = 503}}, 1, FN_UPSTREAM, "pubsub: 503: "},
	{{{.end = SCRIPT_RESET}}, 1, FN_UPSTREAM, "pubsub: "},
	{{{.end = SCRIPT_STALL}}, 1, FN_DEADLINE, "pubsub: "},
};
/* What the topic says is passed on, after it has had another chance where that is of use. */
START_TEST(topic_may_fail)
{
	open_pubsub(topics[_i].script, topics[_i].steps);
	bool ok = publish();

	ck_assert_msg(ok == (topics[_i].code == FN_OK), "%s", err.message);
	if (!ok) {
		ck_assert_msg(err.code == topics[_i].code, "%d: %s", err.code, err.message);
		ck_assert_msg(
			strncmp(err.message, topics[_i].sentence, strlen(topics[_i].sentence)) == 0,
			"%s", err.message);
	}
}
END_TEST

/* Without credentials nothing is sent to Google itself, to which a proxy would be the way. */
START_TEST(google_wants_credentials)
{
	server = scripted_server_start(answers, 1);
	setenv("https_proxy", scripted_server_url(server), 1);
	ck_assert(open_at("pubsub:projects/demo-p/topics/bells", ""));
	call.deadline_ms = fn_now_ms() + 300;
	ck_assert(!publish());
	unsetenv("https_proxy");
	ck_assert_msg(strncmp(err.message, "pubsub: ", 8) == 0, "%s", err.message);
	ck_assert_uint_eq(scripted_server_connections(server), 0);
}
END_TEST

/* ---- HTTP ---------------------------------------------------------------------------------- */

/* The function gets the event as one, and is not waited for. */
START_TEST(event_is_posted)
{
	struct fn_bytes body, data;

	open_http(stalls);
	ck_assert_msg(publish(), "%s", err.message);
	const char *head = request(0, &body);

	ck_assert_msg(strncmp(head, "POST / HTTP/", 12) == 0, "%s", head);
	ck_assert_ptr_nonnull(strcasestr(head, "content-type: application/cloudevents+json\r\n"));
	must_have(body, "specversion", "1.0");
	must_have(body, "id", "vid_1.\"7\"");
	must_have(body, "type", "phoenix.video.queued");
	ck_assert(fn_json_member(body, "data", &data));
	must_have(data, "job", "vid_1");
}
END_TEST

/* The call may be over before its event is sent; its trace goes along. */
START_TEST(event_outlives_its_call)
{
	struct fn_bytes body;

	open_http(answers);
	struct fn_call brief = {.arena = fn_arena_new()};
	strcpy(brief.log.trace_id, "0123456789abcdef0123456789abcdef");
	fn_log_field(&brief, "user", fn_bytes_copy(brief.arena, FN_BYTES("user_1")));
	ck_assert(events_publish(events, &brief, &bell, &err));
	fn_arena_drop(brief.arena);
	memset(&brief, 0xa5, sizeof(brief));
	const char *head = request(0, &body);

	ck_assert_ptr_nonnull(
		strcasestr(head, "traceparent: 00-0123456789abcdef0123456789abcdef-"));
}
END_TEST

/* So many are on their way and no more; once they have arrived there is room again. */
START_TEST(events_do_not_pile_up)
{
	size_t sent = 0;

	open_http(stalls);
	while (publish())
		ck_assert_uint_lt(++sent, 1000);
	ck_assert_int_eq(err.code, FN_BUSY);
	ck_assert_uint_ge(sent, 16);
	scripted_server_stop(server);
	server = NULL;
	while (!publish())
		ck_assert(err.code == FN_BUSY && fn_time_left_ms(&call, 1) > 0);
}
END_TEST

/* That nobody listens is nobody's failure but the function's. */
START_TEST(nobody_may_listen)
{
	ck_assert(open_at(fn_textf(call.arena, "http://127.0.0.1:%u/", free_port()), ""));
	ck_assert_msg(publish(), "%s", err.message);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = url_is_refused, .rows = 13},
		{.test = event_becomes_a_message},
		{.test = topic_may_fail, .rows = COUNT(topics)},
		{.test = google_wants_credentials},
		{.test = event_is_posted},
		{.test = event_outlives_its_call},
		{.test = events_do_not_pile_up},
		{.test = nobody_may_listen},
	};

	return suite_run_with("events", cases, COUNT(cases), setup, teardown);
}
