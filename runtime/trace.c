#include "trace.h"

#include <stdio.h>
#include <string.h>

static bool
is_lower_hex(struct fn_bytes bytes, size_t size)
{
	bool zero = true;

	if (bytes.size != size)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!bytes.at[i] || !strchr("0123456789abcdef", bytes.at[i]))
			return false;
		zero = zero && bytes.at[i] == '0';
	}
	return !zero;
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

	if (version.size != 2 || fn_bytes_is(version, "ff") || !is_lower_hex(trace, 32) ||
		!is_lower_hex(span, 16) || flags.size != 2 ||
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

	if (!is_lower_hex(trace, 32))
		return false;
	keep(log->trace_id, trace);
	if (fn_bytes_number(span, UINT64_MAX, &number))
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
