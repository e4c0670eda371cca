/* What of the contract no other test shows: the process from the inside, and its largest sizes. */
#include "fn/serve.h"
#include "server.h"
#include "tests/support/hello.h"
#include "tests/support/ports.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GET(path) HELLO_GET(path)

static unsigned port;
static sem_t begun, released;
static pthread_barrier_t barrier;
static struct answer answer;

/* ---- fn_serve in this process ---- */

/* Waits until it is told to go on. */
static bool
wait_for_release(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	sem_post(&begun);
	while (sem_wait(&released) != 0)
		continue;
	return fn_reply(call, 200, fn_bytes(getenv("K_SERVICE")), err);
}

/* Waits until as many are here as the barrier wants. */
static bool
wait_for_each_other(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	pthread_barrier_wait(&barrier);
	return fn_reply(call, 200, FN_BYTES("here"), err);
}

/* Answers with the milliseconds that it has left. */
static bool
tell_the_time_left(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	return fn_reply(call, 200,
		fn_bytes(fn_textf(call->arena, "%" PRId64, fn_time_left_ms(call, INT64_MAX))), err);
}

static void *
serve(void *result)
{
	static const struct fn_function functions[] = {
		{.target = "released", .http = wait_for_release},
		{.target = "together", .http = wait_for_each_other},
		{.target = "timely", .http = tell_the_time_left},
	};
	char name[] = "wait", *argv[] = {name, NULL};

	*(int *)result = fn_serve(1, argv, functions, COUNT(functions));
	return NULL;
}

/* Threads that are older than fn_serve must leave its signals to it. */
static void
prepare(void)
{
	char text[8];
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	port = free_port();
	snprintf(text, sizeof(text), "%u", port);
	setenv("PORT", text, 1);
	setenv("K_SERVICE", "hello", 1);
	sem_init(&begun, 0, 0);
	sem_init(&released, 0, 0);
}

static struct peer *
connect_in_time(void)
{
	struct peer *peer = peer_connect_to("127.0.0.1", port);

	for (int tick = 0; !peer; tick++) {
		ck_assert_int_lt(tick, 10000);
		usleep(1000);
		peer = peer_connect_to("127.0.0.1", port);
	}
	return peer;
}

static void
assert_served(struct peer *peer)
{
	sem_post(&released);
	ck_assert_int_eq(peer_ask(peer, GET("/"), &answer), 200);
}

/* Contract 12, 13, 66: until main calls fn_serve, nobody who probes the port finds it open. */
START_TEST(nothing_is_accepted_before_the_function_is_ready)
{
	pthread_t thread;
	struct peer *peer;
	int result = -1;

	ck_assert_ptr_null(peer_connect_to("127.0.0.1", port));
	pthread_create(&thread, NULL, serve, &result);
	peer = connect_in_time();
	assert_served(peer);
	kill(getpid(), SIGTERM);
	pthread_join(thread, NULL);
	ck_assert_int_eq(result, 0);
	peer_close(peer);
}
END_TEST

/* Contract 17. */
START_TEST(the_platforms_variables_reach_the_function)
{
	pthread_t thread;
	struct peer *peer;
	int result = -1;

	pthread_create(&thread, NULL, serve, &result);
	peer = connect_in_time();
	assert_served(peer);
	ck_assert_bytes_eq(answer.body, "hello");
	kill(getpid(), SIGTERM);
	pthread_join(thread, NULL);
	peer_close(peer);
}
END_TEST

static const struct {
	const char *name, *value;
	uint64_t most_ms;
} deadlines[] = {
	{"REQUEST_TIMEOUT_S", "120", 120000}, {"CLOUD_RUN_TIMEOUT_SECONDS", "3600", 3600000},
	{"K_REVISION", "hello-1", 300000}, /* the usual one */
};

/* Contract 69: a call can read how much time the platform gives it. */
START_TEST(a_call_knows_its_deadline)
{
	pthread_t thread;
	struct peer *peer;
	uint64_t left_ms;
	int result = -1;

	setenv("FUNCTION_TARGET", "timely", 1);
	setenv(deadlines[_i].name, deadlines[_i].value, 1);
	pthread_create(&thread, NULL, serve, &result);
	peer = connect_in_time();
	ck_assert_int_eq(peer_ask(peer, GET("/"), &answer), 200);
	ck_assert(fn_bytes_number(answer.body, deadlines[_i].most_ms, &left_ms));
	ck_assert_uint_gt(left_ms, deadlines[_i].most_ms - 60000);
	kill(getpid(), SIGTERM);
	pthread_join(thread, NULL);
	peer_close(peer);
}
END_TEST

/* Contract 27: fn_serve returns when the last answer is out, not before. */
START_TEST(main_goes_on_after_the_last_answer)
{
	pthread_t thread;
	struct peer *peer;
	int result = -1;

	pthread_create(&thread, NULL, serve, &result);
	peer = connect_in_time();
	peer_sends(peer, GET("/"));
	while (sem_wait(&begun) != 0)
		continue;
	kill(getpid(), SIGTERM);
	ck_assert(peer_is_silent(peer, 100));
	ck_assert_int_eq(pthread_tryjoin_np(thread, NULL), EBUSY);
	sem_post(&released);
	pthread_join(thread, NULL);
	ck_assert_int_eq(result, 0);
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 200);
	peer_close(peer);
}
END_TEST

/* Contract 31: else the platform sends a request into a connection that is being closed. */
START_TEST(idle_connections_outlast_the_platform)
{
	ck_assert_int_ge(server_timeouts.idle_ms, 620000);
}
END_TEST

static size_t
fds_as_many_as_may_be(void)
{
	struct rlimit fds;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &fds), 0);
	fds.rlim_cur = fds.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &fds), 0);
	return fds.rlim_cur;
}

#define CALLS 1000

/* Contract 46, 65: as many as the platform would ever send to one instance. Each goes on when all
 * of them run. */
START_TEST(a_thousand_calls_run_at_a_time)
{
	static struct peer *peers[CALLS];
	pthread_t thread;
	int result = -1;

	ck_assert_uint_ge(fds_as_many_as_may_be(), 2 * CALLS + 100);
	setenv("FUNCTION_TARGET", "together", 1);
	setenv("MAX_CONCURRENCY", "1000", 1);
	pthread_barrier_init(&barrier, NULL, CALLS);
	pthread_create(&thread, NULL, serve, &result);
	for (size_t i = 0; i < CALLS; i++) {
		peers[i] = connect_in_time();
		peer_sends(peers[i], GET("/"));
	}
	for (size_t i = 0; i < CALLS; i++) {
		ck_assert(peer_read(peers[i], &answer));
		ck_assert_int_eq(answer.status, 200);
		peer_close(peers[i]);
	}
	kill(getpid(), SIGTERM);
	pthread_join(thread, NULL);
}
END_TEST

/* ---- hello, from outside ---- */

static struct program *program;

static void
start(void)
{
	program = hello_start((struct program_setup){0}, NULL, &port);
}

static void
stop(void)
{
	program_drop(program);
}

#define LARGEST (32 * 1024 * 1024)

/* Contract 56: Cloud Run's own limit for requests over HTTP/1. */
START_TEST(the_largest_body_is_32_mib)
{
	struct fn_bytes body = {malloc(LARGEST), LARGEST};
	struct peer *peer;

	memset((char *)(uintptr_t)body.at, 'x', body.size);
	peer = peer_connect(port);
	peer_sends(peer, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 33554432\r\n\r\n");
	peer_send(peer, body);
	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 200);
	ck_assert(fn_bytes_equal(answer.body, body));
	ck_assert_int_eq(
		peer_ask(peer, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 33554433\r\n\r\n",
			&answer),
		413);
	peer_close(peer);
	free((char *)(uintptr_t)body.at);
}
END_TEST

#define IDLE 10000

/* Contract 60: as many that sit there and say nothing are no burden, whether they have asked before
 * or never have; and they are gone at once when the process stops. */
START_TEST(idle_connections_are_no_burden)
{
	static struct peer *peers[IDLE];
	size_t may = fds_as_many_as_may_be(), count = may > IDLE + 1000 ? IDLE : may / 2;
	struct peer *late;

	for (size_t i = 0; i < count; i++) {
		peers[i] = peer_connect(port);
		if (i % 2 == 0)
			hello_assert_works(peers[i]);
	}
	late = peer_connect(port);
	hello_assert_works(late);
	for (size_t i = 0; i < count; i += 100)
		hello_assert_works(peers[i]);
	program_signal(program, SIGTERM);
	ck_assert_int_eq(program_end(program), 0);
	for (size_t i = 0; i < count; i++) {
		ck_assert(peer_ended(peers[i]));
		peer_close(peers[i]);
	}
	ck_assert(peer_ended(late));
	peer_close(late);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = nothing_is_accepted_before_the_function_is_ready, .setup = prepare},
		{.test = the_platforms_variables_reach_the_function, .setup = prepare},
		{.test = a_call_knows_its_deadline, .rows = COUNT(deadlines), .setup = prepare},
		{.test = main_goes_on_after_the_last_answer, .setup = prepare},
		{.test = idle_connections_outlast_the_platform},
		{.test = a_thousand_calls_run_at_a_time, .setup = prepare},
		{.test = idle_connections_are_no_burden, .setup = start, .teardown = stop},
		{.test = the_largest_body_is_32_mib, .setup = start, .teardown = stop},
	};

	return suite_run("contract", cases, COUNT(cases));
}
