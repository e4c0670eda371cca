#include "tests/support/stand_in.h"

#include "fn/base64.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

struct stand_in stand_in = {.vertex = {.stats = &stand_in.stats}};

/* ---- Asking ---------------------------------------------------------------------------------- */

void
stand_in_suppose(const char *latency_ms, long quota_per_s, const char *faults)
{
	const struct conditions_config config = {latency_ms, quota_per_s, faults, NULL};
	struct fn_error err = {0};

	conditions_close(stand_in.vertex.images);
	ck_assert_msg(conditions_open(&stand_in.vertex.images, &image_conditions, &config, &err),
		"%s", err.message);
}

void
stand_in_open(void)
{
	stand_in.arena = fn_arena_new();
	stand_in.vertex.operations = operations_new();
	stand_in_suppose("0", 0, "");
}

void
stand_in_close(void)
{
	conditions_close(stand_in.vertex.images);
	operations_drop(stand_in.vertex.operations);
	fn_arena_drop(stand_in.arena);
}

struct fn_call *
stand_in_call(const char *method, const char *path, const char *body)
{
	static const struct fn_header token = {
		FN_BYTES_INIT("Authorization"), FN_BYTES_INIT("Bearer t")};
	struct fn_call *call = fn_arena_zero(stand_in.arena, sizeof(*call));

	call->arena = stand_in.arena;
	call->method = fn_bytes(method);
	call->path = fn_bytes(path);
	call->body = fn_bytes(body);
	call->headers = &token;
	call->header_count = 1;
	return call;
}

int
stand_in_answer(struct fn_call *call)
{
	struct fn_error err = {0};

	return vertex_handle(call, &stand_in.vertex, &err) ? call->answer.status
							   : fn_code_status(err.code);
}

json_t *
stand_in_ask(const char *model, const char *body, int status)
{
	const char *location = strstr(model, "gemini") ? "global" : "us-central1";
	struct fn_call *call = stand_in_call(
		"POST", fn_textf(stand_in.arena, STAND_IN_MODEL_PATH "%s", location, model), body);
	int got = stand_in_answer(call);
	json_t *json = json_loadb(call->answer.body.at, call->answer.body.size, 0, NULL);

	ck_assert_msg(got == status, "%s: %d, not %d: %.*s", body, got, status,
		FN_ARG(call->answer.body));
	ck_assert_msg(json, "%s: no JSON", body);
	return json;
}

char *
stand_in_imagen(const char *prompt, const char *parameters)
{
	return fn_textf(stand_in.arena, "{\"instances\":[{\"prompt\":\"%s\"}],\"parameters\":{%s}}",
		prompt, parameters);
}

char *
stand_in_gemini(const char *prompt, const char *config)
{
	return fn_textf(stand_in.arena,
		"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"%s\"}]}],"
		"\"generationConfig\":{%s}}",
		prompt, config);
}

/* ---- Reading --------------------------------------------------------------------------------- */

json_t *
stand_in_at(json_t *json, const char *path)
{
	struct fn_bytes rest = fn_bytes(path);

	while (json && rest.size > 0) {
		const char *step = fn_text(stand_in.arena, fn_bytes_cut(&rest, '.'));
		json = json_is_array(json) ? json_array_get(json, strtoul(step, NULL, 10))
					   : json_object_get(json, step);
	}
	return json;
}

const char *
stand_in_text_at(json_t *json, const char *path)
{
	const char *text = json_string_value(stand_in_at(json, path));

	return text ? text : "";
}

bool
stand_in_decode(const char *base64, png_image *image)
{
	struct fn_bytes text = fn_bytes(base64);
	char *png = fn_arena_alloc(stand_in.arena, text.size);
	size_t size;

	*image = (png_image){.version = PNG_IMAGE_VERSION};
	if (!fn_base64_decode(text, png, &size) ||
		!png_image_begin_read_from_memory(image, png, size))
		return false;
	png_image_free(image);
	return true;
}

void
stand_in_painted(const char *base64, unsigned width, unsigned height)
{
	png_image image;

	ck_assert_msg(stand_in_decode(base64, &image), "no PNG in base64");
	ck_assert_uint_eq(image.width, width);
	ck_assert_uint_eq(image.height, height);
}
