/* The whole process, as Cloud Run and a shell see it: build/bin/hello, spoken to from outside. */
#include "fn/json.h"
#include "tests/support/hello.h"
#include "tests/support/ports.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GET(path) HELLO_GET(path)

static struct program *program;
static unsigned port;
static struct answer answer;

static void
program_close(void)
{
	program_drop(program);
}

static void
serve(const char *const *settings)
{
	program = hello_start((struct program_setup){0}, settings, &port);
}

/* ---- Starting ---- */

static const struct {
	const char *options[4], *settings[3];
	int code;
	const char *line; /* on standard error */
} starts[] = {
	{.settings = {"PORT=abc"}, .code = 78, .line = "PORT: \"abc\""},
	{.settings = {"PORT=0"}, .code = 78, .line = "PORT: \"0\""},
	{.settings = {"PORT=65536"}, .code = 78, .line = "PORT: \"65536\""},
	{.settings = {"PORT=-1"}, .code = 78, .line = "PORT: \"-1\""},
	{.settings = {"PORT= 8080"}, .code = 78, .line = "PORT: \" 8080\""},
	{.settings = {"MAX_CONCURRENCY=0"}, .code = 78, .line = "MAX_CONCURRENCY: \"0\""},
	{.settings = {"MAX_BODY_BYTES=1G"}, .code = 78, .line = "MAX_BODY_BYTES: \"1G\""},
	{.settings = {"LOG_LEVEL=loud"}, .code = 78, .line = "LOG_LEVEL: \"loud\""},
	{.settings = {"LOG_EXECUTION_ID=1"}, .code = 78, .line = "LOG_EXECUTION_ID: \"1\""},
	{.settings = {"FUNCTION_TARGET=nope"}, .code = 78, .line = "\"nope\""},
	{.settings = {"FUNCTION_SIGNATURE_TYPE=grpc"}, .code = 78, .line = "\"grpc\""},
	{.settings = {"LISTEN_HOST=256.0.0.1"}, .code = 78, .line = "LISTEN_HOST: \"256.0.0.1\""},
	{.settings = {"LISTEN_HOST=localhost"}, .code = 78, .line = "LISTEN_HOST: \"localhost\""},
	{.settings = {"LISTEN_HOST=192.0.2.1"}, .code = 1, .line = "Cannot assign"},
	{.options = {"--port", "80a"}, .code = 78, .line = "--port: \"80a\""},
	{.options = {"--port=0"}, .code = 78, .line = "--port: \"0\""},
	{.options = {"--port"}, .code = 78, .line = "--port"},
	{.options = {"--target", "nope"},
		.settings = {"FUNCTION_TARGET=hello"},
		.code = 78,
		.line = "\"nope\""},
	{.options = {"--signature-type=grpc"}, .code = 78, .line = "\"grpc\""},
	{.options = {"--prot", "8080"}, .code = 78, .line = "--prot"},
	{.options = {"8080"}, .code = 78, .line = "8080"},
};

/* Contract 4, 6, 8: what it cannot do as told it does not do at all, and says why in one line. */
START_TEST(a_bad_setting_is_refused)
{
	const struct program_setup setup = {
		.name = "hello", .options = starts[_i].options, .environment = starts[_i].settings};
	const char *line;

	program = program_start(&setup);
	ck_assert_int_eq(program_end(program), starts[_i].code);
	line = program_complained(program);
	ck_assert_msg(strstr(line, starts[_i].line), "%s", line);
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	ck_assert_str_eq(program_said(program), "");
}
END_TEST

/* Contract 10. */
START_TEST(help_is_given)
{
	const char *const options[] = {"--help", NULL};
	const struct program_setup setup = {.name = "hello", .options = options};

	program = program_start(&setup);
	ck_assert_int_eq(program_end(program), 0);
	ck_assert(strstr(program_said(program), "--port"));
	ck_assert(strstr(program_said(program), "IGNORED_ROUTES"));
	ck_assert_str_eq(program_complained(program), "");
}
END_TEST

/* Contract 2: whether it gets the port or somebody else has it, it names it. */
START_TEST(the_usual_port_is_8080)
{
	const struct program_setup setup = {.name = "hello"};

	program = program_start(&setup);
	while (!strstr(program_said(program), "port 8080") &&
		!strstr(program_complained(program), "port 8080"))
		usleep(1000);
}
END_TEST

/* Contract 3: the command line has the last word. */
START_TEST(the_command_line_has_the_last_word)
{
	static const char *const settings[] = {"PORT=1", "FUNCTION_TARGET=nope", NULL};
	char flag[16];
	const char *const options[] = {"--target=hello", "--port", flag, NULL};
	struct peer *peer;

	port = free_port();
	snprintf(flag, sizeof(flag), "%u", port);
	program = program_start(&(struct program_setup){
		.name = "hello", .options = options, .environment = settings});
	ck_assert(program_is_up(program, port));
	peer = peer_connect(port);
	hello_assert_works(peer);
	peer_close(peer);
}
END_TEST

/* Contract 11: it says so at once, and does not wait for the port. */
START_TEST(a_port_in_use_is_refused)
{
	char listen[16], line[64];
	const char *const settings[] = {listen, NULL};
	struct program *second;

	serve(NULL);
	snprintf(listen, sizeof(listen), "PORT=%u", port);
	snprintf(line, sizeof(line), "listen on port %u: Address already in use\n", port);
	second = program_start(&(struct program_setup){.name = "hello", .environment = settings});
	ck_assert_int_eq(program_end(second), 1);
	ck_assert_str_eq(program_complained(second), line);
	program_drop(second);
}
END_TEST

/* Contract 1. */
START_TEST(both_families_are_listened_to)
{
	struct peer *peer;

	serve(NULL);
	peer = peer_connect(port);
	hello_assert_works(peer);
	peer_close(peer);
	if (access("/proc/net/if_inet6", F_OK) != 0)
		return; /* a machine without IPv6 */
	peer = peer_connect_to("::1", port);
	ck_assert(peer);
	hello_assert_works(peer);
	peer_close(peer);
}
END_TEST

/* A sidecar that only its neighbour may talk to. */
START_TEST(one_address_can_be_chosen)
{
	static const char *const settings[] = {"LISTEN_HOST=127.0.0.1", NULL};
	struct peer *peer;

	serve(settings);
	peer = peer_connect(port);
	hello_assert_works(peer);
	peer_close(peer);
	ck_assert_ptr_null(peer_connect_to("127.0.0.2", port));
}
END_TEST

/* Contract 14, 15: process 1 of a container, with no environment, no input and no home. */
START_TEST(process_1_stops_when_told_to)
{
	struct peer *peer;

	program = hello_start((struct program_setup){.as_init = true}, NULL, &port);
	if (!program)
		return; /* only root may make a namespace */
	peer = peer_connect(port);
	hello_assert_works(peer);
	program_signal(program, SIGTERM);
	ck_assert_int_eq(program_end(program), 0);
	peer_close(peer);
}
END_TEST

/* Contract 133: no line of our own where the platform writes them. */
START_TEST(production_starts_in_silence)
{
	static const char *const settings[] = {"K_SERVICE=hello", "K_REVISION=hello-1", NULL};
	struct peer *peer;

	serve(settings);
	peer = peer_connect(port);
	hello_assert_works(peer);
	peer_close(peer);
	ck_assert_str_eq(program_said(program), "");
}
END_TEST

/* ---- Living on ---- */

/* Contract 30: a process that was frozen goes on where it was. */
START_TEST(a_frozen_process_goes_on)
{
	struct peer *idle, *busy;

	serve(NULL);
	idle = peer_connect(port);
	busy = peer_connect(port);
	hello_assert_works(idle);
	peer_sends(busy, GET("/slow?ms=50"));
	program_signal(program, SIGSTOP);
	peer_sends(idle, GET("/"));
	ck_assert(peer_is_silent(idle, 600));
	program_signal(program, SIGCONT);
	ck_assert(peer_read(idle, &answer));
	ck_assert_int_eq(answer.status, 200);
	ck_assert(peer_read(busy, &answer));
	ck_assert_int_eq(answer.status, 200);
	peer_close(idle);
	peer_close(busy);
}
END_TEST

/* Contract 32: whoever reads from it no more, a client or a pipe, does not end it. */
START_TEST(a_broken_pipe_is_survived)
{
	struct peer *peer;

	serve(NULL);
	peer = peer_connect(port);
	program_signal(program, SIGPIPE);
	hello_assert_works(peer);
	peer_close(peer);
}
END_TEST

static bool
is_date(struct fn_bytes text, time_t time)
{
	char date[64];
	struct tm utc;

	strftime(date, sizeof(date), "%a, %d %b %Y %T GMT", gmtime_r(&time, &utc));
	return fn_bytes_is(text, date);
}

/* RFC 9110, 6.6.1: each answer has the date of its second, also where one thread has made many. */
START_TEST(the_date_goes_on)
{
	struct peer *peer;

	serve(NULL);
	peer = peer_connect(port);
	for (int i = 0; i < 3; i++) {
		time_t before = time(NULL), date = before;

		ck_assert_int_eq(peer_ask(peer, GET("/"), &answer), 200);
		while (date < time(NULL) && !is_date(answer_header(&answer, "Date"), date))
			date++;
		ck_assert(is_date(answer_header(&answer, "Date"), date));
		sleep(1);
	}
	peer_close(peer);
}
END_TEST

/* A client that gives up in the middle of its request is let go, not waited for: also where its
 * last bytes and its end are seen at the same time. */
START_TEST(half_a_request_and_the_end)
{
	struct peer *peer;

	serve(NULL);
	program_signal(program, SIGSTOP);
	peer = peer_connect(port);
	peer_sends(peer, "GET / HTTP/1.1\r\n");
	peer_finish(peer);
	program_signal(program, SIGCONT);
	ck_assert(peer_ended(peer));
	peer_close(peer);
}
END_TEST

/* ---- Limits ---- */

#define FDS 64

/* Contract 18: with as many connections as it may have it accepts no more until one ends. */
START_TEST(connections_have_a_limit)
{
	struct peer *peers[FDS] = {0}, *next;
	size_t count = 0;

	program = hello_start((struct program_setup){.fds_most = FDS}, NULL, &port);
	do {
		ck_assert_uint_lt(count, FDS);
		peers[count] = peer_connect(port);
		peer_sends(peers[count++], GET("/"));
	} while (!peer_is_silent(peers[count - 1], 500));
	next = peers[--count];
	ck_assert_uint_ge(count, FDS / 4);
	for (size_t i = 0; i < count; i++) {
		ck_assert(peer_read(peers[i], &answer));
		peer_close(peers[i]);
	}
	ck_assert(peer_read(next, &answer));
	ck_assert_int_eq(answer.status, 200);
	peer_close(next);
}
END_TEST

static size_t
times(const char *text, const char *what)
{
	size_t count = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		count++;
	}
	return count;
}

/* Contract 18: the same where file descriptors run out before; it waits for better times, and does
 * not try all the while. */
START_TEST(a_lack_of_fds_is_survived)
{
	static const char complaint[] = "no new connections for now: Too many open files";
	struct peer *peers[FDS] = {0};

	program = hello_start(
		(struct program_setup){.fds_most = FDS, .fds_taken = FDS - 20}, NULL, &port);
	for (size_t i = 0; i < COUNT(peers); i++)
		peers[i] = peer_connect(port);
	program_says(program, complaint);
	usleep(300000);
	ck_assert_uint_lt(times(program_said(program), complaint), 10);
	for (size_t i = 0; i < COUNT(peers); i++) {
		hello_assert_works(peers[i]);
		peer_close(peers[i]);
	}
}
END_TEST

/* Contract 56. */
START_TEST(the_largest_body_can_be_set)
{
	static const char *const settings[] = {"MAX_BODY_BYTES=5", NULL};
	struct peer *peer;

	serve(settings);
	peer = peer_connect(port);
	ck_assert_int_eq(peer_ask(peer,
				 "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
				 "hello",
				 &answer),
		200);
	ck_assert_bytes_eq(answer.body, "hello");
	ck_assert_int_eq(
		peer_ask(peer, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nhello!",
			&answer),
		413);
	peer_close(peer);
}
END_TEST

static const struct {
	const char *setting, *request;
	bool reaches_function;
} routes[] = {
	{NULL, GET("/favicon.ico"), false},
	{NULL, GET("/robots.txt?x=1"), false},
	{NULL, "DELETE /robots.txt HTTP/1.1\r\nHost: h\r\n\r\n", false},
	{NULL, GET("/robots.txt/"), true},
	{NULL, GET("/robots"), true},
	{NULL, GET("/"), true},
	{NULL, GET("/health"), true},
	{NULL, GET("/metrics"), true},
	{NULL, GET("/_ah/warmup"), true},
	{"IGNORED_ROUTES=none", GET("/favicon.ico"), true},
	{"IGNORED_ROUTES=/a|/b", GET("/robots.txt"), true},
	{"IGNORED_ROUTES=/a|/b", GET("/b"), false},
};

/* Contract 36 to 38: two paths that nobody means are answered without the function, no others. */
START_TEST(some_paths_are_ignored)
{
	const char *const settings[] = {routes[_i].setting, NULL};
	struct peer *peer;

	serve(settings);
	peer = peer_connect(port);
	peer_ask(peer, routes[_i].request, &answer);
	if (!routes[_i].reaches_function) {
		ck_assert_int_eq(answer.status, 404);
		ck_assert_bytes_eq(answer_header(&answer, "Content-Length"), "0");
	}
	ck_assert_int_eq(answer.body.size > 0, routes[_i].reaches_function);
	hello_assert_works(peer);
	peer_close(peer);
}
END_TEST

/* ---- Logs ---- */

/* The last line, and that it and all others are JSON. */
static struct fn_bytes
last_line(struct fn_bytes text)
{
	struct fn_bytes line = {0}, json;
	struct fn_error err = {0};

	ck_assert(text.size > 0 && text.at[text.size - 1] == '\n');
	while (text.size > 0) {
		line = fn_bytes_cut(&text, '\n');
		ck_assert_msg(
			fn_json_read(line, &json, &err), "%s: %.*s", err.message, FN_ARG(line));
	}
	return line;
}

/* Contract 29, 43, 127 to 130, 132: what a call logs is there, in one line, before its answer is.
 */
START_TEST(logs_come_before_the_answer)
{
	static const char *const settings[] = {
		"GOOGLE_CLOUD_PROJECT=p1", "LOG_EXECUTION_ID=true", NULL};
	struct peer *peer;
	const char *line;

	serve(settings);
	peer = peer_connect(port);
	ck_assert_int_eq(
		peer_ask(peer,
			"GET /slow?ms=\" HTTP/1.1\r\nHost: h\r\nFunction-Execution-Id: e\"1\r\n"
			"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
			"\r\n",
			&answer),
		400);
	line = last_line(fn_bytes(program_said(program))).at;
	ck_assert(strstr(line, "\"severity\":\"INFO\""));
	ck_assert(strstr(line, "\"message\":\"400 GET /slow: ms must be"));
	ck_assert(strstr(line, "\"logging.googleapis.com/trace\":"
			       "\"projects/p1/traces/4bf92f3577b34da6a3ce929d0e0e4736\""));
	ck_assert(strstr(line, "\"logging.googleapis.com/spanId\":\"00f067aa0ba902b7\""));
	ck_assert(strstr(line, "\"logging.googleapis.com/trace_sampled\":true"));
	ck_assert(strstr(line, "\"logging.googleapis.com/labels\":{\"execution_id\":\"e\\\"1\"}"));
	peer_close(peer);
}
END_TEST

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define NAMED(span, sampled)                                                                       \
	"\"logging.googleapis.com/trace\":\"projects/p1/traces/" TRACE "\","                       \
	"\"logging.googleapis.com/spanId\":\"" span "\","                                          \
	"\"logging.googleapis.com/trace_sampled\":" sampled

static const struct {
	const char *header, *named; /* NULL: no trace */
} traces[] = {
	{"traceparent: 00-" TRACE "-00f067aa0ba902b7-00", NAMED("00f067aa0ba902b7", "false")},
	{"X-Cloud-Trace-Context: " TRACE "/74;o=1", NAMED("000000000000004a", "true")},
	{"x-cloud-trace-context: " TRACE "/74", NAMED("000000000000004a", "false")},
	{"traceparent: 00-" TRACE "-00f067aa0ba902b7", NULL},
	{"traceparent: \"}\r\nX-Cloud-Trace-Context: {", NULL},
	{"X-Cloud-Trace-Context: " TRACE "0/74;o=1", NULL},
	{"X: y", NULL},
};

/* Contract 130: the trace stands in the call's lines as its sender named it; a malformed one is as
 * good as none, and the call is served. */
START_TEST(a_trace_is_named_or_left_out)
{
	static const char *const settings[] = {"GOOGLE_CLOUD_PROJECT=p1", NULL};
	struct peer *peer;
	char request[256];
	const char *line;

	serve(settings);
	peer = peer_connect(port);
	snprintf(request, sizeof(request), "GET /slow HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n",
		traces[_i].header);
	ck_assert_int_eq(peer_ask(peer, request, &answer), 400);
	line = last_line(fn_bytes(program_said(program))).at;
	ck_assert(strstr(line, "400 GET /slow"));
	ck_assert_msg(strstr(line, traces[_i].named ? traces[_i].named : "400"), "%s", line);
	ck_assert_int_eq(strstr(line, "/trace") != NULL, traces[_i].named != NULL);
	peer_close(peer);
}
END_TEST

/* Contract 134: what a request says beside its method and path is nobody's business. */
START_TEST(what_is_private_is_not_logged)
{
	static const char *const settings[] = {"LOG_LEVEL=debug", "API_KEY=hush", NULL};
	struct peer *peer;

	serve(settings);
	peer = peer_connect(port);
	ck_assert_int_eq(peer_ask(peer,
				 "POST /slow?key=hush HTTP/1.1\r\nHost: hush\r\n"
				 "Authorization: Bearer hush\r\nCookie: hush=hush\r\n"
				 "Content-Length: 4\r\n\r\nhush",
				 &answer),
		405);
	ck_assert_int_eq(peer_ask(peer, "POST / HTTP/1.1\r\nhush : hush\r\n\r\n", &answer), 400);
	peer_close(peer);
	program_signal(program, SIGTERM);
	ck_assert_int_eq(program_end(program), 0);
	ck_assert(strstr(program_said(program), "405 POST /slow"));
	ck_assert_msg(!strstr(program_said(program), "hush"), "%s", program_said(program));
	ck_assert_str_eq(program_complained(program), "");
}
END_TEST

/* Contract 131, 132: without a project a trace cannot be named; ids are for who asks for them. */
START_TEST(logs_say_no_more_than_is_known)
{
	struct peer *peer;
	const char *line;

	serve(NULL);
	peer = peer_connect(port);
	peer_ask(peer,
		"GET /slow HTTP/1.1\r\nHost: h\r\nFunction-Execution-Id: e1\r\n"
		"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n",
		&answer);
	line = last_line(fn_bytes(program_said(program))).at;
	ck_assert(strstr(line, "400 GET /slow"));
	ck_assert(!strstr(line, "logging.googleapis.com"));
	peer_close(peer);
}
END_TEST

/* Contract 127: lines of calls that run at the same time do not mix. */
START_TEST(lines_stay_whole)
{
	struct peer *peers[80];
	size_t lines = 0;
	struct fn_bytes said;

	serve(NULL);
	for (size_t i = 0; i < COUNT(peers); i++) {
		peers[i] = peer_connect(port);
		for (int n = 0; n < 10; n++)
			peer_sends(peers[i], GET("/slow?ms=x"));
	}
	for (size_t i = 0; i < COUNT(peers); i++) {
		for (int n = 0; n < 10; n++)
			ck_assert(peer_read(peers[i], &answer));
		peer_close(peers[i]);
	}
	said = fn_bytes(program_said(program));
	last_line(said);
	while (said.size > 0) {
		fn_bytes_cut(&said, '\n');
		lines++;
	}
	ck_assert_uint_eq(lines, 1 + 10 * COUNT(peers));
}
END_TEST

int
main(void)
{
#define A(name) .test = name, .teardown = program_close
	const struct suite_case cases[] = {
		{A(a_bad_setting_is_refused), .rows = COUNT(starts)},
		{A(help_is_given)},
		{A(the_usual_port_is_8080)},
		{A(the_command_line_has_the_last_word)},
		{A(a_port_in_use_is_refused)},
		{A(both_families_are_listened_to)},
		{A(one_address_can_be_chosen)},
		{A(process_1_stops_when_told_to)},
		{A(production_starts_in_silence)},
		{A(a_frozen_process_goes_on)},
		{A(a_broken_pipe_is_survived)},
		{A(the_date_goes_on)},
		{A(half_a_request_and_the_end)},
		{A(connections_have_a_limit)},
		{A(a_lack_of_fds_is_survived)},
		{A(the_largest_body_can_be_set)},
		{A(some_paths_are_ignored), .rows = COUNT(routes)},
		{A(logs_come_before_the_answer)},
		{A(a_trace_is_named_or_left_out), .rows = COUNT(traces)},
		{A(what_is_private_is_not_logged)},
		{A(logs_say_no_more_than_is_known)},
		{A(lines_stay_whole)},
	};

	return suite_run("serve", cases, COUNT(cases));
}
