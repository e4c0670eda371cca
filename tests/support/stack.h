/* stack.h: all of Phoenix as `make run` starts it, on ports and in folders of its own. */
#ifndef STACK_H
#define STACK_H

#include "tests/support/program.h"

struct stack {
	struct program *program; /* local/up */
	unsigned port;           /* of the gateway; those of the parts lie behind it */
	const char *url;         /* of the gateway, as a browser sees it: "http://localhost:PORT" */
	const char *data;        /* PHOENIX_DATA */
	const char *temp;        /* TMPDIR */
	struct fn_arena *arena;
};

enum stack_port { /* plus the gateway's */
	STACK_GATEWAY = 0,
	STACK_GENERATE_IMAGE = 1,
	STACK_SUBMIT_VIDEO = 2,
	STACK_VIDEO_WORKER = 3,
	STACK_FEED = 4,
	STACK_VERTEX = 10,
	STACK_REDIS = 11,
	STACK_ISSUER = 12,
	STACK_PORTS,
};

/* Starts it on ports that are free. `settings`: "IMAGEN_LATENCY_MS=500", up to NULL; NULL: none. */
void stack_start(struct stack *, const char *const *settings);

/* The same in two steps: between them a test can spoil something. */
void stack_prepare(struct stack *);
void stack_launch(struct stack *, const char *const *settings);

void stack_is_up(struct stack *); /* waits until it says so */

/* Asks it to stop, by a signal, and waits: its exit code, or 128 and the signal's number. */
int stack_stop(struct stack *, int signal);

void stack_drop(struct stack *); /* kills what still runs */

#endif
