/* The program itself: what it is told by the outside world, how it stops, how much memory it takes.
 */
#include "tests/support/memory.h"
#include "tests/support/mp4.h"
#include "tests/support/peer.h"
#include "tests/support/ports.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"
#include "tests/support/workshop.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB ((size_t)1024 * 1024)

static struct program *worker;
static unsigned port;

/* With these settings and what it cannot do without. */
static void
start(const char *const *settings)
{
	struct fn_arena *arena = shop.call.arena;
	const char *model = scripted_server_url(shop.model);
	const char *environment[20] = {
		fn_textf(arena, "PORT=%u", port = free_port()),
		"LISTEN_HOST=127.0.0.1",
		"GOOGLE_CLOUD_PROJECT=p",
		"OBJECTS_PUBLIC_URL=http://media",
		"VIDEO_STORAGE_URI=gs://b/veo",
		"VIDEO_POLL_MS=1",
		fn_textf(arena, "OBJECTS_URL=file:%s/objects", shop.folder),
		fn_textf(arena, "STORE_URL=sqlite:%s/phoenix.db", shop.folder),
		fn_textf(arena, "REDIS_URL=%s", shop.queue.url),
		fn_textf(arena, "EVENTS_URL=%s", scripted_server_url(shop.bell)),
		fn_textf(arena, "VERTEX_URL=%s", model),
		fn_textf(arena, "STORAGE_EMULATOR_HOST=%s", model),
		fn_textf(arena, "GCE_METADATA_HOST=%s",
			scripted_server_url(shop.metadata) + strlen("http://")),
	};
	const struct program_setup setup = {.name = "video_worker", .environment = environment};

	for (size_t i = 13; settings && *settings; i++)
		environment[i] = *settings++;
	worker = program_start(&setup);
	ck_assert_msg(program_is_up(worker, port), "%s", program_complained(worker));
}

static void
teardown(void)
{
	program_drop(worker);
	workshop_close();
}

static int
post(const char *headers, struct fn_bytes body)
{
	struct fn_builder request = {.arena = shop.call.arena};
	struct peer *peer = peer_connect(port);
	struct answer answer;

	fn_addf(&request, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n", body.size,
		headers);
	fn_add(&request, body);
	peer_send(peer, fn_built(&request));
	ck_assert(peer_read(peer, &answer));
	peer_close(peer);
	return answer.status;
}

/* ---- Events ---------------------------------------------------------------------------------- */

#define JSON "Content-Type: application/json\r\n"
#define STRUCTURED "Content-Type: application/cloudevents+json\r\n"
#define EVENT(type, rest)                                                                          \
	"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"" type "\"" rest "}"
#define BINARY(type) JSON "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: s\r\nce-type: " type "\r\n"

static const enum said usual[] = {STARTED, STORED, BYTES, SAID_NO_MORE};

static const struct {
	const char *headers, *body;
	int status;
	bool works;
	const char *logged; /* NULL: nothing about it */
} events[] = {
	{STRUCTURED, EVENT("phoenix.video.queued", ",\"data\":{\"job\":\"vid_x\"}"), 204, true,
		"woken for vid_x"},
	{STRUCTURED, EVENT("phoenix.video.tick", ""), 204, true, NULL},
	{BINARY("google.cloud.pubsub.topic.v1.messagePublished"),
		"{\"message\":{\"data\":\"aGVsbG8=\",\"messageId\":\"1\"},\"subscription\":\"s\"}",
		204, true, NULL},
	{JSON,
		"{\"message\":{\"data\":\"aGVsbG8=\",\"messageId\":\"1\","
		"\"publishTime\":\"2026-11-24T05:36:58.123Z\"},"
		"\"subscription\":\"projects/p/subscriptions/s\"}",
		204, true, NULL},
	{STRUCTURED, EVENT("org.example.other", ""), 204, false,
		"ignored: an event of the type org.example.other"},
	{JSON,
		"{\"message\":{\"data\":\"not "
		"base64!\",\"messageId\":\"1\"},\"subscription\":\"s\"}",
		204, false, "ignored: an event of the type google.cloud.pubsub"},
	{STRUCTURED, EVENT("phoenix.video.queued", ",\"data_base64\":\"?\""), 400, false,
		"400 POST /"},
	{STRUCTURED, "{\"specversion\":\"1.0\"}", 400, false, "400 POST /"},
	{STRUCTURED, "not JSON", 400, false, "400 POST /"},
	{JSON, "", 400, false, "400 POST /"},
	{"Content-Type: application/cloudevents+avro\r\n", "x", 415, false, "415 POST /"},
};

/* What is no event is refused, what is no bell is ignored; neither keeps the next bell from waking
 * the worker. */
START_TEST(event_is_judged)
{
	workshop_open();
	workshop_model_says(usual);
	start(NULL);
	struct fn_bytes id = workshop_submit("ann");
	ck_assert_int_eq(post(events[_i].headers, fn_bytes(events[_i].body)), events[_i].status);
	if (events[_i].logged)
		program_says(worker, events[_i].logged);
	if (!events[_i].works) {
		ck_assert_int_eq(workshop_job(id).state, JOB_WAITING);
		ck_assert_int_eq(post(events[0].headers, fn_bytes(events[0].body)), 204);
	}
	workshop_has_ended(id, "succeeded", NULL);
}
END_TEST

/* A worker that is given too little time says so, and does not ring for itself without end. */
START_TEST(event_without_time_is_for_later)
{
	static const char *const settings[] = {"REQUEST_TIMEOUT_S=20", NULL};

	workshop_open();
	workshop_model_says(usual);
	start(settings);
	struct fn_bytes id = workshop_submit("ann");
	unsigned rung = scripted_server_requests(shop.bell);
	ck_assert_int_eq(post(events[0].headers, fn_bytes(events[0].body)), 503);
	program_says(worker, "within 30 s no job can be done");
	ck_assert_int_eq(workshop_job(id).state, JOB_WAITING);
	ck_assert_uint_eq(scripted_server_requests(shop.bell), rung);
}
END_TEST

/* Ten megabytes are an event like any other; more than the server takes are not. */
START_TEST(large_event_is_judged)
{
	static const char *const settings[] = {"MAX_BODY_BYTES=12582912", NULL};
	size_t size = (size_t)(_i == 0 ? 10 : 13) * MIB;

	workshop_open();
	workshop_model_says(usual);
	start(settings);
	struct fn_bytes id = workshop_submit("ann");
	char *large = fn_arena_alloc(shop.call.arena, size);
	memset(large, 'x', size);
	ck_assert_int_eq(post(BINARY("phoenix.video.queued"), (struct fn_bytes){large, size}),
		_i == 0 ? 204 : 413);
	ck_assert_int_eq(post(events[0].headers, fn_bytes(events[0].body)), 204);
	workshop_has_ended(id, "succeeded", NULL);
}
END_TEST

/* ---- The end of the process ------------------------------------------------------------------ */

/* On SIGTERM the job goes back, with what was paid for, and somebody else is rung for. */
START_TEST(stop_hands_the_job_back)
{
	static const enum said said[] = {STARTED, RUNNING, SAID_NO_MORE};
	struct peer *peer;

	workshop_open();
	workshop_model_says(said);
	start(NULL);
	struct fn_bytes id = workshop_submit("ann");
	peer = peer_connect(port);
	peer_sends(peer, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" BINARY(
				 "phoenix.video.tick") "\r\n");
	while (workshop_document(id).operation.size == 0)
		usleep(2000);
	program_signal(worker, SIGTERM);
	ck_assert_int_eq(program_end(worker), 0);
	ck_assert_int_eq(workshop_job(id).state, JOB_WAITING);
	ck_assert_uint_eq(workshop_job(id).failures, 0);
	ck_assert_uint_eq(workshop_job(id).crashes, 0);
	ck_assert_bytes_eq(workshop_job(id).operation, WORKSHOP_OPERATION);
	ck_assert_bytes_eq(workshop_document(id).operation, WORKSHOP_OPERATION);
	ck_assert_str_eq(workshop_document(id).creation.status, "queued");
	workshop_has_rung(1);
	peer_close(peer);
}
END_TEST

/* ---- Settings -------------------------------------------------------------------------------- */

static const char *const required[] = {
	"EVENTS_URL", "GOOGLE_CLOUD_PROJECT", "OBJECTS_PUBLIC_URL", "OBJECTS_URL"};

/* These and no others must be set; each one that is missing is named. */
START_TEST(required_settings_are_these)
{
	const char *const options[] = {"--describe-config", NULL};
	const struct program_setup describe = {.name = "video_worker", .options = options};
	const struct program_setup bare = {.name = "video_worker"};
	struct program *program = program_start(&describe);
	json_t *config, *setting;
	size_t count = 0, i;

	workshop_open();
	ck_assert_int_eq(program_end(program), 0);
	config = json_loads(program_said(program), 0, NULL);
	json_array_foreach(config, i, setting) count +=
		json_is_true(json_object_get(setting, "required"));
	ck_assert_uint_eq(count, COUNT(required));
	json_decref(config);
	program_drop(program);

	program = program_start(&bare);
	ck_assert_int_eq(program_end(program), 78);
	for (i = 0; i < COUNT(required); i++)
		ck_assert_msg(strstr(program_complained(program), required[i]), "%s: %s",
			required[i], program_complained(program));
	program_drop(program);
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------------------- */

#define LARGE (100 * MIB)
#define BLOCK (4 * MIB)

static const char *
range_header(size_t from, size_t size)
{
	return fn_textf(shop.call.arena, "Content-Range: bytes %zu-%zu/%zu\r\n", from,
		from + size - 1, LARGE);
}

/* A hundred megabytes pass through a few. */
START_TEST(large_video_takes_little_memory)
{
	struct script script[2 + LARGE / BLOCK];

	workshop_open();
	shop.film = mp4_sample(shop.call.arena, LARGE);
	script[0] = workshop_answer(STARTED);
	script[1] = workshop_answer(STORED);
	for (size_t i = 0; i < LARGE / BLOCK; i++)
		script[2 + i] = (struct script){
			.status = 206,
			.headers = range_header(i * BLOCK, BLOCK),
			.body = {shop.film.at + i * BLOCK, BLOCK},
		};
	workshop_model_plays(script, COUNT(script));
	start(NULL);
	struct fn_bytes id = workshop_submit("ann");
	size_t before = memory_kib(program_pid(worker), "VmRSS:");
	ck_assert_int_eq(post(events[0].headers, fn_bytes(events[0].body)), 204);
	workshop_has_ended(id, "succeeded", NULL);
	size_t grown = memory_kib(program_pid(worker), "VmHWM:") - before;
	ck_assert_msg(grown <= MEMORY_MOST_KIB, "%zu KiB", grown);
	printf("%zu KiB above idle\n", grown);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = event_is_judged, .rows = COUNT(events)},
		{.test = event_without_time_is_for_later},
		{.test = large_event_is_judged, .rows = 2},
		{.test = stop_hands_the_job_back},
		{.test = required_settings_are_these},
		{.test = large_video_takes_little_memory},
	};

	return suite_run_with("video_worker, process", cases, COUNT(cases), NULL, teardown);
}
