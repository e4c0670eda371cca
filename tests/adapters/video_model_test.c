/* What is asked of Veo, and what its answers come to. */
#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "tests/support/suite.h"
#include "tests/support/veo.h"

#include <string.h>

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
	const struct script script = {.status = 200, .body = FN_BYTES(VEO_STARTED)};
	struct fn_bytes operation;

	veo_open_model(c->folder, &script, 1);
	ck_assert_msg(video_model_start(veo.model, &veo.call, &c->request, &operation, &veo.err),
		"%s: %s", c->name, veo.err.message);
	ck_assert_bytes_eq(operation, VEO_OPERATION);
	const char *sent = veo_request(0);
	ck_assert(fn_bytes_starts(fn_bytes(sent), "POST /v1/" VEO_RESOURCE ":predictLongRunning "));
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
	{"down", {.status = 503, .body = FN_BYTES_INIT(VEO_ERROR("overload"))}, FN_BUSY,
		": overload", 10},
	{"refused",
		{.status = 400,
			.body = FN_BYTES_INIT(VEO_ERROR("The prompt could not be submitted."))},
		FN_UNPROCESSABLE, "the safety filter refused the prompt", 0},
	{"refused with a code",
		{.status = 400, .body = FN_BYTES_INIT(VEO_ERROR("No. Support codes: 61493863"))},
		FN_UNPROCESSABLE, "the safety filter refused the prompt: violence", 0},
	{"not a valid request", {.status = 400, .body = FN_BYTES_INIT(VEO_ERROR("Bad seed"))},
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
			.body = FN_BYTES_INIT("{\"name\":\"" VEO_RESOURCE),
			.missing = 30,
			.end = SCRIPT_CLOSE},
		FN_DEADLINE, UNKNOWN "127.0.0.1", 0},
	{"nameless", {.status = 200, .body = FN_BYTES_INIT("{}")}, FN_DEADLINE,
		UNKNOWN "the answer names no operation", 0},
	{"no JSON", {.status = 200, .body = FN_BYTES_INIT("<html>")}, FN_DEADLINE, UNKNOWN, 0},
	{"not an operation",
		{.status = 200, .body = FN_BYTES_INIT("{\"name\":\"" VEO_RESOURCE "\"}")},
		FN_DEADLINE, UNKNOWN, 0},
	{"an odd operation",
		{.status = 200,
			.body = FN_BYTES_INIT("{\"name\":\"" VEO_RESOURCE "/operations/a b\"}")},
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

	veo_open_model("", script, COUNT(script));
	ck_assert(video_model_poll(veo.model, &veo.call, FN_BYTES(VEO_OPERATION), &poll, &veo.err));
	if (c->script.end == SCRIPT_STALL)
		veo.call.deadline_ms = fn_now_ms() + 1000;
	ck_assert(!video_model_start(veo.model, &veo.call, &plain, &operation, &veo.err));
	ck_assert_msg(veo.err.code == c->code, "%s: %d %s", c->name, veo.err.code, veo.err.message);
	ck_assert_msg(strstr(veo.err.message, c->sentence), "%s: %s", c->name, veo.err.message);
	ck_assert_uint_eq(veo.err.retry_after_s, c->retry_after_s);
	ck_assert_bytes_eq(operation, "as it was");
	ck_assert_uint_eq(scripted_server_requests(veo.server), c->script.status == 401 ? 3 : 2);
}
END_TEST

/* Where there is no way to the model nothing can have been begun. */
START_TEST(start_that_was_not_sent_is_told)
{
	const struct vertex_config vertex_config = {
		.url = "http://127.0.0.1:1", .project = "p-1", .location = ""};
	const struct video_model_config config = {
		.model = VEO_MODEL, .storage = "", .storage_host = ""};
	struct fn_bytes operation;

	ck_assert(veo_open_all(&vertex_config, &config));
	if (_i == 1)
		veo.call.deadline_ms = fn_now_ms() - 1;
	ck_assert(!video_model_start(veo.model, &veo.call, &plain, &operation, &veo.err));
	ck_assert_msg(veo.err.code == FN_BUSY, "%s", veo.err.message);
	ck_assert_uint_eq(veo.err.retry_after_s, 10);
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
	{VEO_STARTED, VIDEO_RUNNING, -1, "", "", ""},
	{"{\"name\":\"n\",\"done\":false}", VIDEO_RUNNING, -1, "", "", ""},
	{"{\"metadata\":{\"progressPercentage\":42}}", VIDEO_RUNNING, 42, "", "", ""},
	{"{\"metadata\":{\"progressPercentage\":99.9}}", VIDEO_RUNNING, 99, "", "", ""},
	{"{\"metadata\":{\"progressPercentage\":101}}", VIDEO_RUNNING, -1, "", "", ""},
	{"{\"metadata\":{\"progressPercentage\":\"many\"}}", VIDEO_RUNNING, -1, "", "", ""},

	{VEO_RESPONSE(
		 "\"raiMediaFilteredCount\":0,\"videos\":[{\"gcsUri\":\"gs://b/o/sample_0.mp4\","
		 "\"mimeType\":\"video/mp4\"}]"),
		VIDEO_DONE, -1, "", "", "gs://b/o/sample_0.mp4"},
	{VEO_RESPONSE("\"raiMediaFilteredCount\":1,\"videos\":[{\"gcsUri\":\"gs://b/o\"}]"),
		VIDEO_DONE, -1, "", "", "gs://b/o"},
	{VEO_RESPONSE("\"generatedSamples\":[{\"video\":{\"uri\":\"gs://b/o\"}}]"), VIDEO_DONE, -1,
		"", "", "gs://b/o"},
	{VEO_RESPONSE("\"generateVideoResponse\":{\"generatedSamples\":[{\"video\":{\"uri\":"
		      "\"gs://b/o\"}}]}"),
		VIDEO_DONE, -1, "", "", "gs://b/o"},

	{VEO_RESPONSE("\"raiMediaFilteredCount\":1,\"raiMediaFilteredReasons\":[\"We filtered it. "
		      "Support codes: 58061214\"]"),
		VIDEO_REFUSED, -1, "the safety filter refused the video: children",
		"We filtered it. Support codes: 58061214", ""},
	{VEO_RESPONSE("\"raiMediaFilteredReasons\":[\"No.\"],\"videos\":[]"), VIDEO_REFUSED, -1,
		"the safety filter refused the video", "No.", ""},
	{VEO_RESPONSE("\"raiMediaFilteredCount\":1"), VIDEO_REFUSED, -1,
		"the safety filter refused the video", "", ""},
	{VEO_FAILURE("3", SAFETY " Support codes: 90789179"), VIDEO_REFUSED, -1,
		"the safety filter refused the prompt: sexual content", SAFETY, ""},
	{VEO_FAILURE("3", "It violates Vertex AI's usage guidelines."), VIDEO_REFUSED, -1,
		"the safety filter refused the prompt", "usage guidelines", ""},

	{VEO_FAILURE("3", "Unsupported duration"), VIDEO_REJECTED, -1,
		"the video model does not take this request", "code 3: Unsupported duration", ""},
	{VEO_FAILURE("7", "No write on gs://b"), VIDEO_REJECTED, -1, "should have allowed",
		"code 7: No write on gs://b", ""},
	{VEO_FAILURE("5", "No bucket"), VIDEO_REJECTED, -1, "should have set up", "code 5", ""},

	{VEO_FAILURE("8", "Resource exhausted"), VIDEO_FAILED, -1, "has no capacity left",
		"code 8: R", ""},
	{VEO_FAILURE("14", "Unavailable"), VIDEO_FAILED, -1, "has no capacity left", "code 14: U",
		""},
	{VEO_FAILURE("4", "Late"), VIDEO_FAILED, -1, "was too slow", "code 4: Late", ""},
	{VEO_FAILURE("13", "Internal error"), VIDEO_FAILED, -1, "the video model failed",
		"code 13: Internal error", ""},
	{VEO_FAILURE("99", "?"), VIDEO_FAILED, -1, "the video model failed", "code 99: ?", ""},
	{VEO_DONE("\"error\":{}"), VIDEO_FAILED, -1, "the video model failed", "code 0: ", ""},
	{VEO_DONE("\"error\":7"), VIDEO_FAILED, -1, "the video model failed", "code 0: ", ""},
	{VEO_RESPONSE("\"raiMediaFilteredCount\":0"), VIDEO_FAILED, -1,
		"made no video and did not say why", "", ""},
	{VEO_RESPONSE("\"videos\":[]"), VIDEO_FAILED, -1, "made no video", "", ""},
	{VEO_RESPONSE("\"videos\":[{\"bytesBase64Encoded\":\"\"}]"), VIDEO_FAILED, -1,
		"made no video", "", ""},
	{VEO_RESPONSE("\"videos\":7"), VIDEO_FAILED, -1, "made no video", "", ""},
	{"{\"done\":true}", VIDEO_FAILED, -1, "made no video", "", ""},
};

/* What runs, what is done, what was refused and what failed are told apart, though all of it comes
 * with status 200. */
START_TEST(poll_tells_how_it_is_going)
{
	const struct poll_case *c = &poll_cases[_i];
	const struct script script = {.status = 200, .body = fn_bytes(c->answer)};
	struct video_poll poll;

	veo_open_model("", &script, 1);
	ck_assert_msg(
		video_model_poll(veo.model, &veo.call, FN_BYTES(VEO_OPERATION), &poll, &veo.err),
		"%s: %s", c->answer, veo.err.message);
	ck_assert_msg(poll.state == c->state, "%s: %d", c->answer, poll.state);
	ck_assert_int_eq(poll.progress, c->progress);
	const char *reason = fn_text(veo.call.arena, poll.reason);
	const char *detail = fn_text(veo.call.arena, poll.detail);
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
	{"down", {.status = 503, .body = FN_BYTES_INIT(VEO_ERROR("overload"))}, FN_BUSY,
		": overload"},
	{"broken", {.status = 500}, FN_UPSTREAM, "status 500"},
	{"not allowed", {.status = 403}, FN_UPSTREAM, "status 403"},
	{"not taken", {.status = 400}, FN_UPSTREAM, "status 400"},
	{"reset", {.end = SCRIPT_RESET}, FN_UPSTREAM, "veo-3.1-generate-001: 127.0.0.1"},
	{"silent", {.end = SCRIPT_STALL}, FN_DEADLINE, "veo-3.1-generate-001: 127.0.0.1"},
	{"no JSON", {.status = 200, .body = FN_BYTES_INIT("{\"done\":")}, FN_UPSTREAM,
		"the answer is no JSON"},
	{"no base64",
		{.status = 200,
			.body = FN_BYTES_INIT(VEO_RESPONSE(
				"\"videos\":[{\"bytesBase64Encoded\":\"AAAA!AAA\"}]"))},
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

	veo_open_model("", &c->script, 1);
	if (c->script.end == SCRIPT_STALL)
		veo.call.deadline_ms = fn_now_ms() + 1000;
	ck_assert(
		!video_model_poll(veo.model, &veo.call, FN_BYTES(VEO_OPERATION), &poll, &veo.err));
	ck_assert_msg(veo.err.code == c->code, "%s: %d %s", c->name, veo.err.code, veo.err.message);
	ck_assert_msg(strstr(veo.err.message, c->sentence), "%s: %s", c->name, veo.err.message);
	ck_assert_int_eq(poll.progress, 7);
}
END_TEST

/* An operation is asked for where it was begun, whatever the settings say by now. */
START_TEST(poll_goes_where_the_operation_is)
{
	const struct script script = {
		.status = 404, .body = FN_BYTES_INIT(VEO_ERROR("Operation not found"))};
	const char *name = "projects/9/locations/europe-west4/publishers/google/models/veo-9/"
			   "operations/x";
	struct video_poll poll;

	veo_open_model("", &script, 1);
	ck_assert(video_model_poll(veo.model, &veo.call, fn_bytes(name), &poll, &veo.err));
	ck_assert_int_eq(poll.state, VIDEO_LOST);
	ck_assert_bytes_eq(poll.reason, "the video model has lost the video");
	ck_assert_bytes_eq(poll.detail, "Operation not found");
	ck_assert(fn_bytes_starts(fn_bytes(veo_request(0)),
		"POST /v1/projects/9/locations/europe-west4/publishers/google/models/veo-9"
		":fetchPredictOperation "));
	ck_assert_str_eq(strstr(veo_request(0), "\r\n\r\n") + 4,
		fn_textf(veo.call.arena, "{\"operationName\":\"%s\"}", name));
}
END_TEST

static const char *const no_operations[] = {"", "operations/x", "projects/p/../operations/x y",
	"projects//operations/x", "projects/p/locations/l", "projects/p\"/operations/x"};

START_TEST(what_is_no_operation_is_not_asked_for)
{
	const struct script script = {.status = 200};
	struct video_poll poll;

	veo_open_model("", &script, 1);
	ck_assert(!video_model_poll(
		veo.model, &veo.call, fn_bytes(no_operations[_i]), &poll, &veo.err));
	ck_assert_msg(strstr(veo.err.message, "is no operation"), "%s", veo.err.message);
	ck_assert_uint_eq(scripted_server_requests(veo.server), 0);
}
END_TEST

/* ---- Settings -------------------------------------------------------------------------------- */

static const struct setting_case {
	const char *model, *storage, *storage_host;
	const char *variable; /* NULL: it is fine */
} setting_cases[] = {
	{VEO_MODEL, "", "", NULL},
	{VEO_MODEL, "gs://bucket", "localhost:9023", NULL},
	{VEO_MODEL, "gs://bucket/a/b/", "http://127.0.0.1:9023", NULL},
	{"", "", "", "VIDEO_MODEL"},
	{"veo", "", "", "VIDEO_MODEL"},
	{"veo:", "", "", "VIDEO_MODEL"},
	{"veo:a/b", "", "", "VIDEO_MODEL"},
	{"sora:2", "", "", "VIDEO_MODEL"},
	{VEO_MODEL, "bucket", "", "VIDEO_STORAGE_URI"},
	{VEO_MODEL, "gs://", "", "VIDEO_STORAGE_URI"},
	{VEO_MODEL, "s3://bucket", "", "VIDEO_STORAGE_URI"},
	{VEO_MODEL, "", "https://host", "STORAGE_EMULATOR_HOST"},
	{VEO_MODEL, "", "http://host/path", "STORAGE_EMULATOR_HOST"},
};

START_TEST(bad_setting_is_named)
{
	const struct setting_case *c = &setting_cases[_i];
	const struct vertex_config vertex_config = {.url = "", .project = "p", .location = ""};
	const struct video_model_config config = {
		.model = c->model, .storage = c->storage, .storage_host = c->storage_host};

	bool ok = veo_open_all(&vertex_config, &config);
	ck_assert_msg(ok == !c->variable, "%s", veo.err.message);
	ck_assert_int_eq(veo.err.code, ok ? FN_OK : FN_INVALID);
	ck_assert_msg(ok || fn_bytes_starts(fn_bytes(veo.err.message), c->variable), "%s",
		veo.err.message);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = start_says_what_is_wanted, .rows = COUNT(request_cases)},
		{.test = start_is_not_repeated, .rows = COUNT(start_cases)},
		{.test = start_that_was_not_sent_is_told, .rows = 2},
		{.test = poll_tells_how_it_is_going, .rows = COUNT(poll_cases)},
		{.test = poll_may_fail, .rows = COUNT(unanswered_cases)},
		{.test = poll_goes_where_the_operation_is},
		{.test = what_is_no_operation_is_not_asked_for, .rows = COUNT(no_operations)},
		{.test = bad_setting_is_named, .rows = COUNT(setting_cases)},
	};

	return suite_run_with("video_model", cases, COUNT(cases), veo_open, veo_close);
}
