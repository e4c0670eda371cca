/* program.h: one of the built programs as a child of the test.
 *
 * It starts with no environment but what is given and an empty standard input. PHOENIX_BIN says
 * where the programs are (build/bin by default). It dies with the test. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "fn/bytes.h"

struct program;

struct program_setup {
	const char *name;               /* "hello"; with a slash it is a path: "local/up" */
	const char *const *options;     /* of the command line, up to NULL; NULL: none */
	const char *const *environment; /* "PORT=8080", up to NULL; NULL: none */
	const char *folder;             /* to run in; NULL: one that it cannot write to */
	unsigned fds_most;              /* its RLIMIT_NOFILE; 0: ours */
	unsigned fds_taken;             /* so many are open before it starts */
	bool as_init;                   /* as process 1 of a namespace of its own */
};

/* NULL with errno where the machine does not allow `as_init`. */
struct program *program_start(const struct program_setup *);

/* Waits until it listens on the port, or has ended: then false. */
bool program_is_up(struct program *, unsigned port);

void program_signal(struct program *, int signal);

int program_pid(const struct program *); /* 0 once it is known to have ended */

/* Waits for its end: the exit code, or 128 and the number of the signal that killed it. */
int program_end(struct program *);

/* What it has written so far, as a C string that lives until the program is dropped. */
const char *program_said(struct program *);       /* to standard output */
const char *program_complained(struct program *); /* to standard error */

/* Waits until it has written this to standard output. */
void program_says(struct program *, const char *text);

void program_drop(struct program *); /* kills it where it still runs; NULL is fine */

#endif
