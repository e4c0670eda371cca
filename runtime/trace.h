/* trace.h: which trace a request belongs to.
 * Source: w3.org/TR/trace-context; cloud.google.com/trace/docs/trace-context. */
#ifndef TRACE_H
#define TRACE_H

#include "fn/call.h"

/* Fills call->log from `traceparent`, or else from `X-Cloud-Trace-Context`; a malformed one is
 * as good as none. */
void trace_read(struct fn_call *);

#endif
