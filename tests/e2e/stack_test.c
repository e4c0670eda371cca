/* All of Phoenix, as a person runs it: the line to paste, the same request again, Ctrl-C. */
#include "tests/support/exchanges.h"
#include "tests/support/peer.h"
#include "tests/support/stack.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <netinet/in.h>
#include <png.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GENERATE "/api/image/generate"
#define BODY "{\"prompt\":\"a red fox in the snow\"}"

static struct stack stack;
static struct fn_http_client *client;

/* Parts that outlive local/up become our children, and so can be seen. */
static void
setup(void)
{
	struct fn_error err;

	ck_assert(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	ck_assert(fn_http_client_open(&client, &err));
	stack_prepare(&stack);
}

static void
teardown(void)
{
	stack_drop(&stack);
	fn_http_client_close(client);
}

static void
start(const char *setting)
{
	const char *const settings[] = {"GENERATIONS_PER_HOUR=0", setting, NULL};

	stack_launch(&stack, settings);
	stack_is_up(&stack);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

struct reply {
	int status;
	struct fn_bytes body;
	const char *id; /* of the creation, where it is one */
	json_t *json;   /* NULL where it is none */
	struct fn_http_response http;
};

static void
drop_json(void *json)
{
	json_decref(json);
}

static struct reply
send_request(struct fn_arena *arena, const struct fn_http_request *request)
{
	struct fn_call call = {.arena = arena};
	struct reply reply = {0};
	struct fn_error err;

	ck_assert_msg(exchange_send(client, &call, request, &reply.http, &err), "%s", err.message);
	reply.status = reply.http.status;
	reply.body = (struct fn_bytes){reply.http.body, reply.http.size};
	reply.json = json_loadb(reply.http.body, reply.http.size, 0, NULL);
	reply.id = json_string_value(json_object_get(reply.json, "id"));
	fn_arena_defer(arena, drop_json, reply.json);
	return reply;
}

static struct reply
get(const char *url)
{
	const struct fn_http_request request = {.url = url, .max_response = 32 << 20};

	return send_request(stack.arena, &request);
}

/* Asks for what BODY says. */
static struct reply
post(struct fn_arena *arena, const char *path, const char *key)
{
	const struct fn_header headers[] = {
		{FN_BYTES("Content-Type"), FN_BYTES("application/json")},
		{FN_BYTES("Idempotency-Key"), fn_bytes(key)},
	};
	const struct fn_http_request request = {
		.method = "POST",
		.url = fn_textf(arena, "%s%s", stack.url, path),
		.headers = headers,
		.header_count = COUNT(headers),
		.body = FN_BYTES(BODY),
	};

	return send_request(arena, &request);
}

static struct reply
generate(struct fn_arena *arena, const char *key)
{
	return post(arena, GENERATE, key);
}

/* Until the first request with this key is no longer at work. */
static struct reply
generate_patiently(struct fn_arena *arena, const char *key)
{
	struct reply reply;

	while ((reply = generate(arena, key)).status == 409)
		usleep(20000);
	return reply;
}

static unsigned
model_calls(void)
{
	struct reply stats =
		get(fn_textf(stack.arena, "http://127.0.0.1:%u/stats", stack.port + STACK_VERTEX));

	ck_assert_int_eq(stats.status, 200);
	return (unsigned)json_integer_value(json_object_get(stats.json, "calls"));
}

static unsigned files_seen;

static int
see_file(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)path, (void)status, (void)where;
	files_seen += type == FTW_F;
	return 0;
}

static unsigned
objects_stored(void)
{
	files_seen = 0;
	ck_assert(
		nftw(fn_textf(stack.arena, "%s/objects", stack.data), see_file, 8, FTW_PHYS) == 0);
	return files_seen;
}

/* ---- One picture ----------------------------------------------------------------------------- */

/* What a shell prints for the line that local/up shows: the head of the answer, and its body. */
static struct fn_bytes
run_pasted_line(struct fn_bytes *head)
{
	const char *line = strstr(program_said(stack.program), "curl "), *end;
	char *output = fn_arena_zero(stack.arena, 64 * 1024);
	FILE *shell;

	ck_assert_ptr_nonnull(line);
	shell = popen(fn_textf(stack.arena, "%.*s -s -i", (int)strcspn(line, "\n"), line), "r");
	ck_assert_ptr_nonnull(shell);
	ck_assert(fread(output, 1, 64 * 1024 - 1, shell) > 0);
	ck_assert_int_eq(pclose(shell), 0);
	end = strstr(output, "\r\n\r\n");
	ck_assert_ptr_nonnull(end);
	*head = (struct fn_bytes){output, (size_t)(end - output) + 4};
	return fn_bytes(end + 4);
}

/* Every byte of it decodes, and it is as large as the creation says. */
static void
assert_picture(struct fn_bytes bytes, const json_t *creation)
{
	png_image picture = {.version = PNG_IMAGE_VERSION};

	ck_assert_msg(png_image_begin_read_from_memory(&picture, bytes.at, bytes.size), "%s",
		picture.message);
	ck_assert_int_eq(picture.width, json_integer_value(json_object_get(creation, "width")));
	ck_assert_int_eq(picture.height, json_integer_value(json_object_get(creation, "height")));
	picture.format = PNG_FORMAT_RGB;
	ck_assert_msg(png_image_finish_read(&picture, NULL,
			      fn_arena_alloc(stack.arena, PNG_IMAGE_SIZE(picture)), 0, NULL),
		"%s", picture.message);
}

START_TEST(pasted_line_makes_a_picture)
{
	struct fn_bytes head, body;
	json_t *creation;
	struct reply object;

	start(NULL);
	body = run_pasted_line(&head);
	ck_assert(fn_bytes_starts(head, "HTTP/1.1 201 "));
	exchange_keep("POST", GENERATE, head, body);
	creation = json_loadb(body.at, body.size, 0, NULL);
	fn_arena_defer(stack.arena, drop_json, creation);

	object = get(json_string_value(json_object_get(creation, "url")));
	ck_assert_int_eq(object.status, 200);
	ck_assert_bytes_eq(fn_http_header(&object.http, "Content-Type"), "image/png");
	ck_assert_bytes_eq(fn_http_header(&object.http, "Cache-Control"),
		"public, max-age=31536000, immutable");
	assert_picture(object.body, creation);
}
END_TEST

/* ---- The same request again ------------------------------------------------------------------ */

/* What is true after any number of requests with one key. */
static void
assert_made_once(unsigned pictures)
{
	ck_assert_uint_eq(model_calls(), pictures);
	ck_assert_uint_eq(objects_stored(), pictures);
}

START_TEST(same_key_gives_the_same_creation)
{
	struct reply first, again, other;

	start(NULL);
	first = generate(stack.arena, "a");
	again = generate(stack.arena, "a");
	ck_assert_int_eq(first.status, 201);
	ck_assert_int_eq(again.status, 200);
	ck_assert(fn_bytes_equal(first.body, again.body));
	assert_made_once(1);

	other = generate(stack.arena, "b");
	ck_assert_int_eq(other.status, 201);
	ck_assert_str_ne(other.id, first.id);
	assert_made_once(2);
}
END_TEST

static void *
generate_in_thread(void *arena)
{
	struct reply reply = generate_patiently(arena, "a");

	ck_assert_msg(reply.status == 200 || reply.status == 201, "%d", reply.status);
	return (void *)(uintptr_t)reply.id;
}

START_TEST(same_key_at_the_same_time_gives_the_same_creation)
{
	struct fn_arena *arenas[8];
	pthread_t threads[COUNT(arenas)] = {0};
	void *ids[COUNT(arenas)];

	start("IMAGEN_LATENCY_MS=300");
	for (size_t i = 0; i < COUNT(arenas); i++) {
		arenas[i] = fn_arena_new();
		ck_assert(pthread_create(&threads[i], NULL, generate_in_thread, arenas[i]) == 0);
	}
	for (size_t i = 0; i < COUNT(arenas); i++) {
		ck_assert(pthread_join(threads[i], &ids[i]) == 0);
		ck_assert_str_eq(ids[i], ids[0]);
	}
	assert_made_once(1);
	for (size_t i = 0; i < COUNT(arenas); i++)
		fn_arena_drop(arenas[i]);
}
END_TEST

static void
send_generate(struct peer *peer, const char *key)
{
	peer_sends(peer, fn_textf(stack.arena,
				 "POST " GENERATE " HTTP/1.1\r\nHost: localhost\r\n"
				 "Content-Type: application/json\r\nContent-Length: %zu\r\n"
				 "Idempotency-Key: %s\r\n\r\n" BODY,
				 strlen(BODY), key));
}

/* A client whose request is at work; `requests` counts the keys that this took. The model takes
 * its time, so that another request with this key comes in between, and is told so. */
static struct peer *
client_at_work(const char **key, unsigned *requests)
{
	for (*requests = 1;; ++*requests) {
		struct peer *peer = peer_connect(stack.port);
		int status;

		*key = fn_textf(stack.arena, "key-%u", *requests);
		send_generate(peer, *key);
		status = generate(stack.arena, *key).status;
		if (status == 409)
			return peer;
		ck_assert_int_eq(status, 201); /* the second came first */
		peer_close(peer);
	}
}

static const bool resets[] = {false, true};

/* Nobody gets the first answer; who asks again gets the picture that was under way. */
START_TEST(same_key_after_the_client_hung_up_gives_the_same_creation)
{
	const char *key;
	unsigned requests;
	struct peer *first;
	struct reply again;

	start("IMAGEN_LATENCY_MS=500");
	first = client_at_work(&key, &requests);
	if (resets[_i])
		peer_reset(first);
	peer_close(first);

	again = generate_patiently(stack.arena, key);
	ck_assert_int_eq(again.status, 200);
	ck_assert_ptr_nonnull(again.id);
	assert_made_once(requests);
}
END_TEST

/* ---- Videos ---------------------------------------------------------------------------------- */

/* A video is asked for through the gateway, and found where the answer says. */
START_TEST(video_is_queued)
{
	start(NULL);
	struct reply made = post(stack.arena, "/api/video/generate", "key-1");
	struct fn_bytes location = fn_http_header(&made.http, "Location");

	ck_assert_int_eq(made.status, 202);
	ck_assert_bytes_eq(location, fn_textf(stack.arena, "/api/video/%s", made.id));
	struct reply found = get(fn_textf(stack.arena, "%s/api/video/%s", stack.url, made.id));
	ck_assert_int_eq(found.status, 200);
	ck_assert_str_eq(found.id, made.id);
	ck_assert_int_eq(post(stack.arena, "/api/video/generate", "key-1").status, 200);
	ck_assert_int_eq(get(fn_textf(stack.arena, "%s/api/video/vid_0", stack.url)).status, 404);
}
END_TEST

/* ---- Beginning and end ----------------------------------------------------------------------- */

static const struct {
	enum stack_port port;
	const char *part;
} parts[] = {
	{STACK_GATEWAY, "gateway"},
	{STACK_GENERATE_IMAGE, "generate_image"},
	{STACK_SUBMIT_VIDEO, "submit_video"},
	{STACK_VIDEO_WORKER, "video_worker"},
	{STACK_VERTEX, "vertex"},
	{STACK_REDIS, "redis"},
	{STACK_ISSUER, "issuer"},
};

/* Neither processes nor temporary files. */
static void
assert_nothing_is_left(int wait_flags)
{
	while (waitpid(-1, NULL, wait_flags) > 0)
		;
	ck_assert_msg(errno == ECHILD, "a part still runs");
	ck_assert_msg(rmdir(stack.temp) == 0, "temporary files are left");
}

START_TEST(port_in_use_is_named)
{
	unsigned port = stack.port + parts[_i].port;
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		  listen(fd, 1) == 0);
	stack_launch(&stack, NULL);
	ck_assert_int_eq(program_end(stack.program), 1);
	ck_assert_ptr_nonnull(strstr(program_complained(stack.program),
		fn_textf(stack.arena, "Port %u, which %s needs, is in use", port, parts[_i].part)));
	assert_nothing_is_left(WNOHANG);
	close(fd);
}
END_TEST

START_TEST(part_that_does_not_start_is_named_with_its_log)
{
	const char *const settings[] = {"IMAGEN_LATENCY_MS=soon", NULL};
	const char *complaint;

	stack_launch(&stack, settings);
	ck_assert_int_eq(program_end(stack.program), 1);
	complaint = program_complained(stack.program);
	ck_assert_msg(strstr(complaint, "vertex did not start: status 78"), "%s", complaint);
	ck_assert_msg(strstr(complaint, "IMAGEN_LATENCY_MS: \"soon\""), "%s", complaint);
	assert_nothing_is_left(WNOHANG);
}
END_TEST

START_TEST(part_that_ends_is_named_and_ends_all)
{
	struct peer *redis;
	const char *complaint;

	start(NULL);
	redis = peer_connect(stack.port + STACK_REDIS);
	peer_sends(redis, "SHUTDOWN NOSAVE\r\n");
	ck_assert_int_eq(program_end(stack.program), 1);
	complaint = program_complained(stack.program);
	ck_assert_msg(strstr(complaint, "redis has ended: status 0"), "%s", complaint);
	assert_nothing_is_left(WNOHANG);
	peer_close(redis);
}
END_TEST

static const struct {
	int signal, status, wait_flags;
} ends[] = {
	{SIGINT, 0, WNOHANG}, {SIGTERM, 0, WNOHANG},
	{SIGKILL, 128 + SIGKILL, 0}, /* its parts learn of it, and take a moment */
};

START_TEST(signal_leaves_nothing_behind)
{
	start(NULL);
	ck_assert_int_eq(stack_stop(&stack, ends[_i].signal), ends[_i].status);
	assert_nothing_is_left(ends[_i].wait_flags);
}
END_TEST

/* One more than the function may have at work: the gateway, which ends first, waits for all of
 * them, and the function is there for the last. */
START_TEST(requests_at_work_are_answered_before_the_end)
{
	struct peer *peers[9], *late;
	struct answer answer;

	start("IMAGEN_LATENCY_MS=500");
	for (size_t i = 0; i < COUNT(peers); i++) {
		peers[i] = peer_connect(stack.port);
		send_generate(peers[i], fn_textf(stack.arena, "key-%zu", i));
	}
	late = peer_connect(stack.port); /* once it is answered, all before it have been read */
	ck_assert_int_eq(peer_ask(late, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", &answer), 200);

	ck_assert_int_eq(stack_stop(&stack, SIGINT), 0);
	for (size_t i = 0; i < COUNT(peers); i++) {
		ck_assert(peer_read(peers[i], &answer));
		ck_assert_int_eq(answer.status, 201);
		exchange_keep("POST", GENERATE, answer.head, answer.body);
		peer_close(peers[i]);
	}
	peer_close(late);
	assert_nothing_is_left(WNOHANG);
}
END_TEST

/* ---- One function alone ---------------------------------------------------------------------- */

static const char *const required[] = {
	"GOOGLE_CLOUD_PROJECT=phoenix-local",
	"OBJECTS_URL=file:/nowhere",
	"OBJECTS_PUBLIC_URL=http://localhost/objects",
};

static void
refuses_to_start(const char *const *environment, const char *complaint)
{
	const struct program_setup alone = {.name = "generate_image", .environment = environment};
	struct program *program = program_start(&alone);

	ck_assert_int_eq(program_end(program), 78);
	ck_assert_str_eq(program_complained(program), complaint);
	program_drop(program);
}

static const char *
variable(size_t i)
{
	return fn_textf(stack.arena, "%.*s", (int)strcspn(required[i], "="), required[i]);
}

START_TEST(missing_variable_is_named)
{
	const char *environment[COUNT(required)] = {NULL};
	size_t count = 0;

	for (size_t i = 0; i < COUNT(required); i++) {
		if (i != (size_t)_i)
			environment[count++] = required[i];
	}
	refuses_to_start(
		environment, fn_textf(stack.arena, "%s is not set\n", variable((size_t)_i)));
}
END_TEST

/* The table above is complete: the program itself says what it cannot do without. */
START_TEST(required_variables_are_these)
{
	const char *const options[] = {"--describe-config", NULL};
	const struct program_setup describe = {.name = "generate_image", .options = options};
	struct program *program = program_start(&describe);
	size_t count = 0, i;
	json_t *config, *setting;

	ck_assert_int_eq(program_end(program), 0);
	config = json_loads(program_said(program), 0, NULL);
	json_array_foreach(config, i, setting) count +=
		json_is_true(json_object_get(setting, "required"));
	ck_assert_uint_eq(count, COUNT(required));
	json_decref(config);
	program_drop(program);
}
END_TEST

static const struct {
	const char *words, *says;
	bool fails;
} launches[] = {
	{"", "Usage: ./phoenix COMMAND", false},
	{"--help", "Usage: ./phoenix COMMAND", false},
	{"run --help", "Usage: ./phoenix COMMAND", false},
	{"rnu", "phoenix: there is no command \"rnu\"", true},
	{"run fast", "phoenix: there is no command \"run fast\"", true},
};

/* Whoever asks for help, or mistypes, is told, and gets no packages and no Phoenix. */
START_TEST(launcher_does_what_it_is_told_or_nothing)
{
	char said[1024], command[128];
	FILE *shell;

	snprintf(command, sizeof(command), "PORT=0 ./phoenix %s 2>&1", launches[_i].words);
	shell = popen(command, "r");
	ck_assert_ptr_nonnull(shell);
	said[fread(said, 1, sizeof(said) - 1, shell)] = '\0';
	ck_assert_int_eq(pclose(shell) != 0, launches[_i].fails);
	ck_assert_msg(fn_bytes_starts(fn_bytes(said), launches[_i].says), "%s", said);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{pasted_line_makes_a_picture, 1, setup, teardown},
		{same_key_gives_the_same_creation, 1, setup, teardown},
		{same_key_at_the_same_time_gives_the_same_creation, 1, setup, teardown},
		{same_key_after_the_client_hung_up_gives_the_same_creation, COUNT(resets), setup,
			teardown},
		{video_is_queued, 1, setup, teardown},
		{port_in_use_is_named, COUNT(parts), setup, teardown},
		{part_that_does_not_start_is_named_with_its_log, 1, setup, teardown},
		{part_that_ends_is_named_and_ends_all, 1, setup, teardown},
		{signal_leaves_nothing_behind, COUNT(ends), setup, teardown},
		{requests_at_work_are_answered_before_the_end, 1, setup, teardown},
		{missing_variable_is_named, COUNT(required), setup, teardown},
		{required_variables_are_these, 1, setup, teardown},
		{.test = launcher_does_what_it_is_told_or_nothing, .rows = COUNT(launches)},
		exchanges_case(),
	};

	return suite_run("stack", cases, COUNT(cases));
}
