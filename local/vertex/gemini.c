/* Source: Gemini image models on Vertex AI, method :generateContent. */
#include "fn/clock.h"
#include "local/vertex/fields.h"
#include "local/vertex/model.h"
#include "local/vertex/picture.h"
#include "local/vertex/safety.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define IMAGE_TOKENS 1120 /* what a picture of 1K is billed as */

static const struct size sizes[] = {
	{"1:1", 1024, 1024},
	{"2:3", 848, 1264},
	{"3:2", 1264, 848},
	{"3:4", 896, 1200},
	{"4:3", 1200, 896},
	{"4:5", 928, 1152},
	{"5:4", 1152, 928},
	{"9:16", 768, 1376},
	{"16:9", 1376, 768},
	{"21:9", 1584, 672},
	{0},
};

static const struct field part_fields[] = {
	{"text", .kind = FIELD_TEXT},
	{"inlineData", .kind = FIELD_REFUSED},
	{"fileData", .kind = FIELD_REFUSED},
	{0},
};

static const struct field content_fields[] = {
	{"role", FIELD_CHOICE, .choices = "user model"},
	{"parts", FIELD_OBJECTS, .members = part_fields},
	{0},
};

static const struct field output_fields[] = {
	{"mimeType", FIELD_CHOICE, .choices = "image/png"},
	{"compressionQuality", FIELD_INTEGER, .least = 0, .most = 100},
	{0},
};

static const struct field image_fields[] = {
	{"aspectRatio", FIELD_CHOICE, .choices = "1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9"},
	{"imageSize", FIELD_CHOICE, .choices = "1K"},
	{"personGeneration", FIELD_CHOICE, .choices = "ALLOW_ALL ALLOW_ADULT ALLOW_NONE"},
	{"prominentPeople", .kind = FIELD_TEXT},
	{"imageOutputOptions", FIELD_OBJECT, .members = output_fields},
	{0},
};

static const struct field thinking_fields[] = {
	{"thinkingLevel", .kind = FIELD_TEXT},
	{0},
};

static const struct field generation_fields[] = {
	{"responseModalities", FIELD_CHOICES, .choices = "TEXT IMAGE"},
	{"candidateCount", FIELD_INTEGER, .least = 1, .most = 1},
	{"seed", FIELD_INTEGER, .least = -2147483648, .most = 2147483647},
	{"temperature", FIELD_NUMBER, .least = 0, .most = 2},
	{"topP", FIELD_NUMBER, .least = 0, .most = 1},
	{"imageConfig", FIELD_OBJECT, .members = image_fields},
	{"thinkingConfig", FIELD_OBJECT, .members = thinking_fields},
	{0},
};

static const struct field safety_fields[] = {
	{"category", FIELD_CHOICE,
		.choices = "HARM_CATEGORY_HATE_SPEECH HARM_CATEGORY_DANGEROUS_CONTENT "
			   "HARM_CATEGORY_HARASSMENT HARM_CATEGORY_SEXUALLY_EXPLICIT"},
	{"threshold", FIELD_CHOICE,
		.choices = "BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH BLOCK_NONE "
			   "OFF"},
	{0},
};

static const struct field request_fields[] = {
	{"contents", FIELD_OBJECTS, .members = content_fields},
	{"generationConfig", FIELD_OBJECT, .members = generation_fields},
	{"safetySettings", FIELD_OBJECTS, .members = safety_fields},
	{"labels", .kind = FIELD_OBJECT},
	{0},
};

/* All texts of all parts, in order. */
static struct fn_bytes
read_prompt(json_t *request, struct fn_arena *arena)
{
	struct fn_builder prompt = {.arena = arena};
	size_t i, j;
	json_t *content, *part;

	json_array_foreach(json_object_get(request, "contents"), i, content)
	{
		json_array_foreach(json_object_get(content, "parts"), j, part)
		{
			if (prompt.size > 0)
				fn_add(&prompt, FN_BYTES(" "));
			fn_add(&prompt, fn_bytes(fields_text(part, "text", "")));
		}
	}
	return fn_built(&prompt);
}

static bool
check_thinking(json_t *request, const struct model *model, struct fn_error *err)
{
	const char *level =
		fields_text(request, "generationConfig.thinkingConfig.thinkingLevel", NULL);
	struct fn_bytes rest = fn_bytes(model->thinking_levels);

	if (!level)
		return true;
	while (rest.size > 0)
		if (fn_bytes_is(fn_bytes_cut(&rest, ' '), level))
			return true;
	return fn_fail(err, FN_INVALID, "Thinking level %.32s is not supported by %s.", level,
		model->name);
}

static bool
wants(json_t *request, const char *modality)
{
	size_t i;
	json_t *wanted;

	json_array_foreach(fields_at(request, "generationConfig.responseModalities"), i, wanted)
	{
		if (fn_bytes_is(fn_bytes(modality), json_string_value(wanted)))
			return true;
	}
	return false;
}

/* ---- The answer, from its inside out --------------------------------------------------------- */

static bool
add_image(struct fn_builder *json, struct fn_call *call, const struct painting *painting,
	const struct fault *fault, struct fn_error *err)
{
	fn_add(json, FN_BYTES("\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\""));
	TRY(picture_add(json, call, painting, fault, err));
	fn_add(json, FN_BYTES("\"}"));
	return true;
}

/* Thoughts in words and in a draft; neither of them is the picture. */
static bool
add_thoughts(struct fn_builder *json, struct fn_call *call, struct painting draft,
	const struct fault *fault, struct fn_error *err)
{
	draft.width /= 4;
	draft.height /= 4;
	fn_add(json,
		FN_BYTES("{\"text\":\"Where shall the light come from?\",\"thought\":true},{"));
	TRY(add_image(json, call, &draft, fault, err));
	fn_add(json, FN_BYTES(",\"thought\":true},"));
	return true;
}

static bool
add_parts(struct fn_builder *json, struct fn_call *call, json_t *request,
	const struct painting *painting, const struct fault *fault, struct fn_error *err)
{
	if (fault->kind == FAULT_MIXED)
		TRY(add_thoughts(json, call, *painting, fault, err));
	if (wants(request, "TEXT"))
		fn_add(json, FN_BYTES("{\"text\":\"Here is your picture.\"},"));
	fn_add(json, FN_BYTES("{"));
	TRY(add_image(json, call, painting, fault, err));
	if (fault->kind == FAULT_MIXED)
		fn_add(json, FN_BYTES(",\"thoughtSignature\":\"c3RhbmQtaW4=\""));
	fn_add(json, FN_BYTES("}"));
	return true;
}

static bool
add_candidate(struct fn_builder *json, struct fn_call *call, json_t *request,
	struct fn_bytes prompt, const struct fault *fault, struct fn_error *err)
{
	struct painting painting = {
		.prompt = prompt,
		.seed = (uint64_t)fields_integer(request, "generationConfig.seed", arc4random()),
	};

	picture_size(&painting, sizes,
		fields_text(request, "generationConfig.imageConfig.aspectRatio", "1:1"));
	fn_add(json, FN_BYTES("{\"index\":0,\"content\":{\"role\":\"model\",\"parts\":["));
	TRY(add_parts(json, call, request, &painting, fault, err));
	fn_add(json, FN_BYTES("]},\"finishReason\":\"STOP\",\"safetyRatings\":[]}"));
	return true;
}

/* Candidates without a picture, but for refused ones. */
static const struct {
	enum fault_kind fault;
	const char *json;
} bare_candidates[] = {
	{FAULT_EMPTY, ""},
	{FAULT_NO_CONTENT, "{\"index\":0,\"finishReason\":\"STOP\"}"},
	{FAULT_NO_PARTS,
		"{\"index\":0,\"content\":{\"role\":\"model\"},\"finishReason\":\"STOP\"}"},
	{FAULT_PROSE, "{\"index\":0,\"content\":{\"role\":\"model\",\"parts\":["
		      "{\"text\":\"I see it before me, but words are all I have.\"}]},"
		      "\"finishReason\":\"STOP\"}"},
};

/* NULL where the fault leaves the picture in its place. */
static const char *
bare_candidate(enum fault_kind fault)
{
	for (size_t i = 0; i < COUNT(bare_candidates); i++) {
		if (bare_candidates[i].fault == fault)
			return bare_candidates[i].json;
	}
	return NULL;
}

static struct fn_bytes
reason(const struct fault *fault, const char *usual)
{
	return fault->detail.size > 0 ? fault->detail : fn_bytes(usual);
}

static bool
add_candidates(struct fn_builder *json, struct fn_call *call, json_t *request,
	struct fn_bytes prompt, const struct safety *safety, const struct fault *fault,
	enum outcome *outcome, struct fn_error *err)
{
	const char *bare = bare_candidate(wants(request, "IMAGE") ? fault->kind : FAULT_PROSE);

	fn_add(json, FN_BYTES("\"candidates\":["));
	if (safety->output_refused) {
		fn_addf(json,
			"{\"index\":0,\"finishReason\":\"%.*s\",\"finishMessage\":\"Unable to show "
			"the generated image. Support codes: %s\"}",
			FN_ARG(reason(fault, "IMAGE_SAFETY")), safety->support_code);
	} else if (bare) {
		fn_add(json, fn_bytes(bare));
	} else {
		TRY(add_candidate(json, call, request, prompt, fault, err));
		*outcome = PAINTED;
	}
	fn_add(json, FN_BYTES("],"));
	return true;
}

static void
add_metadata(struct fn_builder *json, const struct model *model, struct fn_bytes prompt,
	unsigned image_tokens)
{
	char now[FN_TIMESTAMP_SIZE];
	unsigned prompt_tokens = (unsigned)prompt.size / 4 + 1;

	fn_timestamp(fn_unix_ms(), now);
	fn_addf(json,
		"\"usageMetadata\":{\"promptTokenCount\":%u,\"candidatesTokenCount\":%u,"
		"\"thoughtsTokenCount\":0,\"totalTokenCount\":%u,\"trafficType\":\"ON_DEMAND\"},"
		"\"modelVersion\":\"%s\",\"responseId\":\"%08x%08x\",\"createTime\":\"%.23s000Z\"}",
		prompt_tokens, image_tokens, prompt_tokens + image_tokens, model->name,
		arc4random(), arc4random(), now);
}

static bool
gemini_answer(const struct question *asked, struct fn_bytes *body, enum outcome *outcome,
	struct fn_error *err)
{
	struct fn_call *call = asked->call;
	struct fn_builder json = {.arena = call->arena};
	const struct fault *fault = asked->fault;
	json_t *request = asked->request;

	TRY(fields_check(request, request_fields, "", err));
	TRY(check_thinking(request, asked->model, err));
	struct fn_bytes prompt = read_prompt(request, call->arena);
	if (prompt.size == 0)
		return fn_fail(err, FN_INVALID, "At least one part must have a text.");

	struct safety safety = safety_of(prompt, fault);
	*outcome = REFUSED;
	fn_add(&json, FN_BYTES("{"));
	if (safety.prompt_refused)
		fn_addf(&json, "\"promptFeedback\":{\"blockReason\":\"%.*s\"},",
			FN_ARG(reason(fault, "PROHIBITED_CONTENT")));
	else
		TRY(add_candidates(&json, call, request, prompt, &safety, fault, outcome, err));
	add_metadata(&json, asked->model, prompt, *outcome == PAINTED ? IMAGE_TOKENS : 0);
	*body = fn_built(&json);
	return true;
}

static bool
gemini_exhausted(const struct model *model, struct fn_error *err)
{
	(void)model; /* its capacity is shared among all */
	return fn_fail(err, FN_RATE_LIMITED, "Resource exhausted, please try again later.");
}

const struct dialect gemini_dialect = {
	.method = "generateContent",
	.global_only = true,
	.answer = gemini_answer,
	.exhausted = gemini_exhausted,
};
