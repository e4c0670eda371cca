#include "fn/log.h"

#include "fn/call.h"
#include "fn/clock.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 65536

static int stdout_kept, reader;
static struct fn_call call;

/* Puts a socket that keeps each write(2) apart in the place of stdout. */
static void
stdout_watch(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	stdout_kept = dup(STDOUT_FILENO);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	reader = ends[0];
	unsetenv("GOOGLE_CLOUD_PROJECT");
	fn_log_level(FN_INFO);
	fn_clock_pretend(1795498618123);
	call = (struct fn_call){.log = {.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
					.span_id = "00f067aa0ba902b7",
					.sampled = true}};
}

static void
stdout_restore(void)
{
	fn_clock_pretend(0);
	dup2(stdout_kept, STDOUT_FILENO);
	close(stdout_kept);
	close(reader);
}

/* The next write as text; empty where there was none. */
static const char *
next_write(void)
{
	static char text[MOST];
	ssize_t size = recv(reader, text, sizeof(text) - 1, MSG_DONTWAIT);

	ck_assert(size >= 0 || errno == EAGAIN);
	text[size > 0 ? size : 0] = '\0';
	return text;
}

/* A line is one write of one JSON object with what Cloud Logging asks for. */
START_TEST(a_line_is_one_object)
{
	fn_log(NULL, FN_WARNING, "%d of %s", 2, "3");
	ck_assert_str_eq(next_write(),
		"{\"severity\":\"WARNING\",\"time\":\"2026-11-24T05:36:58.123Z\","
		"\"message\":\"2 of 3\"}\n");
	ck_assert_str_eq(next_write(), "");
}
END_TEST

static const char *const severities[] = {"DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"};

/* What is below the level is not written, and the level itself is. */
START_TEST(severities_below_the_level_are_silent)
{
	char start[64];

	snprintf(start, sizeof(start), "{\"severity\":\"%s\",", severities[_i]);
	fn_log_level((enum fn_severity)_i);
	if (_i > 0)
		fn_log(NULL, (enum fn_severity)(_i - 1), "not this");
	fn_log(NULL, (enum fn_severity)_i, "this");
	ck_assert_int_eq(strncmp(next_write(), start, strlen(start)), 0);
}
END_TEST

/* A call's lines are found by its trace, in the form that links them in Cloud Logging. */
START_TEST(a_call_carries_its_trace)
{
	setenv("GOOGLE_CLOUD_PROJECT", "phoenix-1", 1);
	fn_log(&call, FN_INFO, "x");
	ck_assert_ptr_nonnull(strstr(next_write(),
		"\"message\":\"x\","
		"\"logging.googleapis.com/trace\":"
		"\"projects/phoenix-1/traces/4bf92f3577b34da6a3ce929d0e0e4736\","
		"\"logging.googleapis.com/spanId\":\"00f067aa0ba902b7\","
		"\"logging.googleapis.com/trace_sampled\":true}\n"));
}
END_TEST

/* Ids of the call are members of their own; the same name again replaces the value. */
START_TEST(a_call_carries_its_fields)
{
	fn_log_field(&call, "user", FN_BYTES("user_1"));
	fn_log_field(&call, "creation", FN_BYTES("img_1"));
	fn_log_field(&call, "user", FN_BYTES("user_2"));
	fn_log(&call, FN_INFO, "x");
	ck_assert_ptr_nonnull(strstr(
		next_write(), "\"message\":\"x\",\"user\":\"user_2\",\"creation\":\"img_1\"}\n"));
}
END_TEST

/* More fields than there is room for are left out, and the others stay. */
START_TEST(fields_beyond_the_room_are_left_out)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};

	for (size_t i = 0; i < COUNT(names); i++)
		fn_log_field(&call, names[i], FN_BYTES("1"));
	fn_log(&call, FN_INFO, "x");
	ck_assert_ptr_nonnull(strstr(next_write(), "\"e\":\"1\",\"f\":\"1\"}\n"));
}
END_TEST

static const struct {
	const char *text, *read;
} hostile[] = {
	{"\"}\n{\"severity\":\"CRITICAL\"", "\"}\n{\"severity\":\"CRITICAL\""},
	{"\\\r\n\t\x01\x1f\x7f", "\\\r\n\t\x01\x1f\x7f"},
	{"\xff\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{"\xf0\x9f\xa6\x8a \xe2\x80\xa8", "\xf0\x9f\xa6\x8a \xe2\x80\xa8"},
	{"%s%n", "%s%n"},
};

/* Whatever bytes a client sends into a log, a line stays one JSON object that says them. */
START_TEST(hostile_bytes_stay_inside)
{
	const char *line, *message, *user, *trace;
	json_t *object;

	setenv("GOOGLE_CLOUD_PROJECT", hostile[_i].text, 1);
	fn_log_field(&call, "user", fn_bytes(hostile[_i].text));
	fn_log(&call, FN_ERROR, "%s", hostile[_i].text);
	line = next_write();
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);

	object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_int_eq(json_unpack(object, "{s:s, s:s, s:s}", "message", &message, "user", &user,
				 "logging.googleapis.com/trace", &trace),
		0);
	ck_assert_str_eq(message, hostile[_i].read);
	ck_assert_str_eq(user, hostile[_i].read);
	json_decref(object);
}
END_TEST

/* A sentence without end is cut, and its line is whole all the same. */
START_TEST(an_endless_sentence_is_cut)
{
	static char endless[MOST];
	json_t *object;

	memset(endless, '\x01', sizeof(endless) - 1);
	fn_log(NULL, FN_INFO, "%s", endless);
	object = json_loads(next_write(), 0, NULL);
	ck_assert_uint_eq(json_string_length(json_object_get(object, "message")), 4095);
	json_decref(object);
}
END_TEST

#define WRITERS 4
#define LINES 40

static void *
write_lines(void *text)
{
	for (int i = 0; i < LINES; i++)
		fn_log(NULL, FN_INFO, "%s", (const char *)text);
	return NULL;
}

/* Lines of many threads, each longer than a pipe takes at once, do not mix. */
START_TEST(lines_of_threads_do_not_mix)
{
	pthread_t writers[WRITERS];
	static char text[4096];
	int ends[2], count = 0;
	json_t *object;
	FILE *lines;

	memset(text, '\x01', sizeof(text) - 1);
	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	for (int i = 0; i < WRITERS; i++)
		ck_assert_int_eq(pthread_create(&writers[i], NULL, write_lines, text), 0);

	lines = fdopen(ends[0], "r");
	while (count < WRITERS * LINES) {
		object = json_loadf(lines, JSON_DISABLE_EOF_CHECK, NULL);
		ck_assert_msg(object != NULL, "line %d is broken", count);
		json_decref(object);
		count++;
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	fclose(lines);
}
END_TEST

#define WATCHED .setup = stdout_watch, .teardown = stdout_restore

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = a_line_is_one_object, WATCHED},
		{.test = severities_below_the_level_are_silent, .rows = COUNT(severities), WATCHED},
		{.test = a_call_carries_its_trace, WATCHED},
		{.test = a_call_carries_its_fields, WATCHED},
		{.test = fields_beyond_the_room_are_left_out, WATCHED},
		{.test = hostile_bytes_stay_inside, .rows = COUNT(hostile), WATCHED},
		{.test = an_endless_sentence_is_cut, WATCHED},
		{.test = lines_of_threads_do_not_mix, WATCHED},
	};

	return suite_run("log", cases, COUNT(cases));
}
