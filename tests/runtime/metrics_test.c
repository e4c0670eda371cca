#include "runtime/metrics.h"
#include "tests/support/peer.h"
#include "tests/support/ports.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static struct program *program;
static struct peer *user, *admin;
static struct answer answer;
static unsigned port;

static void
serve(void)
{
	unsigned admin_port = free_port();
	char listen[32], count[32];
	const char *const environment[] = {
		listen, count, "MAX_CONCURRENCY=1", "MAX_WAIT_S=2", NULL};
	const struct program_setup setup = {.name = "hello", .environment = environment};

	port = free_port();
	snprintf(listen, sizeof(listen), "PORT=%u", port);
	snprintf(count, sizeof(count), "ADMIN_PORT=%u", admin_port);
	program = program_start(&setup);
	ck_assert(program_is_up(program, port) && program_is_up(program, admin_port));
	user = peer_connect(port);
	admin = peer_connect(admin_port);
}

static void
stop(void)
{
	peer_close(user);
	peer_close(admin);
	program_drop(program);
}

static void
assert_page_says(const char *line)
{
	char text[256];

	snprintf(text, sizeof(text), "\n%s\n", line);
	ck_assert_int_eq(peer_ask(admin, GET("/metrics"), &answer), 200);
	ck_assert_msg(memmem(answer.body.at, answer.body.size, text, strlen(text)) != NULL,
		"no line \"%s\" in %.*s", line, FN_ARG(answer.body));
}

/* Waits until the page has this line. */
static void
wait_until_page_says(const char *line)
{
	char text[256];

	snprintf(text, sizeof(text), "\n%s\n", line);
	do
		ck_assert_int_eq(peer_ask(admin, GET("/metrics"), &answer), 200);
	while (!memmem(answer.body.at, answer.body.size, text, strlen(text)));
}

/* Each answer is counted once, by its class, and so is its duration. */
START_TEST(answers_are_counted)
{
	assert_page_says("fn_requests_total{class=\"2xx\"} 0");
	ck_assert_int_eq(peer_ask(user, GET("/"), &answer), 200);
	ck_assert_int_eq(peer_ask(user, GET("/"), &answer), 200);
	ck_assert_int_eq(peer_ask(user, GET("/nope"), &answer), 404);
	wait_until_page_says("fn_request_duration_seconds_count 3"); /* soon after the answers */
	assert_page_says("fn_requests_total{class=\"2xx\"} 2");
	assert_page_says("fn_requests_total{class=\"4xx\"} 1");
	assert_page_says("fn_request_duration_seconds_bucket{le=\"+Inf\"} 3");
	assert_page_says("fn_connections 2");
	ck_assert_bytes_eq(answer_header(&answer, "Content-Type"), "text/plain; version=0.0.4");
}
END_TEST

/* The page is answered while every handler is busy, and says so. */
START_TEST(a_busy_server_still_tells)
{
	peer_sends(user, GET("/slow?ms=60000"));
	wait_until_page_says("fn_requests_in_flight 1");
	assert_page_says("fn_requests_waiting 0");
}
END_TEST

/* Who waits for a handler is counted, and who did so in vain. */
START_TEST(the_line_is_counted)
{
	struct peer *other = peer_connect(port);

	peer_sends(user, GET("/slow?ms=4000"));
	wait_until_page_says("fn_requests_in_flight 1");
	peer_sends(other, GET("/"));
	wait_until_page_says("fn_requests_waiting 1");
	assert_page_says("fn_requests_refused_total 0");
	ck_assert(peer_read(other, &answer));
	ck_assert_int_eq(answer.status, 503);
	ck_assert(peer_read(user, &answer));
	ck_assert_int_eq(answer.status, 200);
	wait_until_page_says("fn_requests_in_flight 0");
	assert_page_says("fn_requests_waiting 0");
	assert_page_says("fn_requests_refused_total 1");
	assert_page_says("fn_requests_total{class=\"5xx\"} 1");
	assert_page_says("fn_requests_total{class=\"2xx\"} 1");
	assert_page_says("fn_connections 3");
	peer_close(other);
}
END_TEST

/* The admin port has this page alone, and the public port does not have it. */
START_TEST(the_ports_do_not_mix)
{
	ck_assert_int_eq(peer_ask(admin, GET("/"), &answer), 404);
	ck_assert_int_eq(peer_ask(user, GET("/metrics"), &answer), 404);
}
END_TEST

/* Durations fall into the first bucket that is not below them; sums stay exact. */
START_TEST(a_duration_has_its_bucket)
{
	struct metrics metrics = {0};
	const struct metrics_now now = {0};
	struct fn_arena *arena = fn_arena_new();
	struct fn_bytes page;

	metrics_count(&metrics, 200, metrics_clock_us() - 700000);
	metrics_count(&metrics, 503, 0);
	page = metrics_page(&metrics, &now, arena);
	ck_assert(memmem(page.at, page.size, "le=\"0.5\"} 0\n", 12) != NULL);
	ck_assert(memmem(page.at, page.size, "le=\"1\"} 1\n", 10) != NULL);
	ck_assert(memmem(page.at, page.size, "count 1\n", 8) != NULL);
	ck_assert(memmem(page.at, page.size, "{class=\"5xx\"} 1\n", 16) != NULL);
	fn_arena_drop(arena);
}
END_TEST

#define SERVED .setup = serve, .teardown = stop

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = answers_are_counted, SERVED},
		{.test = a_busy_server_still_tells, SERVED},
		{.test = the_line_is_counted, SERVED},
		{.test = the_ports_do_not_mix, SERVED},
		{.test = a_duration_has_its_bucket},
	};

	return suite_run("metrics", cases, COUNT(cases));
}
