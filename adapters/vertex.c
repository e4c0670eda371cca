#include "adapters/vertex.h"

#include "adapters/google_api.h"
#include "adapters/wire/support_codes.h"
#include "adapters/wire/url.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@:-"

struct vertex {
	struct fn_arena *arena; /* holds this */
	struct vertex_config config;
	struct google_credentials *credentials;
	struct fn_http_client *http;
};

const struct fn_setting vertex_settings[] = {
	{
		.name = "VERTEX_URL",
		.kind = FN_TEXT,
		.into = offsetof(struct vertex_config, url),
		.fallback = "",
		.meaning = "scheme and host of Vertex AI; Google's own without it",
	},
	{
		.name = "GOOGLE_CLOUD_PROJECT",
		.kind = FN_TEXT,
		.into = offsetof(struct vertex_config, project),
		.meaning = "the project that pays",
	},
	{
		.name = "VERTEX_LOCATION",
		.kind = FN_TEXT,
		.into = offsetof(struct vertex_config, location),
		.fallback = "",
		.meaning = "where models run; without it global (gemini), us-central1 (imagen, "
			   "veo)",
	},
	{0},
};

/* ---- Opening --------------------------------------------------------------------------------- */

bool
vertex_is_name(const char *text)
{
	return text[0] != '\0' && text[strspn(text, NAME_CHARACTERS)] == '\0';
}

static bool
check(const struct vertex_config *config, struct fn_error *err)
{
	if (config->url[0] != '\0' && !url_is_origin(fn_bytes(config->url)))
		return fn_fail(err, FN_INVALID,
			"VERTEX_URL: \"%s\" is not of the form https://HOST", config->url);
	if (!vertex_is_name(config->project))
		return fn_fail(err, FN_INVALID, "GOOGLE_CLOUD_PROJECT: \"%s\" is no project's id",
			config->project);
	if (config->location[0] != '\0' && !vertex_is_name(config->location))
		return fn_fail(err, FN_INVALID, "VERTEX_LOCATION: \"%s\" is no location",
			config->location);
	return true;
}

bool
vertex_open(struct vertex **vertex, const struct vertex_config *config,
	struct google_credentials *credentials, struct fn_http_client *http, struct fn_error *err)
{
	TRY(check(config, err));
	struct fn_arena *arena = fn_arena_new();
	*vertex = fn_arena_alloc(arena, sizeof(**vertex));
	**vertex = (struct vertex){arena, *config, credentials, http};
	return true;
}

void
vertex_close(struct vertex *vertex)
{
	if (vertex)
		fn_arena_drop(vertex->arena);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

const char *
vertex_location(const struct vertex *vertex, const char *home)
{
	return vertex->config.location[0] != '\0' ? vertex->config.location : home;
}

static const char *
origin(const struct vertex *vertex, struct fn_arena *arena, struct fn_bytes location)
{
	if (vertex->config.url[0] != '\0')
		return vertex->config.url;
	if (fn_bytes_is(location, "global"))
		return "https://aiplatform.googleapis.com";
	return fn_textf(arena, "https://%.*s-aiplatform.googleapis.com", FN_ARG(location));
}

const char *
vertex_resource_url(const struct vertex *vertex, struct fn_arena *arena, struct fn_bytes name,
	const char *method)
{
	struct fn_bytes rest = name, location = {0};

	for (size_t i = 0; i < 4; i++) /* the fourth segment */
		location = fn_bytes_cut(&rest, '/');
	return fn_textf(
		arena, "%s/v1/%.*s:%s", origin(vertex, arena, location), FN_ARG(name), method);
}

const char *
vertex_model_url(const struct vertex *vertex, struct fn_arena *arena, const char *home,
	const char *model, const char *method)
{
	const char *name = fn_textf(arena, "projects/%s/locations/%s/publishers/google/models/%s",
		vertex->config.project, vertex_location(vertex, home), model);

	return vertex_resource_url(vertex, arena, fn_bytes(name), method);
}

bool
vertex_send(const struct vertex *vertex, struct fn_call *call,
	const struct fn_http_request *request, struct fn_http_response *response,
	struct fn_error *err)
{
	return google_api_send(vertex->credentials, vertex->http, call, request, response, err);
}

bool
vertex_post(const struct vertex *vertex, struct fn_call *call,
	const struct fn_http_request *request, struct fn_http_response *response,
	struct fn_error *err)
{
	const struct fn_header headers[] = {
		{FN_BYTES("Content-Type"), FN_BYTES("application/json; charset=utf-8")},
	};
	struct fn_http_request post = *request;

	post.method = "POST";
	post.headers = headers;
	post.header_count = COUNT(headers);
	return vertex_send(vertex, call, &post, response, err);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

bool
vertex_is_refusal(struct fn_bytes text)
{
	static const char *const marks[] = {
		"Image generation failed with the following error",
		"Video generation failed with the following error",
		"The prompt could not be submitted",
		"Responsible AI",
		"usage guidelines",
	};

	for (size_t i = 0; i < COUNT(marks); i++)
		if (memmem(text.at, text.size, marks[i], strlen(marks[i])))
			return true;
	return support_code_subject(text) != NULL;
}

bool
vertex_refused(struct fn_error *err, const char *sentence, struct fn_bytes text)
{
	const char *subject = support_code_subject(text);

	return fn_fail(err, FN_UNPROCESSABLE, "%s%s%s", sentence, subject ? ": " : "",
		subject ? subject : "");
}
