/* Slow clients: how long each may take, and that nobody else has to wait for them. */
#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#include <unistd.h>

#define SOON_MS 300 /* a timeout that a test waits for */

static struct answer answer;

enum part { HEAD, BODY };

static const struct {
	enum part part;            /* that is slow */
	const char *begin, *again; /* sent byte by byte; "" for silence */
} dawdlers[] = {
	{HEAD, "G", ""},
	{HEAD, "GET / HTTP/1.1\r\n" HOST, ""},
	{HEAD, "GET / HTTP/1.1\r\n" HOST "X: ", "y"},
	{HEAD, GET("/") "GET", ""},
	{BODY, POST("Content-Length: 10\r\n") "hello", ""},
	{BODY, POST("Content-Length: 10000\r\n"), "x"},
	{BODY, POST("Transfer-Encoding: chunked\r\n") "5\r\n", ""},
	{BODY, POST("Transfer-Encoding: chunked\r\n") "5;", "x"},
};

/* Contract 60: a request that takes too long is answered 408, even if it never stands still. */
START_TEST(a_slow_request_is_given_up)
{
	struct peer *peer;

	*(dawdlers[_i].part == HEAD ? &led_options.timeouts.head_ms
				    : &led_options.timeouts.body_ms) = SOON_MS;
	led_server_start();
	peer = led_peer();
	peer_sends(peer, dawdlers[_i].begin);
	if (fn_bytes_starts(fn_bytes(dawdlers[_i].begin), GET("/")))
		ck_assert(peer_read(peer, &answer) && answer.status == 200);
	while (peer_is_silent(peer, 20))
		peer_sends(peer, dawdlers[_i].again);
	led_assert_refused(peer, 408);
	peer_close(peer);
}
END_TEST

/* A body may take longer than the timeout as long as it makes progress. */
START_TEST(a_steady_body_has_time)
{
	static char piece[20000];
	struct peer *peer;

	led_options.timeouts.body_ms = 2000;
	led_server_start();
	peer = led_peer();
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

	led_options.timeouts.idle_ms = SOON_MS;
	led_server_start();
	fresh = led_peer();
	used = led_peer();
	led_assert_works(used);
	ck_assert(peer_ended(fresh));
	ck_assert(peer_ended(used));
	peer_close(fresh);
	peer_close(used);
}
END_TEST

/* The time of a head begins with its first byte, however long the connection was silent before. */
START_TEST(silence_is_no_part_of_a_head)
{
	struct peer *fresh, *used;

	led_options.timeouts.head_ms = 3000;
	led_server_start();
	fresh = led_peer();
	used = led_peer();
	led_assert_works(used);
	ck_assert(peer_is_silent(fresh, 3600));
	peer_sends(fresh, "GET /works HTTP/1.1\r\n");
	peer_sends(used, "GET /works HTTP/1.1\r\n");
	ck_assert(peer_is_silent(fresh, 700));
	ck_assert_int_eq(peer_ask(fresh, HOST "\r\n", &answer), 200);
	ck_assert_int_eq(peer_ask(used, HOST "\r\n", &answer), 200);
	peer_close(fresh);
	peer_close(used);
}
END_TEST

/* Who waits for his answer, or for his turn, is not idle. */
START_TEST(a_call_outlasts_what_clients_may)
{
	struct peer *running, *waiting;

	led_options.concurrency = 1;
	led_options.timeouts.head_ms = led_options.timeouts.body_ms = SOON_MS;
	led_options.timeouts.write_ms = led_options.timeouts.idle_ms = SOON_MS;
	led_options.timeouts.linger_ms = SOON_MS;
	led_server_start();
	running = led_peer();
	peer_sends(running, POST("Content-Length: 1\r\n") "x" GET("/wait"));
	led_wait_until_begun(1);
	waiting = led_peer();
	peer_sends(waiting, GET("/wait"));
	ck_assert(peer_read(running, &answer));
	ck_assert(peer_is_silent(running, 5 * SOON_MS));
	led_release(2);
	led_assert_released(running);
	led_assert_released(waiting);
	peer_close(running);
	peer_close(waiting);
}
END_TEST

/* Who never takes his answer does not get it for ever. */
START_TEST(an_answer_is_not_kept_for_ever)
{
	struct peer *peer;

	led_options.timeouts.write_ms = SOON_MS;
	led_server_start();
	peer = led_peer();
	peer_sends(peer, GET("/large?size=50000000"));
	peer_is_given_up(peer);
	ck_assert(!peer_read(peer, &answer));
	peer_close(peer);
}
END_TEST

/* But who takes a little now and then does. */
START_TEST(a_slow_reader_has_time)
{
	struct peer *peer;

	led_options.timeouts.write_ms = 2000;
	led_server_start();
	peer = led_peer();
	peer_sends(peer, GET("/large?size=50000000"));
	for (size_t taken = 1; taken <= 4; taken++) {
		ck_assert(peer_takes(peer, taken * 4000000, 60000));
		usleep(900000);
	}
	ck_assert(peer_read(peer, &answer));
	ck_assert_uint_eq(answer.body.size, 50000000);
	peer_close(peer);
}
END_TEST

static const long handlers[] = {1, 8};

/* Contract 60: eight that send a head byte by byte and eight that do not read hold no handler: the
 * next client is served as if they were not, also where there is one handler alone. */
START_TEST(slow_clients_hold_no_handler)
{
	static const char rest[] = "Host: h\r\n\r\n";
	struct peer *senders[8], *readers[8];

	led_options.concurrency = handlers[_i];
	led_server_start();
	for (size_t i = 0; i < 8; i++) {
		senders[i] = led_peer();
		peer_sends(senders[i], "GET /works HTTP/1.1\r\n");
		readers[i] = led_peer();
		peer_sends(readers[i], GET("/large?size=20000000"));
	}
	while (atomic_load(&led_calls) < 8)
		usleep(1000);
	for (size_t n = 0; n < sizeof(rest) - 1; n++) {
		for (size_t i = 0; i < 8; i++)
			peer_send(senders[i], (struct fn_bytes){rest + n, 1});
		led_assert_others_work();
	}
	for (size_t i = 0; i < 8; i++) {
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

int
main(void)
{
#define WITH(name) .test = name, .setup = led_server_defaults, .teardown = led_server_stop
	const struct suite_case cases[] = {
		{WITH(a_slow_request_is_given_up), .rows = COUNT(dawdlers)},
		{WITH(a_steady_body_has_time)},
		{WITH(an_idle_connection_ends_in_silence)},
		{WITH(silence_is_no_part_of_a_head)},
		{WITH(a_call_outlasts_what_clients_may)},
		{WITH(an_answer_is_not_kept_for_ever)},
		{WITH(a_slow_reader_has_time)},
		{WITH(slow_clients_hold_no_handler), .rows = COUNT(handlers)},
	};

	return suite_run("server_slow", cases, COUNT(cases));
}
