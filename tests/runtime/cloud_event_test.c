/* Events as they come in by a socket, and what their function sees of them. They are written here
 * with ' for ", which quoted() turns back. */
#include "fn/clock.h"
#include "fn/cloud_event.h"
#include "fn/json.h"
#include "signature.h"
#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#include <string.h>

#define JSON "Content-Type: application/json\n"
#define STRUCTURED "Content-Type: application/cloudevents+json\n"
#define BATCH "Content-Type: application/cloudevents-batch+json\n"
#define BINARY "ce-specversion: 1.0\nce-id: 1\nce-source: /s\nce-type: t\n"
#define EVENT "'specversion':'1.0','id':'1','source':'/s','type':'t'"
#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static struct fn_arena *arena;
static struct peer *peer;
static struct answer answer;

/* Answers with the event in the JSON format, behind those of the same batch, for which fn_reply, by
 * which a call is answered once, is not made. */
static bool
show(struct fn_call *call, const struct fn_event *event, const void *with, struct fn_error *err)
{
	struct fn_builder seen = {.arena = call->arena};

	(void)with;
	(void)err;
	atomic_fetch_add(&led_calls, 1);
	fn_add(&seen, call->answer.body);
	fn_add(&seen, fn_event_json(event, call->arena));
	call->answer.status = 200;
	call->answer.body = fn_built(&seen);
	return true;
}

static void
start(void)
{
	static const struct fn_function function = {.event = show};

	arena = fn_arena_new();
	led_server_defaults();
	led_options.handler = signature_handle;
	led_options.with = &function;
	led_server_start();
	peer = led_peer();
}

static void
stop(void)
{
	peer_close(peer);
	led_server_stop();
	fn_arena_drop(arena);
	fn_clock_pretend(0);
}

static struct fn_bytes
quoted(const char *text)
{
	struct fn_bytes copy = fn_bytes_copy(arena, fn_bytes(text));

	for (size_t i = 0; i < copy.size; i++) {
		if (copy.at[i] == '\'')
			((char *)(uintptr_t)copy.at)[i] = '"';
	}
	return copy;
}

/* `lines` are headers, "Name: value" each. What is answered is in `answer`. */
static int
post_to(const char *path, const char *lines, struct fn_bytes body)
{
	struct fn_builder text = {.arena = arena};
	struct fn_bytes rest = fn_bytes(lines);

	fn_addf(&text, "POST %s HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n", path, body.size);
	while (rest.size > 0) {
		fn_add(&text, fn_bytes_cut(&rest, '\n'));
		fn_add(&text, FN_BYTES("\r\n"));
	}
	fn_add(&text, FN_BYTES("\r\n"));
	fn_add(&text, body);
	peer_send(peer, fn_built(&text));
	ck_assert(peer_read(peer, &answer));
	return answer.status;
}

static int
post(const char *lines, const char *body)
{
	return post_to("/", lines, quoted(body));
}

/* What the function saw. */
static struct fn_bytes
seen(const char *lines, const char *body)
{
	int status = post(lines, body);

	ck_assert_msg(status == 200, "%d: %.*s", status, FN_ARG(answer.body));
	return answer.body;
}

/* ---- Binary and structured --------------------------------------------------------------- */

static const struct {
	const char *headers, *body, *event; /* in the JSON format */
} events_well_formed[] = {
	/* binary: the data is the body, to the byte */
	{BINARY JSON, "{'a':1}", "{" EVENT ",'datacontenttype':'application/json','data':{'a':1}}"},
	{BINARY JSON, " [1e400, 'x'] ",
		"{" EVENT ",'datacontenttype':'application/json','data':[1e400, 'x']}"},
	{BINARY "Content-Type: text/plain\n", " hi",
		"{" EVENT ",'datacontenttype':'text/plain','data_base64':'IGhp'}"},
	{BINARY "Content-Type: application/vnd.x+json;\tv=1\n", "{",
		"{" EVENT
		",'datacontenttype':'application/vnd.x+json;\\tv=1','data_base64':'ew=='}"},
	{BINARY JSON, "", "{" EVENT ",'datacontenttype':'application/json'}"},
	{BINARY, "1", "{" EVENT ",'data_base64':'MQ=='}"},
	{BINARY "Content-Type:\n", "", "{" EVENT "}"},

	/* binary: every header that starts with ce- is an attribute */
	{"CE-SpecVersion: 1.0\nCe-Id: 1\nce-SOURCE: /s\nce-type: t\nce-subject: x\n"
	 "ce-time: 2026-11-24T05:36:58.5+01:00\nce-dataschema: /d\nce-More1: y\n",
		"",
		"{" EVENT ",'subject':'x','time':'2026-11-24T05:36:58.5+01:00','dataschema':'/d',"
		"'more1':'y'}"},
	{"ce-specversion: 1.0\nce-id: \"1\"\nce-source: /s\nce-type: \"\\t\"\n", "", "{" EVENT "}"},
	{BINARY "ce-subject: \"a \\\"b\\\" c\"\n", "", "{" EVENT ",'subject':'a \\'b\\' c'}"},
	{BINARY "ce-subject: %C3%A9%20%2541\n", "", "{" EVENT ",'subject':'\xc3\xa9 %41'}"},
	{BINARY "ce-subject: \"%22\"\n", "", "{" EVENT ",'subject':'\\''}"},
	{BINARY "traceparent: " TRACE "\n", "", "{" EVENT ",'traceparent':'" TRACE "'}"},
	{BINARY "traceparent: 00-x\n", "", "{" EVENT "}"},
	{BINARY "traceparent: " TRACE "\nce-traceparent: x\n", "", "{" EVENT ",'traceparent':'x'}"},

	/* structured: all is in the body */
	{"Content-Type: Application/CloudEvents+JSON; charset=utf-8\n", " {" EVENT ",'data':{}} ",
		"{" EVENT ",'datacontenttype':'application/json','data':{}}"},
	{STRUCTURED, "{'data':1e400," EVENT "}",
		"{" EVENT ",'datacontenttype':'application/json','data':1e400}"},
	{STRUCTURED, "{" EVENT ",'data':null}",
		"{" EVENT ",'datacontenttype':'application/json','data':null}"},
	{STRUCTURED, "{" EVENT ",'data':'{\\'a\\':1}'}",
		"{" EVENT ",'datacontenttype':'application/json','data':'{\\'a\\':1}'}"},
	{STRUCTURED, "{" EVENT ",'data':'x','datacontenttype':'text/json; v=1'}",
		"{" EVENT ",'datacontenttype':'text/json; v=1','data':'x'}"},
	{STRUCTURED, "{" EVENT ",'data':[],'datacontenttype':'application/vnd.x+json'}",
		"{" EVENT ",'datacontenttype':'application/vnd.x+json','data':[]}"},
	{STRUCTURED, "{" EVENT ",'data':'h\\u00e9','datacontenttype':'text/plain'}",
		"{" EVENT ",'datacontenttype':'text/plain','data_base64':'aMOp'}"},
	{STRUCTURED, "{" EVENT ",'data_base64':'AP8=','datacontenttype':'image/png'}",
		"{" EVENT ",'datacontenttype':'image/png','data_base64':'AP8='}"},
	{STRUCTURED, "{" EVENT ",'data_base64':'MQ=='}", "{" EVENT ",'data_base64':'MQ=='}"},
	{STRUCTURED, "{" EVENT ",'subject':null,'data_base64':null}", "{" EVENT "}"},
	{STRUCTURED, "{" EVENT ",'n':5,'b':true,'s':'5'}", "{" EVENT ",'n':5,'b':true,'s':'5'}"},
	{STRUCTURED "traceparent: " TRACE "\n", "{" EVENT "}",
		"{" EVENT ",'traceparent':'" TRACE "'}"},
};

/* Whatever form it comes in, the function sees the same event. */
START_TEST(event_is_read)
{
	ck_assert_bytes_eq(seen(events_well_formed[_i].headers, events_well_formed[_i].body),
		quoted(events_well_formed[_i].event).at);
}
END_TEST

static const char *const times[] = {
	"2026-11-24T05:36:58Z",
	"2026-11-24t05:36:58.123456789z",
	"2026-11-24T23:59:60-23:59",
	"2024-02-29T00:00:00+00:00",
	"2000-02-29T00:00:00Z",
};

static const char *const no_times[] = {
	"yesterday",
	"2026-11-24",
	"2026-11-24T05:36:58",
	"2026-11-24 05:36:58Z",
	"2026-11-24T05:36:58.Z",
	"2026-11-24T05:36:58Z ago",
	"2026-11-24T05:36:58+0100",
	"2026-11-24T05:36:58+24:00",
	"2026-11-24T05:36:58+01:60",
	"2026-13-24T05:36:58Z",
	"2026-00-24T05:36:58Z",
	"2026-11-31T05:36:58Z",
	"2026-11-00T05:36:58Z",
	"2026-02-29T05:36:58Z",
	"2100-02-29T05:36:58Z",
	"2026-11-24T24:00:00Z",
	"2026-11-24T05:60:58Z",
	"2026-11-24T05:36:61Z",
	"",
};

static int
post_with_time(const char *time)
{
	return post(fn_textf(arena, BINARY "ce-time: %s\n", time), "");
}

START_TEST(time_is_a_timestamp)
{
	ck_assert_int_eq(post_with_time(times[_i]), 200);
}
END_TEST

START_TEST(time_that_is_no_timestamp_is_refused)
{
	ck_assert_int_eq(post_with_time(no_times[_i]), 400);
}
END_TEST

START_TEST(extension_is_found_by_name)
{
	const struct fn_attribute extensions[] = {
		{FN_BYTES("a"), FN_BYTES("x"), true}, {FN_BYTES("b"), FN_BYTES("2"), false}};
	const struct fn_event event = {.extensions = extensions, .extension_count = 2};

	ck_assert_bytes_eq(fn_event_extension(&event, "a"), "x");
	ck_assert_bytes_eq(fn_event_extension(&event, "b"), "2");
	ck_assert_ptr_null(fn_event_extension(&event, "c").at);
}
END_TEST

/* ---- Batches ----------------------------------------------------------------------------- */

START_TEST(batch_is_read_in_order)
{
	ck_assert_bytes_eq(seen(BATCH, " [{" EVENT "}, {" EVENT ",'subject':'2'}] "),
		quoted("{" EVENT "}{" EVENT ",'subject':'2'}").at);
}
END_TEST

START_TEST(empty_batch_has_no_events)
{
	ck_assert_int_eq(post(BATCH, "[]"), 204);
	ck_assert_uint_eq(atomic_load(&led_calls), 0);
}
END_TEST

/* An event is larger than the text of an empty object. */
START_TEST(batch_of_too_many_is_refused)
{
	struct fn_builder body = {.arena = arena};

	fn_add(&body, FN_BYTES("[0"));
	for (int i = 0; i < 4096; i++)
		fn_add(&body, FN_BYTES(",0"));
	fn_add(&body, FN_BYTES("]"));
	ck_assert_int_eq(post_to("/", BATCH, fn_built(&body)), 413);
}
END_TEST

/* ---- Legacy events ----------------------------------------------------------------------- */

#define MEMBERS(type, resource) "'eventId':'7','eventType':'" type "','resource':" resource
#define LEGACY(type, resource, data) "{" MEMBERS(type, "'" resource "'") ",'data':" data "}"
#define BECOMES(source, type, rest)                                                                \
	"{'specversion':'1.0','id':'7','source':'//" source "','type':'google." type "'," rest "}"
#define DATA(data) "'datacontenttype':'application/json','data':" data

#define PUBSUB "google.pubsub.topic.publish"
#define FINALIZE "google.storage.object.finalize"
#define FIREBASE "providers/google.firebase.database/eventTypes/"
#define FIRESTORE "providers/cloud.firestore/eventTypes/"
#define ANALYTICS "providers/google.firebase.analytics/eventTypes/event.log"
#define AUTH "providers/firebase.auth/eventTypes/"

static const struct {
	const char *legacy, *event;
} legacy_events[] = {
	/* where its members may stand */
	{"{'context':{'timestamp':'2026-11-24T05:36:58Z'," MEMBERS(FINALIZE,
		 "{'service':'other.googleapis.com',"
		 "'name':'projects/_/buckets/b/objects/o','type':'x'}") "},'data':{},'params':{}}",
		BECOMES("other.googleapis.com/projects/_/buckets/b",
			"cloud.storage.object.v1.finalized",
			"'subject':'objects/o','time':'2026-11-24T05:36:58Z'," DATA("{}"))},
	{"{'context':{" MEMBERS(FINALIZE, "'projects/_/buckets/b/objects/o'") "},'data':{}}",
		BECOMES("storage.googleapis.com/projects/_/buckets/b",
			"cloud.storage.object.v1.finalized", "'subject':'objects/o'," DATA("{}"))},
	{"{'context':{'eventId':'7','resource':'projects/_/buckets/b/objects/o'},'eventId':'8',"
	 "'eventType':'" FINALIZE "','resource':'projects/_/buckets/c/objects/c','data':{}}",
		BECOMES("storage.googleapis.com/projects/_/buckets/b",
			"cloud.storage.object.v1.finalized", "'subject':'objects/o'," DATA("{}"))},

	/* storage: the bucket is the source, the object the subject, its generation is dropped */
	{LEGACY(FINALIZE, "projects/_/buckets/objects/objects/a/objects/My#File#123", "{}"),
		BECOMES("storage.googleapis.com/projects/_/buckets/objects",
			"cloud.storage.object.v1.finalized",
			"'subject':'objects/a/objects/My#File'," DATA("{}"))},
	{LEGACY(FINALIZE, "projects/_/buckets/b/objects/My#File", "{}"),
		BECOMES("storage.googleapis.com/projects/_/buckets/b",
			"cloud.storage.object.v1.finalized",
			"'subject':'objects/My#File'," DATA("{}"))},
	{LEGACY(FINALIZE, "projects/_/buckets/b/objects/o", "{'n':10, 'm':[1e400],'e':'\\u0041'}"),
		BECOMES("storage.googleapis.com/projects/_/buckets/b",
			"cloud.storage.object.v1.finalized",
			"'subject':'objects/o'," DATA("{'n':10, 'm':[1e400],'e':'\\u0041'}"))},

	/* Pub/Sub: the data is the message, and has the event's id and time */
	{"{'timestamp':'2026-11-24T05:36:58Z'," MEMBERS(PUBSUB,
		 "'projects/p/topics/t'") ",'data':{'@type':'x','data':'eA==','messageId':'1'}}",
		BECOMES("pubsub.googleapis.com/projects/p/topics/t",
			"cloud.pubsub.topic.v1.messagePublished",
			"'time':'2026-11-24T05:36:58Z'," DATA(
				"{'message':{'@type':'x','data':'eA==','messageId':'7',"
				"'publishTime':'2026-11-24T05:36:58Z'}}"))},
	{LEGACY(PUBSUB, "projects/p/topics/t", "{}"),
		BECOMES("pubsub.googleapis.com/projects/p/topics/t",
			"cloud.pubsub.topic.v1.messagePublished",
			DATA("{'message':{'messageId':'7'}}"))},

	/* database: the domain tells the location */
	{"{'domain':'firebaseio.com'," MEMBERS(
		 FIREBASE "ref.write", "'projects/_/instances/i/refs/a/refs/b'") ",'data':null}",
		BECOMES("firebasedatabase.googleapis.com/projects/_/locations/us-central1/"
			"instances/i",
			"firebase.database.ref.v1.written",
			"'subject':'refs/a/refs/b'," DATA("null"))},
	{"{'domain':'europe-west1.firebasedatabase.app'," MEMBERS(
		 FIREBASE "ref.write", "'projects/_/instances/i/refs/a'") ",'data':1}",
		BECOMES("firebasedatabase.googleapis.com/projects/_/locations/europe-west1/"
			"instances/i",
			"firebase.database.ref.v1.written", "'subject':'refs/a'," DATA("1"))},

	/* auth: two times change their names */
	{LEGACY(AUTH "user.create", "projects/p",
		 "{'metadata':{'createdAt':'c','lastSignedInAt':'l','x':1},'uid':'u'}"),
		BECOMES("firebaseauth.googleapis.com/projects/p", "firebase.auth.user.v1.created",
			"'subject':'users/u'," DATA("{'metadata':{'createTime':'c',"
						    "'lastSignInTime':'l','x':1},'uid':'u'}"))},

	/* firestore: any database */
	{LEGACY(FIRESTORE "document.update", "projects/p/databases/(other)/documents/a/b", "{}"),
		BECOMES("firestore.googleapis.com/projects/p/databases/(other)",
			"cloud.firestore.document.v1.updated",
			"'subject':'documents/a/b'," DATA("{}"))},

	/* analytics: the app is told by the data */
	{LEGACY(ANALYTICS, "projects/p/events/e", "{'userDim':{'appInfo':{'appId':'a'}}}"),
		BECOMES("firebaseanalytics.googleapis.com/projects/p/apps/a",
			"firebase.analytics.log.v1.written",
			"'subject':'events/e'," DATA("{'userDim':{'appInfo':{'appId':'a'}}}"))},
};

START_TEST(legacy_event_is_converted)
{
	ck_assert_bytes_eq(
		seen(JSON, legacy_events[_i].legacy), quoted(legacy_events[_i].event).at);
}
END_TEST

#define BUCKET "projects/_/buckets/b/objects/o"
#define INSTANCE "projects/_/instances/i/refs/r"
#define DOCUMENT "projects/p/databases/d/documents/c"

static const struct {
	const char *legacy, *resource, *type;
} legacy_types[] = {
	{PUBSUB, "projects/p/topics/t", "cloud.pubsub.topic.v1.messagePublished"},
	{"providers/cloud.pubsub/eventTypes/topic.publish", "projects/p/topics/t",
		"cloud.pubsub.topic.v1.messagePublished"},
	{FINALIZE, BUCKET, "cloud.storage.object.v1.finalized"},
	{"google.storage.object.delete", BUCKET, "cloud.storage.object.v1.deleted"},
	{"google.storage.object.archive", BUCKET, "cloud.storage.object.v1.archived"},
	{"google.storage.object.metadataUpdate", BUCKET, "cloud.storage.object.v1.metadataUpdated"},
	{"providers/cloud.storage/eventTypes/object.change", BUCKET,
		"cloud.storage.object.v1.finalized"},
	{FIRESTORE "document.write", DOCUMENT, "cloud.firestore.document.v1.written"},
	{FIRESTORE "document.create", DOCUMENT, "cloud.firestore.document.v1.created"},
	{FIRESTORE "document.update", DOCUMENT, "cloud.firestore.document.v1.updated"},
	{FIRESTORE "document.delete", DOCUMENT, "cloud.firestore.document.v1.deleted"},
	{AUTH "user.create", "projects/p", "firebase.auth.user.v1.created"},
	{AUTH "user.delete", "projects/p", "firebase.auth.user.v1.deleted"},
	{FIREBASE "ref.create", INSTANCE, "firebase.database.ref.v1.created"},
	{FIREBASE "ref.write", INSTANCE, "firebase.database.ref.v1.written"},
	{FIREBASE "ref.update", INSTANCE, "firebase.database.ref.v1.updated"},
	{FIREBASE "ref.delete", INSTANCE, "firebase.database.ref.v1.deleted"},
	{ANALYTICS, "projects/p/events/e", "firebase.analytics.log.v1.written"},
	{"providers/firebase.remoteConfig/remoteconfig.update", "projects/p",
		"firebase.remoteconfig.remoteConfig.v1.updated"},
};

START_TEST(legacy_type_is_mapped)
{
	const char *body = fn_textf(arena,
		"{'eventId':'7','eventType':'%s','resource':'%s','domain':'d',"
		"'data':{'uid':'u','userDim':{'appInfo':{'appId':'a'}}}}",
		legacy_types[_i].legacy, legacy_types[_i].resource);
	struct fn_bytes type;

	ck_assert(fn_json_text(seen(JSON, body), "type", arena, &type));
	ck_assert_bytes_eq(type, fn_textf(arena, "google.%s", legacy_types[_i].type));
}
END_TEST

/* ---- What Pub/Sub pushes ----------------------------------------------------------------- */

#define PUSH                                                                                       \
	"{'subscription':'projects/p/subscriptions/s','message':{'messageId':'7','data':'eA=='}}"

static const struct {
	const char *path, *source;
} push_paths[] = {
	{"/projects/p/topics/t", "projects/p/topics/t"},
	{"/", "projects/p/subscriptions/s"},
	{"/projects/p/topics/t/more", "projects/p/subscriptions/s"},
	{"/projects//topics/t", "projects/p/subscriptions/s"},
};

/* The topic stands in the path, or nowhere; without its own time a message gets that of now. */
START_TEST(push_is_converted)
{
	const char *event = fn_textf(arena,
		"{'specversion':'1.0','id':'7','source':'//pubsub.googleapis.com/%s',"
		"'type':'google.cloud.pubsub.topic.v1.messagePublished',"
		"'time':'2026-11-24T05:36:58.000Z'," DATA(PUSH) "}",
		push_paths[_i].source);

	fn_clock_pretend(1795498618000);
	ck_assert_int_eq(post_to(push_paths[_i].path, JSON, quoted(PUSH)), 200);
	ck_assert_bytes_eq(answer.body, quoted(event).at);
}
END_TEST

START_TEST(push_keeps_its_time)
{
	struct fn_bytes time;

	ck_assert(fn_json_text(seen(JSON, "{'subscription':'s','message':{'messageId':'7',"
					  "'publishTime':'2026-01-01T00:00:00Z'}}"),
		"time", arena, &time));
	ck_assert_bytes_eq(time, "2026-01-01T00:00:00Z");
}
END_TEST

/* ---- What is malformed ------------------------------------------------------------------- */

static const struct {
	const char *headers, *body;
	enum fn_code code;
	const char *says; /* part of the sentence */
} malformed[] = {
	{"ce-specversion: 1.0\nce-source: /\nce-type: t\n", "", FN_INVALID, "id is missing"},
	{"ce-specversion: 1.0\nce-id: 1\nce-type: t\n", "", FN_INVALID, "source is missing"},
	{"ce-specversion: 1.0\nce-id: 1\nce-source: /\n", "", FN_INVALID, "type is missing"},
	{"ce-id: 1\nce-source: /\nce-type: t\n", "", FN_INVALID, "specversion is missing"},
	{"ce-specversion: 1.0\n", "", FN_INVALID, "id is missing"},
	{"ce-id: 1\n", "", FN_INVALID, "specversion is missing"},
	{"ce-source: /\n", "", FN_INVALID, "specversion is missing"},
	{"ce-type: t\n", "", FN_INVALID, "specversion is missing"},
	{"ce-specversion: 1.0\nce-id:\nce-source: /\nce-type: t\n", "", FN_INVALID, "id is"},
	{"ce-specversion: 1.0\nce-id: 1\nce-source:\nce-type: t\n", "", FN_INVALID, "source is"},
	{"ce-specversion: 1.0\nce-id: 1\nce-source: /\nce-type: \"\"\n", "", FN_INVALID, "type is"},
	{"ce-specversion: 0.3\nce-id: 1\nce-source: /\nce-type: t\n", "", FN_INVALID, "not 1.0"},
	{BINARY "ce-subject:\n", "", FN_INVALID, "subject is missing or empty"},
	{BINARY "ce-id: 2\n", "", FN_INVALID, "id is given twice"},
	{BINARY "ce-specversion: 1.0\n", "", FN_INVALID, "specversion is given twice"},
	{BINARY "ce-x: 1\nCE-X: 2\n", "", FN_INVALID, "x is given twice"},
	{BINARY "ce-subject: %C0%A0\n", "", FN_INVALID, "ce-subject"},
	{BINARY "ce-subject: 50%\n", "", FN_INVALID, "ce-subject"},
	{BINARY "ce-subject: a%00b\n", "", FN_INVALID, "subject has a control character"},
	{BINARY "ce-x: %C2%85\n", "", FN_INVALID, "x has a control character"},
	{BINARY "ce-x: %7F\n", "", FN_INVALID, "x has a control character"},
	{BINARY "ce-my_ext: x\n", "", FN_INVALID, "my_ext"},
	{BINARY "ce-data: x\n", "", FN_INVALID, "\"data\""},
	{BINARY "ce-: x\n", "", FN_INVALID, "\"\""},

	{STRUCTURED, "", FN_INVALID, "no JSON"},
	{STRUCTURED, "{'a'", FN_INVALID, "no JSON, from byte 4 on"},
	{STRUCTURED, "[]", FN_INVALID, "no JSON object"},
	{STRUCTURED, "{'id':'1','source':'/','type':'t'}", FN_INVALID, "specversion"},
	{STRUCTURED, "{'specversion':1.0,'id':'1','source':'/','type':'t'}", FN_INVALID,
		"specversion is no string"},
	{STRUCTURED, "{'specversion':'1.0','source':'/','type':'t'}", FN_INVALID, "id is missing"},
	{STRUCTURED, "{'specversion':'1.0','id':null,'source':'/','type':'t'}", FN_INVALID,
		"id is missing"},
	{STRUCTURED, "{'specversion':'1.0','id':1,'source':'/','type':'t'}", FN_INVALID,
		"id is no string"},
	{STRUCTURED, "{" EVENT ",'id':'2'}", FN_INVALID, "id is given twice"},
	{STRUCTURED, "{" EVENT ",'x':1,'x':2}", FN_INVALID, "x is given twice"},
	{STRUCTURED, "{" EVENT ",'data':1,'data':2}", FN_INVALID, "data is given twice"},
	{STRUCTURED, "{" EVENT ",'x':{}}", FN_INVALID, "x is an object or array"},
	{STRUCTURED, "{" EVENT ",'data':1,'datacontenttype':''}", FN_INVALID, "datacontenttype is"},
	{STRUCTURED, "{" EVENT ",'myExt':'x'}", FN_INVALID, "myExt"},
	{STRUCTURED, "{" EVENT ",'x':'\\u0000'}", FN_INVALID, "x has a control character"},
	{STRUCTURED, "{" EVENT ",'data':1,'data_base64':'AA=='}", FN_INVALID, "both data"},
	{STRUCTURED, "{" EVENT ",'data_base64':'A'}", FN_INVALID, "no base64"},
	{STRUCTURED, "{" EVENT ",'data_base64':1}", FN_INVALID, "data_base64 is no string"},

	{BATCH, "{" EVENT "}", FN_INVALID, "no JSON array"},
	{BATCH, "", FN_INVALID, "no JSON"},
	{BATCH, "[{" EVENT "},{" EVENT ",'time':'x'}]", FN_INVALID, "number 2: event: time"},
	{BATCH, "[1]", FN_INVALID, "number 1: event: this is no JSON object"},

	{"Content-Type: application/cloudevents+avro\n" BINARY, "x", FN_UNSUPPORTED_MEDIA, "JSON"},
	{"Content-Type: application/cloudevents-batch+avro\n", "x", FN_UNSUPPORTED_MEDIA, "JSON"},

	{JSON, "{'a':1}", FN_INVALID, "neither"},
	{"Content-Type: text/plain\n", "hello", FN_INVALID, "without ce- headers"},
	{"", "", FN_INVALID, "no JSON"},
	{JSON, LEGACY("x", BUCKET, "{}"), FN_INVALID, "eventType"},
	{JSON, "{" MEMBERS(FINALIZE, "'" BUCKET "'") "}", FN_INVALID, "neither"},
	{JSON, LEGACY(FINALIZE, "projects/_/buckets/b", "{}"), FN_INVALID, "resource"},
	{JSON, LEGACY(FINALIZE, "projects/_/buckets/b/objects/", "{}"), FN_INVALID, "resource"},
	{JSON, LEGACY(FINALIZE, "projects//buckets/b/objects/o", "{}"), FN_INVALID, "resource"},
	{JSON, LEGACY(FINALIZE, "a/b/objects/o", "{}"), FN_INVALID, "resource"},
	{JSON, LEGACY(FINALIZE, "projects/_/buckets/b/objects/o\\u0000", "{}"), FN_INVALID,
		"subject has a control character"},
	{JSON, LEGACY(FIRESTORE "document.write", INSTANCE, "{}"), FN_INVALID, "resource"},
	{JSON, LEGACY(FIREBASE "ref.write", INSTANCE, "{}"), FN_INVALID, "domain"},
	{JSON, "{'domain':''," MEMBERS(FIREBASE "ref.write", "'" INSTANCE "'") ",'data':{}}",
		FN_INVALID, "domain"},
	{JSON, LEGACY(AUTH "user.create", "projects/p", "{}"), FN_INVALID, "uid"},
	{JSON, LEGACY(ANALYTICS, "projects/p/events/e", "{'userDim':[]}"), FN_INVALID, "appId"},
	{JSON, LEGACY(PUBSUB, "projects/p/topics/t", "'x'"), FN_INVALID, "data is no object"},
	{JSON, "{'timestamp':'x'," MEMBERS(FINALIZE, "'" BUCKET "'") ",'data':{}}", FN_INVALID,
		"time"},
	{JSON, "{'subscription':'s','message':{'data':'eA=='}}", FN_INVALID, "neither"},
	{JSON, "{'subscription':'s','message':{'messageId':''}}", FN_INVALID, "id is"},
};

/* The answer's sentence has these words. */
static void
assert_says(const char *words)
{
	struct fn_builder escaped = {.arena = arena};
	struct fn_bytes wanted;

	fn_add_json(&escaped, fn_bytes(words));
	wanted = fn_built(&escaped);
	ck_assert_msg(memmem(answer.body.at, answer.body.size, wanted.at, wanted.size),
		"no \"%s\" in %.*s", words, FN_ARG(answer.body));
}

/* Never acknowledged, and the sentence names what is wrong; the function does not hear of it. */
START_TEST(malformed_event_is_refused)
{
	int status = post(malformed[_i].headers, malformed[_i].body);

	ck_assert_msg(
		status == fn_code_status(malformed[_i].code), "%s: %d", malformed[_i].says, status);
	assert_says(malformed[_i].says);
	ck_assert_uint_eq(atomic_load(&led_calls), 0);
}
END_TEST

START_TEST(extensions_are_bounded)
{
	struct fn_builder body = {.arena = arena};

	fn_add(&body, quoted("{" EVENT));
	for (int i = 0; i < 33; i++)
		fn_addf(&body, ",\"x%d\":%d", i, i);
	fn_add(&body, FN_BYTES("}"));
	ck_assert_int_eq(post_to("/", STRUCTURED, fn_built(&body)), 400);
	assert_says("event: more than 32 extensions");
}
END_TEST

#define SERVED .setup = start, .teardown = stop

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = event_is_read, .rows = COUNT(events_well_formed), SERVED},
		{.test = time_is_a_timestamp, .rows = COUNT(times), SERVED},
		{.test = time_that_is_no_timestamp_is_refused, .rows = COUNT(no_times), SERVED},
		{.test = extension_is_found_by_name, SERVED},
		{.test = batch_is_read_in_order, SERVED},
		{.test = empty_batch_has_no_events, SERVED},
		{.test = batch_of_too_many_is_refused, SERVED},
		{.test = legacy_event_is_converted, .rows = COUNT(legacy_events), SERVED},
		{.test = legacy_type_is_mapped, .rows = COUNT(legacy_types), SERVED},
		{.test = push_is_converted, .rows = COUNT(push_paths), SERVED},
		{.test = push_keeps_its_time, SERVED},
		{.test = malformed_event_is_refused, .rows = COUNT(malformed), SERVED},
		{.test = extensions_are_bounded, SERVED},
	};

	return suite_run("cloud_event", cases, COUNT(cases));
}
