/* What costs nothing: hello while there is nothing that it could do, and after all is over. CPU
 * time is measured, not the clock's, and a process that looks again and again takes all that it
 * gets. */
#include "tests/support/hello.h"
#include "tests/support/suite.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define GET(path) HELLO_GET(path)
#define POST(headers) "POST /echo HTTP/1.1\r\nHost: h\r\n" headers "\r\n"
#define LARGE 20000000

static struct program *program;
static unsigned port;
static struct answer answer;

static void
serve(struct program_setup setup, const char *setting)
{
	const char *const settings[] = {setting, NULL};

	program = hello_start(setup, settings, &port);
}

static void
stop(void)
{
	program_drop(program);
}

/* ---- Nothing to do ---- */

static int64_t
cpu_ms(void)
{
	struct timespec spent;
	clockid_t clock;

	ck_assert_int_eq(clock_getcpuclockid(program_pid(program), &clock), 0);
	ck_assert_int_eq(clock_gettime(clock, &spent), 0);
	return (int64_t)spent.tv_sec * 1000 + spent.tv_nsec / 1000000;
}

static void
assert_quiet(void)
{
	int64_t before_ms;

	usleep(50000); /* for what there still is to do */
	before_ms = cpu_ms();
	usleep(500000);
	ck_assert_int_lt(cpu_ms() - before_ms, 75);
}

#define SLOW GET("/slow?ms=60000")

static const struct {
	const char *first, *later; /* sent: at once, and when that is at work */
	enum { STAYS, HALF_CLOSES, CLOSES, STOPS } then; /* the client; or the server, by SIGTERM */
} waits[] = {
	{"", "", STAYS},
	{GET("/favicon.ico"), "", STAYS},
	{"GET /", " HTT", STAYS},
	{POST("Content-Length: 10\r\n"), "hel", STAYS},
	{POST("Transfer-Encoding: chunked\r\n"), "5\r\nhel", STAYS},
	{SLOW, "", STAYS},
	{SLOW, "", HALF_CLOSES},
	{SLOW, "", CLOSES},
	{SLOW, "", STOPS},
	{SLOW GET("/"), GET("/"), STAYS},
	{SLOW, GET("/") "GET / HTT", HALF_CLOSES},
	{SLOW, GET("/"), CLOSES},
};

/* It sleeps while it waits for a client, for a handler, or for both; two of each, of which the
 * second's request waits in line where the first has the handler. */
START_TEST(who_waits_sleeps)
{
	struct peer *peers[2];

	serve((struct program_setup){0}, "MAX_CONCURRENCY=1");
	for (size_t i = 0; i < COUNT(peers); i++) {
		peers[i] = peer_connect(port);
		peer_sends(peers[i], waits[_i].first);
	}
	usleep(20000);
	for (size_t i = 0; i < COUNT(peers); i++) {
		peer_sends(peers[i], waits[_i].later);
		if (waits[_i].then == HALF_CLOSES)
			peer_finish(peers[i]);
	}
	if (waits[_i].then == STOPS)
		program_signal(program, SIGTERM);
	for (size_t i = 0; i < COUNT(peers) && waits[_i].then == CLOSES; i++) {
		peer_close(peers[i]);
		peers[i] = NULL;
	}
	assert_quiet();
	for (size_t i = 0; i < COUNT(peers); i++)
		peer_close(peers[i]);
}
END_TEST

/* The same while a client does not take what it has asked for. */
START_TEST(who_is_not_read_sleeps)
{
	struct fn_bytes body = {calloc(1, LARGE), LARGE};
	struct peer *peer;

	serve((struct program_setup){0}, NULL);
	peer = peer_connect(port);
	peer_sends(peer, POST("Content-Length: 20000000\r\n"));
	peer_send(peer, body);
	assert_quiet();
	ck_assert(peer_read(peer, &answer));
	ck_assert(fn_bytes_equal(answer.body, body));
	peer_close(peer);
	free((char *)(uintptr_t)body.at);
}
END_TEST

#define FDS 64

/* The same while more clients stand at the door than may come in. */
START_TEST(a_full_house_sleeps)
{
	struct peer *peers[FDS];

	serve((struct program_setup){.fds_most = FDS}, NULL);
	for (size_t i = 0; i < FDS; i++)
		peers[i] = peer_connect(port);
	assert_quiet();
	for (size_t i = 0; i < FDS; i++)
		peer_close(peers[i]);
}
END_TEST

/* ---- Nothing left ---- */

static size_t
fds_open(void)
{
	char pattern[64];
	glob_t found;
	size_t count;

	snprintf(pattern, sizeof(pattern), "/proc/%d/fd/*", program_pid(program));
	ck_assert_int_eq(glob(pattern, GLOB_NOSORT, NULL, &found), 0);
	count = found.gl_pathc;
	globfree(&found);
	return count;
}

static const char *const visits[] = {
	"",
	"GET / HTT",
	"no request\r\n\r\n",
	GET("/"),
	GET("/") GET("/") "GET",
	"GET / HTTP/1.0\r\n\r\n",
	GET("/favicon.ico"),
	POST("Content-Length: 10\r\n") "hel",
	POST("Content-Length: 99999999\r\n") "hello",
	POST("Content-Length: 5\r\nContent-Length: 6\r\n") "hello",
	POST("Transfer-Encoding: chunked\r\n") "x",
	GET("/slow?ms=30") GET("/"),
};

enum { READ, CLOSE, HALF_CLOSE, RESET, WAYS_TO_LEAVE };

static void
leave(struct peer *peer, int how)
{
	if (how == READ)
		peer_takes(peer, 10, 10);
	if (how == HALF_CLOSE)
		peer_finish(peer);
	if (how == RESET)
		peer_reset(peer);
	peer_close(peer);
}

/* However clients come and go, no file descriptor stays behind. */
START_TEST(no_connection_is_left_behind)
{
	struct peer *witness;
	size_t before;

	serve((struct program_setup){0}, "MAX_CONCURRENCY=4");
	witness = peer_connect(port);
	hello_assert_works(witness);
	before = fds_open();
	for (size_t n = 0; n < 10 * COUNT(visits) * WAYS_TO_LEAVE; n++) {
		struct peer *peer = peer_connect(port);

		peer_sends(peer, visits[n % COUNT(visits)]);
		leave(peer, (int)(n / COUNT(visits) % WAYS_TO_LEAVE));
	}
	while (fds_open() > before)
		usleep(10000);
	hello_assert_works(witness);
	peer_close(witness);
}
END_TEST

int
main(void)
{
#define A(name) .test = name, .teardown = stop
	const struct suite_case cases[] = {
		{A(who_waits_sleeps), .rows = COUNT(waits)},
		{A(who_is_not_read_sleeps)},
		{A(a_full_house_sleeps)},
		{A(no_connection_is_left_behind)},
	};

	return suite_run("serve_quiet", cases, COUNT(cases));
}
