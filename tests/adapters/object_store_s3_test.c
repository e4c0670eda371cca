/* What goes over the wire to S3, and every way in which S3 can fail. */
#include "adapters/object_store.h"

#include "fn/clock.h"
#include "tests/support/s3_server.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"

#include <string.h>

#define KEY FN_BYTES("images/u/img_1.png")

static struct object_store_config config = {
	.public_url = "https://media.example",
	.access_key_id = S3_SERVER_KEY_ID,
	.secret_access_key = S3_SERVER_SECRET,
	.region = "auto",
};

static struct scripted_server *server;
static struct fn_http_client *http;
static struct object_store *store;
static struct fn_call call;
static struct fn_error err;

static void
setup(void)
{
	call.arena = fn_arena_new();
	ck_assert(fn_http_client_open(&http, &err));
}

static void
teardown(void)
{
	object_store_close(store);
	fn_http_client_close(http);
	fn_arena_drop(call.arena);
	scripted_server_stop(server);
}

static void
store_open(const char *bucket_url)
{
	config.url = fn_textf(call.arena, "s3:%s", bucket_url);
	ck_assert_msg(object_store_open(&store, &config, http, &err), "%s", err.message);
}

static void
store_open_scripted(const struct script *script, size_t steps)
{
	server = scripted_server_start(script, steps);
	store_open(fn_textf(call.arena, "%s/media", scripted_server_url(server)));
}

/* ---- What the tables below ask --------------------------------------------------------------- */

static bool
put(void)
{
	const struct object object = {FN_BYTES("Welcome to Amazon S3."), "image/png",
		"public, max-age=31536000, immutable"};

	return object_store_put(store, &call, KEY, &object, &err);
}

static bool
read_text(void *with, uint64_t offset, char *into, size_t size, struct fn_error *failure)
{
	(void)failure;
	memcpy(into, (const char *)with + offset, size);
	return true;
}

static bool
put_stream(void)
{
	char text[] = "Welcome to Amazon S3.";
	const struct fn_source source = {sizeof(text) - 1, read_text, text};
	const struct object_stream object = {&source, "video/mp4", NULL};

	return object_store_put_stream(store, &call, KEY, &object, &err);
}

static bool
get(void)
{
	struct fn_bytes bytes;

	return object_store_get(store, &call, KEY, 100, &bytes, &err);
}

static bool delete (void)
{
	return object_store_delete(store, &call, KEY, &err);
}

/* ---- Requests -------------------------------------------------------------------------------- */

#define PATH " /media/images/u/img_1.png HTTP/1.1\r\n"
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define BODY_HASH "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
#define SCOPE "Credential=S3RVER/20260102/auto/s3/aws4_request, SignedHeaders="

static const struct {
	bool (*operation)(void);
	const char *lines[8];
} requests[] = {
	{put, {"PUT" PATH, "\r\nContent-Length: 21\r\n", "\r\ncontent-type: image/png\r\n",
		      "\r\ncache-control: public, max-age=31536000, immutable\r\n",
		      "\r\nx-amz-date: 20260102T030405Z\r\n",
		      "\r\nx-amz-content-sha256: " BODY_HASH "\r\n",
		      SCOPE "cache-control;content-type;host;x-amz-content-sha256;x-amz-date,",
		      "\r\n\r\nWelcome to Amazon S3."}},
	{put_stream, {"PUT" PATH, "\r\nContent-Length: 21\r\n", "\r\ncontent-type: video/mp4\r\n",
			     "\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n",
			     SCOPE "content-type;host;x-amz-content-sha256;x-amz-date,",
			     "\r\n\r\nWelcome to Amazon S3."}},
	{get, {"GET" PATH, "\r\nrange: bytes=0-100\r\n",
		      "\r\nx-amz-content-sha256: " EMPTY_HASH "\r\n",
		      SCOPE "host;range;x-amz-content-sha256;x-amz-date,"}},
	{delete, {"DELETE" PATH, "\r\nx-amz-content-sha256: " EMPTY_HASH "\r\n",
			 SCOPE "host;x-amz-content-sha256;x-amz-date,"}},
};

/* Each request says what S3 wants to read, and signs what it says. */
START_TEST(request_is_spelled_for_s3)
{
	static const struct script script[] = {{.status = 200}};

	store_open_scripted(script, COUNT(script));
	fn_clock_pretend(1767323045000); /* 2026-01-02T03:04:05Z */
	ck_assert_msg(requests[_i].operation(), "%s", err.message);
	const char *request = scripted_server_request(server, 0).at;
	for (size_t i = 0; i < COUNT(requests[_i].lines) && requests[_i].lines[i]; i++)
		ck_assert_msg(strstr(request, requests[_i].lines[i]), "\"%s\" is not in \"%s\"",
			requests[_i].lines[i], request);
	ck_assert_ptr_null(strcasestr(request, "\r\nExpect:"));
	ck_assert_ptr_null(strcasestr(request, "\r\nTransfer-Encoding:"));
}
END_TEST

/* ---- Answers --------------------------------------------------------------------------------- */

#define XML(code)                                                                                  \
	FN_BYTES_INIT("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" code             \
		      "</Code><Message>No.</Message></Error>")
#define FAILS(number, code)                                                                        \
	{                                                                                          \
		.status = (number), .body = XML(code)                                              \
	}
#define OK                                                                                         \
	{                                                                                          \
		.status = 200, .body = FN_BYTES_INIT("bytes")                                      \
	}

static const struct {
	const char *name;
	bool (*operation)(void);
	struct script script[3];
	size_t requests;
	enum fn_code code;
	const char *message; /* where it fails */
} answers[] = {
	{"a wrong key pair", put, {FAILS(403, "AccessDenied")}, 1, FN_UPSTREAM,
		"s3: 403 AccessDenied"},
	{"a wrong key pair, get", get, {FAILS(403, "SignatureDoesNotMatch")}, 1, FN_UPSTREAM,
		"s3: 403 SignatureDoesNotMatch"},
	{"a wrong key pair, delete", delete, {FAILS(401, "Unauthorized")}, 1, FN_UPSTREAM,
		"s3: 401 Unauthorized"},
	{"no length", put, {FAILS(411, "MissingContentLength")}, 1, FN_UPSTREAM,
		"s3: 411 MissingContentLength"},
	{"no bucket, put", put, {FAILS(404, "NoSuchBucket")}, 1, FN_UPSTREAM,
		"s3: 404 NoSuchBucket"},
	{"no bucket, get", get, {FAILS(404, "NoSuchBucket")}, 1, FN_UPSTREAM,
		"s3: 404 NoSuchBucket"},
	{"no bucket, delete", delete, {FAILS(404, "NoSuchBucket")}, 1, FN_UPSTREAM,
		"s3: 404 NoSuchBucket"},
	{"no object, get", get, {FAILS(404, "NoSuchKey")}, 1, FN_NOT_FOUND, "s3: no such object"},
	{"no object, delete", delete, {FAILS(404, "NoSuchKey")}, 1, FN_OK, ""},
	{"somebody else's 404", get, {{.status = 404, .body = FN_BYTES_INIT("<html>")}}, 1,
		FN_UPSTREAM, "s3: 404"},
	{"an object that reads like an error", get,
		{{.status = 200, .body = FN_BYTES_INIT("<Code>NoSuchKey</Code>")}}, 1, FN_OK, ""},
	{"a redirect", get, {{.status = 301, .headers = "Location: /\r\n"}}, 1, FN_UPSTREAM,
		"s3: 301"},

	{"failed once", put, {FAILS(500, "InternalError"), OK}, 2, FN_OK, ""},
	{"failed once, stream", put_stream, {FAILS(500, "InternalError"), OK}, 2, FN_OK, ""},
	{"failed for good, stream", put_stream, {FAILS(500, "InternalError")}, 3, FN_UPSTREAM,
		"s3: 500 InternalError"},
	{"failed once, get", get, {FAILS(500, "InternalError"), OK}, 2, FN_OK, ""},
	{"failed once, delete", delete, {FAILS(500, "InternalError"), {.status = 204}}, 2, FN_OK,
		""},
	{"failed for good", put, {FAILS(500, "InternalError")}, 3, FN_UPSTREAM,
		"s3: 500 InternalError"},
	{"busy", put,
		{{.status = 503, .headers = "Retry-After: 1\r\n", .body = XML("SlowDown")}, OK}, 2,
		FN_OK, ""},
	{"too many writes of one key", put, {FAILS(429, "TooManyRequests"), OK}, 2, FN_OK, ""},

	{"garbage for XML", put, {{.status = 400, .body = FN_BYTES_INIT("<Code>\0\xff</Code>")}}, 1,
		FN_UPSTREAM, "s3: 400"},
	{"a code that is no word", put, {FAILS(400, "%s: a\nb")}, 1, FN_UPSTREAM, "s3: 400"},
	{"a code without an end", put, {{.status = 400, .body = FN_BYTES_INIT("<Code>Cut")}}, 1,
		FN_UPSTREAM, "s3: 400"},
	{"no code", put, {{.status = 400}}, 1, FN_UPSTREAM, "s3: 400"},
};

/* A failure is told by its status and S3's word for it, never as the caller's mistake; what may
 * pass is tried again. */
START_TEST(answer_is_understood)
{
	const struct script *script = answers[_i].script;
	size_t steps = 0;

	while (steps < COUNT(answers[_i].script) && script[steps].status != 0)
		steps++;
	store_open_scripted(script, steps);
	bool ok = answers[_i].operation();
	ck_assert_msg(ok == (answers[_i].code == FN_OK) && err.code == answers[_i].code, "%s: %s",
		answers[_i].name, err.message);
	ck_assert_msg(ok || strcmp(err.message, answers[_i].message) == 0, "%s: %s",
		answers[_i].name, err.message);
	ck_assert_uint_eq(scripted_server_requests(server), answers[_i].requests);
}
END_TEST

/* ---- Objects that are odd -------------------------------------------------------------------- */

/* An object without a byte has no first byte to give, and is got all the same. */
START_TEST(empty_object_is_got)
{
	static const struct script script[] = {FAILS(416, "InvalidRange")};
	struct fn_bytes bytes = FN_BYTES("as it was");

	store_open_scripted(script, COUNT(script));
	ck_assert_msg(object_store_get(store, &call, KEY, 100, &bytes, &err), "%s", err.message);
	ck_assert_uint_eq(bytes.size, 0);
}
END_TEST

/* A server that sends more than it was asked for does not make a large object a small one. */
START_TEST(range_that_is_ignored_is_noticed)
{
	static char large[2000];
	static const struct script script[] = {{.status = 200, .body = {large, sizeof(large)}}};

	store_open_scripted(script, COUNT(script));
	ck_assert(!get());
	ck_assert_msg(err.code == FN_TOO_LARGE, "%s", err.message);
}
END_TEST

/* ---- Transport ------------------------------------------------------------------------------- */

/* A connection that is reset is a failure that may pass. */
START_TEST(reset_is_tried_again)
{
	static const struct script script[] = {
		{.end = SCRIPT_RESET}, {.end = SCRIPT_RESET}, {.status = 200}};

	store_open_scripted(script, COUNT(script));
	ck_assert_msg(put(), "%s", err.message);
}
END_TEST

/* An answer that is cut short is no object. */
START_TEST(truncated_object_is_not_got)
{
	static const struct script script[] = {{.status = 200,
		.body = FN_BYTES_INIT("half an obj"),
		.missing = 3,
		.end = SCRIPT_CLOSE}};

	store_open_scripted(script, COUNT(script));
	ck_assert(!get());
	ck_assert_msg(err.code == FN_UPSTREAM, "%s", err.message);
	ck_assert_msg(strncmp(err.message, "s3: 127.0.0.1:", 14) == 0, "%s", err.message);
	ck_assert_uint_eq(scripted_server_requests(server), 3);
}
END_TEST

/* A server that says nothing is left when the caller's time is up. */
START_TEST(silence_ends_at_the_deadline)
{
	static const struct script script[] = {{.end = SCRIPT_STALL}};

	store_open_scripted(script, COUNT(script));
	call.deadline_ms = fn_now_ms() + 200;
	ck_assert(!put());
	ck_assert_msg(err.code == FN_DEADLINE, "%s", err.message);
}
END_TEST

/* ---- Settings -------------------------------------------------------------------------------- */

static const struct {
	const char *url, *access_key_id, *secret_access_key;
	const char *reason; /* NULL: it is fine */
} settings[] = {
	{"s3:https://acct.r2.cloudflarestorage.com/media", "id", "secret", NULL},
	{"s3:https://s3.example:8443/my.bucket-1", "id", "secret", NULL},
	{"s3:http://localhost/media", "id", "secret", NULL},
	{"s3:http://localhost:9000/media", "id", "secret", NULL},
	{"s3:http://127.1.2.3:9000/media", "id", "secret", NULL},
	{"s3:http://[::1]/media", "id", "secret", NULL},
	{"s3:http://[::1]:9000/media", "id", "secret", NULL},

	{"s3:http://s3.example/media", "id", "secret", "OBJECTS_URL: s3:http:// is for loopback"},
	{"s3:http://127.0.0.1.example/m", "id", "secret",
		"OBJECTS_URL: s3:http:// is for loopback"},
	{"s3:http://localhost.example/m", "id", "secret",
		"OBJECTS_URL: s3:http:// is for loopback"},
	{"s3:http://[::1].example/media", "id", "secret", "OBJECTS_URL must be s3:https://"},
	{"s3:http://10.0.0.1:9000/media", "id", "secret",
		"OBJECTS_URL: s3:http:// is for loopback"},
	{"s3:http://192.0.2.1/media", "id", "secret", "OBJECTS_URL: s3:http:// is for loopback"},
	{"s3:http://127.1/media", "id", "secret", "OBJECTS_URL: s3:http:// is for loopback"},
	{"s3:", "id", "secret", "OBJECTS_URL must be s3:https://"},
	{"s3:media", "id", "secret", "OBJECTS_URL must be s3:https://"},
	{"s3:https:media", "id", "secret", "OBJECTS_URL must be s3:https://"},
	{"s3:ftp://s3.example/media", "id", "secret", "OBJECTS_URL must be s3:https://"},
	{"s3:https:///media", "id", "secret", "OBJECTS_URL must be s3:https://"},
	{"s3:https://me:word@s3.example/m", "id", "secret", "OBJECTS_URL must be s3:https://"},
	{"s3:https://s3.example:port/media", "id", "secret", "OBJECTS_URL must be s3:https://"},
	{"s3:https://s3.example:65536/media", "id", "secret", "OBJECTS_URL must be s3:https://"},
	{"s3:https://s3.example", "id", "secret", "OBJECTS_URL: the bucket must be of"},
	{"s3:https://s3.example/", "id", "secret", "OBJECTS_URL: the bucket must be of"},
	{"s3:https://s3.example/media/", "id", "secret", "OBJECTS_URL: the bucket must be of"},
	{"s3:https://s3.example/media?x", "id", "secret", "OBJECTS_URL: the bucket must be of"},
	{"s3:https://s3.example/media", "", "secret", "S3_ACCESS_KEY_ID is not set"},
	{"s3:https://s3.example/media", "id", "", "S3_SECRET_ACCESS_KEY is not set"},
};

/* A setting that cannot work is told at the start, by the variable's name. */
START_TEST(settings_are_checked)
{
	const char *reason = settings[_i].reason;

	config.url = settings[_i].url;
	config.access_key_id = settings[_i].access_key_id;
	config.secret_access_key = settings[_i].secret_access_key;
	bool ok = object_store_open(&store, &config, http, &err);
	ck_assert_msg(ok == !reason, "%s: %s", config.url, err.message);
	ck_assert_int_eq(err.code, reason ? FN_INVALID : FN_OK);
	ck_assert_msg(!reason || strncmp(err.message, reason, strlen(reason)) == 0, "%s: %s",
		config.url, err.message);
}
END_TEST

/* ---- Credentials ----------------------------------------------------------------------------- */

static struct s3_server *real;

static const struct {
	const char *access_key_id, *secret_access_key, *message;
	int64_t unix_ms; /* 0: now */
} credentials[] = {
	{S3_SERVER_KEY_ID, "another", "s3: 403 SignatureDoesNotMatch", 0},
	{"another", S3_SERVER_SECRET, "s3: 403 InvalidAccessKeyId", 0},
	{S3_SERVER_KEY_ID, S3_SERVER_SECRET, "s3: 403 RequestTimeTooSkewed", 1767323045000},
};

/* A server that checks signatures refuses those made with a wrong pair, or by a wrong clock. */
START_TEST(wrong_credentials_are_told)
{
	config.access_key_id = credentials[_i].access_key_id;
	config.secret_access_key = credentials[_i].secret_access_key;
	store_open(s3_server_bucket_url(real));
	fn_clock_pretend(credentials[_i].unix_ms);
	ck_assert(!put());
	ck_assert_int_eq(err.code, FN_UPSTREAM);
	ck_assert_str_eq(err.message, credentials[_i].message);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = request_is_spelled_for_s3, .rows = COUNT(requests)},
		{.test = answer_is_understood, .rows = COUNT(answers)},
		{.test = empty_object_is_got},
		{.test = range_that_is_ignored_is_noticed},
		{.test = reset_is_tried_again},
		{.test = truncated_object_is_not_got},
		{.test = silence_ends_at_the_deadline},
		{.test = settings_are_checked, .rows = COUNT(settings)},
		{.test = wrong_credentials_are_told, .rows = COUNT(credentials)},
	};

	real = s3_server_start();
	int failed = suite_run_with("object store, S3", cases, COUNT(cases), setup, teardown);
	s3_server_stop(real);
	return failed;
}
