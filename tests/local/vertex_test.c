/* The stand-in for Vertex AI paints what it is asked for, and refuses what the real one would:
 * asked without a socket, as the runtime would ask it, and at the end once as the program that it
 * is. */
#include "fn/http_client.h"
#include "tests/support/ports.h"
#include "tests/support/program.h"
#include "tests/support/stand_in.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <string.h>

/* ---- Pictures -------------------------------------------------------------------------------- */

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
	json_t *imagen = stand_in_ask(STAND_IN_IMAGEN,
		stand_in_imagen(
			"a kite", fn_textf(stand_in.arena,
					  "\"sampleCount\":1,\"aspectRatio\":\"%s\"", ratio)),
		200);
	json_t *gemini = stand_in_ask(STAND_IN_GEMINI,
		stand_in_gemini("a kite", fn_textf(stand_in.arena,
						  "\"responseModalities\":[\"IMAGE\"],"
						  "\"imageConfig\":{\"aspectRatio\":\"%s\"}",
						  ratio)),
		200);

	stand_in_painted(stand_in_text_at(imagen, STAND_IN_IMAGEN_BYTES), sizes[_i].imagen[0],
		sizes[_i].imagen[1]);
	ck_assert_str_eq(stand_in_text_at(imagen, "predictions.0.mimeType"), "image/png");
	stand_in_painted(stand_in_text_at(gemini, STAND_IN_GEMINI_BYTES), sizes[_i].gemini[0],
		sizes[_i].gemini[1]);
	ck_assert_str_eq(stand_in_text_at(gemini, "candidates.0.finishReason"), "STOP");
	ck_assert_str_eq(stand_in_text_at(gemini, "modelVersion"), "gemini-3.1-flash-image");
	json_decref(imagen);
	json_decref(gemini);
}
END_TEST

/* Imagen paints four pictures where nobody says how many, and each of them is another. */
START_TEST(imagen_paints_as_many_as_asked)
{
	json_t *json = stand_in_ask(STAND_IN_IMAGEN, stand_in_imagen("a kite", ""), 200);

	ck_assert_uint_eq(json_array_size(stand_in_at(json, "predictions")), 4);
	ck_assert_str_ne(stand_in_text_at(json, STAND_IN_IMAGEN_BYTES),
		stand_in_text_at(json, "predictions.3.bytesBase64Encoded"));
	json_decref(json);
}
END_TEST

static const struct {
	const char *model, *seeded, *path;
} dialects[] = {
	{STAND_IN_IMAGEN,
		"{\"instances\":[{\"prompt\":\"a kite\"}],\"parameters\":{\"sampleCount\":1,"
		"\"addWatermark\":false,\"seed\":7}}",
		STAND_IN_IMAGEN_BYTES},
	{STAND_IN_GEMINI,
		"{\"contents\":[{\"parts\":[{\"text\":\"a kite\"}]}],\"generationConfig\":{"
		"\"responseModalities\":[\"IMAGE\"],\"seed\":7}}",
		STAND_IN_GEMINI_BYTES},
};

/* The same seed gives the same picture; without one, each picture is another. */
START_TEST(seed_decides_the_picture)
{
	char *without = fn_text(stand_in.arena, fn_bytes(dialects[_i].seeded));
	char *seed = strstr(without, ",\"seed\":7");
	json_t *answers[4];

	memset(seed, ' ', strlen(",\"seed\":7"));
	for (size_t i = 0; i < COUNT(answers); i++)
		answers[i] = stand_in_ask(
			dialects[_i].model, i < 2 ? dialects[_i].seeded : without, 200);
	ck_assert_str_eq(stand_in_text_at(answers[0], dialects[_i].path),
		stand_in_text_at(answers[1], dialects[_i].path));
	ck_assert_str_ne(stand_in_text_at(answers[2], dialects[_i].path),
		stand_in_text_at(answers[3], dialects[_i].path));
	for (size_t i = 0; i < COUNT(answers); i++)
		json_decref(answers[i]);
}
END_TEST

/* ---- Rules ----------------------------------------------------------------------------------- */

static const struct {
	const char *model, *body;
	const char *message; /* a piece of it */
} broken[] = {
	{STAND_IN_IMAGEN, "{\"instances\":", "Invalid JSON payload"},
	{STAND_IN_IMAGEN, "[]", "an object"},
	{STAND_IN_IMAGEN, "{}", "Exactly one instance"},
	{STAND_IN_IMAGEN, "{\"instances\":[{\"prompt\":\"a\"},{\"prompt\":\"b\"}]}",
		"Exactly one instance"},
	{STAND_IN_IMAGEN, "{\"instances\":[{\"prompt\":\"\"}]}", "prompt is required"},
	{STAND_IN_IMAGEN, "{\"instances\":[{\"promt\":\"a\"}]}",
		"Unknown name \"promt\" at 'instances[0]'"},
	{STAND_IN_IMAGEN, "{\"instances\":[{\"prompt\":1}]}",
		"'instances[0].prompt' (TYPE_STRING)"},
#define WITH(parameters) "{\"instances\":[{\"prompt\":\"a\"}],\"parameters\":{" parameters "}}"
	{STAND_IN_IMAGEN, WITH("\"sampleCount\":0"),
		"'parameters.sampleCount': must be in the range [1, 4]"},
	{STAND_IN_IMAGEN, WITH("\"sampleCount\":5"),
		"'parameters.sampleCount': must be in the range [1, 4]"},
	{STAND_IN_IMAGEN, WITH("\"sampleCount\":\"1\""), "'parameters.sampleCount' (TYPE_INT32)"},
	{STAND_IN_IMAGEN, WITH("\"aspectRatio\":\"2:1\""),
		"'parameters.aspectRatio': must be one of 1:1"},
	{STAND_IN_IMAGEN, WITH("\"seed\":1"), "Seed is not supported when watermark is enabled"},
	{STAND_IN_IMAGEN, WITH("\"seed\":0,\"addWatermark\":false"),
		"'parameters.seed': must be in"},
	{STAND_IN_IMAGEN, WITH("\"seed\":4294967296,\"addWatermark\":false"),
		"'parameters.seed': must be in"},
	{STAND_IN_IMAGEN, WITH("\"addWatermark\":1"), "'parameters.addWatermark' (TYPE_BOOL)"},
	{STAND_IN_IMAGEN, WITH("\"negativePrompt\":\"b\""), "negativePrompt is not supported"},
	{STAND_IN_IMAGEN, WITH("\"personGeneration\":\"ALLOW_ALL\""), "must be one of dont_allow"},
	{STAND_IN_IMAGEN, WITH("\"outputOptions\":{\"mimeType\":\"image/jpeg\"}"),
		"must be one of image/png"},
	{STAND_IN_IMAGEN, WITH("\"storageUri\":\"gs://b\""), "not supported by this stand-in"},
#undef WITH
	{STAND_IN_GEMINI, "{}", "At least one part"},
	{STAND_IN_GEMINI, "{\"contents\":{}}", "'contents' (a list)"},
	{STAND_IN_GEMINI, "{\"contents\":[{\"parts\":[{\"inlineData\":{}}]}]}",
		"not supported by this"},
	{STAND_IN_GEMINI, "{\"instances\":[]}", "Unknown name \"instances\" at ''"},
#define WITH(config)                                                                               \
	"{\"contents\":[{\"parts\":[{\"text\":\"a\"}]}],\"generationConfig\":{" config "}}"
	{STAND_IN_GEMINI, WITH("\"candidateCount\":2"), "must be in the range [1, 1]"},
	{STAND_IN_GEMINI, WITH("\"seed\":2147483648"), "'generationConfig.seed': must be in"},
	{STAND_IN_GEMINI, WITH("\"responseModalities\":[\"VIDEO\"]"),
		"'generationConfig.responseModalities[0]'"},
	{STAND_IN_GEMINI, WITH("\"imageConfig\":{\"imageSize\":\"1k\"}"), "must be one of 1K"},
	{STAND_IN_GEMINI, WITH("\"imageConfig\":{\"personGeneration\":\"allow_all\"}"),
		"one of ALLOW_ALL"},
	{STAND_IN_GEMINI, WITH("\"thinkingConfig\":{\"thinkingLevel\":\"LOW\"}"),
		"Thinking level LOW"},
	{"gemini-3-pro-image:generateContent",
		WITH("\"thinkingConfig\":{\"thinkingLevel\":\"MINIMAL\"}"),
		"not supported by gemini-3-pro"},
	{STAND_IN_GEMINI, WITH("\"addWatermark\":false"), "Unknown name \"addWatermark\""},
#undef WITH
	{"imagen-4.0-generate-001:generateContent", "{}", "only :predict"},
	{"gemini-3.1-flash-image:predict", "{}", "only :generateContent"},
};

/* What breaks a rule of the contract is refused in Google's shape, and the message says where. */
START_TEST(broken_rules_are_refused)
{
	json_t *json = stand_in_ask(broken[_i].model, broken[_i].body, 400);

	ck_assert_msg(strstr(stand_in_text_at(json, "error.message"), broken[_i].message),
		"%s: \"%s\" does not say \"%s\"", broken[_i].body,
		stand_in_text_at(json, "error.message"), broken[_i].message);
	ck_assert_str_eq(stand_in_text_at(json, "error.status"), "INVALID_ARGUMENT");
	ck_assert_int_eq(json_integer_value(stand_in_at(json, "error.code")), 400);
	json_decref(json);
}
END_TEST

/* All that the contracts allow, at once, is taken. */
START_TEST(full_requests_are_taken)
{
	json_decref(stand_in_ask(STAND_IN_IMAGEN,
		stand_in_imagen("a kite",
			"\"sampleCount\":1,\"aspectRatio\":\"16:9\",\"sampleImageSize\":\"1K\","
			"\"personGeneration\":\"allow_adult\",\"addWatermark\":true,"
			"\"safetySetting\":\"block_medium_and_above\",\"language\":\"en\","
			"\"enhancePrompt\":false,\"includeRaiReason\":true,"
			"\"outputOptions\":{\"mimeType\":\"image/png\"}"),
		200));
	json_decref(stand_in_ask("imagen-3.0-generate-001:predict",
		stand_in_imagen("a kite", "\"sampleCount\":1,\"negativePrompt\":\"rain\""), 200));
	json_decref(stand_in_ask(STAND_IN_GEMINI,
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
	struct fn_call *call = stand_in_call("POST",
		fn_textf(stand_in.arena, STAND_IN_MODEL_PATH "%s", unknown[_i].location,
			unknown[_i].model),
		"{}");

	ck_assert_int_eq(stand_in_answer(call), 404);
	ck_assert(strstr(fn_text(stand_in.arena, call->answer.body), "\"status\":\"NOT_FOUND\""));
}
END_TEST

static const char *const no_tokens[] = {"", "Bearer", "Bearer  ", "Basic dTpw", "t"};

/* A call without a bearer token is not authenticated. */
START_TEST(calls_need_a_token)
{
	const struct fn_header header = {FN_BYTES("authorization"), fn_bytes(no_tokens[_i])};
	struct fn_call *call = stand_in_call("POST",
		fn_textf(stand_in.arena, STAND_IN_MODEL_PATH STAND_IN_IMAGEN, "us-central1"), "{}");

	call->headers = &header;
	ck_assert_int_eq(stand_in_answer(call), 401);
	ck_assert(strstr(
		fn_text(stand_in.arena, call->answer.body), "\"status\":\"UNAUTHENTICATED\""));
}
END_TEST

/* ---- Safety ---------------------------------------------------------------------------------- */

/* An unsafe prompt is refused by Imagen with an error, by Gemini with a reason in a 200. */
START_TEST(unsafe_prompts_are_refused)
{
	static const char *const prompts[] = {"a kite [[refuse-prompt]]", "GORE, please"};

	for (size_t i = 0; i < COUNT(prompts); i++) {
		json_t *imagen =
			stand_in_ask(STAND_IN_IMAGEN, stand_in_imagen(prompts[i], ""), 400);
		json_t *gemini = stand_in_ask(STAND_IN_GEMINI,
			stand_in_gemini(prompts[i], "\"responseModalities\":[\"IMAGE\"]"), 200);

		ck_assert(strstr(stand_in_text_at(imagen, "error.message"), "Support codes: "));
		ck_assert_str_eq(stand_in_text_at(gemini, "promptFeedback.blockReason"),
			"PROHIBITED_CONTENT");
		ck_assert_ptr_null(stand_in_at(gemini, "candidates"));
		json_decref(imagen);
		json_decref(gemini);
	}
}
END_TEST

/* Pictures that are filtered leave a reason where one was asked for, and nothing where not. */
START_TEST(unsafe_pictures_are_filtered)
{
	json_t *silent =
		stand_in_ask(STAND_IN_IMAGEN, stand_in_imagen("[[refuse-output]]", ""), 200);
	json_t *imagen = stand_in_ask(STAND_IN_IMAGEN,
		stand_in_imagen("[[refuse-output]]", "\"includeRaiReason\":true"), 200);
	json_t *gemini = stand_in_ask(STAND_IN_GEMINI,
		stand_in_gemini("[[refuse-output]]", "\"responseModalities\":[\"IMAGE\"]"), 200);

	ck_assert_uint_eq(json_object_size(silent), 0);
	ck_assert(strstr(
		stand_in_text_at(imagen, "predictions.0.raiFilteredReason"), "filtered out"));
	ck_assert_str_eq(stand_in_text_at(imagen, STAND_IN_IMAGEN_BYTES), "");
	ck_assert_str_eq(stand_in_text_at(gemini, "candidates.0.finishReason"), "IMAGE_SAFETY");
	ck_assert_str_eq(stand_in_text_at(gemini, STAND_IN_GEMINI_BYTES), "");
	json_decref(silent);
	json_decref(imagen);
	json_decref(gemini);
}
END_TEST

/* Without IMAGE among the modalities Gemini answers in prose. */
START_TEST(gemini_needs_the_image_modality)
{
	json_t *json = stand_in_ask(STAND_IN_GEMINI,
		stand_in_gemini("a kite", "\"responseModalities\":[\"TEXT\"]"), 200);

	ck_assert_str_ne(stand_in_text_at(json, "candidates.0.content.parts.0.text"), "");
	ck_assert_uint_eq(json_array_size(stand_in_at(json, "candidates.0.content.parts")), 1);
	json_decref(json);
}
END_TEST

/* ---- The program ----------------------------------------------------------------------------- */

static struct program *
start(unsigned port, const char *setting)
{
	const char *const environment[] = {
		fn_textf(stand_in.arena, "PORT=%u", port), setting, NULL};

	return program_start(&(struct program_setup){.name = "vertex", .environment = environment});
}

/* Sends a kite to paint; the answer's status, 0 where it did not come whole. */
static int
send_kite(struct fn_http_client *client, unsigned port, struct fn_http_response *response)
{
	const struct fn_header token = {FN_BYTES("Authorization"), FN_BYTES("Bearer t")};
	const struct fn_http_request request = {
		.method = "POST",
		.url = fn_textf(stand_in.arena,
			"http://127.0.0.1:%u" STAND_IN_MODEL_PATH STAND_IN_GEMINI, port, "global"),
		.headers = &token,
		.header_count = 1,
		.body = fn_bytes(STAND_IN_GEMINI_KITE),
		.max_response = 16 * 1024 * 1024,
	};
	struct fn_error err = {0};

	if (fn_http_send(client, stand_in_call("", "", ""), &request, response, &err))
		return response->status;
	ck_assert_msg(err.code == FN_UPSTREAM, "%s", err.message);
	return 0;
}

/* As a program it paints over HTTP with the settings of its environment, also badly, and stops
 * when told. */
START_TEST(program_paints_over_http)
{
	static const int statuses_wanted[] = {503, 0, 0, 200, 200};
	unsigned port = free_port();
	struct program *program = start(port, "IMAGEN_FAULTS=503,reset,truncated,slow");
	struct fn_http_client *client;
	struct fn_error err = {0};

	ck_assert_msg(fn_http_client_open(&client, &err), "%s", err.message);
	ck_assert(program_is_up(program, port));
	for (size_t i = 0; i < COUNT(statuses_wanted); i++) {
		struct fn_http_response response;

		ck_assert_int_eq(send_kite(client, port, &response), statuses_wanted[i]);
		if (statuses_wanted[i] != 200)
			continue;
		json_t *json = json_loadb(response.body, response.size, 0, NULL);
		stand_in_painted(stand_in_text_at(json, STAND_IN_GEMINI_BYTES), 1024, 1024);
		json_decref(json);
	}
	fn_http_client_close(client);

	program_signal(program, SIGTERM);
	ck_assert_int_eq(program_end(program), 0);
	program_drop(program);
}
END_TEST

/* It does not start with a setting that it cannot follow. */
START_TEST(program_refuses_wrong_settings)
{
	static const char *const settings[] = {"IMAGEN_LATENCY_MS=soon", "IMAGEN_QUOTA_PER_S=-1"};

	for (size_t i = 0; i < COUNT(settings); i++) {
		struct program *program = start(free_port(), settings[i]);

		ck_assert_int_eq(program_end(program), 78);
		program_drop(program);
	}
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = each_aspect_ratio_has_its_size, .rows = COUNT(sizes)},
		{.test = imagen_paints_as_many_as_asked},
		{.test = seed_decides_the_picture, .rows = COUNT(dialects)},
		{.test = broken_rules_are_refused, .rows = COUNT(broken)},
		{.test = full_requests_are_taken},
		{.test = unknown_models_are_not_found, .rows = COUNT(unknown)},
		{.test = calls_need_a_token, .rows = COUNT(no_tokens)},
		{.test = unsafe_prompts_are_refused},
		{.test = unsafe_pictures_are_filtered},
		{.test = gemini_needs_the_image_modality},
		{.test = program_paints_over_http},
		{.test = program_refuses_wrong_settings},
	};

	return suite_run_with("vertex", cases, COUNT(cases), stand_in_open, stand_in_close);
}
