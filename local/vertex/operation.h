/* operation.h: the films that were asked for, and how far each is.
 *
 * They are made up when somebody wants to see one: the same operation gives the same bytes. They
 * are remembered until the process ends. */
#ifndef OPERATION_H
#define OPERATION_H

#include "local/vertex/film.h"
#include "local/vertex/model.h"
#include "local/vertex/safety.h"

struct operation {
	/* "projects/P/locations/L/publishers/google/models/M/operations/ID" */
	struct fn_bytes name;
	struct fn_bytes bucket, object; /* where the result is; empty: it comes inline */
	struct filming filming;
	struct safety safety;
	struct fault fault;
	int64_t begun_ms, done_ms; /* fn_now_ms */
};

struct operations; /* opaque; safe for many threads */

struct operations *operations_new(void);
void operations_drop(struct operations *); /* NULL is fine */

/* Remembers a copy. FN_RATE_LIMITED: there are as many as can be remembered. */
FN_MUST bool operations_add(struct operations *, const struct operation *, struct fn_error *);

/* NULL where there is none of this name; the nth from 0 on, in order, NULL beyond the last. */
const struct operation *operations_named(struct operations *, struct fn_bytes name);
const struct operation *operations_nth(struct operations *, size_t nth);

/* Percent of the time that it takes; 100: it is over. */
int operation_progress(const struct operation *);

/* Whether a film came of it. */
bool operation_has_film(const struct operation *);

/* The film, in the arena. */
FN_MUST bool operation_film(struct operations *, const struct operation *, struct fn_arena *,
	struct fn_bytes *mp4, struct fn_error *);

/* True the first time it is asked of an operation. */
bool operation_first_time(struct operations *, const struct operation *);

#endif
