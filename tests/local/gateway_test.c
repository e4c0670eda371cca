/* The front door of the local cloud: asked without a socket on its near side, as the runtime
 * would ask it, with real ones on the far side. */
#include "local/gateway/handler.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MANIFEST                                                                                   \
	"{\"services\": {"                                                                         \
	"\"paint\": {\"concurrency\": 1, \"timeout_s\": 60, \"routes\": ["                         \
	"  {\"method\": \"POST\", \"path\": \"/api/pictures\"},"                                   \
	"  {\"method\": \"PUT\", \"path\": \"/api/pictures/{id}\"}]},"                             \
	"\"read\": {\"concurrency\": 8, \"timeout_s\": 1, \"routes\": ["                           \
	"  {\"path\": \"/api/pictures/{id}\"},"                                                    \
	"  {\"path\": \"/api/users/{name}/pictures\"}]},"                                          \
	"\"work\": {\"concurrency\": 1, \"timeout_s\": 60, \"routes\": []}}}"

static struct fn_arena *arena;
static const char *folder;
static struct gateway gateway;

/* ---- Setting up ------------------------------------------------------------------------------ */

static char *
path_in_folder(const char *name)
{
	return fn_textf(arena, "%s/%s", folder, name);
}

static void
file_write(const char *name, const char *text)
{
	FILE *file = fopen(path_in_folder(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void
setup(void)
{
	struct fn_error err = {0};

	arena = fn_arena_new();
	folder = temp_folder();
	ck_assert_int_eq(mkdir(path_in_folder("web"), 0700), 0);
	ck_assert_int_eq(mkdir(path_in_folder("web/sub"), 0700), 0);
	ck_assert_int_eq(mkdir(path_in_folder("objects"), 0700), 0);
	file_write("secret", "not for the world");
	file_write("web/.secret", "not for the world");
	file_write("web/index.html", "<!doctype html>");
	file_write("web/app.js", "'use strict';");
	file_write("web/sub/a b.css", "a {}");
	file_write("objects/img_1.png", "a picture");
	gateway = (struct gateway){0};
	ck_assert(fn_files_open(&gateway.web, path_in_folder("web"), "no-cache", &err));
	ck_assert(fn_files_open(
		&gateway.objects, path_in_folder("objects"), "public, immutable", &err));
	ck_assert_msg(fn_http_client_open(&gateway.client, &err), "%s", err.message);
}

static void
teardown(void)
{
	fn_http_client_close(gateway.client);
	services_close(gateway.services);
	fn_files_close(&gateway.objects);
	fn_files_close(&gateway.web);
	fn_arena_drop(arena);
}

static bool
manifest_open(const char *manifest, const struct services_config *config, struct fn_error *err)
{
	struct services_config *own = fn_arena_alloc(arena, sizeof(*own));

	*own = *config;
	own->file = path_in_folder("services.json");
	file_write("services.json", manifest);
	return services_open(&gateway.services, own, err);
}

/* All services of MANIFEST at one address. */
static void
services_at(const char *url, long queue_length, long queue_wait_ms)
{
	const struct services_config config = {
		.upstreams = fn_textf(arena, "paint=%s, read=%s", url, url),
		.queue_length = queue_length,
		.queue_wait_ms = queue_wait_ms,
	};
	struct fn_error err = {0};

	ck_assert_msg(manifest_open(MANIFEST, &config, &err), "%s", err.message);
}

static struct fn_call *
call_new(const char *method, const char *path)
{
	struct fn_call *call = fn_arena_zero(arena, sizeof(*call));

	call->arena = arena;
	call->method = fn_bytes(method);
	call->path = fn_bytes(path);
	return call;
}

/* What the client would see: the answer's status, or the one that stands for the error. */
static int
ask(struct fn_call *call)
{
	struct fn_error err = {0};

	if (gateway_handle(call, &gateway, &err))
		return call->answer.status;
	return fn_code_status(err.code);
}

static struct fn_bytes
answer_header(const struct fn_call *call, const char *name)
{
	for (size_t i = 0; i < call->answer.header_count; i++) {
		if (fn_bytes_is_nocase(call->answer.headers[i].name, name))
			return call->answer.headers[i].value;
	}
	return (struct fn_bytes){0};
}

static bool
has_line(struct fn_bytes request, const char *line)
{
	return strstr(request.at, fn_textf(arena, "\r\n%s\r\n", line)) != NULL;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static const struct {
	const char *method, *path;
	int status;
	const char *type, *cache_control, *body;
} files[] = {
	{"GET", "/", 200, "text/html; charset=utf-8", "no-cache", "<!doctype html>"},
	{"HEAD", "/", 200, "text/html; charset=utf-8", "no-cache", "<!doctype html>"},
	{"GET", "/app.js", 200, "text/javascript; charset=utf-8", "no-cache", "'use strict';"},
	{"GET", "/%61pp.js", 200, "text/javascript; charset=utf-8", "no-cache", "'use strict';"},
	{"GET", "/sub/a%20b.css", 200, "text/css; charset=utf-8", "no-cache", "a {}"},
	{"GET", "/objects/img_1.png", 200, "image/png", "public, immutable", "a picture"},
	{"POST", "/", 405, "", "", ""},
	{"DELETE", "/objects/img_1.png", 405, "", "", ""},
	{"GET", "/absent", 404, "", "", ""},
	{"GET", "/sub", 404, "", "", ""},
	{"GET", "/sub/", 404, "", "", ""},
	{"GET", "/objects", 404, "", "", ""},
	{"GET", "/objects/", 404, "", "", ""},
	{"GET", "//app.js", 404, "", "", ""},
	{"GET", "/.secret", 404, "", "", ""},
	{"GET", "/../secret", 404, "", "", ""},
	{"GET", "/sub/../../secret", 404, "", "", ""},
	{"GET", "/%2e%2e/secret", 404, "", "", ""},
	{"GET", "/..%2fsecret", 404, "", "", ""},
	{"GET", "/objects/../secret", 404, "", "", ""},
	{"GET", "/objects/..%2f..%2fsecret", 404, "", "", ""},
	{"GET", "/app.js%00.png", 404, "", "", ""},
	{"GET", "/app.js%", 404, "", "", ""},
};

/* A plain file inside the folder is served with what a browser must know of it; nothing else. */
START_TEST(file_is_served_or_not_found)
{
	struct fn_call *call = call_new(files[_i].method, files[_i].path);

	ck_assert_int_eq(ask(call), files[_i].status);
	ck_assert_bytes_eq(call->answer.body, files[_i].body);
	ck_assert_bytes_eq(answer_header(call, "Content-Type"), files[_i].type);
	ck_assert_bytes_eq(answer_header(call, "Cache-Control"), files[_i].cache_control);
}
END_TEST

/* Scripts from elsewhere stay out of the page, whatever a prompt may hold. */
START_TEST(page_comes_with_its_policy)
{
	struct fn_call *page = call_new("GET", "/"),
		       *object = call_new("GET", "/objects/img_1.png");

	ck_assert_int_eq(ask(page), 200);
	ck_assert_int_eq(ask(object), 200);
	ck_assert(fn_bytes_starts(
		answer_header(page, "Content-Security-Policy"), "default-src 'self'; "));
	ck_assert_bytes_eq(answer_header(page, "X-Content-Type-Options"), "nosniff");
	ck_assert_bytes_eq(answer_header(object, "Content-Security-Policy"), "");
}
END_TEST

/* The ETag of the first answer saves the bytes of the second, until the file is another. */
START_TEST(file_that_the_client_has_is_not_sent_again)
{
	struct fn_call *first = call_new("GET", "/app.js"), *again = call_new("GET", "/app.js");
	struct fn_call *changed = call_new("GET", "/app.js");
	struct fn_header known = {FN_BYTES("If-None-Match"), {0}};
	const struct timespec another_time[2] = {{.tv_nsec = 1}, {.tv_nsec = 1}};

	ck_assert_int_eq(ask(first), 200);
	known.value = answer_header(first, "ETag");
	ck_assert_uint_gt(known.value.size, 0);

	again->headers = changed->headers = &known;
	again->header_count = changed->header_count = 1;
	ck_assert_int_eq(ask(again), 304);
	ck_assert_uint_eq(again->answer.body.size, 0);

	file_write("web/app.js", "'use strict'!");
	ck_assert_int_eq(utimensat(AT_FDCWD, path_in_folder("web/app.js"), another_time, 0), 0);
	ck_assert_int_eq(ask(changed), 200);
	ck_assert_bytes_eq(changed->answer.body, "'use strict'!");
}
END_TEST

/* ---- Routes ---------------------------------------------------------------------------------- */

static const struct {
	const char *method, *path, *service;
} routes[] = {
	{"POST", "/api/pictures", "paint"},
	{"PUT", "/api/pictures/img_1", "paint"},
	{"GET", "/api/pictures/img_1", "read"},
	{"DELETE", "/api/users/ann/pictures", "read"},
	{"GET", "/api/pictures", "paint"}, /* where it is answered 405 */
	{"GET", "/api/pictures/img_1/like", NULL},
	{"GET", "/api/users/ann", NULL},
	{"GET", "/api/users//pictures", NULL},
	{"GET", "/api/other", NULL},
	{"GET", "/api/", NULL},
	{"GET", "/", NULL},
};

START_TEST(route_names_the_service)
{
	struct service *found;

	services_at("http://127.0.0.1:1", 0, 0);
	found = services_find(
		gateway.services, fn_bytes(routes[_i].method), fn_bytes(routes[_i].path));
	ck_assert_pstr_eq(found ? found->name : NULL, routes[_i].service);
}
END_TEST

/* A path below /api/ that no function answers is nobody's, not the web page's. */
START_TEST(path_without_route_is_not_found)
{
	services_at("http://127.0.0.1:1", 0, 0);
	ck_assert_int_eq(ask(call_new("GET", "/api/app.js")), 404);
}
END_TEST

static const struct {
	const char *path;
	bool is_asked;
} issuer_paths[] = {
	{"/issuer", true},
	{"/issuer/", true},
	{"/issuer/.well-known/openid-configuration", true},
	{"/issuers", false},
	{"/sub/issuer", false},
};

START_TEST(people_sign_in_at_the_issuer)
{
	const struct script script[] = {{.status = 201}};
	struct scripted_server *server = scripted_server_start(script, COUNT(script));
	struct service issuer = {.url = scripted_server_url(server), .timeout_ms = 10000};

	gate_init(&issuer.gate, 1, 0, 0);
	gateway.issuer = &issuer;
	ck_assert_int_eq(
		ask(call_new("GET", issuer_paths[_i].path)), issuer_paths[_i].is_asked ? 201 : 404);
	gateway.issuer = NULL;
	ck_assert_int_eq(ask(call_new("GET", issuer_paths[_i].path)), 404);
	ck_assert_uint_eq(scripted_server_requests(server), issuer_paths[_i].is_asked);
	scripted_server_stop(server);
}
END_TEST

static const struct {
	const char *name, *upstreams, *manifest, *message;
} manifests[] = {
	{"no services", "", "{}", "there are no services in it"},
	{"no JSON", "", "{", "SERVICES_FILE"},
	{"no concurrency", "a=http://h",
		"{\"services\": {\"a\": {\"timeout_s\": 1, \"routes\": []}}}",
		"a: Object item not found: concurrency"},
	{"concurrency of none", "a=http://h",
		"{\"services\": {\"a\": {\"concurrency\": 0, \"timeout_s\": 1, \"routes\": []}}}",
		"a: concurrency or timeout_s is out of range"},
	{"route without path", "a=http://h",
		"{\"services\": {\"a\": {\"concurrency\": 1, \"timeout_s\": 1, \"routes\": [{}]}}}",
		"a: routes: Object item not found: path"},
	{"route of unknown shape", "a=http://h",
		"{\"services\": {\"a\": {\"concurrency\": 1, \"timeout_s\": 1, \"routes\": "
		"[{\"path\": \"/\", \"verb\": \"GET\"}]}}}",
		"a: routes: "},
	{"service without address", "b=http://h, aa=http://h",
		"{\"services\": {\"a\": {\"concurrency\": 1, \"timeout_s\": 1, \"routes\": "
		"[{\"path\": \"/\"}]}}}",
		"a: UPSTREAMS does not say where it listens"},
};

/* A gateway that cannot do what the manifest says does not start, and says why. */
START_TEST(manifest_is_refused_with_its_fault)
{
	const struct services_config config = {.upstreams = manifests[_i].upstreams};
	struct fn_error err = {0};

	ck_assert(!manifest_open(manifests[_i].manifest, &config, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strstr(err.message, manifests[_i].message), "%s: %s", manifests[_i].name,
		err.message);
}
END_TEST

/* ---- Forwarding ------------------------------------------------------------------------------ */

START_TEST(request_reaches_the_function_as_it_came)
{
	const struct script script[] = {{.status = 200}};
	struct scripted_server *server = scripted_server_start(script, COUNT(script));
	const struct fn_header headers[] = {
		{FN_BYTES("Host"), FN_BYTES("localhost:8080")},
		{FN_BYTES("Content-Type"), FN_BYTES("application/json; charset=utf-8")},
		{FN_BYTES("Content-Length"), FN_BYTES("13")},
		{FN_BYTES("Connection"), FN_BYTES("close, X-Mine")},
		{FN_BYTES("X-Mine"), FN_BYTES("of this connection")},
		{FN_BYTES("Keep-Alive"), FN_BYTES("timeout=5")},
		{FN_BYTES("Expect"), FN_BYTES("100-continue")},
		{FN_BYTES("idempotency-KEY"), FN_BYTES("k1")},
		{FN_BYTES("Cookie"), FN_BYTES("a=1")},
		{FN_BYTES("Cookie"), FN_BYTES("b=2")},
		{FN_BYTES("X-Empty"), FN_BYTES("")},
		{FN_BYTES("X-Forwarded-For"), FN_BYTES("10.0.0.9")},
		{FN_BYTES("X-Forwarded-Proto"), FN_BYTES("gopher")},
	};
	struct fn_call *call = call_new("PUT", "/api/pictures/a%2Fb%20c");
	struct fn_bytes request;

	services_at(scripted_server_url(server), 0, 0);
	call->query = FN_BYTES("x=%41&&y=a+b");
	call->headers = headers;
	call->header_count = COUNT(headers);
	call->body = FN_BYTES("{\"\0zero\": 1}\n");
	ck_assert_int_eq(ask(call), 200);

	request = scripted_server_request(server, 0);
	ck_assert(
		fn_bytes_starts(request, "PUT /api/pictures/a%2Fb%20c?x=%41&&y=a+b HTTP/1.1\r\n"));
	ck_assert(has_line(request, "Host: localhost:8080"));
	ck_assert(has_line(request, "Content-Type: application/json; charset=utf-8"));
	ck_assert(has_line(request, "Content-Length: 13"));
	ck_assert(has_line(request, "idempotency-KEY: k1"));
	ck_assert(has_line(request, "Cookie: a=1\r\nCookie: b=2"));
	ck_assert(has_line(request, "X-Empty:"));
	ck_assert(has_line(request, "X-Forwarded-For: 10.0.0.9, 127.0.0.1"));
	ck_assert(has_line(request, "X-Forwarded-Host: localhost:8080"));
	ck_assert(has_line(request, "X-Forwarded-Proto: http"));
	ck_assert_ptr_null(strstr(request.at, "X-Mine"));
	ck_assert_ptr_null(strstr(request.at, "Keep-Alive"));
	ck_assert_ptr_null(strstr(request.at, "Expect"));
	ck_assert_ptr_null(strstr(request.at, "gopher"));
	ck_assert_uint_gt(request.size, call->body.size);
	ck_assert_mem_eq(
		request.at + request.size - call->body.size, call->body.at, call->body.size);
	scripted_server_stop(server);
}
END_TEST

/* More headers than any fixed table would hold. */
START_TEST(all_headers_are_passed_on)
{
	const struct script script[] = {{.status = 200}};
	struct scripted_server *server = scripted_server_start(script, COUNT(script));
	struct fn_header headers[100];
	struct fn_call *call = call_new("POST", "/api/pictures");

	services_at(scripted_server_url(server), 0, 0);
	for (size_t i = 0; i < COUNT(headers); i++)
		headers[i] = (struct fn_header){
			fn_bytes(fn_textf(arena, "X-%zu", i)), FN_BYTES("value")};
	call->headers = headers;
	call->header_count = COUNT(headers);
	ck_assert_int_eq(ask(call), 200);
	for (size_t i = 0; i < COUNT(headers); i++)
		ck_assert(has_line(
			scripted_server_request(server, 0), fn_textf(arena, "X-%zu: value", i)));
	scripted_server_stop(server);
}
END_TEST

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

static const struct {
	const char *name, *trace_id, *wanted;
} traces[] = {
	{"of the client", TRACE, "\r\ntraceparent: 00-" TRACE "-"},
	{"begun here", "", "\r\ntraceparent: 00-"},
};

/* The function always learns which trace it is part of, and learns it once. */
START_TEST(trace_goes_on_or_begins)
{
	const struct script script[] = {{.status = 200}};
	struct scripted_server *server = scripted_server_start(script, COUNT(script));
	const struct fn_header header = {
		FN_BYTES("Traceparent"), FN_BYTES("00-" TRACE "-00f067aa0ba902b7-01")};
	struct fn_call *call = call_new("POST", "/api/pictures");
	const char *request, *found;

	services_at(scripted_server_url(server), 0, 0);
	call->headers = &header;
	call->header_count = 1;
	snprintf(call->log.trace_id, sizeof(call->log.trace_id), "%s", traces[_i].trace_id);
	ck_assert_int_eq(ask(call), 200);

	request = scripted_server_request(server, 0).at;
	ck_assert_msg(strstr(request, traces[_i].wanted), "%s: %s", traces[_i].name, request);
	found = strcasestr(request, "traceparent");
	ck_assert_ptr_null(strcasestr(found + 1, "traceparent"));
	ck_assert_uint_eq(strlen(call->log.trace_id), 32);
	scripted_server_stop(server);
}
END_TEST

START_TEST(answer_goes_back_as_it_is)
{
	const struct script script[] = {{
		.status = 409,
		.headers = "Content-Type: application/problem+json\r\n"
			   "Retry-After: 2\r\n"
			   "Set-Cookie: a=1\r\n"
			   "Set-Cookie: b=2\r\n"
			   "Connection: X-Mine, close\r\n"
			   "X-Mine: of this connection\r\n"
			   "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
		.body = FN_BYTES("{\"title\": \"at work\"}"),
		.end = SCRIPT_CLOSE,
	}};
	struct scripted_server *server = scripted_server_start(script, COUNT(script));
	struct fn_call *call = call_new("POST", "/api/pictures");

	services_at(scripted_server_url(server), 0, 0);
	ck_assert_int_eq(ask(call), 409);
	ck_assert_bytes_eq(call->answer.body, "{\"title\": \"at work\"}");
	ck_assert_uint_eq(call->answer.header_count, 4);
	ck_assert_bytes_eq(call->answer.headers[0].value, "application/problem+json");
	ck_assert_bytes_eq(call->answer.headers[1].value, "2");
	ck_assert_bytes_eq(call->answer.headers[2].value, "a=1");
	ck_assert_bytes_eq(call->answer.headers[3].value, "b=2");
	scripted_server_stop(server);
}
END_TEST

static const struct {
	const char *name;
	struct script step;
	int status;
} failures[] = {
	{"reset", {.end = SCRIPT_RESET}, 502},
	{"no answer", {.end = SCRIPT_CLOSE}, 502},
	{"broken off", {.status = 200, .missing = 9, .end = SCRIPT_CLOSE}, 502},
	{"no HTTP", {.body = FN_BYTES_INIT("hello\r\n\r\n"), .end = SCRIPT_CLOSE}, 502},
	{"silent", {.end = SCRIPT_STALL}, 504},
	{"stuck", {.status = 200, .missing = 9, .end = SCRIPT_STALL}, 504},
};

/* The function is asked once: what it did with a request that failed is not ours to know. */
START_TEST(function_that_fails_is_told_by_the_status)
{
	struct scripted_server *server = scripted_server_start(&failures[_i].step, 1);

	services_at(scripted_server_url(server), 0, 0);
	ck_assert_msg(ask(call_new("GET", "/api/pictures/1")) == failures[_i].status, "%s",
		failures[_i].name);
	ck_assert_uint_eq(scripted_server_requests(server), 1);
	scripted_server_stop(server);
}
END_TEST

START_TEST(function_that_is_down_is_told_by_the_status)
{
	const struct script script[] = {{.status = 200}};
	struct scripted_server *server = scripted_server_start(script, COUNT(script));
	char *url = fn_text(arena, fn_bytes(scripted_server_url(server)));

	scripted_server_stop(server);
	services_at(url, 0, 0);
	ck_assert_int_eq(ask(call_new("GET", "/api/pictures/1")), 502);
}
END_TEST

/* ---- Limits ---------------------------------------------------------------------------------- */

static void *
ask_in_thread(void *with)
{
	struct fn_call *call = with;

	call->arena = fn_arena_new();
	call->answer.status = ask(call);
	fn_arena_drop(call->arena);
	return NULL;
}

static const struct {
	const char *name;
	long queue_length, queue_wait_ms;
} full[] = {
	{"no queue", 0, 60000},
	{"a queue that does not move", 9, 1},
};

/* While the one request that `paint` may have is at work, the next is sent away. */
START_TEST(request_beyond_the_limit_is_sent_away)
{
	const struct script script[] = {{.end = SCRIPT_STALL}};
	struct scripted_server *server = scripted_server_start(script, COUNT(script));
	struct fn_call *at_work = call_new("POST", "/api/pictures");
	struct fn_error err = {0};
	pthread_t thread;

	services_at(scripted_server_url(server), full[_i].queue_length, full[_i].queue_wait_ms);
	ck_assert_int_eq(pthread_create(&thread, NULL, ask_in_thread, at_work), 0);
	scripted_server_wait(server, 1);

	ck_assert(!gateway_handle(call_new("POST", "/api/pictures"), &gateway, &err));
	ck_assert_msg(
		err.code == FN_BUSY && err.retry_after_s > 0, "%s: %s", full[_i].name, err.message);
	ck_assert_uint_eq(scripted_server_requests(server), 1);

	scripted_server_stop(server);
	pthread_join(thread, NULL);
}
END_TEST

/* With room in the queue nobody is sent away, and never are two at work. */
START_TEST(queue_is_served_one_by_one)
{
	const struct script script[] = {{.status = 201, .wait_ms = 20}};
	struct scripted_server *server = scripted_server_start(script, COUNT(script));
	struct fn_call *calls[8];
	pthread_t threads[COUNT(calls)] = {0};

	services_at(scripted_server_url(server), COUNT(calls), 60000);
	for (size_t i = 0; i < COUNT(calls); i++) {
		calls[i] = call_new("POST", "/api/pictures");
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_in_thread, calls[i]), 0);
	}
	for (size_t i = 0; i < COUNT(calls); i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(calls[i]->answer.status, 201);
	}
	ck_assert_uint_eq(scripted_server_requests(server), COUNT(calls));
	ck_assert_uint_eq(scripted_server_connections(server), 1);
	scripted_server_stop(server);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = file_is_served_or_not_found, .rows = COUNT(files)},
		{.test = page_comes_with_its_policy},
		{.test = file_that_the_client_has_is_not_sent_again},
		{.test = route_names_the_service, .rows = COUNT(routes)},
		{.test = path_without_route_is_not_found},
		{.test = people_sign_in_at_the_issuer, .rows = COUNT(issuer_paths)},
		{.test = manifest_is_refused_with_its_fault, .rows = COUNT(manifests)},
		{.test = request_reaches_the_function_as_it_came},
		{.test = all_headers_are_passed_on},
		{.test = trace_goes_on_or_begins, .rows = COUNT(traces)},
		{.test = answer_goes_back_as_it_is},
		{.test = function_that_fails_is_told_by_the_status, .rows = COUNT(failures)},
		{.test = function_that_is_down_is_told_by_the_status},
		{.test = request_beyond_the_limit_is_sent_away, .rows = COUNT(full)},
		{.test = queue_is_served_one_by_one},
	};

	return suite_run_with("gateway", cases, COUNT(cases), setup, teardown);
}
