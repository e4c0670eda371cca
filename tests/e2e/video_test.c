/* A video through all of Phoenix, as a person and an operator see it. */
#include "tests/support/exchanges.h"
#include "tests/support/ledger.h"
#include "tests/support/phoenixctl.h"
#include "tests/support/stack.h"
#include "tests/support/suite.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct stack stack;
static struct fn_http_client *client;

static void
start(const char *const *settings)
{
	struct fn_error err;

	ck_assert(fn_http_client_open(&client, &err));
	stack_start(&stack, settings);
	phoenixctl_prepare(stack.arena,
		fn_textf(stack.arena, "redis://127.0.0.1:%u/0", stack.port + STACK_REDIS));
	phoenixctl_settings[CTL_STORE] =
		fn_textf(stack.arena, "STORE_URL=sqlite:%s/phoenix.db", stack.data);
}

static void
teardown(void)
{
	stack_drop(&stack);
	fn_http_client_close(client);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static void
drop_json(void *json)
{
	json_decref(json);
}

/* What comes as an answer, which has to have this status. */
static json_t *
ask(const char *method, const char *path, const char *body, int status)
{
	const struct fn_header header = {FN_BYTES("Content-Type"), FN_BYTES("application/json")};
	const struct fn_http_request request = {
		.method = method,
		.url = fn_textf(stack.arena, "%s/api/video/%s", stack.url, path),
		.headers = &header,
		.header_count = body ? 1 : 0,
		.body = fn_bytes(body),
	};
	struct fn_call call = {.arena = stack.arena};
	struct fn_http_response response;
	struct fn_error err;

	ck_assert_msg(exchange_send(client, &call, &request, &response, &err), "%s", err.message);
	ck_assert_msg(response.status == status, "%s %s: %d %s", method, path, response.status,
		response.body);
	json_t *json = json_loadb(response.body, response.size, 0, NULL);
	fn_arena_defer(stack.arena, drop_json, json);
	return json;
}

static const char *
text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static const char *
submit(void)
{
	return text(ask("POST", "generate",
			    "{\"prompt\":\"a red fox in the snow\",\"duration_s\":4}", 202),
		"id");
}

/* Asks until it is what it should become. */
static json_t *
wait_until(const char *id, const char *status)
{
	for (;;) {
		json_t *video = ask("GET", id, NULL, 200);

		if (strcmp(text(video, "status"), status) == 0)
			return video;
		ck_assert_msg(json_is_null(json_object_get(video, "reason")), "%s",
			text(video, "reason"));
		usleep(50 * 1000);
	}
}

static struct ledger
ledger(void)
{
	const struct document_store_config config = {
		.url = phoenixctl_settings[CTL_STORE] + strlen("STORE_URL=")};
	struct fn_call call = {.arena = stack.arena};
	struct document_store *documents;
	struct fn_error err;

	ck_assert(document_store_open(&documents, &config, NULL, NULL, &err));
	struct ledger found = ledger_check(documents, &call, "user_dev");
	document_store_close(documents);
	return found;
}

/* What an operator who watches gets to see, sooner or later. */
static void
operator_sees(const char *one, const char *other)
{
	static const char *const words[] = {"watch", "--json", NULL};
	struct program *watch = program_start(&(struct program_setup){
		.name = "phoenixctl", .options = words, .environment = phoenixctl_settings});

	program_says(watch, one);
	program_says(watch, other);
	program_drop(watch);
}

/* ---- Watching -------------------------------------------------------------------------------- */

/* The first picture of a film, decoded. */
static void
see(AVFormatContext *film, int stream, AVFrame *picture)
{
	const AVCodecParameters *parameters = film->streams[stream]->codecpar;
	AVCodecContext *decoder =
		avcodec_alloc_context3(avcodec_find_decoder(parameters->codec_id));
	AVPacket *packet = av_packet_alloc();

	ck_assert(avcodec_parameters_to_context(decoder, parameters) == 0);
	ck_assert(avcodec_open2(decoder, NULL, NULL) == 0);
	while (avcodec_receive_frame(decoder, picture) != 0) {
		ck_assert(av_read_frame(film, packet) == 0);
		if (packet->stream_index == stream)
			ck_assert(avcodec_send_packet(decoder, packet) == 0);
		av_packet_unref(packet);
	}
	av_packet_free(&packet);
	avcodec_free_context(&decoder);
}

static void
assert_plays(const json_t *video)
{
	const char *url = text(video, "url");
	AVFormatContext *film = NULL;
	AVFrame *picture = av_frame_alloc();

	ck_assert(fn_bytes_starts(fn_bytes(url), stack.url));
	const char *path = fn_textf(stack.arena, "%s%s", stack.data, url + strlen(stack.url));
	ck_assert_int_eq(avformat_open_input(&film, path, NULL, NULL), 0);
	int stream = av_find_best_stream(film, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
	ck_assert_int_ge(stream, 0);
	see(film, stream, picture);
	ck_assert_int_eq(picture->width, json_integer_value(json_object_get(video, "width")));
	ck_assert_int_eq(picture->height, json_integer_value(json_object_get(video, "height")));
	av_frame_free(&picture);
	avformat_close_input(&film);
}

/* ---- The stories ----------------------------------------------------------------------------- */

/* A sentence is queued, made, and plays; it has cost its price. */
START_TEST(sentence_becomes_a_film)
{
	static const char *const settings[] = {"VEO_LATENCY_S=20", NULL};

	start(settings);
	const char *id = submit();
	json_t *video = wait_until(id, "succeeded");
	ck_assert_int_eq(json_integer_value(json_object_get(video, "progress")), 100);
	ck_assert_int_eq(json_integer_value(json_object_get(video, "attempts")), 1);
	assert_plays(video);
	ck_assert_uint_eq(ledger().debits, 1);
	ck_assert_uint_eq(ledger().refunds, 0);
	operator_sees("\"active\":0", "\"succeeded\":1");
	ask("DELETE", id, NULL, 409);
}
END_TEST

/* While an operator holds the queue, a video waits in its place and can be canceled there. */
START_TEST(queued_video_is_canceled)
{
	start(NULL);
	phoenixctl_says("pause");
	const char *first = submit(), *second = submit();
	json_t *video = ask("GET", second, NULL, 200);
	ck_assert_str_eq(text(video, "status"), "queued");
	ck_assert_int_eq(json_integer_value(json_object_get(video, "position")), 2);
	ck_assert_str_eq(text(ask("DELETE", first, NULL, 200), "status"), "canceled");
	ck_assert_str_eq(text(ask("DELETE", second, NULL, 200), "status"), "canceled");
	ck_assert_uint_eq(ledger().refunds, 2);
	ck_assert_int_eq(ledger().balance, 100);
}
END_TEST

/* A video that is made is canceled by its worker, soon; an operator sees it until then. */
START_TEST(running_video_is_canceled)
{
	static const char *const settings[] = {
		"VEO_LATENCY_S=600", "TIME_SCALE=1", "QUEUE_LEASE_MS=3000", NULL};

	start(settings);
	const char *id = submit();
	wait_until(id, "running");
	operator_sees(fn_textf(stack.arena, "\"id\":\"%s\"", id), "\"state\":\"active\"");
	ask("DELETE", id, NULL, 202);
	wait_until(id, "canceled");
	operator_sees("\"active\":0", "\"canceled\":1");
	ck_assert_uint_eq(ledger().refunds, 1);
	ck_assert_int_eq(ledger().balance, 100);
}
END_TEST

/* What waits when everything is switched off is made when everything is back. */
START_TEST(video_outlives_a_restart)
{
	static const char *const slow[] = {"VEO_LATENCY_S=600", "TIME_SCALE=1", NULL};

	start(slow);
	const char *id = submit();
	wait_until(id, "running");
	ck_assert_int_eq(stack_stop(&stack, SIGTERM), 0);
	program_drop(stack.program);
	stack_launch(&stack, NULL);
	stack_is_up(&stack);
	assert_plays(wait_until(id, "succeeded"));
	ck_assert_uint_eq(ledger().debits, 1);
	ck_assert_uint_eq(ledger().refunds, 0);
}
END_TEST

#define ROWS(name)                                                                                 \
	{                                                                                          \
		.test = name, .teardown = teardown                                                 \
	}

int
main(void)
{
	const struct suite_case cases[] = {
		ROWS(sentence_becomes_a_film),
		ROWS(queued_video_is_canceled),
		ROWS(running_video_is_canceled),
		ROWS(video_outlives_a_restart),
		exchanges_case(),
	};

	return suite_run("video", cases, COUNT(cases));
}
