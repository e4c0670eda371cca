#include "fn/call.h"

#include "fn/clock.h"

#include <assert.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct fn_bytes
fn_header(const struct fn_call *call, const char *name)
{
	for (size_t i = 0; i < call->header_count; i++) {
		if (fn_bytes_is_nocase(call->headers[i].name, name))
			return call->headers[i].value;
	}
	return (struct fn_bytes){0};
}

struct fn_bytes
fn_param(const struct fn_call *call, const char *name)
{
	for (size_t i = 0; i < call->param_count; i++) {
		if (fn_bytes_is(call->params[i].name, name))
			return call->params[i].value;
	}
	assert(!"the route has no such parameter");
	return (struct fn_bytes){0};
}

static bool
query_decode(const struct fn_call *call, struct fn_bytes raw, struct fn_bytes *value)
{
	char *text = fn_text(call->arena, raw);

	for (size_t i = 0; i < raw.size; i++) {
		if (text[i] == '+')
			text[i] = ' ';
	}
	return fn_bytes_unescape((struct fn_bytes){text, raw.size}, call->arena, value);
}

bool
fn_query(const struct fn_call *call, const char *name, struct fn_bytes *value)
{
	struct fn_bytes rest = call->query;

	while (rest.size > 0) {
		struct fn_bytes raw = fn_bytes_cut(&rest, '&');
		struct fn_bytes key = fn_bytes_cut(&raw, '=');

		if (query_decode(call, key, &key) && fn_bytes_is(key, name))
			return query_decode(call, raw, value);
	}
	return false;
}

int64_t
fn_time_left_ms(const struct fn_call *call, int64_t most_ms)
{
	int64_t left = call->deadline_ms - fn_now_ms();

	if (call->deadline_ms == 0 || left > most_ms)
		return most_ms;
	return left > 0 ? left : 0;
}

bool
fn_reply(struct fn_call *call, int status, struct fn_bytes body, struct fn_error *err)
{
	if (status < 200 || status > 599)
		return fn_fail(err, FN_INTERNAL, "reply: %d is no final HTTP status", status);
	if (call->answer.status != 0)
		return fn_fail(err, FN_INTERNAL, "reply: this call has its answer already");
	call->answer.status = status;
	call->answer.body = body;
	return true;
}

bool
fn_reply_header(struct fn_call *call, const char *name, struct fn_bytes value, struct fn_error *err)
{
	struct fn_answer *answer = &call->answer;

	for (size_t i = 0; i < value.size; i++) {
		if (value.at[i] == '\r' || value.at[i] == '\n' || value.at[i] == '\0')
			return fn_fail(
				err, FN_INTERNAL, "header %s: a line break in its value", name);
	}
	if (answer->header_count == COUNT(answer->headers))
		return fn_fail(err, FN_INTERNAL, "header %s: no more than %zu are possible", name,
			COUNT(answer->headers));
	answer->headers[answer->header_count++] =
		(struct fn_header){fn_bytes(name), fn_bytes_copy(call->arena, value)};
	return true;
}

bool
fn_reply_has(const struct fn_call *call, const char *name)
{
	for (size_t i = 0; i < call->answer.header_count; i++) {
		if (fn_bytes_is_nocase(call->answer.headers[i].name, name))
			return true;
	}
	return false;
}
