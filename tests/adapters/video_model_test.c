/* What is asked of Veo and of Cloud Storage, and what their answers come to. */
#include "adapters/object_store.h"
#include "adapters/video_model.h"
#include "adapters/wire/json.h"
#include "fn/base64.h"
#include "fn/clock.h"
#include "tests/support/metadata_server.h"
#include "tests/support/mp4.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB ((size_t)1024 * 1024)
#define MODEL "veo:veo-3.1-generate-001"
#define RESOURCE "projects/p-1/locations/us-central1/publishers/google/models/veo-3.1-generate-001"
#define OPERATION RESOURCE "/operations/7f5c2a10-0000-4000-8000-000000000001"
#define STARTED "{\"name\":\"" OPERATION "\"}"
#define DONE(rest) "{\"name\":\"" OPERATION "\",\"done\":true," rest "}"
#define RESPONSE(rest)                                                                             \
	DONE("\"response\":{\"@type\":\"type.googleapis.com/cloud.ai.large_models.vision."         \
	     "GenerateVideoResponse\"," rest "}")
#define FAILURE(code, message) DONE("\"error\":{\"code\":" code ",\"message\":\"" message "\"}")
#define ERROR(message) "{\"error\":{\"code\":0,\"message\":\"" message "\",\"status\":\"S\"}}"

static struct fn_call call;
static struct fn_error err;
static struct fn_http_client *http;
static struct scripted_server *metadata, *server;
static struct google_credentials *credentials;
static struct vertex *vertex;
static struct video_model *model;

static void
setup(void)
{

	unsetenv("http_proxy");
	call = (struct fn_call){.arena = fn_arena_new()};
	err = (struct fn_error){0};
	ck_assert(fn_http_client_open(&http, &err));
	metadata = metadata_server_start(&credentials, http);
}

static void
teardown(void)
{
	video_model_close(model);
	vertex_close(vertex);
	google_credentials_close(credentials);
	fn_http_client_close(http);
	scripted_server_stop(metadata);
	scripted_server_stop(server);
	fn_arena_drop(call.arena);
}

static bool
open_all(const struct vertex_config *vertex_config, const struct video_model_config *config)
{
	return vertex_open(&vertex, vertex_config, credentials, http, &err) &&
	       video_model_open(&model, config, vertex, &err);
}

/* The script answers for Vertex AI and for Cloud Storage. */
static void
open_model(const char *folder, const struct script *script, size_t count)
{
	struct vertex_config vertex_config = {.project = "p-1", .location = ""};
	struct video_model_config config = {.model = MODEL, .storage = folder};

	server = scripted_server_start(script, count);
	vertex_config.url = config.storage_host = scripted_server_url(server);
	ck_assert_msg(open_all(&vertex_config, &config), "%s", err.message);
}

static const char *
request_of(size_t nth)
{
	return scripted_server_request(server, nth).at;
}

/* ---- A start: what is asked ------------------------------------------------------------------ */

static const struct video_request plain = {
	.job = FN_BYTES_INIT("job1"),
	.prompt = FN_BYTES_INIT("a kite over a marsh"),
	.aspect_ratio = "16:9",
	.duration_s = 8,
};

static const struct request_case {
	const char *name, *folder;
	struct video_request request;
	const char *body;
} request_cases[] = {
	{"no more than a prompt", "",
		{.job = FN_BYTES_INIT("job1"),
			.prompt = FN_BYTES_INIT("a kite over a marsh"),
			.aspect_ratio = "16:9",
			.duration_s = 8},
		"{\"instances\":[{\"prompt\":\"a kite over a marsh\"}],\"parameters\":{"
		"\"sampleCount\":1,\"aspectRatio\":\"16:9\",\"durationSeconds\":8,"
		"\"resolution\":\"720p\",\"generateAudio\":false}}"},
	{"all that there is", "gs://bucket/veo/",
		{.job = FN_BYTES_INIT("job1"),
			.prompt = FN_BYTES_INIT("\"F\xc3\xbc"
						"chse\"\n\\"),
			.negative_prompt = FN_BYTES_INIT("\"snow\""),
			.aspect_ratio = "9:16",
			.duration_s = 4,
			.audio = true,
			.has_seed = true,
			.seed = 4294967295},
		"{\"instances\":[{\"prompt\":\"\\\"F\xc3\xbc"
		"chse\\\"\\n\\\\\"}],\"parameters\":{\"sampleCount\":1,\"aspectRatio\":\"9:16\","
		"\"durationSeconds\":4,\"resolution\":\"720p\",\"generateAudio\":true,"
		"\"seed\":4294967295,\"negativePrompt\":\"\\\"snow\\\"\","
		"\"storageUri\":\"gs://bucket/veo/job1/\"}}"},
	{"a bucket without a folder", "gs://bucket",
		{.job = FN_BYTES_INIT("job1"),
			.prompt = FN_BYTES_INIT("x"),
			.aspect_ratio = "16:9",
			.duration_s = 6},
		"{\"instances\":[{\"prompt\":\"x\"}],\"parameters\":{\"sampleCount\":1,"
		"\"aspectRatio\":\"16:9\",\"durationSeconds\":6,\"resolution\":\"720p\","
		"\"generateAudio\":false,\"storageUri\":\"gs://bucket/job1/\"}}"},
};

START_TEST(start_says_what_is_wanted)
{
	const struct request_case *c = &request_cases[_i];
	const struct script script = {.status = 200, .body = FN_BYTES(STARTED)};
	struct fn_bytes operation;

	open_model(c->folder, &script, 1);
	ck_assert_msg(video_model_start(model, &call, &c->request, &operation, &err), "%s: %s",
		c->name, err.message);
	ck_assert_bytes_eq(operation, OPERATION);
	const char *sent = request_of(0);
	ck_assert(fn_bytes_starts(fn_bytes(sent), "POST /v1/" RESOURCE ":predictLongRunning "));
	ck_assert_ptr_nonnull(strstr(sent, "\r\nAuthorization: Bearer one\r\n"));
	ck_assert_ptr_nonnull(
		strstr(sent, "\r\nContent-Type: application/json; charset=utf-8\r\n"));
	const char *body = strstr(sent, "\r\n\r\n") + 4;
	json_t *got = json_loads(body, 0, NULL), *want = json_loads(c->body, 0, NULL);
	ck_assert_ptr_nonnull(want);
	ck_assert_msg(json_equal(got, want), "%s: %s", c->name, body);
	json_decref(got);
	json_decref(want);
}
END_TEST

/* ---- A start: what comes of it --------------------------------------------------------------- */

#define UNKNOWN "veo-3.1-generate-001: nobody knows whether the video was begun: "

static const struct start_case {
	const char *name;
	struct script script;
	enum fn_code code;
	const char *sentence;
	unsigned retry_after_s;
} start_cases[] = {
	{"busy", {.status = 429, .headers = "Retry-After: 7\r\n"}, FN_RATE_LIMITED,
		"the video model has no capacity left at the moment", 7},
	{"busy, for how long is not said", {.status = 429}, FN_RATE_LIMITED, "", 10},
	{"down", {.status = 503, .body = FN_BYTES_INIT(ERROR("overload"))}, FN_BUSY, ": overload",
		10},
	{"refused",
		{.status = 400, .body = FN_BYTES_INIT(ERROR("The prompt could not be submitted."))},
		FN_UNPROCESSABLE, "the safety filter refused the prompt", 0},
	{"refused with a code",
		{.status = 400, .body = FN_BYTES_INIT(ERROR("No. Support codes: 61493863"))},
		FN_UNPROCESSABLE, "the safety filter refused the prompt: violence", 0},
	{"not a valid request", {.status = 400, .body = FN_BYTES_INIT(ERROR("Bad seed"))},
		FN_INVALID, "the video model does not take this request: Bad seed", 0},
	{"not allowed", {.status = 403}, FN_UPSTREAM, "may not use it", 0},
	{"retired", {.status = 404, .body = FN_BYTES_INIT("<html>")}, FN_UPSTREAM, "it is retired",
		0},
	{"our token is refused twice", {.status = 401}, FN_UPSTREAM, "our credentials", 0},

	{"refused for another reason", {.status = 413}, FN_UPSTREAM, ": status 413", 0},
	{"not waited for", {.status = 499}, FN_DEADLINE, UNKNOWN "status 499", 0},
	{"sent elsewhere", {.status = 302}, FN_DEADLINE, UNKNOWN "status 302", 0},
	{"failed inside", {.status = 500}, FN_DEADLINE, UNKNOWN "status 500", 0},
	{"failed on the way", {.status = 502}, FN_DEADLINE, UNKNOWN "status 502", 0},
	{"late", {.status = 504}, FN_DEADLINE, UNKNOWN "status 504", 0},
	{"late for another", {.status = 408}, FN_DEADLINE, UNKNOWN "status 408", 0},
	{"reset", {.end = SCRIPT_RESET}, FN_DEADLINE, UNKNOWN "127.0.0.1", 0},
	{"closed", {.end = SCRIPT_CLOSE}, FN_DEADLINE, UNKNOWN "127.0.0.1", 0},
	{"silent", {.end = SCRIPT_STALL}, FN_DEADLINE, UNKNOWN "127.0.0.1", 0},
	{"cut",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"name\":\"" RESOURCE),
			.missing = 30,
			.end = SCRIPT_CLOSE},
		FN_DEADLINE, UNKNOWN "127.0.0.1", 0},
	{"nameless", {.status = 200, .body = FN_BYTES_INIT("{}")}, FN_DEADLINE,
		UNKNOWN "the answer names no operation", 0},
	{"no JSON", {.status = 200, .body = FN_BYTES_INIT("<html>")}, FN_DEADLINE, UNKNOWN, 0},
	{"not an operation", {.status = 200, .body = FN_BYTES_INIT("{\"name\":\"" RESOURCE "\"}")},
		FN_DEADLINE, UNKNOWN, 0},
	{"an odd operation",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"name\":\"" RESOURCE "/operations/a b\"}")},
		FN_DEADLINE, UNKNOWN, 0},
};

/* A start goes out once, whatever comes back; what proves that nothing was begun is told from what
 * does not. */
START_TEST(start_is_not_repeated)
{
	const struct start_case *c = &start_cases[_i];
	const struct script script[] = {
		{.status = 200, .body = FN_BYTES("{}")}, c->script, c->script, {.status = 200}};
	struct fn_bytes operation = FN_BYTES("as it was");
	struct video_poll poll;

	open_model("", script, COUNT(script));
	ck_assert(video_model_poll(model, &call, FN_BYTES(OPERATION), &poll, &err));
	if (c->script.end == SCRIPT_STALL)
		call.deadline_ms = fn_now_ms() + 1000;
	ck_assert(!video_model_start(model, &call, &plain, &operation, &err));
	ck_assert_msg(err.code == c->code, "%s: %d %s", c->name, err.code, err.message);
	ck_assert_msg(strstr(err.message, c->sentence), "%s: %s", c->name, err.message);
	ck_assert_uint_eq(err.retry_after_s, c->retry_after_s);
	ck_assert_bytes_eq(operation, "as it was");
	ck_assert_uint_eq(scripted_server_requests(server), c->script.status == 401 ? 3 : 2);
}
END_TEST

/* Where there is no way to the model nothing can have been begun. */
START_TEST(start_that_was_not_sent_is_told)
{
	const struct vertex_config vertex_config = {
		.url = "http://127.0.0.1:1", .project = "p-1", .location = ""};
	const struct video_model_config config = {
		.model = MODEL, .storage = "", .storage_host = ""};
	struct fn_bytes operation;

	ck_assert(open_all(&vertex_config, &config));
	if (_i == 1)
		call.deadline_ms = fn_now_ms() - 1;
	ck_assert(!video_model_start(model, &call, &plain, &operation, &err));
	ck_assert_msg(err.code == FN_BUSY, "%s", err.message);
	ck_assert_uint_eq(err.retry_after_s, 10);
}
END_TEST

/* ---- A poll ---------------------------------------------------------------------------------- */

#define SAFETY                                                                                     \
	"The prompt could not be submitted. This prompt contains sensitive words that violate "    \
	"Google's Responsible AI practices."

static const struct poll_case {
	const char *answer;
	enum video_state state;
	int progress;
	const char *reason, *detail, *uri;
} poll_cases[] = {
	{STARTED, VIDEO_RUNNING, -1, "", "", ""},
	{"{\"name\":\"n\",\"done\":false}", VIDEO_RUNNING, -1, "", "", ""},
	{"{\"metadata\":{\"progressPercentage\":42}}", VIDEO_RUNNING, 42, "", "", ""},
	{"{\"metadata\":{\"progressPercentage\":99.9}}", VIDEO_RUNNING, 99, "", "", ""},
	{"{\"metadata\":{\"progressPercentage\":101}}", VIDEO_RUNNING, -1, "", "", ""},
	{"{\"metadata\":{\"progressPercentage\":\"many\"}}", VIDEO_RUNNING, -1, "", "", ""},

	{RESPONSE("\"raiMediaFilteredCount\":0,\"videos\":[{\"gcsUri\":\"gs://b/o/sample_0.mp4\","
		  "\"mimeType\":\"video/mp4\"}]"),
		VIDEO_DONE, -1, "", "", "gs://b/o/sample_0.mp4"},
	{RESPONSE("\"raiMediaFilteredCount\":1,\"videos\":[{\"gcsUri\":\"gs://b/o\"}]"), VIDEO_DONE,
		-1, "", "", "gs://b/o"},
	{RESPONSE("\"generatedSamples\":[{\"video\":{\"uri\":\"gs://b/o\"}}]"), VIDEO_DONE, -1, "",
		"", "gs://b/o"},
	{RESPONSE("\"generateVideoResponse\":{\"generatedSamples\":[{\"video\":{\"uri\":"
		  "\"gs://b/o\"}}]}"),
		VIDEO_DONE, -1, "", "", "gs://b/o"},

	{RESPONSE("\"raiMediaFilteredCount\":1,\"raiMediaFilteredReasons\":[\"We filtered it. "
		  "Support codes: 58061214\"]"),
		VIDEO_REFUSED, -1, "the safety filter refused the video: children",
		"We filtered it. Support codes: 58061214", ""},
	{RESPONSE("\"raiMediaFilteredReasons\":[\"No.\"],\"videos\":[]"), VIDEO_REFUSED, -1,
		"the safety filter refused the video", "No.", ""},
	{RESPONSE("\"raiMediaFilteredCount\":1"), VIDEO_REFUSED, -1,
		"the safety filter refused the video", "", ""},
	{FAILURE("3", SAFETY " Support codes: 90789179"), VIDEO_REFUSED, -1,
		"the safety filter refused the prompt: sexual content", SAFETY, ""},
	{FAILURE("3", "It violates Vertex AI's usage guidelines."), VIDEO_REFUSED, -1,
		"the safety filter refused the prompt", "usage guidelines", ""},

	{FAILURE("3", "Unsupported duration"), VIDEO_REJECTED, -1,
		"the video model does not take this request", "code 3: Unsupported duration", ""},
	{FAILURE("7", "No write on gs://b"), VIDEO_REJECTED, -1, "should have allowed",
		"code 7: No write on gs://b", ""},
	{FAILURE("5", "No bucket"), VIDEO_REJECTED, -1, "should have set up", "code 5", ""},

	{FAILURE("8", "Resource exhausted"), VIDEO_FAILED, -1, "has no capacity left", "code 8: R",
		""},
	{FAILURE("14", "Unavailable"), VIDEO_FAILED, -1, "has no capacity left", "code 14: U", ""},
	{FAILURE("4", "Late"), VIDEO_FAILED, -1, "was too slow", "code 4: Late", ""},
	{FAILURE("13", "Internal error"), VIDEO_FAILED, -1, "the video model failed",
		"code 13: Internal error", ""},
	{FAILURE("99", "?"), VIDEO_FAILED, -1, "the video model failed", "code 99: ?", ""},
	{DONE("\"error\":{}"), VIDEO_FAILED, -1, "the video model failed", "code 0: ", ""},
	{DONE("\"error\":7"), VIDEO_FAILED, -1, "the video model failed", "code 0: ", ""},
	{RESPONSE("\"raiMediaFilteredCount\":0"), VIDEO_FAILED, -1,
		"made no video and did not say why", "", ""},
	{RESPONSE("\"videos\":[]"), VIDEO_FAILED, -1, "made no video", "", ""},
	{RESPONSE("\"videos\":[{\"bytesBase64Encoded\":\"\"}]"), VIDEO_FAILED, -1, "made no video",
		"", ""},
	{RESPONSE("\"videos\":7"), VIDEO_FAILED, -1, "made no video", "", ""},
	{"{\"done\":true}", VIDEO_FAILED, -1, "made no video", "", ""},
};

/* What runs, what is done, what was refused and what failed are told apart, though all of it comes
 * with status 200. */
START_TEST(poll_tells_how_it_is_going)
{
	const struct poll_case *c = &poll_cases[_i];
	const struct script script = {.status = 200, .body = fn_bytes(c->answer)};
	struct video_poll poll;

	open_model("", &script, 1);
	ck_assert_msg(video_model_poll(model, &call, FN_BYTES(OPERATION), &poll, &err), "%s: %s",
		c->answer, err.message);
	ck_assert_msg(poll.state == c->state, "%s: %d", c->answer, poll.state);
	ck_assert_int_eq(poll.progress, c->progress);
	const char *reason = fn_text(call.arena, poll.reason);
	const char *detail = fn_text(call.arena, poll.detail);
	ck_assert_msg(strstr(reason, c->reason), "%s: %s", c->answer, reason);
	ck_assert_msg(strstr(detail, c->detail), "%s: %s", c->answer, detail);
	ck_assert_int_eq(reason[0] == '\0', c->reason[0] == '\0');
	ck_assert_bytes_eq(poll.video.uri, c->uri);
}
END_TEST

static const struct unanswered_case {
	const char *name;
	struct script script;
	enum fn_code code;
	const char *sentence;
} unanswered_cases[] = {
	{"busy", {.status = 429}, FN_RATE_LIMITED, "veo-3.1-generate-001: poll: status 429: "},
	{"down", {.status = 503, .body = FN_BYTES_INIT(ERROR("overload"))}, FN_BUSY, ": overload"},
	{"broken", {.status = 500}, FN_UPSTREAM, "status 500"},
	{"not allowed", {.status = 403}, FN_UPSTREAM, "status 403"},
	{"not taken", {.status = 400}, FN_UPSTREAM, "status 400"},
	{"reset", {.end = SCRIPT_RESET}, FN_UPSTREAM, "veo-3.1-generate-001: 127.0.0.1"},
	{"silent", {.end = SCRIPT_STALL}, FN_DEADLINE, "veo-3.1-generate-001: 127.0.0.1"},
	{"no JSON", {.status = 200, .body = FN_BYTES_INIT("{\"done\":")}, FN_UPSTREAM,
		"the answer is no JSON"},
	{"no base64",
		{.status = 200,
			.body = FN_BYTES_INIT(
				RESPONSE("\"videos\":[{\"bytesBase64Encoded\":\"AAAA!AAA\"}]"))},
		FN_UPSTREAM, "no base64"},
	{"cut",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"done\":true,\"response\":{\"videos\":[{"
					      "\"bytesBase64Encoded\":\"AAAA"),
			.missing = 9,
			.end = SCRIPT_CLOSE},
		FN_UPSTREAM, "partial file"},
};

/* A poll that fails says nothing about the video. */
START_TEST(poll_may_fail)
{
	const struct unanswered_case *c = &unanswered_cases[_i];
	struct video_poll poll = {.progress = 7};

	open_model("", &c->script, 1);
	if (c->script.end == SCRIPT_STALL)
		call.deadline_ms = fn_now_ms() + 1000;
	ck_assert(!video_model_poll(model, &call, FN_BYTES(OPERATION), &poll, &err));
	ck_assert_msg(err.code == c->code, "%s: %d %s", c->name, err.code, err.message);
	ck_assert_msg(strstr(err.message, c->sentence), "%s: %s", c->name, err.message);
	ck_assert_int_eq(poll.progress, 7);
}
END_TEST

/* An operation is asked for where it was begun, whatever the settings say by now. */
START_TEST(poll_goes_where_the_operation_is)
{
	const struct script script = {
		.status = 404, .body = FN_BYTES_INIT(ERROR("Operation not found"))};
	const char *name = "projects/9/locations/europe-west4/publishers/google/models/veo-9/"
			   "operations/x";
	struct video_poll poll;

	open_model("", &script, 1);
	ck_assert(video_model_poll(model, &call, fn_bytes(name), &poll, &err));
	ck_assert_int_eq(poll.state, VIDEO_LOST);
	ck_assert_bytes_eq(poll.reason, "the video model has lost the video");
	ck_assert_bytes_eq(poll.detail, "Operation not found");
	ck_assert(fn_bytes_starts(fn_bytes(request_of(0)),
		"POST /v1/projects/9/locations/europe-west4/publishers/google/models/veo-9"
		":fetchPredictOperation "));
	ck_assert_str_eq(strstr(request_of(0), "\r\n\r\n") + 4,
		fn_textf(call.arena, "{\"operationName\":\"%s\"}", name));
}
END_TEST

static const char *const no_operations[] = {"", "operations/x", "projects/p/../operations/x y",
	"projects//operations/x", "projects/p/locations/l", "projects/p\"/operations/x"};

START_TEST(what_is_no_operation_is_not_asked_for)
{
	const struct script script = {.status = 200};
	struct video_poll poll;

	open_model("", &script, 1);
	ck_assert(!video_model_poll(model, &call, fn_bytes(no_operations[_i]), &poll, &err));
	ck_assert_msg(strstr(err.message, "is no operation"), "%s", err.message);
	ck_assert_uint_eq(scripted_server_requests(server), 0);
}
END_TEST

/* ---- Results --------------------------------------------------------------------------------- */

static void
assert_file(const struct video_file *file, struct fn_bytes wanted)
{
	char *bytes = fn_arena_alloc(call.arena, wanted.size);

	ck_assert_uint_eq(file->bytes.size, wanted.size);
	ck_assert_str_eq(file->mime_type, "video/mp4");
	ck_assert_uint_eq(file->width, 1280);
	ck_assert_uint_eq(file->height, 720);
	ck_assert_uint_eq(file->duration_ms, 4000);
	for (int i = 0; i < 2; i++) { /* it can be read again */
		memset(bytes, 0, wanted.size);
		for (size_t at = 0, size; at < wanted.size; at += size) {
			size = wanted.size - at < 100000 ? wanted.size - at : 100000;
			ck_assert_msg(
				file->bytes.read(file->bytes.with, at, bytes + at, size, &err),
				"%s", err.message);
		}
		ck_assert(memcmp(bytes, wanted.at, wanted.size) == 0);
	}
}

static struct fn_bytes
inline_answer(const char *before, struct fn_bytes video)
{
	struct fn_builder answer = {.arena = call.arena};

	fn_addf(&answer, "{\"done\":true,\"response\":{%s\"", before);
	fn_add(&answer, fn_base64_encode(video, call.arena));
	fn_addf(&answer, "\"}]}}");
	return fn_built(&answer);
}

static const struct {
	const char *before;
	size_t size;
} inline_cases[] = {
	{"\"videos\":[{\"mimeType\":\"video/mp4\",\"bytesBase64Encoded\":", 1024},
	{"\"videos\":[{\"mimeType\":\"video/mp4\",\"bytesBase64Encoded\" : ", 1025},
	{"\"videos\":[{\"bytesBase64Encoded\":", 1026},
	{"\"videos\":[{\"bytesBase64Encoded\":", 3000001},
	{"\"generatedSamples\":[{\"encodedVideo\":", 3000002},
};

/* A video inside the answer is taken out of it. */
START_TEST(inline_video_is_fetched)
{
	struct fn_bytes sample = mp4_sample(call.arena, inline_cases[_i].size);
	const struct script script = {
		.status = 200, .body = inline_answer(inline_cases[_i].before, sample)};
	struct video_poll poll;
	struct video_file file;

	open_model("", &script, 1);
	ck_assert_msg(video_model_poll(model, &call, FN_BYTES(OPERATION), &poll, &err), "%s",
		err.message);
	ck_assert_int_eq(poll.state, VIDEO_DONE);
	ck_assert_msg(video_model_fetch(model, &call, &poll.video, &file, &err), "%s", err.message);
	assert_file(&file, sample);
}
END_TEST

static struct script
range(struct fn_bytes sample, size_t from, size_t to)
{
	return (struct script){
		.status = 206,
		.headers = fn_textf(call.arena, "Content-Range: bytes %zu-%zu/%zu\r\n", from,
			to - 1, sample.size),
		.body = {sample.at + from, to - from},
	};
}

/* A video in a bucket is asked for piece by piece, as often as it takes. */
START_TEST(stored_video_is_fetched)
{
	struct fn_bytes sample = mp4_sample(call.arena, 5 * MIB);
	const struct script first = range(sample, 0, 4 * MIB);
	const struct script last = range(sample, 4 * MIB, 5 * MIB);
	const struct script script[] = {first, {.end = SCRIPT_RESET}, last, first, last};
	const struct video video = {.uri = FN_BYTES("gs://bu.cket/veo/job 1/sample_0.mp4")};
	struct video_file file;

	open_model("gs://bu.cket/veo", script, COUNT(script));
	ck_assert_msg(video_model_fetch(model, &call, &video, &file, &err), "%s", err.message);
	assert_file(&file, sample);
	ck_assert_uint_eq(scripted_server_requests(server), 5);
	ck_assert(fn_bytes_starts(fn_bytes(request_of(0)),
		"GET /storage/v1/b/bu.cket/o/veo%2Fjob%201%2Fsample_0.mp4?alt=media HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(request_of(0), "\r\nAuthorization: Bearer one\r\n"));
	ck_assert_ptr_nonnull(strstr(request_of(0), "\r\nRange: bytes=0-4194303\r\n"));
	ck_assert_ptr_nonnull(strstr(request_of(2), "\r\nRange: bytes=4194304-8388607\r\n"));
}
END_TEST

#define WHOLE "Content-Range: bytes 0-7/8\r\n"

static const struct fetch_case {
	const char *name, *uri;
	struct script script;
	enum fn_code code;
	const char *sentence;
} fetch_cases[] = {
	{"gone", "gs://b/o", {.status = 404}, FN_NOT_FOUND, "no such object"},
	{"not allowed", "gs://b/o", {.status = 403, .body = FN_BYTES_INIT(ERROR("No."))},
		FN_UPSTREAM, "storage: 403: No."},
	{"empty", "gs://b/o", {.status = 416}, FN_UPSTREAM, "storage: 416"},
	{"of unknown size", "gs://b/o", {.status = 206, .body = FN_BYTES_INIT("12345678")},
		FN_UPSTREAM, "does not say how large"},
	{"no MP4", "gs://b/o", {.status = 206, .headers = WHOLE, .body = FN_BYTES_INIT("12345678")},
		FN_UPSTREAM, "the video is no MP4"},
	{"no object", "gs://b", {.status = 200}, FN_UPSTREAM, "names no object"},
	{"somewhere else", "https://b/o", {.status = 200}, FN_UPSTREAM, "names no object"},
};

START_TEST(fetch_may_fail)
{
	const struct fetch_case *c = &fetch_cases[_i];
	const struct video video = {.uri = fn_bytes(c->uri)};
	struct video_file file = {.width = 7};

	open_model("gs://b", &c->script, 1);
	ck_assert(!video_model_fetch(model, &call, &video, &file, &err));
	ck_assert_msg(err.code == c->code, "%s: %s", c->name, err.message);
	ck_assert_msg(strstr(err.message, c->sentence), "%s: %s", c->name, err.message);
	ck_assert_uint_eq(file.width, 7);
}
END_TEST

/* ---- Finding --------------------------------------------------------------------------------- */

#define ITEM(name) "{\"name\":\"" name "\"}"

static const struct find_case {
	const char *name, *folder;
	struct script script;
	enum fn_code code;
	const char *uri;
	size_t requests;
} find_cases[] = {
	{"one", "gs://b/veo",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"items\":[" ITEM("veo/job1/1/note.txt") "," ITEM(
				"veo/job1/1/sample_0.mp4") "]}")},
		FN_OK, "gs://b/veo/job1/1/sample_0.mp4", 1},
	{"none", "gs://b/veo", {.status = 200, .body = FN_BYTES_INIT("{}")}, FN_NOT_FOUND, "", 1},
	{"nothing but others", "gs://b/veo",
		{.status = 200, .body = FN_BYTES_INIT("{\"items\":[" ITEM("mp4") ",7]}")},
		FN_NOT_FOUND, "", 1},
	{"inline results are nowhere", "", {.status = 200}, FN_NOT_FOUND, "", 0},
	{"no bucket", "gs://b/veo", {.status = 404}, FN_UPSTREAM, "", 1},
	{"no list", "gs://b/veo", {.status = 200, .body = FN_BYTES_INIT("<html>")}, FN_UPSTREAM, "",
		1},
	{"not allowed", "gs://b/veo", {.status = 403}, FN_UPSTREAM, "", 1},
};

/* "There is no video" is said only by a list that has none: whoever hears it pays for another. */
START_TEST(lost_video_is_found)
{
	const struct find_case *c = &find_cases[_i];
	struct video video = {0};

	open_model(c->folder, &c->script, 1);
	bool ok = video_model_find(model, &call, FN_BYTES("job1"), &video, &err);
	ck_assert_msg(ok == (c->code == FN_OK) && (ok || err.code == c->code), "%s: %s", c->name,
		err.message);
	ck_assert_bytes_eq(video.uri, c->uri);
	ck_assert_uint_eq(scripted_server_requests(server), c->requests);
	if (c->requests > 0)
		ck_assert(fn_bytes_starts(fn_bytes(request_of(0)),
			"GET /storage/v1/b/b/o?fields=items(name)&prefix=veo%2Fjob1%2F HTTP/1.1"));
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------------------- */

static size_t
memory_kib(const char *what)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	size_t kib = 0;

	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, what, strlen(what)) == 0)
			kib = strtoul(line + strlen(what), NULL, 10);
	fclose(status);
	return kib;
}

static void
forget_peak(void)
{
	int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, "5", 1), 1);
	close(file);
}

/* Sanitizers keep what was freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_MOST_KIB SIZE_MAX
#else
#define MEMORY_MOST_KIB (32 * 1024)
#endif

#define LARGE (100 * MIB)
#define BLOCK (4 * MIB)

/* What answers for an inline video, and for a stored one. */
static const struct script *
large_script(struct fn_bytes sample, bool is_stored)
{
	struct script *script = fn_arena_zero(call.arena, (1 + LARGE / BLOCK) * sizeof(*script));

	script[0] = (struct script){.status = 200,
		.body = is_stored ? FN_BYTES(RESPONSE("\"videos\":[{\"gcsUri\":\"gs://b/o\"}]"))
				  : inline_answer("\"videos\":[{\"bytesBase64Encoded\":", sample)};
	for (size_t i = 0; i < LARGE / BLOCK; i++)
		script[1 + i] = range(sample, i * BLOCK, (i + 1) * BLOCK);
	return script;
}

/* A hundred megabytes go from the model to the object store through a few. */
START_TEST(large_video_passes_through_little_memory)
{
	struct object_store *objects;
	const struct object_store_config config = {
		.url = fn_textf(call.arena, "file:%s", temp_folder()),
		.public_url = "http://localhost/"};
	struct fn_bytes sample = mp4_sample(call.arena, LARGE);
	struct video_poll poll;
	struct video_file file;

	open_model("", large_script(sample, _i == 1), 1 + LARGE / BLOCK);
	ck_assert(object_store_open(&objects, &config, http, &err));
	forget_peak();
	size_t before = memory_kib("VmRSS:");
	ck_assert(video_model_poll(model, &call, FN_BYTES(OPERATION), &poll, &err));
	ck_assert_msg(video_model_fetch(model, &call, &poll.video, &file, &err), "%s", err.message);
	const struct object_stream object = {&file.bytes, file.mime_type, NULL};
	ck_assert_msg(object_store_put_stream(objects, &call, FN_BYTES("v.mp4"), &object, &err),
		"%s", err.message);
	size_t grown = memory_kib("VmHWM:") - before;
	ck_assert_uint_eq(file.bytes.size, LARGE);
	ck_assert_msg(grown <= MEMORY_MOST_KIB, "%zu KiB", grown);
	object_store_close(objects);
}
END_TEST

/* ---- Settings -------------------------------------------------------------------------------- */

static const struct setting_case {
	const char *model, *storage, *storage_host;
	const char *variable; /* NULL: it is fine */
} setting_cases[] = {
	{MODEL, "", "", NULL},
	{MODEL, "gs://bucket", "localhost:9023", NULL},
	{MODEL, "gs://bucket/a/b/", "http://127.0.0.1:9023", NULL},
	{"", "", "", "VIDEO_MODEL"},
	{"veo", "", "", "VIDEO_MODEL"},
	{"veo:", "", "", "VIDEO_MODEL"},
	{"veo:a/b", "", "", "VIDEO_MODEL"},
	{"sora:2", "", "", "VIDEO_MODEL"},
	{MODEL, "bucket", "", "VIDEO_STORAGE_URI"},
	{MODEL, "gs://", "", "VIDEO_STORAGE_URI"},
	{MODEL, "s3://bucket", "", "VIDEO_STORAGE_URI"},
	{MODEL, "", "https://host", "STORAGE_EMULATOR_HOST"},
	{MODEL, "", "http://host/path", "STORAGE_EMULATOR_HOST"},
};

START_TEST(bad_setting_is_named)
{
	const struct setting_case *c = &setting_cases[_i];
	const struct vertex_config vertex_config = {.url = "", .project = "p", .location = ""};
	const struct video_model_config config = {
		.model = c->model, .storage = c->storage, .storage_host = c->storage_host};

	bool ok = open_all(&vertex_config, &config);
	ck_assert_msg(ok == !c->variable, "%s", err.message);
	ck_assert_int_eq(err.code, ok ? FN_OK : FN_INVALID);
	ck_assert_msg(ok || fn_bytes_starts(fn_bytes(err.message), c->variable), "%s", err.message);
}
END_TEST

#define ROWS(name, count)                                                                          \
	{                                                                                          \
		.test = name, .rows = count, .setup = setup, .teardown = teardown                  \
	}

int
main(void)
{
	const struct suite_case cases[] = {
		ROWS(start_says_what_is_wanted, COUNT(request_cases)),
		ROWS(start_is_not_repeated, COUNT(start_cases)),
		ROWS(start_that_was_not_sent_is_told, 2),
		ROWS(poll_tells_how_it_is_going, COUNT(poll_cases)),
		ROWS(poll_may_fail, COUNT(unanswered_cases)),
		ROWS(poll_goes_where_the_operation_is, 1),
		ROWS(what_is_no_operation_is_not_asked_for, COUNT(no_operations)),
		ROWS(inline_video_is_fetched, COUNT(inline_cases)),
		ROWS(stored_video_is_fetched, 1),
		ROWS(fetch_may_fail, COUNT(fetch_cases)),
		ROWS(lost_video_is_found, COUNT(find_cases)),
		ROWS(large_video_passes_through_little_memory, 2),
		ROWS(bad_setting_is_named, COUNT(setting_cases)),
	};

	return suite_run("video_model", cases, COUNT(cases));
}
