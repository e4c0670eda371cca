/* The stand-in for Vertex AI fails as it is told to, and takes its time. */
#include "fn/clock.h"
#include "tests/support/stand_in.h"
#include "tests/support/suite.h"

#include <string.h>
#include <unistd.h>

/* ---- Faults ---------------------------------------------------------------------------------- */

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
	stand_in_suppose("0", 0, statuses[_i].name);
	json_t *json = stand_in_ask(STAND_IN_GEMINI, STAND_IN_GEMINI_KITE, statuses[_i].status);

	ck_assert_str_eq(stand_in_text_at(json, "error.status"), statuses[_i].canonical);
	ck_assert_int_eq(json_integer_value(stand_in_at(json, "error.code")), statuses[_i].status);
	json_decref(json);
	json_decref(stand_in_ask(STAND_IN_GEMINI, STAND_IN_GEMINI_KITE, 200));
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
	stand_in_suppose("0", 0, gemini_faults[_i].name);
	json_t *json = stand_in_ask(STAND_IN_GEMINI, STAND_IN_GEMINI_KITE, 200);
	json_t *value = stand_in_at(json, gemini_faults[_i].path);

	if (gemini_faults[_i].value)
		ck_assert_str_eq(json_string_value(value), gemini_faults[_i].value);
	else
		ck_assert_ptr_null(value);
	ck_assert_str_eq(stand_in_text_at(json, STAND_IN_GEMINI_BYTES), "");
	json_decref(json);
}
END_TEST

/* A picture may stand behind thoughts and drafts, which are marked as such. */
START_TEST(gemini_can_think_aloud)
{
	stand_in_suppose("0", 0, "mixed");
	json_t *json = stand_in_ask(STAND_IN_GEMINI, STAND_IN_GEMINI_KITE, 200);

	ck_assert(json_is_true(stand_in_at(json, "candidates.0.content.parts.0.thought")));
	ck_assert(json_is_true(stand_in_at(json, "candidates.0.content.parts.1.thought")));
	stand_in_painted(
		stand_in_text_at(json, "candidates.0.content.parts.1.inlineData.data"), 256, 256);
	ck_assert_ptr_null(stand_in_at(json, "candidates.0.content.parts.2.thought"));
	stand_in_painted(
		stand_in_text_at(json, "candidates.0.content.parts.2.inlineData.data"), 1024, 1024);
	json_decref(json);
}
END_TEST

/* Imagen may answer with nothing, with reasons, or with both reasons and pictures. */
START_TEST(imagen_can_fail_to_paint)
{
	stand_in_suppose("0", 0, "empty,refuse-output,mixed,refuse");
	json_t *empty = stand_in_ask(STAND_IN_IMAGEN, STAND_IN_IMAGEN_KITE, 200),
	       *filtered = stand_in_ask(STAND_IN_IMAGEN, STAND_IN_IMAGEN_KITE, 200);
	json_t *mixed = stand_in_ask(STAND_IN_IMAGEN, STAND_IN_IMAGEN_KITE, 200),
	       *refused = stand_in_ask(STAND_IN_IMAGEN, STAND_IN_IMAGEN_KITE, 400);

	ck_assert_uint_eq(json_object_size(empty), 0);
	ck_assert_str_ne(stand_in_text_at(filtered, "predictions.0.raiFilteredReason"), "");
	ck_assert_ptr_null(stand_in_at(filtered, "predictions.1"));
	ck_assert_str_ne(stand_in_text_at(mixed, "predictions.0.raiFilteredReason"), "");
	stand_in_painted(stand_in_text_at(mixed, "predictions.1.bytesBase64Encoded"), 1024, 1024);
	ck_assert(strstr(stand_in_text_at(refused, "error.message"), "Image generation failed"));
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

		stand_in_suppose("0", 0, fn_textf(stand_in.arena, "%s,%s", faults[i], faults[i]));
		json_t *imagen = stand_in_ask(STAND_IN_IMAGEN, STAND_IN_IMAGEN_KITE, 200),
		       *gemini = stand_in_ask(STAND_IN_GEMINI, STAND_IN_GEMINI_KITE, 200);

		ck_assert_str_ne(stand_in_text_at(imagen, STAND_IN_IMAGEN_BYTES), "");
		ck_assert(
			!stand_in_decode(stand_in_text_at(imagen, STAND_IN_IMAGEN_BYTES), &image));
		ck_assert_str_ne(stand_in_text_at(gemini, STAND_IN_GEMINI_BYTES), "");
		ck_assert(
			!stand_in_decode(stand_in_text_at(gemini, STAND_IN_GEMINI_BYTES), &image));
		json_decref(imagen);
		json_decref(gemini);
	}
}
END_TEST

/* An answer may be no JSON at all, or a proxy's page. */
START_TEST(answers_can_be_nonsense)
{
	char *path = fn_textf(stand_in.arena, STAND_IN_MODEL_PATH STAND_IN_GEMINI, "global");
	struct fn_call *garbage = stand_in_call("POST", path, STAND_IN_GEMINI_KITE);
	struct fn_call *html = stand_in_call("POST", path, STAND_IN_GEMINI_KITE);

	stand_in_suppose("0", 0, "garbage,html");
	ck_assert_int_eq(stand_in_answer(garbage), 200);
	ck_assert_ptr_null(json_loadb(garbage->answer.body.at, garbage->answer.body.size, 0, NULL));
	ck_assert_int_eq(stand_in_answer(html), 502);
	ck_assert(fn_bytes_starts(html->answer.body, "<html>"));
}
END_TEST

/* A model that hangs lets the caller's deadline pass, and no longer. */
START_TEST(model_can_hang)
{
	struct fn_call *call = stand_in_call("POST",
		fn_textf(stand_in.arena, STAND_IN_MODEL_PATH STAND_IN_GEMINI, "global"),
		STAND_IN_GEMINI_KITE);

	stand_in_suppose("0", 0, "hang");
	call->deadline_ms = fn_now_ms() + 300;
	ck_assert_int_eq(stand_in_answer(call), 504);
	ck_assert_int_ge(fn_now_ms(), call->deadline_ms);
}
END_TEST

/* ---- Conditions ------------------------------------------------------------------------------ */

/* A model takes no longer than its latency says, and not less. */
START_TEST(latency_passes_first)
{
	int64_t begin = fn_now_ms();

	stand_in_suppose("200-300", 0, "");
	json_decref(stand_in_ask(STAND_IN_GEMINI, stand_in_gemini("[[refuse-prompt]]", ""), 200));
	ck_assert_int_ge(fn_now_ms() - begin, 200);
}
END_TEST

/* Beyond the quota each dialect says so in its words, and other models are not touched. */
START_TEST(quota_is_kept)
{
	stand_in_suppose("0", 2, "");
	for (int i = 0; i < 2; i++) {
		json_decref(stand_in_ask(
			STAND_IN_IMAGEN, stand_in_imagen("[[refuse-output]]", ""), 200));
		json_decref(stand_in_ask(
			STAND_IN_GEMINI, stand_in_gemini("[[refuse-output]]", ""), 200));
	}
	json_t *imagen = stand_in_ask(STAND_IN_IMAGEN, STAND_IN_IMAGEN_KITE, 429),
	       *gemini = stand_in_ask(STAND_IN_GEMINI, STAND_IN_GEMINI_KITE, 429);

	ck_assert(strstr(
		stand_in_text_at(imagen, "error.message"), "base model: imagen-4.0-generate."));
	ck_assert_str_eq(stand_in_text_at(imagen, "error.status"), "RESOURCE_EXHAUSTED");
	ck_assert_str_eq(stand_in_text_at(gemini, "error.message"),
		"Resource exhausted, please try again later.");
	json_decref(imagen);
	json_decref(gemini);
	json_decref(stand_in_ask("imagen-4.0-fast-generate-001:predict",
		stand_in_imagen("[[refuse-output]]", ""), 200));

	usleep(600 * 1000); /* half a call more than one has room again */
	json_decref(stand_in_ask(STAND_IN_IMAGEN, stand_in_imagen("[[refuse-output]]", ""), 200));
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
	struct fn_call *call = stand_in_call("GET", "/stats", "");

	stand_in_suppose("0", 0, "ok,429");
	json_decref(stand_in_ask(STAND_IN_GEMINI, STAND_IN_GEMINI_KITE, 200));
	json_decref(stand_in_ask(STAND_IN_GEMINI, STAND_IN_GEMINI_KITE, 429));
	json_decref(stand_in_ask(STAND_IN_GEMINI, stand_in_gemini("[[refuse-prompt]]", ""), 200));
	json_decref(stand_in_ask(STAND_IN_GEMINI, "{}", 400));
	json_decref(stand_in_ask(STAND_IN_IMAGEN, stand_in_imagen("[[refuse-prompt]]", ""), 400));
	ck_assert_int_eq(stand_in_answer(call), 200);

	json_t *json = json_loadb(call->answer.body.at, call->answer.body.size, 0, NULL);
	json_t *gemini = stand_in_at(json, "models"),
	       *imagen = json_object_get(gemini, "imagen-4.0-generate-001");
	gemini = json_object_get(gemini, "gemini-3.1-flash-image");
	ck_assert_int_eq(json_integer_value(stand_in_at(json, "calls")), 5);
	ck_assert_int_eq(json_integer_value(stand_in_at(gemini, "calls")), 4);
	ck_assert_int_eq(json_integer_value(stand_in_at(gemini, "painted")), 1);
	ck_assert_int_eq(json_integer_value(stand_in_at(gemini, "faulty")), 1);
	ck_assert_int_eq(json_integer_value(stand_in_at(gemini, "refused")), 1);
	ck_assert_int_eq(json_integer_value(stand_in_at(gemini, "rejected")), 1);
	ck_assert_int_eq(json_integer_value(stand_in_at(imagen, "refused")), 1);
	json_decref(json);
}
END_TEST

/* The metadata server gives a token to whoever knows its header, and shows that it is the one. */
START_TEST(metadata_server_gives_tokens)
{
	const char *path = "/computeMetadata/v1/instance/service-accounts/default/token";
	const struct fn_header flavor = {FN_BYTES("metadata-flavor"), FN_BYTES("Google")};
	struct fn_call *stranger = stand_in_call("GET", path, ""),
		       *known = stand_in_call("GET", path, "");

	known->headers = &flavor;
	ck_assert_int_eq(stand_in_answer(stranger), 403);
	ck_assert_int_eq(stand_in_answer(known), 200);
	ck_assert_bytes_eq(known->answer.headers[0].name, "Metadata-Flavor");
	ck_assert_bytes_eq(known->answer.headers[0].value, "Google");
	ck_assert(strstr(fn_text(stand_in.arena, known->answer.body), "\"token_type\":\"Bearer\""));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = scheduled_statuses_come_once, .rows = COUNT(statuses)},
		{.test = gemini_can_fail_to_paint, .rows = COUNT(gemini_faults)},
		{.test = gemini_can_think_aloud},
		{.test = imagen_can_fail_to_paint},
		{.test = pictures_can_be_broken},
		{.test = answers_can_be_nonsense},
		{.test = model_can_hang},
		{.test = latency_passes_first},
		{.test = quota_is_kept},
		{.test = wrong_settings_are_named, .rows = COUNT(wrong)},
		{.test = calls_are_counted},
		{.test = metadata_server_gives_tokens},
	};

	return suite_run_with(
		"vertex, failing", cases, COUNT(cases), stand_in_open, stand_in_close);
}
