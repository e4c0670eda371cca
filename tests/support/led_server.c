#include "tests/support/led_server.h"

#include "tests/support/ports.h"

#include "fn/stream.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

struct server_options led_options;
atomic_uint led_calls, led_running, led_most_running;

static const struct mode {
	size_t quick_calls;
	bool is_warm;
} modes[] = {
	{SIZE_MAX, false}, /* the loop leaves every call to its followers */
	{0, false},        /* the lead changes while the test runs */
	{0, true},         /* the loop makes what calls it may */
};

static struct mode mode = {0, true};
static struct server *server;
static pthread_t loop;
static bool finished;         /* what server_run returned */
static sem_t begun, released; /* by a call of /wait; for one of them */

/* ---- Handlers ---- */

static bool
describe(struct fn_call *call, struct fn_error *err)
{
	struct fn_builder text = {.arena = call->arena};

	fn_addf(&text, "%.*s|%.*s|%.*s|", FN_ARG(call->method), FN_ARG(call->path),
		FN_ARG(call->query));
	for (size_t i = 0; i < call->header_count; i++)
		fn_addf(&text, "%.*s=%.*s;", FN_ARG(call->headers[i].name),
			FN_ARG(call->headers[i].value));
	fn_add(&text, FN_BYTES("|"));
	fn_add(&text, call->body);
	return fn_reply(call, 200, fn_built(&text), err);
}

static bool
echo(struct fn_call *call, struct fn_error *err)
{
	return fn_reply(call, 200, call->body, err);
}

static void
wait_for_release(void)
{
	unsigned now = atomic_fetch_add(&led_running, 1) + 1, most = atomic_load(&led_most_running);

	while (now > most && !atomic_compare_exchange_weak(&led_most_running, &most, now))
		continue;
	sem_post(&begun);
	while (sem_wait(&released) != 0)
		continue;
	atomic_fetch_sub(&led_running, 1);
}

static bool
reply_when_released(struct fn_call *call, struct fn_error *err)
{
	wait_for_release();
	return fn_reply(call, 200, FN_BYTES("released"), err);
}

static bool
stream_when_released(struct fn_call *call, struct fn_error *err)
{
	wait_for_release();
	TRY(fn_stream_begin(call, 200, err));
	return fn_stream_write(call, FN_BYTES("released"), err);
}

static bool
wait_for_hang_up(struct fn_call *call, struct fn_error *err)
{
	sem_post(&begun);
	while (!fn_client_gone(call))
		usleep(1000);
	sem_post(&begun);
	return fn_fail(err, FN_UPSTREAM, "nobody waits for this any more");
}

static bool
wait_for_the_end(struct fn_call *call, struct fn_error *err)
{
	sem_post(&begun);
	while (!fn_stopping(call))
		usleep(1000);
	return fn_reply(call, 200, FN_BYTES("stopping"), err);
}

static bool
stream_without_end(struct fn_call *call, struct fn_error *err)
{
	static const char piece[65536];

	TRY(fn_stream_begin(call, 200, err));
	sem_post(&begun);
	while (true)
		TRY(fn_stream_write(call, (struct fn_bytes){piece, sizeof(piece)}, err));
}

static bool
answer_large(struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes size = {0};
	uint64_t number = 0;
	char *at;

	if (!fn_query(call, "size", &size) || !fn_bytes_number(size, 1 << 30, &number))
		return fn_fail(err, FN_INVALID, "size?");
	at = fn_arena_alloc(call->arena, number);
	for (size_t i = 0; i < number; i++)
		at[i] = (char)(i % 251);
	return fn_reply(call, 200, (struct fn_bytes){at, number}, err);
}

static bool
reply_failure(struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes text = {0};
	uint64_t code = 0;

	TRY(fn_reply_header(call, "Content-Type", FN_BYTES("image/png"), err));
	TRY(fn_reply_header(call, "Cache-Control", FN_BYTES("public"), err));
	TRY(fn_reply_header(call, "Allow", FN_BYTES("POST"), err));
	TRY(fn_reply_header(call, "Content-Security-Policy", FN_BYTES("sandbox"), err));
	if (fn_query(call, "code", &text) && fn_bytes_number(text, 99, &code))
		fn_fail(err, (enum fn_code)code, "the \"reason\"");
	err->retry_after_s = 7;
	return false;
}

static bool
reply_status(struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes text = {0};
	uint64_t status = 0;

	if (!fn_query(call, "of", &text) || !fn_bytes_number(text, 599, &status))
		return true; /* no answer at all */
	TRY(fn_reply_header(call, "ETag", FN_BYTES("\"1\""), err));
	return fn_reply(call, (int)status, FN_BYTES("body"), err);
}

static const struct {
	const char *path;
	bool (*handle)(struct fn_call *, struct fn_error *);
} handlers[] = {
	{"/echo", echo},
	{"/wait", reply_when_released},
	{"/drip", stream_when_released},
	{"/gone", wait_for_hang_up},
	{"/stopping", wait_for_the_end},
	{"/stream", stream_without_end},
	{"/large", answer_large},
	{"/fail", reply_failure},
	{"/status", reply_status},
};

static bool
handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	atomic_fetch_add(&led_calls, 1);
	for (size_t i = 0; i < COUNT(handlers); i++) {
		if (fn_bytes_is(call->path, handlers[i].path))
			return handlers[i].handle(call, err);
	}
	return describe(call, err);
}

/* ---- The server ---- */

void
led_server_defaults(void)
{
	led_options = (struct server_options){
		.host = "127.0.0.1",
		.concurrency = 4,
		.request_timeout_ms = 60000,
		.wait_ms = 60000,
		.waiting_most = 1000,
		.quick_calls = mode.quick_calls,
		.body_limit = BODY_MOST,
		.ignored_routes = "/ignored",
		.timeouts = server_timeouts,
		.handler = handle,
	};
	led_options.timeouts.linger_ms =
		60000; /* longer than a test waits: it is the client's turn */
}

static void *
run(void *with)
{
	finished = server_run(with);
	return NULL;
}

/* Each of the first calls makes a thread, of which one comes to lead and one to watch. Whether they
 * succeed is no matter: a test may have made a server that has no time for them. */
static void
warm_up(void)
{
	struct answer answer;

	for (int i = 0; i < 4; i++) {
		struct peer *peer = led_peer();

		peer_sends(peer, GET("/works"));
		peer_read(peer, &answer);
		peer_close(peer);
	}
	atomic_store(&led_calls, 0);
}

void
led_server_start(void)
{
	struct fn_error err = {0};

	fn_log_level(FN_CRITICAL);
	sem_init(&begun, 0, 0);
	sem_init(&released, 0, 0);
	do
		led_options.port = (long)free_port();
	while (!server_open(&server, &led_options, &err) && err.code == FN_BUSY);
	ck_assert_msg(server, "%s", err.message);
	ck_assert_int_eq(pthread_create(&loop, NULL, run, server), 0);
	if (mode.is_warm)
		warm_up();
}

void
led_server_start_default(void)
{
	led_server_defaults();
	led_server_start();
}

void
led_server_signal(void)
{
	kill(getpid(), SIGTERM);
}

bool
led_server_end(void)
{
	pthread_join(loop, NULL);
	if (finished)
		server_close(server);
	return finished;
}

void
led_server_stop(void)
{
	led_server_signal();
	ck_assert(led_server_end());
}

/* ---- The test's side ---- */

int
led_suite_run(const char *name, const struct suite_case *cases, size_t count)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT(modes); i++) {
		mode = modes[i];
		failed |= suite_run(name, cases, count);
	}
	return failed;
}

void
led_wait_until_begun(unsigned count)
{
	while (count > 0)
		count -= sem_wait(&begun) == 0;
}

void
led_release(unsigned count)
{
	while (count-- > 0)
		sem_post(&released);
}

struct peer *
led_peer(void)
{
	return peer_connect((unsigned)led_options.port);
}

struct peer *
led_busy_peer(void)
{
	struct peer *peer = led_peer();

	peer_sends(peer, GET("/wait"));
	led_wait_until_begun(1);
	return peer;
}

void
led_assert_released(struct peer *peer)
{
	struct answer answer;

	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, 200);
	ck_assert_bytes_eq(answer.body, "released");
}

void
led_assert_refused(struct peer *peer, int status)
{
	struct answer answer;

	ck_assert(peer_read(peer, &answer));
	ck_assert_int_eq(answer.status, status);
	ck_assert_bytes_eq(answer_header(&answer, "Content-Type"), "application/problem+json");
	ck_assert_bytes_eq(answer_header(&answer, "Connection"), "close");
	ck_assert(peer_ended(peer));
}

void
led_assert_works(struct peer *peer)
{
	struct answer answer;

	ck_assert_int_eq(peer_ask(peer, GET("/works"), &answer), 200);
	ck_assert_bytes_eq(answer.body, "GET|/works||Host=h;|");
}

void
led_assert_others_work(void)
{
	struct peer *peer = led_peer();

	led_assert_works(peer);
	peer_close(peer);
}
