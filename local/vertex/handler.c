#include "local/vertex/handler.h"

#include "fn/route.h"
#include "fn/stream.h"
#include "local/vertex/model.h"
#include "local/vertex/storage.h"

#include <jansson.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SLOW_PIECES 8
#define SLOW_PAUSE_MS 150

/* ---- Errors as Google spells them ------------------------------------------------------------ */

static const char *
canonical(enum fn_code code)
{
	switch (code) {
	case FN_INVALID:
		return "INVALID_ARGUMENT";
	case FN_UNAUTHENTICATED:
		return "UNAUTHENTICATED";
	case FN_FORBIDDEN:
		return "PERMISSION_DENIED";
	case FN_NOT_FOUND:
		return "NOT_FOUND";
	case FN_RATE_LIMITED:
		return "RESOURCE_EXHAUSTED";
	case FN_BUSY:
		return "UNAVAILABLE";
	case FN_DEADLINE:
		return "DEADLINE_EXCEEDED";
	default:
		return "INTERNAL";
	}
}

static bool
reply_error(struct fn_call *call, const struct fn_error *error, struct fn_error *err)
{
	struct fn_builder json = {.arena = call->arena};
	int status = fn_code_status(error->code);

	fn_addf(&json, "{\"error\":{\"code\":%d,\"message\":\"", status);
	fn_add_json(&json, fn_bytes(error->message));
	fn_addf(&json, "\",\"status\":\"%s\"}}", canonical(error->code));
	return fn_reply(call, status, fn_built(&json), err);
}

static bool
fail_as_scheduled(const struct fault *fault, const struct model *model, struct fn_error *err)
{
	switch (fault->code) {
	case FN_UNAUTHENTICATED:
		return fn_fail(err, fault->code, "Request had invalid authentication credentials.");
	case FN_FORBIDDEN:
		return fn_fail(err, fault->code,
			"Permission 'aiplatform.endpoints.predict' denied on resource (or it may "
			"not exist).");
	case FN_NOT_FOUND:
		return fn_fail(err, fault->code,
			"Publisher Model `%s` has reached its end of life and is no longer "
			"available.",
			model->name);
	case FN_RATE_LIMITED:
		return fn_fail(err, fault->code, "Resource exhausted, please try again later.");
	case FN_BUSY:
		return fn_fail(err, fault->code, "The service is currently unavailable.");
	case FN_DEADLINE:
		return fn_fail(err, fault->code, "Deadline exceeded.");
	case FN_INVALID:
		return fn_fail(err, fault->code, "Request contains an invalid argument.");
	default:
		return fn_fail(err, fault->code, "Internal error encountered.");
	}
}

/* ---- A call to a model ----------------------------------------------------------------------- */

static bool
authenticate(const struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes rest = fn_header(call, "Authorization");
	struct fn_bytes scheme = fn_bytes_cut(&rest, ' ');

	if (fn_bytes_is_nocase(scheme, "Bearer") && fn_bytes_trim(rest).size > 0)
		return true;
	return fn_fail(err, FN_UNAUTHENTICATED,
		"Request is missing required authentication credential. Expected OAuth 2 access "
		"token, login cookie or other valid authentication credential.");
}

static void
drop_json(void *json)
{
	json_decref(json);
}

static bool
parse(struct fn_call *call, json_t **request, struct fn_error *err)
{
	json_error_t why;
	*request = json_loadb(call->body.at, call->body.size, 0, &why);
	if (!*request)
		return fn_fail(err, FN_INVALID, "Invalid JSON payload received. %.128s", why.text);
	fn_arena_defer(call->arena, drop_json, *request);
	return true;
}

/* A model that takes minutes lets them pass after it has answered. */
static bool
ask_model(struct fn_call *call, const struct vertex *vertex, const struct model *model,
	struct fault *fault, struct fn_bytes *body, enum outcome *outcome, struct fn_error *err)
{
	bool is_slow = model->dialect->poll;
	struct conditions *conditions = is_slow ? vertex->videos : vertex->images;
	struct question question = {call, model, fault, NULL, conditions, vertex->operations};

	TRY(authenticate(call, err));
	if (!conditions_admit(conditions, model)) {
		*outcome = EXHAUSTED;
		return model->dialect->exhausted(model, err);
	}
	*fault = conditions_next_fault(conditions);
	if (!is_slow)
		conditions_pass(call, conditions_latency_ms(conditions));
	if (fault->kind == FAULT_STATUS)
		return fail_as_scheduled(fault, model, err);
	TRY(parse(call, &question.request, err));
	return model->dialect->answer(&question, body, outcome, err);
}

static bool
poll_model(struct fn_call *call, const struct vertex *vertex, const struct model *model,
	struct fault *fault, struct fn_bytes *body, struct fn_error *err)
{
	struct question question = {call, model, fault, NULL, vertex->videos, vertex->operations};

	TRY(authenticate(call, err));
	TRY(parse(call, &question.request, err));
	TRY(model->dialect->poll(&question, body, fault, err));
	return fault->kind != FAULT_STATUS || fail_as_scheduled(fault, model, err);
}

/* ---- Answers that arrive badly, or not at all ------------------------------------------------ */

static bool
hang(struct fn_call *call, struct fn_error *err)
{
	conditions_pass(call, INT64_MAX / 2);
	return fn_fail(err, FN_DEADLINE, "as the schedule of faults wants it");
}

/* Sends the first bytes of the body and breaks off. */
static bool
break_off(struct fn_call *call, struct fn_bytes body, size_t after, struct fn_error *err)
{
	TRY(fn_stream_begin(call, 200, err));
	TRY(fn_stream_write(call, (struct fn_bytes){body.at, after}, err));
	return fn_fail(err, FN_INTERNAL, "as the schedule of faults wants it");
}

static bool
dribble(struct fn_call *call, struct fn_bytes body, struct fn_error *err)
{
	size_t piece = body.size / SLOW_PIECES + 1;

	TRY(fn_stream_begin(call, 200, err));
	for (size_t at = 0; at < body.size; at += piece) {
		size_t left = body.size - at;

		conditions_pass(call, SLOW_PAUSE_MS);
		TRY(fn_stream_write(
			call, (struct fn_bytes){body.at + at, left < piece ? left : piece}, err));
	}
	return true;
}

static bool
deliver(struct fn_call *call, struct fn_bytes body, const struct fault *fault, struct fn_error *err)
{
	switch (fault->kind) {
	case FAULT_HTML:
		TRY(fn_reply_header(call, "Content-Type", FN_BYTES("text/html"), err));
		return fn_reply(call, 502, FN_BYTES("<html><h1>502 Bad Gateway</h1></html>"), err);
	case FAULT_GARBAGE:
		return fn_reply(call, 200, FN_BYTES("{\"predictions\":[}, \"candidates\":]"), err);
	case FAULT_HANG:
		return hang(call, err);
	case FAULT_RESET:
		return break_off(call, body, 0, err);
	case FAULT_TRUNCATED:
		return break_off(call, body, body.size / 2, err);
	case FAULT_SLOW:
		return dribble(call, body, err);
	default:
		return fn_reply(call, 200, body, err);
	}
}

/* ---- Endpoints ------------------------------------------------------------------------------- */

static bool
is_poll(const struct model *model, struct fn_bytes method)
{
	return model->dialect->poll && fn_bytes_is(method, model->dialect->poll_method);
}

/* NULL, and why, where the path names none. */
static const struct model *
find_model(const struct fn_call *call, struct fn_bytes *asked, struct fn_error *err)
{
	struct fn_bytes method = fn_param(call, "call"), location = fn_param(call, "location");
	struct fn_bytes name = fn_bytes_cut(&method, ':');
	const struct model *model = model_named(name);

	if (!model || (model->dialect->global_only && !fn_bytes_is(location, "global"))) {
		fn_fail(err, FN_NOT_FOUND,
			"Publisher Model `projects/%.*s/locations/%.*s/publishers/google/models/"
			"%.*s` was not found.",
			FN_ARG(fn_param(call, "project")), FN_ARG(location), FN_ARG(name));
		return NULL;
	}
	if (!fn_bytes_is(method, model->dialect->method) && !is_poll(model, method)) {
		fn_fail(err, FN_INVALID, "%s cannot be asked through :%.*s, only :%s.", model->name,
			FN_ARG(method), model->dialect->method);
		return NULL;
	}
	*asked = method;
	return model;
}

static bool
call_model(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct vertex *vertex = with;
	struct fn_error refusal = {0};
	struct fn_bytes method, body = {0};
	const struct model *model = find_model(call, &method, &refusal);
	struct fault fault = {.kind = FAULT_NONE};
	enum outcome outcome = REJECTED;
	bool ok;

	if (!model)
		return reply_error(call, &refusal, err);
	if (is_poll(model, method)) {
		ok = poll_model(call, vertex, model, &fault, &body, &refusal);
	} else {
		ok = ask_model(call, vertex, model, &fault, &body, &outcome, &refusal);
		if (fault.kind != FAULT_NONE)
			outcome = FAULTY;
		atomic_fetch_add(&vertex->stats->calls[model - models][outcome], 1);
	}
	return ok ? deliver(call, body, &fault, err) : reply_error(call, &refusal, err);
}

static bool
list_objects(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct vertex *vertex = with;
	struct fn_error refusal = {0};

	if (!authenticate(call, &refusal))
		return reply_error(call, &refusal, err);
	return storage_list(vertex->operations, call, err);
}

static bool
give_object(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct vertex *vertex = with;
	struct fn_error refusal = {0};
	struct fn_bytes bytes;

	if (!authenticate(call, &refusal) ||
		!storage_read(vertex->operations, call, &bytes, &refusal))
		return reply_error(call, &refusal, err);
	return storage_reply(call, bytes, err);
}

/* What Google's machines offer at metadata.google.internal. */
static bool
give_token(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	if (!fn_bytes_is(fn_header(call, "Metadata-Flavor"), "Google"))
		return fn_fail(err, FN_FORBIDDEN, "Missing Metadata-Flavor:Google header.");
	TRY(fn_reply_header(call, "Metadata-Flavor", FN_BYTES("Google"), err));
	return fn_reply(call, 200,
		FN_BYTES("{\"access_token\":\"ya29.stand-in\",\"expires_in\":3599,"
			 "\"token_type\":\"Bearer\"}"),
		err);
}

/* Adds how the model's calls ended; returns how many there were. */
static unsigned long
add_counts(struct fn_builder *json, const struct model *model, struct stats *stats)
{
	static const char *const names[OUTCOMES] = {
		"painted", "refused", "rejected", "exhausted", "faulty"};
	unsigned long calls = 0;

	fn_addf(json, "\"%s\":{", model->name);
	for (size_t i = 0; i < OUTCOMES; i++) {
		unsigned long count = atomic_load(&stats->calls[model - models][i]);

		fn_addf(json, "\"%s\":%lu,", names[i], count);
		calls += count;
	}
	fn_addf(json, "\"calls\":%lu},", calls);
	return calls;
}

/* How often each prompt was begun. */
static json_t *
count_prompts(struct operations *operations)
{
	json_t *counts = json_object();
	const struct operation *operation;

	for (size_t i = 0; (operation = operations_nth(operations, i)); i++) {
		struct fn_bytes prompt = operation->filming.scene.prompt;
		json_t *count = json_object_getn(counts, prompt.at, prompt.size);

		json_object_setn_new(counts, prompt.at, prompt.size,
			json_integer(json_integer_value(count) + 1));
	}
	return counts;
}

static void
add_prompts(struct fn_builder *json, struct operations *operations)
{
	json_t *counts = count_prompts(operations);
	char *text = json_dumps(counts, JSON_COMPACT);

	fn_add(json, fn_bytes(text));
	free(text);
	json_decref(counts);
}

static bool
show_stats(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct vertex *vertex = with;
	struct fn_builder json = {.arena = call->arena};
	unsigned long calls = 0;

	fn_add(&json, FN_BYTES("{\"models\":{"));
	for (size_t i = 0; i < MODELS; i++)
		calls += add_counts(&json, &models[i], vertex->stats);
	json.size--; /* the last comma */
	fn_addf(&json, "},\"calls\":%lu,\"begun\":", calls);
	add_prompts(&json, vertex->operations);
	fn_addf(&json, "}");
	return fn_reply(call, 200, fn_built(&json), err);
}

static const struct fn_route routes[] = {
	{"POST", "/v1/projects/{project}/locations/{location}/publishers/google/models/{call}",
		call_model},
	{"GET", "/storage/v1/b/{bucket}/o", list_objects},
	{"GET", "/storage/v1/b/{bucket}/o/{object}", give_object},
	{"GET", "/computeMetadata/v1/instance/service-accounts/default/token", give_token},
	{"GET", "/stats", show_stats},
};

bool
vertex_handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	return fn_route(call, routes, COUNT(routes), with, err);
}
