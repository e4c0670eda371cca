#include "tests/support/hello.h"

#include "tests/support/ports.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

#define SETTINGS_MOST 8

struct program *
hello_start(struct program_setup setup, const char *const *settings, unsigned *port)
{
	const char *environment[SETTINGS_MOST + 2] = {0};
	struct program *program = NULL;
	char listen[32];

	for (size_t i = 0; settings && settings[i]; i++) {
		ck_assert_uint_lt(i, SETTINGS_MOST);
		environment[i + 1] = settings[i];
	}
	environment[0] = listen;
	setup.name = "hello";
	setup.environment = environment;
	do { /* somebody else may be quicker to take the port */
		program_drop(program);
		*port = free_port();
		snprintf(listen, sizeof(listen), "PORT=%u", *port);
		program = program_start(&setup);
	} while (program && !program_is_up(program, *port) &&
		 strstr(program_complained(program), "Address already in use"));
	ck_assert_msg(!program || strcmp(program_complained(program), "") == 0, "%s",
		program_complained(program));
	return program;
}

void
hello_assert_works(struct peer *peer)
{
	struct answer answer;

	ck_assert_int_eq(peer_ask(peer, HELLO_GET("/"), &answer), 200);
	ck_assert_bytes_eq(answer.body, "Hello, world!\n");
}
