/* The folder runtime/, copied elsewhere, builds and serves with the README's own lines: its
 * programs are compiled as printed, by the commands as printed. */
#include "tests/support/peer.h"
#include "tests/support/ports.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fn_arena *arena;
static const char *folder; /* has runtime/ in it */
static struct program *program;
static struct peer *peer;
static struct answer answer;

/* The README's nth block in this language, from 0. */
static struct fn_bytes
block(const char *language, int nth)
{
	FILE *file = fopen("runtime/README.md", "re");
	struct fn_builder text = {.arena = arena};
	char *start = fn_textf(arena, "```%s\n", language), line[512];
	bool inside = false;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		if (inside && strcmp(line, "```\n") == 0)
			break;
		if (inside)
			fn_add(&text, fn_bytes(line));
		else if (strcmp(line, start) == 0)
			inside = nth-- == 0;
	}
	fclose(file);
	ck_assert_uint_gt(text.size, 0);
	return fn_built(&text);
}

/* In the folder; what a command says is shown where it fails. */
static bool
run(const char *commands)
{
	return system(fn_textf(arena, "cd '%s' && (%s\n) >log 2>&1 || (cat log; exit 1)", folder,
		       commands)) == 0;
}

static void
lift(void)
{
	char here[4096];

	arena = fn_arena_new();
	folder = temp_folder();
	assert(getcwd(here, sizeof(here)));
	assert(run(fn_textf(arena, "cp -r '%s/runtime' . && rm -rf runtime/build", here)));
	/* the make that runs this test says what only it means */
	unsetenv("MAKEFLAGS");
	unsetenv("MAKELEVEL");
}

/* Builds the README's nth program by its commands, and starts it. */
static void
serve(int nth)
{
	char *path = fn_textf(arena, "%s/hello.c", folder), listen[16];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct fn_bytes source = block("c", nth);
	const char *const environment[] = {listen, NULL};
	unsigned port = free_port();

	ck_assert_int_eq(write(fd, source.at, source.size), (ssize_t)source.size);
	close(fd);
	ck_assert(run(fn_textf(arena, "set -e\n%.*s", FN_ARG(block("sh", 0)))));

	setenv("PHOENIX_BIN", folder, 1);
	snprintf(listen, sizeof(listen), "PORT=%u", port);
	program =
		program_start(&(struct program_setup){.name = "hello", .environment = environment});
	ck_assert_msg(program_is_up(program, port), "%s", program_complained(program));
	peer = peer_connect(port);
}

static void
stop(void)
{
	peer_close(peer);
	program_drop(program);
}

static int
post(const char *headers, const char *body)
{
	return peer_ask(peer,
		fn_textf(arena, "POST / HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s",
			headers, strlen(body), body),
		&answer);
}

START_TEST(http_function_says_hello)
{
	serve(0);
	ck_assert_int_eq(peer_ask(peer, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", &answer), 200);
	ck_assert_bytes_eq(answer.body, "Hello, world!\n");
}
END_TEST

START_TEST(event_function_logs_its_event)
{
	serve(1);
	ck_assert_int_eq(post("ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /curl\r\n"
			      "ce-type: greeting\r\nContent-Type: application/json\r\n",
				 "{}"),
		204);
	program_says(program, "Hello, 1 of /curl!");
}
END_TEST

START_TEST(typed_function_answers_json)
{
	serve(2);
	ck_assert_int_eq(post("", "{\"name\": \"Ada\"}"), 200);
	ck_assert_bytes_eq(answer.body, "{\"hello\": \"Ada\"}");
	ck_assert_int_eq(post("", "{}"), 400);
}
END_TEST

/* A header that cannot be included is as good as none. */
START_TEST(libcurl_is_not_needed)
{
	ck_assert(run(
		"mkdir -p bare none/curl && cp -r runtime bare && echo '#error' >none/curl/curl.h"
		" && rm -rf bare/runtime/build && CPATH=$PWD/none make -C bare/runtime"
		" && ! test -e bare/runtime/build/http_client.o"));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = http_function_says_hello, .teardown = stop},
		{.test = event_function_logs_its_event, .teardown = stop},
		{.test = typed_function_answers_json, .teardown = stop},
		{.test = libcurl_is_not_needed},
	};
	int result;

	lift();
	result = suite_run("lift", cases, COUNT(cases));
	fn_arena_drop(arena);
	return result;
}
