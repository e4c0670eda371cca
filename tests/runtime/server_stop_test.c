/* How the server comes to its end. */
#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#define SOON_MS 300 /* a timeout that a test waits for */

static struct answer answer;

static void
server_finish(void)
{
	ck_assert(led_server_end());
}

/* From then on the server is seen to stop. */
static void
wait_until_nobody_is_let_in(void)
{
	struct peer *late;

	while ((late = peer_connect_to("127.0.0.1", (unsigned)led_options.port)))
		peer_close(late);
}

/* Contract 22, 24, 25: a request whose first half has come may send the other. */
START_TEST(half_a_request_is_waited_for)
{
	struct peer *peer = led_peer();

	peer_sends(peer, POST("Content-Length: 5\r\n") "he");
	ck_assert(peer_is_silent(peer, 50));
	led_server_signal();
	wait_until_nobody_is_let_in();
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
	struct peer *peer = led_peer();

	peer_sends(peer, "GET / HTTP/1.1\r\n");
	ck_assert(peer_is_silent(peer, 50));
	led_server_signal();
	led_assert_refused(peer, 408);
	peer_close(peer);
}
END_TEST

/* Contract 25: a request that comes on a connection which has just been made is still served. */
START_TEST(who_has_come_in_is_served)
{
	struct peer *peer = led_peer();

	peer_sends(peer, GET("/works"));
	led_server_signal();
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 200);
	peer_close(peer);
}
END_TEST

/* A call learns that the end has come, and can hand back what it cannot finish. */
START_TEST(a_call_sees_that_the_server_stops)
{
	struct peer *peer = led_peer();

	peer_sends(peer, GET("/stopping"));
	led_wait_until_begun(1);
	ck_assert(peer_is_silent(peer, 100));
	led_server_signal();
	ck_assert(peer_read(peer, &answer));
	ck_assert_bytes_eq(answer.body, "stopping");
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* Contract 23: a call that never ends is answered in its place, and the server ends without it. */
START_TEST(a_call_without_end_does_not_stop_the_end)
{
	struct peer *peer;

	led_options.timeouts.drain_ms = SOON_MS;
	led_server_start();
	peer = led_busy_peer();
	led_server_signal();
	led_assert_refused(peer, 503);
	ck_assert(!led_server_end());
	peer_close(peer);
}
END_TEST

/* Nor does a client that has had his last answer and stays. */
START_TEST(who_stays_does_not_stop_the_end)
{
	struct peer *peer;

	led_options.timeouts.linger_ms = SOON_MS;
	led_server_start();
	peer = led_peer();
	ck_assert_int_eq(
		peer_ask(peer, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", &answer),
		200);
	ck_assert(peer_ended(peer));
	led_server_signal();
	ck_assert(led_server_end());
	peer_close(peer);
}
END_TEST

#define HEAD(path) "HEAD " path " HTTP/1.1\r\n" HOST "\r\n"

static const char *const pairs[] = {HEAD("/wait") HEAD("/wait"), HEAD("/drip") HEAD("/drip")};

/* Contract 24: the last answer says that it is the last, be it a stream; and no other does. */
START_TEST(the_last_answer_says_so)
{
	struct peer *peer = led_peer();

	peer_sends(peer, pairs[_i]);
	led_wait_until_begun(1);
	led_server_signal();
	wait_until_nobody_is_let_in();
	led_release(2);
	ck_assert(peer_read_head(peer, &answer));
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "");
	ck_assert(peer_read_head(peer, &answer));
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert(peer_ended(peer));
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
#define STOPPED(name) .test = name, .setup = led_server_start_default, .teardown = server_finish
	const struct suite_case cases[] = {
		{STOPPED(half_a_request_is_waited_for)},
		{STOPPED(half_a_request_is_not_waited_for_long)},
		{STOPPED(who_has_come_in_is_served)},
		{STOPPED(a_call_sees_that_the_server_stops)},
		{.test = a_call_without_end_does_not_stop_the_end, .setup = led_server_defaults},
		{.test = who_stays_does_not_stop_the_end, .setup = led_server_defaults},
		{STOPPED(the_last_answer_says_so), .rows = COUNT(pairs)},
		{.test = timeouts_suit_the_platform},
	};

	return led_suite_run("server_stop", cases, COUNT(cases));
}
