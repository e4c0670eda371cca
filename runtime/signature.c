#include "signature.h"

#include "fn/json.h"

static bool
only_post(struct fn_call *call, struct fn_error *err)
{
	if (fn_bytes_is(call->method, "POST"))
		return true;
	TRY(fn_reply_header(call, "Allow", FN_BYTES("POST"), err));
	return fn_fail(err, FN_METHOD_NOT_ALLOWED, "%.*s is not possible here, only POST",
		FN_ARG(call->method));
}

/* A code of the handler's that says "do not ask me again" must not reach the sender, who would give
 * the event up. */
static bool
handle_event(struct fn_call *call, const struct fn_function *function, const struct fn_event *event,
	struct fn_error *err)
{
	if (function->event(call, event, function->with, err))
		return true;
	if (err->code != FN_OK && err->code != FN_RATE_LIMITED && fn_code_status(err->code) < 500)
		err->code = FN_INTERNAL;
	return false;
}

/* 204 acknowledges all of them; a failure of one brings the whole batch again. */
static bool
handle_events(struct fn_call *call, const struct fn_function *function, struct fn_error *err)
{
	const struct fn_event *events;
	size_t count;

	TRY(only_post(call, err));
	TRY(fn_events_read(call, &events, &count, err));
	for (size_t i = 0; i < count; i++)
		TRY(handle_event(call, function, &events[i], err));
	return call->answer.status != 0 || fn_reply(call, 204, FN_BYTES(""), err);
}

static bool
handle_typed(struct fn_call *call, const struct fn_function *function, struct fn_error *err)
{
	struct fn_bytes input, output = {0};

	TRY(only_post(call, err));
	if (!fn_json_read(call->body, &input, err))
		return fn_wrap(err, "body");
	TRY(function->typed(call, input, &output, function->with, err));
	return fn_reply(call, output.size > 0 ? 200 : 204, output, err);
}

bool
signature_handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct fn_function *function = with;

	if (function->event)
		return handle_events(call, function, err);
	if (function->typed)
		return handle_typed(call, function, err);
	return function->http(call, function->with, err);
}
