/* Gemini's ":generateContent". An answer is a list of parts, of which one may be a picture; where
 * none is, the prompt or the answer was refused, or the model chose to talk.
 * Source: cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse
 * and .../multimodal/gemini-image-generation-limitations. */
#include "adapters/image_model_dialect.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
write_request(const struct image_request *request, bool insist, struct fn_builder *body)
{
	fn_addf(body, "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"%s",
		insist ? "Generate an image of: " : "");
	image_model_add_prompt(body, request);
	fn_addf(body, "\"}]}],\"generationConfig\":{\"responseModalities\":[\"IMAGE\"],"
		      "\"candidateCount\":1,");
	if (request->has_seed)
		fn_addf(body, "\"seed\":%u,", request->seed);
	fn_addf(body,
		"\"imageConfig\":{\"aspectRatio\":\"%s\","
		"\"imageOutputOptions\":{\"mimeType\":\"image/png\"}}}}",
		request->aspect_ratio);
}

/* ---- Why there is no picture ----------------------------------------------------------------- */

static const struct block {
	const char *reason, *sentence;
} blocks[] = {
	{"SAFETY", "the safety filter refused the prompt"},
	{"IMAGE_SAFETY", "the prompt asks for a picture that the safety filter refuses"},
	{"PROHIBITED_CONTENT", "the prompt asks for prohibited content"},
	{"BLOCKLIST", "the prompt has a word that is not allowed"},
	{"MODEL_ARMOR", "the operator's policy refused the prompt"},
	{"JAILBREAK", "the prompt tries to talk the model out of its rules"},
	{"OTHER", "the prompt was refused, and no reason was given"},
};

static const struct finish {
	const char *reason;
	enum fn_code code;
	const char *sentence;
} finishes[] = {
	{"IMAGE_SAFETY", FN_UNPROCESSABLE, "the safety filter refused the picture"},
	{"IMAGE_PROHIBITED_CONTENT", FN_UNPROCESSABLE, "the picture would show prohibited content"},
	{"IMAGE_RECITATION", FN_UNPROCESSABLE, "the picture would copy an existing one"},
	{"SAFETY", FN_UNPROCESSABLE, "the safety filter refused the answer"},
	{"PROHIBITED_CONTENT", FN_UNPROCESSABLE, "the answer would be prohibited content"},
	{"BLOCKLIST", FN_UNPROCESSABLE, "the answer would have a word that is not allowed"},
	{"SPII", FN_UNPROCESSABLE, "the answer would give away personal data"},
	{"RECITATION", FN_UNPROCESSABLE, "the answer would copy an existing work"},
	{"MODEL_ARMOR", FN_UNPROCESSABLE, "the operator's policy refused the answer"},
	{"NO_IMAGE", FN_UPSTREAM, "it made no picture"},
	{"IMAGE_OTHER", FN_UPSTREAM, "it made no picture, for a reason of its own"},
	{"OTHER", FN_UPSTREAM, "it stopped for a reason of its own"},
	{"MAX_TOKENS", FN_UPSTREAM, "it ran out of tokens before there was a picture"},
	{"STOP", FN_UPSTREAM, "it stopped without having said anything"},
};

static bool
explain_block(struct fn_bytes reason, const json_t *feedback, struct fn_error *err)
{
	struct fn_bytes message = json_text(json_object_get(feedback, "blockReasonMessage"));

	for (size_t i = 0; i < COUNT(blocks); i++)
		if (fn_bytes_is(reason, blocks[i].reason))
			return vertex_refused(err, blocks[i].sentence, message);
	return fn_fail(err, FN_UNPROCESSABLE, "the prompt was refused (%.*s)", FN_ARG(reason));
}

static bool
explain_finish(const json_t *candidate, struct image_answer *answer, struct fn_error *err)
{
	struct fn_bytes reason = json_text(json_object_get(candidate, "finishReason"));
	struct fn_bytes message = json_text(json_object_get(candidate, "finishMessage"));

	for (size_t i = 0; i < COUNT(finishes); i++) {
		if (!fn_bytes_is(reason, finishes[i].reason))
			continue;
		if (finishes[i].code == FN_UNPROCESSABLE)
			return vertex_refused(err, finishes[i].sentence, message);
		answer->next = IMAGE_ASK_AGAIN;
		return fn_fail(err, finishes[i].code, "%s", finishes[i].sentence);
	}
	return fn_fail(err, FN_UPSTREAM,
		"the answer has neither a picture nor a known reason (%.*s)", FN_ARG(reason));
}

/* ---- The answer ------------------------------------------------------------------------------ */

/* The last picture counts: those before it, and those among its thoughts, are sketches. */
static bool
read_parts(const struct json_abridged *json, struct fn_call *call, const json_t *parts,
	struct image_answer *answer, bool *has_text)
{
	bool has_picture = false;
	json_t *part;
	size_t i;

	json_array_foreach(parts, i, part)
	{
		json_t *data = json_object_get(json_object_get(part, "inlineData"), "data");
		if (json_is_true(json_object_get(part, "thought")))
			continue;
		if (json_abridged_string(json, call->arena, data, &answer->base64, &answer->size))
			has_picture = true;
		if (json_object_get(part, "text"))
			*has_text = true;
	}
	return has_picture;
}

static bool
read_answer(const struct json_abridged *json, struct fn_call *call, struct image_answer *answer,
	struct fn_error *err)
{
	json_t *feedback = json_object_get(json->root, "promptFeedback");
	json_t *candidate = json_array_get(json_object_get(json->root, "candidates"), 0);
	json_t *parts = json_object_get(json_object_get(candidate, "content"), "parts");
	struct fn_bytes block = json_text(json_object_get(feedback, "blockReason"));
	struct fn_bytes finish = json_text(json_object_get(candidate, "finishReason"));
	bool has_text = false;

	if (read_parts(json, call, parts, answer, &has_text))
		return true;
	if (block.size > 0)
		return explain_block(block, feedback, err);
	if (has_text && fn_bytes_is(finish, "STOP")) {
		answer->next = IMAGE_INSIST;
		return fn_fail(err, FN_UNPROCESSABLE,
			"the model answered in words instead of painting; describe a picture");
	}
	return explain_finish(candidate, answer, err);
}

const struct image_dialect image_model_gemini = {
	.scheme = "gemini",
	.method = "generateContent",
	.home = "global",
	.ask = write_request,
	.read = read_answer,
};
