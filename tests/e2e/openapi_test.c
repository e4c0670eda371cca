/* docs/openapi.yaml: each status that it describes is provoked, and is as described. */
#include "tests/support/children.h"
#include "tests/support/exchanges.h"
#include "tests/support/ports.h"
#include "tests/support/scripted_server.h"
#include "tests/support/stack.h"
#include "tests/support/temp.h"
#include "tests/support/token.h"

#include <string.h>

#define MANIFEST "terraform/services.auto.tfvars.json"

/* ---- A Phoenix that works -------------------------------------------------------------------- */

static struct stack stack;

/* Who has no token is nobody, and no page is older than what was just done. The model of pictures
 * fails, then is too slow twice; that of videos refuses one, and never ends another. */
static void
stack_setup(void)
{
	static const char *const settings[] = {"AUTH_GUEST=", "PAGE_FRESH_MS=1", "PAGE_STALE_MS=0",
		"GENERATIONS_PER_HOUR=12", "IMAGE_TOKENS=1", "IMAGEN_FAULTS=400,504,504",
		"IMAGEN_LATENCY_MS=200", "VEO_FAULTS=400", "VEO_LATENCY_S=600", "TIME_SCALE=1",
		NULL};

	stack_start(&stack, settings);
}

static void
stack_teardown(void)
{
	stack_drop(&stack);
}

START_TEST(everything_is_asked_for)
{
	exchanges_run("openapi_ask.js", stack.url);
}
END_TEST

/* ---- One whose parts fail -------------------------------------------------------------------- */

static struct fn_arena *arena;
static struct fn_http_client *client;
static struct fn_error err;
static struct scripted_server *store;

static struct function {
	const char *name;
	struct program *program;
	unsigned port;
} functions[] = {{.name = "generate_image"}, {.name = "submit_video"}, {.name = "feed"}};
enum { GENERATE_IMAGE, SUBMIT_VIDEO, FEED };

#define ISSUER "http://127.0.0.1:1"
#define IMAGE "/api/creations/img_00000000000000000000000000"
#define VIDEO "/api/video/vid_00000000000000000000000000"
#define USER "/api/users/ann"
#define PROMPT "{\"prompt\":\"a red fox\"}"

static const struct {
	const struct function *of;
	const char *method, *path, *body;
} operations[] = {
	{&functions[GENERATE_IMAGE], "POST", "/api/image/generate", PROMPT},
	{&functions[SUBMIT_VIDEO], "POST", "/api/video/generate", PROMPT},
	{&functions[SUBMIT_VIDEO], "GET", VIDEO, NULL},
	{&functions[SUBMIT_VIDEO], "DELETE", VIDEO, NULL},
	{&functions[FEED], "GET", "/api/feed", NULL},
	{&functions[FEED], "GET", IMAGE, NULL},
	{&functions[FEED], "DELETE", IMAGE, NULL},
	{&functions[FEED], "PUT", IMAGE "/publish", NULL},
	{&functions[FEED], "PUT", IMAGE "/like", NULL},
	{&functions[FEED], "DELETE", IMAGE "/like", NULL},
	{&functions[FEED], "GET", USER, NULL},
	{&functions[FEED], "GET", USER "/creations", NULL},
	{&functions[FEED], "GET", "/api/me", NULL},
	{&functions[FEED], "PUT", "/api/me/username", "{\"username\":\"ann\"}"},
	{&functions[FEED], "GET", "/api/me/creations", NULL},
	{&functions[FEED], "GET", "/api/me/drafts", NULL},
};

/* What Firestore says, whatever it is asked; or nothing is asked of it, since whoever asks has a
 * token whose issuer cannot be asked for its keys. */
static const struct {
	struct script store_says;
	const char *setting;
	bool with_token;
	int status;
} failures[] = {
	{.store_says = {.status = 403,
		 .body = FN_BYTES_INIT("{\"error\":{\"status\":\"PERMISSION_DENIED\"}}")},
		.status = 502},
	{.with_token = true, .status = 503},
	{.store_says = {.end = SCRIPT_STALL}, .setting = "REQUEST_TIMEOUT_S=1", .status = 504},
};
static const char *token; /* NULL: none */
static int wanted;        /* status */

static void
function_start(struct function *function, const char *documents, const char *setting)
{
	function->port = free_port();
	const char *const environment[] = {
		fn_textf(arena, "PORT=%u", function->port),
		fn_textf(arena, "AUTH_ISSUER=%s", ISSUER),
		"AUTH_AUDIENCE=phoenix",
		"AUTH_GUEST=user_dev",
		fn_textf(arena, "STORE_URL=%s", documents),
		fn_textf(arena, "FIRESTORE_EMULATOR_HOST=127.0.0.1:%u",
			store ? scripted_server_port(store) : 1),
		"REDIS_URL=redis://127.0.0.1:1/0",
		"GOOGLE_CLOUD_PROJECT=project",
		"EVENTS_URL=http://127.0.0.1:1",
		fn_textf(arena, "OBJECTS_URL=file:%s", temp_folder()),
		"OBJECTS_PUBLIC_URL=http://localhost/objects",
		setting,
		NULL,
	};

	function->program = program_start(
		&(const struct program_setup){.name = function->name, .environment = environment});
	ck_assert_msg(program_is_up(function->program, function->port), "%s",
		program_complained(function->program));
}

static void
functions_setup(void)
{
	arena = fn_arena_new();
}

static void
functions_teardown(void)
{
	for (size_t i = 0; i < COUNT(functions); i++)
		program_drop(functions[i].program);
	scripted_server_stop(store);
	fn_arena_drop(arena);
}

static const char *
new_token(void)
{
	struct token_key *key = token_key_ec("P-256");
	const char *made = token_sign(key, arena, "{\"alg\":\"ES256\",\"kid\":\"ec\"}",
		"{\"iss\":\"" ISSUER "\",\"aud\":\"phoenix\",\"sub\":\"ann\",\"exp\":4000000000}");

	token_key_drop(key);
	return fn_textf(arena, "Bearer %s", made);
}

/* In a process of its own. With a key, since without one a picture needs no document before it is
 * made. */
static bool
ask(int n)
{
	const struct fn_header headers[] = {
		{FN_BYTES("Content-Type"), FN_BYTES("application/json")},
		{FN_BYTES("Idempotency-Key"), FN_BYTES("k1")},
		{fn_bytes(token ? "Authorization" : ""), fn_bytes(token)},
	};
	const struct fn_http_request request = {
		.method = operations[n].method,
		.url = fn_textf(
			arena, "http://127.0.0.1:%u%s", operations[n].of->port, operations[n].path),
		.headers = headers,
		.header_count = COUNT(headers),
		.body = fn_bytes(operations[n].body),
	};
	struct fn_call call = {.arena = arena};
	struct fn_http_response response;

	TRY(fn_http_client_open(&client, &err));
	TRY(exchange_send(client, &call, &request, &response, &err));
	fn_http_client_close(client);
	return response.status == wanted ||
	       fn_fail(&err, FN_INTERNAL, "%s %s: %d %s", request.method, request.url,
		       response.status, response.body);
}

START_TEST(everything_fails_with_what_it_needs)
{
	wanted = failures[_i].status;
	token = failures[_i].with_token ? new_token() : NULL;
	store = scripted_server_start(&failures[_i].store_says, 1);
	for (size_t i = 0; i < COUNT(functions); i++)
		function_start(&functions[i], "firestore:project/(default)", failures[_i].setting);
	children_run(COUNT(operations), ask, &err);
}
END_TEST

/* Without Redis nobody knows how many there were. */
START_TEST(nothing_is_made_that_cannot_be_counted)
{
	wanted = 503;
	for (size_t i = GENERATE_IMAGE; i <= SUBMIT_VIDEO; i++)
		function_start(&functions[i],
			fn_textf(arena, "sqlite:%s/phoenix.db", temp_folder()),
			"LIMITS_WITHOUT_REDIS=closed");
	children_run(2, ask, &err);
}
END_TEST

/* ---- The document ---------------------------------------------------------------------------- */

START_TEST(document_says_what_is_answered_and_no_more)
{
	exchanges_run("openapi_check.js", MANIFEST);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{everything_is_asked_for, 1, stack_setup, stack_teardown},
		{everything_fails_with_what_it_needs, COUNT(failures), functions_setup,
			functions_teardown},
		{nothing_is_made_that_cannot_be_counted, 1, functions_setup, functions_teardown},
		{.test = document_says_what_is_answered_and_no_more},
	};

	exchanges_open();
	return suite_run("OpenAPI", cases, COUNT(cases));
}
