/* How the process comes to its end, as Cloud Run sees it: build/bin/hello, told to stop. */
#include "tests/support/hello.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define GET(path) HELLO_GET(path)

static struct program *program;
static unsigned port;
static struct answer answer;

static void
serve(const char *const *settings)
{
	program = hello_start((struct program_setup){0}, settings, &port);
}

static void
program_close(void)
{
	program_drop(program);
}

static const int stops[] = {SIGTERM, SIGINT};

/* Contract 21, 24, 28: idle connections are closed, and it is gone long before its 8 seconds, also
 * where many calls have run. */
START_TEST(an_idle_process_ends)
{
	struct peer *used[8], *silent;

	serve(NULL);
	silent = peer_connect(port);
	for (size_t i = 0; i < COUNT(used); i++) {
		used[i] = peer_connect(port);
		peer_sends(used[i], GET("/slow?ms=20"));
	}
	for (size_t i = 0; i < COUNT(used); i++)
		ck_assert(peer_read(used[i], &answer));
	program_signal(program, stops[_i]);
	alarm(5);
	ck_assert_int_eq(program_end(program), 0);
	alarm(0);
	for (size_t i = 0; i < COUNT(used); i++) {
		ck_assert(peer_ended(used[i]));
		peer_close(used[i]);
	}
	ck_assert(peer_ended(silent));
	ck_assert(strstr(program_said(program), "stopping"));
	ck_assert_str_eq(program_complained(program), "");
	peer_close(silent);
}
END_TEST

static void
assert_last_answer(struct peer *peer, const char *body)
{
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 200);
	ck_assert_bytes_eq(answer.body, body);
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert(peer_ended(peer));
	peer_close(peer);
}

#define MANY 100

static const struct {
	const char *concurrency;
	bool told_first; /* it hears of SIGTERM before it hears of those who wait at its door */
} drains[] = {
	{"MAX_CONCURRENCY=100", false},
	{"MAX_CONCURRENCY=16", false},
	{"MAX_CONCURRENCY=100", true},
};

/* Contract 22, 25: every request that has come is answered, and then it ends. */
START_TEST(running_requests_are_finished)
{
	const char *const settings[] = {drains[_i].concurrency, NULL};
	struct peer *peers[MANY];

	serve(settings);
	if (drains[_i].told_first) {
		usleep(20000); /* it has nothing else to do any more */
		program_signal(program, SIGSTOP);
		program_signal(program, SIGTERM);
	}
	for (size_t i = 0; i < MANY; i++) {
		peers[i] = peer_connect(port);
		peer_sends(peers[i], GET("/slow?ms=300"));
	}
	program_signal(program, drains[_i].told_first ? SIGCONT : SIGTERM);
	for (size_t i = 0; i < MANY; i++)
		assert_last_answer(peers[i], "Hello, world!\n");
	ck_assert_int_eq(program_end(program), 0);
}
END_TEST

#define HALF "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello"
#define HALF_CHUNKED "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"

static const struct {
	unsigned count;
	const char *begin, *rest; /* sent before and after the signal */
	const char *body;         /* of the answer */
} clients[] = {
	{50, GET("/slow?ms=100"), "", "Hello, world!\n"},
	{25, HALF, ", you!", "hello, you!"},
	{25, HALF_CHUNKED, "llo\r\n6\r\n, you!\r\n0\r\n\r\n", "hello, you!"},
};

/* Contract 22, 25: of a hundred requests some run, some wait for a handler, and some are half here.
 * All are answered, and then it ends. */
START_TEST(a_mixed_crowd_is_finished)
{
	static const char *const settings[] = {"MAX_CONCURRENCY=8", NULL};
	struct peer *peers[COUNT(clients)][50] = {0};

	serve(settings);
	for (size_t i = 0; i < COUNT(clients); i++) {
		for (size_t n = 0; n < clients[i].count; n++) {
			peers[i][n] = peer_connect(port);
			peer_sends(peers[i][n], clients[i].begin);
		}
	}
	program_signal(program, SIGTERM);
	program_says(program, "stopping");
	for (size_t i = 0; i < COUNT(clients); i++) {
		for (size_t n = 0; n < clients[i].count; n++)
			peer_sends(peers[i][n], clients[i].rest);
	}
	for (size_t i = 0; i < COUNT(clients); i++) {
		for (size_t n = 0; n < clients[i].count; n++)
			assert_last_answer(peers[i][n], clients[i].body);
	}
	ck_assert_int_eq(program_end(program), 0);
}
END_TEST

/* Contract 22, 25: what is piped behind a running request has come as well, and is answered; the
 * last answer says that it is the last. */
START_TEST(a_pipeline_is_finished)
{
	static const char *const settings[] = {"MAX_CONCURRENCY=8", NULL};
	struct peer *peers[33];

	serve(settings);
	for (size_t i = 0; i < COUNT(peers); i++) {
		peers[i] = peer_connect(port);
		peer_sends(peers[i], GET("/slow?ms=50") GET("/slow?ms=20") GET("/"));
	}
	program_signal(program, SIGTERM);
	for (size_t i = 0; i < COUNT(peers); i++) {
		for (int n = 0; n < 2; n++) {
			ck_assert_msg(peer_read(peers[i], &answer), "answer %d is missing", n);
			ck_assert_int_eq(answer.status, 200);
			ck_assert_bytes_eq(answer_header(&answer, "Connection"), "");
		}
		assert_last_answer(peers[i], "Hello, world!\n");
	}
	ck_assert_int_eq(program_end(program), 0);
}
END_TEST

static const char *const concurrencies[] = {"MAX_CONCURRENCY=1", "MAX_CONCURRENCY=80"};

/* Contract 23: a call that never ends is answered in its place, and does not keep the process, also
 * where it has the only handler. */
START_TEST(a_call_without_end_is_given_up)
{
	const char *const settings[] = {"DRAIN_TIMEOUT_S=1", concurrencies[_i], NULL};
	struct peer *peer;

	serve(settings);
	peer = peer_connect(port);
	peer_sends(peer, GET("/slow?ms=3600000"));
	program_signal(program, SIGTERM);
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 503);
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert_int_eq(program_end(program), 0);
	ck_assert(strstr(program_said(program), "503 GET /slow: the handler has not ended"));
	peer_close(peer);
}
END_TEST

/* Contract 66 and 67: who is busy is not ill, and who stops says so. */
START_TEST(a_probe_is_answered_while_all_is_busy)
{
	static const char *const settings[] = {"PROBE_PATH=/healthy", "MAX_CONCURRENCY=1", NULL};
	struct peer *busy, *probe;

	serve(settings);
	busy = peer_connect(port);
	probe = peer_connect(port);
	peer_sends(busy, GET("/slow?ms=500"));
	ck_assert_int_eq(peer_ask(probe, GET("/healthy"), &answer), 200);
	ck_assert_uint_eq(answer.body.size, 0);
	peer_sends(probe, "GET /healthy HTTP/1.1\r\n");
	program_signal(program, SIGTERM);
	program_says(program, "stopping");
	ck_assert_int_eq(peer_ask(probe, "Host: h\r\n\r\n", &answer), 503);
	ck_assert(peer_read(busy, &answer));
	ck_assert_int_eq(answer.status, 200);
	ck_assert_int_eq(program_end(program), 0);
	peer_close(busy);
	peer_close(probe);
}
END_TEST

/* Contract 26. */
START_TEST(a_second_signal_ends_it_at_once)
{
	static const char *const settings[] = {"MAX_CONCURRENCY=1", NULL};
	struct peer *peer;

	serve(settings);
	peer = peer_connect(port);
	peer_sends(peer, GET("/slow?ms=3600000"));
	program_signal(program, SIGINT);
	program_says(program, "stopping");
	program_signal(program, stops[_i]);
	ck_assert_int_eq(program_end(program), 1);
	peer_close(peer);
}
END_TEST

int
main(void)
{
#define A(name) .test = name, .teardown = program_close
	const struct suite_case cases[] = {
		{A(an_idle_process_ends), .rows = COUNT(stops)},
		{A(running_requests_are_finished), .rows = COUNT(drains)},
		{A(a_mixed_crowd_is_finished)},
		{A(a_pipeline_is_finished)},
		{A(a_call_without_end_is_given_up), .rows = COUNT(concurrencies)},
		{A(a_probe_is_answered_while_all_is_busy)},
		{A(a_second_signal_ends_it_at_once), .rows = COUNT(stops)},
	};

	return suite_run("drain", cases, COUNT(cases));
}
