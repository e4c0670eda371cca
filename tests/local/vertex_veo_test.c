/* Veo's stand-in, asked without a socket, as the runtime would ask it. */
#include "fn/base64.h"
#include "fn/clock.h"
#include "local/vertex/handler.h"
#include "tests/support/suite.h"

#include <jansson.h>
#include <libavformat/avformat.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESOURCE "projects/p/locations/us-central1/publishers/google/models/veo-3.1-generate-001"
#define SHORT "\"sampleCount\":1,\"durationSeconds\":4"
#define STORED SHORT ",\"storageUri\":\"gs://bu.cket/veo/job 1/\""

static struct fn_arena *arena;
static struct stats stats;
static struct vertex vertex = {.stats = &stats};

/* ---- Asking ---------------------------------------------------------------------------------- */

/* From here on these are the conditions. */
static void
suppose(const char *latency_s, long quota_per_minute, const char *faults, const char *time_scale)
{
	const struct conditions_config config = {latency_s, quota_per_minute, faults, time_scale};
	struct fn_error err = {0};

	conditions_close(vertex.videos);
	ck_assert_msg(conditions_open(&vertex.videos, &video_conditions, &config, &err), "%s",
		err.message);
}

static void
setup(void)
{
	arena = fn_arena_new();
	vertex.operations = operations_new();
	suppose("0", 0, "", "1");
}

static void
teardown(void)
{
	conditions_close(vertex.videos);
	operations_drop(vertex.operations);
	fn_arena_drop(arena);
}

static struct fn_call *
send_to(const char *method, const char *path, const char *query, const char *body,
	const char *range)
{
	struct fn_header *headers = fn_arena_zero(arena, 2 * sizeof(*headers));
	struct fn_call *call = fn_arena_zero(arena, sizeof(*call));
	struct fn_error err = {0};

	headers[0] = (struct fn_header){FN_BYTES("Authorization"), FN_BYTES("Bearer t")};
	headers[1] = (struct fn_header){FN_BYTES("Range"), fn_bytes(range)};
	*call = (struct fn_call){
		.arena = arena,
		.method = fn_bytes(method),
		.path = fn_bytes(path),
		.query = fn_bytes(query),
		.body = fn_bytes(body),
		.headers = headers,
		.header_count = 2,
	};
	if (!vertex_handle(call, &vertex, &err))
		call->answer.status = fn_code_status(err.code);
	return call;
}

static json_t *
json_of(const struct fn_call *call)
{
	json_t *json = json_loadb(call->answer.body.at, call->answer.body.size, 0, NULL);

	ck_assert_msg(json, "no JSON: %.*s", FN_ARG(call->answer.body));
	return json;
}

/* The answer to a call of a method, as JSON; `status` is what it must have. */
static json_t *
ask(const char *method, const char *body, int status)
{
	const char *path = fn_textf(arena, "/v1/" RESOURCE ":%s", method);
	const struct fn_call *call = send_to("POST", path, "", body, NULL);

	ck_assert_msg(call->answer.status == status, "%s: %d: %.*s", body, call->answer.status,
		FN_ARG(call->answer.body));
	return json_of(call);
}

static char *
body_of(const char *prompt, const char *parameters)
{
	return fn_textf(arena, "{\"instances\":[{\"prompt\":\"%s\"}],\"parameters\":{%s}}", prompt,
		parameters);
}

/* Begins one; its name. */
static const char *
begin(const char *prompt, const char *parameters)
{
	json_t *json = ask("predictLongRunning", body_of(prompt, parameters), 200);
	const char *name =
		fn_text(arena, fn_bytes(json_string_value(json_object_get(json, "name"))));

	ck_assert_uint_eq(json_object_size(json), 1);
	ck_assert(fn_bytes_starts(fn_bytes(name), RESOURCE "/operations/"));
	json_decref(json);
	return name;
}

static json_t *
poll_status(const char *name, int status)
{
	return ask("fetchPredictOperation", fn_textf(arena, "{\"operationName\":\"%s\"}", name),
		status);
}

static json_t *
poll_done(const char *name)
{
	json_t *json = poll_status(name, 200);

	ck_assert(json_is_true(json_object_get(json, "done")));
	ck_assert_str_eq(json_string_value(json_object_get(json, "name")), name);
	return json;
}

static json_t *
first_video(json_t *json)
{
	return json_array_get(json_object_get(json_object_get(json, "response"), "videos"), 0);
}

static struct fn_bytes
inline_film(const char *name)
{
	json_t *json = poll_done(name), *video = first_video(json);
	struct fn_bytes text =
		fn_bytes(json_string_value(json_object_get(video, "bytesBase64Encoded")));
	char *film = fn_arena_alloc(arena, text.size);
	size_t size;

	ck_assert_str_eq(json_string_value(json_object_get(video, "mimeType")), "video/mp4");
	ck_assert(fn_base64_decode(text, film, &size));
	json_decref(json);
	return (struct fn_bytes){film, size};
}

/* ---- Films ----------------------------------------------------------------------------------- */

struct film_source {
	struct fn_bytes bytes;
	int64_t at;
};

static int
read_film(void *with, uint8_t *into, int size)
{
	struct film_source *film = with;
	int64_t left = (int64_t)film->bytes.size - film->at;

	if (left == 0)
		return AVERROR_EOF;
	size = left < size ? (int)left : size;
	memcpy(into, film->bytes.at + film->at, (size_t)size);
	film->at += size;
	return size;
}

struct film_facts {
	int width, height, pictures, sound_rate; /* 0: none */
	int64_t duration_ms;
};

/* Reads it from the front to the back, as a browser does while it loads, to the last picture. */
static struct film_facts
watch(struct fn_bytes bytes)
{
	struct film_source film = {bytes, 0};
	struct film_facts facts = {0};
	AVFormatContext *format = avformat_alloc_context();
	AVPacket *packet = av_packet_alloc();

	format->pb = avio_alloc_context(av_malloc(4096), 4096, 0, &film, read_film, NULL, NULL);
	ck_assert_int_eq(avformat_open_input(&format, NULL, NULL, NULL), 0);
	ck_assert_int_ge(avformat_find_stream_info(format, NULL), 0);
	facts.duration_ms = format->duration / (AV_TIME_BASE / 1000);
	for (unsigned i = 0; i < format->nb_streams; i++) {
		const AVCodecParameters *codec = format->streams[i]->codecpar;
		if (codec->codec_id == AV_CODEC_ID_H264) {
			facts.width = codec->width;
			facts.height = codec->height;
		}
		if (codec->codec_id == AV_CODEC_ID_AAC)
			facts.sound_rate = codec->sample_rate;
	}
	while (av_read_frame(format, packet) == 0) {
		const AVStream *stream = format->streams[packet->stream_index];
		facts.pictures += stream->codecpar->codec_id == AV_CODEC_ID_H264;
		av_packet_unref(packet);
	}
	AVIOContext *io = format->pb;
	avformat_close_input(&format);
	av_freep(&io->buffer);
	avio_context_free(&io);
	av_packet_free(&packet);
	return facts;
}

static const struct film_case {
	const char *parameters;
	struct film_facts facts;
} film_cases[] = {
	{SHORT, {640, 360, 96, 48000, 4000}},
	{SHORT ",\"generateAudio\":false,\"aspectRatio\":\"16:9\"", {640, 360, 96, 0, 4000}},
	{SHORT ",\"generateAudio\":true,\"aspectRatio\":\"9:16\"", {360, 640, 96, 48000, 4000}},
	{"\"durationSeconds\":8,\"resolution\":\"720p\"", {640, 360, 192, 48000, 8000}},
};

/* A film is what was asked for, and its header comes first. */
START_TEST(film_can_be_watched)
{
	const struct film_facts *wanted = &film_cases[_i].facts;
	struct fn_bytes film = inline_film(begin("a kite", film_cases[_i].parameters));
	struct film_facts facts = watch(film);
	const char *header = memmem(film.at, film.size, "moov", 4);

	ck_assert_int_eq(facts.width, wanted->width);
	ck_assert_int_eq(facts.height, wanted->height);
	ck_assert_int_eq(facts.pictures, wanted->pictures);
	ck_assert_int_eq(facts.sound_rate, wanted->sound_rate);
	ck_assert_int_eq(facts.duration_ms / 100, wanted->duration_ms / 100);
	ck_assert(header && header < (const char *)memmem(film.at, film.size, "mdat", 4));
}
END_TEST

/* The same words and seed make the same film; other words, or another seed, another one. */
START_TEST(film_depends_on_prompt_and_seed)
{
	const char *one = SHORT ",\"seed\":1,\"generateAudio\":true";
	struct fn_bytes film = inline_film(begin("a kite", one));
	struct fn_bytes same = inline_film(begin("a kite", one));
	struct fn_bytes other_seed =
		inline_film(begin("a kite", SHORT ",\"seed\":4294967295,\"generateAudio\":true"));
	struct fn_bytes other_prompt = inline_film(begin("a red kite", one));

	ck_assert(fn_bytes_equal(film, same));
	ck_assert(!fn_bytes_equal(film, other_seed));
	ck_assert(!fn_bytes_equal(film, other_prompt));
}
END_TEST

/* ---- Time ------------------------------------------------------------------------------------ */

/* It takes its scaled time, and says how far it is. */
START_TEST(film_takes_its_time)
{
	int64_t begun = fn_now_ms();
	int last = -1;
	json_t *json;

	suppose("60-61", 0, "", "0.02"); /* 1200 ms */
	const char *name = begin("a kite", STORED);
	while (!json_object_get(json = poll_status(name, 200), "done")) {
		json_t *metadata = json_object_get(json, "metadata");
		int percent =
			(int)json_integer_value(json_object_get(metadata, "progressPercentage"));
		ck_assert_int_ge(percent, last);
		ck_assert_int_lt(percent, 100);
		last = percent;
		json_decref(json);
		usleep(50 * 1000);
	}
	json_decref(json);
	ck_assert_int_ge(fn_now_ms() - begun, 1200);
	ck_assert_int_ge(last, 0);
}
END_TEST

/* ---- Storage --------------------------------------------------------------------------------- */

static size_t
listed(const char *prefix, const char **name)
{
	struct fn_call *call = send_to("GET", "/storage/v1/b/bu.cket/o",
		fn_textf(arena, "fields=items(name)&prefix=%s", prefix), "", NULL);
	json_t *json = json_of(call), *items = json_object_get(json, "items");
	size_t count = json_array_size(items);

	if (count > 0)
		*name = fn_text(arena, fn_bytes(json_string_value(
					       json_object_get(json_array_get(items, 0), "name"))));
	json_decref(json);
	return count;
}

/* A film that is to be stored is found where the operation says, whole or in part. */
START_TEST(film_is_stored)
{
	const char *object = NULL;
	json_t *json = poll_done(begin("a kite", STORED));
	const char *uri = json_string_value(json_object_get(first_video(json), "gcsUri"));

	begin("another", SHORT);
	ck_assert(fn_bytes_starts(fn_bytes(uri), "gs://bu.cket/veo/job 1/"));
	ck_assert_uint_eq(listed("veo%2Fjob%201%2F", &object), 1);
	ck_assert_uint_eq(listed("veo%2Fjob%202%2F", &object), 0);
	ck_assert_str_eq(uri, fn_textf(arena, "gs://bu.cket/%s", object));

	struct fn_builder path = {.arena = arena};
	fn_addf(&path, "/storage/v1/b/bu.cket/o/");
	fn_add_escaped(&path, fn_bytes(object), "");
	const char *url = fn_text(arena, fn_built(&path));
	const struct fn_call *all = send_to("GET", url, "alt=media", "", NULL);
	const struct fn_call *some = send_to("GET", url, "alt=media", "", "bytes=4-99");
	const struct fn_call *rest = send_to("GET", url, "alt=media", "", "bytes=100-99999999");
	const struct fn_call *none =
		send_to("GET", url, "alt=media", "", "bytes=99999998-99999999");
	struct fn_bytes film = all->answer.body;

	ck_assert_int_eq(all->answer.status, 200);
	ck_assert_int_eq(watch(film).pictures, 96);
	ck_assert_int_eq(some->answer.status, 206);
	ck_assert(fn_bytes_equal(some->answer.body, (struct fn_bytes){film.at + 4, 96}));
	ck_assert_bytes_eq(
		some->answer.headers[1].value, fn_textf(arena, "bytes 4-99/%zu", film.size));
	ck_assert(fn_bytes_equal(
		rest->answer.body, (struct fn_bytes){film.at + 100, film.size - 100}));
	ck_assert_int_eq(none->answer.status, 416);
	json_decref(json);
}
END_TEST

/* Before it is done, and where nothing came of it, nothing is stored. */
START_TEST(nothing_else_is_stored)
{
	const char *object = NULL;

	begin("[[refuse-prompt]]", STORED);
	begin("[[refuse-output]]", STORED);
	suppose("60", 0, "", "1");
	begin("a kite", STORED);
	ck_assert_uint_eq(listed("", &object), 0);
	ck_assert_int_eq(
		send_to("GET", "/storage/v1/b/bu.cket/o/veo", "", "", NULL)->answer.status, 404);
}
END_TEST

/* ---- Refusals and faults --------------------------------------------------------------------- */

static const struct end_case {
	const char *fault, *prompt;
	const char *has; /* in the end of the operation */
} end_cases[] = {
	{"ok", "[[refuse-prompt]]", "\"error\":{\"code\":3,\"message\":\"The prompt could not be "},
	{"ok", "a massacre", "Support codes: 61493863"},
	{"refuse", "a kite", "\"code\":3,"},
	{"ok", "[[refuse-output]]", "\"raiMediaFilteredCount\":1,\"raiMediaFilteredReasons\":["},
	{"refuse-output", "a kite", "Support codes: 42876398"},
	{"empty", "a kite", "\"raiMediaFilteredCount\":0}"},
	{"code:3", "a kite", "\"error\":{\"code\":3,\"message\":\"Request contains"},
	{"code:4", "a kite", "{\"code\":4,"},
	{"code:7", "a kite", "{\"code\":7,\"message\":\"The service account lacks"},
	{"code:8", "a kite", "{\"code\":8,\"message\":\"Resource exhausted"},
	{"code:13", "a kite", "{\"code\":13,\"message\":\"Internal error"},
	{"code:14", "a kite", "{\"code\":14,"},
	{"broken-base64", "a kite", "!"},
	{"not-a-picture", "a kite", "\"bytesBase64Encoded\":\"VGhpcyBpcyBubyBmaWxtLg==\""},
};

/* Whatever goes wrong inside an operation, the poll that tells it says 200. */
START_TEST(operation_can_end_badly)
{
	suppose("0", 0, end_cases[_i].fault, "1");
	json_t *json = poll_done(begin(end_cases[_i].prompt, SHORT));
	char *text = json_dumps(json, JSON_COMPACT);

	ck_assert_msg(strstr(text, end_cases[_i].has), "%s: %.300s", end_cases[_i].fault, text);
	free(text);
	json_decref(json);
}
END_TEST

static const struct {
	const char *fault;
	int status;
} start_faults[] = {{"400", 400}, {"401", 401}, {"403", 403}, {"404", 404}, {"429", 429},
	{"500", 500}, {"503", 503}, {"504", 504}};

/* A start that is refused has begun nothing. */
START_TEST(start_can_be_refused)
{
	suppose("0", 0, start_faults[_i].fault, "1");
	json_decref(ask("predictLongRunning", body_of("a kite", SHORT), start_faults[_i].status));
	ck_assert_ptr_null(operations_nth(vertex.operations, 0));
	begin("a kite", SHORT);
	ck_assert_ptr_nonnull(operations_nth(vertex.operations, 0));
}
END_TEST

/* The poll that would tell the end goes wrong once. */
START_TEST(poll_can_fail)
{
	suppose("0", 0, "poll:503", "1");
	const char *name = begin("a kite", STORED);
	json_decref(poll_status(name, 503));
	json_decref(poll_done(name));
}
END_TEST

/* An operation that is lost is so to its poll alone: its film has been stored. */
START_TEST(operation_can_be_lost)
{
	const char *object;

	suppose("0", 0, "lost", "1");
	json_t *json = poll_status(begin("a kite", STORED), 404);
	ck_assert_str_eq(
		json_string_value(json_object_get(json_object_get(json, "error"), "status")),
		"NOT_FOUND");
	ck_assert_uint_eq(listed("veo", &object), 1);
	json_decref(json);
}
END_TEST

/* ---- Rules ----------------------------------------------------------------------------------- */

static const char *const bad_bodies[] = {
	"",
	"{}",
	"{\"instances\":[]}",
	"{\"instances\":[{\"prompt\":\"\"}]}",
	"{\"instances\":[{\"prompt\":\"a\"},{\"prompt\":\"b\"}]}",
	"{\"instances\":[{\"prompt\":\"a\",\"image\":{}}]}",
	"{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"durationSeconds\":5}}",
	"{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"durationSeconds\":10}}",
	"{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"aspectRatio\":\"1:1\"}}",
	"{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"seed\":-1}}",
	"{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"seed\":4294967296}}",
	"{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"generateAudio\":\"yes\"}}",
	"{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"storageUri\":\"s3://b/\"}}",
	"{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"storageUri\":\"gs://\"}}",
	"{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{\"colour\":\"red\"}}",
};

START_TEST(bad_start_is_refused)
{
	json_decref(ask("predictLongRunning", bad_bodies[_i], 400));
	ck_assert_ptr_null(operations_nth(vertex.operations, 0));
}
END_TEST

static const struct {
	const char *name;
	int status;
} bad_names[] = {
	{"", 400},
	{"operations/1", 400},
	{"projects/p/locations/us-central1/publishers/google/models/veo-3.1-fast-generate-001/"
	 "operations/1",
		400},
	{RESOURCE "/operations/1", 404},
};

START_TEST(bad_poll_is_refused)
{
	json_decref(poll_status(bad_names[_i].name, bad_names[_i].status));
}
END_TEST

/* Operations are not there to be got: clients that try have met this. */
START_TEST(operation_cannot_be_got)
{
	const char *name = begin("a kite", SHORT);
	const char *path = fn_textf(arena, "/v1/%s", name);

	ck_assert_int_eq(send_to("GET", path, "", "", NULL)->answer.status, 404);
}
END_TEST

/* Models that Google has retired are not found, and others have no such method. */
START_TEST(only_its_models_make_films)
{
	const char *old = "/v1/projects/p/locations/l/publishers/google/models/"
			  "veo-3.0-generate-001:predictLongRunning";
	const char *painter = "/v1/projects/p/locations/l/publishers/google/models/"
			      "imagen-4.0-generate-001:fetchPredictOperation";

	ck_assert_int_eq(send_to("POST", old, "", "{}", NULL)->answer.status, 404);
	ck_assert_int_eq(send_to("POST", painter, "", "{}", NULL)->answer.status, 400);
}
END_TEST

/* The quota counts starts, in a minute that is as long as the scale makes it. */
START_TEST(quota_is_kept)
{
	suppose("0", 2, "", "0.05"); /* two in 3 s */
	begin("one", SHORT);
	begin("two", SHORT);
	json_t *json = ask("predictLongRunning", body_of("three", SHORT), 429);
	ck_assert(strstr(
		json_string_value(json_object_get(json_object_get(json, "error"), "message")),
		"base model: veo-3.1-generate."));
	poll(NULL, 0, 1600);
	begin("three", SHORT);
	json_decref(json);
}
END_TEST

/* What was begun is counted by its prompt. */
START_TEST(starts_are_counted)
{
	suppose("0", 0, "ok,ok,429", "1");
	begin("a \\\"kite\\\"", SHORT);
	begin("a \\\"kite\\\"", SHORT);
	json_decref(ask("predictLongRunning", body_of("a fox", SHORT), 429));
	begin("a fox", SHORT);
	json_t *json = json_of(send_to("GET", "/stats", "", "", NULL));
	json_t *begun = json_object_get(json, "begun");
	ck_assert_int_eq(json_integer_value(json_object_get(begun, "a \"kite\"")), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(begun, "a fox")), 1);
	ck_assert_uint_eq(json_object_size(begun), 2);
	json_decref(json);
}
END_TEST

static const struct {
	struct conditions_config config;
	const char *variable;
} wrong[] = {
	{{"soon", 0, "", "1"}, "VEO_LATENCY_S"},
	{{"0", 0, "flood", "1"}, "VEO_FAULTS: there is no fault \"flood\""},
	{{"0", 0, "poll:flood", "1"}, "VEO_FAULTS: there is no fault \"flood\""},
	{{"0", 0, "", "fast"}, "TIME_SCALE"},
	{{"0", 0, "", "2"}, "TIME_SCALE"},
	{{"0", 0, "", ""}, "TIME_SCALE"},
};

START_TEST(wrong_settings_are_named)
{
	struct conditions *conditions;
	struct fn_error err = {0};

	ck_assert(!conditions_open(&conditions, &video_conditions, &wrong[_i].config, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strstr(err.message, wrong[_i].variable), "%s", err.message);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = film_can_be_watched, .rows = COUNT(film_cases)},
		{.test = film_depends_on_prompt_and_seed},
		{.test = film_takes_its_time},
		{.test = film_is_stored},
		{.test = nothing_else_is_stored},
		{.test = operation_can_end_badly, .rows = COUNT(end_cases)},
		{.test = start_can_be_refused, .rows = COUNT(start_faults)},
		{.test = poll_can_fail},
		{.test = operation_can_be_lost},
		{.test = bad_start_is_refused, .rows = COUNT(bad_bodies)},
		{.test = bad_poll_is_refused, .rows = COUNT(bad_names)},
		{.test = operation_cannot_be_got},
		{.test = only_its_models_make_films},
		{.test = quota_is_kept},
		{.test = starts_are_counted},
		{.test = wrong_settings_are_named, .rows = COUNT(wrong)},
	};

	return suite_run_with("vertex veo", cases, COUNT(cases), setup, teardown);
}
