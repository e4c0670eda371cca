#include "fn/cloud_event.h"
#include "fn/json.h"
#include "tests/support/suite.h"

#include <string.h>

#define HEADERS_MOST 8
#define STRUCTURED "application/cloudevents+json"
#define BATCH "application/cloudevents-batch+json"
#define BINARY "ce-specversion: 1.0\nce-id: 1\nce-source: /s\nce-type: t\n"

static struct fn_arena *arena;
static struct fn_header headers[HEADERS_MOST];

static void
arena_open(void)
{
	arena = fn_arena_new();
}

static void
arena_close(void)
{
	fn_arena_drop(arena);
}

/* `text` has "Name: value" lines. */
static struct fn_call
request(const char *text, struct fn_bytes body)
{
	struct fn_call call = {.arena = arena,
		.method = FN_BYTES("POST"),
		.path = FN_BYTES("/"),
		.headers = headers,
		.body = body};
	struct fn_bytes rest = fn_bytes(text);

	while (rest.size > 0) {
		struct fn_bytes value = fn_bytes_cut(&rest, '\n'), name = fn_bytes_cut(&value, ':');

		ck_assert_uint_lt(call.header_count, HEADERS_MOST);
		headers[call.header_count++] = (struct fn_header){name, fn_bytes_trim(value)};
	}
	return call;
}

/* ---- What comes in well ------------------------------------------------------------------ */

static const struct {
	const char *name, *headers, *body;
	const char *event; /* in the JSON format */
} good[] = {
	{"binary", BINARY "Content-Type: application/json\n", "{\"a\":1}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
		"\"datacontenttype\":\"application/json\",\"data\":{\"a\":1}}"},
	{"binary, any case, all attributes",
		"CE-SpecVersion: 1.0\nCe-Id: 1\nce-SOURCE: /s\nce-type: t\nce-subject: x\n"
		"ce-time: 2026-11-24T05:36:58.5+01:00\nce-dataschema: /d\nce-More1: y\n",
		"",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
		"\"subject\":\"x\",\"time\":\"2026-11-24T05:36:58.5+01:00\",\"dataschema\":\"/d\","
		"\"more1\":\"y\"}"},
	{"binary, quoted and percent-encoded",
		"ce-specversion: 1.0\nce-id: \"a \\\"b\\\" c\"\nce-source: /%C3%A9%20%25\nce-type: "
		"t\n",
		"",
		"{\"specversion\":\"1.0\",\"id\":\"a \\\"b\\\" c\",\"source\":\"/\xc3\xa9 %\","
		"\"type\":\"t\"}"},
	{"binary data of another type is kept to the byte", BINARY "Content-Type: text/plain\n",
		" hi",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
		"\"datacontenttype\":\"text/plain\",\"data_base64\":\"IGhp\"}"},
	{"binary with a trace",
		BINARY "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n", "",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/"
		"s\",\"type\":\"t\",\"traceparent\":"
		"\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}"},
	{"structured", "Content-Type: Application/CloudEvents+JSON; charset=utf-8\n",
		" {\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"n\":5,"
		"\"b\":true,\"subject\":null,\"data\":1e400} ",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
		"\"datacontenttype\":\"application/json\",\"n\":5,\"b\":true,\"data\":1e400}"},
	{"structured, data null", "Content-Type: " STRUCTURED "\n",
		"{\"data\":null,\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/"
		"s\",\"type\":\"t\"}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
		"\"datacontenttype\":\"application/json\",\"data\":null}"},
	{"structured, a JSON string is not decoded again", "Content-Type: " STRUCTURED "\n",
		"{\"data\":\"{\\\"a\\\":1}\",\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/"
		"s\","
		"\"type\":\"t\"}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
		"\"datacontenttype\":\"application/json\",\"data\":\"{\\\"a\\\":1}\"}"},
	{"structured, text", "Content-Type: " STRUCTURED "\n",
		"{\"data\":\"h\\u00e9\",\"datacontenttype\":\"text/plain\",\"specversion\":\"1.0\","
		"\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
		"\"datacontenttype\":\"text/plain\",\"data_base64\":\"aMOp\"}"},
	{"structured, bytes", "Content-Type: " STRUCTURED "\n",
		"{\"data_base64\":\"AP8=\",\"datacontenttype\":\"image/"
		"png\",\"specversion\":\"1.0\","
		"\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
		"\"datacontenttype\":\"image/png\",\"data_base64\":\"AP8=\"}"},
	{"Pub/Sub push", "Content-Type: application/json\n",
		"{\"subscription\":\"projects/p/subscriptions/s\",\"message\":{\"data\":\"eA==\","
		"\"messageId\":\"7\",\"publishTime\":\"2026-11-24T05:36:58Z\"}}",
		"{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"//pubsub.googleapis.com/"
		"projects/p/"
		"subscriptions/s\",\"type\":\"google.cloud.pubsub.topic.v1.messagePublished\","
		"\"time\":\"2026-11-24T05:36:58Z\",\"datacontenttype\":\"application/"
		"json\",\"data\":"
		"{\"subscription\":\"projects/p/subscriptions/s\",\"message\":{\"data\":\"eA==\","
		"\"messageId\":\"7\",\"publishTime\":\"2026-11-24T05:36:58Z\"}}}"},
	{"legacy Pub/Sub", "Content-Type: application/json\n",
		"{\"context\":{\"eventId\":\"7\",\"timestamp\":\"2026-11-24T05:36:58Z\","
		"\"eventType\":"
		"\"google.pubsub.topic.publish\",\"resource\":{\"service\":\"pubsub.googleapis."
		"com\","
		"\"name\":\"projects/p/topics/t\"}},\"data\":{\"@type\":\"x\",\"data\":\"eA==\"}}",
		"{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"//pubsub.googleapis.com/"
		"projects/p/"
		"topics/t\",\"type\":\"google.cloud.pubsub.topic.v1.messagePublished\",\"time\":"
		"\"2026-11-24T05:36:58Z\",\"datacontenttype\":\"application/"
		"json\",\"data\":{\"message\":"
		"{\"@type\":\"x\",\"data\":\"eA==\",\"messageId\":\"7\",\"publishTime\":"
		"\"2026-11-24T05:36:58Z\"}}}"},
	{"legacy storage", "Content-Type: application/json\n",
		"{\"context\":{\"eventId\":\"7\",\"eventType\":\"google.storage.object.finalize\","
		"\"resource\":{\"name\":\"projects/_/buckets/b/objects/folder/My#File#123\"}},"
		"\"data\":{\"size\":9223372036854775808}}",
		"{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"//storage.googleapis.com/"
		"projects/_/"
		"buckets/b\",\"type\":\"google.cloud.storage.object.v1.finalized\",\"subject\":"
		"\"objects/folder/My#File\",\"datacontenttype\":\"application/"
		"json\",\"data\":{\"size\":"
		"9223372036854775808}}"},
	{"legacy database", "Content-Type: application/json\n",
		"{\"eventId\":\"7\",\"eventType\":\"providers/google.firebase.database/eventTypes/"
		"ref.write"
		"\",\"domain\":\"europe-west1.firebasedatabase.app\",\"resource\":"
		"\"projects/_/instances/i/refs/a/b\",\"data\":{},\"params\":{}}",
		"{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"//"
		"firebasedatabase.googleapis.com/"
		"projects/_/locations/europe-west1/instances/i\",\"type\":"
		"\"google.firebase.database.ref.v1.written\",\"subject\":\"refs/a/b\","
		"\"datacontenttype\":\"application/json\",\"data\":{}}"},
	{"legacy auth", "Content-Type: application/json\n",
		"{\"eventId\":\"7\",\"eventType\":\"providers/firebase.auth/eventTypes/"
		"user.create\","
		"\"resource\":\"projects/"
		"p\",\"data\":{\"uid\":\"u\",\"metadata\":{\"createdAt\":\"c\","
		"\"lastSignedInAt\":\"l\"}}}",
		"{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"//firebaseauth.googleapis.com/"
		"projects/"
		"p\",\"type\":\"google.firebase.auth.user.v1.created\",\"subject\":\"users/u\","
		"\"datacontenttype\":\"application/json\",\"data\":{\"uid\":\"u\",\"metadata\":"
		"{\"createTime\":\"c\",\"lastSignInTime\":\"l\"}}}"},
	{"legacy firestore", "Content-Type: application/json\n",
		"{\"eventId\":\"7\",\"eventType\":\"providers/cloud.firestore/eventTypes/"
		"document.update\","
		"\"resource\":\"projects/p/databases/other/documents/a/b\",\"data\":{}}",
		"{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"//firestore.googleapis.com/"
		"projects/p/"
		"databases/"
		"other\",\"type\":\"google.cloud.firestore.document.v1.updated\",\"subject\":"
		"\"documents/a/b\",\"datacontenttype\":\"application/json\",\"data\":{}}"},
	{"legacy analytics", "Content-Type: application/json\n",
		"{\"eventId\":\"7\",\"eventType\":"
		"\"providers/google.firebase.analytics/eventTypes/event.log\",\"resource\":"
		"\"projects/p/events/e\",\"data\":{\"userDim\":{\"appInfo\":{\"appId\":\"a\"}}}}",
		"{\"specversion\":\"1.0\",\"id\":\"7\",\"source\":\"//"
		"firebaseanalytics.googleapis.com/"
		"projects/p/apps/"
		"a\",\"type\":\"google.firebase.analytics.log.v1.written\",\"subject\":"
		"\"events/e\",\"datacontenttype\":\"application/"
		"json\",\"data\":{\"userDim\":{\"appInfo\":"
		"{\"appId\":\"a\"}}}}"},
};

/* Whatever form it comes in, the function sees the same event. */
START_TEST(event_is_read)
{
	struct fn_call call = request(good[_i].headers, fn_bytes(good[_i].body));
	const struct fn_event *events;
	struct fn_error err = {0};
	struct fn_bytes json;
	size_t count;

	ck_assert_msg(
		fn_events_read(&call, &events, &count, &err), "%s: %s", good[_i].name, err.message);
	ck_assert_uint_eq(count, 1);
	json = fn_event_json(events, arena);
	ck_assert_msg(fn_bytes_is(json, good[_i].event), "%s: %.*s", good[_i].name, FN_ARG(json));
}
END_TEST

START_TEST(batch_is_read_in_order)
{
	struct fn_call call = request("Content-Type: " BATCH "\n",
		FN_BYTES(
			" [{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/\",\"type\":\"t\"}, "
			"{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/"
			"\",\"type\":\"t\"}] "));
	const struct fn_event *events;
	struct fn_error err = {0};
	size_t count;

	ck_assert_msg(fn_events_read(&call, &events, &count, &err), "%s", err.message);
	ck_assert_uint_eq(count, 2);
	ck_assert_bytes_eq(events[0].id, "1");
	ck_assert_bytes_eq(events[1].id, "2");
}
END_TEST

START_TEST(empty_batch_has_no_events)
{
	struct fn_call call = request("Content-Type: " BATCH "\n", FN_BYTES("[]"));
	const struct fn_event *events;
	struct fn_error err = {0};
	size_t count = 1;

	ck_assert(fn_events_read(&call, &events, &count, &err));
	ck_assert_uint_eq(count, 0);
}
END_TEST

/* ---- What does not ----------------------------------------------------------------------- */

#define EVENT(members) "{" members ",\"specversion\":\"1.0\",\"source\":\"/\",\"type\":\"t\"}"

static const struct {
	const char *name, *headers, *body;
	enum fn_code code;
	const char *says; /* part of the sentence */
} bad[] = {
	{"no ce-id", "ce-specversion: 1.0\nce-source: /\nce-type: t\n", "", FN_INVALID,
		"id is missing"},
	{"no ce-source", "ce-specversion: 1.0\nce-id: 1\nce-type: t\n", "", FN_INVALID,
		"source is"},
	{"no ce-type", "ce-specversion: 1.0\nce-id: 1\nce-source: /\n", "", FN_INVALID, "type is"},
	{"no ce-specversion", "ce-id: 1\nce-source: /\nce-type: t\n", "", FN_INVALID,
		"specversion"},
	{"empty ce-id", "ce-specversion: 1.0\nce-id:\nce-source: /\nce-type: t\n", "", FN_INVALID,
		"id"},
	{"version 2.0", "ce-specversion: 2.0\nce-id: 1\nce-source: /\nce-type: t\n", "", FN_INVALID,
		"specversion"},
	{"no time", BINARY "ce-time: yesterday\n", "", FN_INVALID, "time is no RFC 3339"},
	{"month 13", BINARY "ce-time: 2026-13-24T05:36:58Z\n", "", FN_INVALID, "time"},
	{"no zone", BINARY "ce-time: 2026-11-24T05:36:58\n", "", FN_INVALID, "time"},
	{"extension with a dash", BINARY "ce-my-ext: x\n", "", FN_INVALID, "my-ext"},
	{"overlong UTF-8", BINARY "ce-subject: %C0%A0\n", "", FN_INVALID, "ce-subject"},
	{"broken escape", BINARY "ce-subject: %4\n", "", FN_INVALID, "ce-subject"},
	{"structured, empty", "Content-Type: " STRUCTURED "\n", "", FN_INVALID, "no JSON"},
	{"structured, array", "Content-Type: " STRUCTURED "\n", "[]", FN_INVALID, "no JSON object"},
	{"structured, broken", "Content-Type: " STRUCTURED "\n", "{\"id\":", FN_INVALID, "no JSON"},
	{"structured, no id", "Content-Type: " STRUCTURED "\n", EVENT("\"x\":\"y\""), FN_INVALID,
		"id is"},
	{"structured, id null", "Content-Type: " STRUCTURED "\n", EVENT("\"id\":null"), FN_INVALID,
		"id is"},
	{"structured, id a number", "Content-Type: " STRUCTURED "\n", EVENT("\"id\":1"), FN_INVALID,
		"id is no string"},
	{"structured, object for an extension", "Content-Type: " STRUCTURED "\n",
		EVENT("\"id\":\"1\",\"x\":{}"), FN_INVALID, "x is an object"},
	{"structured, upper case extension", "Content-Type: " STRUCTURED "\n",
		EVENT("\"id\":\"1\",\"myExt\":\"x\""), FN_INVALID, "myExt"},
	{"structured, data twice", "Content-Type: " STRUCTURED "\n",
		EVENT("\"id\":\"1\",\"data\":1,\"data_base64\":\"AA==\""), FN_INVALID, "both data"},
	{"structured, no base64", "Content-Type: " STRUCTURED "\n",
		EVENT("\"id\":\"1\",\"data_base64\":\"A\""), FN_INVALID, "no base64"},
	{"batch, an object", "Content-Type: " BATCH "\n", EVENT("\"id\":\"1\""), FN_INVALID,
		"no JSON array"},
	{"batch, one bad", "Content-Type: " BATCH "\n",
		"[" EVENT("\"id\":\"1\"") "," EVENT("\"id\":\"\"") "]", FN_INVALID, "number 2"},
	{"avro", "Content-Type: application/cloudevents+avro\n", "x", FN_UNSUPPORTED_MEDIA, "JSON"},
	{"avro batch", "Content-Type: application/cloudevents-batch+avro\n", "x",
		FN_UNSUPPORTED_MEDIA, "JSON"},
	{"plain JSON", "Content-Type: application/json\n", "{\"a\":1}", FN_INVALID, "neither"},
	{"plain text", "Content-Type: text/plain\n", "hello", FN_INVALID, "without ce- headers"},
	{"nothing", "", "", FN_INVALID, "no JSON"},
	{"legacy, unknown type", "Content-Type: application/json\n",
		"{\"eventId\":\"7\",\"eventType\":\"x\",\"resource\":\"r\",\"data\":{}}",
		FN_INVALID, "eventType"},
	{"legacy, odd resource", "Content-Type: application/json\n",
		"{\"eventId\":\"7\",\"eventType\":\"google.storage.object.delete\",\"resource\":"
		"\"r\","
		"\"data\":{}}",
		FN_INVALID, "resource"},
	{"legacy database without domain", "Content-Type: application/json\n",
		"{\"eventId\":\"7\",\"eventType\":\"providers/google.firebase.database/eventTypes/"
		"ref.write"
		"\",\"resource\":\"projects/_/instances/i/refs/a\",\"data\":{}}",
		FN_INVALID, "domain"},
	{"push without an id", "Content-Type: application/json\n",
		"{\"subscription\":\"s\",\"message\":{\"data\":\"eA==\"}}", FN_INVALID, "neither"},
};

/* Never acknowledged, and the sentence names what is wrong. */
START_TEST(malformed_event_is_refused)
{
	struct fn_call call = request(bad[_i].headers, fn_bytes(bad[_i].body));
	const struct fn_event *events;
	struct fn_error err = {0};
	size_t count;

	ck_assert_msg(!fn_events_read(&call, &events, &count, &err), "%s", bad[_i].name);
	ck_assert_msg(err.code == bad[_i].code && strstr(err.message, bad[_i].says), "%s: %d %s",
		bad[_i].name, err.code, err.message);
}
END_TEST

#define IN_ARENA .setup = arena_open, .teardown = arena_close

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = event_is_read, .rows = COUNT(good), IN_ARENA},
		{.test = batch_is_read_in_order, IN_ARENA},
		{.test = empty_batch_has_no_events, IN_ARENA},
		{.test = malformed_event_is_refused, .rows = COUNT(bad), IN_ARENA},
	};

	return suite_run("cloud_event", cases, COUNT(cases));
}
