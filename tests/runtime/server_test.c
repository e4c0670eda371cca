/* What the server makes of requests, and what clients get for them. */
#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct answer answer;

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
	struct peer *peer = led_peer();

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

/* The same where each byte comes alone, and none of them before it is looked for. */
START_TEST(a_request_may_come_byte_by_byte)
{
	const char *request = requests[_i].request;
	struct peer *peer = led_peer();

	for (; *request; request++) {
		ck_assert(peer_is_silent(peer, 1));
		peer_send(peer, (struct fn_bytes){request, 1});
	}
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 200);
	ck_assert_bytes_eq(answer.body, requests[_i].seen);
	led_assert_works(peer);
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
	struct peer *peer = led_peer();
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
	struct peer *peer = led_peer();
	char request[64], detail[128];

	snprintf(request, sizeof(request), "GET /fail?code=%d HTTP/1.1\r\n" HOST "\r\n",
		failures[_i].code);
	snprintf(detail, sizeof(detail), "\"status\":%d,\"detail\":\"%s\"}", failures[_i].status,
		failures[_i].detail);
	ck_assert_int_eq(peer_ask(peer, request, &answer), failures[_i].status);
	ck_assert_bytes_eq(answer_header(&answer, "Content-Type"), "application/problem+json");
	ck_assert_bytes_eq(answer_header(&answer, "Allow"), "POST");
	ck_assert_bytes_eq(answer_header(&answer, "Content-Security-Policy"), "sandbox");
	ck_assert_bytes_eq(answer_header(&answer, "Cache-Control"), "no-store");
	ck_assert_bytes_eq(answer_header(&answer, "Retry-After"), failures[_i].retry_after);
	ck_assert_bytes_eq(answer_header(&answer, "X-Google-Status"), failures[_i].google);
	ck_assert_msg(memmem(answer.body.at, answer.body.size, detail, strlen(detail)), "%.*s",
		FN_ARG(answer.body));
	led_assert_works(peer);
	peer_close(peer);
}
END_TEST

/* Contract 41: HEAD gets the headers of GET and no byte more. */
START_TEST(head_has_no_body)
{
	struct peer *peer = led_peer();

	peer_sends(peer, "HEAD /large?size=1000 HTTP/1.1\r\n" HOST "\r\n");
	ck_assert(peer_read_head(peer, &answer));
	ck_assert_int_eq(answer.status, 200);
	ck_assert_bytes_eq(answer_header(&answer, "Content-Length"), "1000");
	peer_sends(peer, "HEAD /fail?code=1 HTTP/1.1\r\n" HOST "\r\n");
	ck_assert(peer_read_head(peer, &answer));
	ck_assert_int_eq(answer.status, 400);
	led_assert_works(peer);
	peer_close(peer);
}
END_TEST

/* ---- Connections ---- */

/* Contract 48. */
START_TEST(a_connection_is_kept)
{
	struct peer *peer = led_peer();

	for (int i = 0; i < 100; i++)
		led_assert_works(peer);
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
	struct peer *peer = led_peer();

	ck_assert_int_gt(peer_ask(peer, keeps[_i].request, &answer), 0);
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), keeps[_i].connection);
	if (keeps[_i].kept)
		led_assert_works(peer);
	else
		ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* Contract 49: answers come in the order of the requests. */
START_TEST(pipelined_requests_are_answered_in_order)
{
	struct peer *peer = led_peer();

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
	struct peer *peer = led_peer();
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

/* The same where no handler is wanted, so that nothing but its own modesty stops the loop. */
START_TEST(a_burst_for_the_loop_is_answered)
{
	struct fn_arena *arena = fn_arena_new();
	struct fn_builder burst = {.arena = arena};
	struct peer *peer = led_peer();

	for (int i = 0; i < BURST; i++)
		fn_add(&burst, FN_BYTES(GET("/ignored")));
	peer_send(peer, fn_built(&burst));
	for (int i = 0; i < BURST; i++) {
		ck_assert(peer_read(peer, &answer));
		ck_assert_int_eq(answer.status, 404);
	}
	peer_close(peer);
	fn_arena_drop(arena);
}
END_TEST

/* Each of these comes while the one before is at work, in a packet of its own or with another: none
 * is forgotten because it made no event when somebody looked. */
START_TEST(requests_that_come_meanwhile_are_not_forgotten)
{
	struct peer *peer = led_busy_peer();

	peer_sends(peer, GET("/wait") GET("/wait"));
	led_release(1);
	led_wait_until_begun(1);
	peer_sends(peer, GET("/wait"));
	usleep(10000); /* the loop has seen it */
	led_release(1);
	led_wait_until_begun(1);
	led_release(2);
	for (int i = 0; i < 4; i++)
		led_assert_released(peer);
	peer_close(peer);
}
END_TEST

/* The same while an answer is taken slowly: an event that comes then speaks of requests as well. */
START_TEST(requests_behind_a_large_answer_are_not_forgotten)
{
	struct peer *peer = led_peer();

	peer_sends(peer, GET("/large?size=20000000") GET("/2"));
	while (atomic_load(&led_calls) < 1)
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

/* A client that sends no more after its requests still gets its answers. */
START_TEST(half_a_connection_is_enough)
{
	struct peer *peer = led_peer();

	peer_sends(peer, GET("/1") GET("/large?size=3000000") GET("/3"));
	peer_finish(peer);
	ck_assert(peer_read(peer, &answer));
	ck_assert_bytes_eq(answer.body, "GET|/1||Host=h;|");
	ck_assert(peer_read(peer, &answer));
	ck_assert_uint_eq(answer.body.size, 3000000);
	ck_assert(peer_read(peer, &answer));
	ck_assert_bytes_eq(answer.body, "GET|/3||Host=h;|");
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* ---- Bodies ---- */

/* Contract 54: the client is told to go on, once. */
START_TEST(a_client_that_asks_is_told_to_continue)
{
	struct peer *peer = led_peer();

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
	struct peer *peer = led_peer();

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
	struct peer *peer = led_peer();

	peer_sends(peer, POST("Content-Length: 8000000\r\n"));
	for (int i = 0; i < 80; i++)
		peer_send(peer, (struct fn_bytes){piece, sizeof(piece)});
	led_assert_refused(peer, 413);
	peer_close(peer);
}
END_TEST

/* A chunked body is refused when it gets too large, in the middle. */
START_TEST(a_growing_body_is_refused)
{
	static char chunk[6 + 10000 + 2] = "2710\r\n";
	struct peer *peer = led_peer();

	memset(chunk + 6, 'x', 10000);
	memcpy(chunk + 6 + 10000, "\r\n", 2);
	peer_sends(peer, POST("Transfer-Encoding: chunked\r\n"));
	for (size_t sent = 0; sent <= BODY_MOST; sent += 10000)
		peer_send(peer, (struct fn_bytes){chunk, sizeof(chunk)});
	led_assert_refused(peer, 413);
	peer_close(peer);
}
END_TEST

/* Bodies as large as they may be, sized and chunked in small pieces, arrive whole. */
START_TEST(a_large_body_arrives)
{
	struct fn_arena *arena = fn_arena_new();
	struct fn_builder body = {.arena = arena}, chunks = {.arena = arena};
	struct peer *peer = led_peer();

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
	struct peer *peer = led_peer();

	peer_sends(peer, refusals[_i].request);
	led_assert_refused(peer, refusals[_i].status);
	peer_close(peer);
	ck_assert_uint_eq(atomic_load(&led_calls), 0);
	led_assert_others_work();
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
	struct peer *peer = led_peer();
	struct fn_bytes again = fn_bytes(floods[_i].again);
	char piece[60000];

	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = again.at[i % again.size];
	peer_sends(peer, floods[_i].begin);
	for (int i = 0; i < 20; i++)
		peer_send(peer, (struct fn_bytes){piece, sizeof(piece)});
	led_assert_refused(peer, floods[_i].status);
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
	struct peer *peer = led_peer();

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
		led_assert_others_work();
	atomic_store(&enough, true);
	pthread_join(thread, NULL);
}
END_TEST

static void
start_with_one_handler(void)
{
	led_server_defaults();
	led_options.concurrency = 1;
	led_server_start();
}

/* All of them with some handlers, and with one alone. */
int
main(void)
{
#define A(name) .test = name, .setup = led_server_start_default, .teardown = led_server_stop
	const struct suite_case cases[] = {
		{A(a_request_reaches_the_function), .rows = COUNT(requests)},
		{A(a_request_may_come_byte_by_byte), .rows = COUNT(requests)},
		{A(an_answer_is_what_was_said), .rows = COUNT(replies)},
		{A(a_failure_is_a_problem), .rows = COUNT(failures)},
		{A(head_has_no_body)},
		{A(a_connection_is_kept)},
		{A(a_connection_is_kept_or_closed), .rows = COUNT(keeps)},
		{A(pipelined_requests_are_answered_in_order)},
		{A(a_burst_of_requests_is_answered)},
		{A(a_burst_for_the_loop_is_answered)},
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
	};

	struct suite_case twice[2 * COUNT(cases)];

	for (size_t i = 0; i < COUNT(cases); i++) {
		twice[2 * i] = twice[2 * i + 1] = cases[i];
		twice[2 * i + 1].setup = start_with_one_handler;
	}
	return led_suite_run("server", twice, COUNT(twice));
}
