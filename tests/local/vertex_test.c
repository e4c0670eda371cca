/* The stand-in for Vertex AI: asked without a socket, as the runtime would ask it, and at the end
 * once as the program that it is. */
#include "fn/base64.h"
#include "fn/clock.h"
#include "fn/http_client.h"
#include "local/vertex/handler.h"
#include "tests/support/suite.h"

#include <jansson.h>
#include <netinet/in.h>
#include <png.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODEL_PATH "/v1/projects/p/locations/%s/publishers/google/models/"
#define IMAGEN "imagen-4.0-generate-001:predict"
#define GEMINI "gemini-3.1-flash-image:generateContent"

static struct fn_arena *arena;
static struct stats stats;
static struct vertex vertex = {.stats = &stats};

/* ---- Asking ------------------------------------------------------------------------------ */

/* From here on these are the conditions. */
static void
suppose(const char *latency_ms, long quota_per_s, const char *faults)
{
	const struct conditions_config config = {latency_ms, quota_per_s, faults, NULL};
	struct fn_error err = {0};

	conditions_close(vertex.images);
	ck_assert_msg(conditions_open(&vertex.images, &image_conditions, &config, &err), "%s",
		err.message);
}

static void
setup(void)
{
	arena = fn_arena_new();
	vertex.operations = operations_new();
	suppose("0", 0, "");
}

static void
teardown(void)
{
	conditions_close(vertex.images);
	operations_drop(vertex.operations);
	fn_arena_drop(arena);
}

static struct fn_call *
call_new(const char *method, const char *path, const char *body)
{
	static const struct fn_header token = {
		FN_BYTES_INIT("Authorization"), FN_BYTES_INIT("Bearer t")};
	struct fn_call *call = fn_arena_zero(arena, sizeof(*call));

	call->arena = arena;
	call->method = fn_bytes(method);
	call->path = fn_bytes(path);
	call->body = fn_bytes(body);
	call->headers = &token;
	call->header_count = 1;
	return call;
}

static int
answer(struct fn_call *call)
{
	struct fn_error err = {0};

	return vertex_handle(call, &vertex, &err) ? call->answer.status : fn_code_status(err.code);
}

/* The answer to a call of a model, as JSON; `status` is what it must have. */
static json_t *
ask(const char *model, const char *body, int status)
{
	const char *location = strstr(model, "gemini") ? "global" : "us-central1";
	struct fn_call *call =
		call_new("POST", fn_textf(arena, MODEL_PATH "%s", location, model), body);
	int got = answer(call);
	json_t *json = json_loadb(call->answer.body.at, call->answer.body.size, 0, NULL);

	ck_assert_msg(got == status, "%s: %d, not %d: %.*s", body, got, status,
		FN_ARG(call->answer.body));
	ck_assert_msg(json, "%s: no JSON", body);
	return json;
}

static char *
imagen_body(const char *prompt, const char *parameters)
{
	return fn_textf(arena, "{\"instances\":[{\"prompt\":\"%s\"}],\"parameters\":{%s}}", prompt,
		parameters);
}

static char *
gemini_body(const char *prompt, const char *config)
{
	return fn_textf(arena,
		"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"%s\"}]}],"
		"\"generationConfig\":{%s}}",
		prompt, config);
}

/* ---- Reading ------------------------------------------------------------------------------ */

/* The value behind "candidates.0.content", NULL where a step is missing. */
static json_t *
at(json_t *json, const char *path)
{
	struct fn_bytes rest = fn_bytes(path);

	while (json && rest.size > 0) {
		const char *step = fn_text(arena, fn_bytes_cut(&rest, '.'));
		json = json_is_array(json) ? json_array_get(json, strtoul(step, NULL, 10))
					   : json_object_get(json, step);
	}
	return json;
}

static const char *
text_at(json_t *json, const char *path)
{
	const char *text = json_string_value(at(json, path));

	return text ? text : "";
}

static bool
decode(const char *base64, png_image *image)
{
	struct fn_bytes text = fn_bytes(base64);
	char *png = fn_arena_alloc(arena, text.size);
	size_t size;

	*image = (png_image){.version = PNG_IMAGE_VERSION};
	if (!fn_base64_decode(text, png, &size) ||
		!png_image_begin_read_from_memory(image, png, size))
		return false;
	png_image_free(image);
	return true;
}

static void
assert_picture(const char *base64, unsigned width, unsigned height)
{
	png_image image;

	ck_assert_msg(decode(base64, &image), "no PNG in base64");
	ck_assert_uint_eq(image.width, width);
	ck_assert_uint_eq(image.height, height);
}

#define IMAGEN_BYTES "predictions.0.bytesBase64Encoded"
#define GEMINI_BYTES "candidates.0.content.parts.0.inlineData.data"

/* ---- Pictures ------------------------------------------------------------------------------ */

static const struct {
	const char *aspect_ratio;
	unsigned imagen[2], gemini[2];
} sizes[] = {
	{"1:1", {1024, 1024}, {1024, 1024}},
	{"3:4", {896, 1280}, {896, 1200}},
	{"4:3", {1280, 896}, {1200, 896}},
	{"9:16", {768, 1408}, {768, 1376}},
	{"16:9", {1408, 768}, {1376, 768}},
};

/* Both dialects answer with a PNG of the size that the model gives to the aspect ratio. */
START_TEST(each_aspect_ratio_has_its_size)
{
	const char *ratio = sizes[_i].aspect_ratio;
	json_t *imagen = ask(IMAGEN,
		imagen_body("a kite",
			fn_textf(arena, "\"sampleCount\":1,\"aspectRatio\":\"%s\"", ratio)),
		200);
	json_t *gemini = ask(GEMINI,
		gemini_body("a kite", fn_textf(arena,
					      "\"responseModalities\":[\"IMAGE\"],"
					      "\"imageConfig\":{\"aspectRatio\":\"%s\"}",
					      ratio)),
		200);

	assert_picture(text_at(imagen, IMAGEN_BYTES), sizes[_i].imagen[0], sizes[_i].imagen[1]);
	ck_assert_str_eq(text_at(imagen, "predictions.0.mimeType"), "image/png");
	assert_picture(text_at(gemini, GEMINI_BYTES), sizes[_i].gemini[0], sizes[_i].gemini[1]);
	ck_assert_str_eq(text_at(gemini, "candidates.0.finishReason"), "STOP");
	ck_assert_str_eq(text_at(gemini, "modelVersion"), "gemini-3.1-flash-image");
	json_decref(imagen);
	json_decref(gemini);
}
END_TEST

/* Imagen paints four pictures where nobody says how many, and each of them is another. */
START_TEST(imagen_paints_as_many_as_asked)
{
	json_t *json = ask(IMAGEN, imagen_body("a kite", ""), 200);

	ck_assert_uint_eq(json_array_size(at(json, "predictions")), 4);
	ck_assert_str_ne(
		text_at(json, IMAGEN_BYTES), text_at(json, "predictions.3.bytesBase64Encoded"));
	json_decref(json);
}
END_TEST

static const struct {
	const char *model, *seeded, *path;
} dialects[] = {
	{IMAGEN,
		"{\"instances\":[{\"prompt\":\"a kite\"}],\"parameters\":{\"sampleCount\":1,"
		"\"addWatermark\":false,\"seed\":7}}",
		IMAGEN_BYTES},
	{GEMINI,
		"{\"contents\":[{\"parts\":[{\"text\":\"a kite\"}]}],\"generationConfig\":{"
		"\"responseModalities\":[\"IMAGE\"],\"seed\":7}}",
		GEMINI_BYTES},
};

/* The same seed gives the same picture; without one, each picture is another. */
START_TEST(seed_decides_the_picture)
{
	char *without = fn_text(arena, fn_bytes(dialects[_i].seeded));
	char *seed = strstr(without, ",\"seed\":7");
	json_t *answers[4];

	memset(seed, ' ', strlen(",\"seed\":7"));
	for (size_t i = 0; i < COUNT(answers); i++)
		answers[i] = ask(dialects[_i].model, i < 2 ? dialects[_i].seeded : without, 200);
	ck_assert_str_eq(
		text_at(answers[0], dialects[_i].path), text_at(answers[1], dialects[_i].path));
	ck_assert_str_ne(
		text_at(answers[2], dialects[_i].path), text_at(answers[3], dialects[_i].path));
	for (size_t i = 0; i < COUNT(answers); i++)
		json_decref(answers[i]);
}
END_TEST

/* ---- Rules ------------------------------------------------------------------------------ */

static const struct {
	const char *model, *body;
	const char *message; /* a piece of it */
} broken[] = {
	{IMAGEN, "{\"instances\":", "Invalid JSON payload"},
	{IMAGEN, "[]", "an object"},
	{IMAGEN, "{}", "Exactly one instance"},
	{IMAGEN, "{\"instances\":[{\"prompt\":\"a\"},{\"prompt\":\"b\"}]}", "Exactly one instance"},
	{IMAGEN, "{\"instances\":[{\"prompt\":\"\"}]}", "prompt is required"},
	{IMAGEN, "{\"instances\":[{\"promt\":\"a\"}]}", "Unknown name \"promt\" at 'instances[0]'"},
	{IMAGEN, "{\"instances\":[{\"prompt\":1}]}", "'instances[0].prompt' (TYPE_STRING)"},
#define WITH(parameters) "{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{" parameters "}}"
	{IMAGEN, WITH("\"sampleCount\":0"),
		"'parameters.sampleCount': must be in the range [1, 4]"},
	{IMAGEN, WITH("\"sampleCount\":5"),
		"'parameters.sampleCount': must be in the range [1, 4]"},
	{IMAGEN, WITH("\"sampleCount\":\"1\""), "'parameters.sampleCount' (TYPE_INT32)"},
	{IMAGEN, WITH("\"aspectRatio\":\"2:1\""), "'parameters.aspectRatio': must be one of 1:1"},
	{IMAGEN, WITH("\"seed\":1"), "Seed is not supported when watermark is enabled"},
	{IMAGEN, WITH("\"seed\":0,\"addWatermark\":false"), "'parameters.seed': must be in"},
	{IMAGEN, WITH("\"seed\":4294967296,\"addWatermark\":false"),
		"'parameters.seed': must be in"},
	{IMAGEN, WITH("\"addWatermark\":1"), "'parameters.addWatermark' (TYPE_BOOL)"},
	{IMAGEN, WITH("\"negativePrompt\":\"b\""), "negativePrompt is not supported"},
	{IMAGEN, WITH("\"personGeneration\":\"ALLOW_ALL\""), "must be one of dont_allow"},
	{IMAGEN, WITH("\"outputOptions\":{\"mimeType\":\"image/jpeg\"}"),
		"must be one of image/png"},
	{IMAGEN, WITH("\"storageUri\":\"gs://b\""), "not supported by this stand-in"},
#undef WITH
	{GEMINI, "{}", "At least one part"},
	{GEMINI, "{\"contents\":{}}", "'contents' (a list)"},
	{GEMINI, "{\"contents\":[{\"parts\":[{\"inlineData\":{}}]}]}", "not supported by this"},
	{GEMINI, "{\"instances\":[]}", "Unknown name \"instances\" at ''"},
#define WITH(config)                                                                               \
	"{\"contents\":[{\"parts\":[{\"text\":\"a\"}]}],\"generationConfig\":{" config "}}"
	{GEMINI, WITH("\"candidateCount\":2"), "must be in the range [1, 1]"},
	{GEMINI, WITH("\"seed\":2147483648"), "'generationConfig.seed': must be in"},
	{GEMINI, WITH("\"responseModalities\":[\"VIDEO\"]"),
		"'generationConfig.responseModalities[0]'"},
	{GEMINI, WITH("\"imageConfig\":{\"imageSize\":\"1k\"}"), "must be one of 1K"},
	{GEMINI, WITH("\"imageConfig\":{\"personGeneration\":\"allow_all\"}"), "one of ALLOW_ALL"},
	{GEMINI, WITH("\"thinkingConfig\":{\"thinkingLevel\":\"LOW\"}"), "Thinking level LOW"},
	{"gemini-3-pro-image:generateContent",
		WITH("\"thinkingConfig\":{\"thinkingLevel\":\"MINIMAL\"}"),
		"not supported by gemini-3-pro"},
	{GEMINI, WITH("\"addWatermark\":false"), "Unknown name \"addWatermark\""},
#undef WITH
	{"imagen-4.0-generate-001:generateContent", "{}", "only :predict"},
	{"gemini-3.1-flash-image:predict", "{}", "only :generateContent"},
};

/* What breaks a rule of the contract is refused in Google's shape, and the message says where. */
START_TEST(broken_rules_are_refused)
{
	json_t *json = ask(broken[_i].model, broken[_i].body, 400);

	ck_assert_msg(strstr(text_at(json, "error.message"), broken[_i].message),
		"%s: \"%s\" does not say \"%s\"", broken[_i].body, text_at(json, "error.message"),
		broken[_i].message);
	ck_assert_str_eq(text_at(json, "error.status"), "INVALID_ARGUMENT");
	ck_assert_int_eq(json_integer_value(at(json, "error.code")), 400);
	json_decref(json);
}
END_TEST

/* All that the contracts allow, at once, is taken. */
START_TEST(full_requests_are_taken)
{
	json_decref(ask(IMAGEN,
		imagen_body("a kite",
			"\"sampleCount\":1,\"aspectRatio\":\"16:9\",\"sampleImageSize\":\"1K\","
			"\"personGeneration\":\"allow_adult\",\"addWatermark\":true,"
			"\"safetySetting\":\"block_medium_and_above\",\"language\":\"en\","
			"\"enhancePrompt\":false,\"includeRaiReason\":true,"
			"\"outputOptions\":{\"mimeType\":\"image/png\"}"),
		200));
	json_decref(ask("imagen-3.0-generate-001:predict",
		imagen_body("a kite", "\"sampleCount\":1,\"negativePrompt\":\"rain\""), 200));
	json_decref(ask(GEMINI,
		"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a kite\"}]}],"
		"\"generationConfig\":{\"responseModalities\":[\"IMAGE\"],\"candidateCount\":1,"
		"\"seed\":42,\"imageConfig\":{\"aspectRatio\":\"16:9\",\"imageSize\":\"1K\","
		"\"personGeneration\":\"ALLOW_ADULT\",\"imageOutputOptions\":{\"mimeType\":"
		"\"image/png\"}},\"temperature\":1.0,\"topP\":0.95,"
		"\"thinkingConfig\":{\"thinkingLevel\":\"MINIMAL\"}},"
		"\"safetySettings\":[{\"category\":\"HARM_CATEGORY_DANGEROUS_CONTENT\","
		"\"threshold\":\"BLOCK_MEDIUM_AND_ABOVE\"}],\"labels\":{\"app\":\"phoenix\"}}",
		200));
}
END_TEST

static const struct {
	const char *location, *model;
} unknown[] = {
	{"us-central1", "imagen-9:predict"},
	{"us-central1", "gemini-3.1-flash-image:generateContent"}, /* at "global" only */
	{"global", "gemini-3.1-flash-image-preview:generateContent"},
};

/* A model that has retired, or that is not at the location, is not found. */
START_TEST(unknown_models_are_not_found)
{
	struct fn_call *call = call_new("POST",
		fn_textf(arena, MODEL_PATH "%s", unknown[_i].location, unknown[_i].model), "{}");

	ck_assert_int_eq(answer(call), 404);
	ck_assert(strstr(fn_text(arena, call->answer.body), "\"status\":\"NOT_FOUND\""));
}
END_TEST

static const char *const no_tokens[] = {"", "Bearer", "Bearer  ", "Basic dTpw", "t"};

/* A call without a bearer token is not authenticated. */
START_TEST(calls_need_a_token)
{
	const struct fn_header header = {FN_BYTES("authorization"), fn_bytes(no_tokens[_i])};
	struct fn_call *call =
		call_new("POST", fn_textf(arena, MODEL_PATH IMAGEN, "us-central1"), "{}");

	call->headers = &header;
	ck_assert_int_eq(answer(call), 401);
	ck_assert(strstr(fn_text(arena, call->answer.body), "\"status\":\"UNAUTHENTICATED\""));
}
END_TEST

/* ---- Safety ------------------------------------------------------------------------------ */

/* An unsafe prompt is refused by Imagen with an error, by Gemini with a reason in a 200. */
START_TEST(unsafe_prompts_are_refused)
{
	static const char *const prompts[] = {"a kite [[refuse-prompt]]", "GORE, please"};

	for (size_t i = 0; i < COUNT(prompts); i++) {
		json_t *imagen = ask(IMAGEN, imagen_body(prompts[i], ""), 400);
		json_t *gemini = ask(
			GEMINI, gemini_body(prompts[i], "\"responseModalities\":[\"IMAGE\"]"), 200);

		ck_assert(strstr(text_at(imagen, "error.message"), "Support codes: "));
		ck_assert_str_eq(
			text_at(gemini, "promptFeedback.blockReason"), "PROHIBITED_CONTENT");
		ck_assert_ptr_null(at(gemini, "candidates"));
		json_decref(imagen);
		json_decref(gemini);
	}
}
END_TEST

/* Pictures that are filtered leave a reason where one was asked for, and nothing where not. */
START_TEST(unsafe_pictures_are_filtered)
{
	json_t *silent = ask(IMAGEN, imagen_body("[[refuse-output]]", ""), 200);
	json_t *imagen =
		ask(IMAGEN, imagen_body("[[refuse-output]]", "\"includeRaiReason\":true"), 200);
	json_t *gemini = ask(GEMINI,
		gemini_body("[[refuse-output]]", "\"responseModalities\":[\"IMAGE\"]"), 200);

	ck_assert_uint_eq(json_object_size(silent), 0);
	ck_assert(strstr(text_at(imagen, "predictions.0.raiFilteredReason"), "filtered out"));
	ck_assert_str_eq(text_at(imagen, IMAGEN_BYTES), "");
	ck_assert_str_eq(text_at(gemini, "candidates.0.finishReason"), "IMAGE_SAFETY");
	ck_assert_str_eq(text_at(gemini, GEMINI_BYTES), "");
	json_decref(silent);
	json_decref(imagen);
	json_decref(gemini);
}
END_TEST

/* Without IMAGE among the modalities Gemini answers in prose. */
START_TEST(gemini_needs_the_image_modality)
{
	json_t *json = ask(GEMINI, gemini_body("a kite", "\"responseModalities\":[\"TEXT\"]"), 200);

	ck_assert_str_ne(text_at(json, "candidates.0.content.parts.0.text"), "");
	ck_assert_uint_eq(json_array_size(at(json, "candidates.0.content.parts")), 1);
	json_decref(json);
}
END_TEST

/* ---- Faults ------------------------------------------------------------------------------ */

#define IMAGEN_KITE imagen_body("a kite", "\"sampleCount\":1,\"includeRaiReason\":true")
#define GEMINI_KITE gemini_body("a kite", "\"responseModalities\":[\"IMAGE\"]")

static const struct {
	const char *name;
	int status;
	const char *canonical;
} statuses[] = {
	{"400", 400, "INVALID_ARGUMENT"},
	{"401", 401, "UNAUTHENTICATED"},
	{"403", 403, "PERMISSION_DENIED"},
	{"404", 404, "NOT_FOUND"},
	{"429", 429, "RESOURCE_EXHAUSTED"},
	{"500", 500, "INTERNAL"},
	{"503", 503, "UNAVAILABLE"},
	{"504", 504, "DEADLINE_EXCEEDED"},
};

/* A scheduled status comes once, in Google's shape; after it all is well again. */
START_TEST(scheduled_statuses_come_once)
{
	suppose("0", 0, statuses[_i].name);
	json_t *json = ask(GEMINI, GEMINI_KITE, statuses[_i].status);

	ck_assert_str_eq(text_at(json, "error.status"), statuses[_i].canonical);
	ck_assert_int_eq(json_integer_value(at(json, "error.code")), statuses[_i].status);
	json_decref(json);
	json_decref(ask(GEMINI, GEMINI_KITE, 200));
}
END_TEST

static const struct {
	const char *name;
	const char *path, *value; /* what the answer says there; NULL: nothing is there */
} gemini_faults[] = {
	{"block:SAFETY", "promptFeedback.blockReason", "SAFETY"},
	{"block:JAILBREAK", "promptFeedback.blockReason", "JAILBREAK"},
	{"refuse", "promptFeedback.blockReason", "PROHIBITED_CONTENT"},
	{"refuse-output", "candidates.0.finishReason", "IMAGE_SAFETY"},
	{"finish:IMAGE_RECITATION", "candidates.0.finishReason", "IMAGE_RECITATION"},
	{"finish:NO_IMAGE", "candidates.0.finishReason", "NO_IMAGE"},
	{"finish:MAX_TOKENS", "candidates.0.finishReason", "MAX_TOKENS"},
	{"prose", "candidates.0.finishReason", "STOP"},
	{"no-content", "candidates.0.content", NULL},
	{"no-parts", "candidates.0.content.role", "model"},
	{"empty", "candidates.0", NULL},
};

/* Every way in which Gemini answers 200 without a picture can be made to happen. */
START_TEST(gemini_can_fail_to_paint)
{
	suppose("0", 0, gemini_faults[_i].name);
	json_t *json = ask(GEMINI, GEMINI_KITE, 200);
	json_t *value = at(json, gemini_faults[_i].path);

	if (gemini_faults[_i].value)
		ck_assert_str_eq(json_string_value(value), gemini_faults[_i].value);
	else
		ck_assert_ptr_null(value);
	ck_assert_str_eq(text_at(json, GEMINI_BYTES), "");
	json_decref(json);
}
END_TEST

/* A picture may stand behind thoughts and drafts, which are marked as such. */
START_TEST(gemini_can_think_aloud)
{
	suppose("0", 0, "mixed");
	json_t *json = ask(GEMINI, GEMINI_KITE, 200);

	ck_assert(json_is_true(at(json, "candidates.0.content.parts.0.thought")));
	ck_assert(json_is_true(at(json, "candidates.0.content.parts.1.thought")));
	assert_picture(text_at(json, "candidates.0.content.parts.1.inlineData.data"), 256, 256);
	ck_assert_ptr_null(at(json, "candidates.0.content.parts.2.thought"));
	assert_picture(text_at(json, "candidates.0.content.parts.2.inlineData.data"), 1024, 1024);
	json_decref(json);
}
END_TEST

/* Imagen may answer with nothing, with reasons, or with both reasons and pictures. */
START_TEST(imagen_can_fail_to_paint)
{
	suppose("0", 0, "empty,refuse-output,mixed,refuse");
	json_t *empty = ask(IMAGEN, IMAGEN_KITE, 200), *filtered = ask(IMAGEN, IMAGEN_KITE, 200);
	json_t *mixed = ask(IMAGEN, IMAGEN_KITE, 200), *refused = ask(IMAGEN, IMAGEN_KITE, 400);

	ck_assert_uint_eq(json_object_size(empty), 0);
	ck_assert_str_ne(text_at(filtered, "predictions.0.raiFilteredReason"), "");
	ck_assert_ptr_null(at(filtered, "predictions.1"));
	ck_assert_str_ne(text_at(mixed, "predictions.0.raiFilteredReason"), "");
	assert_picture(text_at(mixed, "predictions.1.bytesBase64Encoded"), 1024, 1024);
	ck_assert(strstr(text_at(refused, "error.message"), "Image generation failed"));
	json_decref(empty);
	json_decref(filtered);
	json_decref(mixed);
	json_decref(refused);
}
END_TEST

/* What stands where a picture should be may be no base64, or no picture. */
START_TEST(pictures_can_be_broken)
{
	static const char *const faults[] = {"broken-base64", "not-a-picture"};

	for (size_t i = 0; i < COUNT(faults); i++) {
		png_image image;

		suppose("0", 0, fn_textf(arena, "%s,%s", faults[i], faults[i]));
		json_t *imagen = ask(IMAGEN, IMAGEN_KITE, 200),
		       *gemini = ask(GEMINI, GEMINI_KITE, 200);

		ck_assert_str_ne(text_at(imagen, IMAGEN_BYTES), "");
		ck_assert(!decode(text_at(imagen, IMAGEN_BYTES), &image));
		ck_assert_str_ne(text_at(gemini, GEMINI_BYTES), "");
		ck_assert(!decode(text_at(gemini, GEMINI_BYTES), &image));
		json_decref(imagen);
		json_decref(gemini);
	}
}
END_TEST

/* An answer may be no JSON at all, or a proxy's page. */
START_TEST(answers_can_be_nonsense)
{
	char *path = fn_textf(arena, MODEL_PATH GEMINI, "global");
	struct fn_call *garbage = call_new("POST", path, GEMINI_KITE);
	struct fn_call *html = call_new("POST", path, GEMINI_KITE);

	suppose("0", 0, "garbage,html");
	ck_assert_int_eq(answer(garbage), 200);
	ck_assert_ptr_null(json_loadb(garbage->answer.body.at, garbage->answer.body.size, 0, NULL));
	ck_assert_int_eq(answer(html), 502);
	ck_assert(fn_bytes_starts(html->answer.body, "<html>"));
}
END_TEST

/* A model that hangs lets the caller's deadline pass, and no longer. */
START_TEST(model_can_hang)
{
	struct fn_call *call =
		call_new("POST", fn_textf(arena, MODEL_PATH GEMINI, "global"), GEMINI_KITE);

	suppose("0", 0, "hang");
	call->deadline_ms = fn_now_ms() + 300;
	ck_assert_int_eq(answer(call), 504);
	ck_assert_int_ge(fn_now_ms(), call->deadline_ms);
}
END_TEST

/* ---- Conditions ------------------------------------------------------------------------------ */

/* A model takes no longer than its latency says, and not less. */
START_TEST(latency_passes_first)
{
	int64_t begin = fn_now_ms();

	suppose("200-300", 0, "");
	json_decref(ask(GEMINI, gemini_body("[[refuse-prompt]]", ""), 200));
	ck_assert_int_ge(fn_now_ms() - begin, 200);
}
END_TEST

/* Beyond the quota each dialect says so in its words, and other models are not touched. */
START_TEST(quota_is_kept)
{
	suppose("0", 2, "");
	for (int i = 0; i < 2; i++) {
		json_decref(ask(IMAGEN, imagen_body("[[refuse-output]]", ""), 200));
		json_decref(ask(GEMINI, gemini_body("[[refuse-output]]", ""), 200));
	}
	json_t *imagen = ask(IMAGEN, IMAGEN_KITE, 429), *gemini = ask(GEMINI, GEMINI_KITE, 429);

	ck_assert(strstr(text_at(imagen, "error.message"), "base model: imagen-4.0-generate."));
	ck_assert_str_eq(text_at(imagen, "error.status"), "RESOURCE_EXHAUSTED");
	ck_assert_str_eq(
		text_at(gemini, "error.message"), "Resource exhausted, please try again later.");
	json_decref(imagen);
	json_decref(gemini);
	json_decref(ask(
		"imagen-4.0-fast-generate-001:predict", imagen_body("[[refuse-output]]", ""), 200));

	usleep(600 * 1000); /* half a call more than one has room again */
	json_decref(ask(IMAGEN, imagen_body("[[refuse-output]]", ""), 200));
}
END_TEST

static const struct {
	struct conditions_config config;
	const char *variable;
} wrong[] = {
	{{"fast", 0, "", NULL}, "IMAGEN_LATENCY_MS"},
	{{"5-3", 0, "", NULL}, "IMAGEN_LATENCY_MS"},
	{{"3-", 0, "x", NULL}, "IMAGEN_FAULTS"},
	{{"1-2-3", 0, "", NULL}, "IMAGEN_LATENCY_MS"},
	{{"0", 0, "429,flood", NULL}, "IMAGEN_FAULTS: there is no fault \"flood\""},
	{{"0", 0, "429,,500", NULL}, "IMAGEN_FAULTS"},
	{{"0", 0, "block:", NULL}, "IMAGEN_FAULTS"},
};

/* A wrong setting is named. */
START_TEST(wrong_settings_are_named)
{
	struct conditions *conditions;
	struct fn_error err = {0};

	ck_assert(!conditions_open(&conditions, &image_conditions, &wrong[_i].config, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strstr(err.message, wrong[_i].variable), "%s", err.message);
}
END_TEST

/* Calls are counted for each model by how they ended. */
START_TEST(calls_are_counted)
{
	struct fn_call *call = call_new("GET", "/stats", "");

	suppose("0", 0, "ok,429");
	json_decref(ask(GEMINI, GEMINI_KITE, 200));
	json_decref(ask(GEMINI, GEMINI_KITE, 429));
	json_decref(ask(GEMINI, gemini_body("[[refuse-prompt]]", ""), 200));
	json_decref(ask(GEMINI, "{}", 400));
	json_decref(ask(IMAGEN, imagen_body("[[refuse-prompt]]", ""), 400));
	ck_assert_int_eq(answer(call), 200);

	json_t *json = json_loadb(call->answer.body.at, call->answer.body.size, 0, NULL);
	json_t *gemini = at(json, "models"),
	       *imagen = json_object_get(gemini, "imagen-4.0-generate-001");
	gemini = json_object_get(gemini, "gemini-3.1-flash-image");
	ck_assert_int_eq(json_integer_value(at(json, "calls")), 5);
	ck_assert_int_eq(json_integer_value(at(gemini, "calls")), 4);
	ck_assert_int_eq(json_integer_value(at(gemini, "painted")), 1);
	ck_assert_int_eq(json_integer_value(at(gemini, "faulty")), 1);
	ck_assert_int_eq(json_integer_value(at(gemini, "refused")), 1);
	ck_assert_int_eq(json_integer_value(at(gemini, "rejected")), 1);
	ck_assert_int_eq(json_integer_value(at(imagen, "refused")), 1);
	json_decref(json);
}
END_TEST

/* The metadata server gives a token to whoever knows its header, and shows that it is the one. */
START_TEST(metadata_server_gives_tokens)
{
	const char *path = "/computeMetadata/v1/instance/service-accounts/default/token";
	const struct fn_header flavor = {FN_BYTES("metadata-flavor"), FN_BYTES("Google")};
	struct fn_call *stranger = call_new("GET", path, ""), *known = call_new("GET", path, "");

	known->headers = &flavor;
	ck_assert_int_eq(answer(stranger), 403);
	ck_assert_int_eq(answer(known), 200);
	ck_assert_bytes_eq(known->answer.headers[0].name, "Metadata-Flavor");
	ck_assert_bytes_eq(known->answer.headers[0].value, "Google");
	ck_assert(strstr(fn_text(arena, known->answer.body), "\"token_type\":\"Bearer\""));
}
END_TEST

/* ---- The program ------------------------------------------------------------------------------
 */

static unsigned
free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* Starts it with one more variable in its environment. */
static pid_t
start(unsigned port, const char *variable, const char *value)
{
	const char *bin = getenv("PHOENIX_BIN");
	char *program = fn_textf(arena, "%s/vertex", bin ? bin : "build/bin");
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("PORT", fn_textf(arena, "%u", port), 1);
		setenv(variable, value, 1);
		execl(program, program, NULL);
		perror(program);
		_exit(127);
	}
	return pid;
}

static int
exit_status(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Sends a kite to paint; the answer's status, 0 where it did not come whole. */
static int
send_kite(struct fn_http_client *client, unsigned port, struct fn_http_response *response)
{
	const struct fn_header token = {FN_BYTES("Authorization"), FN_BYTES("Bearer t")};
	const struct fn_http_request request = {
		.method = "POST",
		.url = fn_textf(arena, "http://127.0.0.1:%u" MODEL_PATH GEMINI, port, "global"),
		.headers = &token,
		.header_count = 1,
		.body = fn_bytes(GEMINI_KITE),
		.max_response = 16 * 1024 * 1024,
	};
	struct fn_error err = {0};

	if (fn_http_send(client, call_new("", "", ""), &request, response, &err))
		return response->status;
	ck_assert_msg(err.code == FN_UPSTREAM, "%s", err.message);
	return 0;
}

static void
wait_until_up(struct fn_http_client *client, unsigned port)
{
	const struct fn_http_request request = {
		.url = fn_textf(arena, "http://127.0.0.1:%u/stats", port), .attempts = 8};
	struct fn_http_response response;
	struct fn_error err = {0};

	ck_assert_msg(fn_http_send(client, call_new("", "", ""), &request, &response, &err), "%s",
		err.message);
}

/* As a program it paints over HTTP with the settings of its environment, also badly, and stops
 * when told. */
START_TEST(program_paints_over_http)
{
	static const int statuses_wanted[] = {503, 0, 0, 200, 200};
	unsigned port = free_port();
	pid_t pid = start(port, "IMAGEN_FAULTS", "503,reset,truncated,slow");
	struct fn_http_client *client;
	struct fn_error err = {0};

	ck_assert_msg(fn_http_client_open(&client, &err), "%s", err.message);
	wait_until_up(client, port);
	for (size_t i = 0; i < COUNT(statuses_wanted); i++) {
		struct fn_http_response response;

		ck_assert_int_eq(send_kite(client, port, &response), statuses_wanted[i]);
		if (statuses_wanted[i] != 200)
			continue;
		json_t *json = json_loadb(response.body, response.size, 0, NULL);
		assert_picture(text_at(json, GEMINI_BYTES), 1024, 1024);
		json_decref(json);
	}
	fn_http_client_close(client);

	kill(pid, SIGTERM);
	ck_assert_int_eq(exit_status(pid), 0);
}
END_TEST

/* It does not start with a setting that it cannot follow. */
START_TEST(program_refuses_wrong_settings)
{
	ck_assert_int_eq(exit_status(start(free_port(), "IMAGEN_LATENCY_MS", "soon")), 78);
	ck_assert_int_eq(exit_status(start(free_port(), "IMAGEN_QUOTA_PER_S", "-1")), 78);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{each_aspect_ratio_has_its_size, COUNT(sizes), setup, teardown},
		{imagen_paints_as_many_as_asked, 0, setup, teardown},
		{seed_decides_the_picture, COUNT(dialects), setup, teardown},
		{broken_rules_are_refused, COUNT(broken), setup, teardown},
		{full_requests_are_taken, 0, setup, teardown},
		{unknown_models_are_not_found, COUNT(unknown), setup, teardown},
		{calls_need_a_token, COUNT(no_tokens), setup, teardown},
		{unsafe_prompts_are_refused, 0, setup, teardown},
		{unsafe_pictures_are_filtered, 0, setup, teardown},
		{gemini_needs_the_image_modality, 0, setup, teardown},
		{scheduled_statuses_come_once, COUNT(statuses), setup, teardown},
		{gemini_can_fail_to_paint, COUNT(gemini_faults), setup, teardown},
		{gemini_can_think_aloud, 0, setup, teardown},
		{imagen_can_fail_to_paint, 0, setup, teardown},
		{pictures_can_be_broken, 0, setup, teardown},
		{answers_can_be_nonsense, 0, setup, teardown},
		{model_can_hang, 0, setup, teardown},
		{latency_passes_first, 0, setup, teardown},
		{quota_is_kept, 0, setup, teardown},
		{wrong_settings_are_named, COUNT(wrong), NULL, NULL},
		{calls_are_counted, 0, setup, teardown},
		{metadata_server_gives_tokens, 0, setup, teardown},
		{program_paints_over_http, 0, setup, teardown},
		{program_refuses_wrong_settings, 0, setup, teardown},
	};

	return suite_run("vertex", cases, COUNT(cases));
}
