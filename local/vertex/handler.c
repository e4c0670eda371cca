#include "local/vertex/handler.h"

#include "fn/route.h"
#include "fn/stream.h"
#include "local/vertex/model.h"

#include <jansson.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SLOW_PIECES 8
#define SLOW_PAUSE_MS 150

/* ---- Errors as Google spells them ---- */

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

/* ---- A call to a model ---- */

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

static bool
ask_model(struct fn_call *call, const struct vertex *vertex, const struct model *model,
	struct fault *fault, struct fn_bytes *body, enum outcome *outcome, struct fn_error *err)
{
	json_t *request;

	TRY(authenticate(call, err));
	if (!conditions_admit(vertex->conditions, model)) {
		*outcome = EXHAUSTED;
		return model->dialect->exhausted(model, err);
	}
	*fault = conditions_next_fault(vertex->conditions);
	conditions_wait(vertex->conditions, call);
	if (fault->kind == FAULT_STATUS)
		return fail_as_scheduled(fault, model, err);
	TRY(parse(call, &request, err));
	return model->dialect->answer(call, model, fault, request, body, outcome, err);
}

/* ---- Answers that arrive badly, or not at all ---- */

static bool
hang(struct fn_call *call, struct fn_error *err)
{
	conditions_pass(call, INT64_MAX / 2);
	return fn_fail(err, FN_DEADLINE, "as IMAGEN_FAULTS wants it");
}

/* Sends the first bytes of the body and breaks off. */
static bool
break_off(struct fn_call *call, struct fn_bytes body, size_t after, struct fn_error *err)
{
	TRY(fn_stream_begin(call, 200, err));
	TRY(fn_stream_write(call, (struct fn_bytes){body.at, after}, err));
	return fn_fail(err, FN_INTERNAL, "as IMAGEN_FAULTS wants it");
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

/* ---- Endpoints ---- */

/* NULL, and why, where the path names none. */
static const struct model *
find_model(const struct fn_call *call, struct fn_error *err)
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
	if (!fn_bytes_is(method, model->dialect->method)) {
		fn_fail(err, FN_INVALID, "%s cannot be asked through :%.*s, only :%s.", model->name,
			FN_ARG(method), model->dialect->method);
		return NULL;
	}
	return model;
}

static bool
call_model(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct vertex *vertex = with;
	struct fn_error refusal = {0};
	const struct model *model = find_model(call, &refusal);
	struct fault fault = {.kind = FAULT_NONE};
	enum outcome outcome = REJECTED;
	struct fn_bytes body = {0};

	if (!model)
		return reply_error(call, &refusal, err);
	bool ok = ask_model(call, vertex, model, &fault, &body, &outcome, &refusal);
	if (fault.kind != FAULT_NONE)
		outcome = FAULTY;
	atomic_fetch_add(&vertex->stats->calls[model - models][outcome], 1);
	return ok ? deliver(call, body, &fault, err) : reply_error(call, &refusal, err);
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
	fn_addf(&json, "},\"calls\":%lu}", calls);
	return fn_reply(call, 200, fn_built(&json), err);
}

static const struct fn_route routes[] = {
	{"POST", "/v1/projects/{project}/locations/{location}/publishers/google/models/{call}",
		call_model},
	{"GET", "/computeMetadata/v1/instance/service-accounts/default/token", give_token},
	{"GET", "/stats", show_stats},
};

bool
vertex_handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	return fn_route(call, routes, COUNT(routes), with, err);
}
