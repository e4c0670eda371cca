/* What becomes of a request by what kind of function it is for, through a socket. */
#include "signature.h"

#include "tests/support/led_server.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

#define EVENT(id) "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"/\",\"type\":\"t\"}"
#define BATCH "application/cloudevents-batch+json"

static struct answer answer;
static struct peer *peer;
static atomic_int calls;

static void
serve(const struct fn_function *function)
{
	led_options.handler = signature_handle;
	led_options.with = function;
	led_server_start();
	peer = led_peer();
}

static void
stop(void)
{
	peer_close(peer);
	led_server_stop();
}

/* ---- Functions to be called -------------------------------------------------------------- */

/* `with` is the error to return; the event whose id is "ok" has none. */
static bool
take_event(
	struct fn_call *call, const struct fn_event *event, const void *with, struct fn_error *err)
{
	const enum fn_code *code = with;

	(void)call;
	atomic_fetch_add(&calls, 1);
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

	atomic_fetch_add(&calls, 1);
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
	atomic_fetch_add(&calls, 1);
	return fn_reply(call, 200, call->body, err);
}

/* ---- What is answered -------------------------------------------------------------------- */

static int
ask(const char *method, const char *type, const char *body)
{
	char head[256];

	snprintf(head, sizeof(head),
		"%s / HTTP/1.1\r\n" HOST "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", method,
		type, strlen(body));
	peer_sends(peer, head);
	peer_sends(peer, body);
	ck_assert(strcmp(method, "HEAD") == 0 ? peer_read_head(peer, &answer)
					      : peer_read(peer, &answer));
	return answer.status;
}

static const char *const other_methods[] = {
	"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post"};

static const enum fn_code ok = FN_OK;
static const struct fn_function posted[] = {
	{.event = take_event, .with = &ok}, {.typed = take_typed, .with = &ok}};

/* Events and typed calls come by POST alone. */
START_TEST(other_method_is_refused)
{
	serve(&posted[_i]);
	for (size_t i = 0; i < COUNT(other_methods); i++) {
		ck_assert_int_eq(ask(other_methods[i], "application/json", "1"), 405);
		ck_assert_bytes_eq(answer_header(&answer, "Allow"), "POST");
	}
	ck_assert_int_eq(atomic_load(&calls), 0);
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
	bool secret;

	serve(&function);
	ck_assert_int_eq(ask("POST", events[_i].type, events[_i].body), events[_i].status);
	secret = memmem(answer.body.at, answer.body.size, "secret", 6) != NULL;
	ck_assert_int_eq(atomic_load(&calls), events[_i].calls);
	ck_assert_bytes_eq(
		answer_header(&answer, "X-Google-Status"), events[_i].status == 500 ? "error" : "");
	ck_assert(!secret || events[_i].status == 429);
}
END_TEST

START_TEST(failure_without_a_reason_is_one)
{
	const struct fn_function function = {.event = take_event_silently_failing};

	serve(&function);
	ck_assert_int_eq(ask("POST", "application/cloudevents+json", EVENT("1")), 500);
}
END_TEST

START_TEST(event_function_may_answer_itself)
{
	const struct fn_function function = {.event = answer_event};

	serve(&function);
	ck_assert_int_eq(ask("POST", "application/cloudevents+json", EVENT("7")), 200);
	ck_assert_bytes_eq(answer.body, "7");
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

	serve(&function);
	ck_assert_int_eq(ask("POST", "text/plain", typed[_i].body), typed[_i].status);
	ck_assert_int_eq(atomic_load(&calls), typed[_i].calls);
	ck_assert_bytes_eq(
		answer_header(&answer, "X-Google-Status"), typed[_i].status == 500 ? "error" : "");
	if (typed[_i].answer)
		ck_assert_bytes_eq(answer.body, typed[_i].answer);
	else
		ck_assert_bytes_eq(
			answer_header(&answer, "Content-Type"), "application/problem+json");
}
END_TEST

/* None of the conversions is done for an HTTP function. */
START_TEST(http_function_gets_the_request_as_it_is)
{
	const struct fn_function function = {.http = answer_http};

	serve(&function);
	ck_assert_int_eq(ask("BREW", "application/cloudevents+json", EVENT("") "?"), 200);
	ck_assert_bytes_eq(answer.body, EVENT("") "?");
}
END_TEST

#define SERVED .setup = led_server_defaults, .teardown = stop

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = other_method_is_refused, .rows = COUNT(posted), SERVED},
		{.test = event_is_acknowledged_or_not, .rows = COUNT(events), SERVED},
		{.test = failure_without_a_reason_is_one, SERVED},
		{.test = event_function_may_answer_itself, SERVED},
		{.test = typed_function_is_answered, .rows = COUNT(typed), SERVED},
		{.test = http_function_gets_the_request_as_it_is, SERVED},
	};

	return suite_run("signature", cases, COUNT(cases));
}
