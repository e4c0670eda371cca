/* A process that the platform freezes, and lets go on: no timer hits who was there in time. */
#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_MS 2000 /* of all that clients may do */
#define FROZEN_MS 2600

static pid_t server;

/* Apart from the test, which would freeze with it. */
static void
start(void)
{
	int told[2];

	led_server_defaults();
	led_options.timeouts.head_ms = led_options.timeouts.body_ms = TIMEOUT_MS;
	led_options.timeouts.write_ms = led_options.timeouts.idle_ms = TIMEOUT_MS;
	ck_assert_int_eq(pipe(told), 0);
	server = fork();
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		led_server_start();
		(void)!write(told[1], &led_options.port, sizeof(led_options.port));
		_exit(led_server_end() ? 0 : 1);
	}
	ck_assert_int_eq(read(told[0], &led_options.port, sizeof(led_options.port)),
		sizeof(led_options.port));
}

static void
stop(void)
{
	int status;

	kill(server, SIGTERM);
	ck_assert_int_eq(waitpid(server, &status, 0), server);
	ck_assert_int_eq(status, 0);
}

/* All of its threads, which takes a moment. */
static void
freeze(void)
{
	int status;

	kill(server, SIGSTOP);
	ck_assert_int_eq(waitpid(server, &status, WUNTRACED), server);
	ck_assert(WIFSTOPPED(status));
}

static const struct {
	const char *first;   /* has its answer before all */
	const char *before;  /* the process freezes */
	const char *whilst;  /* it is frozen */
	const char *answers; /* then */
} clients[] = {
	{"", "GET /a HTTP/1.1\r\n", HOST "\r\n", "GET|/a||Host=h;|"},
	{"", POST("Content-Length: 5\r\n") "he", "llo", "hello"},
	{"", POST("Transfer-Encoding: chunked\r\n") "5\r\nhe", "llo\r\n0\r\n\r\n", "hello"},
	{GET("/"), "", GET("/b"), "GET|/b||Host=h;|"},
	{GET("/"), "GET /c", " HTTP/1.1\r\n" HOST "\r\n", "GET|/c||Host=h;|"},
	{"", "", GET("/d"), "GET|/d||Host=h;|"},
};

/* Contract 30: whose bytes came in time, had anybody looked, is answered. */
START_TEST(who_was_in_time_is_served)
{
	struct peer *peers[COUNT(clients)], *late;
	struct answer answer;

	for (size_t i = 0; i < COUNT(clients); i++) {
		peers[i] = led_peer();
		if (clients[i].first[0])
			ck_assert_int_eq(peer_ask(peers[i], clients[i].first, &answer), 200);
		peer_sends(peers[i], clients[i].before);
	}
	ck_assert(peer_is_silent(peers[0], 50));
	freeze();
	late = led_peer();
	peer_sends(late, GET("/e"));
	for (size_t i = 0; i < COUNT(clients); i++)
		peer_sends(peers[i], clients[i].whilst);
	ck_assert(peer_is_silent(late, FROZEN_MS));
	kill(server, SIGCONT);
	for (size_t i = 0; i < COUNT(clients); i++) {
		ck_assert_msg(peer_read(peers[i], &answer), "number %zu is cut off", i);
		ck_assert_bytes_eq(answer.body, clients[i].answers);
		led_assert_works(peers[i]);
		peer_close(peers[i]);
	}
	ck_assert(peer_read(late, &answer));
	ck_assert_bytes_eq(answer.body, "GET|/e||Host=h;|");
	peer_close(late);
}
END_TEST

#define LARGE 50000000

/* The same of a reader who took all that was there, and would have taken more. */
START_TEST(who_has_read_on_gets_the_rest)
{
	struct peer *reader = led_peer();
	struct answer answer;

	peer_sends(reader, GET("/large?size=50000000"));
	while (peer_is_silent(reader, 0))
		continue;
	freeze();
	ck_assert(!peer_takes(reader, LARGE, FROZEN_MS));
	kill(server, SIGCONT);
	ck_assert(peer_read(reader, &answer));
	ck_assert_uint_eq(answer.body.size, LARGE);
	peer_close(reader);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = who_was_in_time_is_served, .setup = start, .teardown = stop},
		{.test = who_has_read_on_gets_the_rest, .setup = start, .teardown = stop},
	};

	return suite_run("server_frozen", cases, COUNT(cases));
}
