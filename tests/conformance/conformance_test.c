/* Drives build/bin/conformance as the official client does: one connection for all events, and what
 * the function saw is judged by the file that it wrote. The cases are the published ones. */
#include "tests/support/peer.h"
#include "tests/support/ports.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CASES "tests/conformance/cases/"
#define CASE_COUNT 17
#define OUTPUT "function_output.json"

static struct program *program;
static struct peer *peer;
static struct fn_arena *arena;
static const char *folder;
static unsigned port;

static void
start(const char *target, const char *signature)
{
	const char *environment[] = {NULL, NULL, NULL, NULL};
	struct program_setup setup = {.name = "conformance", .environment = environment};

	arena = fn_arena_new();
	folder = setup.folder = temp_folder();
	port = free_port();
	environment[0] = fn_textf(arena, "PORT=%u", port);
	environment[1] = fn_textf(arena, "FUNCTION_TARGET=%s", target);
	environment[2] = fn_textf(arena, "FUNCTION_SIGNATURE_TYPE=%s", signature);
	program = program_start(&setup);
	ck_assert_msg(program_is_up(program, port), "%s", program_complained(program));
	peer = peer_connect(port);
}

static void
start_http(void)
{
	start("http", "http");
}

static void
start_cloud_event(void)
{
	start("cloudevent", "cloudevent");
}

/* What the client says for a function whose code alone says what it is. */
static void
start_typed(void)
{
	start("typed", "http");
}

static void
start_concurrency(void)
{
	start("concurrency", "http");
}

static void
stop(void)
{
	peer_close(peer);
	program_drop(program);
	fn_arena_drop(arena);
}

/* ---- Files ------------------------------------------------------------------------------- */

static const char *
output_path(void)
{
	return fn_textf(arena, "%s/" OUTPUT, folder);
}

/* Numbers are compared as doubles, as the client does. */
static json_t *
json_file(const char *path)
{
	json_error_t error;
	json_t *json = json_load_file(path, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);

	ck_assert_msg(json, "%s: %s", path, error.text);
	fn_arena_defer(arena, (void (*)(void *))json_decref, json);
	return json;
}

/* The file of a longer output must not show through. */
static void
leave_old_output(void)
{
	int fd = open(output_path(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char old[8192];

	memset(old, 'x', sizeof(old));
	ck_assert(fd >= 0 && write(fd, old, sizeof(old)) == sizeof(old));
	close(fd);
}

/* ---- Requests ---------------------------------------------------------------------------- */

static int
post(const char *path, const char *headers, struct fn_bytes body, struct answer *answer)
{
	peer_sends(peer, fn_textf(arena,
				 "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n"
				 "%s\r\n",
				 path, body.size, headers));
	peer_send(peer, body);
	ck_assert(peer_read(peer, answer));
	return answer->status;
}

static struct fn_bytes
dumped(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	fn_arena_defer(arena, free, text);
	return fn_bytes(text);
}

/* In binary mode, the only one that the client uses. */
static int
post_event(json_t *event, struct answer *answer)
{
	struct fn_builder headers = {.arena = arena};
	const char *name;
	json_t *value;

	json_object_foreach(event, name, value)
	{
		if (strcmp(name, "datacontenttype") == 0)
			fn_addf(&headers, "Content-Type: %s\r\n", json_string_value(value));
		else if (strcmp(name, "data") != 0)
			fn_addf(&headers, "Ce-%s: %s\r\n", name, json_string_value(value));
	}
	fn_add(&headers, (struct fn_bytes){"", 1});
	return post("/", fn_built(&headers).at, dumped(json_object_get(event, "data")), answer);
}

/* ---- Judgement --------------------------------------------------------------------------- */

static double
instant(const json_t *time)
{
	struct tm tm = {0};
	const char *text = json_string_value(time), *rest = NULL;
	char *end = NULL;
	double fraction = 0;

	if (text)
		rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	ck_assert(rest);
	if (*rest == '.') {
		fraction = strtod(rest, &end);
		rest = end;
	}
	ck_assert_str_eq(rest, "Z");
	return (double)timegm(&tm) + fraction;
}

static bool
is_extension(const char *name, const json_t *value)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(name) &&
	       !json_is_object(value) && !json_is_array(value);
}

static void
assert_event(const char *of, json_t *got, json_t *wanted)
{
	const char *name;
	json_t *value;

	json_object_foreach(wanted, name, value)
	{
		const json_t *other = json_object_get(got, name);

		ck_assert_msg(other, "%s: no %s", of, name);
		if (strcmp(name, "time") == 0)
			ck_assert_msg(instant(other) == instant(value), "%s: time", of);
		else
			ck_assert_msg(json_equal(other, value), "%s: %s is %s", of, name,
				dumped(other).at);
	}
	json_object_foreach(got, name, value)
	{
		ck_assert_msg(json_object_get(wanted, name) || is_extension(name, value),
			"%s: %s is too much", of, name);
	}
	ck_assert(json_object_get(wanted, "subject") || !json_object_get(got, "subject"));
}

static void
assert_cases(const char *input, const char *output, int (*send)(json_t *, struct answer *))
{
	glob_t found;
	struct answer answer;

	ck_assert(glob(fn_textf(arena, CASES "*%s.json", input), 0, NULL, &found) == 0);
	ck_assert_uint_eq(found.gl_pathc, CASE_COUNT);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		int name = (int)(strlen(path) - strlen(input) - strlen(".json"));

		leave_old_output();
		ck_assert_msg(send(json_file(path), &answer) == 204, "%s: %d", path, answer.status);
		assert_event(path, json_file(output_path()),
			json_file(fn_textf(arena, "%.*s%s.json", name, path, output)));
	}
	globfree(&found);
}

/* ---- What the client checks -------------------------------------------------------------- */

START_TEST(request_is_written_before_the_answer)
{
	struct answer answer;

	leave_old_output();
	ck_assert_int_eq(post("/", "Content-Type: application/json\r\n",
				 FN_BYTES("{\"res\":\"PASS\"}"), &answer),
		200);
	ck_assert_str_eq(dumped(json_file(output_path())).at, "{\"res\":\"PASS\"}");
}
END_TEST

/* What comes as a CloudEvent reaches the function unchanged. */
START_TEST(published_cloud_events_pass)
{
	assert_cases("-cloudevent-input", "-cloudevent-input", post_event);
}
END_TEST

static int
post_legacy(json_t *event, struct answer *answer)
{
	return post("/", "Content-Type: application/json\r\n", dumped(event), answer);
}

/* What comes as a legacy event reaches the function as a CloudEvent. */
START_TEST(published_legacy_events_are_mapped)
{
	assert_cases("-legacy-input", "-cloudevent-output", post_legacy);
}
END_TEST

START_TEST(typed_function_echoes)
{
	struct answer answer;

	ck_assert_int_eq(post("/", "Content-Type: application/json\r\n",
				 FN_BYTES("{\"message\":\"Hello world!\"}"), &answer),
		200);
	ck_assert_bytes_eq(answer.body, "{\"payload\":{\"message\":\"Hello world!\"}}");
	ck_assert_bytes_eq(answer_header(&answer, "Content-Type"), "application/json");
	ck_assert_int_eq(post("/", "", FN_BYTES("{\"message\":1}"), &answer), 400);
	ck_assert_int_eq(post("/", "", FN_BYTES("{\"message\":"), &answer), 400);
}
END_TEST

static int64_t
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Ten calls sleep for a second each; one after the other they would take ten. */
START_TEST(calls_run_side_by_side)
{
	struct peer *peers[10];
	struct answer answer;
	int64_t before = seconds_now();

	for (size_t i = 0; i < COUNT(peers); i++) {
		peers[i] = peer_connect(port);
		peer_sends(peers[i], "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	}
	for (size_t i = 0; i < COUNT(peers); i++) {
		ck_assert(peer_read(peers[i], &answer) && answer.status == 200);
		peer_close(peers[i]);
	}
	ck_assert_int_lt(seconds_now() - before, 9);
}
END_TEST

/* ---- What the official frameworks get wrong ---------------------------------------------- */

#define BINARY "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /\r\nce-type: t\r\n"
#define JSON "Content-Type: application/json\r\n"
#define STRUCTURED "Content-Type: application/cloudevents+json\r\n"
#define BATCH "Content-Type: application/cloudevents-batch+json\r\n"
#define EVENT "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/\",\"type\":\"t\"}"

static const struct {
	const char *name, *headers, *body, *says;
} malformed[] = {
	{"no ce-id", "ce-specversion: 1.0\r\nce-source: /\r\nce-type: t\r\n" JSON, "{}", "id"},
	{"no ce-source", "ce-specversion: 1.0\r\nce-id: 1\r\nce-type: t\r\n" JSON, "{}", "source"},
	{"no ce-type", "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /\r\n" JSON, "{}", "type"},
	{"no ce-specversion", "ce-id: 1\r\nce-source: /\r\nce-type: t\r\n" JSON, "{}",
		"specversion"},
	{"version 9.9", "ce-specversion: 9.9\r\nce-id: 1\r\nce-source: /\r\nce-type: t\r\n", "{}",
		"specversion"},
	{"empty ce-id", "ce-specversion: 1.0\r\nce-id:\r\nce-source: /\r\nce-type: t\r\n", "{}",
		"id"},
	{"bad ce-time", BINARY "ce-time: yesterday\r\n" JSON, "{}", "time"},
	{"bad extension", BINARY "ce-my_ext: 1\r\n" JSON, "{}", "my_ext"},
	{"bad percent-encoding", BINARY "ce-subject: %C0%A0\r\n" JSON, "{}", "subject"},
	{"structured, no id", STRUCTURED,
		"{\"specversion\":\"1.0\",\"source\":\"/\",\"type\":\"t\"}", "id"},
	{"structured, id a number", STRUCTURED,
		"{\"specversion\":\"1.0\",\"id\":1,\"source\":\"/\",\"type\":\"t\"}", "id"},
	{"structured, no JSON", STRUCTURED, "{\"specversion\":", "JSON"},
	{"structured, empty", STRUCTURED, "", "JSON"},
	{"structured, an array", STRUCTURED, "[" EVENT "]", "object"},
	{"batch, no array", BATCH, EVENT, "array"},
	{"batch, the last one bad", BATCH, "[" EVENT "," EVENT ",{}]", "number 3"},
	{"neither event nor legacy event", JSON, "{\"a\":1}", "neither"},
	{"legacy, unknown type", JSON,
		"{\"eventId\":\"1\",\"eventType\":\"x\",\"resource\":\"r\",\"data\":{}}",
		"eventType"},
	{"no JSON", JSON, "{", "JSON"},
	{"nothing", "", "", "JSON"},
};

static size_t
lines_logged(void)
{
	size_t lines = 0;

	for (const char *at = program_said(program); (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

/* They acknowledge most of these with 2xx, and so lose them; here none does, none reaches the
 * function, one line of the log tells of each, and the connection goes on. */
START_TEST(malformed_events_are_refused)
{
	struct answer answer;
	size_t lines;

	program_says(program, "listens on port"); /* which may come after the first answer */
	lines = lines_logged();
	for (size_t i = 0; i < COUNT(malformed); i++) {
		int status = post("/", malformed[i].headers, fn_bytes(malformed[i].body), &answer);

		ck_assert_msg(status == 400, "%s: %d", malformed[i].name, status);
		ck_assert_msg(memmem(answer.body.at, answer.body.size, malformed[i].says,
				      strlen(malformed[i].says)),
			"%s: %.*s", malformed[i].name, FN_ARG(answer.body));
		ck_assert_msg(access(output_path(), F_OK) != 0 && errno == ENOENT,
			"%s reached the function", malformed[i].name);
		ck_assert_uint_eq(lines_logged(), ++lines);
	}
	ck_assert_int_eq(post("/", STRUCTURED, FN_BYTES(EVENT), &answer), 204);
	ck_assert(access(output_path(), F_OK) == 0);
}
END_TEST

static const struct {
	const char *name, *path, *headers, *body, *type;
} unusual[] = {
	{"no data", "/", BINARY JSON, "", "t"},
	{"structured", "/", STRUCTURED, EVENT, "t"},
	{"batch", "/", BATCH, "[" EVENT "," EVENT "]", "t"},
	{"any path", "/projects/p/locations/l/triggers/x?a=b", BINARY JSON, "{}", "t"},
	{"a Pub/Sub push", "/projects/p/topics/t", JSON,
		"{\"subscription\":\"s\",\"message\":{\"messageId\":\"1\",\"data\":\"eA==\"}}",
		"google.cloud.pubsub.topic.v1.messagePublished"},
};

/* What they fail or mangle. */
START_TEST(unusual_events_reach_the_function)
{
	struct answer answer;

	for (size_t i = 0; i < COUNT(unusual); i++) {
		unlink(output_path());
		ck_assert_msg(post(unusual[i].path, unusual[i].headers, fn_bytes(unusual[i].body),
				      &answer) == 204,
			"%s: %d", unusual[i].name, answer.status);
		ck_assert_str_eq(
			json_string_value(json_object_get(json_file(output_path()), "type")),
			unusual[i].type);
	}
}
END_TEST

START_TEST(other_methods_and_formats_are_told_apart)
{
	struct answer answer;

	ck_assert_int_eq(peer_ask(peer, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", &answer), 405);
	ck_assert_bytes_eq(answer_header(&answer, "Allow"), "POST");
	ck_assert_int_eq(
		post("/", "Content-Type: application/cloudevents+avro\r\n", FN_BYTES("x"), &answer),
		415);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = request_is_written_before_the_answer,
			.setup = start_http,
			.teardown = stop},
		{.test = published_cloud_events_pass, .setup = start_cloud_event, .teardown = stop},
		{.test = published_legacy_events_are_mapped,
			.setup = start_cloud_event,
			.teardown = stop},
		{.test = typed_function_echoes, .setup = start_typed, .teardown = stop},
		{.test = calls_run_side_by_side, .setup = start_concurrency, .teardown = stop},
		{.test = malformed_events_are_refused,
			.setup = start_cloud_event,
			.teardown = stop},
		{.test = unusual_events_reach_the_function,
			.setup = start_cloud_event,
			.teardown = stop},
		{.test = other_methods_and_formats_are_told_apart,
			.setup = start_cloud_event,
			.teardown = stop},
	};

	return suite_run("conformance", cases, COUNT(cases));
}
