/* log.h: structured logs as Cloud Logging reads them: one JSON object a line on stdout.
 * Source: cloud.google.com/logging/docs/structured-logging. */
#ifndef FN_LOG_H
#define FN_LOG_H

#include "fn/bytes.h"

struct fn_call;

enum fn_severity {
	FN_DEBUG,
	FN_INFO,
	FN_NOTICE,
	FN_WARNING,
	FN_ERROR,
	FN_CRITICAL,
};

/* What every line of a call carries. Ids are empty where there are none. */
struct fn_log_context {
	char trace_id[33]; /* 32 lower-case hex digits */
	char span_id[17];
	bool sampled;
	struct fn_bytes execution_id; /* with LOG_EXECUTION_ID */
	struct {
		const char *name; /* a literal: "user", "creation", "job" */
		struct fn_bytes value;
	} fields[6];
	size_t field_count;
};

/* Lines below this are not written. LOG_LEVEL sets it; FN_INFO until then. */
void fn_log_level(enum fn_severity least);

/* Writes one line with one write(2). `call` may be NULL. Never log prompts above FN_DEBUG, and
 * never a secret. */
void fn_log(const struct fn_call *, enum fn_severity, const char *sentence, ...)
	__attribute__((format(printf, 3, 4)));

/* From now on each line of this call carries name: value. The value is borrowed from the arena;
 * the same name again replaces it. */
void fn_log_field(struct fn_call *, const char *name, struct fn_bytes value);

#endif
