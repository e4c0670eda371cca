/* run_admin.h: how many instances a Cloud Run service may have.
 *
 * A service has two limits, and the lower one counts: that of its revision, which deploys set, and
 * one of its own, which takes effect at once and makes no new revision. Only the latter is changed
 * here. Between reading and limiting others may change the service: then nothing is written.
 * Source: cloud.google.com/run/docs/reference/rest/v2/projects.locations.services. */
#ifndef RUN_ADMIN_H
#define RUN_ADMIN_H

#include "adapters/google_credentials.h"
#include "fn/config.h"
#include "fn/http_client.h"

struct run_admin; /* opaque; safe for many threads */

struct run_admin_config {
	const char *url; /* RUN_ADMIN_URL */
};

extern const struct fn_setting run_admin_settings[];

struct run_service {
	struct fn_bytes name; /* "projects/P/locations/L/services/S" */
	struct fn_bytes etag; /* of what was read */
	int64_t limit;        /* of the service itself; 0: it has none */
	int64_t ceiling;      /* of the revision */
};

/* FN_INVALID: the URL is wrong; the message names the variable. */
FN_MUST bool run_admin_open(struct run_admin **, const struct run_admin_config *,
	struct google_credentials *, struct fn_http_client *, struct fn_error *);
void run_admin_close(struct run_admin *);

/* Whether this has the form of a service's name. */
bool run_admin_is_name(struct fn_bytes);

/* FN_NOT_FOUND, FN_FORBIDDEN, FN_INVALID: asking again does not help. FN_UPSTREAM, FN_BUSY,
 * FN_RATE_LIMITED, FN_DEADLINE: it may. */
FN_MUST bool run_admin_read(struct run_admin *, struct fn_call *, struct fn_bytes name,
	struct run_service *, struct fn_error *);

/* Sets the service's own limit, at least 1, and waits until it holds. FN_PRECONDITION: the service
 * has changed since it was read, nothing was written. All else as above; where asking again may
 * help, the limit may be set all the same, so read first. */
FN_MUST bool run_admin_limit(struct run_admin *, struct fn_call *, const struct run_service *,
	int64_t limit, struct fn_error *);

#endif
