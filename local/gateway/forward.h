/* forward.h: hands a request on to a function, the way Cloud Run's front does.
 *
 * Method, path, query, headers and body reach the function as they came, and its answer goes back
 * as it is; only what concerns a single connection stays behind (RFC 9110 section 7.6.1). The
 * function learns of the client from X-Forwarded-For, -Proto and -Host and of the trace from
 * traceparent. Source: cloud.google.com/run/docs/container-contract. */
#ifndef FORWARD_H
#define FORWARD_H

#include "fn/http_client.h"
#include "local/gateway/services.h"

/* FN_BUSY: all of the service's concurrency is in use. FN_DEADLINE: it has not answered within
 * its timeout. FN_UPSTREAM: it is down, or its answer broke off. */
FN_MUST bool forward(
	struct fn_call *, struct service *, struct fn_http_client *, struct fn_error *);

#endif
