/* Answers that are sent while they are made, over real sockets from a server in a child. */
#include "fn/route.h"
#include "fn/serve.h"
#include "fn/stream.h"
#include "tests/support/ports.h"
#include "tests/support/suite.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE (64 * 1024 * 1024)

static int go[2], told[2]; /* pipes: the test lets a handler go on; a handler tells of its end */
static unsigned port;
static pid_t server;

/* ---- Handlers ---------------------------------------------------------------------------- */

static bool
two_pieces(struct fn_call *call, const void *with, struct fn_error *err)
{
	char ignored;

	(void)with;
	TRY(fn_reply_header(call, "Content-Type", FN_BYTES("text/plain"), err));
	TRY(fn_stream_begin(call, 200, err));
	TRY(fn_stream_write(call, FN_BYTES("first"), err));
	(void)!read(go[0], &ignored, 1);
	TRY(fn_stream_write(call, FN_BYTES(""), err));
	return fn_stream_write(call, FN_BYTES("the second"), err);
}

static bool
without_content(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	TRY(fn_stream_begin(call, 204, err));
	return fn_stream_write(call, FN_BYTES("body"), err);
}

static bool
broken_off(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	TRY(fn_stream_begin(call, 200, err));
	TRY(fn_stream_write(call, FN_BYTES("half"), err));
	return fn_fail(err, FN_UPSTREAM, "the other half is lost");
}

static bool
large(struct fn_call *call, const void *with, struct fn_error *err)
{
	static char piece[65536];
	char code = FN_OK;

	(void)with;
	TRY(fn_stream_begin(call, 200, err));
	for (size_t sent = 0; sent < LARGE && code == FN_OK; sent += sizeof(piece)) {
		if (!fn_stream_write(call, (struct fn_bytes){piece, sizeof(piece)}, err))
			code = (char)err->code;
	}
	(void)!write(told[1], &code, 1);
	return code == FN_OK;
}

static bool
quick(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	return fn_reply(call, 200, FN_BYTES("quick"), err);
}

static bool
handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	static const struct fn_route routes[] = {
		{"GET", "/two", two_pieces},
		{"GET", "/none", without_content},
		{"GET", "/broken", broken_off},
		{"GET", "/large", large},
		{"GET", "/quick", quick},
	};

	return fn_route(call, routes, COUNT(routes), with, err);
}

/* ---- Server and client ------------------------------------------------------------------- */

static void
serve(void)
{
	static const struct fn_function function = {.target = "stream", .http = handle};
	char *name = (char[]){"stream"};
	char text[16];

	snprintf(text, sizeof(text), "%u", port);
	setenv("PORT", text, 1);
	setenv("LOG_LEVEL", "error", 1);
	setenv("K_SERVICE", "stream", 1);
	setenv("MAX_CONCURRENCY", "2", 1);
	_exit(fn_serve(1, &name, &function, 1));
}

static int
dial(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
server_start(void)
{
	int fd;

	ck_assert(pipe(go) == 0 && pipe(told) == 0);
	port = free_port();
	server = fork();
	if (server == 0)
		serve();
	while ((fd = dial()) < 0)
		usleep(1000);
	close(fd);
}

static void
server_stop(void)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

static int
ask(const char *request)
{
	int fd = dial();

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(send(fd, request, strlen(request), 0), (int)strlen(request));
	return fd;
}

/* Reads until `text` has come or the connection has ended; what has come is in `into`. */
static bool
comes(int fd, char *into, size_t room, const char *text)
{
	size_t size = strlen(into);
	ssize_t got;

	while (!strstr(into, text) && (got = recv(fd, into + size, room - size - 1, 0)) > 0) {
		size += (size_t)got;
		into[size] = '\0';
	}
	return strstr(into, text) != NULL;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

/* ---- Tests ------------------------------------------------------------------------------- */

/* The client has the first piece before the second is made. */
START_TEST(pieces_arrive_as_they_are_made)
{
	char got[1024] = "";
	int fd = ask(GET("/two"));

	ck_assert(comes(fd, got, sizeof(got), "\r\n\r\n5\r\nfirst\r\n"));
	ck_assert_msg(strstr(got, "Transfer-Encoding: chunked\r\n") != NULL, "%s", got);
	ck_assert_msg(!strstr(got, "Content-Length"), "%s", got);
	ck_assert_int_eq(write(go[1], "x", 1), 1);
	ck_assert(comes(fd, got, sizeof(got), "a\r\nthe second\r\n0\r\n\r\n"));
	close(fd);
}
END_TEST

START_TEST(the_connection_serves_on)
{
	char got[1024] = "";
	int fd = ask(GET("/two") GET("/quick"));

	ck_assert_int_eq(write(go[1], "x", 1), 1);
	ck_assert_msg(comes(fd, got, sizeof(got), "0\r\n\r\nHTTP/1.1 200 OK"), "%s", got);
	ck_assert(comes(fd, got, sizeof(got), "quick"));
	close(fd);
}
END_TEST

/* HTTP/1.0 knows no chunks: the end of the connection is the end of the answer. */
START_TEST(an_old_client_gets_it_plain)
{
	char got[1024] = "";
	int fd = ask("GET /two HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

	ck_assert_int_eq(write(go[1], "x", 1), 1);
	ck_assert(comes(fd, got, sizeof(got), "\r\n\r\nfirstthe second"));
	ck_assert(!comes(fd, got, sizeof(got), "never"));
	ck_assert_msg(!strstr(got, "chunked") && strstr(got, "Connection: close"), "%s", got);
	close(fd);
}
END_TEST

START_TEST(head_has_no_body)
{
	char got[1024] = "";
	int fd = ask("HEAD /two HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

	ck_assert_int_eq(write(go[1], "x", 1), 1);
	ck_assert(!comes(fd, got, sizeof(got), "first"));
	ck_assert_str_eq(got + strlen(got) - 4, "\r\n\r\n");
	close(fd);
}
END_TEST

/* A status that has no body has no chunks either, and the next answer follows at once. */
START_TEST(no_content_has_no_body)
{
	char got[1024] = "";
	int fd = ask(GET("/none") GET("/quick"));
	const char *next;

	ck_assert(comes(fd, got, sizeof(got), "quick"));
	next = strstr(got, "\r\n\r\n") + 4;
	ck_assert_msg(strncmp(next, "HTTP/1.1 200 OK", 15) == 0, "%s", got);
	ck_assert_msg(!strstr(got, "chunked"), "%s", got);
	close(fd);
}
END_TEST

/* A handler that fails half-way must not look as if it had succeeded. */
START_TEST(a_broken_stream_is_seen_as_broken)
{
	char got[1024] = "";
	int fd = ask(GET("/broken"));

	ck_assert(comes(fd, got, sizeof(got), "4\r\nhalf\r\n"));
	ck_assert_msg(!comes(fd, got, sizeof(got), "0\r\n\r\n"), "%s", got);
	ck_assert_msg(!strstr(got, "lost"), "%s", got);
	close(fd);
}
END_TEST

static long
server_peak_kib(void)
{
	char path[64], line[128];
	long peak = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", server);
	FILE *status = fopen(path, "r");
	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "VmHWM: %ld", &peak);
	if (status)
		fclose(status);
	return peak;
}

/* Every byte arrives, and few of them are in memory at any time. */
START_TEST(a_large_answer_takes_little_memory)
{
	static char got[1 << 20];
	long before = server_peak_kib();
	size_t size = 0;
	ssize_t some;
	int fd = ask("GET /large HTTP/1.0\r\n\r\n");

	while ((some = recv(fd, got, sizeof(got), 0)) > 0)
		size += (size_t)some;
	ck_assert_uint_gt(size, LARGE);
	ck_assert_uint_lt(size, LARGE + 1024);
	ck_assert_int_lt(server_peak_kib() - before, 16 * 1024);
	close(fd);
}
END_TEST

/* The handler waits for its reader; others are served; a hang-up ends the wait. */
START_TEST(a_slow_reader_holds_only_its_own_handler)
{
	char got[1024] = "", code = 0;
	int slow = ask(GET("/large")), fd;

	ck_assert(comes(slow, got, 512, "\r\n\r\n"));
	fd = ask(GET("/quick"));
	got[0] = '\0';
	ck_assert(comes(fd, got, sizeof(got), "quick"));
	close(fd);
	close(slow);
	ck_assert_int_eq(read(told[0], &code, 1), 1);
	ck_assert_int_eq(code, FN_CLIENT_GONE);
}
END_TEST

static void
server_start_impatient(void)
{
	setenv("REQUEST_TIMEOUT_S", "1", 1);
	server_start();
}

/* At its deadline a stream that nobody takes ends, in the middle: no other answer follows, and no
 * end as of a whole one. */
START_TEST(a_late_stream_is_broken_off)
{
	static char got[1 << 20];
	char code = 0, end[6] = "";
	ssize_t some;
	int fd = ask(GET("/large"));

	ck_assert_int_eq(read(told[0], &code, 1), 1);
	ck_assert_int_eq(code, FN_DEADLINE);
	ck_assert_int_gt(some = recv(fd, got, sizeof(got), 0), 0);
	ck_assert(memmem(got, (size_t)some, "HTTP/1.1 200 OK\r\n", 17) == got);
	do {
		if (some >= (ssize_t)sizeof(end) - 1)
			memcpy(end, got + some - (sizeof(end) - 1), sizeof(end) - 1);
		some = recv(fd, got, sizeof(got), 0);
		ck_assert(some <= 0 || !memmem(got, (size_t)some, "HTTP/1.1", 8));
	} while (some > 0);
	ck_assert_str_ne(end, "0\r\n\r\n");
	close(fd);
}
END_TEST

static const struct {
	const char *event, *data, *text;
} events[] = {
	{"", "hello", "data: hello\n\n"},
	{"progress", "{\"at\":5}", "event: progress\ndata: {\"at\":5}\n\n"},
	{"", "", "data: \n\n"},
	{"", "a\nb", "data: a\ndata: b\n\n"},
	{"", "a\r\nb\rc", "data: a\ndata: b\ndata: c\n\n"},
	{"", "a\n", "data: a\ndata: \n\n"},
	{"one\ndata: two", "x", "event: one\ndata: x\n\n"},
};

START_TEST(event_is_written_as_the_format_wants)
{
	struct fn_call call = {.arena = fn_arena_new()};
	struct fn_error err;

	ck_assert(fn_stream_begin(&call, 200, &err));
	ck_assert(fn_stream_event(
		&call, fn_bytes(events[_i].event), fn_bytes(events[_i].data), &err));
	ck_assert_bytes_eq(call.answer.body, events[_i].text);
	fn_arena_drop(call.arena);
}
END_TEST

#define SERVED .setup = server_start, .teardown = server_stop

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = pieces_arrive_as_they_are_made, SERVED},
		{.test = the_connection_serves_on, SERVED},
		{.test = an_old_client_gets_it_plain, SERVED},
		{.test = head_has_no_body, SERVED},
		{.test = no_content_has_no_body, SERVED},
		{.test = a_broken_stream_is_seen_as_broken, SERVED},
		{.test = a_large_answer_takes_little_memory, SERVED},
		{.test = a_slow_reader_holds_only_its_own_handler, SERVED},
		{.test = a_late_stream_is_broken_off,
			.setup = server_start_impatient,
			.teardown = server_stop},
		{.test = event_is_written_as_the_format_wants, .rows = COUNT(events)},
	};

	return suite_run("stream", cases, COUNT(cases));
}
