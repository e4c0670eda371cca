/* The video model's adapter before the stand-in for Veo, as a program with faults of its own: from
 * a sentence to an object in the store. */
#include "adapters/object_store.h"
#include "adapters/video_model.h"
#include "tests/support/ports.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB ((size_t)1024 * 1024)
#define MODEL "veo:veo-3.1-generate-001"

static struct fn_call call;
static struct fn_error err;
static struct fn_http_client *http;
static struct program *program;
static const char *url;
static struct google_credentials *credentials;
static struct vertex *vertex;
static struct video_model *model;
static struct object_store *objects;

static void
setup(void)
{
	unsetenv("http_proxy");
	call = (struct fn_call){.arena = fn_arena_new()};
	err = (struct fn_error){0};
	ck_assert(fn_http_client_open(&http, &err));
}

static void
teardown(void)
{
	object_store_close(objects);
	video_model_close(model);
	vertex_close(vertex);
	google_credentials_close(credentials);
	fn_http_client_close(http);
	program_drop(program);
	fn_arena_drop(call.arena);
}

static void
start_stand_in(const char *faults)
{
	unsigned port = free_port();
	const char *const environment[] = {fn_textf(call.arena, "PORT=%u", port),
		fn_textf(call.arena, "VEO_FAULTS=%s", faults), "VEO_LATENCY_S=60",
		"TIME_SCALE=0.005", "LISTEN_HOST=127.0.0.1", NULL};
	const struct program_setup program_setup = {.name = "vertex", .environment = environment};

	program = program_start(&program_setup);
	ck_assert_msg(program_is_up(program, port), "%s", program_complained(program));
	url = fn_textf(call.arena, "http://127.0.0.1:%u", port);
}

/* `folder` empty: results come inline. */
static void
open_all(const char *faults, const char *folder)
{
	start_stand_in(faults);
	const struct google_credentials_config credentials_config = {
		.key_file = "", .metadata_host = url + strlen("http://")};
	const struct vertex_config vertex_config = {.url = url, .project = "p", .location = ""};
	const struct video_model_config config = {
		.model = MODEL, .storage = folder, .storage_host = url};
	const struct object_store_config objects_config = {
		.url = fn_textf(call.arena, "file:%s", temp_folder()),
		.public_url = "http://localhost/"};

	ck_assert(google_credentials_open(&credentials, &credentials_config, http, &err));
	ck_assert(vertex_open(&vertex, &vertex_config, credentials, http, &err));
	ck_assert(video_model_open(&model, &config, vertex, &err));
	ck_assert(object_store_open(&objects, &objects_config, http, &err));
}

static bool
begin(struct fn_bytes *operation)
{
	const struct video_request request = {
		.job = FN_BYTES("job1"),
		.prompt = FN_BYTES("a \"red\" fox"),
		.aspect_ratio = "9:16",
		.duration_s = 4,
		.audio = true,
		.has_seed = true,
		.seed = 7,
	};

	return video_model_start(model, &call, &request, operation, &err);
}

/* Polls until it is over; polls that fail are for a later one. */
static struct video_poll
wait_for(struct fn_bytes operation)
{
	struct video_poll poll;
	int last = -1;

	for (;;) {
		bool ok = video_model_poll(model, &call, operation, &poll, &err);
		if (ok && poll.state != VIDEO_RUNNING)
			return poll;
		if (ok) {
			ck_assert_int_ge(poll.progress, last);
			last = poll.progress;
		}
		usleep(20 * 1000);
	}
}

static struct fn_bytes
pass_on(const struct video *video)
{
	struct video_file file;
	struct fn_bytes bytes;

	ck_assert_msg(video_model_fetch(model, &call, video, &file, &err), "%s", err.message);
	ck_assert_uint_eq(file.width, 360);
	ck_assert_uint_eq(file.height, 640);
	ck_assert_uint_eq(file.duration_ms, 4000);
	const struct object_stream object = {&file.bytes, file.mime_type, NULL};
	ck_assert(object_store_put_stream(objects, &call, FN_BYTES("v.mp4"), &object, &err));
	ck_assert(object_store_get(objects, &call, FN_BYTES("v.mp4"), 8 * MIB, &bytes, &err));
	ck_assert_uint_eq(bytes.size, file.bytes.size);
	return bytes;
}

static const char *const folders[] = {"", "gs://bucket/veo", "gs://bucket"};

/* Both ways of getting a result lead to the same object. */
START_TEST(sentence_becomes_an_object)
{
	struct fn_bytes operation, one, other;

	open_all("", folders[_i]);
	ck_assert_msg(begin(&operation), "%s", err.message);
	struct video_poll poll = wait_for(operation);
	ck_assert_int_eq(poll.state, VIDEO_DONE);
	ck_assert_int_eq(poll.video.uri.size > 0, folders[_i][0] != '\0');
	one = pass_on(&poll.video);
	ck_assert(begin(&operation));
	poll = wait_for(operation);
	other = pass_on(&poll.video);
	ck_assert(fn_bytes_equal(one, other));
}
END_TEST

static const struct {
	const char *fault;
	enum fn_code code;
} start_cases[] = {
	{"429", FN_RATE_LIMITED},
	{"503", FN_BUSY},
	{"400", FN_INVALID},
	{"403", FN_UPSTREAM},
	{"404", FN_UPSTREAM},
	{"401", FN_OK}, /* a new token is taken */
	{"500", FN_DEADLINE},
	{"504", FN_DEADLINE},
	{"html", FN_DEADLINE},
	{"reset", FN_DEADLINE},
	{"truncated", FN_DEADLINE},
	{"garbage", FN_DEADLINE},
	{"slow", FN_OK},
};

START_TEST(start_is_understood)
{
	struct fn_bytes operation;

	open_all(start_cases[_i].fault, "");
	bool ok = begin(&operation);
	ck_assert_msg(
		ok == (start_cases[_i].code == FN_OK) && (ok || err.code == start_cases[_i].code),
		"%s: %d %s", start_cases[_i].fault, err.code, err.message);
}
END_TEST

static const struct {
	const char *fault;
	enum video_state state;
	const char *reason;
} end_cases[] = {
	{"refuse", VIDEO_REFUSED, "the safety filter refused the prompt: other content"},
	{"refuse-output", VIDEO_REFUSED, "the safety filter refused the video: other content"},
	{"code:3", VIDEO_REJECTED, "does not take this request"},
	{"code:7", VIDEO_REJECTED, "should have allowed"},
	{"code:8", VIDEO_FAILED, "no capacity"},
	{"code:14", VIDEO_FAILED, "no capacity"},
	{"code:13", VIDEO_FAILED, "failed"},
	{"empty", VIDEO_FAILED, "made no video"},
	{"lost", VIDEO_LOST, "has lost the video"},
	{"poll:503", VIDEO_DONE, ""},
	{"poll:429", VIDEO_DONE, ""},
	{"poll:html", VIDEO_DONE, ""},
	{"poll:reset", VIDEO_DONE, ""},
	{"poll:truncated", VIDEO_DONE, ""},
	{"poll:garbage", VIDEO_DONE, ""},
	{"poll:slow", VIDEO_DONE, ""},
};

START_TEST(end_is_understood)
{
	struct fn_bytes operation;

	open_all(end_cases[_i].fault, "");
	ck_assert_msg(begin(&operation), "%s", err.message);
	struct video_poll poll = wait_for(operation);
	ck_assert_msg(poll.state == end_cases[_i].state, "%s: %d", end_cases[_i].fault, poll.state);
	const char *reason = fn_text(call.arena, poll.reason);
	ck_assert_msg(strstr(reason, end_cases[_i].reason), "%s: %s", end_cases[_i].fault, reason);
	if (poll.state == VIDEO_DONE)
		pass_on(&poll.video);
}
END_TEST

START_TEST(spoiled_video_is_noticed)
{
	struct video_file file;
	struct fn_bytes operation;

	open_all("not-a-picture", _i == 0 ? "" : "gs://bucket/veo");
	ck_assert(begin(&operation));
	struct video_poll poll = wait_for(operation);
	ck_assert_int_eq(poll.state, VIDEO_DONE);
	ck_assert(!video_model_fetch(model, &call, &poll.video, &file, &err));
	ck_assert_str_eq(err.message, "the video is no MP4");
}
END_TEST

/* Where the answer to a start was lost, what it began is found in the end, and is not paid again.
 */
START_TEST(video_of_a_lost_start_is_found)
{
	struct fn_bytes operation;
	struct video video;

	open_all("reset", "gs://bucket/veo");
	ck_assert(!begin(&operation));
	ck_assert_int_eq(err.code, FN_DEADLINE);
	ck_assert(!video_model_find(model, &call, FN_BYTES("job"), &video, &err));
	ck_assert_int_eq(err.code, FN_NOT_FOUND);
	while (!video_model_find(model, &call, FN_BYTES("job1"), &video, &err)) {
		ck_assert_msg(err.code == FN_NOT_FOUND, "%s", err.message);
		usleep(20 * 1000);
	}
	pass_on(&video);

	const struct fn_http_request request = {.url = fn_textf(call.arena, "%s/stats", url)};
	struct fn_http_response stats;
	ck_assert(fn_http_send(http, &call, &request, &stats, &err));
	ck_assert_ptr_nonnull(strstr(stats.body, "\"begun\":{\"a \\\"red\\\" fox\":1}"));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = sentence_becomes_an_object, .rows = COUNT(folders)},
		{.test = start_is_understood, .rows = COUNT(start_cases)},
		{.test = end_is_understood, .rows = COUNT(end_cases)},
		{.test = spoiled_video_is_noticed, .rows = 2},
		{.test = video_of_a_lost_start_is_found},
	};

	return suite_run_with("video model, stand-in", cases, COUNT(cases), setup, teardown);
}
