/* pty.h: one of the built programs on a terminal of its own, as a person has it before them.
 *
 * It starts with no environment but what is given. PHOENIX_BIN says where the programs are
 * (build/bin by default). What is waited for in vain for 20 seconds fails the test. */
#ifndef PTY_H
#define PTY_H

#include "fn/bytes.h"

struct pty;

struct pty_setup {
	const char *program;            /* "phoenixctl" */
	const char *const *options;     /* of the command line, up to NULL; NULL: none */
	const char *const *environment; /* "TERM=xterm", up to NULL; NULL: none */
	unsigned width, height;         /* of the terminal */
};

struct pty *pty_start(const struct pty_setup *);
void pty_drop(struct pty *); /* kills what still runs */

void pty_resize(struct pty *, unsigned width, unsigned height);
void pty_type(struct pty *, const char *keys); /* "\003" is Ctrl-C */

/* Waits until the terminal has got this, after what the last call waited for. */
void pty_gets(struct pty *, const char *text);

/* All that it has got, escape sequences included; lives until it is dropped. */
const char *pty_got(struct pty *);

bool pty_echoes(struct pty *); /* what is typed */

void pty_signal(struct pty *, int signal);
void pty_is_stopped(struct pty *); /* waits until it is, by a signal */

/* Waits for the program's end: its exit code, or 128 and the number of the signal that ended it. */
int pty_end(struct pty *);

#endif
