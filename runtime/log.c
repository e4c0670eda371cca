#include "fn/log.h"

#include "fn/call.h"
#include "fn/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_MESSAGE 4096 /* Cloud Logging cuts lines at 256 KiB; ours are sentences */

static atomic_int least = FN_INFO;

static const char *const names[] = {"DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"};

void
fn_log_level(enum fn_severity severity)
{
	atomic_store(&least, severity);
}

static void
add_member(struct fn_builder *line, const char *name, struct fn_bytes value)
{
	fn_addf(line, ",\"%s\":\"", name);
	fn_add_json(line, value);
	fn_add(line, FN_BYTES("\""));
}

/* Without the project's name Cloud Logging cannot link a trace, so the field is left out. */
static void
add_trace(struct fn_builder *line, const struct fn_log_context *context)
{
	const char *project = getenv("GOOGLE_CLOUD_PROJECT");

	if (!context->trace_id[0] || !project || !project[0])
		return;
	fn_add(line, FN_BYTES(",\"logging.googleapis.com/trace\":\"projects/"));
	fn_add_json(line, fn_bytes(project));
	fn_addf(line, "/traces/%s\"", context->trace_id);
	if (context->span_id[0])
		fn_addf(line, ",\"logging.googleapis.com/spanId\":\"%s\"", context->span_id);
	fn_addf(line, ",\"logging.googleapis.com/trace_sampled\":%s",
		context->sampled ? "true" : "false");
}

static void
add_execution(struct fn_builder *line, struct fn_bytes id)
{
	if (id.size == 0)
		return;
	fn_add(line, FN_BYTES(",\"logging.googleapis.com/labels\":{\"execution_id\":\""));
	fn_add_json(line, id);
	fn_add(line, FN_BYTES("\"}"));
}

static void
add_context(struct fn_builder *line, const struct fn_log_context *context)
{
	add_trace(line, context);
	add_execution(line, context->execution_id);
	for (size_t i = 0; i < context->field_count; i++)
		add_member(line, context->fields[i].name, context->fields[i].value);
}

/* A log that cannot be written has nobody to tell. The lock keeps lines whole that are longer
 * than a pipe takes at once. */
static void
write_line(struct fn_bytes line)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&one_at_a_time);
	while (line.size > 0) {
		ssize_t written = write(STDOUT_FILENO, line.at, line.size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			break;
		line.at += written;
		line.size -= (size_t)written;
	}
	pthread_mutex_unlock(&one_at_a_time);
}

void
fn_log(const struct fn_call *call, enum fn_severity severity, const char *sentence, ...)
{
	struct fn_arena *arena;
	struct fn_builder line;
	char message[MOST_MESSAGE], time[FN_TIMESTAMP_SIZE];
	va_list args;

	if ((int)severity < atomic_load_explicit(&least, memory_order_relaxed))
		return;
	va_start(args, sentence);
	vsnprintf(message, sizeof(message), sentence, args);
	va_end(args);
	fn_timestamp(fn_unix_ms(), time);

	arena = fn_arena_new();
	line = (struct fn_builder){.arena = arena};
	fn_addf(&line, "{\"severity\":\"%s\",\"time\":\"%s\"", names[severity], time);
	add_member(&line, "message", fn_bytes(message));
	if (call)
		add_context(&line, &call->log);
	fn_add(&line, FN_BYTES("}\n"));
	write_line(fn_built(&line));
	fn_arena_drop(arena);
}

void
fn_log_field(struct fn_call *call, const char *name, struct fn_bytes value)
{
	struct fn_log_context *log = &call->log;
	size_t i = 0;

	while (i < log->field_count && strcmp(log->fields[i].name, name) != 0)
		i++;
	if (i == sizeof(log->fields) / sizeof(log->fields[0]))
		return;
	log->fields[i].name = name;
	log->fields[i].value = value;
	if (i == log->field_count)
		log->field_count++;
}
