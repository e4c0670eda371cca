#include "exchange.h"

#include "fn/clock.h"
#include "http_status.h"
#include "trace.h"

#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SMALL_BODY 1024 /* copied behind its head, which is less work than a second piece */

struct fn_exchange *
exchange_new(struct connection *connection)
{
	struct fn_arena *arena = fn_arena_new();
	struct fn_exchange *exchange = fn_arena_zero(arena, sizeof(*exchange));

	exchange->arena = arena;
	exchange->connection = connection;
	exchange->call.arena = arena;
	exchange->call.exchange = exchange;
	return exchange;
}

void
exchange_drop(struct fn_exchange *exchange)
{
	if (exchange)
		fn_arena_drop(exchange->arena);
}

static void
call_begin(struct fn_exchange *exchange)
{
	const struct http_head *head = &exchange->head;
	struct fn_call *call = &exchange->call;

	exchange->close = !head->keep_alive;
	call->method = head->method;
	call->path = head->path;
	call->query = head->query;
	call->headers = head->headers;
	call->header_count = head->header_count;
}

bool
exchange_read_head(struct fn_exchange *exchange, struct fn_bytes text, size_t body_limit,
	struct http_refusal *refusal)
{
	struct http_head *head = &exchange->head;

	text = fn_bytes_copy(exchange->arena, text);
	TRY(http_head_read(head, text, exchange->arena, refusal));
	call_begin(exchange);
	return http_body_begin(&exchange->body, head, exchange->arena, body_limit, refusal);
}

struct fn_exchange *
exchange_stand_in(const struct fn_exchange *held)
{
	struct fn_exchange *exchange = exchange_new(held->connection);

	exchange->head = held->head;
	call_begin(exchange);
	exchange->close = true;
	trace_read(&exchange->call);
	return exchange;
}

/* ---- Problems ---------------------------------------------------------------------------- */

/* How headers begin that say something about a problem as well. */
static const char *const about_problems[] = {
	"Access-Control-",
	"Allow",
	"Content-Security-Policy",
	"Cross-Origin-",
	"RateLimit",
	"Strict-Transport-Security",
	"Vary",
	"WWW-Authenticate",
	"X-Content-Type-Options",
};

static bool
is_about_problems(struct fn_bytes name)
{
	for (size_t i = 0; i < COUNT(about_problems); i++) {
		if (fn_bytes_starts_nocase(name, about_problems[i]))
			return true;
	}
	return false;
}

/* All others that the handler had set were for its own answer. */
static void
keep_headers_of_refusal(struct fn_answer *answer)
{
	size_t kept = 0, most = COUNT(answer->headers) - 4; /* the problem's own come behind */

	for (size_t i = 0; i < answer->header_count && kept < most; i++) {
		if (is_about_problems(answer->headers[i].name))
			answer->headers[kept++] = answer->headers[i];
	}
	answer->header_count = kept;
}

static void
reply_problem(struct fn_call *call, int status, const char *detail, unsigned retry_after_s)
{
	struct fn_builder json = {.arena = call->arena};
	struct fn_answer *answer = &call->answer;

	fn_addf(&json, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"",
		http_reason(status), status);
	fn_add_json(&json, fn_bytes(detail));
	fn_add(&json, FN_BYTES("\"}"));
	answer->status = status;
	answer->body = fn_built(&json);
	keep_headers_of_refusal(answer);
	answer->headers[answer->header_count++] =
		(struct fn_header){FN_BYTES("Content-Type"), FN_BYTES("application/problem+json")};
	answer->headers[answer->header_count++] =
		(struct fn_header){FN_BYTES("Cache-Control"), FN_BYTES("no-store")};
	if (retry_after_s > 0)
		answer->headers[answer->header_count++] =
			(struct fn_header){FN_BYTES("Retry-After"),
				fn_bytes(fn_textf(call->arena, "%u", retry_after_s))};
	if (status == 500)
		answer->headers[answer->header_count++] =
			(struct fn_header){FN_BYTES("X-Google-Status"), FN_BYTES("error")};
}

/* What a client may know of a failure that is not its own. */
static const char *
public_sentence(const struct fn_error *err)
{
	switch (err->code) {
	case FN_INTERNAL:
		return "Something went wrong on our side.";
	case FN_UPSTREAM:
		return "A service that this needs has failed. Please try again.";
	case FN_BUSY:
		return "Too busy right now. Please try again in a moment.";
	case FN_DEADLINE:
		return "This took too long and was given up. Please try again.";
	default:
		return err->message;
	}
}

void
exchange_run(struct fn_exchange *exchange, fn_handler *handler, const void *with)
{
	struct fn_call *call = &exchange->call;
	struct fn_error err = {0};
	int status;

	call->body = (struct fn_bytes){exchange->body.at, exchange->body.size};
	if (!handler(call, with, &err)) {
		if (err.code == FN_OK)
			fn_fail(&err, FN_INTERNAL, "the handler failed and did not say why");
		status = fn_code_status(err.code);
		fn_log(call, status >= 500 ? FN_ERROR : FN_INFO, "%d %.*s %.*s: %s", status,
			FN_ARG(call->method), FN_ARG(call->path), err.message);
		exchange->broken = true;
		reply_problem(call, status, public_sentence(&err), err.retry_after_s);
	} else if (call->answer.status == 0) {
		call->answer.status = call->answer.body.size > 0 ? 200 : 204;
	}
}

void
exchange_refuse(
	struct fn_exchange *exchange, int status, const char *reason, unsigned retry_after_s)
{
	reply_problem(&exchange->call, status, reason, retry_after_s);
}

/* ---- The answer on the wire -------------------------------------------------------------- */

/* The Date of this second (RFC 9110, 6.6.1), made once a second by each thread. */
static struct fn_bytes
date_now(void)
{
	static _Thread_local char text[] = "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
	static _Thread_local time_t made_at;
	time_t now = time(NULL);

	if (now != made_at) {
		fn_http_date(now, text + sizeof("Date: ") - 1);
		text[sizeof(text) - 3] = '\r'; /* over the end of the date alone */
		made_at = now;
	}
	return fn_bytes(text);
}

static void
add_number(struct fn_builder *head, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	fn_add(head, (struct fn_bytes){digits + at, sizeof(digits) - at});
}

static void
add_header(struct fn_builder *head, struct fn_bytes name, struct fn_bytes value)
{
	fn_add(head, name);
	fn_add(head, FN_BYTES(": "));
	fn_add(head, value);
	fn_add(head, FN_BYTES("\r\n"));
}

void
exchange_compose(struct fn_exchange *exchange)
{
	const struct fn_answer *answer = &exchange->call.answer;
	struct fn_builder head = {.arena = exchange->arena};
	bool bodiless = answer->status == 204 || answer->status == 304;
	struct fn_bytes body = bodiless ? (struct fn_bytes){0} : answer->body;

	fn_add(&head, FN_BYTES("HTTP/1.1 "));
	add_number(&head, (uint64_t)answer->status);
	fn_add(&head, FN_BYTES(" "));
	fn_add(&head, fn_bytes(http_reason(answer->status)));
	fn_add(&head, FN_BYTES("\r\n"));
	fn_add(&head, date_now());
	if (body.size > 0 && !fn_reply_has(&exchange->call, "Content-Type"))
		fn_add(&head, FN_BYTES("Content-Type: application/json\r\n"));
	for (size_t i = 0; i < answer->header_count; i++)
		add_header(&head, answer->headers[i].name, answer->headers[i].value);
	if (exchange->streaming && !exchange->head.http_1_0 && !bodiless) {
		fn_add(&head, FN_BYTES("Transfer-Encoding: chunked\r\n"));
	} else if (!exchange->streaming && !bodiless) {
		fn_add(&head, FN_BYTES("Content-Length: "));
		add_number(&head, body.size);
		fn_add(&head, FN_BYTES("\r\n"));
	}
	if (exchange->close)
		fn_add(&head, FN_BYTES("Connection: close\r\n"));
	else if (exchange->head.http_1_0)
		fn_add(&head, FN_BYTES("Connection: keep-alive\r\n"));
	fn_add(&head, FN_BYTES("\r\n"));

	if (fn_bytes_is(exchange->call.method, "HEAD"))
		body.size = 0;
	if (body.size <= SMALL_BODY) {
		fn_add(&head, body);
		body.size = 0;
	}
	exchange->out[0] = (struct iovec){head.at, head.size};
	exchange->out[1] = (struct iovec){(void *)(uintptr_t)body.at, body.size};
}
