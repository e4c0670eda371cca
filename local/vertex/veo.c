/* Source: Veo on Vertex AI, methods :predictLongRunning and :fetchPredictOperation. */
#include "fn/base64.h"
#include "fn/clock.h"
#include "local/vertex/conditions.h"
#include "local/vertex/fields.h"
#include "local/vertex/operation.h"
#include "local/vertex/picture.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MOST_SEED 4294967295

/* Smaller than what Veo makes, so that a laptop makes one in about a second. */
static const struct size sizes[] = {
	{"16:9", 640, 360},
	{"9:16", 360, 640},
	{0},
};

static const struct field instance_fields[] = {
	{"prompt", .kind = FIELD_TEXT},
	{"image", .kind = FIELD_REFUSED},
	{"lastFrame", .kind = FIELD_REFUSED},
	{"video", .kind = FIELD_REFUSED},
	{"referenceImages", .kind = FIELD_REFUSED},
	{0},
};

static const struct field parameter_fields[] = {
	{"sampleCount", FIELD_INTEGER, .least = 1, .most = 1},
	{"durationSeconds", FIELD_INTEGER, .least = 4, .most = 8},
	{"aspectRatio", FIELD_CHOICE, .choices = "16:9 9:16"},
	{"resolution", FIELD_CHOICE, .choices = "720p 1080p"},
	{"generateAudio", .kind = FIELD_BOOL},
	{"storageUri", .kind = FIELD_TEXT},
	{"seed", FIELD_INTEGER, .least = 0, .most = MOST_SEED},
	{"negativePrompt", .kind = FIELD_TEXT},
	{"personGeneration", FIELD_CHOICE, .choices = "dont_allow disallow allow_adult allow_all"},
	{"enhancePrompt", .kind = FIELD_BOOL},
	{"fps", FIELD_INTEGER, .least = 24, .most = 24},
	{"compressionQuality", FIELD_CHOICE, .choices = "optimized lossless"},
	{"resizeMode", FIELD_CHOICE, .choices = "pad crop"},
	{"task", FIELD_CHOICE, .choices = "textToVideo"},
	{"pubsubTopic", .kind = FIELD_REFUSED},
	{0},
};

static const struct field request_fields[] = {
	{"instances", FIELD_OBJECTS, .members = instance_fields},
	{"parameters", FIELD_OBJECT, .members = parameter_fields},
	{"labels", .kind = FIELD_OBJECT},
	{0},
};

static const struct field poll_fields[] = {
	{"operationName", .kind = FIELD_TEXT},
	{0},
};

/* ---- Beginning ------------------------------------------------------------------------------- */

static struct fn_bytes
prompt_of(json_t *request)
{
	json_t *instance = json_array_get(json_object_get(request, "instances"), 0);

	return fn_bytes(fields_text(instance, "prompt", ""));
}

static bool
check(json_t *request, struct fn_error *err)
{
	struct fn_bytes storage = fn_bytes(fields_text(request, "parameters.storageUri", "gs://b"));
	long long duration_s = fields_integer(request, "parameters.durationSeconds", 8);

	TRY(fields_check(request, request_fields, "", err));
	if (json_array_size(json_object_get(request, "instances")) != 1)
		return fn_fail(err, FN_INVALID, "Exactly one instance is required.");
	if (prompt_of(request).size == 0)
		return fn_fail(err, FN_INVALID, "Text prompt is required.");
	if (duration_s % 2 != 0)
		return fn_fail(err, FN_INVALID,
			"Unsupported output video duration %lld seconds, supported durations are "
			"[8,4,6] for feature text_to_video.",
			duration_s);
	if (!fn_bytes_starts(storage, "gs://") || storage.size == 5)
		return fn_fail(err, FN_INVALID, "Invalid Cloud Storage URI: %.*s", FN_ARG(storage));
	return true;
}

/* "projects/P/locations/L/publishers/google/models/M" */
static const char *
resource_of(const struct question *asked)
{
	return fn_textf(asked->call->arena,
		"projects/%.*s/locations/%.*s/publishers/google/models/%s",
		FN_ARG(fn_param(asked->call, "project")), FN_ARG(fn_param(asked->call, "location")),
		asked->model->name);
}

static const char *
name_new(const struct question *asked)
{
	unsigned bits[4];

	arc4random_buf(bits, sizeof(bits));
	return fn_textf(asked->call->arena, "%s/operations/%08x-%04x-4%03x-8%03x-%04x%08x",
		resource_of(asked), bits[0], bits[1] >> 16, bits[1] & 0xfff, bits[2] >> 20,
		bits[2] & 0xffff, bits[3]);
}

/* Each result has a folder of its own, with a number for a name. */
static void
choose_object(struct operation *operation, const struct question *asked)
{
	struct fn_bytes folder = fn_bytes(fields_text(asked->request, "parameters.storageUri", ""));

	if (folder.size == 0)
		return;
	fn_bytes_cut(&folder, '/');
	fn_bytes_cut(&folder, '/');
	operation->bucket = fn_bytes_cut(&folder, '/');
	while (folder.size > 0 && folder.at[folder.size - 1] == '/')
		folder.size--;
	operation->object = fn_bytes(fn_textf(asked->call->arena, "%.*s%s%010u%010u/sample_0.mp4",
		FN_ARG(folder), folder.size > 0 ? "/" : "", arc4random(), arc4random()));
}

static void
imagine(struct operation *operation, const struct question *asked)
{
	json_t *request = asked->request;

	*operation = (struct operation){
		.name = fn_bytes(name_new(asked)),
		.filming =
			{
				.scene = {.prompt = prompt_of(request),
					.seed = (uint64_t)fields_integer(
						request, "parameters.seed", arc4random())},
				.duration_s = (unsigned)fields_integer(
					request, "parameters.durationSeconds", 8),
				.has_sound = fields_bool(request, "parameters.generateAudio", true),
			},
		.safety = safety_of(prompt_of(request), asked->fault),
		.fault = *asked->fault,
		.begun_ms = fn_now_ms(),
	};
	operation->done_ms = operation->begun_ms + conditions_latency_ms(asked->conditions);
	picture_size(&operation->filming.scene, sizes,
		fields_text(request, "parameters.aspectRatio", "16:9"));
	choose_object(operation, asked);
}

static bool
veo_answer(const struct question *asked, struct fn_bytes *body, enum outcome *outcome,
	struct fn_error *err)
{
	struct operation operation;

	TRY(check(asked->request, err));
	imagine(&operation, asked);
	TRY(operations_add(asked->operations, &operation, err));
	*body = fn_bytes(
		fn_textf(asked->call->arena, "{\"name\":\"%.*s\"}", FN_ARG(operation.name)));
	*outcome = PAINTED;
	return true;
}

/* ---- How it ends ----------------------------------------------------------------------------- */

static void
add_error(struct fn_builder *json, const char *code, const char *message)
{
	fn_addf(json, "\"done\":true,\"error\":{\"code\":%s,\"message\":\"%s\"}}", code, message);
}

static void
add_failure(struct fn_builder *json, const char *code)
{
	static const struct {
		const char *code, *message;
	} failures[] = {
		{"3", "Request contains an invalid argument."},
		{"4", "Deadline exceeded."},
		{"7", "The service account lacks the permission storage.objects.create."},
		{"8", "Resource exhausted, please try again later."},
		{"13", "Internal error encountered."},
		{"14", "The service is currently unavailable."},
	};
	const char *message = "Something went wrong.";

	for (size_t i = 0; i < COUNT(failures); i++)
		if (fn_bytes_is(fn_bytes(code), failures[i].code))
			message = failures[i].message;
	add_error(json, code, message);
}

static bool
add_video(struct fn_builder *json, const struct question *asked, const struct operation *operation,
	struct fn_error *err)
{
	struct fn_arena *arena = asked->call->arena;
	struct fn_bytes mp4;

	fn_addf(json, "\"raiMediaFilteredCount\":0,\"videos\":[{\"mimeType\":\"video/mp4\",");
	if (operation->object.size > 0) {
		fn_addf(json, "\"gcsUri\":\"gs://");
		fn_add_json(json, operation->bucket);
		fn_addf(json, "/");
		fn_add_json(json, operation->object);
	} else {
		TRY(operation_film(asked->operations, operation, arena, &mp4, err));
		fn_addf(json, "\"bytesBase64Encoded\":\"");
		fn_add(json, fn_base64_encode(mp4, arena));
		if (operation->fault.kind == FAULT_BROKEN_BASE64)
			json->at[json->size - mp4.size / 2] = '!';
	}
	fn_addf(json, "\"}]");
	return true;
}

static bool
add_response(struct fn_builder *json, const struct question *asked,
	const struct operation *operation, struct fn_error *err)
{
	fn_addf(json, "\"done\":true,\"response\":{\"@type\":\"type.googleapis.com/"
		      "cloud.ai.large_models.vision.GenerateVideoResponse\",");
	if (operation_has_film(operation))
		TRY(add_video(json, asked, operation, err));
	else if (operation->safety.output_refused)
		fn_addf(json,
			"\"raiMediaFilteredCount\":1,\"raiMediaFilteredReasons\":[\"We encountered "
			"an issue with the video you tried to create and did not generate it, as "
			"it may violate Google's Responsible AI practices. Support codes: %s\"]",
			operation->safety.support_code);
	else
		fn_addf(json, "\"raiMediaFilteredCount\":0");
	fn_addf(json, "}}");
	return true;
}

static bool
add_end(struct fn_builder *json, const struct question *asked, const struct operation *operation,
	struct fn_error *err)
{
	if (operation->fault.kind == FAULT_CODE) {
		add_failure(json, fn_text(asked->call->arena, operation->fault.detail));
		return true;
	}
	if (operation->safety.prompt_refused) {
		add_error(json, "3",
			fn_textf(asked->call->arena,
				"The prompt could not be submitted. This prompt contains sensitive "
				"words that violate Google's Responsible AI practices. Try "
				"rephrasing the prompt. Support codes: %s",
				operation->safety.support_code));
		return true;
	}
	return add_response(json, asked, operation, err);
}

/* ---- Polling --------------------------------------------------------------------------------- */

static const struct operation *
find(const struct question *asked, struct fn_error *err)
{
	struct fn_bytes name = fn_bytes(fields_text(asked->request, "operationName", ""));
	const char *resource = resource_of(asked);
	const struct operation *operation = NULL;

	if (!fn_bytes_starts(name, fn_textf(asked->call->arena, "%s/operations/", resource))) {
		fn_fail(err, FN_INVALID, "Invalid operation name for %s.", resource);
		return NULL;
	}
	operation = operations_named(asked->operations, name);
	if (operation && operation->fault.kind == FAULT_LOST &&
		operation_progress(operation) == 100)
		operation = NULL;
	if (!operation)
		fn_fail(err, FN_NOT_FOUND, "Operation %.*s is not found.", FN_ARG(name));
	return operation;
}

static bool
veo_poll(const struct question *asked, struct fn_bytes *body, struct fault *fault,
	struct fn_error *err)
{
	struct fn_builder json = {.arena = asked->call->arena};

	TRY(fields_check(asked->request, poll_fields, "", err));
	const struct operation *operation = find(asked, err);
	if (!operation)
		return false;
	fn_addf(&json, "{\"name\":\"%.*s\",", FN_ARG(operation->name));
	if (operation_progress(operation) < 100) {
		fn_addf(&json, "\"metadata\":{\"progressPercentage\":%d}}",
			operation_progress(operation));
		*body = fn_built(&json);
		return true;
	}
	if (operation->fault.kind == FAULT_POLL &&
		operation_first_time(asked->operations, operation))
		TRY(fault_named(operation->fault.detail, fault, err));
	TRY(add_end(&json, asked, operation, err));
	*body = fn_built(&json);
	return true;
}

const struct dialect veo_dialect = {
	.method = "predictLongRunning",
	.answer = veo_answer,
	.exhausted = model_exhausted,
	.poll_method = "fetchPredictOperation",
	.poll = veo_poll,
};
