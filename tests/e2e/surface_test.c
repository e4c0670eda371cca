/* All of Phoenix as the world meets it: every route of the manifest is asked by nobody, with tokens
 * that are not right, by somebody else, and for what does not exist; and the logs of all that tell
 * nothing that people wrote. */
#include "fn/json.h"
#include "tests/support/exchanges.h"
#include "tests/support/stack.h"
#include "tests/support/suite.h"
#include "tests/support/token.h"

#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANIFEST "terraform/services.auto.tfvars.json"
#define ROUTES_MOST 64
#define WORD "heliotrope" /* that is in all prompts */
#define DRAFT "{\"prompt\":\"a " WORD " garden\",\"publish\":false}"

static struct stack stack;
static struct fn_http_client *client;

/* ---- Asking ---------------------------------------------------------------------------------- */

struct request {
	const char *method, *path;
	const char *authorization; /* NULL: none */
	const char *type;          /* NULL: that of JSON where there is a body */
	const char *body;          /* NULL: none */
	const char *origin;        /* NULL: none; else a preflight's */
};

struct reply {
	int status;
	const char *body;
	struct fn_http_response http;
};

static struct reply
ask(const struct request *request)
{
	struct fn_call call = {.arena = stack.arena};
	struct fn_header headers[5];
	size_t count = 0;
	struct fn_error err;
	struct reply reply;

	if (request->authorization)
		headers[count++] = (struct fn_header){
			FN_BYTES("Authorization"), fn_bytes(request->authorization)};
	if (request->body)
		headers[count++] = (struct fn_header){FN_BYTES("Content-Type"),
			fn_bytes(request->type ? request->type : "application/json")};
	if (request->origin) {
		headers[count++] =
			(struct fn_header){FN_BYTES("Origin"), fn_bytes(request->origin)};
		headers[count++] = (struct fn_header){
			FN_BYTES("Access-Control-Request-Method"), FN_BYTES("GET")};
	}
	const struct fn_http_request http = {
		.method = request->method,
		.url = fn_textf(stack.arena, "%s%s", stack.url, request->path),
		.headers = headers,
		.header_count = count,
		.body = fn_bytes(request->body),
		.max_response = 4 << 20,
	};
	ck_assert_msg(exchange_send(client, &call, &http, &reply.http, &err), "%s", err.message);
	reply.status = reply.http.status;
	reply.body = reply.http.body;
	return reply;
}

static const char *
text_of(const struct reply *reply, const char *name)
{
	struct fn_bytes json, text;
	struct fn_error err;

	ck_assert_msg(fn_json_read(fn_bytes(reply->body), &json, &err) &&
			      fn_json_text(json, name, stack.arena, &text),
		"no %s in %s", name, reply->body);
	return fn_text(stack.arena, text);
}

static const char *
sign_in(const char *name)
{
	struct reply reply = ask(&(struct request){.method = "POST",
		.path = "/issuer/token",
		.body = fn_textf(stack.arena, "{\"name\":\"%s\"}", name)});

	ck_assert_int_eq(reply.status, 200);
	return fn_textf(stack.arena, "Bearer %s", text_of(&reply, "access_token"));
}

/* What everybody may rely on, whatever was asked. */
static void
assert_plain(const struct request *request, const struct reply *reply)
{
	static const char *const inside[] = {"sqlite", "redis", "127.0.0.1", "firestore",
		".c:", "/data", "vertex", "null pointer", "token refused"};

	ck_assert_msg(reply->status < 500, "%s %s: %d %s", request->method, request->path,
		reply->status, reply->body);
	ck_assert_bytes_eq(fn_http_header(&reply->http, "X-Content-Type-Options"), "nosniff");
	ck_assert(fn_http_header(&reply->http, "Content-Security-Policy").size > 0);
	if (reply->status < 400)
		return;
	ck_assert_bytes_eq(
		fn_http_header(&reply->http, "Content-Type"), "application/problem+json");
	ck_assert_bytes_eq(fn_http_header(&reply->http, "Cache-Control"), "no-store");
	for (size_t i = 0; i < COUNT(inside); i++)
		ck_assert_msg(!strstr(reply->body, inside[i]), "%s %s: %s", request->method,
			request->path, reply->body);
}

/* ---- Routes ---------------------------------------------------------------------------------- */

static struct route {
	const char *method, *path; /* "/api/video/{id}" */
	bool is_public;
} routes[ROUTES_MOST];
static size_t route_count;

/* All others are for those who have signed in. */
static const char *const public_routes[] = {
	"GET /api/feed",
	"GET /api/creations/{id}",
	"GET /api/users/{username}",
	"GET /api/users/{username}/creations",
};

static bool
is_public(const char *method, const char *path)
{
	const char *both = fn_textf(stack.arena, "%s %s", method, path);

	for (size_t i = 0; i < COUNT(public_routes); i++) {
		if (strcmp(public_routes[i], both) == 0)
			return true;
	}
	return false;
}

static void
drop_json(void *json)
{
	json_decref(json);
}

static void
read_routes(void)
{
	json_t *manifest = json_load_file(MANIFEST, 0, NULL), *service, *route;
	const char *name;
	size_t i;

	ck_assert_ptr_nonnull(manifest);
	fn_arena_defer(stack.arena, drop_json, manifest);
	json_object_foreach(json_object_get(manifest, "services"), name, service)
	{
		json_array_foreach(json_object_get(service, "routes"), i, route)
		{
			const char *method = json_string_value(json_object_get(route, "method"));
			const char *path = json_string_value(json_object_get(route, "path"));

			ck_assert(method && path && route_count < ROUTES_MOST);
			routes[route_count++] =
				(struct route){method, path, is_public(method, path)};
		}
	}
	ck_assert_uint_gt(route_count, 10);
}

/* The route's path with this in the place of its {name}. */
static const char *
path_with(const struct route *route, const char *value)
{
	const char *open = strchr(route->path, '{'), *close = strchr(route->path, '}');

	if (!open)
		return route->path;
	return fn_textf(
		stack.arena, "%.*s%s%s", (int)(open - route->path), route->path, value, close + 1);
}

static bool
takes_a_body(const struct route *route)
{
	return strcmp(route->method, "POST") == 0 || strstr(route->path, "/me/username");
}

static struct request
request_of(const struct route *route, const char *value, const char *authorization)
{
	return (struct request){
		.method = route->method,
		.path = path_with(route, value),
		.authorization = authorization,
		.body = takes_a_body(route) ? "{}" : NULL,
	};
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static void
setup(void)
{
	static const char *const settings[] = {"AUTH_GUEST=", NULL};
	struct fn_error err;

	ck_assert(fn_http_client_open(&client, &err));
	stack_start(&stack, settings);
	read_routes();
}

static void
teardown(void)
{
	stack_drop(&stack);
	fn_http_client_close(client);
}

static const char *
make_draft(const char *path, const char *authorization, int status)
{
	struct reply reply = ask(&(struct request){
		.method = "POST", .path = path, .authorization = authorization, .body = DRAFT});

	ck_assert_msg(reply.status == status, "%d %s", reply.status, reply.body);
	return text_of(&reply, "id");
}

/* ---- Nobody and liars -------------------------------------------------------------------------
 */

static const char *
forged(const char *header)
{
	struct token_key *key = token_key_ec("P-256");
	const char *token = token_sign(key, stack.arena, header,
		fn_textf(stack.arena,
			"{\"iss\":\"%s/issuer\",\"aud\":\"phoenix\",\"sub\":\"ada\","
			"\"exp\":4000000000}",
			stack.url));

	token_key_drop(key);
	return fn_textf(stack.arena, "Bearer %s", token);
}

static void
nobody_is_asked_to_sign_in(void)
{
	for (size_t i = 0; i < route_count; i++) {
		struct request request = request_of(&routes[i], "vid_0", NULL);
		struct reply reply = ask(&request);

		assert_plain(&request, &reply);
		ck_assert_msg((reply.status == 401) == !routes[i].is_public, "%s %s: %d",
			request.method, request.path, reply.status);
		if (!routes[i].is_public)
			ck_assert_bytes_eq(
				fn_http_header(&reply.http, "WWW-Authenticate"), "Bearer");
	}
}

static void
bad_tokens_open_nothing(const char *right)
{
	const char *const bad[] = {
		"Bearer",
		"Bearer x",
		"Basic YWRhOmFkYQ==",
		fn_textf(stack.arena, "%sA", right),
		forged("{\"alg\":\"ES256\",\"kid\":\"unknown\"}"),
		forged("{\"alg\":\"none\"}"),
		fn_textf(stack.arena, "Bearer %08000d", 0),
	};

	for (size_t i = 0; i < route_count; i++) {
		for (size_t j = 0; j < COUNT(bad); j++) {
			struct request request = request_of(&routes[i], "vid_0", bad[j]);
			struct reply reply = ask(&request);

			assert_plain(&request, &reply);
			if (routes[i].is_public && reply.status == 404)
				continue; /* what is not there is so for everybody */
			ck_assert_msg(reply.status == 401, "%s %s with %.20s: %d", request.method,
				request.path, bad[j], reply.status);
			ck_assert_bytes_eq(fn_http_header(&reply.http, "WWW-Authenticate"),
				"Bearer error=\"invalid_token\"");
			ck_assert_ptr_nonnull(
				strstr(reply.body, "\"detail\":\"the token is not valid\"}"));
		}
	}
}

START_TEST(who_is_not_known_comes_nowhere)
{
	nobody_is_asked_to_sign_in();
	bad_tokens_open_nothing(sign_in("ada"));
}
END_TEST

/* ---- Somebody else ----------------------------------------------------------------------------
 */

/* The one answer is not to be told from the other but for the name in it. */
static void
draft_is_as_if_it_were_not_there(const struct route *route, const char *id, const char *token)
{
	struct request request = request_of(route, id, token);
	struct request absent = request_of(
		route, fn_textf(stack.arena, "%.4s00000000000000000000000000", id), token);
	struct reply reply = ask(&request), nothing = ask(&absent);

	assert_plain(&request, &reply);
	ck_assert_msg(reply.status == 404, "%s %s: %d %s", request.method, request.path,
		reply.status, reply.body);
	ck_assert_int_eq(nothing.status, 404);
	ck_assert_str_eq(reply.body, nothing.body);
}

START_TEST(drafts_and_jobs_are_their_owner_s_alone)
{
	const char *ada = sign_in("ada"), *bob = sign_in("bob");
	const char *const ids[] = {
		make_draft("/api/image/generate", ada, 201),
		make_draft("/api/video/generate", ada, 202),
	};
	const struct request own = {
		.method = "GET", .path = "/api/me/drafts", .authorization = ada};
	struct reply drafts = ask(&own);

	ck_assert(strstr(drafts.body, ids[0]) && strstr(drafts.body, ids[1]));
	for (size_t i = 0; i < route_count; i++) {
		struct request request = request_of(&routes[i], "bob", bob);

		if (strstr(routes[i].path, "{id}")) {
			draft_is_as_if_it_were_not_there(&routes[i], ids[0], bob);
			draft_is_as_if_it_were_not_there(&routes[i], ids[1], bob);
			if (routes[i].is_public)
				draft_is_as_if_it_were_not_there(&routes[i], ids[0], NULL);
		} else if (strcmp(routes[i].method, "GET") == 0) {
			struct reply reply = ask(&request);

			assert_plain(&request, &reply);
			ck_assert_msg(
				!strstr(reply.body, WORD), "%s: %s", request.path, reply.body);
		}
	}
	drafts = ask(&own);
	ck_assert(strstr(drafts.body, ids[0]) && strstr(drafts.body, ids[1]));
}
END_TEST

/* ---- What does not exist, and what is too much -------------------------------------------------
 */

static const char *const broken_ids[] = {
	"x",
	"-",
	"..",
	"%2e%2e%2f%2e%2e",
	"%00",
	"img_%00",
	"%ff%fe",
	"%F0%9F%A6%8A",
	"'%20OR%20'1'='1",
	"img_01m86fdp39zy4xr1h37rs01r6t%0d%0aSet-Cookie:%20a=b",
	"IMG_01M86FDP39ZY4XR1H37RS01R6T",
	"{id}",
	"__proto__",
	"%25s%25n",
};

static void
broken_ids_are_nothing(const char *token)
{
	const char *longest = fn_textf(stack.arena, "%02000d", 0);

	for (size_t i = 0; i < route_count; i++) {
		if (!strchr(routes[i].path, '{'))
			continue;
		for (size_t j = 0; j <= COUNT(broken_ids); j++) {
			const char *id = j < COUNT(broken_ids) ? broken_ids[j] : longest;
			struct request request = request_of(&routes[i], id, token);
			struct reply reply = ask(&request);

			assert_plain(&request, &reply);
			ck_assert_msg(
				reply.status == 404 || reply.status == 400 || reply.status == 405,
				"%s %s: %d", request.method, request.path, reply.status);
			ck_assert_uint_eq(fn_http_header(&reply.http, "Set-Cookie").size, 0);
		}
	}
}

/* A prompt in the wrong place, in no JSON, under no name; and one that is refused. */
static const struct wrong_body {
	const char *type, *body;
	int status;
} wrong_bodies[] = {
	{"text/plain", DRAFT, 415},
	{"application/x-www-form-urlencoded", "prompt=" WORD, 415},
	{NULL, "{\"prompt\":\"a " WORD "\" " WORD "}", 400},
	{NULL, "{\"prompt\":" WORD "}", 400},
	{NULL, "{\"prompt\":\"a " WORD, 400},
	{NULL, "{\"a " WORD " garden\":true}", 400},
	{NULL, "{\"prompt\":[\"a " WORD "\"]}", 400},
	{NULL, "[\"a " WORD "\"]", 400},
};

static void
bodies_are_checked(const char *token)
{
	const char *large = fn_textf(stack.arena, "{\"prompt\":\"%070000d\"}", 0);

	for (size_t i = 0; i < route_count; i++) {
		struct request request = request_of(&routes[i], "", token);

		if (strcmp(routes[i].method, "POST") != 0)
			continue;
		for (size_t j = 0; j < COUNT(wrong_bodies); j++) {
			request.type = wrong_bodies[j].type;
			request.body = wrong_bodies[j].body;
			struct reply reply = ask(&request);
			assert_plain(&request, &reply);
			ck_assert_msg(reply.status == wrong_bodies[j].status, "%s: %d %s",
				request.body, reply.status, reply.body);
		}
		request.body = large;
		ck_assert_int_eq(ask(&request).status, 413);
	}
}

static void
pages_from_elsewhere_may_not_call(void)
{
	for (size_t i = 0; i < route_count; i++) {
		const struct request request = {.method = "OPTIONS",
			.path = path_with(&routes[i], "vid_0"),
			.origin = "https://evil.example"};
		struct reply reply = ask(&request);

		ck_assert_msg(reply.status == 204, "%s: %d", request.path, reply.status);
		ck_assert_uint_eq(
			fn_http_header(&reply.http, "Access-Control-Allow-Origin").size, 0);
	}
}

/* ---- Logs -------------------------------------------------------------------------------------
 */

static const char *searched; /* text that no log may have in it */
static unsigned files_read;

static int
search_file(const char *path, const struct stat *status, int type, struct FTW *where)
{
	FILE *file = type == FTW_F ? fopen(path, "re") : NULL;

	(void)where;
	if (!file)
		return 0;
	char *text = fn_arena_zero(stack.arena, (size_t)status->st_size + 1);
	size_t size = fread(text, 1, (size_t)status->st_size, file);
	fclose(file);
	files_read++;
	const char *found = memmem(text, size, searched, strlen(searched));
	ck_assert_msg(!found, "%s: %.200s", path, found);
	return 0;
}

static void
logs_do_not_have(const char *text)
{
	searched = text;
	files_read = 0;
	nftw(fn_textf(stack.arena, "%s/logs", stack.data), search_file, 8, FTW_PHYS);
	ck_assert_uint_ge(files_read, 6);
}

START_TEST(nonsense_is_refused_and_logs_tell_nothing)
{
	const char *ada = sign_in("ada");
	const char *refused = "{\"prompt\":\"a nude in a " WORD " garden\"}";

	broken_ids_are_nothing(ada);
	bodies_are_checked(ada);
	pages_from_elsewhere_may_not_call();
	make_draft("/api/image/generate", ada, 201);
	make_draft("/api/video/generate", ada, 202);
	ck_assert_int_eq(ask(&(struct request){.method = "POST",
				     .path = "/api/image/generate",
				     .authorization = ada,
				     .body = refused})
				 .status,
		422);
	ck_assert_int_eq(stack_stop(&stack, SIGTERM), 0);
	logs_do_not_have(WORD);
	logs_do_not_have(strrchr(ada, '.'));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{who_is_not_known_comes_nowhere, 1, setup, teardown},
		{drafts_and_jobs_are_their_owner_s_alone, 1, setup, teardown},
		{nonsense_is_refused_and_logs_tell_nothing, 1, setup, teardown},
		exchanges_case(),
	};

	return suite_run("surface", cases, COUNT(cases));
}
