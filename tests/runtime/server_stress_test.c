/* Good clients and hostile ones, all at once, on a server that is too small for them, and on one
 * that is not. What they get is checked; what their threads do to each other is for
 * ThreadSanitizer to see. */
#include "fn/stream.h"
#include "server.h"
#include "tests/support/peer.h"
#include "tests/support/ports.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define CLIENTS_MOST 80
#define HOST "Host: h\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST(headers) "POST / HTTP/1.1\r\n" HOST headers "\r\n"

static struct server *server;
static struct server_options options;
static bool finished;
static int visits_each; /* of each client */

static bool
stream(struct fn_call *call, struct fn_bytes piece, struct fn_error *err)
{
	TRY(fn_stream_begin(call, 200, err));
	for (int i = 0; i < 20; i++)
		TRY(fn_stream_write(call, piece, err));
	return true;
}

/* Answers with the body, or with as many bytes as asked for, after as long as asked for. */
static bool
handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	struct fn_bytes text = {0};
	uint64_t number = 0;

	(void)with;
	if (fn_bytes_is(call->path, "/stream"))
		return stream(call, call->body, err);
	if (fn_query(call, "ms", &text) && fn_bytes_number(text, 1000, &number)) {
		for (; number > 0 && !fn_client_gone(call); number--)
			usleep(1000);
	}
	if (!fn_query(call, "size", &text) || !fn_bytes_number(text, 1 << 30, &number))
		return fn_reply(call, 200, call->body, err);
	return fn_reply(
		call, 200, (struct fn_bytes){fn_arena_zero(call->arena, number), number}, err);
}

static void *
run(void *with)
{
	finished = server_run(with);
	return NULL;
}

/* ---- Clients ---- */

/* Reads answers until the connection ends or all have come. Each is a success, a refusal of a
 * server that is too busy, or what a hostile request deserves; a success has what it must have. */
static void
read_answers(struct peer *peer, size_t count, size_t body)
{
	struct answer answer;

	while (count-- > 0 && peer_read(peer, &answer)) {
		bool busy = answer.status == 503 || answer.status == 504;

		ck_assert_msg(busy || answer.status == 200 || answer.status == 400 ||
				      answer.status == 413,
			"%d", answer.status);
		if (answer.status == 200)
			ck_assert_uint_eq(answer.body.size, body);
	}
}

static void
keep_alive(struct peer *peer)
{
	for (int i = 0; i < 10; i++) {
		peer_sends(peer, GET("/"));
		read_answers(peer, 1, 0);
	}
}

static void
pipeline(struct peer *peer)
{
	for (int i = 0; i < 20; i++)
		peer_sends(peer, POST("Content-Length: 5\r\n") "hello");
	read_answers(peer, 20, 5);
}

static void
trickle(struct peer *peer)
{
	const char *request = POST("Transfer-Encoding: chunked\r\n") "5\r\nhello\r\n0\r\n\r\n";

	for (; *request; request++)
		peer_send(peer, (struct fn_bytes){request, 1});
	read_answers(peer, 1, 5);
}

static void
be_slow_to_read(struct peer *peer)
{
	peer_sends(peer, GET("/?size=6000000") GET("/?size=6000000"));
	usleep(3000);
	read_answers(peer, 2, 6000000);
}

static void
read_a_stream(struct peer *peer)
{
	peer_sends(peer, "POST /stream HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
	peer_takes(peer, 20 * (sizeof("5\r\nhello\r\n") - 1), 100);
}

static void
leave_in_a_stream(struct peer *peer)
{
	static char piece[50000];

	peer_sends(peer, "POST /stream HTTP/1.1\r\n" HOST "Content-Length: 50000\r\n\r\n");
	peer_send(peer, (struct fn_bytes){piece, sizeof(piece)});
	peer_takes(peer, 100, 1000);
	peer_reset(peer);
}

static void
half_close(struct peer *peer)
{
	peer_sends(peer, GET("/?ms=3") GET("/"));
	peer_finish(peer);
	read_answers(peer, 2, 0);
}

static void
outlast_the_deadline(struct peer *peer)
{
	peer_sends(peer, GET("/?ms=40") GET("/?ms=300") GET("/"));
	read_answers(peer, 3, 0);
}

static void
lie(struct peer *peer)
{
	peer_sends(peer, POST("Content-Length: 5\r\nContent-Length: 6\r\n") "hello!");
	read_answers(peer, 1, 0);
	ck_assert(peer_ended(peer));
}

static void
send_too_much(struct peer *peer)
{
	static char piece[100000];

	peer_sends(peer, POST("Content-Length: 200000\r\n"));
	peer_send(peer, (struct fn_bytes){piece, sizeof(piece)});
	peer_send(peer, (struct fn_bytes){piece, sizeof(piece)});
	read_answers(peer, 1, 0);
}

static void
leave_in_a_head(struct peer *peer)
{
	peer_sends(peer, "GET / HTTP/1.1\r\nHos");
}

static void
leave_in_a_body(struct peer *peer)
{
	peer_sends(peer, POST("Content-Length: 5\r\n") "hel");
	peer_reset(peer);
}

static void
leave_in_a_call(struct peer *peer)
{
	peer_sends(peer, GET("/?ms=30") GET("/"));
}

static void
leave_in_an_answer(struct peer *peer)
{
	peer_sends(peer, GET("/?size=6000000"));
	peer_is_silent(peer, 10);
	peer_reset(peer);
}

static void (*const visits[])(struct peer *) = {
	keep_alive,
	pipeline,
	trickle,
	be_slow_to_read,
	read_a_stream,
	leave_in_a_stream,
	half_close,
	outlast_the_deadline,
	lie,
	send_too_much,
	leave_in_a_head,
	leave_in_a_body,
	leave_in_a_call,
	leave_in_an_answer,
};

static void *
visit(void *with)
{
	unsigned seed = *(unsigned *)with;

	for (int i = 0; i < visits_each; i++) {
		struct peer *peer = peer_connect_to("127.0.0.1", (unsigned)options.port);

		if (!peer)
			break; /* the server has stopped */
		visits[(unsigned)rand_r(&seed) % COUNT(visits)](peer);
		peer_close(peer);
	}
	return NULL;
}

/* ---- All of them ---- */

static const struct {
	long concurrency;
	size_t waiting, quick_calls;
	unsigned clients;
	int visits; /* of each */
	bool stopped_early;
} crowds[] = {
	{4, 8, SIZE_MAX, 16, 60, false},
	{4, 8, SIZE_MAX, 16, 60, true},
	{4, 8, 3, 16, 60, false},
	{4, 8, 3, 16, 60, true},
	{80, 1000, 3, 80, 6, false},
};

/* Whatever they do to it, the server answers who asks politely, and ends when it is told to. */
START_TEST(a_crowd_is_survived)
{
	pthread_t loop, clients[CLIENTS_MOST];
	unsigned seeds[CLIENTS_MOST];
	struct fn_error err = {0};

	options = (struct server_options){
		.host = "127.0.0.1",
		.concurrency = crowds[_i].concurrency,
		.request_timeout_ms = 200,
		.wait_ms = 100,
		.waiting_most = crowds[_i].waiting,
		.quick_calls = crowds[_i].quick_calls,
		.body_limit = 100000,
		.timeouts = server_timeouts,
		.handler = handle,
	};
	visits_each = crowds[_i].visits;
	fn_log_level(FN_CRITICAL);
	do
		options.port = (long)free_port();
	while (!server_open(&server, &options, &err) && err.code == FN_BUSY);
	ck_assert_msg(server, "%s", err.message);
	pthread_create(&loop, NULL, run, server);
	for (unsigned i = 0; i < crowds[_i].clients; i++) {
		seeds[i] = i;
		pthread_create(&clients[i], NULL, visit, &seeds[i]);
	}
	if (crowds[_i].stopped_early) {
		usleep(300000);
		kill(getpid(), SIGTERM);
	}
	for (unsigned i = 0; i < crowds[_i].clients; i++)
		pthread_join(clients[i], NULL);
	if (!crowds[_i].stopped_early)
		kill(getpid(), SIGTERM);
	pthread_join(loop, NULL);
	ck_assert(finished);
	server_close(server);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = a_crowd_is_survived, .rows = COUNT(crowds)},
	};

	return suite_run("server_stress", cases, COUNT(cases));
}
