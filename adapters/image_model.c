#include "adapters/image_model_dialect.h"

#include "adapters/wire/picture_header.h"
#include "fn/base64.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct fn_setting image_model_settings[] = {
	{
		.name = "IMAGE_MODEL",
		.kind = FN_TEXT,
		.into = offsetof(struct image_model_config, model),
		.fallback = "gemini:gemini-3.1-flash-image",
		.meaning = "what paints: gemini:MODEL or imagen:MODEL",
	},
	{0},
};

static const struct image_dialect *const dialects[] = {
	&image_model_gemini,
	&image_model_imagen,
};

/* ---- Opening --------------------------------------------------------------------------------- */

static bool
choose_model(struct image_model *model, const char *setting, struct fn_error *err)
{
	struct fn_bytes name = fn_bytes(setting), scheme = fn_bytes_cut(&name, ':');

	for (size_t i = 0; i < COUNT(dialects); i++)
		if (fn_bytes_is(scheme, dialects[i]->scheme))
			model->dialect = dialects[i];
	model->name = fn_text(model->arena, name);
	if (!model->dialect || !vertex_is_name(model->name))
		return fn_fail(err, FN_INVALID,
			"IMAGE_MODEL: \"%s\" is neither gemini:MODEL nor imagen:MODEL", setting);
	return true;
}

bool
image_model_open(struct image_model **model, const struct image_model_config *config,
	struct vertex *vertex, struct fn_error *err)
{
	struct fn_arena *arena = fn_arena_new();
	struct image_model *made = fn_arena_zero(arena, sizeof(*made));

	made->arena = arena;
	made->vertex = vertex;
	if (!choose_model(made, config->model, err)) {
		fn_arena_drop(arena);
		return false;
	}
	made->url = vertex_model_url(
		vertex, arena, made->dialect->home, made->name, made->dialect->method);
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

static bool
ask(const struct image_model *model, struct fn_call *call, const struct image_request *request,
	const struct image_pace *pace, bool insist, struct image_answer *answer,
	struct fn_error *err)
{
	struct fn_builder body = {.arena = call->arena};
	struct json_abridged json;

	*answer = (struct image_answer){0};
	model->dialect->ask(request, insist, &body);
	TRY(image_model_vertex_ask(model, call, pace, fn_built(&body), &json, err));
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
	const struct image_pace *pace, struct picture *picture, struct fn_error *err)
{
	struct image_answer answer;

	if (!ask(model, call, request, pace, false, &answer, err)) {
		if (answer.next == IMAGE_FINAL)
			return false;
		TRY(ask(model, call, request, pace, answer.next == IMAGE_INSIST, &answer, err));
	}
	return decode(&answer, picture, err);
}

/* What people read is a plain sentence; what the log keeps says which model it was. */
bool
image_model_paint(struct image_model *model, struct fn_call *call,
	const struct image_request *request, const struct image_pace *pace, struct picture *picture,
	struct fn_error *err)
{
	if (paint(model, call, request, pace, picture, err))
		return true;
	return fn_code_status(err->code) < 500 ? false : fn_wrap(err, "%s", model->name);
}
