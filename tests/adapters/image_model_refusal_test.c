/* Answers of image models without a picture, and what people and the log are told of them. */
#include "tests/support/easel.h"
#include "tests/support/suite.h"

#include <string.h>

/* ---- No picture in the answer ---- */

#define FINISH_CODES(reason, codes)                                                                \
	"{\"candidates\":[{\"content\":{\"role\":\"model\"},\"finishReason\":\"" reason            \
	"\",\"finishMessage\":\"No. Support codes: " codes "\"}]}"
#define BLOCK(reason) "{\"promptFeedback\":{\"blockReason\":\"" reason "\"}}"
#define PROSE GEMINI_PARTS("{\"text\":\"A fox is an animal.\"}")
#define RAI(reason) "{\"predictions\":[{\"raiFilteredReason\":\"" reason "\"}]}"

static const struct outcome_case {
	const char *model, *answer;
	enum fn_code code;
	const char *sentence;
	size_t requests;
} outcome_cases[] = {
	{GEMINI, BLOCK("SAFETY"), FN_UNPROCESSABLE, "the safety filter refused the prompt", 1},
	{GEMINI, BLOCK("IMAGE_SAFETY"), FN_UNPROCESSABLE,
		"the prompt asks for a picture that the safety filter refuses", 1},
	{GEMINI, BLOCK("PROHIBITED_CONTENT"), FN_UNPROCESSABLE,
		"the prompt asks for prohibited content", 1},
	{GEMINI, BLOCK("BLOCKLIST"), FN_UNPROCESSABLE, "the prompt has a word that is not allowed",
		1},
	{GEMINI, BLOCK("MODEL_ARMOR"), FN_UNPROCESSABLE, "the operator's policy refused the prompt",
		1},
	{GEMINI, BLOCK("JAILBREAK"), FN_UNPROCESSABLE,
		"the prompt tries to talk the model out of its rules", 1},
	{GEMINI, BLOCK("OTHER"), FN_UNPROCESSABLE,
		"the prompt was refused, and no reason was given", 1},
	{GEMINI, BLOCK("BAD_MOOD"), FN_UNPROCESSABLE, "the prompt was refused (BAD_MOOD)", 1},
	{GEMINI,
		"{\"promptFeedback\":{\"blockReason\":\"SAFETY\",\"blockReasonMessage\":"
		"\"Support codes: 1, 61493863\"}}",
		FN_UNPROCESSABLE, "the safety filter refused the prompt: violence", 1},

	{GEMINI, GEMINI_FINISH("IMAGE_SAFETY"), FN_UNPROCESSABLE,
		"the safety filter refused the picture", 1},
	{GEMINI, FINISH_CODES("IMAGE_SAFETY", "15236754"), FN_UNPROCESSABLE,
		"the safety filter refused the picture: a celebrity", 1},
	{GEMINI, FINISH_CODES("IMAGE_SAFETY", "615, 6149386, 614938630"), FN_UNPROCESSABLE,
		"the safety filter refused the picture", 1},
	{GEMINI, GEMINI_FINISH("IMAGE_PROHIBITED_CONTENT"), FN_UNPROCESSABLE,
		"the picture would show prohibited content", 1},
	{GEMINI, GEMINI_FINISH("IMAGE_RECITATION"), FN_UNPROCESSABLE,
		"the picture would copy an existing one", 1},
	{GEMINI, GEMINI_FINISH("SAFETY"), FN_UNPROCESSABLE, "the safety filter refused the answer",
		1},
	{GEMINI, GEMINI_FINISH("PROHIBITED_CONTENT"), FN_UNPROCESSABLE,
		"the answer would be prohibited content", 1},
	{GEMINI, GEMINI_FINISH("BLOCKLIST"), FN_UNPROCESSABLE,
		"the answer would have a word that is not allowed", 1},
	{GEMINI, GEMINI_FINISH("SPII"), FN_UNPROCESSABLE,
		"the answer would give away personal data", 1},
	{GEMINI, GEMINI_FINISH("RECITATION"), FN_UNPROCESSABLE,
		"the answer would copy an existing work", 1},
	{GEMINI, GEMINI_FINISH("MODEL_ARMOR"), FN_UNPROCESSABLE,
		"the operator's policy refused the answer", 1},
	{GEMINI, GEMINI_FINISH("NO_IMAGE"), FN_UPSTREAM, "it made no picture", 2},
	{GEMINI, GEMINI_FINISH("IMAGE_OTHER"), FN_UPSTREAM,
		"it made no picture, for a reason of its own", 2},
	{GEMINI, GEMINI_FINISH("OTHER"), FN_UPSTREAM, "it stopped for a reason of its own", 2},
	{GEMINI, GEMINI_FINISH("MAX_TOKENS"), FN_UPSTREAM,
		"it ran out of tokens before there was a picture", 2},
	{GEMINI, GEMINI_FINISH("STOP"), FN_UPSTREAM, "it stopped without having said anything", 2},
	{GEMINI, GEMINI_FINISH("LANGUAGE"), FN_UPSTREAM,
		"neither a picture nor a known reason (LANGUAGE)", 1},
	{GEMINI, PROSE, FN_UNPROCESSABLE,
		"the model answered in words instead of painting; describe a picture", 2},
	{GEMINI, "{}", FN_UPSTREAM, "neither a picture nor a known reason", 1},
	{GEMINI, "[]", FN_UPSTREAM, "neither a picture nor a known reason", 1},
	{GEMINI, "{\"candidates\":7}", FN_UPSTREAM, "neither a picture nor a known reason", 1},
	{GEMINI, GEMINI_PARTS("7"), FN_UPSTREAM, "it stopped without having said anything", 2},
	{GEMINI, GEMINI_PARTS("{\"inlineData\":{\"data\":7}}"), FN_UPSTREAM,
		"it stopped without having said anything", 2},
	{GEMINI, "{\"candidates\":[", FN_UPSTREAM, "the answer is no JSON", 1},
	{GEMINI, "<html>", FN_UPSTREAM, "the answer is no JSON", 1},
	{GEMINI, "", FN_UPSTREAM, "the answer is no JSON", 1},
	{GEMINI, GEMINI_PARTS(INLINE("iVBORw0K!")), FN_UPSTREAM, "the picture is no base64", 1},
	{GEMINI, GEMINI_PARTS(INLINE("")), FN_UPSTREAM, "neither a PNG nor a JPEG", 1},
	{GEMINI, GEMINI_PARTS(INLINE("R0lGODlhAQABAIAAAA==")), FN_UPSTREAM,
		"neither a PNG nor a JPEG", 1},

	{IMAGEN, "{}", FN_UNPROCESSABLE, "the picture was filtered, and no reason was given", 1},
	{IMAGEN, "{\"predictions\":[]}", FN_UNPROCESSABLE,
		"the picture was filtered, and no reason was given", 1},
	{IMAGEN, RAI("It was filtered out. Support codes: 39322892, 29310472"), FN_UNPROCESSABLE,
		"the safety filter refused the picture: people or faces", 1},
	{IMAGEN, RAI("It was filtered out."), FN_UNPROCESSABLE,
		"the safety filter refused the picture", 1},
	{IMAGEN, "{\"predictions\":[{\"gcsUri\":\"gs://b/o\"}]}", FN_UPSTREAM,
		"neither a picture nor a reason", 1},
	{IMAGEN, "{\"predictions\":[{\"bytesBase64Encoded\":\"iVBOR\"}]}", FN_UPSTREAM,
		"the picture is no base64", 1},
	{IMAGEN, "null", FN_UPSTREAM, "the answer is no JSON", 1},
};

/* A sentence for people is all of the message; one for the log follows the model's name. */
START_TEST(answer_without_a_picture_says_why)
{
	const struct outcome_case *c = &outcome_cases[_i];
	const struct script script = {.status = 200, .body = fn_bytes(c->answer)};
	const char *name = strchr(c->model, ':') + 1;

	easel.picture.width = 7; /* nothing is written */
	easel_open(c->model, &script, 1);
	ck_assert_msg(!easel_paint_fox(), "%s", c->answer);
	ck_assert_msg(easel.err.code == c->code, "%s: %s", c->answer, easel.err.message);
	if (c->code == FN_UNPROCESSABLE)
		ck_assert_str_eq(easel.err.message, c->sentence);
	else
		ck_assert_msg(fn_bytes_starts(fn_bytes(easel.err.message), name) &&
				      strstr(easel.err.message, c->sentence),
			"%s: %s", c->answer, easel.err.message);
	ck_assert_uint_eq(scripted_server_requests(easel.server), c->requests);
	ck_assert_uint_eq(easel.picture.width, 7);
}
END_TEST

START_TEST(talkative_model_is_asked_for_an_image)
{
	const struct script script[] = {{.status = 200, .body = FN_BYTES(PROSE)},
		{.status = 200, .body = FN_BYTES(GEMINI_OK)}};

	easel_open(GEMINI, script, COUNT(script));
	ck_assert_msg(easel_paint_fox(), "%s", easel.err.message);
	ck_assert_ptr_nonnull(strstr(easel_body(0), "{\"text\":\"a red fox\"}"));
	ck_assert_ptr_nonnull(
		strstr(easel_body(1), "{\"text\":\"Generate an image of: a red fox\"}"));
}
END_TEST

START_TEST(idle_model_is_asked_once_more)
{
	const struct script script[] = {
		{.status = 200, .body = FN_BYTES(GEMINI_FINISH("NO_IMAGE"))},
		{.status = 200, .body = FN_BYTES(GEMINI_OK)}};

	easel_open(GEMINI, script, COUNT(script));
	ck_assert_msg(easel_paint_fox(), "%s", easel.err.message);
	ck_assert_str_eq(easel_body(0), easel_body(1));
}
END_TEST

/* ---- No answer but a status ---- */

#define ERROR(message) "{\"error\":{\"code\":0,\"message\":\"" message "\",\"status\":\"S\"}}"

static const struct status_case {
	const char *model;
	struct script script;
	enum fn_code code;
	const char *sentence;
} status_cases[] = {
	{IMAGEN,
		{.status = 400,
			.body = FN_BYTES_INIT(
				ERROR("Image generation failed with the following error: The "
				      "prompt could not be submitted."))},
		FN_UNPROCESSABLE, "the safety filter refused the prompt"},
	{IMAGEN,
		{.status = 400,
			.body = FN_BYTES_INIT(
				"{\"error\":{\"message\":\"No.\",\"details\":[{\"detail\":"
				"\"Support codes: 62263041\"}]}}")},
		FN_UNPROCESSABLE, "the safety filter refused the prompt: dangerous content"},
	{GEMINI, {.status = 400, .body = FN_BYTES_INIT(ERROR("Unknown name \\\"seed\\\""))},
		FN_UPSTREAM,
		"it does not take the request (status 400 in global): Unknown name \"seed\""},
	{GEMINI, {.status = 403, .body = FN_BYTES_INIT(ERROR("Permission denied"))}, FN_UPSTREAM,
		"the service account may not use it, or its API is not enabled (status 403 in "
		"global): Permission denied"},
	{IMAGEN, {.status = 404, .body = FN_BYTES_INIT(ERROR("It reached end of life"))},
		FN_UPSTREAM,
		"imagen-4.0-generate-001: it is retired, or not to be had in this location (status "
		"404 in us-central1): It reached end of life"},
	{GEMINI, {.status = 404, .body = FN_BYTES_INIT("[" ERROR("gone") "]")}, FN_UPSTREAM,
		": gone"},
	{GEMINI, {.status = 404, .body = FN_BYTES_INIT("<html>")}, FN_UPSTREAM, "it is retired"},
	{GEMINI, {.status = 499}, FN_UPSTREAM, "it answered something unknown (status 499"},
	{GEMINI, {.status = 302, .headers = "Location: /\r\n"}, FN_UPSTREAM,
		"it answered something unknown (status 302"},
	{GEMINI, {.status = 204}, FN_UPSTREAM, "it answered something unknown (status 204"},
};

START_TEST(final_status_is_explained)
{
	const struct status_case *c = &status_cases[_i];

	easel_open(c->model, &c->script, 1);
	ck_assert(!easel_paint_fox());
	ck_assert_msg(easel.err.code == c->code, "%s", easel.err.message);
	ck_assert_msg(strstr(easel.err.message, c->sentence), "%s", easel.err.message);
	ck_assert_uint_eq(scripted_server_requests(easel.server), 1);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = answer_without_a_picture_says_why, .rows = COUNT(outcome_cases)},
		{.test = talkative_model_is_asked_for_an_image},
		{.test = idle_model_is_asked_once_more},
		{.test = final_status_is_explained, .rows = COUNT(status_cases)},
	};

	return suite_run_with("image_model, refusing", cases, COUNT(cases), easel_begin, easel_end);
}
