#include "adapters/image_model.h"
#include "adapters/image_model_dialect.h"
#include "fn/base64.h"
#include "fn/clock.h"
#include "tests/support/metadata_server.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define GEMINI "gemini:gemini-3.1-flash-image"
#define IMAGEN "imagen:imagen-4.0-generate-001"
#define GEMINI_PATH                                                                                \
	"/v1/projects/p-1/locations/global/publishers/google/models/"                              \
	"gemini-3.1-flash-image:generateContent"
#define IMAGEN_PATH                                                                                \
	"/v1/projects/p-1/locations/us-central1/publishers/google/models/"                         \
	"imagen-4.0-generate-001:predict"

/* 640x480 and the beginning of 320x200, for which readers of the header need no more. */
#define PNG "iVBORw0KGgoAAAANSUhEUgAAAoAAAAHgCAIAAAC6s0uz"
#define JPEG "/9j/wAARCADIAUADASIAAhEBAxEB"
#define GEMINI_PARTS(parts)                                                                        \
	"{\"candidates\":[{\"content\":{\"parts\":[" parts "]},\"finishReason\":\"STOP\"}]}"
#define INLINE(base64) "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"" base64 "\"}}"
#define GEMINI_OK GEMINI_PARTS(INLINE(PNG))
#define IMAGEN_OK                                                                                  \
	"{\"predictions\":[{\"mimeType\":\"image/png\",\"bytesBase64Encoded\":\"" PNG "\"}]}"
#define ERROR(message) "{\"error\":{\"code\":0,\"message\":\"" message "\",\"status\":\"S\"}}"

static struct fn_call call;
static struct fn_http_client *http;
static struct scripted_server *metadata, *server;
static struct google_credentials *credentials;
static struct vertex *vertex;
static struct image_model *model;

static void
setup(void)
{
	struct fn_error err = {0};

	unsetenv("http_proxy");
	call = (struct fn_call){.arena = fn_arena_new()};
	ck_assert(fn_http_client_open(&http, &err));
	metadata = metadata_server_start(&credentials, http);
}

static void
teardown(void)
{
	image_model_close(model);
	vertex_close(vertex);
	google_credentials_close(credentials);
	fn_http_client_close(http);
	scripted_server_stop(metadata);
	scripted_server_stop(server);
	fn_arena_drop(call.arena);
}

static bool
open_all(const char *name, const struct vertex_config *config, struct fn_error *err)
{
	const struct image_model_config model_config = {.model = name};

	return vertex_open(&vertex, config, credentials, http, err) &&
	       image_model_open(&model, &model_config, vertex, err);
}

static void
open_model(const char *name, const struct script *script, size_t count)
{
	struct vertex_config config = {.project = "p-1", .location = ""};
	struct fn_error err = {0};

	server = scripted_server_start_copy(script, count);
	config.url = scripted_server_url(server);
	ck_assert_msg(open_all(name, &config, &err), "%s", err.message);
}

static bool
paint(struct picture *picture, struct fn_error *err)
{
	struct image_request request = {.prompt = FN_BYTES("a red fox"), .aspect_ratio = "4:3"};

	return image_model_paint(model, &call, &request, NULL, picture, err);
}

static const char *
body_of(size_t nth)
{
	return strstr(scripted_server_request(server, nth).at, "\r\n\r\n") + 4;
}

/* ---- What is asked ---- */

static const struct request_case {
	const char *name, *model, *answer;
	struct image_request request;
	const char *path, *body;
} request_cases[] = {
	{"gemini, no more than a prompt", GEMINI, GEMINI_OK,
		{.prompt = FN_BYTES_INIT("a red fox"), .aspect_ratio = "1:1"}, GEMINI_PATH,
		"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a red fox\"}]}],"
		"\"generationConfig\":{\"responseModalities\":[\"IMAGE\"],\"candidateCount\":1,"
		"\"imageConfig\":{\"aspectRatio\":\"1:1\","
		"\"imageOutputOptions\":{\"mimeType\":\"image/png\"}}}}"},
	{"gemini, all that there is", GEMINI, GEMINI_OK,
		{.prompt = FN_BYTES_INIT("\"F\xc3\xbc"
					 "chse\"\n\\"),
			.negative_prompt = FN_BYTES_INIT("\"snow\""),
			.aspect_ratio = "16:9",
			.has_seed = true,
			.seed = 2147483647},
		GEMINI_PATH,
		"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":"
		"\"\\\"F\xc3\xbc"
		"chse\\\"\\n\\\\\\n\\nDo not show: \\\"snow\\\"\"}]}],"
		"\"generationConfig\":{\"responseModalities\":[\"IMAGE\"],\"candidateCount\":1,"
		"\"seed\":2147483647,\"imageConfig\":{\"aspectRatio\":\"16:9\","
		"\"imageOutputOptions\":{\"mimeType\":\"image/png\"}}}}"},
	{"imagen, no more than a prompt", IMAGEN, IMAGEN_OK,
		{.prompt = FN_BYTES_INIT("a red fox"), .aspect_ratio = "1:1"}, IMAGEN_PATH,
		"{\"instances\":[{\"prompt\":\"a red fox\"}],\"parameters\":{\"sampleCount\":1,"
		"\"aspectRatio\":\"1:1\",\"language\":\"auto\",\"includeRaiReason\":true,"
		"\"outputOptions\":{\"mimeType\":\"image/png\"}}}"},
	{"imagen, all that there is", IMAGEN, IMAGEN_OK,
		{.prompt = FN_BYTES_INIT("a \"red\" fox"),
			.negative_prompt = FN_BYTES_INIT("snow"),
			.aspect_ratio = "9:16",
			.has_seed = true,
			.seed = 1},
		IMAGEN_PATH,
		"{\"instances\":[{\"prompt\":\"a \\\"red\\\" fox\\n\\nDo not show: snow\"}],"
		"\"parameters\":{\"sampleCount\":1,\"aspectRatio\":\"9:16\",\"language\":\"auto\","
		"\"includeRaiReason\":true,\"outputOptions\":{\"mimeType\":\"image/png\"},"
		"\"seed\":1,\"addWatermark\":false,\"enhancePrompt\":false}}"},
};

START_TEST(request_speaks_the_models_dialect)
{
	const struct request_case *c = &request_cases[_i];
	const struct script script = {.status = 200, .body = fn_bytes(c->answer)};
	struct picture picture;
	struct fn_error err = {0};

	open_model(c->model, &script, 1);
	ck_assert_msg(image_model_paint(model, &call, &c->request, NULL, &picture, &err), "%s: %s",
		c->name, err.message);
	const char *sent = scripted_server_request(server, 0).at;
	ck_assert(fn_bytes_starts(fn_bytes(sent), fn_textf(call.arena, "POST %s ", c->path)));
	ck_assert_ptr_nonnull(strstr(sent, "\r\nAuthorization: Bearer one\r\n"));
	ck_assert_ptr_nonnull(
		strstr(sent, "\r\nContent-Type: application/json; charset=utf-8\r\n"));
	json_t *got = json_loads(body_of(0), 0, NULL), *want = json_loads(c->body, 0, NULL);
	ck_assert_ptr_nonnull(want);
	ck_assert_msg(json_equal(got, want), "%s: %s", c->name, body_of(0));
	json_decref(got);
	json_decref(want);
}
END_TEST

/* ---- Answers with a picture ---- */

static const struct picture_case {
	const char *name, *model, *answer, *mime_type;
	unsigned width;
} picture_cases[] = {
	{"gemini", GEMINI, GEMINI_OK, "image/png", 640},
	{"gemini, after a remark", GEMINI, GEMINI_PARTS("{\"text\":\"Here:\"}," INLINE(PNG)),
		"image/png", 640},
	{"gemini, the last of two", GEMINI, GEMINI_PARTS(INLINE(PNG) "," INLINE(JPEG)),
		"image/jpeg", 320},
	{"gemini, not a thought", GEMINI,
		GEMINI_PARTS(
			INLINE(PNG) ",{\"thought\":true,\"inlineData\":{\"data\":\"" JPEG "\"}}"),
		"image/png", 640},
	{"gemini, with a signature", GEMINI,
		GEMINI_PARTS(
			"{\"thoughtSignature\":\"QUJD\",\"inlineData\":{\"data\":\"" PNG "\"}}"),
		"image/png", 640},
	{"gemini, a JPEG that is called a PNG", GEMINI, GEMINI_PARTS(INLINE(JPEG)), "image/jpeg",
		320},
	{"imagen", IMAGEN, IMAGEN_OK, "image/png", 640},
	{"imagen, beside one that was filtered", IMAGEN,
		"{\"predictions\":[{\"raiFilteredReason\":\"r\"},{\"bytesBase64Encoded\":\"" PNG
		"\"}]}",
		"image/png", 640},
};

START_TEST(picture_is_found_in_the_answer)
{
	const struct picture_case *c = &picture_cases[_i];
	const struct script script = {.status = 200, .body = fn_bytes(c->answer)};
	struct picture picture;
	struct fn_error err = {0};

	open_model(c->model, &script, 1);
	ck_assert_msg(paint(&picture, &err), "%s: %s", c->name, err.message);
	ck_assert_str_eq(picture.mime_type, c->mime_type);
	ck_assert_uint_eq(picture.width, c->width);
	ck_assert_uint_eq(picture.height, c->width == 640 ? 480 : 200);
	ck_assert_uint_eq(picture.bytes.size, strlen(c->width == 640 ? PNG : JPEG) / 4 * 3);
	ck_assert_uint_eq(scripted_server_requests(server), 1);
}
END_TEST

START_TEST(large_picture_arrives_unchanged)
{
	static char bytes[1500 * 1000];
	struct fn_builder answer = {.arena = call.arena};
	struct picture picture;
	struct fn_error err = {0};
	size_t size;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 2654435761u >> 24);
	ck_assert(fn_base64_decode(FN_BYTES(PNG), bytes, &size));
	fn_addf(&answer, "{\"candidates\":[{\"content\":{\"parts\":[{\"inlineData\":{\"data\":\"");
	fn_add(&answer, fn_base64_encode((struct fn_bytes){bytes, sizeof(bytes)}, call.arena));
	fn_addf(&answer, "\"}}]}}]}");
	const struct script script = {.status = 200, .body = fn_built(&answer)};
	open_model(GEMINI, &script, 1);
	ck_assert_msg(paint(&picture, &err), "%s", err.message);
	ck_assert_uint_eq(picture.bytes.size, sizeof(bytes));
	ck_assert(memcmp(picture.bytes.at, bytes, sizeof(bytes)) == 0);
	ck_assert_uint_eq(picture.width, 640);
}
END_TEST

/* ---- Answers without ---- */

#define FINISH(reason) "{\"candidates\":[{\"finishReason\":\"" reason "\"}]}"
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

	{GEMINI, FINISH("IMAGE_SAFETY"), FN_UNPROCESSABLE, "the safety filter refused the picture",
		1},
	{GEMINI, FINISH_CODES("IMAGE_SAFETY", "15236754"), FN_UNPROCESSABLE,
		"the safety filter refused the picture: a celebrity", 1},
	{GEMINI, FINISH_CODES("IMAGE_SAFETY", "615, 6149386, 614938630"), FN_UNPROCESSABLE,
		"the safety filter refused the picture", 1},
	{GEMINI, FINISH("IMAGE_PROHIBITED_CONTENT"), FN_UNPROCESSABLE,
		"the picture would show prohibited content", 1},
	{GEMINI, FINISH("IMAGE_RECITATION"), FN_UNPROCESSABLE,
		"the picture would copy an existing one", 1},
	{GEMINI, FINISH("SAFETY"), FN_UNPROCESSABLE, "the safety filter refused the answer", 1},
	{GEMINI, FINISH("PROHIBITED_CONTENT"), FN_UNPROCESSABLE,
		"the answer would be prohibited content", 1},
	{GEMINI, FINISH("BLOCKLIST"), FN_UNPROCESSABLE,
		"the answer would have a word that is not allowed", 1},
	{GEMINI, FINISH("SPII"), FN_UNPROCESSABLE, "the answer would give away personal data", 1},
	{GEMINI, FINISH("RECITATION"), FN_UNPROCESSABLE, "the answer would copy an existing work",
		1},
	{GEMINI, FINISH("MODEL_ARMOR"), FN_UNPROCESSABLE,
		"the operator's policy refused the answer", 1},
	{GEMINI, FINISH("NO_IMAGE"), FN_UPSTREAM, "it made no picture", 2},
	{GEMINI, FINISH("IMAGE_OTHER"), FN_UPSTREAM, "it made no picture, for a reason of its own",
		2},
	{GEMINI, FINISH("OTHER"), FN_UPSTREAM, "it stopped for a reason of its own", 2},
	{GEMINI, FINISH("MAX_TOKENS"), FN_UPSTREAM,
		"it ran out of tokens before there was a picture", 2},
	{GEMINI, FINISH("STOP"), FN_UPSTREAM, "it stopped without having said anything", 2},
	{GEMINI, FINISH("LANGUAGE"), FN_UPSTREAM, "neither a picture nor a known reason (LANGUAGE)",
		1},
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
	struct picture picture = {.width = 7};
	struct fn_error err = {0};

	open_model(c->model, &script, 1);
	ck_assert_msg(!paint(&picture, &err), "%s", c->answer);
	ck_assert_msg(err.code == c->code, "%s: %s", c->answer, err.message);
	if (c->code == FN_UNPROCESSABLE)
		ck_assert_str_eq(err.message, c->sentence);
	const char *name = strchr(c->model, ':') + 1;
	ck_assert_msg(c->code == FN_UNPROCESSABLE || fn_bytes_starts(fn_bytes(err.message), name),
		"%s", err.message);
	ck_assert_msg(strstr(err.message, c->sentence), "%s: %s", c->answer, err.message);
	ck_assert_uint_eq(scripted_server_requests(server), c->requests);
	ck_assert_uint_eq(picture.width, 7);
}
END_TEST

START_TEST(talkative_model_is_asked_for_an_image)
{
	const struct script script[] = {{.status = 200, .body = FN_BYTES(PROSE)},
		{.status = 200, .body = FN_BYTES(GEMINI_OK)}};
	struct picture picture;
	struct fn_error err = {0};

	open_model(GEMINI, script, COUNT(script));
	ck_assert_msg(paint(&picture, &err), "%s", err.message);
	ck_assert_ptr_nonnull(strstr(body_of(0), "{\"text\":\"a red fox\"}"));
	ck_assert_ptr_nonnull(strstr(body_of(1), "{\"text\":\"Generate an image of: a red fox\"}"));
}
END_TEST

START_TEST(idle_model_is_asked_once_more)
{
	const struct script script[] = {{.status = 200, .body = FN_BYTES(FINISH("NO_IMAGE"))},
		{.status = 200, .body = FN_BYTES(GEMINI_OK)}};
	struct picture picture;
	struct fn_error err = {0};

	open_model(GEMINI, script, COUNT(script));
	ck_assert_msg(paint(&picture, &err), "%s", err.message);
	ck_assert_str_eq(body_of(0), body_of(1));
}
END_TEST

/* ---- Other answers ---- */

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
		"global): "
		"Permission denied"},
	{IMAGEN, {.status = 404, .body = FN_BYTES_INIT(ERROR("It reached end of life"))},
		FN_UPSTREAM,
		"imagen-4.0-generate-001: it is retired, or not to be had in this location (status "
		"404 "
		"in us-central1): It reached end of life"},
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
	struct picture picture;
	struct fn_error err = {0};

	open_model(c->model, &c->script, 1);
	ck_assert(!paint(&picture, &err));
	ck_assert_msg(err.code == c->code, "%s", err.message);
	ck_assert_msg(strstr(err.message, c->sentence), "%s", err.message);
	ck_assert_uint_eq(scripted_server_requests(server), 1);
}
END_TEST

#define SOON .headers = "Retry-After: 1\r\n"

static const struct script passing[] = {
	{.status = 429, SOON},
	{.status = 500, SOON},
	{.status = 503, SOON},
	{.status = 504, SOON},
	{.end = SCRIPT_RESET},
	{.status = 200,
		.body = FN_BYTES_INIT("{\"candidates\":["),
		.missing = 9,
		.end = SCRIPT_CLOSE},
};

START_TEST(passing_failure_is_got_over)
{
	const struct script script[] = {passing[_i], {.status = 200, .body = FN_BYTES(GEMINI_OK)}};
	struct picture picture;
	struct fn_error err = {0};

	open_model(GEMINI, script, COUNT(script));
	ck_assert_msg(paint(&picture, &err), "%d: %s", _i, err.message);
	ck_assert_uint_eq(scripted_server_requests(server), 2);
}
END_TEST

static const struct lasting_case {
	struct script script;
	int64_t left_ms; /* 0: no deadline */
	enum fn_code code;
	unsigned retry_after_s;
	const char *message;
	size_t requests;
} lasting_cases[] = {
	{{.status = 429, SOON}, 0, FN_RATE_LIMITED, 1,
		"the image model has no capacity left at the moment", 3},
	{{.status = 429, .headers = "Retry-After: 60\r\n"}, 30000, FN_RATE_LIMITED, 60,
		"the image model has no capacity left at the moment", 1},
	{{.status = 429}, 900, FN_RATE_LIMITED, 10,
		"the image model has no capacity left at the moment", 1},
	{{.status = 503}, 900, FN_UPSTREAM, 0,
		"gemini-3.1-flash-image: it is not available (status 503 in global): ", 1},
	{{.status = 504, SOON}, 0, FN_DEADLINE, 0,
		"gemini-3.1-flash-image: it was too slow (status 504 in global): ", 2},
};

START_TEST(lasting_failure_is_told)
{
	const struct lasting_case *c = &lasting_cases[_i];
	struct picture picture;
	struct fn_error err = {0};

	open_model(GEMINI, &c->script, 1);
	if (c->left_ms > 0)
		call.deadline_ms = fn_now_ms() + c->left_ms;
	ck_assert(!paint(&picture, &err));
	ck_assert_int_eq(err.code, c->code);
	ck_assert_str_eq(err.message, c->message);
	ck_assert_uint_eq(err.retry_after_s, c->retry_after_s);
	ck_assert_uint_eq(scripted_server_requests(server), c->requests);
}
END_TEST

struct turns {
	size_t taken, most;
};

static bool
take_turn(void *with, struct fn_call *of, struct fn_error *err)
{
	struct turns *turns = with;

	(void)of;
	return turns->taken++ < turns->most || fn_fail(err, FN_BUSY, "no turn");
}

static const struct pace_case {
	struct script first;
	size_t most, taken, requests;
	enum fn_code code;
} pace_cases[] = {
	{{.status = 200, .body = FN_BYTES_INIT(GEMINI_OK)}, 9, 1, 1, FN_OK},
	{{.status = 429, SOON}, 9, 2, 2, FN_OK},
	{{.status = 503, SOON}, 9, 2, 2, FN_OK},
	{{.status = 200,
		 .body = FN_BYTES_INIT("{\"candidates\":[{\"finishReason\":\"NO_IMAGE\"}]}")},
		9, 2, 2, FN_OK},
	{{.status = 404}, 9, 1, 1, FN_UPSTREAM},
	{{.status = 429, SOON}, 0, 1, 0, FN_BUSY},
	{{.status = 429, SOON}, 1, 2, 1, FN_RATE_LIMITED},
	{{.status = 503, SOON}, 1, 2, 1, FN_UPSTREAM},
};

/* Each attempt takes a turn, and without one the model is not asked: then what it said last is
 * told. */
START_TEST(attempts_keep_the_pace)
{
	const struct pace_case *c = &pace_cases[_i];
	const struct script script[] = {c->first, {.status = 200, .body = FN_BYTES(GEMINI_OK)}};
	struct image_request request = {.prompt = FN_BYTES("a red fox"), .aspect_ratio = "4:3"};
	struct turns turns = {.most = c->most};
	const struct image_pace pace = {take_turn, &turns};
	struct picture picture;
	struct fn_error err = {0};

	open_model(GEMINI, script, COUNT(script));
	bool ok = image_model_paint(model, &call, &request, &pace, &picture, &err);
	ck_assert_msg(ok ? c->code == FN_OK : err.code == c->code, "%d: %s", _i, err.message);
	ck_assert_uint_eq(turns.taken, c->taken);
	ck_assert_uint_eq(scripted_server_requests(server), c->requests);
}
END_TEST

START_TEST(hanging_model_is_left_at_the_deadline)
{
	const struct script script = {.end = SCRIPT_STALL};
	struct picture picture;
	struct fn_error err = {0};

	open_model(GEMINI, &script, 1);
	call.deadline_ms = fn_now_ms() + 500;
	ck_assert(!paint(&picture, &err));
	ck_assert_int_eq(err.code, FN_DEADLINE);
	ck_assert_uint_eq(scripted_server_requests(server), 1);
}
END_TEST

START_TEST(refused_token_is_replaced_once)
{
	const struct script script[] = {
		{.status = 401}, {.status = (int[]){200, 401}[_i], .body = FN_BYTES(GEMINI_OK)}};
	struct picture picture;
	struct fn_error err = {0};

	open_model(GEMINI, script, COUNT(script));
	bool ok = paint(&picture, &err);
	ck_assert_msg(ok == (_i == 0), "%s", err.message);
	ck_assert_msg(
		ok || strstr(err.message, "it does not take our credentials"), "%s", err.message);
	ck_assert_ptr_null(strstr(err.message, "Bearer"));
	ck_assert_uint_eq(scripted_server_requests(server), 2);
	ck_assert_ptr_nonnull(
		strstr(scripted_server_request(server, 0).at, "Authorization: Bearer one\r\n"));
	ck_assert_ptr_nonnull(
		strstr(scripted_server_request(server, 1).at, "Authorization: Bearer two\r\n"));
}
END_TEST

/* ---- Settings ---- */

static const struct url_case {
	const char *model, *location, *url;
} url_cases[] = {
	{GEMINI, "", "https://aiplatform.googleapis.com" GEMINI_PATH},
	{IMAGEN, "", "https://us-central1-aiplatform.googleapis.com" IMAGEN_PATH},
	{IMAGEN, "europe-west4",
		"https://europe-west4-aiplatform.googleapis.com/v1/projects/p-1/locations/"
		"europe-west4/"
		"publishers/google/models/imagen-4.0-generate-001:predict"},
};

START_TEST(googles_own_host_depends_on_the_location)
{
	const struct url_case *c = &url_cases[_i];
	const struct vertex_config config = {.url = "", .project = "p-1", .location = c->location};
	struct fn_error err = {0};

	ck_assert(open_all(c->model, &config, &err));
	ck_assert_str_eq(model->url, c->url);
}
END_TEST

static const struct setting_case {
	const char *model, *url, *project, *location;
	const char *variable;
} setting_cases[] = {
	{"", "", "p", "", "IMAGE_MODEL"},
	{"gemini", "", "p", "", "IMAGE_MODEL"},
	{"gemini:", "", "p", "", "IMAGE_MODEL"},
	{"gemini:a/b", "", "p", "", "IMAGE_MODEL"},
	{"dalle:3", "", "p", "", "IMAGE_MODEL"},
	{GEMINI, "", "", "", "GOOGLE_CLOUD_PROJECT"},
	{GEMINI, "", "p/q", "", "GOOGLE_CLOUD_PROJECT"},
	{GEMINI, "", "p", "a.b/c", "VERTEX_LOCATION"},
	{GEMINI, "ftp://host", "p", "", "VERTEX_URL"},
	{GEMINI, "https://", "p", "", "VERTEX_URL"},
	{GEMINI, "https:/host", "p", "", "VERTEX_URL"},
	{GEMINI, "https://host/", "p", "", "VERTEX_URL"},
	{GEMINI, "host:80", "p", "", "VERTEX_URL"},
};

START_TEST(bad_setting_is_named)
{
	const struct setting_case *c = &setting_cases[_i];
	const struct vertex_config config = {
		.url = c->url, .project = c->project, .location = c->location};
	struct fn_error err = {0};

	ck_assert(!open_all(c->model, &config, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(fn_bytes_starts(fn_bytes(err.message), c->variable), "%s", err.message);
}
END_TEST

#define ROWS(name, count)                                                                          \
	{                                                                                          \
		.test = name, .rows = count, .setup = setup, .teardown = teardown                  \
	}

int
main(void)
{
	const struct suite_case cases[] = {
		ROWS(request_speaks_the_models_dialect, COUNT(request_cases)),
		ROWS(picture_is_found_in_the_answer, COUNT(picture_cases)),
		ROWS(large_picture_arrives_unchanged, 1),
		ROWS(answer_without_a_picture_says_why, COUNT(outcome_cases)),
		ROWS(talkative_model_is_asked_for_an_image, 1),
		ROWS(idle_model_is_asked_once_more, 1),
		ROWS(final_status_is_explained, COUNT(status_cases)),
		ROWS(passing_failure_is_got_over, COUNT(passing)),
		ROWS(lasting_failure_is_told, COUNT(lasting_cases)),
		ROWS(attempts_keep_the_pace, COUNT(pace_cases)),
		ROWS(hanging_model_is_left_at_the_deadline, 1),
		ROWS(refused_token_is_replaced_once, 2),
		ROWS(googles_own_host_depends_on_the_location, COUNT(url_cases)),
		ROWS(bad_setting_is_named, COUNT(setting_cases)),
	};
	return suite_run("image_model", cases, COUNT(cases));
}
