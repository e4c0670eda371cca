/* Veo's ":predictLongRunning" and ":fetchPredictOperation".
 *
 * A start has no idempotency key, and what it begins is paid for: only an answer that refuses it
 * proves that nothing was begun. A poll answers 200 also where the operation failed, with a gRPC
 * code in place of an HTTP status, or where the safety filter took the video away.
 * Source: cloud.google.com/vertex-ai/generative-ai/docs/model-reference/veo-video-generation and
 * .../video/responsible-ai-and-usage-guidelines; googleapis/python-genai,
 * google/genai/operations.py (how the URL of a poll is made of an operation's name). */
#include "adapters/google_api.h"
#include "adapters/video_model_dialect.h"
#include "adapters/wire/json_spooled.h"
#include "fn/retry.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START_TIMEOUT_MS 60000
#define POLL_TIMEOUT_MS 120000 /* long enough for a video inside the answer */
#define RETRY_AFTER_S 10       /* where Google does not say */
#define OPERATION_MOST 512
#define OPERATIONS "/operations/"

/* ---- Beginning ------------------------------------------------------------------------------- */

static void
write_request(const struct video_model *model, struct fn_arena *arena,
	const struct video_request *request, struct fn_builder *body)
{
	const char *folder = video_model_folder(model, arena, request->job);

	fn_addf(body, "{\"instances\":[{\"prompt\":\"");
	fn_add_json(body, request->prompt);
	fn_addf(body,
		"\"}],\"parameters\":{\"sampleCount\":1,\"aspectRatio\":\"%s\","
		"\"durationSeconds\":%u,\"resolution\":\"720p\",\"generateAudio\":%s",
		request->aspect_ratio, request->duration_s, request->audio ? "true" : "false");
	if (request->has_seed)
		fn_addf(body, ",\"seed\":%u", request->seed);
	if (request->negative_prompt.size > 0) {
		fn_addf(body, ",\"negativePrompt\":\"");
		fn_add_json(body, request->negative_prompt);
		fn_addf(body, "\"");
	}
	if (folder) {
		fn_addf(body, ",\"storageUri\":\"");
		fn_add_json(body, fn_bytes(folder));
		fn_addf(body, "\"");
	}
	fn_addf(body, "}}");
}

/* Always false. Says in a failure that passes when it may have. */
static bool
say_when(struct fn_error *err, const struct fn_http_response *response)
{
	int64_t ask_ms = fn_retry_after_ms(fn_http_header(response, "Retry-After"));

	if (err->code == FN_RATE_LIMITED || err->code == FN_BUSY)
		err->retry_after_s = ask_ms > 0 ? (unsigned)(ask_ms / 1000) : RETRY_AFTER_S;
	return false;
}

/* FN_DEADLINE, whatever it was that happened. */
static bool
nobody_knows(struct fn_error *err)
{
	err->code = FN_DEADLINE;
	return fn_wrap(err, "nobody knows whether the video was begun");
}

static bool
not_sent(struct fn_error *err)
{
	err->code = FN_BUSY;
	err->retry_after_s = RETRY_AFTER_S;
	return false;
}

/* Statuses that say that nothing was begun... */
static const struct verdict {
	int status;
	enum fn_code code;
	const char *sentence;
} verdicts[] = {
	{400, FN_INVALID, "the video model does not take this request"},
	{401, FN_UPSTREAM, "it does not take our credentials"},
	{403, FN_UPSTREAM, "the service account may not use it, or its API is not enabled"},
	{404, FN_UPSTREAM, "it is retired, or not to be had in this location"},
	{429, FN_RATE_LIMITED, "the video model has no capacity left at the moment"},
	{503, FN_BUSY, "it is not available"},
};

/* ...and those like them. All others leave it open: what was too slow, or not waited for, may have
 * been begun as well as what failed on the way. */
static bool
is_refusal(int status)
{
	return status / 100 == 4 && status != 408 && status != 499;
}

static bool
not_begun(struct fn_call *call, const struct fn_http_response *response, struct fn_error *err)
{
	struct fn_bytes body = {response->body, response->size};
	struct fn_bytes message = google_api_message(call, response);

	if (response->status == 400 && vertex_is_refusal(body))
		return vertex_refused(err, "the safety filter refused the prompt", body);
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		if (verdicts[i].status != response->status)
			continue;
		fn_fail(err, verdicts[i].code, "%s: %.*s", verdicts[i].sentence, FN_ARG(message));
		return say_when(err, response);
	}
	fn_fail(err, FN_UPSTREAM, "status %d: %.*s", response->status, FN_ARG(message));
	return is_refusal(response->status) ? false : nobody_knows(err);
}

/* "projects/P/locations/L/publishers/google/models/M/operations/ID" */
static bool
is_operation(struct fn_arena *arena, struct fn_bytes name)
{
	struct fn_bytes rest = name;

	if (name.size > OPERATION_MOST || !fn_bytes_starts(name, "projects/"))
		return false;
	while (rest.size > 0)
		if (!vertex_is_name(fn_text(arena, fn_bytes_cut(&rest, '/'))))
			return false;
	return memmem(name.at, name.size, OPERATIONS, strlen(OPERATIONS)) != NULL;
}

static bool
read_name(struct fn_call *call, const struct fn_http_response *response, struct fn_bytes *operation,
	struct fn_error *err)
{
	json_t *root = json_keep(call->arena, json_loadb(response->body, response->size, 0, NULL));
	struct fn_bytes name = json_text(json_object_get(root, "name"));

	if (!is_operation(call->arena, name)) {
		fn_fail(err, FN_DEADLINE, "the answer names no operation");
		return nobody_knows(err);
	}
	*operation = name;
	return true;
}

static bool
veo_start(const struct video_model *model, struct fn_call *call,
	const struct video_request *request, struct fn_bytes *operation, struct fn_error *err)
{
	struct fn_builder body = {.arena = call->arena};
	struct fn_http_response response;
	bool sent = false;

	write_request(model, call->arena, request, &body);
	const struct fn_http_request post = {
		.url = model->url,
		.body = fn_built(&body),
		.timeout_ms = START_TIMEOUT_MS,
		.sent = &sent,
	};
	if (!vertex_post(model->vertex, call, &post, &response, err))
		return sent ? nobody_knows(err) : not_sent(err);
	if (response.status != 200)
		return not_begun(call, &response, err);
	return read_name(call, &response, operation, err);
}

/* ---- What a poll says ------------------------------------------------------------------------ */

/* gRPC's codes. Those that are not listed are failures that may pass. */
static const struct failure {
	json_int_t code;
	enum video_state state;
	const char *reason;
} failures[] = {
	{3, VIDEO_REJECTED, "the video model does not take this request"},
	{4, VIDEO_FAILED, "the video model was too slow"},
	{5, VIDEO_REJECTED, "the video model lacks something that we should have set up"},
	{7, VIDEO_REJECTED, "the video model may not do something that we should have allowed"},
	{8, VIDEO_FAILED, "the video model has no capacity left at the moment"},
	{9, VIDEO_REJECTED, "the video model lacks something that we should have set up"},
	{11, VIDEO_REJECTED, "the video model does not take this request"},
	{12, VIDEO_REJECTED, "the video model does not take this request"},
	{14, VIDEO_FAILED, "the video model has no capacity left at the moment"},
	{16, VIDEO_REJECTED, "the video model may not do something that we should have allowed"},
};

static void
refuse(struct video_poll *poll, struct fn_arena *arena, const char *sentence, struct fn_bytes text)
{
	struct fn_error why;

	vertex_refused(&why, sentence, text);
	poll->state = VIDEO_REFUSED;
	poll->reason = fn_bytes_copy(arena, fn_bytes(why.message));
	poll->detail = text;
}

static void
read_failure(struct video_poll *poll, struct fn_arena *arena, const json_t *error)
{
	json_int_t code = json_integer_value(json_object_get(error, "code"));
	struct fn_bytes message = json_text(json_object_get(error, "message"));

	if (code == 3 && vertex_is_refusal(message)) {
		refuse(poll, arena, "the safety filter refused the prompt", message);
		return;
	}
	poll->state = VIDEO_FAILED;
	poll->reason = FN_BYTES("the video model failed");
	poll->detail = fn_bytes(
		fn_textf(arena, "code %" JSON_INTEGER_FORMAT ": %.*s", code, FN_ARG(message)));
	for (size_t i = 0; i < COUNT(failures); i++) {
		if (failures[i].code == code) {
			poll->state = failures[i].state;
			poll->reason = fn_bytes(failures[i].reason);
		}
	}
}

/* Vertex AI's dialect and the developer API's. */
static struct fn_bytes
result_uri(const json_t *response)
{
	json_t *nested = json_object_get(response, "generateVideoResponse");
	json_t *samples = json_object_get(nested ? nested : response, "generatedSamples");
	json_t *video = json_array_get(json_object_get(response, "videos"), 0);
	json_t *sample = json_object_get(json_array_get(samples, 0), "video");

	return json_text(video ? json_object_get(video, "gcsUri") : json_object_get(sample, "uri"));
}

static void
read_result(struct video_poll *poll, struct fn_arena *arena, const json_t *response,
	const struct spool *spool)
{
	json_t *reasons = json_object_get(response, "raiMediaFilteredReasons");

	if (spool && spool->size > 0) {
		poll->state = VIDEO_DONE;
		poll->video = (struct video){.file = spool->file};
	} else if (result_uri(response).size > 0) {
		poll->state = VIDEO_DONE;
		poll->video = (struct video){.uri = result_uri(response)};
	} else if (json_integer_value(json_object_get(response, "raiMediaFilteredCount")) > 0 ||
		   json_array_size(reasons) > 0) {
		refuse(poll, arena, "the safety filter refused the video",
			json_text(json_array_get(reasons, 0)));
	} else {
		poll->state = VIDEO_FAILED;
		poll->reason = FN_BYTES("the video model made no video and did not say why");
	}
}

static void
read_progress(struct video_poll *poll, const json_t *metadata)
{
	json_t *progress = json_object_get(metadata, "progressPercentage");
	double percent = json_number_value(progress);

	poll->state = VIDEO_RUNNING;
	if (json_is_number(progress) && percent >= 0 && percent <= 100)
		poll->progress = (int)percent;
}

static void
read_operation(struct video_poll *poll, struct fn_arena *arena, const json_t *root,
	const struct spool *spool)
{
	json_t *error = json_object_get(root, "error");

	*poll = (struct video_poll){.progress = -1};
	if (!json_is_true(json_object_get(root, "done")))
		read_progress(poll, json_object_get(root, "metadata"));
	else if (error)
		read_failure(poll, arena, error);
	else
		read_result(poll, arena, json_object_get(root, "response"), spool);
}

/* ---- Polling --------------------------------------------------------------------------------- */

static bool
add_piece(void *with, struct fn_bytes piece, struct fn_error *err)
{
	return json_spooled_add(with, piece, err);
}

static bool
explain(struct fn_call *call, const struct fn_http_response *response, struct video_poll *poll,
	struct fn_error *err)
{
	struct fn_bytes message = google_api_message(call, response);
	enum fn_code code = fn_code_of_status(response->status);

	if (response->status == 404) {
		*poll = (struct video_poll){
			.state = VIDEO_LOST,
			.progress = -1,
			.reason = FN_BYTES("the video model has lost the video"),
			.detail = message,
		};
		return true;
	}
	if (code != FN_RATE_LIMITED && code != FN_BUSY)
		code = FN_UPSTREAM;
	fn_fail(err, code, "poll: status %d: %.*s", response->status, FN_ARG(message));
	return say_when(err, response);
}

static bool
veo_poll(const struct video_model *model, struct fn_call *call, struct fn_bytes operation,
	struct video_poll *poll, struct fn_error *err)
{
	static const char *const files[] = {"bytesBase64Encoded", "encodedVideo", NULL};
	struct json_spooled *json = json_spooled_new(call->arena, files);
	const struct fn_sink sink = {add_piece, json};
	struct fn_http_response response;
	const struct spool *spool;
	json_t *root;

	if (!is_operation(call->arena, operation))
		return fn_fail(err, FN_UPSTREAM, "\"%.*s\" is no operation", FN_ARG(operation));
	const char *end = memmem(operation.at, operation.size, OPERATIONS, strlen(OPERATIONS));
	struct fn_bytes name = {operation.at, (size_t)(end - operation.at)};
	const struct fn_http_request post = {
		.url = vertex_resource_url(
			model->vertex, call->arena, name, "fetchPredictOperation"),
		.body = fn_bytes(
			fn_textf(call->arena, "{\"operationName\":\"%.*s\"}", FN_ARG(operation))),
		.sink = &sink,
		.timeout_ms = POLL_TIMEOUT_MS,
	};
	TRY(vertex_post(model->vertex, call, &post, &response, err));
	if (response.status != 200)
		return explain(call, &response, poll, err);
	TRY(json_spooled_read(json, &root, &spool, err));
	read_operation(poll, call->arena, root, spool);
	return true;
}

const struct video_dialect video_model_veo = {
	.scheme = "veo",
	.method = "predictLongRunning",
	.home = "us-central1",
	.start = veo_start,
	.poll = veo_poll,
};
