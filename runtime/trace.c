#include "trace.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static bool
is_lower_hex(struct fn_bytes bytes, size_t size)
{
	size_t i = 0;

	while (i < bytes.size && bytes.at[i] && strchr("0123456789abcdef", bytes.at[i]))
		i++;
	return i == size && bytes.size == size;
}

/* All zeros stand for none. */
static bool
is_id(struct fn_bytes bytes, size_t size)
{
	return is_lower_hex(bytes, size) &&
	       memcmp(bytes.at, "00000000000000000000000000000000", size) != 0;
}

static void
keep(char *into, struct fn_bytes bytes)
{
	memcpy(into, bytes.at, bytes.size);
	into[bytes.size] = '\0';
}

/* "00-<32 hex>-<16 hex>-<2 hex>"; later versions may add fields behind these. */
static bool
read_traceparent(struct fn_log_context *log, struct fn_bytes value)
{
	struct fn_bytes version = fn_bytes_cut(&value, '-'), trace = fn_bytes_cut(&value, '-');
	struct fn_bytes span = fn_bytes_cut(&value, '-'), flags = fn_bytes_cut(&value, '-');

	if (!is_lower_hex(version, 2) || fn_bytes_is(version, "ff") || !is_id(trace, 32) ||
		!is_id(span, 16) || !is_lower_hex(flags, 2) ||
		(fn_bytes_is(version, "00") && value.at))
		return false;
	keep(log->trace_id, trace);
	keep(log->span_id, span);
	log->sampled = strchr("13579bdf", flags.at[1]) != NULL;
	return true;
}

/* "<32 hex>/<decimal span>;o=1", span and options may be absent. */
static bool
read_cloud_trace(struct fn_log_context *log, struct fn_bytes value)
{
	struct fn_bytes options = value, ids = fn_bytes_cut(&options, ';');
	struct fn_bytes span = ids, trace = fn_bytes_cut(&span, '/');
	uint64_t number;

	if (!is_id(trace, 32))
		return false;
	keep(log->trace_id, trace);
	if (fn_bytes_number(span, UINT64_MAX, &number) && number > 0)
		snprintf(log->span_id, sizeof(log->span_id), "%016llx", (unsigned long long)number);
	log->sampled = fn_bytes_is(options, "o=1");
	return true;
}

void
trace_read(struct fn_call *call)
{
	struct fn_bytes parent = fn_header(call, "traceparent");

	if (parent.size == 0 || !read_traceparent(&call->log, parent))
		read_cloud_trace(&call->log, fn_header(call, "X-Cloud-Trace-Context"));
}

void
trace_execution(struct fn_call *call)
{
	struct fn_bytes id = fn_header(call, "Function-Execution-Id");
	uint64_t random = 0;

	if (id.size == 0) {
		(void)!getrandom(&random, sizeof(random), 0); /* so few bytes never fail */
		id = fn_bytes(fn_textf(call->arena, "%016llx", (unsigned long long)random));
	}
	call->log.execution_id = id;
}
