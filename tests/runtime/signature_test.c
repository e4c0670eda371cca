#include "signature.h"

#include "exchange.h"
#include "tests/support/suite.h"

#include <string.h>

#define EVENT(id) "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"/\",\"type\":\"t\"}"
#define BATCH "application/cloudevents-batch+json"

static struct fn_exchange *exchange;
static int calls;

static void
exchange_open(void)
{
	exchange = exchange_new(NULL);
	calls = 0;
}

static void
exchange_close(void)
{
	exchange_drop(exchange);
}

/* ---- Functions to be called -------------------------------------------------------------- */

/* `with` is the error to return; the event whose id is "ok" has none. */
static bool
take_event(
	struct fn_call *call, const struct fn_event *event, const void *with, struct fn_error *err)
{
	const enum fn_code *code = with;

	(void)call;
	calls++;
	if (*code == FN_OK || fn_bytes_is(event->id, "ok"))
		return true;
	return fn_fail(err, *code, "the secret reason");
}

static bool
take_event_silently_failing(
	struct fn_call *call, const struct fn_event *event, const void *with, struct fn_error *err)
{
	(void)call;
	(void)event;
	(void)with;
	(void)err;
	return false;
}

static bool
answer_event(
	struct fn_call *call, const struct fn_event *event, const void *with, struct fn_error *err)
{
	(void)with;
	return fn_reply(call, 200, event->id, err);
}

static bool
take_typed(struct fn_call *call, struct fn_bytes input, struct fn_bytes *output, const void *with,
	struct fn_error *err)
{
	const enum fn_code *code = with;

	calls++;
	if (*code != FN_OK)
		return fn_fail(err, *code, "the secret reason");
	if (!fn_bytes_is(input, "null"))
		*output = fn_bytes(fn_textf(call->arena, "[%.*s]", FN_ARG(input)));
	return true;
}

static bool
answer_http(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	calls++;
	return fn_reply(call, 200, call->body, err);
}

/* ---- What is answered -------------------------------------------------------------------- */

static const struct fn_answer *
ask(const struct fn_function *function, const char *method, const char *type, const char *body)
{
	const struct fn_header header = {FN_BYTES("Content-Type"), fn_bytes(type)};

	exchange->call.method = fn_bytes(method);
	exchange->call.path = FN_BYTES("/");
	exchange->call.headers = &header;
	exchange->call.header_count = 1;
	exchange->body.at = (char *)(uintptr_t)body;
	exchange->body.size = strlen(body);
	exchange_run(exchange, signature_handle, function);
	return &exchange->call.answer;
}

static struct fn_bytes
header(const struct fn_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->header_count; i++) {
		if (fn_bytes_is_nocase(answer->headers[i].name, name))
			return answer->headers[i].value;
	}
	return (struct fn_bytes){0};
}

static const char *const other_methods[] = {
	"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post"};

/* Events and typed calls come by POST alone. */
START_TEST(other_method_is_refused)
{
	static const enum fn_code ok = FN_OK;
	static const struct fn_function functions[] = {
		{.event = take_event, .with = &ok}, {.typed = take_typed, .with = &ok}};

	for (size_t i = 0; i < COUNT(functions); i++) {
		const struct fn_answer *answer =
			ask(&functions[i], other_methods[_i], "application/json", "1");

		ck_assert_int_eq(answer->status, 405);
		ck_assert_bytes_eq(header(answer, "Allow"), "POST");
		ck_assert_int_eq(calls, 0);
		exchange_close();
		exchange_open();
	}
}
END_TEST

static const struct {
	const char *type, *body;
	enum fn_code code;
	int status, calls;
} events[] = {
	{"application/cloudevents+json", EVENT("1"), FN_OK, 204, 1},
	{"application/cloudevents+json; charset=utf-8", EVENT("1"), FN_OK, 204, 1},
	{BATCH, "[]", FN_INTERNAL, 204, 0},
	{BATCH, "[" EVENT("1") "," EVENT("2") "]", FN_OK, 204, 2},
	{BATCH, "[" EVENT("1") "," EVENT("1") "]", FN_OK, 204, 2}, /* none is taken for known */

	/* malformed: not called */
	{"application/cloudevents+json", EVENT(""), FN_OK, 400, 0},
	{"application/cloudevents+avro", "x", FN_OK, 415, 0},
	{BATCH, "[" EVENT("1") "," EVENT("") "]", FN_OK, 400, 0},

	/* failed: to be delivered again, whatever the function called its failure */
	{"application/cloudevents+json", EVENT("1"), FN_INTERNAL, 500, 1},
	{"application/cloudevents+json", EVENT("1"), FN_INVALID, 500, 1},
	{"application/cloudevents+json", EVENT("1"), FN_NOT_FOUND, 500, 1},
	{"application/cloudevents+json", EVENT("1"), FN_RATE_LIMITED, 429, 1},
	{"application/cloudevents+json", EVENT("1"), FN_BUSY, 503, 1},
	{"application/cloudevents+json", EVENT("1"), FN_DEADLINE, 504, 1},
	{BATCH, "[" EVENT("ok") "," EVENT("2") "," EVENT("3") "]", FN_INTERNAL, 500, 2},
};

/* Only an event whose function has succeeded is acknowledged. */
START_TEST(event_is_acknowledged_or_not)
{
	const struct fn_function function = {.event = take_event, .with = &events[_i].code};
	const struct fn_answer *answer = ask(&function, "POST", events[_i].type, events[_i].body);
	bool secret = answer->body.size > 0 &&
		      memmem(answer->body.at, answer->body.size, "secret", 6) != NULL;

	ck_assert_int_eq(answer->status, events[_i].status);
	ck_assert_int_eq(calls, events[_i].calls);
	ck_assert(
		fn_bytes_is(header(answer, "X-Google-Status"), "error") == (answer->status == 500));
	ck_assert(!secret || answer->status == 429);
}
END_TEST

START_TEST(failure_without_a_reason_is_one)
{
	const struct fn_function function = {.event = take_event_silently_failing};

	ck_assert_int_eq(
		ask(&function, "POST", "application/cloudevents+json", EVENT("1"))->status, 500);
}
END_TEST

START_TEST(event_function_may_answer_itself)
{
	const struct fn_function function = {.event = answer_event};
	const struct fn_answer *answer =
		ask(&function, "POST", "application/cloudevents+json", EVENT("7"));

	ck_assert_int_eq(answer->status, 200);
	ck_assert_bytes_eq(answer->body, "7");
}
END_TEST

static const struct {
	const char *body;
	enum fn_code code;
	int status, calls;
	const char *answer; /* NULL: a problem */
} typed[] = {
	{" {\"a\": 1e400} ", FN_OK, 200, 1, "[{\"a\": 1e400}]"},
	{"null", FN_OK, 204, 1, ""},
	{"", FN_OK, 400, 0, NULL},
	{"{\"a\":}", FN_OK, 400, 0, NULL},
	{"1", FN_INVALID, 400, 1, NULL},
	{"1", FN_INTERNAL, 500, 1, NULL},
};

START_TEST(typed_function_is_answered)
{
	const struct fn_function function = {.typed = take_typed, .with = &typed[_i].code};
	const struct fn_answer *answer = ask(&function, "POST", "text/plain", typed[_i].body);

	ck_assert_int_eq(answer->status, typed[_i].status);
	ck_assert_int_eq(calls, typed[_i].calls);
	ck_assert(
		fn_bytes_is(header(answer, "X-Google-Status"), "error") == (answer->status == 500));
	if (typed[_i].answer)
		ck_assert_bytes_eq(answer->body, typed[_i].answer);
	else
		ck_assert_bytes_eq(header(answer, "Content-Type"), "application/problem+json");
}
END_TEST

/* None of the conversions is done for an HTTP function. */
START_TEST(http_function_gets_the_request_as_it_is)
{
	const struct fn_function function = {.http = answer_http};
	const struct fn_answer *answer =
		ask(&function, "BREW", "application/cloudevents+json", EVENT("") "?");

	ck_assert_int_eq(answer->status, 200);
	ck_assert_bytes_eq(answer->body, EVENT("") "?");
}
END_TEST

#define IN_EXCHANGE .setup = exchange_open, .teardown = exchange_close

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = other_method_is_refused, .rows = COUNT(other_methods), IN_EXCHANGE},
		{.test = event_is_acknowledged_or_not, .rows = COUNT(events), IN_EXCHANGE},
		{.test = failure_without_a_reason_is_one, IN_EXCHANGE},
		{.test = event_function_may_answer_itself, IN_EXCHANGE},
		{.test = typed_function_is_answered, .rows = COUNT(typed), IN_EXCHANGE},
		{.test = http_function_gets_the_request_as_it_is, IN_EXCHANGE},
	};

	return suite_run("signature", cases, COUNT(cases));
}
