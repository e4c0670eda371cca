/* How a video that Veo has made is had, from its answer or from Cloud Storage, and found again. */
#include "adapters/object_store.h"
#include "fn/base64.h"
#include "tests/support/memory.h"
#include "tests/support/mp4.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"
#include "tests/support/veo.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MIB ((size_t)1024 * 1024)

/* ---- Results --------------------------------------------------------------------------------- */

static void
assert_file(const struct video_file *file, struct fn_bytes wanted)
{
	char *bytes = fn_arena_alloc(veo.call.arena, wanted.size);

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
				file->bytes.read(file->bytes.with, at, bytes + at, size, &veo.err),
				"%s", veo.err.message);
		}
		ck_assert(memcmp(bytes, wanted.at, wanted.size) == 0);
	}
}

static struct fn_bytes
inline_answer(const char *before, struct fn_bytes video)
{
	struct fn_builder answer = {.arena = veo.call.arena};

	fn_addf(&answer, "{\"done\":true,\"response\":{%s\"", before);
	fn_add(&answer, fn_base64_encode(video, veo.call.arena));
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
	struct fn_bytes sample = mp4_sample(veo.call.arena, inline_cases[_i].size);
	const struct script script = {
		.status = 200, .body = inline_answer(inline_cases[_i].before, sample)};
	struct video_poll poll;
	struct video_file file;

	veo_open_model("", &script, 1);
	ck_assert_msg(
		video_model_poll(veo.model, &veo.call, FN_BYTES(VEO_OPERATION), &poll, &veo.err),
		"%s", veo.err.message);
	ck_assert_int_eq(poll.state, VIDEO_DONE);
	ck_assert_msg(video_model_fetch(veo.model, &veo.call, &poll.video, &file, &veo.err), "%s",
		veo.err.message);
	assert_file(&file, sample);
}
END_TEST

static struct script
range(struct fn_bytes sample, size_t from, size_t to)
{
	return (struct script){
		.status = 206,
		.headers = fn_textf(veo.call.arena, "Content-Range: bytes %zu-%zu/%zu\r\n", from,
			to - 1, sample.size),
		.body = {sample.at + from, to - from},
	};
}

/* A video in a bucket is asked for piece by piece, as often as it takes. */
START_TEST(stored_video_is_fetched)
{
	struct fn_bytes sample = mp4_sample(veo.call.arena, 5 * MIB);
	const struct script first = range(sample, 0, 4 * MIB);
	const struct script last = range(sample, 4 * MIB, 5 * MIB);
	const struct script script[] = {first, {.end = SCRIPT_RESET}, last, first, last};
	const struct video video = {.uri = FN_BYTES("gs://bu.cket/veo/job 1/sample_0.mp4")};
	struct video_file file;

	veo_open_model("gs://bu.cket/veo", script, COUNT(script));
	ck_assert_msg(video_model_fetch(veo.model, &veo.call, &video, &file, &veo.err), "%s",
		veo.err.message);
	assert_file(&file, sample);
	ck_assert_uint_eq(scripted_server_requests(veo.server), 5);
	ck_assert(fn_bytes_starts(fn_bytes(veo_request(0)),
		"GET /storage/v1/b/bu.cket/o/veo%2Fjob%201%2Fsample_0.mp4?alt=media HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(veo_request(0), "\r\nAuthorization: Bearer one\r\n"));
	ck_assert_ptr_nonnull(strstr(veo_request(0), "\r\nRange: bytes=0-4194303\r\n"));
	ck_assert_ptr_nonnull(strstr(veo_request(2), "\r\nRange: bytes=4194304-8388607\r\n"));
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
	{"not allowed", "gs://b/o", {.status = 403, .body = FN_BYTES_INIT(VEO_ERROR("No."))},
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

	veo_open_model("gs://b", &c->script, 1);
	ck_assert(!video_model_fetch(veo.model, &veo.call, &video, &file, &veo.err));
	ck_assert_msg(veo.err.code == c->code, "%s: %s", c->name, veo.err.message);
	ck_assert_msg(strstr(veo.err.message, c->sentence), "%s: %s", c->name, veo.err.message);
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

	veo_open_model(c->folder, &c->script, 1);
	bool ok = video_model_find(veo.model, &veo.call, FN_BYTES("job1"), &video, &veo.err);
	ck_assert_msg(ok == (c->code == FN_OK) && (ok || veo.err.code == c->code), "%s: %s",
		c->name, veo.err.message);
	ck_assert_bytes_eq(video.uri, c->uri);
	ck_assert_uint_eq(scripted_server_requests(veo.server), c->requests);
	if (c->requests > 0)
		ck_assert(fn_bytes_starts(fn_bytes(veo_request(0)),
			"GET /storage/v1/b/b/o?fields=items(name)&prefix=veo%2Fjob1%2F HTTP/1.1"));
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------------------- */

static void
forget_peak(void)
{
	int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, "5", 1), 1);
	close(file);
}

#define LARGE (100 * MIB)
#define BLOCK (4 * MIB)

/* What answers for an inline video, and for a stored one. */
static const struct script *
large_script(struct fn_bytes sample, bool is_stored)
{
	struct script *script =
		fn_arena_zero(veo.call.arena, (1 + LARGE / BLOCK) * sizeof(*script));

	script[0] = (struct script){.status = 200,
		.body = is_stored ? FN_BYTES(VEO_RESPONSE("\"videos\":[{\"gcsUri\":\"gs://b/o\"}]"))
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
		.url = fn_textf(veo.call.arena, "file:%s", temp_folder()),
		.public_url = "http://localhost/"};
	struct fn_bytes sample = mp4_sample(veo.call.arena, LARGE);
	struct video_poll poll;
	struct video_file file;

	veo_open_model("", large_script(sample, _i == 1), 1 + LARGE / BLOCK);
	ck_assert(object_store_open(&objects, &config, veo.http, &veo.err));
	forget_peak();
	size_t before = memory_kib(getpid(), "VmRSS:");
	ck_assert(video_model_poll(veo.model, &veo.call, FN_BYTES(VEO_OPERATION), &poll, &veo.err));
	ck_assert_msg(video_model_fetch(veo.model, &veo.call, &poll.video, &file, &veo.err), "%s",
		veo.err.message);
	const struct object_stream object = {&file.bytes, file.mime_type, NULL};
	ck_assert_msg(
		object_store_put_stream(objects, &veo.call, FN_BYTES("v.mp4"), &object, &veo.err),
		"%s", veo.err.message);
	size_t grown = memory_kib(getpid(), "VmHWM:") - before;
	ck_assert_uint_eq(file.bytes.size, LARGE);
	ck_assert_msg(grown <= MEMORY_MOST_KIB, "%zu KiB", grown);
	object_store_close(objects);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = inline_video_is_fetched, .rows = COUNT(inline_cases)},
		{.test = stored_video_is_fetched},
		{.test = fetch_may_fail, .rows = COUNT(fetch_cases)},
		{.test = lost_video_is_found, .rows = COUNT(find_cases)},
		{.test = large_video_passes_through_little_memory, .rows = 2},
	};

	return suite_run_with("video_model, fetching", cases, COUNT(cases), veo_open, veo_close);
}
