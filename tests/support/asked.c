#include "tests/support/asked.h"

#include "adapters/wire/json.h"
#include "fn/clock.h"

#include <check.h>
#include <string.h>

static void
drop_arena(void *of_call)
{
	fn_arena_drop(of_call);
}

struct asked
asked_new(struct fn_arena *of_test, const char *method, const char *target)
{
	struct fn_arena *of_call = fn_arena_new();
	struct fn_bytes query = fn_bytes(target);

	fn_arena_defer(of_test, drop_arena, of_call);
	return (struct asked){.call = {
				      .method = fn_bytes(method),
				      .path = fn_bytes_cut(&query, '?'),
				      .query = query,
				      .arena = of_call,
			      }};
}

struct asked
asked_post(struct fn_arena *of_test, const char *target, const char *body, const char *key)
{
	struct asked asked = asked_new(of_test, "POST", target);

	asked.headers[0] =
		(struct fn_header){FN_BYTES("Content-Type"), FN_BYTES("application/json")};
	asked.headers[1] = (struct fn_header){FN_BYTES("Idempotency-Key"), fn_bytes(key)};
	asked.call.header_count = key ? 2 : 1;
	asked.call.body = fn_bytes(body);
	return asked;
}

struct asked
asked_wrongly(struct fn_arena *of_test, const struct asked_wrong *wrong)
{
	struct asked asked = asked_post(of_test, wrong->path, wrong->body, wrong->key);

	asked.call.method = fn_bytes(wrong->method);
	asked.headers[0].value = fn_bytes(wrong->type);
	return asked;
}

void
assert_wrong(const struct asked *asked, const struct asked_wrong *wrong)
{
	assert_answer(*asked, wrong->status);
	ck_assert_msg(strstr(asked->err.message, wrong->sentence), "%s", asked->err.message);
}

void
asked_run(struct asked *asked, fn_handler *handler, const void *with, int64_t within_ms)
{
	struct fn_call *call = &asked->call;

	call->headers = asked->headers;
	call->deadline_ms = fn_now_ms() + within_ms;
	if (handler(call, with, &asked->err))
		asked->status = call->answer.status;
	else
		asked->status = fn_code_status(asked->err.code);
	asked->answer = fn_text(call->arena, call->answer.body);
	asked->json = json_keep(call->arena, json_loads(asked->answer, 0, NULL));
}

struct fn_bytes
asked_header(const struct asked *asked, const char *name)
{
	const struct fn_call answer = {.headers = asked->call.answer.headers,
		.header_count = asked->call.answer.header_count};

	return fn_header(&answer, name);
}

struct fn_bytes
asked_logged(const struct asked *asked, const char *name)
{
	for (size_t i = 0; i < asked->call.log.field_count; i++) {
		if (strcmp(asked->call.log.fields[i].name, name) == 0)
			return asked->call.log.fields[i].value;
	}
	return (struct fn_bytes){0};
}
