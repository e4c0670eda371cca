/* The server in the process of the test, with handlers that the test leads by the hand. */
#include "server.h"

#include "fn/clock.h"
#include "tests/support/peer.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST "Host: h\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST(headers) "POST /echo HTTP/1.1\r\n" HOST headers "\r\n"
#define SOON_MS 300 /* a timeout that a test waits for */
#define BODY_MOST 100000

static struct server *server;
static struct server_options options;
static pthread_t loop;
static bool finished; /* what server_run returned */
static struct answer answer;

/* ---- Handlers ---- */

static sem_t begun, released; /* by a call of /wait; for one of them */
static atomic_uint calls, running, most_running;
static atomic_bool saw_client_gone;

static bool
describe(struct fn_call *call, struct fn_error *err)
{
	struct fn_builder text = {.arena = call->arena};

	fn_addf(&text, "%.*s|%.*s|%.*s|", FN_ARG(call->method), FN_ARG(call->path),
		FN_ARG(call->query));
	for (size_t i = 0; i < call->header_count; i++)
		fn_addf(&text, "%.*s=%.*s;", FN_ARG(call->headers[i].name),
			FN_ARG(call->headers[i].value));
	fn_add(&text, FN_BYTES("|"));
	fn_add(&text, call->body);
	return fn_reply(call, 200, fn_built(&text), err);
}

static bool
echo(struct fn_call *call, struct fn_error *err)
{
	return fn_reply(call, 200, call->body, err);
}

static bool
wait_for_release(struct fn_call *call, struct fn_error *err)
{
	unsigned now = atomic_fetch_add(&running, 1) + 1, most = atomic_load(&most_running);

	while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now))
		continue;
	sem_post(&begun);
	while (sem_wait(&released) != 0)
		continue;
	atomic_fetch_sub(&running, 1);
	return fn_reply(call, 200, FN_BYTES("released"), err);
}

static bool
wait_for_hang_up(struct fn_call *call, struct fn_error *err)
{
	sem_post(&begun);
	while (!fn_client_gone(call))
		usleep(1000);
	atomic_store(&saw_client_gone, true);
	sem_post(&begun);
	return fn_fail(err, FN_UPSTREAM, "nobody waits for this any more");
}

static bool
answer_large(struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes size = {0};
	uint64_t number = 0;
	char *at;

	if (!fn_query(call, "size", &size) || !fn_bytes_number(size, 1 << 30, &number))
		return fn_fail(err, FN_INVALID, "size?");
	at = fn_arena_alloc(call->arena, number);
	for (size_t i = 0; i < number; i++)
		at[i] = (char)(i % 251);
	return fn_reply(call, 200, (struct fn_bytes){at, number}, err);
}

static bool
reply_failure(struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes text = {0};
	uint64_t code = 0;

	TRY(fn_reply_header(call, "Content-Type", FN_BYTES("image/png"), err));
	TRY(fn_reply_header(call, "Allow", FN_BYTES("POST"), err));
	if (fn_query(call, "code", &text) && fn_bytes_number(text, 99, &code))
		fn_fail(err, (enum fn_code)code, "the \"reason\"");
	err->retry_after_s = 7;
	return false;
}

static bool
reply_status(struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes text = {0};
	uint64_t status = 0;

	if (!fn_query(call, "of", &text) || !fn_bytes_number(text, 599, &status))
		return true; /* no answer at all */
	TRY(fn_reply_header(call, "ETag", FN_BYTES("\"1\""), err));
	return fn_reply(call, (int)status, FN_BYTES("body"), err);
}

static const struct {
	const char *path;
	bool (*handle)(struct fn_call *, struct fn_error *);
} handlers[] = {
	{"/echo", echo},
	{"/wait", wait_for_release},
	{"/gone", wait_for_hang_up},
	{"/large", answer_large},
	{"/fail", reply_failure},
	{"/status", reply_status},
};

static bool
handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	atomic_fetch_add(&calls, 1);
	for (size_t i = 0; i < COUNT(handlers); i++) {
		if (fn_bytes_is(call->path, handlers[i].path))
			return handlers[i].handle(call, err);
	}
	return describe(call, err);
}

/* ---- The server ---- */

static void *
run(void *with)
{
	finished = server_run(with);
	return NULL;
}

static void
options_default(void)
{
	options = (struct server_options){
		.host = "127.0.0.1",
		.concurrency = 4,
		.request_timeout_ms = 60000,
		.wait_ms = 60000,
		.waiting_most = 1000,
		.body_limit = BODY_MOST,
		.ignored_routes = "/ignored",
		.timeouts = server_timeouts,
		.handler = handle,
	};
	options.timeouts.linger_ms = 60000; /* longer than a test waits: it is the client's turn */
}

static void
serve(void)
{
	struct fn_error err = {0};

	fn_log_level(FN_CRITICAL);
	sem_init(&begun, 0, 0);
	sem_init(&released, 0, 0);
	do
		options.port = (long)free_port();
	while (!server_open(&server, &options, &err) && err.code == FN_BUSY);
	ck_assert_msg(server, "%s", err.message);
	ck_assert_int_eq(pthread_create(&loop, NULL, run, server), 0);
}

static void
server_start(void)
{
	options_default();
	serve();
}

/* Tells it to stop, as the platform does. */
static void
stop(void)
{
	kill(getpid(), SIGTERM);
}

static void
server_stop(void)
{
	stop();
	pthread_join(loop, NULL);
	ck_assert(finished);
	server_close(server);
}

static struct peer *
connected(void)
{
	return peer_connect((unsigned)options.port);
}

static void
wait_until_begun(unsigned count)
{
	while (count > 0)
		count -= sem_wait(&begun) == 0;
}

static void
release(unsigned count)
{
	while (count-- > 0)
		sem_post(&released);
}

static void
assert_works(struct peer *peer)
{
	ck_assert_int_eq(peer_ask(peer, GET("/works"), &answer), 200);
	ck_assert_bytes_eq(answer.body, "GET|/works||Host=h;|");
}

static void
assert_others_work(void)
{
	struct peer *peer = connected();

	assert_works(peer);
	peer_close(peer);
}

/* ---- What the function sees, and what its answer becomes ---- */

static const struct {
	const char *request, *seen;
} requests[] = {
	{GET("/a/b%2Fc?x=1"), "GET|/a/b%2Fc|x=1|Host=h;|"},
	{GET("/%41//../?"), "GET|/%41//../||Host=h;|"},
	{"PUT / HTTP/1.1\r\n" HOST "\r\n", "PUT|/||Host=h;|"},
	{"PATCH / HTTP/1.1\r\n" HOST "\r\n", "PATCH|/||Host=h;|"},
	{"DELETE / HTTP/1.1\r\n" HOST "\r\n", "DELETE|/||Host=h;|"},
	{"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS|*||Host=h;|"},
	{"BREW /pot HTTP/1.1\r\n" HOST "\r\n", "BREW|/pot||Host=h;|"},
	{"GET http://other/a?b HTTP/1.1\r\n" HOST "\r\n", "GET|/a|b|Host=other;|"},
	{"GET / HTTP/1.1\r\nX-B: 1\r\n" HOST "x-a: 2\r\nX-b: 3\r\nForwarded: for=1.2.3.4\r\n\r\n",
		"GET|/||X-B=1;Host=h;x-a=2;X-b=3;Forwarded=for=1.2.3.4;|"},
	{"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
		"POST|/||Host=h;Content-Length=5;|hello"},
	{"POST / HTTP/1.1\r\n" HOST
	 "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x\r\nlo\r\n0\r\n"
	 "X-Trailer: 1\r\n\r\n",
		"POST|/||Host=h;Transfer-Encoding=chunked;|hello"},
	{"\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "GET|/||Host=h;|"},
};

/* Contract 34, 35, 39, 51, 62: a request reaches the function as it was sent, however it is cut. */
START_TEST(a_request_reaches_the_function)
{
	struct fn_bytes request = fn_bytes(requests[_i].request);
	struct peer *peer = connected();

	for (size_t cut = 0; cut <= request.size; cut++) {
		peer_send(peer, (struct fn_bytes){request.at, cut});
		if (cut % 8 == 1)
			usleep(1000); /* else the pieces come together after all */
		peer_send(peer, (struct fn_bytes){request.at + cut, request.size - cut});
		ck_assert(peer_read(peer, &answer));
		ck_assert_int_eq(answer.status, 200);
		ck_assert_bytes_eq(answer.body, requests[_i].seen);
	}
	peer_close(peer);
}
END_TEST

static const struct {
	const char *path;
	int status;
	const char *length, *body;
} replies[] = {
	{"/status", 204, "", ""},
	{"/status?of=200", 200, "4", "body"},
	{"/status?of=201", 201, "4", "body"},
	{"/status?of=204", 204, "", ""},
	{"/status?of=304", 304, "", ""},
	{"/status?of=404", 404, "4", "body"},
	{"/status?of=599", 599, "4", "body"},
	{"/ignored", 404, "0", ""},
};

/* Contract 40 to 42: a status, a length where there may be one, and nothing that was not said. */
START_TEST(an_answer_is_what_was_said)
{
	struct peer *peer = connected();
	char request[128];

	for (int twice = 0; twice < 2; twice++) {
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST "\r\n",
			replies[_i].path);
		ck_assert_int_eq(peer_ask(peer, request, &answer), replies[_i].status);
		ck_assert_bytes_eq(answer_header(&answer, "Content-Length"), replies[_i].length);
		ck_assert_bytes_eq(answer.body, replies[_i].body);
		ck_assert_uint_eq(answer_header(&answer, "Date").size, 29);
		ck_assert_int_eq(answer_header(&answer, "ETag").size > 0,
			strstr(replies[_i].path, "of=") != NULL);
		ck_assert_bytes_eq(answer_header(&answer, "Connection"), "");
	}
	peer_close(peer);
}
END_TEST

static const struct {
	int code, status;
	const char *detail, *retry_after, *google;
} failures[] = {
	{FN_OK, 500, "Something went wrong on our side.", "", "error"},
	{FN_INVALID, 400, "the \\\"reason\\\"", "7", ""},
	{FN_METHOD_NOT_ALLOWED, 405, "the \\\"reason\\\"", "7", ""},
	{FN_RATE_LIMITED, 429, "the \\\"reason\\\"", "7", ""},
	{FN_INTERNAL, 500, "Something went wrong on our side.", "7", "error"},
	{FN_UPSTREAM, 502, "A service that this needs has failed. Please try again.", "7", ""},
	{FN_BUSY, 503, "Too busy right now. Please try again in a moment.", "7", ""},
};

/* Contract 43, 44: a failure is a problem document; what is no business of the client's is not in
 * it; and the connection lives on. */
START_TEST(a_failure_is_a_problem)
{
	struct peer *peer = connected();
	char request[64], detail[128];

	snprintf(request, sizeof(request), "GET /fail?code=%d HTTP/1.1\r\n" HOST "\r\n",
		failures[_i].code);
	snprintf(detail, sizeof(detail), "\"status\":%d,\"detail\":\"%s\"}", failures[_i].status,
		failures[_i].detail);
	ck_assert_int_eq(peer_ask(peer, request, &answer), failures[_i].status);
	ck_assert_bytes_eq(answer_header(&answer, "Content-Type"), "application/problem+json");
	ck_assert_bytes_eq(answer_header(&answer, "Allow"), "POST");
	ck_assert_bytes_eq(answer_header(&answer, "Retry-After"), failures[_i].retry_after);
	ck_assert_bytes_eq(answer_header(&answer, "X-Google-Status"), failures[_i].google);
	ck_assert_msg(memmem(answer.body.at, answer.body.size, detail, strlen(detail)), "%.*s",
		FN_ARG(answer.body));
	assert_works(peer);
	peer_close(peer);
}
END_TEST

/* Contract 41: HEAD gets the headers of GET and no byte more. */
START_TEST(head_has_no_body)
{
	struct peer *peer = connected();

	peer_sends(peer, "HEAD /large?size=1000 HTTP/1.1\r\n" HOST "\r\n");
	ck_assert(peer_read_head(peer, &answer));
	ck_assert_int_eq(answer.status, 200);
	ck_assert_bytes_eq(answer_header(&answer, "Content-Length"), "1000");
	peer_sends(peer, "HEAD /fail?code=1 HTTP/1.1\r\n" HOST "\r\n");
	ck_assert(peer_read_head(peer, &answer));
	ck_assert_int_eq(answer.status, 400);
	assert_works(peer);
	peer_close(peer);
}
END_TEST

/* ---- Connections ---- */

/* Contract 48. */
START_TEST(a_connection_is_kept)
{
	struct peer *peer = connected();

	for (int i = 0; i < 100; i++)
		assert_works(peer);
	peer_close(peer);
}
END_TEST

static const struct {
	const char *request;
	bool kept;
	const char *connection; /* in the answer */
} keeps[] = {
	{"GET / HTTP/1.1\r\n" HOST "\r\n", true, ""},
	{"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n\r\n", true, ""},
	{"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false, "close"},
	{"GET / HTTP/1.1\r\n" HOST "Connection: TE, Close\r\nTE: trailers\r\n\r\n", false, "close"},
	{"GET / HTTP/1.0\r\n\r\n", false, "close"},
	{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, "keep-alive"},
	{"GET / HTTP/1.0\r\nConnection: close\r\n\r\n", false, "close"},
	{"GET /ignored HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false, "close"},
};

/* Contract 50: it is kept or closed as the client wants, and as its version means. */
START_TEST(a_connection_is_kept_or_closed)
{
	struct peer *peer = connected();

	ck_assert_int_gt(peer_ask(peer, keeps[_i].request, &answer), 0);
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), keeps[_i].connection);
	if (keeps[_i].kept)
		assert_works(peer);
	else
		ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* Contract 49: answers come in the order of the requests. */
START_TEST(pipelined_requests_are_answered_in_order)
{
	struct peer *peer = connected();

	peer_sends(peer,
		GET("/1") POST("Content-Length: 3\r\n") "two\r\n" GET("/large?size=300000") GET(
			"/ignored")
			POST("Transfer-Encoding: chunked\r\n") "4\r\nfive\r\n0\r\n\r\n"
							       "HEAD /6 HTTP/1.1\r\n" HOST
							       "\r\n" GET(
								       "/fail?code=1") "GET /8 "
										       "HTTP/"
										       "1."
										       "1\r\n" HOST
										       "Connection:"
										       " close\r\n"
										       "\r\n" GET(
											       "/"
											       "9"));
	ck_assert(peer_read(peer, &answer));
	ck_assert_bytes_eq(answer.body, "GET|/1||Host=h;|");
	ck_assert(peer_read(peer, &answer));
	ck_assert_bytes_eq(answer.body, "two");
	ck_assert(peer_read(peer, &answer));
	ck_assert_uint_eq(answer.body.size, 300000);
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 404);
	ck_assert(peer_read(peer, &answer));
	ck_assert_bytes_eq(answer.body, "five");
	ck_assert(peer_read_head(peer, &answer));
	ck_assert_bytes_eq(answer_header(&answer, "Content-Length"), "17");
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 400);
	ck_assert(peer_read(peer, &answer));
	ck_assert(fn_bytes_starts(answer.body, "GET|/8|"));
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

#define BURST 6000

/* A burst of requests, larger than what is read at once, is answered whole and in order. */
START_TEST(a_burst_of_requests_is_answered)
{
	struct fn_arena *arena = fn_arena_new();
	struct fn_builder burst = {.arena = arena};
	struct peer *peer = connected();
	char seen[64];

	for (int i = 0; i < BURST; i++)
		fn_addf(&burst, "GET /%d HTTP/1.1\r\n" HOST "%s\r\n", i, i % 3 ? "" : "X: y\r\n");
	ck_assert_uint_gt(burst.size, 128 * 1024);
	peer_send(peer, fn_built(&burst));
	for (int i = 0; i < BURST; i++) {
		ck_assert(peer_read(peer, &answer));
		snprintf(seen, sizeof(seen), "GET|/%d||Host=h;%s|", i, i % 3 ? "" : "X=y;");
		ck_assert_bytes_eq(answer.body, seen);
	}
	peer_close(peer);
	fn_arena_drop(arena);
}
END_TEST

/* Each of these comes while the one before is at work, in a packet of its own or with another: none
 * is forgotten because it made no event when somebody looked. */
START_TEST(requests_that_come_meanwhile_are_not_forgotten)
{
	struct peer *peer = connected();

	peer_sends(peer, GET("/wait"));
	wait_until_begun(1);
	peer_sends(peer, GET("/wait") GET("/wait"));
	release(1);
	wait_until_begun(1);
	peer_sends(peer, GET("/wait"));
	usleep(10000); /* the loop has seen it */
	release(1);
	wait_until_begun(1);
	release(2);
	for (int i = 0; i < 4; i++) {
		ck_assert(peer_read(peer, &answer));
		ck_assert_bytes_eq(answer.body, "released");
	}
	peer_close(peer);
}
END_TEST

/* The same while an answer is taken slowly: an event that comes then speaks of requests as well. */
START_TEST(requests_behind_a_large_answer_are_not_forgotten)
{
	struct peer *peer = connected();

	peer_sends(peer, GET("/large?size=20000000") GET("/2"));
	while (atomic_load(&calls) < 1)
		usleep(1000);
	peer_sends(peer, GET("/3"));
	usleep(10000); /* the loop has seen it */
	ck_assert(peer_read(peer, &answer));
	ck_assert_uint_eq(answer.body.size, 20000000);
	ck_assert(peer_read(peer, &answer));
	ck_assert_bytes_eq(answer.body, "GET|/2||Host=h;|");
	ck_assert(peer_read(peer, &answer));
	ck_assert_bytes_eq(answer.body, "GET|/3||Host=h;|");
	peer_close(peer);
}
END_TEST

/* A client that sends no more after its request still gets its answer. */
START_TEST(half_a_connection_is_enough)
{
	struct peer *peer = connected();

	peer_sends(peer, GET("/large?size=3000000"));
	peer_finish(peer);
	ck_assert(peer_read(peer, &answer));
	ck_assert_uint_eq(answer.body.size, 3000000);
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* ---- Bodies ---- */

/* Contract 54: the client is told to go on, once. */
START_TEST(a_client_that_asks_is_told_to_continue)
{
	struct peer *peer = connected();

	for (int i = 0; i < 2; i++) {
		peer_sends(peer, POST("Expect: 100-continue\r\nContent-Length: 5\r\n"));
		ck_assert(peer_read_head(peer, &answer));
		ck_assert_int_eq(answer.status, 100);
		ck_assert_bytes_eq(answer.head, "HTTP/1.1 100 Continue\r\n\r\n");
		ck_assert_int_eq(peer_ask(peer, "hello", &answer), 200);
		ck_assert_bytes_eq(answer.body, "hello");
	}
	peer_close(peer);
}
END_TEST

static const struct {
	const char *request;
	int status;
} expectations[] = {
	{POST("Expect: 100-continue\r\nContent-Length: 5\r\n") "hello", 200},
	{POST("Expect: 100-continue\r\nContent-Length: 0\r\n"), 200},
	{POST("Expect: 100-continue\r\n"), 200},
	{"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", 200},
	{POST("Expect: 100-continue\r\nContent-Length: 100001\r\n"), 413},
	{POST("Expect: 100-continue, more\r\nContent-Length: 5\r\n"), 417},
};

/* Contract 54: where the answer is clear, or the body is here, there is nothing to continue. */
START_TEST(a_final_answer_needs_no_continue)
{
	struct peer *peer = connected();

	ck_assert_int_eq(
		peer_ask(peer, expectations[_i].request, &answer), expectations[_i].status);
	peer_close(peer);
}
END_TEST

/* Contract 56, 59: too large a body is refused before it is read, and the answer reaches the client
 * although it goes on sending. */
START_TEST(an_answer_reaches_who_is_still_sending)
{
	static char piece[100000];
	struct peer *peer = connected();

	peer_sends(peer, POST("Content-Length: 8000000\r\n"));
	for (int i = 0; i < 80; i++)
		peer_send(peer, (struct fn_bytes){piece, sizeof(piece)});
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 413);
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* A chunked body is refused when it gets too large, in the middle. */
START_TEST(a_growing_body_is_refused)
{
	static char chunk[6 + 10000 + 2] = "2710\r\n";
	struct peer *peer = connected();

	memset(chunk + 6, 'x', 10000);
	memcpy(chunk + 6 + 10000, "\r\n", 2);
	peer_sends(peer, POST("Transfer-Encoding: chunked\r\n"));
	for (size_t sent = 0; sent <= BODY_MOST; sent += 10000)
		peer_send(peer, (struct fn_bytes){chunk, sizeof(chunk)});
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 413);
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* Bodies as large as they may be, sized and chunked in small pieces, arrive whole. */
START_TEST(a_large_body_arrives)
{
	struct fn_arena *arena = fn_arena_new();
	struct fn_builder body = {.arena = arena}, chunks = {.arena = arena};
	struct peer *peer = connected();

	for (int i = 0; body.size < BODY_MOST - 100; i++) {
		fn_addf(&body, "%d,", i);
		fn_addf(&chunks, "%x\r\n%d,\r\n", snprintf(NULL, 0, "%d,", i), i);
	}
	fn_add(&chunks, FN_BYTES("0\r\n\r\n"));
	peer_sends(peer, POST("Transfer-Encoding: chunked\r\n"));
	peer_send(peer, fn_built(&chunks));
	ck_assert(peer_read(peer, &answer));
	ck_assert(fn_bytes_equal(answer.body, fn_built(&body)));
	peer_sends(
		peer, fn_textf(arena, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n",
			      body.size));
	peer_send(peer, fn_built(&body));
	ck_assert(peer_read(peer, &answer));
	ck_assert(fn_bytes_equal(answer.body, fn_built(&body)));
	peer_close(peer);
	fn_arena_drop(arena);
}
END_TEST

/* ---- Refusals ---- */

static const struct {
	const char *request;
	int status;
} refusals[] = {
	{"GET /\r\n\r\n", 400},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	{"GET / HTTP/1.1\r\n\r\n", 400},
	{"GET / HTTP/1.1\n", 400},
	{"GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\n" HOST "Name : x\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
	{"\r\n\n", 400},
	{POST("Content-Length: 1\r\nContent-Length: 2\r\n") "xx", 400},
	{POST("Content-Length: +1\r\n") "x", 400},
	{POST("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n") "0\r\n\r\n", 400},
	{POST("Transfer-Encoding: chunked\r\n") "x\r\n", 400},
	{POST("Transfer-Encoding: chunked\r\n") "1\r\nxx", 400},
	{POST("Transfer-Encoding: chunked\r\n") "0\r\nX: y\n", 400},
	{POST("Transfer-Encoding: gzip\r\n"), 501},
	{POST("Expect: a-miracle\r\n"), 417},
};

/* Contract 51 to 54, 61: what is refused is refused in words, and the connection ends, since nobody
 * knows where the next request would start. The function hears nothing of it. */
START_TEST(an_odd_request_is_refused)
{
	struct peer *peer = connected();

	ck_assert_int_eq(peer_ask(peer, refusals[_i].request, &answer), refusals[_i].status);
	ck_assert_bytes_eq(answer_header(&answer, "Content-Type"), "application/problem+json");
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert(peer_ended(peer));
	peer_close(peer);
	ck_assert_uint_eq(atomic_load(&calls), 0);
	assert_others_work();
}
END_TEST

static const struct {
	const char *begin, *again;
	int status;
} floods[] = {
	{"GET /", "a", 414},
	{"GET / HTTP/1.1\r\n", "a: b\r\n", 431},
	{"GET / HTTP/1.1\r\na: ", "b", 431},
	{POST("Transfer-Encoding: chunked\r\n") "1;", "a", 431},
	{POST("Transfer-Encoding: chunked\r\n") "0\r\n", "a: b\r\n", 431},
};

/* Contract 55: what does not end is refused, and the answer reaches who has not stopped sending. */
START_TEST(an_endless_request_is_refused)
{
	struct peer *peer = connected();
	struct fn_bytes again = fn_bytes(floods[_i].again);
	char piece[60000];

	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = again.at[i % again.size];
	peer_sends(peer, floods[_i].begin);
	for (int i = 0; i < 20; i++)
		peer_send(peer, (struct fn_bytes){piece, sizeof(piece)});
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, floods[_i].status);
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

static const char *const torrents[] = {
	POST("Content-Length: 999999999\r\n"), /* goes on after its last answer */
	GET("/ignored") GET("/ignored") GET("/ignored") GET("/ignored"),
	GET("/fail") GET("/fail") GET("/fail") GET("/fail"),
};

static atomic_bool enough;

static void *
pour(void *with)
{
	const char *torrent = with;
	struct peer *peer = connected();

	while (!atomic_load(&enough))
		peer_sends(peer, torrent);
	peer_close(peer);
	return NULL;
}

/* A client that sends more than there is time to read does not keep the loop from the others. */
START_TEST(a_torrent_does_not_drown_others)
{
	pthread_t thread;

	pthread_create(&thread, NULL, pour, (void *)(uintptr_t)torrents[_i]);
	for (int i = 0; i < 100; i++)
		assert_others_work();
	atomic_store(&enough, true);
	pthread_join(thread, NULL);
}
END_TEST

/* ---- Slow clients ---- */

static const struct {
	const char *begin, *again; /* sent byte by byte; "" for silence */
} dawdlers[] = {
	{"G", ""},
	{"GET / HTTP/1.1\r\n" HOST, ""},
	{"GET / HTTP/1.1\r\n" HOST "X: ", "y"},
	{POST("Content-Length: 10\r\n") "hello", ""},
	{POST("Content-Length: 10000\r\n"), "x"},
	{POST("Transfer-Encoding: chunked\r\n") "5\r\n", ""},
	{POST("Transfer-Encoding: chunked\r\n") "5;", "x"},
	{GET("/") "GET", ""},
};

/* Contract 60: a request that takes too long is answered 408, even if it never stands still. */
START_TEST(a_slow_request_is_given_up)
{
	struct peer *peer;

	options.timeouts.head_ms = options.timeouts.body_ms = SOON_MS;
	serve();
	peer = connected();
	peer_sends(peer, dawdlers[_i].begin);
	if (fn_bytes_starts(fn_bytes(dawdlers[_i].begin), GET("/")))
		ck_assert(peer_read(peer, &answer) && answer.status == 200);
	while (peer_is_silent(peer, 20))
		peer_sends(peer, dawdlers[_i].again);
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 408);
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* A body may take longer than the timeout as long as it makes progress. */
START_TEST(a_steady_body_has_time)
{
	static char piece[20000];
	struct peer *peer;

	options.timeouts.body_ms = 2000;
	serve();
	peer = connected();
	peer_sends(peer, POST("Content-Length: 80000\r\n"));
	for (int i = 0; i < 4; i++) {
		usleep(700000);
		peer_send(peer, (struct fn_bytes){piece, sizeof(piece)});
	}
	ck_assert(peer_read(peer, &answer));
	ck_assert_uint_eq(answer.body.size, 80000);
	peer_close(peer);
}
END_TEST

/* Who asks for nothing is not told anything when his connection ends. */
START_TEST(an_idle_connection_ends_in_silence)
{
	struct peer *fresh, *used;

	options.timeouts.idle_ms = SOON_MS;
	serve();
	fresh = connected();
	used = connected();
	assert_works(used);
	ck_assert(peer_ended(fresh));
	ck_assert(peer_ended(used));
	peer_close(fresh);
	peer_close(used);
}
END_TEST

/* Who never takes his answer does not get it for ever. */
START_TEST(an_answer_is_not_kept_for_ever)
{
	struct peer *peer;

	options.timeouts.write_ms = SOON_MS;
	serve();
	peer = connected();
	peer_sends(peer, GET("/large?size=50000000"));
	sleep(3);
	ck_assert(!peer_read(peer, &answer));
	peer_close(peer);
}
END_TEST

/* Slow senders and slow readers hold no handler: the next client is served as if they were not. */
START_TEST(slow_clients_hold_no_handler)
{
	struct peer *senders[8], *readers[8];

	options.concurrency = 8;
	serve();
	for (size_t i = 0; i < 8; i++) {
		senders[i] = connected();
		peer_sends(senders[i], "GET /works HTTP/1.1\r\nHost:");
		readers[i] = connected();
		peer_sends(readers[i], GET("/large?size=20000000"));
	}
	while (atomic_load(&calls) < 8)
		usleep(1000);
	assert_others_work();
	for (size_t i = 0; i < 8; i++) {
		peer_sends(senders[i], " h\r\n\r\n");
		ck_assert(peer_read(senders[i], &answer));
		ck_assert_bytes_eq(answer.body, "GET|/works||Host=h;|");
		peer_close(senders[i]);
	}
	for (size_t i = 0; i < 8; i++) {
		ck_assert(peer_read(readers[i], &answer));
		ck_assert_uint_eq(answer.body.size, 20000000);
		for (size_t n = 0; n < answer.body.size; n += 65537)
			ck_assert_int_eq(answer.body.at[n], (char)(n % 251));
		peer_close(readers[i]);
	}
}
END_TEST

/* So many that sit there and say nothing are no burden. */
START_TEST(idle_connections_are_no_burden)
{
	static struct peer *peers[400];

	for (size_t i = 0; i < COUNT(peers); i++)
		peers[i] = connected();
	for (size_t i = 0; i < COUNT(peers); i += 40)
		assert_works(peers[i]);
	for (size_t i = 0; i < COUNT(peers); i++)
		peer_close(peers[i]);
}
END_TEST

/* ---- Too many requests ---- */

/* Contract 45, 47: as many calls as allowed run at the same time, the others wait. */
START_TEST(calls_wait_for_their_turn)
{
	struct peer *peers[5];

	options.concurrency = 2;
	serve();
	for (size_t i = 0; i < COUNT(peers); i++) {
		peers[i] = connected();
		peer_sends(peers[i], GET("/wait"));
	}
	wait_until_begun(2);
	ck_assert(peer_is_silent(peers[4], 100));
	release(COUNT(peers));
	for (size_t i = 0; i < COUNT(peers); i++) {
		ck_assert(peer_read(peers[i], &answer));
		ck_assert_int_eq(answer.status, 200);
		peer_close(peers[i]);
	}
	ck_assert_uint_eq(atomic_load(&most_running), 2);
}
END_TEST

static const unsigned crowds[] = {10, 80, 1000};

/* Contract 45, 46: where so many may run at the same time they do, however they come. */
START_TEST(calls_run_side_by_side)
{
	static struct peer *peers[1000];
	unsigned count = crowds[_i];

	options.concurrency = count;
	serve();
	for (unsigned i = 0; i < count; i++) {
		peers[i] = connected();
		peer_sends(peers[i], GET("/wait"));
	}
	wait_until_begun(count);
	release(count);
	for (unsigned i = 0; i < count; i++) {
		ck_assert(peer_read(peers[i], &answer));
		ck_assert_int_eq(answer.status, 200);
		peer_close(peers[i]);
	}
}
END_TEST

static void
assert_busy(struct peer *peer)
{
	ck_assert_int_eq(peer_ask(peer, GET("/works"), &answer), 503);
	ck_assert_bytes_eq(answer_header(&answer, "Retry-After"), "1");
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "");
}

/* Contract 47: who has waited too long is sent away, and may come again on the same connection. */
START_TEST(nobody_waits_for_ever)
{
	struct peer *first, *second;

	options.concurrency = 1;
	options.wait_ms = SOON_MS;
	serve();
	first = connected();
	peer_sends(first, GET("/wait"));
	wait_until_begun(1);
	second = connected();
	assert_busy(second);
	release(1);
	ck_assert(peer_read(first, &answer));
	assert_works(second);
	ck_assert_uint_eq(atomic_load(&calls), 2);
	peer_close(first);
	peer_close(second);
}
END_TEST

/* Where as many wait as may the next one is sent away at once. */
START_TEST(the_line_has_an_end)
{
	struct peer *peers[3];

	options.concurrency = 1;
	options.waiting_most = 1;
	serve();
	for (size_t i = 0; i < COUNT(peers); i++)
		peers[i] = connected();
	peer_sends(peers[0], GET("/wait"));
	wait_until_begun(1);
	peer_sends(peers[1], GET("/works"));
	ck_assert(peer_is_silent(peers[1], 50));
	assert_busy(peers[2]);
	assert_busy(peers[2]);
	release(1);
	ck_assert(peer_read(peers[0], &answer) && answer.status == 200);
	ck_assert(peer_read(peers[1], &answer) && answer.status == 200);
	assert_works(peers[2]);
	for (size_t i = 0; i < COUNT(peers); i++)
		peer_close(peers[i]);
}
END_TEST

/* ---- Deadlines and hang-ups ---- */

/* Contract 69: a call over its deadline is answered without it; that it ends later harms nobody. */
START_TEST(a_late_call_is_answered_without_it)
{
	struct peer *peer;

	options.concurrency = 1;
	options.request_timeout_ms = SOON_MS;
	serve();
	peer = connected();
	ck_assert_int_eq(peer_ask(peer, GET("/wait"), &answer), 504);
	ck_assert_bytes_eq(answer_header(&answer, "Content-Type"), "application/problem+json");
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert(peer_ended(peer));
	ck_assert_uint_eq(atomic_load(&running), 1);
	release(1);
	assert_others_work();
	peer_close(peer);
}
END_TEST

/* The same for HEAD, whose answer has no body, and with more requests behind it, which are not
 * begun since nobody would get their answers. */
START_TEST(a_late_answer_to_head_has_no_body)
{
	struct peer *peer;

	options.request_timeout_ms = SOON_MS;
	serve();
	peer = connected();
	peer_sends(peer, "HEAD /wait HTTP/1.1\r\n" HOST "\r\n" GET("/works") GET("/works"));
	ck_assert(peer_read_head(peer, &answer));
	ck_assert_int_eq(answer.status, 504);
	ck_assert(peer_ended(peer));
	release(1);
	assert_others_work();
	ck_assert_uint_eq(atomic_load(&calls), 2);
	peer_close(peer);
}
END_TEST

/* A deadline that passes in the line is one too, and the function need not be called any more. */
START_TEST(a_late_call_is_not_begun)
{
	struct peer *first, *second;

	options.concurrency = 1;
	options.request_timeout_ms = SOON_MS;
	serve();
	first = connected();
	peer_sends(first, GET("/wait"));
	wait_until_begun(1);
	second = connected();
	ck_assert_int_eq(peer_ask(second, GET("/works"), &answer), 504);
	release(1);
	assert_others_work();
	ck_assert_uint_eq(atomic_load(&calls), 2);
	peer_close(first);
	peer_close(second);
}
END_TEST

enum hang_up { CLOSE, RESET, STAY };
static const enum hang_up hang_ups[] = {CLOSE, RESET, STAY};

/* Contract 32, 70: a call learns that nobody waits for it any more, and can stop. */
START_TEST(a_call_sees_that_its_client_is_gone)
{
	struct peer *peer;

	if (hang_ups[_i] == STAY)
		options.request_timeout_ms = SOON_MS;
	serve();
	peer = connected();
	peer_sends(peer, GET("/gone"));
	wait_until_begun(1);
	if (hang_ups[_i] == RESET)
		peer_reset(peer);
	if (hang_ups[_i] == STAY)
		ck_assert(peer_read(peer, &answer));
	else
		peer_close(peer);
	wait_until_begun(1);
	ck_assert(atomic_load(&saw_client_gone));
	assert_others_work();
	if (hang_ups[_i] == STAY)
		peer_close(peer);
}
END_TEST

/* ---- Stopping ---- */

static void
server_join(void)
{
	pthread_join(loop, NULL);
	ck_assert(finished);
	server_close(server);
}

/* Contract 22, 24, 25: a request whose first half has come may send the other. */
START_TEST(half_a_request_is_waited_for)
{
	struct peer *peer = connected();

	peer_sends(peer, POST("Content-Length: 5\r\n") "he");
	ck_assert(peer_is_silent(peer, 50));
	stop();
	while (true) {
		struct peer *late = peer_connect_to("127.0.0.1", (unsigned)options.port);

		if (!late)
			break;
		peer_close(late);
	}
	ck_assert_int_eq(peer_ask(peer, "llo", &answer), 200);
	ck_assert_bytes_eq(answer.body, "hello");
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* But not for ever. */
START_TEST(half_a_request_is_not_waited_for_long)
{
	struct peer *peer = connected();

	peer_sends(peer, "GET / HTTP/1.1\r\n");
	ck_assert(peer_is_silent(peer, 50));
	stop();
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 408);
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* Contract 25: a request that comes on a connection which has just been made is still served. */
START_TEST(who_has_come_in_is_served)
{
	struct peer *peer = connected();

	peer_sends(peer, GET("/works"));
	stop();
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 200);
	peer_close(peer);
}
END_TEST

/* Contract 23: a call that never ends is answered in its place, and the server ends without it. */
START_TEST(a_call_without_end_does_not_stop_the_end)
{
	struct peer *peer;

	options.timeouts.drain_ms = SOON_MS;
	serve();
	peer = connected();
	peer_sends(peer, GET("/wait"));
	wait_until_begun(1);
	stop();
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 503);
	ck_assert(peer_ended(peer));
	pthread_join(loop, NULL);
	ck_assert(!finished);
	peer_close(peer);
}
END_TEST

/* Contract 23, 31: of two that close a connection the platform is the first, 620 s after its last
 * request; and of its 10 s to stop some are left. */
START_TEST(timeouts_suit_the_platform)
{
	ck_assert_int_gt(server_timeouts.idle_ms, 620000);
	ck_assert_int_le(server_timeouts.drain_ms, 9000);
}
END_TEST

int
main(void)
{
#define A(name) .test = name, .setup = server_start, .teardown = server_stop
#define WITH(name) .test = name, .setup = options_default, .teardown = server_stop
	const struct suite_case cases[] = {
		{A(a_request_reaches_the_function), .rows = COUNT(requests)},
		{A(an_answer_is_what_was_said), .rows = COUNT(replies)},
		{A(a_failure_is_a_problem), .rows = COUNT(failures)},
		{A(head_has_no_body)},
		{A(a_connection_is_kept)},
		{A(a_connection_is_kept_or_closed), .rows = COUNT(keeps)},
		{A(pipelined_requests_are_answered_in_order)},
		{A(a_burst_of_requests_is_answered)},
		{A(requests_that_come_meanwhile_are_not_forgotten)},
		{A(requests_behind_a_large_answer_are_not_forgotten)},
		{A(half_a_connection_is_enough)},
		{A(a_client_that_asks_is_told_to_continue)},
		{A(a_final_answer_needs_no_continue), .rows = COUNT(expectations)},
		{A(an_answer_reaches_who_is_still_sending)},
		{A(a_growing_body_is_refused)},
		{A(a_large_body_arrives)},
		{A(an_odd_request_is_refused), .rows = COUNT(refusals)},
		{A(an_endless_request_is_refused), .rows = COUNT(floods)},
		{A(a_torrent_does_not_drown_others), .rows = COUNT(torrents)},
		{WITH(a_slow_request_is_given_up), .rows = COUNT(dawdlers)},
		{WITH(a_steady_body_has_time)},
		{WITH(an_idle_connection_ends_in_silence)},
		{WITH(an_answer_is_not_kept_for_ever)},
		{WITH(slow_clients_hold_no_handler)},
		{A(idle_connections_are_no_burden)},
		{WITH(calls_wait_for_their_turn)},
		{WITH(calls_run_side_by_side), .rows = COUNT(crowds)},
		{WITH(nobody_waits_for_ever)},
		{WITH(the_line_has_an_end)},
		{WITH(a_late_call_is_answered_without_it)},
		{WITH(a_late_answer_to_head_has_no_body)},
		{WITH(a_late_call_is_not_begun)},
		{WITH(a_call_sees_that_its_client_is_gone), .rows = COUNT(hang_ups)},
		{.test = half_a_request_is_waited_for,
			.setup = server_start,
			.teardown = server_join},
		{.test = half_a_request_is_not_waited_for_long,
			.setup = server_start,
			.teardown = server_join},
		{.test = who_has_come_in_is_served, .setup = server_start, .teardown = server_join},
		{.test = timeouts_suit_the_platform},
		{.test = a_call_without_end_does_not_stop_the_end, .setup = options_default},
	};

	return suite_run("server", cases, COUNT(cases));
}
