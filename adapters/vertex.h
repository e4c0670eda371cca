/* vertex.h: Vertex AI, as all its models are asked: where it is, and in whose name.
 * Source: cloud.google.com/vertex-ai/docs/reference/rest, projects.locations.publishers.models. */
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

/* ---- For models ------------------------------------------------------------------------------ */

/* What a project, a location and a model may be called. */
bool vertex_is_name(const char *);

/* VERTEX_LOCATION, or else the model's home. */
const char *vertex_location(const struct vertex *, const char *home);

/* The URL of a model's method. */
const char *vertex_model_url(const struct vertex *, struct fn_arena *, const char *home,
	const char *model, const char *method);

/* The same for a model by its whole name: "projects/P/locations/L/publishers/google/models/M". */
const char *vertex_resource_url(
	const struct vertex *, struct fn_arena *, struct fn_bytes name, const char *method);

/* Posts the request, which is JSON, with an access token; see google_api_send. */
FN_MUST bool vertex_post(const struct vertex *, struct fn_call *, const struct fn_http_request *,
	struct fn_http_response *, struct fn_error *);

/* The same for what is not Vertex AI's, but belongs to the same project. */
FN_MUST bool vertex_send(const struct vertex *, struct fn_call *, const struct fn_http_request *,
	struct fn_http_response *, struct fn_error *);

/* Whether Google calls a request bad for what its prompt says, of which only the words tell. */
bool vertex_is_refusal(struct fn_bytes text);

/* FN_UNPROCESSABLE: the sentence, and the subject of the support code in `text` if it has one. */
bool vertex_refused(struct fn_error *, const char *sentence, struct fn_bytes text);

#endif
