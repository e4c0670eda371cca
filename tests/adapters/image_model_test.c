/* What is asked of image models, the pictures in their answers, and settings. */
#include "adapters/wire/json.h"
#include "fn/base64.h"
#include "tests/support/easel.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define GEMINI_PATH                                                                                \
	"/v1/projects/p-1/locations/global/publishers/google/models/"                              \
	"gemini-3.1-flash-image:generateContent"
#define IMAGEN_PATH                                                                                \
	"/v1/projects/p-1/locations/us-central1/publishers/google/models/"                         \
	"imagen-4.0-generate-001:predict"

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

	easel_open(c->model, &script, 1);
	ck_assert_msg(easel_paint(&c->request, NULL), "%s: %s", c->name, easel.err.message);
	const char *sent = easel_request(0);
	ck_assert(fn_bytes_starts(fn_bytes(sent), fn_textf(easel.call.arena, "POST %s ", c->path)));
	ck_assert_ptr_nonnull(strstr(sent, "\r\nAuthorization: Bearer one\r\n"));
	ck_assert_ptr_nonnull(
		strstr(sent, "\r\nContent-Type: application/json; charset=utf-8\r\n"));
	json_t *got = json_loads(easel_body(0), 0, NULL), *want = json_loads(c->body, 0, NULL);
	ck_assert_ptr_nonnull(want);
	ck_assert_msg(json_equal(got, want), "%s: %s", c->name, easel_body(0));
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

	easel_open(c->model, &script, 1);
	ck_assert_msg(easel_paint_fox(), "%s: %s", c->name, easel.err.message);
	ck_assert_str_eq(easel.picture.mime_type, c->mime_type);
	ck_assert_uint_eq(easel.picture.width, c->width);
	ck_assert_uint_eq(easel.picture.height, c->width == 640 ? 480 : 200);
	ck_assert_uint_eq(easel.picture.bytes.size, strlen(c->width == 640 ? PNG : JPEG) / 4 * 3);
	ck_assert_uint_eq(scripted_server_requests(easel.server), 1);
}
END_TEST

START_TEST(large_picture_arrives_unchanged)
{
	static char bytes[1500 * 1000];
	struct fn_builder answer = {.arena = easel.call.arena};
	size_t size;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 2654435761u >> 24);
	ck_assert(fn_base64_decode(FN_BYTES(PNG), bytes, &size));
	fn_addf(&answer, "{\"candidates\":[{\"content\":{\"parts\":[{\"inlineData\":{\"data\":\"");
	fn_add(&answer,
		fn_base64_encode((struct fn_bytes){bytes, sizeof(bytes)}, easel.call.arena));
	fn_addf(&answer, "\"}}]}}]}");
	const struct script script = {.status = 200, .body = fn_built(&answer)};
	easel_open(GEMINI, &script, 1);
	ck_assert_msg(easel_paint_fox(), "%s", easel.err.message);
	ck_assert_uint_eq(easel.picture.bytes.size, sizeof(bytes));
	ck_assert(memcmp(easel.picture.bytes.at, bytes, sizeof(bytes)) == 0);
	ck_assert_uint_eq(easel.picture.width, 640);
}
END_TEST

/* ---- Settings ---- */

static const struct place_case {
	const char *model, *location, *host, *path;
} place_cases[] = {
	{GEMINI, "", "aiplatform.googleapis.com", GEMINI_PATH},
	{IMAGEN, "", "us-central1-aiplatform.googleapis.com", IMAGEN_PATH},
	{IMAGEN, "europe-west4", "europe-west4-aiplatform.googleapis.com",
		"/v1/projects/p-1/locations/europe-west4/publishers/google/models/"
		"imagen-4.0-generate-001:predict"},
};

/* Seen by a proxy, which does not let it through. */
START_TEST(location_chooses_googles_host)
{
	const struct place_case *c = &place_cases[_i];
	const struct vertex_config config = {.url = "", .project = "p-1", .location = c->location};
	static const struct script refuses = {.status = 403};

	easel.server = scripted_server_start(&refuses, 1);
	setenv("https_proxy", scripted_server_url(easel.server), 1);
	ck_assert_msg(easel_open_with(c->model, &config), "%s", easel.err.message);
	ck_assert(!easel_paint_fox());
	unsetenv("https_proxy");
	const char *wanted = fn_textf(easel.call.arena, "CONNECT %s:443 HTTP/1.1\r\n", c->host);
	ck_assert_msg(fn_bytes_starts(fn_bytes(easel_request(0)), wanted), "%s", easel_request(0));
}
END_TEST

START_TEST(location_is_in_the_path)
{
	const struct place_case *c = &place_cases[_i];
	struct vertex_config config = {.project = "p-1", .location = c->location};
	static const struct script refuses = {.status = 403};

	easel.server = scripted_server_start(&refuses, 1);
	config.url = scripted_server_url(easel.server);
	ck_assert_msg(easel_open_with(c->model, &config), "%s", easel.err.message);
	ck_assert(!easel_paint_fox());
	const char *wanted = fn_textf(easel.call.arena, "POST %s HTTP/1.1\r\n", c->path);
	ck_assert_msg(fn_bytes_starts(fn_bytes(easel_request(0)), wanted), "%s", easel_request(0));
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

	ck_assert(!easel_open_with(c->model, &config));
	ck_assert_int_eq(easel.err.code, FN_INVALID);
	ck_assert_msg(
		fn_bytes_starts(fn_bytes(easel.err.message), c->variable), "%s", easel.err.message);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = request_speaks_the_models_dialect, .rows = COUNT(request_cases)},
		{.test = picture_is_found_in_the_answer, .rows = COUNT(picture_cases)},
		{.test = large_picture_arrives_unchanged},
		{.test = location_chooses_googles_host, .rows = COUNT(place_cases)},
		{.test = location_is_in_the_path, .rows = COUNT(place_cases)},
		{.test = bad_setting_is_named, .rows = COUNT(setting_cases)},
	};

	return suite_run_with("image_model", cases, COUNT(cases), easel_begin, easel_end);
}
