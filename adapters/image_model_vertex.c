/* Vertex AI over HTTP: who may ask, which failures pass, and what the others mean.
 * Source: cloud.google.com/vertex-ai/generative-ai/docs/model-reference/api-errors and
 * .../learn/retry-strategy. */
#include "adapters/image_model_dialect.h"
#include "adapters/wire/support_codes.h"
#include "fn/retry.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ANSWER_MOST (24 * 1024 * 1024)
#define TIMEOUT_MS 180000
#define FIRST_WAIT_MS 2000
#define MOST_WAIT_MS 60000
#define RETRY_AFTER_S 10 /* where Google does not say */
#define NO_ANSWER -1
#define REFUSAL "Image generation failed with the following error"

/* After `attempts` of them the failure is final. Google asks for two retries at most. */
static const struct verdict {
	int status;
	unsigned attempts;
	enum fn_code code;
	const char *sentence;
} verdicts[] = {
	{400, 1, FN_UPSTREAM, "it does not take the request"},
	{401, 1, FN_UPSTREAM, "it does not take our credentials"},
	{403, 1, FN_UPSTREAM, "the service account may not use it, or its API is not enabled"},
	{404, 1, FN_UPSTREAM, "it is retired, or not to be had in this location"},
	{408, 3, FN_DEADLINE, "it was too slow"},
	{429, 3, FN_RATE_LIMITED, "the image model has no capacity left at the moment"},
	{500, 3, FN_UPSTREAM, "it failed"}, {502, 3, FN_UPSTREAM, "it failed"},
	{503, 3, FN_UPSTREAM, "it is not available"}, {504, 2, FN_DEADLINE, "it was too slow"},
	{NO_ANSWER, 2, FN_UPSTREAM, NULL}, /* the sentence is the HTTP client's */
};

static const struct verdict *
judge(int status)
{
	static const struct verdict unknown = {0, 1, FN_UPSTREAM, "it answered something unknown"};

	for (size_t i = 0; i < COUNT(verdicts); i++)
		if (verdicts[i].status == status)
			return &verdicts[i];
	return &unknown;
}

static bool
send(const struct image_model *model, struct fn_call *call, struct fn_bytes authorization,
	struct fn_bytes body, struct fn_http_response *response, struct fn_error *err)
{
	const struct fn_header headers[] = {
		{FN_BYTES("Authorization"), authorization},
		{FN_BYTES("Content-Type"), FN_BYTES("application/json; charset=utf-8")},
	};
	const struct fn_http_request request = {
		.method = "POST",
		.url = model->url,
		.headers = headers,
		.header_count = COUNT(headers),
		.body = body,
		.max_response = ANSWER_MOST,
		.timeout_ms = TIMEOUT_MS,
	};

	return fn_http_send(model->http, call, &request, response, err);
}

/* The message of {"error": {"message": text}}, which may also stand in an array; empty when
 * something that is not Google answered. */
static struct fn_bytes
error_message(struct fn_call *call, const struct fn_http_response *response)
{
	json_t *root = json_keep(call->arena, json_loadb(response->body, response->size, 0, NULL));
	json_t *answer = json_is_array(root) ? json_array_get(root, 0) : root;

	return json_text(json_object_get(json_object_get(answer, "error"), "message"));
}

/* A refused prompt is a bad request like any other, but for its words. */
static bool
is_refused_prompt(const struct fn_http_response *response, struct fn_bytes message)
{
	return response->status == 400 &&
	       (fn_bytes_starts(message, REFUSAL) ||
		       support_code_subject((struct fn_bytes){response->body, response->size}));
}

static bool
explain(const struct image_model *model, struct fn_call *call, const struct verdict *verdict,
	const struct fn_http_response *response, struct fn_error *err)
{
	struct fn_bytes message = error_message(call, response);
	int64_t ask_ms = fn_retry_after_ms(fn_http_header(response, "Retry-After"));

	if (is_refused_prompt(response, message))
		return image_model_refused(err, "the safety filter refused the prompt",
			(struct fn_bytes){response->body, response->size});
	if (verdict->code == FN_RATE_LIMITED) {
		fn_fail(err, verdict->code, "%s", verdict->sentence);
		err->retry_after_s = ask_ms > 0 ? (unsigned)(ask_ms / 1000) : RETRY_AFTER_S;
		return false;
	}
	return fn_fail(err, verdict->code, "%s (status %d in %s): %.*s", verdict->sentence,
		response->status, model->location, FN_ARG(message));
}

/* An attempt that used up its time is not repeated: the picture would be paid for again, and the
 * one who waits for it has waited long enough. */
bool
image_model_vertex_ask(const struct image_model *model, struct fn_call *call, struct fn_bytes body,
	struct json_abridged *answer, struct fn_error *err)
{
	struct fn_retry retry = {.first_ms = FIRST_WAIT_MS, .most_ms = MOST_WAIT_MS};
	struct fn_http_response response;
	struct fn_bytes authorization;
	const struct verdict *verdict;
	bool has_renewed = false;

	for (;;) {
		response = (struct fn_http_response){.status = NO_ANSWER};
		TRY(google_credentials_token(model->credentials, call, &authorization, err));
		if (!send(model, call, authorization, body, &response, err) &&
			err->code == FN_DEADLINE)
			return false;
		if (response.status == 200)
			return json_abridged_read(
				answer, call->arena, response.body, response.size, err);
		if (response.status == 401 && !has_renewed) {
			google_credentials_refused(model->credentials, authorization);
			has_renewed = true;
			continue;
		}
		verdict = judge(response.status);
		retry.attempts = verdict->attempts;
		struct fn_bytes ask = fn_http_header(&response, "Retry-After");
		if (!fn_retry_wait(&retry, call, fn_retry_after_ms(ask)))
			break;
	}
	return response.status != NO_ANSWER && explain(model, call, verdict, &response, err);
}
