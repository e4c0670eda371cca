/* Source: Imagen on Vertex AI, method :predict; the texts are those that clients have met. */
#include "local/vertex/fields.h"
#include "local/vertex/model.h"
#include "local/vertex/picture.h"
#include "local/vertex/safety.h"

#include <stdlib.h>

static const struct size sizes[] = {
	{"1:1", 1024, 1024},
	{"3:4", 896, 1280},
	{"4:3", 1280, 896},
	{"9:16", 768, 1408},
	{"16:9", 1408, 768},
	{0},
};

static const struct field instance_fields[] = {
	{"prompt", .kind = FIELD_TEXT},
	{0},
};

static const struct field output_fields[] = {
	{"mimeType", FIELD_CHOICE, .choices = "image/png"},
	{"compressionQuality", FIELD_INTEGER, .least = 0, .most = 100},
	{0},
};

static const struct field parameter_fields[] = {
	{"sampleCount", FIELD_INTEGER, .least = 1, .most = 4},
	{"aspectRatio", FIELD_CHOICE, .choices = "1:1 3:4 4:3 9:16 16:9"},
	{"sampleImageSize", FIELD_CHOICE, .choices = "1K"},
	{"seed", FIELD_INTEGER, .least = 1, .most = 4294967295},
	{"addWatermark", .kind = FIELD_BOOL},
	{"safetySetting", FIELD_CHOICE,
		.choices = "block_low_and_above block_medium_and_above block_only_high block_none"},
	{"personGeneration", FIELD_CHOICE, .choices = "dont_allow allow_adult allow_all"},
	{"language", FIELD_CHOICE, .choices = "auto en zh zh-CN zh-TW hi ja ko pt es"},
	{"enhancePrompt", .kind = FIELD_BOOL},
	{"negativePrompt", .kind = FIELD_TEXT},
	{"includeRaiReason", .kind = FIELD_BOOL},
	{"includeSafetyAttributes", .kind = FIELD_BOOL},
	{"outputOptions", FIELD_OBJECT, .members = output_fields},
	{"storageUri", .kind = FIELD_REFUSED},
	{0},
};

static const struct field request_fields[] = {
	{"instances", FIELD_OBJECTS, .members = instance_fields},
	{"parameters", FIELD_OBJECT, .members = parameter_fields},
	{"labels", .kind = FIELD_OBJECT},
	{0},
};

#define FAILED "Image generation failed with the following error: "
#define REPHRASE "Try rephrasing the prompt. Support codes: %s"

static struct fn_bytes
prompt_of(json_t *request)
{
	json_t *instance = json_array_get(json_object_get(request, "instances"), 0);

	return fn_bytes(fields_text(instance, "prompt", ""));
}

static bool
check(json_t *request, const struct model *model, struct fn_error *err)
{
	TRY(fields_check(request, request_fields, "", err));
	if (json_array_size(json_object_get(request, "instances")) != 1)
		return fn_fail(err, FN_INVALID, "Exactly one instance is required.");
	if (prompt_of(request).size == 0)
		return fn_fail(err, FN_INVALID, FAILED "Text prompt is required.");
	if (fields_at(request, "parameters.seed") &&
		fields_bool(request, "parameters.addWatermark", true))
		return fn_fail(
			err, FN_INVALID, FAILED "Seed is not supported when watermark is enabled.");
	if (fields_at(request, "parameters.negativePrompt") && !model->negative_prompt)
		return fn_fail(err, FN_INVALID, FAILED "negativePrompt is not supported by %s.",
			model->name);
	return true;
}

static void
add_reason(struct fn_builder *json, const char *support_code)
{
	fn_addf(json,
		"{\"raiFilteredReason\":\"Unable to show generated images. All images were "
		"filtered out because they violated Google's Responsible AI practices. " REPHRASE
		"\"}",
		support_code);
}

static bool
add_pictures(struct fn_builder *json, struct fn_call *call, json_t *request,
	const struct fault *fault, struct fn_error *err)
{
	long long count = fields_integer(request, "parameters.sampleCount", 4);
	struct painting painting = {
		.prompt = prompt_of(request),
		.seed = (uint64_t)fields_integer(request, "parameters.seed", arc4random()),
	};

	picture_size(&painting, sizes, fields_text(request, "parameters.aspectRatio", "1:1"));
	for (; count > 0; count--, painting.seed++) {
		fn_add(json, FN_BYTES("{\"mimeType\":\"image/png\",\"bytesBase64Encoded\":\""));
		TRY(picture_add(json, call, &painting, fault, err));
		fn_add(json, count > 1 ? FN_BYTES("\"},") : FN_BYTES("\"}"));
	}
	return true;
}

static bool
imagen_answer(const struct question *asked, struct fn_bytes *body, enum outcome *outcome,
	struct fn_error *err)
{
	struct fn_builder json = {.arena = asked->call->arena};
	const struct fault *fault = asked->fault;
	json_t *request = asked->request;

	TRY(check(request, asked->model, err));
	struct safety safety = safety_of(prompt_of(request), fault);
	bool say_why = fields_bool(request, "parameters.includeRaiReason", false);

	*outcome = REFUSED;
	if (safety.prompt_refused)
		return fn_fail(err, FN_INVALID,
			FAILED "The prompt could not be submitted. This prompt contains sensitive "
			       "words that violate Google's Responsible AI practices. " REPHRASE,
			safety.support_code);
	if (fault->kind == FAULT_EMPTY || (safety.output_refused && !say_why)) {
		*body = FN_BYTES("{}");
		return true;
	}
	fn_add(&json, FN_BYTES("{\"predictions\":["));
	if (safety.output_refused || fault->kind == FAULT_MIXED)
		add_reason(&json, safety.support_code);
	if (!safety.output_refused) {
		fn_add(&json, fault->kind == FAULT_MIXED ? FN_BYTES(",") : FN_BYTES(""));
		TRY(add_pictures(&json, asked->call, request, fault, err));
		*outcome = PAINTED;
	}
	fn_add(&json, FN_BYTES("]}"));
	*body = fn_built(&json);
	return true;
}

const struct dialect imagen_dialect = {
	.method = "predict",
	.answer = imagen_answer,
	.exhausted = model_exhausted,
};
