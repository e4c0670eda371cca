/* trace.h: which trace a request belongs to, and which execution of the function it is.
 * Source: w3.org/TR/trace-context; cloud.google.com/trace/docs/trace-context. */
#ifndef TRACE_H
#define TRACE_H

#include "fn/call.h"

/* Fills call->log from `traceparent`, or else from `X-Cloud-Trace-Context`; a malformed one is
 * as good as none. */
void trace_read(struct fn_call *);

/* Names the execution in the call's log lines: as `Function-Execution-Id` says, or at random. */
void trace_execution(struct fn_call *);

#endif
