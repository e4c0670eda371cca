/* Too many requests, deadlines, and clients that are gone. */
#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#include <unistd.h>

#define SOON_MS 300 /* a timeout that a test waits for */

static struct answer answer;

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
		led_assert_released(peers[i]);
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
		led_assert_released(peers[i]);
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
	first = led_busy_peer();
	second = led_peer();
	assert_busy(second);
	led_release(1);
	led_assert_released(first);
	led_assert_works(second);
	ck_assert_uint_eq(atomic_load(&led_calls), 2);
	peer_close(first);
	peer_close(second);
}
END_TEST

/* Who says nothing more while he waits still waits. */
START_TEST(who_waits_may_have_said_all)
{
	struct peer *running, *waiting;

	led_options.concurrency = 1;
	led_server_start();
	running = led_busy_peer();
	waiting = led_peer();
	peer_sends(waiting, GET("/works") GET("/works"));
	peer_finish(waiting);
	ck_assert(peer_is_silent(waiting, 100));
	led_release(1);
	led_assert_released(running);
	for (int i = 0; i < 2; i++) {
		ck_assert(peer_read(waiting, &answer));
		ck_assert_int_eq(answer.status, 200);
	}
	ck_assert(peer_ended(waiting));
	peer_close(running);
	peer_close(waiting);
}
END_TEST

/* Where as many wait as may the next one is sent away at once. */
START_TEST(the_line_has_an_end)
{
	struct peer *running, *waiting, *next;

	led_options.concurrency = 1;
	led_options.waiting_most = 1;
	led_server_start();
	running = led_busy_peer();
	waiting = led_peer();
	next = led_peer();
	peer_sends(waiting, GET("/works"));
	ck_assert(peer_is_silent(waiting, 50));
	assert_busy(next);
	assert_busy(next);
	led_release(1);
	led_assert_released(running);
	ck_assert(peer_read(waiting, &answer) && answer.status == 200);
	led_assert_works(next);
	peer_close(running);
	peer_close(waiting);
	peer_close(next);
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
	peer_sends(peer, GET("/wait"));
	led_assert_refused(peer, 504);
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
	first = led_busy_peer();
	second = led_peer();
	ck_assert_int_eq(peer_ask(second, GET("/works"), &answer), 504);
	led_release(1);
	led_assert_others_work();
	ck_assert_uint_eq(atomic_load(&led_calls), 2);
	peer_close(first);
	peer_close(second);
}
END_TEST

enum hang_up { CLOSE, RESET, HALF_CLOSE, STAY };
static const enum hang_up hang_ups[] = {CLOSE, RESET, HALF_CLOSE, STAY};

static void
hang_up(struct peer *peer, enum hang_up how)
{
	if (how == RESET)
		peer_reset(peer);
	if (how == HALF_CLOSE)
		peer_finish(peer);
	else
		peer_close(peer);
}

/* Contract 32, 70: a call learns that nobody waits for it any more, and can stop. */
START_TEST(a_call_sees_that_its_client_is_gone)
{
	enum hang_up how = hang_ups[_i];
	struct peer *peer;

	if (how == STAY)
		led_options.request_timeout_ms = SOON_MS;
	led_server_start();
	peer = led_peer();
	peer_sends(peer, GET("/gone"));
	led_wait_until_begun(1);
	if (how == STAY)
		ck_assert(peer_read(peer, &answer));
	else
		hang_up(peer, how);
	led_wait_until_begun(1);
	led_assert_others_work();
	if (how == STAY || how == HALF_CLOSE)
		peer_close(peer);
}
END_TEST

/* Requests that have come behind a call's own are no sign that its client has gone, and do not hide
 * that it has. */
START_TEST(requests_behind_a_call_are_no_hang_up)
{
	struct peer *peer = led_peer();

	peer_sends(peer, GET("/gone") GET("/works"));
	led_wait_until_begun(1);
	peer_sends(peer, GET("/works"));
	ck_assert(peer_is_silent(peer, 200));
	hang_up(peer, hang_ups[_i]);
	led_wait_until_begun(1);
	led_assert_others_work();
	if (hang_ups[_i] == HALF_CLOSE)
		peer_close(peer);
}
END_TEST

/* Who goes away before his turn leaves the line: his call is never begun, and his place is free for
 * who asks again and again, until he is not refused any more. */
START_TEST(who_goes_away_leaves_the_line)
{
	struct peer *running, *waiting, *next;

	led_options.concurrency = 1;
	led_options.waiting_most = 1;
	led_server_start();
	running = led_busy_peer();
	waiting = led_peer();
	next = led_peer();
	peer_sends(waiting, GET("/works"));
	ck_assert(peer_is_silent(waiting, 50));
	hang_up(waiting, hang_ups[_i]);
	peer_sends(next, GET("/works"));
	for (int tries = 0; !peer_is_silent(next, 2000); tries++) {
		ck_assert(peer_read(next, &answer));
		ck_assert_int_eq(answer.status, 503);
		ck_assert_int_lt(tries, 3000);
		usleep(10000);
		peer_sends(next, GET("/works"));
	}
	led_release(1);
	led_assert_released(running);
	ck_assert(peer_read(next, &answer));
	ck_assert_bytes_eq(answer.body, "GET|/works||Host=h;|");
	ck_assert_uint_eq(atomic_load(&led_calls), 2);
	peer_close(running);
	peer_close(next);
}
END_TEST

int
main(void)
{
#define A(name) .test = name, .setup = led_server_start_default, .teardown = led_server_stop
#define WITH(name) .test = name, .setup = led_server_defaults, .teardown = led_server_stop
	const struct suite_case cases[] = {
		{WITH(calls_wait_for_their_turn)},
		{WITH(calls_run_side_by_side), .rows = COUNT(crowds)},
		{WITH(nobody_waits_for_ever)},
		{WITH(who_waits_may_have_said_all)},
		{WITH(the_line_has_an_end)},
		{WITH(a_late_call_is_answered_without_it)},
		{WITH(a_late_answer_to_head_has_no_body)},
		{WITH(a_late_call_is_not_begun)},
		{WITH(a_call_sees_that_its_client_is_gone), .rows = COUNT(hang_ups)},
		{WITH(who_goes_away_leaves_the_line), .rows = 2}, /* CLOSE and RESET */
		{A(requests_behind_a_call_are_no_hang_up), .rows = COUNT(hang_ups) - 1},
	};

	return led_suite_run("server_limits", cases, COUNT(cases));
}
