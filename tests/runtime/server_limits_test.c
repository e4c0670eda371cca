/* Time and numbers: slow clients, too many requests, deadlines, and the end. */
#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <unistd.h>

#define SOON_MS 300 /* a timeout that a test waits for */

static struct answer answer;

/* ---- Slow clients ---- */

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
	for (int i = 0; i < 4; i++) {
		usleep(900000);
		for (int pieces = 0; pieces < 50; pieces++)
			peer_is_silent(peer, 0);
	}
	ck_assert(peer_read(peer, &answer));
	ck_assert_uint_eq(answer.body.size, 50000000);
	peer_close(peer);
}
END_TEST

/* Slow senders and slow readers hold no handler: the next client is served as if they were not. */
START_TEST(slow_clients_hold_no_handler)
{
	struct peer *senders[8], *readers[8];

	led_options.concurrency = 8;
	led_server_start();
	for (size_t i = 0; i < 8; i++) {
		senders[i] = led_peer();
		peer_sends(senders[i], "GET /works HTTP/1.1\r\nHost:");
		readers[i] = led_peer();
		peer_sends(readers[i], GET("/large?size=20000000"));
	}
	while (atomic_load(&led_calls) < 8)
		usleep(1000);
	led_assert_others_work();
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
		peers[i] = led_peer();
	for (size_t i = 0; i < COUNT(peers); i += 40)
		led_assert_works(peers[i]);
	for (size_t i = 0; i < COUNT(peers); i++)
		peer_close(peers[i]);
}
END_TEST

/* ---- Too many requests ---- */

/* Contract 45, 47: as many calls as allowed run at the same time, the others wait. */
START_TEST(calls_wait_for_their_turn)
{
	struct peer *peers[5];

	led_options.concurrency = 2;
	led_server_start();
	for (size_t i = 0; i < COUNT(peers); i++) {
		peers[i] = led_peer();
		peer_sends(peers[i], GET("/wait"));
	}
	led_wait_until_begun(2);
	ck_assert(peer_is_silent(peers[4], 100));
	led_release(COUNT(peers));
	for (size_t i = 0; i < COUNT(peers); i++) {
		ck_assert(peer_read(peers[i], &answer));
		ck_assert_int_eq(answer.status, 200);
		peer_close(peers[i]);
	}
	ck_assert_uint_eq(atomic_load(&led_most_running), 2);
}
END_TEST

static const unsigned crowds[] = {10, 80, 1000};

/* Contract 45, 46: where so many may run at the same time they do, however they come. */
START_TEST(calls_run_side_by_side)
{
	static struct peer *peers[1000];
	unsigned count = crowds[_i];

	led_options.concurrency = count;
	led_server_start();
	for (unsigned i = 0; i < count; i++) {
		peers[i] = led_peer();
		peer_sends(peers[i], GET("/wait"));
	}
	led_wait_until_begun(count);
	led_release(count);
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

	led_options.concurrency = 1;
	led_options.wait_ms = SOON_MS;
	led_server_start();
	first = led_peer();
	peer_sends(first, GET("/wait"));
	led_wait_until_begun(1);
	second = led_peer();
	assert_busy(second);
	led_release(1);
	ck_assert(peer_read(first, &answer));
	led_assert_works(second);
	ck_assert_uint_eq(atomic_load(&led_calls), 2);
	peer_close(first);
	peer_close(second);
}
END_TEST

/* Where as many wait as may the next one is sent away at once. */
START_TEST(the_line_has_an_end)
{
	struct peer *peers[3];

	led_options.concurrency = 1;
	led_options.waiting_most = 1;
	led_server_start();
	for (size_t i = 0; i < COUNT(peers); i++)
		peers[i] = led_peer();
	peer_sends(peers[0], GET("/wait"));
	led_wait_until_begun(1);
	peer_sends(peers[1], GET("/works"));
	ck_assert(peer_is_silent(peers[1], 50));
	assert_busy(peers[2]);
	assert_busy(peers[2]);
	led_release(1);
	ck_assert(peer_read(peers[0], &answer) && answer.status == 200);
	ck_assert(peer_read(peers[1], &answer) && answer.status == 200);
	led_assert_works(peers[2]);
	for (size_t i = 0; i < COUNT(peers); i++)
		peer_close(peers[i]);
}
END_TEST

/* ---- Deadlines and hang-ups ---- */

/* Contract 69: a call over its deadline is answered without it; that it ends later harms nobody. */
START_TEST(a_late_call_is_answered_without_it)
{
	struct peer *peer;

	led_options.concurrency = 1;
	led_options.request_timeout_ms = SOON_MS;
	led_server_start();
	peer = led_peer();
	ck_assert_int_eq(peer_ask(peer, GET("/wait"), &answer), 504);
	ck_assert_bytes_eq(answer_header(&answer, "Content-Type"), "application/problem+json");
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert(peer_ended(peer));
	ck_assert_uint_eq(atomic_load(&led_running), 1);
	led_release(1);
	led_assert_others_work();
	peer_close(peer);
}
END_TEST

/* The same for HEAD, whose answer has no body, and with more requests behind it, which are not
 * begun since nobody would get their answers. */
START_TEST(a_late_answer_to_head_has_no_body)
{
	struct peer *peer;

	led_options.request_timeout_ms = SOON_MS;
	led_server_start();
	peer = led_peer();
	peer_sends(peer, "HEAD /wait HTTP/1.1\r\n" HOST "\r\n" GET("/works") GET("/works"));
	ck_assert(peer_read_head(peer, &answer));
	ck_assert_int_eq(answer.status, 504);
	ck_assert(peer_ended(peer));
	led_release(1);
	led_assert_others_work();
	ck_assert_uint_eq(atomic_load(&led_calls), 2);
	peer_close(peer);
}
END_TEST

/* A deadline that passes in the line is one too, and the function need not be called any more. */
START_TEST(a_late_call_is_not_begun)
{
	struct peer *first, *second;

	led_options.concurrency = 1;
	led_options.request_timeout_ms = SOON_MS;
	led_server_start();
	first = led_peer();
	peer_sends(first, GET("/wait"));
	led_wait_until_begun(1);
	second = led_peer();
	ck_assert_int_eq(peer_ask(second, GET("/works"), &answer), 504);
	led_release(1);
	led_assert_others_work();
	ck_assert_uint_eq(atomic_load(&led_calls), 2);
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
		led_options.request_timeout_ms = SOON_MS;
	led_server_start();
	peer = led_peer();
	peer_sends(peer, GET("/gone"));
	led_wait_until_begun(1);
	if (hang_ups[_i] == RESET)
		peer_reset(peer);
	if (hang_ups[_i] == STAY)
		ck_assert(peer_read(peer, &answer));
	else
		peer_close(peer);
	led_wait_until_begun(1);
	led_assert_others_work();
	if (hang_ups[_i] == STAY)
		peer_close(peer);
}
END_TEST

/* ---- Stopping ---- */

static void
server_finish(void)
{
	ck_assert(led_server_end());
}

/* Contract 22, 24, 25: a request whose first half has come may send the other. */
START_TEST(half_a_request_is_waited_for)
{
	struct peer *peer = led_peer();

	peer_sends(peer, POST("Content-Length: 5\r\n") "he");
	ck_assert(peer_is_silent(peer, 50));
	led_server_signal();
	while (true) {
		struct peer *late = peer_connect_to("127.0.0.1", (unsigned)led_options.port);

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
	struct peer *peer = led_peer();

	peer_sends(peer, "GET / HTTP/1.1\r\n");
	ck_assert(peer_is_silent(peer, 50));
	led_server_signal();
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 408);
	ck_assert(peer_ended(peer));
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

/* Contract 23: a call that never ends is answered in its place, and the server ends without it. */
START_TEST(a_call_without_end_does_not_stop_the_end)
{
	struct peer *peer;

	led_options.timeouts.drain_ms = SOON_MS;
	led_server_start();
	peer = led_peer();
	peer_sends(peer, GET("/wait"));
	led_wait_until_begun(1);
	led_server_signal();
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 503);
	ck_assert(peer_ended(peer));
	ck_assert(!led_server_end());
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
#define A(name) .test = name, .setup = led_server_start_default, .teardown = led_server_stop
#define WITH(name) .test = name, .setup = led_server_defaults, .teardown = led_server_stop
#define STOPPED(name) .test = name, .setup = led_server_start_default, .teardown = server_finish
	const struct suite_case cases[] = {
		{WITH(a_slow_request_is_given_up), .rows = COUNT(dawdlers)},
		{WITH(a_steady_body_has_time)},
		{WITH(an_idle_connection_ends_in_silence)},
		{WITH(an_answer_is_not_kept_for_ever)},
		{WITH(a_slow_reader_has_time)},
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
		{STOPPED(half_a_request_is_waited_for)},
		{STOPPED(half_a_request_is_not_waited_for_long)},
		{STOPPED(who_has_come_in_is_served)},
		{.test = timeouts_suit_the_platform},
		{.test = a_call_without_end_does_not_stop_the_end, .setup = led_server_defaults},
	};

	return suite_run("server_limits", cases, COUNT(cases));
}
