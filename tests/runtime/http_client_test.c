#include "fn/clock.h"
#include "fn/http_client.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"

static struct fn_http_client *client;
static struct fn_call call;
static struct scripted_server *server;

static void
setup(void)
{
	struct fn_error err = {0};

	unsetenv("http_proxy");
	call = (struct fn_call){.arena = fn_arena_new()};
	ck_assert_msg(fn_http_client_open(&client, &err), "%s", err.message);
}

static void
teardown(void)
{
	fn_http_client_close(client);
	scripted_server_stop(server);
	fn_arena_drop(call.arena);
}

/* The script may be the test's own: the server, which outlives the test, gets a copy. */
static const char *
serve(const struct script *script, size_t count)
{
	struct script *kept = fn_arena_alloc(call.arena, count * sizeof(*kept));

	memcpy(kept, script, count * sizeof(*kept));
	server = scripted_server_start(kept, count);
	return scripted_server_url(server);
}

static bool
sent_contains(size_t nth, const char *text)
{
	struct fn_bytes request = scripted_server_request(server, nth);
	return strcasestr(request.at, text) != NULL;
}

/* ---- What is sent ---- */

static const struct request_case {
	const char *name;
	const char *method, *path;
	struct fn_bytes body;
	const char *header, *value;
	const char *has, *lacks; /* in what the server received */
} request_cases[] = {
	{.name = "a method is GET unless said",
		.has = "GET / HTTP/1.1\r\n",
		.lacks = "Content-Length"},
	{.name = "a path is not normalised",
		.path = "/a/../%62//c?d=%2F",
		.has = "GET /a/../%62//c?d=%2F HTTP/1.1\r\n"},
	{.name = "a body is sent at once",
		.method = "PUT",
		.body = FN_BYTES_INIT("a\0b"),
		.has = "\r\nContent-Length: 3\r\n",
		.lacks = "Expect:"},
	{.name = "a body has no type of its own",
		.method = "POST",
		.body = FN_BYTES_INIT("x=y"),
		.has = "\r\n\r\nx=y",
		.lacks = "Content-Type"},
	{.name = "a POST without a body says so",
		.method = "POST",
		.has = "\r\nContent-Length: 0\r\n",
		.lacks = "Transfer-Encoding"},
	{.name = "a DELETE has no body",
		.method = "DELETE",
		.has = "DELETE / HTTP/1.1\r\n",
		.lacks = "Content-Length"},
	{.name = "a HEAD has no body", .method = "HEAD", .has = "HEAD / HTTP/1.1\r\n"},
	{.name = "headers are sent in their words",
		.method = "POST",
		.header = "Content-Type",
		.value = "a/b; c=\"d\"",
		.has = "\r\nContent-Type: a/b; c=\"d\"\r\n",
		.lacks = "x-www-form-urlencoded"},
	{.name = "a header may be empty",
		.header = "X-Empty",
		.has = "\r\nX-Empty:\r\n",
		.lacks = "X-Empty;"},
	{.name = "a header without a name is skipped", .value = "ghost", .lacks = "ghost"},
	{.name = "outside of a trace none is invented", .lacks = "traceparent"},
};

START_TEST(request_is_sent_as_it_was_written)
{
	const struct request_case *c = &request_cases[_i];
	const struct script script = {.status = 200};
	const struct fn_header header = {fn_bytes(c->header), fn_bytes(c->value)};
	const char *path = c->path ? c->path : "/";
	struct fn_http_request request = {.method = c->method,
		.url = fn_textf(call.arena, "%s%s", serve(&script, 1), path),
		.headers = &header,
		.header_count = 1,
		.body = c->body};
	struct fn_http_response response;
	struct fn_error err = {0};

	bool ok = fn_http_send(client, &call, &request, &response, &err);
	ck_assert_msg(ok, "%s: %s", c->name, err.message);
	ck_assert_msg(!c->has || sent_contains(0, c->has), "%s", c->name);
	ck_assert_msg(!c->lacks || !sent_contains(0, c->lacks), "%s", c->name);
}
END_TEST

/* Beyond a megabyte curl would ask first whether the body is wanted, and wait for the answer. */
START_TEST(large_body_is_sent_at_once_and_whole)
{
	static char picture[1500 * 1000];
	const struct script script = {.status = 200};
	struct fn_http_request request = {
		.method = "PUT", .url = serve(&script, 1), .body = {picture, sizeof(picture)}};
	struct fn_http_response response;
	struct fn_error err = {0};

	for (size_t i = 0; i < sizeof(picture); i++)
		picture[i] = (char)(i * 2654435761u >> 24);
	ck_assert_msg(fn_http_send(client, &call, &request, &response, &err), "%s", err.message);
	struct fn_bytes sent = scripted_server_request(server, 0);
	ck_assert(!sent_contains(0, "\r\nExpect:"));
	ck_assert_uint_gt(sent.size, sizeof(picture));
	ck_assert(memcmp(sent.at + sent.size - sizeof(picture), picture, sizeof(picture)) == 0);
}
END_TEST

/* A value that comes from outside must not smuggle in a header of its own. */
START_TEST(line_break_in_a_header_is_never_sent)
{
	const struct fn_bytes values[] = {
		FN_BYTES("a\r\nX: y"), FN_BYTES("a\nX: y"), FN_BYTES("a\0b")};
	const struct script script = {.status = 200};
	const struct fn_header header = {FN_BYTES("X-A"), values[_i]};
	struct fn_http_request request = {
		.url = serve(&script, 1), .headers = &header, .header_count = 1};
	struct fn_http_response response;
	struct fn_error err = {0};

	ck_assert(!fn_http_send(client, &call, &request, &response, &err));
	ck_assert_int_eq(err.code, FN_INTERNAL);
	ck_assert_uint_eq(scripted_server_requests(server), 0);
}
END_TEST

static void
read_span(size_t nth, char span[64])
{
	const char *at = strstr(scripted_server_request(server, nth).at, "\r\ntraceparent");

	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(
		sscanf(at, "\r\ntraceparent: 00-" TRACE_ID "-%63[0-9a-f]-01\r\n", span), 1);
	ck_assert_uint_eq(strlen(span), 16);
}

START_TEST(each_attempt_is_a_span_of_the_calls_trace)
{
	const struct script script[] = {{.status = 503}, {.status = 200}};
	struct fn_http_request request = {.url = serve(script, COUNT(script)), .attempts = 2};
	struct fn_http_response response;
	struct fn_error err = {0};
	char first[64], second[64];

	memcpy(call.log.trace_id, TRACE_ID, sizeof(TRACE_ID));
	call.log.sampled = true;
	ck_assert(fn_http_send(client, &call, &request, &response, &err));
	read_span(0, first);
	read_span(1, second);
	ck_assert_str_ne(first, second);
}
END_TEST

/* ---- What is received ---- */

static const struct answer_case {
	const char *name;
	struct script script;
	int status;
	struct fn_bytes body;
} answer_cases[] = {
	{"sized", {.status = 200, .body = FN_BYTES_INIT("a\0b")}, 200, FN_BYTES_INIT("a\0b")},
	{"empty", {.status = 204}, 204, {0}},
	{"an error is an answer", {.status = 418, .body = FN_BYTES_INIT("tea")}, 418,
		FN_BYTES_INIT("tea")},
	{"a redirect is not followed", {.status = 302, .headers = "Location: /elsewhere\r\n"}, 302,
		{0}},
	{"chunked",
		{.body = FN_BYTES_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				       "3\r\nfox\r\n5\r\n in s\r\n0\r\n\r\n")},
		200, FN_BYTES_INIT("fox in s")},
	{"until the end of the connection",
		{.body = FN_BYTES_INIT("HTTP/1.1 200 OK\r\n\r\nfox"), .end = SCRIPT_CLOSE}, 200,
		FN_BYTES_INIT("fox")},
	{"after an interim answer",
		{.body = FN_BYTES_INIT(
			 "HTTP/1.1 103 Early Hints\r\nX-Which: early\r\n\r\n"
			 "HTTP/1.1 200 OK\r\nX-Which: late\r\nContent-Length: 3\r\n\r\nfox")},
		200, FN_BYTES_INIT("fox")},
};

START_TEST(answer_is_received_whole)
{
	const struct answer_case *c = &answer_cases[_i];
	struct fn_http_request request = {.url = serve(&c->script, 1)};
	struct fn_http_response response;
	struct fn_error err = {0};

	ck_assert_msg(fn_http_send(client, &call, &request, &response, &err), "%s: %s", c->name,
		err.message);
	ck_assert_int_eq(response.status, c->status);
	ck_assert_msg(response.size == c->body.size, "%s", c->name);
	ck_assert_mem_eq(response.body, c->body.size > 0 ? c->body.at : "", c->body.size);
	ck_assert_int_eq(response.body[response.size], '\0');
	ck_assert_uint_eq(scripted_server_requests(server), 1);
}
END_TEST

START_TEST(headers_are_found_in_any_case)
{
	const struct script script = {
		.status = 200, .headers = "X-Twice: one\r\nx-twice: two\r\nX-Empty:\r\n"};
	struct fn_http_request request = {.url = serve(&script, 1)};
	struct fn_http_response response;
	struct fn_error err = {0};

	ck_assert(fn_http_send(client, &call, &request, &response, &err));
	ck_assert(fn_bytes_is(fn_http_header(&response, "X-TWICE"), "one"));
	ck_assert(fn_bytes_is(fn_http_header(&response, "X-Empty"), ""));
	ck_assert(fn_bytes_is(fn_http_header(&response, "X-Absent"), ""));
	ck_assert_uint_eq(response.header_count, 4);
	ck_assert(fn_bytes_is(response.headers[1].value, "two"));
}
END_TEST

/* With its size announced and without, a picture's worth of bytes arrives unchanged. */
START_TEST(large_answer_is_received_whole)
{
	static char picture[2 * 1024 * 1024];
	static const char *heads[] = {"HTTP/1.1 200 OK\r\nContent-Length: 2097152\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"};
	struct fn_builder raw = {.arena = call.arena};
	struct fn_http_response response;
	struct fn_error err = {0};

	for (size_t i = 0; i < sizeof(picture); i++)
		picture[i] = (char)(i * 2654435761u >> 24);
	fn_add(&raw, fn_bytes(heads[_i]));
	fn_add(&raw, (struct fn_bytes){picture, sizeof(picture)});
	struct script script = {.body = fn_built(&raw), .end = SCRIPT_CLOSE};
	struct fn_http_request request = {
		.url = serve(&script, 1), .max_response = sizeof(picture)};
	ck_assert_msg(fn_http_send(client, &call, &request, &response, &err), "%s", err.message);
	ck_assert_uint_eq(response.size, sizeof(picture));
	ck_assert(memcmp(response.body, picture, sizeof(picture)) == 0);
}
END_TEST

/* ---- What goes wrong ---- */

static const struct failure_case {
	const char *name;
	struct script script;
	const char *url; /* NULL: the script's */
	enum fn_code code;
	const char *sentence;
} failure_cases[] = {
	{"cut short",
		{.status = 200, .body = FN_BYTES_INIT("fo"), .missing = 1, .end = SCRIPT_CLOSE},
		NULL, FN_UPSTREAM, ": Transferred a partial file"},
	{"reset", {.end = SCRIPT_RESET}, NULL, FN_UPSTREAM, "127.0.0.1:"},
	{"silent", {.end = SCRIPT_STALL}, NULL, FN_DEADLINE, ": no answer in time"},
	{"no HTTP", {.body = FN_BYTES_INIT("SSH-2.0-x\r\n\r\n"), .end = SCRIPT_CLOSE}, NULL,
		FN_UPSTREAM, "127.0.0.1:"},
	{"announced too large",
		{.status = 200, .missing = 1001, .end = SCRIPT_STALL, .body = FN_BYTES_INIT("x")},
		NULL, FN_UPSTREAM, ": answer larger than allowed"},
	{"nobody there", {0}, "http://user:hunter2@127.0.0.1:1/p?secret", FN_UPSTREAM,
		"connect to 127.0.0.1:1: Connection refused"},
	{"no such host", {0}, "http://nowhere.invalid/?secret", FN_UPSTREAM,
		"connect to nowhere.invalid: "},
	{"a file is no service", {0}, "file:///etc/hostname", FN_UPSTREAM, ""},
};

START_TEST(failure_says_which_host_and_what_happened)
{
	const struct failure_case *c = &failure_cases[_i];
	struct fn_http_request request = {.url = c->url,
		.method = "POST",
		.body = FN_BYTES("secret"),
		.timeout_ms = 300,
		.max_response = 1000};
	struct fn_http_response response = {.status = -1};
	struct fn_error err = {0};

	const char *url = fn_textf(call.arena, "%s/p?secret", serve(&c->script, 1));
	if (!c->url)
		request.url = url;
	ck_assert_msg(!fn_http_send(client, &call, &request, &response, &err), "%s", c->name);
	ck_assert_msg(err.code == c->code, "%s: %s", c->name, err.message);
	ck_assert_msg(strstr(err.message, c->sentence), "%s: %s", c->name, err.message);
	ck_assert_ptr_null(strstr(err.message, "secret"));
	ck_assert_ptr_null(strstr(err.message, "hunter2"));
	ck_assert_int_eq(response.status, -1);
}
END_TEST

/* Without an announced size the limit holds all the same. */
START_TEST(unannounced_answer_is_cut_at_the_limit)
{
	static char much[100 * 1024];
	struct fn_builder raw = {.arena = call.arena};
	struct fn_http_response response;
	struct fn_error err = {0};

	fn_add(&raw, FN_BYTES("HTTP/1.1 200 OK\r\n\r\n"));
	fn_add(&raw, (struct fn_bytes){much, sizeof(much)});
	struct script script = {.body = fn_built(&raw), .end = SCRIPT_CLOSE};
	struct fn_http_request request = {
		.url = serve(&script, 1), .max_response = sizeof(much) - 1};
	ck_assert(!fn_http_send(client, &call, &request, &response, &err));
	ck_assert_int_eq(err.code, FN_UPSTREAM);
	ck_assert_ptr_nonnull(strstr(err.message, "larger than allowed"));
}
END_TEST

/* ---- Trying again ---- */

static const struct retry_case {
	const char *name;
	struct script script[3];
	unsigned attempts;
	int status; /* 0: failed */
	size_t requests;
} retry_cases[] = {
	{"one attempt is the rule", {{.status = 503}, {.status = 200}}, 0, 503, 1},
	{"busy, then not", {{.status = 429}, {.status = 503}, {.status = 200}}, 3, 200, 3},
	{"reset, then not", {{.end = SCRIPT_RESET}, {.status = 200}, {.status = 200}}, 3, 200, 2},
	{"cut, then not",
		{{.status = 200, .missing = 1, .end = SCRIPT_CLOSE}, {.status = 200},
			{.status = 200}},
		2, 200, 2},
	{"the last answer counts", {{.status = 500}, {.status = 502}, {.status = 504}}, 3, 504, 3},
	{"the last failure counts",
		{{.status = 500, .end = SCRIPT_CLOSE}, {.end = SCRIPT_RESET}, {.status = 200}}, 2,
		0, 2},
	{"a refusal is final", {{.status = 403}, {.status = 200}}, 3, 403, 1},
	{"501 is final", {{.status = 501}, {.status = 200}}, 3, 501, 1},
};

START_TEST(request_is_repeated_where_that_may_help)
{
	const struct retry_case *c = &retry_cases[_i];
	struct fn_http_request request = {
		.url = serve(c->script, COUNT(c->script)), .attempts = c->attempts};
	struct fn_http_response response = {0};
	struct fn_error err = {0};

	bool ok = fn_http_send(client, &call, &request, &response, &err);
	ck_assert_msg(ok == (c->status != 0), "%s: %s", c->name, err.message);
	ck_assert_msg(response.status == c->status, "%s: %d", c->name, response.status);
	ck_assert_msg(scripted_server_requests(server) == c->requests, "%s", c->name);
}
END_TEST

START_TEST(wait_that_passes_the_deadline_is_not_begun)
{
	const struct script script[] = {
		{.status = 429, .headers = "Retry-After: 60\r\n"}, {.status = 200}};
	struct fn_http_request request = {.url = serve(script, COUNT(script)), .attempts = 2};
	struct fn_http_response response;
	struct fn_error err = {0};

	call.deadline_ms = fn_now_ms() + 30000;
	ck_assert(fn_http_send(client, &call, &request, &response, &err));
	ck_assert_int_eq(response.status, 429);
	ck_assert_uint_eq(scripted_server_requests(server), 1);
}
END_TEST

START_TEST(deadline_of_the_call_ends_an_attempt)
{
	const struct script script = {.end = SCRIPT_STALL};
	struct fn_http_request request = {.url = serve(&script, 1), .attempts = 5};
	struct fn_http_response response;
	struct fn_error err = {0};

	call.deadline_ms = fn_now_ms() + 200;
	ck_assert(!fn_http_send(client, &call, &request, &response, &err));
	ck_assert_int_eq(err.code, FN_DEADLINE);
	ck_assert_uint_le(scripted_server_requests(server), 1);
}
END_TEST

START_TEST(nothing_is_sent_after_the_deadline)
{
	const struct script script = {.status = 200};
	struct fn_http_request request = {.url = serve(&script, 1)};
	struct fn_http_response response;
	struct fn_error err = {0};

	call.deadline_ms = fn_now_ms() - 1;
	ck_assert(!fn_http_send(client, &call, &request, &response, &err));
	ck_assert_int_eq(err.code, FN_DEADLINE);
	ck_assert_uint_eq(scripted_server_connections(server), 0);
}
END_TEST

/* ---- Bodies that memory does not hold ---- */

/* Bytes that are told from their place, so that none need to be kept. */
static char
byte_at(uint64_t offset)
{
	return (char)(offset * 2654435761u >> 24);
}

struct script_of_source {
	unsigned good_reads; /* after so many it fails */
	unsigned reads;
};

static bool
read_bytes(void *with, uint64_t offset, char *into, size_t size, struct fn_error *err)
{
	struct script_of_source *script = with;

	if (script->reads++ == script->good_reads)
		return fn_fail(err, FN_NOT_FOUND, "the source has dried up");
	for (size_t i = 0; i < size; i++)
		into[i] = byte_at(offset + i);
	return true;
}

static const struct source_case {
	const char *name;
	uint64_t size;
	unsigned good_reads;
	struct script script[2];
	unsigned attempts;
	enum fn_code code;
	size_t requests; /* that came whole */
} source_cases[] = {
	{"an empty one", 0, UINT_MAX, {{.status = 200}}, 1, FN_OK, 1},
	{"a small one", 1, UINT_MAX, {{.status = 200}}, 1, FN_OK, 1},
	{"a large one", 1500 * 1000, UINT_MAX, {{.status = 200}}, 1, FN_OK, 1},
	{"one that is wanted again", 200 * 1000, UINT_MAX, {{.status = 503}, {.status = 200}}, 2,
		FN_OK, 2},
	{"one that is wanted again by curl itself", 200 * 1000, UINT_MAX,
		{{.end = SCRIPT_RESET}, {.status = 200}}, 1, FN_OK, 2},
	{"one that fails at once", 1000, 0, {{.status = 200}}, 3, FN_NOT_FOUND, 0},
	{"one that fails in the middle", 1500 * 1000, 1, {{.status = 200}}, 3, FN_NOT_FOUND, 0},
};

/* Each request has the whole of the source for its body, also on a connection that another request
 * has left open; what the source says of its failure is what the caller hears. */
START_TEST(source_is_sent_while_it_is_read)
{
	const struct source_case *c = &source_cases[_i];
	const struct script steps[] = {{.status = 200}, c->script[0], c->script[1]};
	struct script_of_source script = {.good_reads = c->good_reads};
	const struct fn_source source = {c->size, read_bytes, &script};
	struct fn_http_request before = {.url = serve(steps, COUNT(steps))};
	struct fn_http_request request = {
		.method = "PUT", .url = before.url, .source = &source, .attempts = c->attempts};
	struct fn_http_response response;
	struct fn_error err = {0};

	ck_assert_msg(fn_http_send(client, &call, &before, &response, &err), "%s", err.message);
	bool ok = fn_http_send(client, &call, &request, &response, &err);
	ck_assert_msg(ok == (c->code == FN_OK) && (ok || err.code == c->code), "%s: %s", c->name,
		err.message);
	ck_assert_msg(scripted_server_requests(server) == 1 + c->requests, "%s", c->name);
	for (size_t i = 1; i <= c->requests; i++) {
		struct fn_bytes sent = scripted_server_request(server, i);
		const char *body = strstr(sent.at, "\r\n\r\n") + 4;
		ck_assert_uint_eq((size_t)(sent.at + sent.size - body), c->size);
		for (size_t at = 0; at < c->size; at++)
			ck_assert_msg(body[at] == byte_at(at), "%s: byte %zu", c->name, at);
		ck_assert(!sent_contains(i, "\r\nExpect:"));
		ck_assert(!sent_contains(i, "\r\nTransfer-Encoding:"));
	}
}
END_TEST

struct script_of_sink {
	uint64_t room; /* beyond it fails */
	uint64_t size;
	bool is_spoiled; /* some byte was not the one that belongs there */
};

static bool
write_bytes(void *with, struct fn_bytes piece, struct fn_error *err)
{
	struct script_of_sink *script = with;

	if (piece.size > script->room - script->size)
		return fn_fail(err, FN_TOO_LARGE, "the sink is full");
	for (size_t i = 0; i < piece.size; i++)
		script->is_spoiled |= piece.at[i] != byte_at(script->size + i);
	script->size += piece.size;
	return true;
}

static char much[2 * 1024 * 1024];

static const struct sink_case {
	const char *name;
	struct script script[2];
	uint64_t room;
	enum fn_code code;
	int status;
	uint64_t size; /* that the sink has got */
	size_t requests;
} sink_cases[] = {
	{"an empty answer", {{.status = 200}}, 9, FN_OK, 200, 0, 1},
	{"a large answer", {{.status = 206, .body = {much, sizeof(much)}}}, sizeof(much), FN_OK,
		206, sizeof(much), 1},
	{"an error is not for the sink", {{.status = 404, .body = FN_BYTES_INIT("none")}}, 9, FN_OK,
		404, 0, 1},
	{"an error and then an answer",
		{{.status = 503, .body = FN_BYTES_INIT("busy")},
			{.status = 200, .body = {much, 9}}},
		9, FN_OK, 200, 9, 2},
	{"an answer that breaks off before it begins",
		{{.end = SCRIPT_RESET}, {.status = 200, .body = {much, 9}}}, 9, FN_OK, 200, 9, 2},
	{"an answer that breaks off",
		{{.status = 200, .body = {much, 9}, .missing = 1, .end = SCRIPT_CLOSE}}, 99,
		FN_UPSTREAM, 0, 9, 1},
	{"a sink that is full", {{.status = 200, .body = {much, 9}}}, 8, FN_TOO_LARGE, 0, 0, 1},
};

/* A sink gets what a good answer says, once, however large; what it says of its own failure is
 * what the caller hears. */
START_TEST(sink_takes_the_answer_while_it_arrives)
{
	const struct sink_case *c = &sink_cases[_i];
	struct script_of_sink script = {.room = c->room};
	const struct fn_sink sink = {write_bytes, &script};
	struct fn_http_response response = {0};
	struct fn_error err = {0};

	for (size_t i = 0; i < sizeof(much); i++)
		much[i] = byte_at(i);
	struct fn_http_request request = {.url = serve(c->script, COUNT(c->script)),
		.sink = &sink,
		.max_response = 4,
		.attempts = 2};
	bool ok = fn_http_send(client, &call, &request, &response, &err);
	ck_assert_msg(ok == (c->code == FN_OK) && (ok || err.code == c->code), "%s: %s", c->name,
		err.message);
	ck_assert_msg(response.status == c->status, "%s: %d", c->name, response.status);
	ck_assert_msg(!script.is_spoiled && script.size == c->size, "%s", c->name);
	ck_assert_uint_eq(response.size, c->status == 404 ? 4 : 0);
	ck_assert_msg(scripted_server_requests(server) == c->requests, "%s", c->name);
}
END_TEST

/* ---- What must not be done twice ---- */

static const struct once_case {
	const char *name;
	struct script script;
	const char *url; /* NULL: the script's */
	bool sent;
	size_t requests;
} once_cases[] = {
	{"answered", {.status = 200}, NULL, true, 1},
	{"busy", {.status = 503}, NULL, true, 1},
	{"reset", {.end = SCRIPT_RESET}, NULL, true, 1},
	{"cut", {.status = 200, .missing = 1, .end = SCRIPT_CLOSE}, NULL, true, 1},
	{"silent", {.end = SCRIPT_STALL}, NULL, true, 1},
	{"nobody there", {.status = 200}, "http://127.0.0.1:1/", false, 0},
	{"no such host", {.status = 200}, "http://nowhere.invalid/", false, 0},
};

/* Whatever happens there is one attempt, and the caller knows whether it can have had an effect:
 * also where another request went through just before, on a connection that is still open. */
START_TEST(request_is_sent_once)
{
	const struct once_case *c = &once_cases[_i];
	const struct script script[] = {{.status = 200}, c->script, {.status = 200}};
	struct fn_http_request before = {.url = serve(script, COUNT(script))};
	bool sent = !c->sent;
	struct fn_http_request request = {.method = "POST",
		.url = c->url ? c->url : before.url,
		.body = FN_BYTES("once"),
		.timeout_ms = 300,
		.attempts = 3,
		.sent = &sent};
	struct fn_http_response response;
	struct fn_error err = {0};

	ck_assert_msg(fn_http_send(client, &call, &before, &response, &err), "%s", err.message);
	bool ok = fn_http_send(client, &call, &request, &response, &err);
	ck_assert_msg(ok == (c->script.end == SCRIPT_KEEP && !c->url), "%s", c->name);
	ck_assert_msg(sent == c->sent, "%s", c->name);
	ck_assert_msg(scripted_server_requests(server) == 1 + c->requests, "%s: %zu", c->name,
		scripted_server_requests(server));
}
END_TEST

START_TEST(request_without_time_is_not_sent)
{
	const struct script script = {.status = 200};
	bool sent = true;
	struct fn_http_request request = {.url = serve(&script, 1), .sent = &sent};
	struct fn_http_response response;
	struct fn_error err = {0};

	call.deadline_ms = fn_now_ms() - 1;
	ck_assert(!fn_http_send(client, &call, &request, &response, &err));
	ck_assert(!sent);
}
END_TEST

/* ---- Connections ---- */

START_TEST(connection_is_used_again)
{
	const struct script script[] = {
		{.status = 200}, {.status = 404}, {.status = 200, .end = SCRIPT_CLOSE}};
	struct fn_http_request request = {.url = serve(script, COUNT(script))};
	struct fn_http_response response;
	struct fn_error err = {0};

	for (size_t i = 0; i < 4; i++)
		ck_assert_msg(
			fn_http_send(client, &call, &request, &response, &err), "%s", err.message);
	ck_assert_uint_eq(scripted_server_connections(server), 2);
}
END_TEST

#define THREADS 8
#define EACH 25

static void *
send_many(void *url)
{
	struct fn_call own = {.arena = fn_arena_new()};
	struct fn_http_request request = {.url = url, .method = "POST", .body = FN_BYTES("x")};
	struct fn_http_response response;
	struct fn_error err = {0};
	size_t good = 0;

	for (size_t i = 0; i < EACH; i++)
		good += fn_http_send(client, &own, &request, &response, &err) &&
			response.status == 200 && response.size == 3;
	fn_arena_drop(own.arena);
	return (void *)(uintptr_t)good;
}

START_TEST(many_threads_share_a_client)
{
	const struct script script = {.status = 200, .body = FN_BYTES("fox")};
	char *url = fn_text(call.arena, fn_bytes(serve(&script, 1)));
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, send_many, url), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *good;
		pthread_join(threads[i], &good);
		ck_assert_uint_eq((uintptr_t)good, EACH);
	}
	ck_assert_uint_eq(scripted_server_requests(server), THREADS * EACH);
	ck_assert_uint_le(scripted_server_connections(server), THREADS);
}
END_TEST

START_TEST(proxy_is_passed_by_where_asked)
{
	const struct script script = {.status = 200};
	struct fn_http_request request = {.url = serve(&script, 1)};
	struct fn_http_response response;
	struct fn_error err = {0};

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	ck_assert(!fn_http_send(client, &call, &request, &response, &err));
	request.direct = true;
	ck_assert_msg(fn_http_send(client, &call, &request, &response, &err), "%s", err.message);
	ck_assert_int_eq(response.status, 200);
}
END_TEST

#define ROW(name, count)                                                                           \
	{                                                                                          \
		.test = name, .rows = count, .setup = setup, .teardown = teardown                  \
	}

int
main(void)
{
	const struct suite_case cases[] = {
		ROW(request_is_sent_as_it_was_written, COUNT(request_cases)),
		ROW(large_body_is_sent_at_once_and_whole, 1),
		ROW(line_break_in_a_header_is_never_sent, 3),
		ROW(each_attempt_is_a_span_of_the_calls_trace, 1),
		ROW(answer_is_received_whole, COUNT(answer_cases)),
		ROW(headers_are_found_in_any_case, 1),
		ROW(large_answer_is_received_whole, 2),
		ROW(failure_says_which_host_and_what_happened, COUNT(failure_cases)),
		ROW(unannounced_answer_is_cut_at_the_limit, 1),
		ROW(request_is_repeated_where_that_may_help, COUNT(retry_cases)),
		ROW(wait_that_passes_the_deadline_is_not_begun, 1),
		ROW(deadline_of_the_call_ends_an_attempt, 1),
		ROW(nothing_is_sent_after_the_deadline, 1),
		ROW(source_is_sent_while_it_is_read, COUNT(source_cases)),
		ROW(sink_takes_the_answer_while_it_arrives, COUNT(sink_cases)),
		ROW(request_is_sent_once, COUNT(once_cases)),
		ROW(request_without_time_is_not_sent, 1),
		ROW(connection_is_used_again, 1),
		ROW(many_threads_share_a_client, 1),
		ROW(proxy_is_passed_by_where_asked, 1),
	};
	return suite_run("http_client", cases, COUNT(cases));
}
