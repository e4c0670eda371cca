/* vertex.h: Vertex AI, as all its models are asked: where it is, and in whose name.
 * Source: cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models.
 */
#ifndef VERTEX_H
#define VERTEX_H

#include "adapters/google_credentials.h"
#include "fn/config.h"
#include "fn/http_client.h"

struct vertex; /* opaque; safe for many threads */

struct vertex_config {
	const char *url;      /* VERTEX_URL: scheme and host; empty: Google's, by location */
	const char *project;  /* GOOGLE_CLOUD_PROJECT */
	const char *location; /* VERTEX_LOCATION; empty: where the model is at home */
};

extern const struct fn_setting vertex_settings[];

/* The config's text is borrowed until it is closed.
 * FN_INVALID: a setting is wrong; the message names the variable. */
FN_MUST bool vertex_open(struct vertex **, const struct vertex_config *,
	struct google_credentials *, struct fn_http_client *, struct fn_error *);
void vertex_close(struct vertex *);

#endif
