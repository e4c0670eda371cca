/* asked.h: one request to a handler, as the runtime would make it, and what became of it. */
#ifndef ASKED_H
#define ASKED_H

#include "fn/call.h"

#include <jansson.h>

struct asked {
	struct fn_header headers[2];
	struct fn_call call;
	struct fn_error err;
	int status;
	const char *answer; /* its body */
	json_t *json;       /* the same; NULL where it is none */
	struct fn_bytes id; /* for the caller: of what was made */
};

/* `target` is a path with a query or without. What the request leads to lives as long as the
 * test's arena. */
struct asked asked_new(struct fn_arena *, const char *method, const char *target);

/* A POST of JSON. `key` is its Idempotency-Key; NULL: none. */
struct asked asked_post(struct fn_arena *, const char *target, const char *body, const char *key);

/* Until `within_ms` from now. */
void asked_run(struct asked *, fn_handler *handler, const void *with, int64_t within_ms);

/* A request that is wrong in one way, and how that is said. */
struct asked_wrong {
	const char *method, *path, *body, *type, *key; /* its Content-Type, its Idempotency-Key */
	int status;
	const char *sentence; /* a part of it */
};

struct asked asked_wrongly(struct fn_arena *, const struct asked_wrong *);
void assert_wrong(const struct asked *, const struct asked_wrong *);

struct fn_bytes asked_header(const struct asked *, const char *name); /* of the answer */
struct fn_bytes asked_logged(const struct asked *, const char *name);

#define assert_answer(it, wanted)                                                                  \
	do {                                                                                       \
		struct asked it_ = (it);                                                           \
		ck_assert_msg(it_.status == (wanted), "%d, not %d: %s", it_.status, (wanted),      \
			it_.err.message);                                                          \
	} while (0)

#endif
