/* serve.h: turns handlers into a process that Cloud Run, or a shell, can start.
 *
 * Only main.c includes this. The process listens on PORT (8080), runs at most MAX_CONCURRENCY
 * handlers at once, and on SIGTERM finishes what it has begun and exits 0.
 * Source: cloud.google.com/run/docs/container-contract and the Functions Framework contract
 * (github.com/GoogleCloudPlatform/functions-framework). */
#ifndef FN_SERVE_H
#define FN_SERVE_H

#include "fn/call.h"
#include "fn/cloud_event.h"
#include "fn/typed.h"

/* Exactly one of the three handlers is set; it decides what kind of function this is, whatever
 * FUNCTION_SIGNATURE_TYPE says. */
struct fn_function {
	const char *target;      /* the name that FUNCTION_TARGET asks for */
	fn_handler *http;        /* any method, any path */
	fn_event_handler *event; /* POST; answered 204 once the event is done */
	fn_typed_handler *typed; /* POST of JSON, answered with JSON */
	const void *with;        /* handed to the handler at each call */
	size_t max_body;         /* bytes; 0: MAX_BODY_BYTES alone says */
};

/* Serves until SIGTERM or SIGINT; the return value is the process's exit code: 0 after a clean
 * stop, 78 for a bad setting, 1 when it could not serve (one line on stderr says why).
 * The signals reach the loop alone: a thread that main starts before must have blocked both, or
 * they end the process at once.
 * FUNCTION_TARGET (or --target) chooses among several functions; without it the first is served.
 * A name that is not registered is an error. */
int fn_serve(int argc, char **argv, const struct fn_function *, size_t count);

#endif
