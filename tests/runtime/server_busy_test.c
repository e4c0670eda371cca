/* More requests than handlers: who waits, and for whom nobody has to wait. */
#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#include <stdio.h>

static struct answer answer;

static const unsigned limits[] = {1, 8};

/* ---- How many run ---- */

#define CROWD 32
#define EACH 4

/* Contract 45, 47: however many ask, and for however much, as many calls run as may: no fewer, and
 * at no time more. */
START_TEST(as_many_run_as_may)
{
	struct peer *peers[CROWD];

	led_options.concurrency = limits[_i];
	led_server_start();
	for (size_t i = 0; i < CROWD; i++) {
		peers[i] = led_peer();
		for (int n = 0; n < EACH; n++)
			peer_sends(peers[i], GET("/wait"));
	}
	led_wait_until_begun(limits[_i]);
	for (size_t i = 0; i < CROWD; i++)
		ck_assert(peer_is_silent(peers[i], i == 0 ? 100 : 0));
	ck_assert_uint_eq(atomic_load(&led_running), limits[_i]);
	led_release(CROWD * EACH);
	for (size_t i = 0; i < CROWD; i++) {
		for (int n = 0; n < EACH; n++)
			led_assert_released(peers[i]);
		peer_close(peers[i]);
	}
	ck_assert_uint_eq(atomic_load(&led_most_running), limits[_i]);
	ck_assert_uint_eq(atomic_load(&led_calls), CROWD * EACH);
}
END_TEST

/* Contract 49: requests of one connection are not run side by side, though there were handlers. */
START_TEST(a_connection_has_one_call_at_a_time)
{
	struct peer *piped = led_busy_peer(), *other = led_busy_peer();

	peer_sends(piped, GET("/wait") GET("/wait"));
	ck_assert(peer_is_silent(piped, 50));
	led_release(4);
	for (int i = 0; i < 3; i++)
		led_assert_released(piped);
	led_assert_released(other);
	ck_assert_uint_eq(atomic_load(&led_most_running), 2);
	peer_close(piped);
	peer_close(other);
}
END_TEST

/* ---- Whose turn it is ---- */

#define QUEUE 100

/* What comes behind a slow call on its connection waits for it, and keeps its order; nobody else
 * has to wait. */
START_TEST(a_slow_call_holds_up_its_own_connection_alone)
{
	struct peer *piped;
	char text[128];

	led_options.concurrency = 2;
	led_server_start();
	piped = led_busy_peer();
	for (int i = 0; i < QUEUE; i++) {
		snprintf(text, sizeof(text), POST("Content-Length: 3\r\n") "%03d", i);
		peer_sends(piped, text);
	}
	for (int i = 0; i < 20; i++)
		led_assert_others_work();
	ck_assert(peer_is_silent(piped, 0));
	led_release(1);
	led_assert_released(piped);
	for (int i = 0; i < QUEUE; i++) {
		snprintf(text, sizeof(text), "%03d", i);
		ck_assert(peer_read(piped, &answer));
		ck_assert_bytes_eq(answer.body, text);
	}
	peer_close(piped);
}
END_TEST

/* Who has more requests at hand than others does not have the only handler to himself for that. */
START_TEST(a_pipeline_does_not_jump_the_line)
{
	struct peer *piped, *other;

	led_options.concurrency = 1;
	led_server_start();
	piped = led_busy_peer();
	other = led_peer();
	for (int i = 1; i < QUEUE; i++)
		peer_sends(piped, GET("/wait"));
	peer_sends(other, GET("/works"));
	ck_assert(peer_is_silent(other, 50));
	led_release(QUEUE / 10);
	ck_assert(peer_read(other, &answer));
	ck_assert_bytes_eq(answer.body, "GET|/works||Host=h;|");
	led_release(QUEUE - QUEUE / 10);
	for (int i = 0; i < QUEUE; i++)
		led_assert_released(piped);
	peer_close(piped);
	peer_close(other);
}
END_TEST

/* ---- Slow clients ---- */

static void
assert_probe_works(struct peer *probe)
{
	ck_assert_int_eq(peer_ask(probe, GET("/healthy"), &answer), 200);
	ck_assert_uint_eq(answer.body.size, 0);
}

#define LETTERS "abcdefghijklmnopqrstuvwxyz"

static const char *const trickles[] = {
	POST("Content-Length: 26\r\n") LETTERS,
	POST("Transfer-Encoding: chunked\r\n") "1a\r\n" LETTERS "\r\n0\r\nX-Trailer: y\r\n\r\n",
};

/* Contract 60, 67: requests come in byte by byte while every handler is busy, and probes are
 * answered; the requests are run when it is their turn. */
START_TEST(bodies_trickle_in_while_all_are_busy)
{
	const char *trickle = trickles[_i];
	struct peer *busy[8], *slow[8], *probe;

	led_options.concurrency = COUNT(busy);
	led_options.probe_path = "/healthy";
	led_server_start();
	probe = led_peer();
	for (size_t i = 0; i < COUNT(busy); i++) {
		slow[i] = led_peer();
		busy[i] = led_busy_peer();
	}
	for (; *trickle; trickle++) {
		for (size_t i = 0; i < COUNT(slow); i++)
			peer_send(slow[i], (struct fn_bytes){trickle, 1});
		assert_probe_works(probe);
	}
	ck_assert(peer_is_silent(slow[0], 50));
	led_release(COUNT(busy));
	for (size_t i = 0; i < COUNT(busy); i++) {
		led_assert_released(busy[i]);
		ck_assert(peer_read(slow[i], &answer));
		ck_assert_bytes_eq(answer.body, LETTERS);
		peer_close(busy[i]);
		peer_close(slow[i]);
	}
	peer_close(probe);
}
END_TEST

/* Clocks run on while every handler is busy: who dawdles is told so, who is idle is let go. */
START_TEST(time_passes_while_all_are_busy)
{
	struct peer *busy[8] = {0}, *slow, *idle;

	led_options.concurrency = limits[_i];
	led_options.timeouts.head_ms = led_options.timeouts.idle_ms = 300;
	led_server_start();
	for (unsigned i = 0; i < limits[_i]; i++)
		busy[i] = led_busy_peer();
	idle = led_peer();
	slow = led_peer();
	peer_sends(slow, "GET / HTTP/1.1\r\n");
	led_assert_refused(slow, 408);
	ck_assert(peer_ended(idle));
	led_release(limits[_i]);
	for (unsigned i = 0; i < limits[_i]; i++) {
		led_assert_released(busy[i]);
		peer_close(busy[i]);
	}
	peer_close(slow);
	peer_close(idle);
}
END_TEST

/* A stream that nobody reads holds its handler, and nothing else: who comes waits for it, a probe
 * does not, and when a reader leaves his handler is free. */
START_TEST(unread_streams_hold_their_handlers_alone)
{
	struct peer *readers[2], *other, *probe;

	led_options.concurrency = COUNT(readers);
	led_options.probe_path = "/healthy";
	led_server_start();
	for (size_t i = 0; i < COUNT(readers); i++) {
		readers[i] = led_peer();
		peer_sends(readers[i], GET("/stream"));
	}
	led_wait_until_begun(COUNT(readers));
	other = led_peer();
	probe = led_peer();
	peer_sends(other, GET("/works"));
	ck_assert(peer_is_silent(other, 100));
	assert_probe_works(probe);
	peer_close(readers[0]);
	ck_assert(peer_read(other, &answer));
	ck_assert_int_eq(answer.status, 200);
	peer_close(readers[1]);
	peer_close(other);
	peer_close(probe);
}
END_TEST

int
main(void)
{
#define A(name) .test = name, .setup = led_server_start_default, .teardown = led_server_stop
#define WITH(name) .test = name, .setup = led_server_defaults, .teardown = led_server_stop
	const struct suite_case cases[] = {
		{WITH(as_many_run_as_may), .rows = COUNT(limits)},
		{A(a_connection_has_one_call_at_a_time)},
		{WITH(a_slow_call_holds_up_its_own_connection_alone)},
		{WITH(a_pipeline_does_not_jump_the_line)},
		{WITH(bodies_trickle_in_while_all_are_busy), .rows = COUNT(trickles)},
		{WITH(time_passes_while_all_are_busy), .rows = COUNT(limits)},
		{WITH(unread_streams_hold_their_handlers_alone)},
	};

	return led_suite_run("server_busy", cases, COUNT(cases));
}
