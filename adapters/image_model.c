#include "adapters/image_model_dialect.h"

#include "adapters/wire/picture_header.h"
#include "adapters/wire/support_codes.h"
#include "fn/base64.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@:-"

const struct fn_setting image_model_settings[] = {
	{
		.name = "IMAGE_MODEL",
		.kind = FN_TEXT,
		.into = offsetof(struct image_model_config, model),
		.fallback = "gemini:gemini-3.1-flash-image",
		.meaning = "what paints: gemini:MODEL or imagen:MODEL",
	},
	{
		.name = "VERTEX_URL",
		.kind = FN_TEXT,
		.into = offsetof(struct image_model_config, url),
		.fallback = "",
		.meaning = "scheme and host of Vertex AI; Google's own without it",
	},
	{
		.name = "GOOGLE_CLOUD_PROJECT",
		.kind = FN_TEXT,
		.into = offsetof(struct image_model_config, project),
		.meaning = "the project that pays",
	},
	{
		.name = "VERTEX_LOCATION",
		.kind = FN_TEXT,
		.into = offsetof(struct image_model_config, location),
		.fallback = "",
		.meaning = "where the model runs; without it global (gemini), us-central1 (imagen)",
	},
	{0},
};

static const struct image_dialect *const dialects[] = {
	&image_model_gemini,
	&image_model_imagen,
};

/* ---- Opening --------------------------------------------------------------------------------- */

static bool
is_name(const char *text)
{
	return text[0] != '\0' && text[strspn(text, NAME_CHARACTERS)] == '\0';
}

static bool
choose_model(struct image_model *model, const char *setting, struct fn_error *err)
{
	struct fn_bytes name = fn_bytes(setting), scheme = fn_bytes_cut(&name, ':');

	for (size_t i = 0; i < COUNT(dialects); i++)
		if (fn_bytes_is(scheme, dialects[i]->scheme))
			model->dialect = dialects[i];
	model->name = fn_text(model->arena, name);
	if (!model->dialect || !is_name(model->name))
		return fn_fail(err, FN_INVALID,
			"IMAGE_MODEL: \"%s\" is neither gemini:MODEL nor imagen:MODEL", setting);
	return true;
}

/* Scheme and host of the service; NULL where the setting is none. */
static const char *
choose_origin(const struct image_model *model, const char *setting, struct fn_error *err)
{
	struct fn_bytes rest = fn_bytes(setting), scheme = fn_bytes_cut(&rest, ':');
	bool is_http = fn_bytes_is(scheme, "https") || fn_bytes_is(scheme, "http");

	if (setting[0] == '\0' && strcmp(model->location, "global") == 0)
		return "https://aiplatform.googleapis.com";
	if (setting[0] == '\0')
		return fn_textf(
			model->arena, "https://%s-aiplatform.googleapis.com", model->location);
	if (is_http && fn_bytes_starts(rest, "//") && rest.size > 2 &&
		!memchr(rest.at + 2, '/', rest.size - 2))
		return setting;
	fn_fail(err, FN_INVALID, "VERTEX_URL: \"%s\" is not of the form https://HOST", setting);
	return NULL;
}

static bool
configure(struct image_model *model, const struct image_model_config *config, struct fn_error *err)
{
	const char *origin;

	TRY(choose_model(model, config->model, err));
	if (!is_name(config->project))
		return fn_fail(err, FN_INVALID, "GOOGLE_CLOUD_PROJECT: \"%s\" is no project's id",
			config->project);
	model->location = config->location[0] ? config->location : model->dialect->location;
	if (!is_name(model->location))
		return fn_fail(err, FN_INVALID, "VERTEX_LOCATION: \"%s\" is no location",
			config->location);
	TRY((origin = choose_origin(model, config->url, err)));
	model->url = fn_textf(model->arena,
		"%s/v1/projects/%s/locations/%s/publishers/google/models/%s%s", origin,
		config->project, model->location, model->name, model->dialect->method);
	return true;
}

bool
image_model_open(struct image_model **model, const struct image_model_config *config,
	struct google_credentials *credentials, struct fn_http_client *http, struct fn_error *err)
{
	struct fn_arena *arena = fn_arena_new();
	struct image_model *made = fn_arena_zero(arena, sizeof(*made));

	made->arena = arena;
	made->credentials = credentials;
	made->http = http;
	if (!configure(made, config, err)) {
		fn_arena_drop(arena);
		return false;
	}
	*model = made;
	return true;
}

void
image_model_close(struct image_model *model)
{
	if (model)
		fn_arena_drop(model->arena);
}

/* ---- Painting -------------------------------------------------------------------------------- */

void
image_model_add_prompt(struct fn_builder *body, const struct image_request *request)
{
	fn_add_json(body, request->prompt);
	if (request->negative_prompt.size > 0) {
		fn_addf(body, "\\n\\nDo not show: ");
		fn_add_json(body, request->negative_prompt);
	}
}

bool
image_model_refused(struct fn_error *err, const char *sentence, struct fn_bytes text)
{
	const char *subject = support_code_subject(text);

	return fn_fail(err, FN_UNPROCESSABLE, "%s%s%s", sentence, subject ? ": " : "",
		subject ? subject : "");
}

static bool
ask(const struct image_model *model, struct fn_call *call, const struct image_request *request,
	bool insist, struct image_answer *answer, struct fn_error *err)
{
	struct fn_builder body = {.arena = call->arena};
	struct json_abridged json;

	*answer = (struct image_answer){0};
	model->dialect->ask(request, insist, &body);
	TRY(image_model_vertex_ask(model, call, fn_built(&body), &json, err));
	return model->dialect->read(&json, call, answer, err);
}

/* In place: the picture's bytes lie in the memory that the answer was received in. */
static bool
decode(const struct image_answer *answer, struct picture *picture, struct fn_error *err)
{
	struct picture_header header;
	struct fn_bytes text = {answer->base64, answer->size}, bytes = {answer->base64, 0};

	if (!fn_base64_decode(text, answer->base64, &bytes.size))
		return fn_fail(err, FN_UPSTREAM, "the picture is no base64");
	if (!picture_header_read(&header, bytes))
		return fn_fail(err, FN_UPSTREAM, "the picture is neither a PNG nor a JPEG");
	*picture = (struct picture){
		.bytes = bytes,
		.mime_type = header.mime_type,
		.width = header.width,
		.height = header.height,
	};
	return true;
}

static bool
paint(const struct image_model *model, struct fn_call *call, const struct image_request *request,
	struct picture *picture, struct fn_error *err)
{
	struct image_answer answer;

	if (!ask(model, call, request, false, &answer, err)) {
		if (answer.next == IMAGE_FINAL)
			return false;
		TRY(ask(model, call, request, answer.next == IMAGE_INSIST, &answer, err));
	}
	return decode(&answer, picture, err);
}

/* What people read is a plain sentence; what the log keeps says which model it was. */
bool
image_model_paint(struct image_model *model, struct fn_call *call,
	const struct image_request *request, struct picture *picture, struct fn_error *err)
{
	if (paint(model, call, request, picture, err))
		return true;
	return fn_code_status(err->code) < 500 ? false : fn_wrap(err, "%s", model->name);
}
