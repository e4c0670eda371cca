/* What of the contract no other test shows: the process from the inside, and its largest sizes. */
#include "fn/serve.h"
#include "server.h"
#include "tests/support/peer.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static unsigned port;
static sem_t begun, released;
static struct answer answer;

/* ---- fn_serve in this process ---- */

/* Says which service it is, and waits until it is told to. */
static bool
wait_for_release(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	sem_post(&begun);
	while (sem_wait(&released) != 0)
		continue;
	return fn_reply(call, 200, fn_bytes(getenv("K_SERVICE")), err);
}

static void *
serve(void *result)
{
	static const struct fn_function function = {.target = "wait", .http = wait_for_release};
	char name[] = "wait", *argv[] = {name, NULL};

	*(int *)result = fn_serve(1, argv, &function, 1);
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

/* ---- Its largest sizes ---- */

static struct program *program;

static void
start(const char *const settings[])
{
	const char *environment[4] = {NULL};
	char listen[16];

	environment[0] = listen;
	for (size_t i = 0; settings[i]; i++)
		environment[i + 1] = settings[i];
	port = free_port();
	snprintf(listen, sizeof(listen), "PORT=%u", port);
	program =
		program_start(&(struct program_setup){.name = "hello", .environment = environment});
	ck_assert_msg(program_is_up(program, port), "%s", program_complained(program));
}

static void
stop(void)
{
	program_drop(program);
}

#define CALLS 1000

/* Contract 46, 65: as many as the platform would ever send to one instance. None of them may wait
 * until another one has ended. */
START_TEST(a_thousand_calls_run_at_a_time)
{
	static struct peer *peers[CALLS];
	struct rlimit fds;

	ck_assert(getrlimit(RLIMIT_NOFILE, &fds) == 0 && fds.rlim_max >= CALLS + 100);
	fds.rlim_cur = fds.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &fds), 0);
	start((const char *const[]){"MAX_CONCURRENCY=1000", "MAX_WAIT_S=2", NULL});
	for (size_t i = 0; i < CALLS; i++) {
		peers[i] = peer_connect(port);
		peer_sends(peers[i], GET("/slow?ms=2500"));
	}
	for (size_t i = 0; i < CALLS; i++) {
		ck_assert(peer_read(peers[i], &answer));
		ck_assert_int_eq(answer.status, 200);
		peer_close(peers[i]);
	}
}
END_TEST

#define LARGEST (32 * 1024 * 1024)

/* Contract 56: Cloud Run's own limit for requests over HTTP/1. */
START_TEST(the_largest_body_is_32_mib)
{
	struct fn_bytes body = {malloc(LARGEST), LARGEST};
	struct peer *peer;

	start((const char *const[]){NULL});
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

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = nothing_is_accepted_before_the_function_is_ready, .setup = prepare},
		{.test = the_platforms_variables_reach_the_function, .setup = prepare},
		{.test = main_goes_on_after_the_last_answer, .setup = prepare},
		{.test = idle_connections_outlast_the_platform},
		{.test = a_thousand_calls_run_at_a_time, .teardown = stop},
		{.test = the_largest_body_is_32_mib, .teardown = stop},
	};

	return suite_run("contract", cases, COUNT(cases));
}
