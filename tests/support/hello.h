/* hello.h: build/bin/hello, the least function, as a child of the test. */
#ifndef HELLO_H
#define HELLO_H

#include "tests/support/peer.h"
#include "tests/support/program.h"

#define HELLO_GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

/* Starts it on a free port, with these settings ("NAME=value", up to NULL; NULL: none) and what
 * else `setup` wants, and waits until it listens. NULL where program_start is. */
struct program *hello_start(
	struct program_setup setup, const char *const *settings, unsigned *port);

void hello_assert_works(struct peer *);

#endif
