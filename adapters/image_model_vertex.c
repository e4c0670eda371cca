/* Asking for a picture: which failures pass, and what the others mean.
 * Source: cloud.google.com/vertex-ai/generative-ai/docs/model-reference/api-errors and
 * .../learn/retry-strategy. */
#include "adapters/google_api.h"
#include "adapters/image_model_dialect.h"
#include "fn/retry.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ANSWER_MOST (24 * 1024 * 1024)
#define TIMEOUT_MS 180000
#define FIRST_WAIT_MS 2000
#define MOST_WAIT_MS 60000
#define RETRY_AFTER_S 10 /* where Google does not say */
#define NO_ANSWER -1

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
explain(const struct image_model *model, struct fn_call *call, const struct verdict *verdict,
	const struct fn_http_response *response, struct fn_error *err)
{
	struct fn_bytes body = {response->body, response->size};
	struct fn_bytes message = google_api_message(call, response);
	int64_t ask_ms = fn_retry_after_ms(fn_http_header(response, "Retry-After"));

	if (response->status == 400 && vertex_is_refusal(body))
		return vertex_refused(err, "the safety filter refused the prompt", body);
	if (verdict->code == FN_RATE_LIMITED) {
		fn_fail(err, verdict->code, "%s", verdict->sentence);
		err->retry_after_s = ask_ms > 0 ? (unsigned)(ask_ms / 1000) : RETRY_AFTER_S;
		return false;
	}
	return fn_fail(err, verdict->code, "%s (status %d in %s): %.*s", verdict->sentence,
		response->status, vertex_location(model->vertex, model->dialect->home),
		FN_ARG(message));
}

static bool
take_turn(const struct image_pace *pace, struct fn_call *call, struct fn_error *err)
{
	return !pace || pace->wait(pace->with, call, err);
}

/* Waits for another attempt, if there is time for one. */
static bool
wait_to_ask_again(struct fn_retry *retry, struct fn_call *call, const struct image_pace *pace,
	const struct fn_http_response *response)
{
	int64_t ask_ms = fn_retry_after_ms(fn_http_header(response, "Retry-After"));
	struct fn_error unused; /* what the model said is told */

	return fn_retry_wait(retry, call, ask_ms) && fn_time_left_ms(call, 1) > 0 &&
	       take_turn(pace, call, &unused);
}

/* An attempt that used up its time is not repeated: the picture would be paid for again, and the
 * one who waits for it has waited long enough. */
bool
image_model_vertex_ask(const struct image_model *model, struct fn_call *call,
	const struct image_pace *pace, struct fn_bytes body, struct json_abridged *answer,
	struct fn_error *err)
{
	const struct fn_http_request request = {
		.url = model->url,
		.body = body,
		.max_response = ANSWER_MOST,
		.timeout_ms = TIMEOUT_MS,
	};
	struct fn_retry retry = {.first_ms = FIRST_WAIT_MS, .most_ms = MOST_WAIT_MS};
	struct fn_http_response response;
	const struct verdict *verdict;

	TRY(take_turn(pace, call, err));
	do {
		response = (struct fn_http_response){.status = NO_ANSWER};
		if (!vertex_post(model->vertex, call, &request, &response, err) &&
			err->code == FN_DEADLINE)
			return false;
		if (response.status == 200)
			return json_abridged_read(
				answer, call->arena, response.body, response.size, err);
		verdict = judge(response.status);
		retry.attempts = verdict->attempts;
	} while (wait_to_ask_again(&retry, call, pace, &response));
	return response.status != NO_ANSWER && explain(model, call, verdict, &response, err);
}
