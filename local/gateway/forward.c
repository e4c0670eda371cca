#include "local/gateway/forward.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define MOST_ANSWER (32 * 1024 * 1024) /* Cloud Run's limit */

/* The local cloud serves nobody but this machine. */
#define CLIENT_ADDRESS "127.0.0.1"

/* ---- Headers --------------------------------------------------------------------------------- */

/* About one connection only, or said anew by whoever sends the message on. */
static const char *const left_behind[] = {
	"Connection",
	"Content-Length",
	"Date",
	"Expect",
	"Keep-Alive",
	"Proxy-Authenticate",
	"Proxy-Authorization",
	"Proxy-Connection",
	"TE",
	"Trailer",
	"Transfer-Encoding",
	"Upgrade",
	"X-Forwarded-For",
	"X-Forwarded-Host",
	"X-Forwarded-Proto",
	"traceparent",
};

/* `connection` is the message's Connection header: names of more headers that stay behind. */
static bool
is_passed_on(struct fn_bytes name, struct fn_bytes connection)
{
	for (size_t i = 0; i < COUNT(left_behind); i++) {
		if (fn_bytes_is_nocase(name, left_behind[i]))
			return false;
	}
	while (connection.size > 0) {
		struct fn_bytes option = fn_bytes_trim(fn_bytes_cut(&connection, ','));

		if (option.size == name.size && !strncasecmp(option.at, name.at, name.size))
			return false;
	}
	return true;
}

/* Proxies before us stay in the list, as the last but one. */
static struct fn_bytes
forwarded_for(const struct fn_call *call)
{
	struct fn_bytes before = fn_header(call, "X-Forwarded-For");

	return fn_bytes(fn_textf(
		call->arena, "%.*s%s" CLIENT_ADDRESS, FN_ARG(before), before.size > 0 ? ", " : ""));
}

static void
request_headers(struct fn_call *call, struct fn_http_request *request)
{
	const struct fn_header about_client[] = {
		{FN_BYTES("X-Forwarded-For"), forwarded_for(call)},
		{FN_BYTES("X-Forwarded-Host"), fn_header(call, "Host")},
		{FN_BYTES("X-Forwarded-Proto"), FN_BYTES("http")},
	};
	struct fn_bytes connection = fn_header(call, "Connection");
	struct fn_header *headers = fn_arena_alloc(
		call->arena, (call->header_count + COUNT(about_client)) * sizeof(*headers));
	size_t count = 0;

	for (size_t i = 0; i < call->header_count; i++) {
		if (is_passed_on(call->headers[i].name, connection))
			headers[count++] = call->headers[i];
	}
	for (size_t i = 0; i < COUNT(about_client); i++)
		headers[count++] = about_client[i];
	request->headers = headers;
	request->header_count = count;
}

static bool
reply(struct fn_call *call, const struct fn_http_response *response, struct fn_error *err)
{
	struct fn_bytes connection = fn_http_header(response, "Connection");

	for (size_t i = 0; i < response->header_count; i++) {
		const struct fn_header *header = &response->headers[i];

		if (is_passed_on(header->name, connection))
			TRY(fn_reply_header(call, header->name.at, header->value, err));
	}
	return fn_reply(
		call, response->status, (struct fn_bytes){response->body, response->size}, err);
}

/* ---- The trace ------------------------------------------------------------------------------- */

/* A request that belongs to no trace begins one here; the client sends it on as traceparent. */
static void
trace_begin(struct fn_log_context *log)
{
	uint64_t id[2];

	if (log->trace_id[0] != '\0')
		return;
	arc4random_buf(id, sizeof(id));
	snprintf(log->trace_id, sizeof(log->trace_id), "%016" PRIx64 "%016" PRIx64, id[0], id[1]);
}

/* ---- The call -------------------------------------------------------------------------------- */

static bool
ask(struct fn_call *call, const struct service *service, struct fn_http_client *client,
	struct fn_http_response *response, struct fn_error *err)
{
	struct fn_http_request request = {
		.method = fn_text(call->arena, call->method),
		.url = fn_textf(call->arena, "%s%.*s%s%.*s", service->url, FN_ARG(call->path),
			call->query.size > 0 ? "?" : "", FN_ARG(call->query)),
		.body = call->body,
		.max_response = MOST_ANSWER,
		.timeout_ms = service->timeout_ms,
		.direct = true,
	};

	trace_begin(&call->log);
	request_headers(call, &request);
	return fn_http_send(client, call, &request, response, err);
}

bool
forward(struct fn_call *call, struct service *service, struct fn_http_client *client,
	struct fn_error *err)
{
	struct fn_http_response response;
	bool ok;

	if (!gate_enter(&service->gate, err))
		return fn_wrap(err, "%s", service->name);
	ok = ask(call, service, client, &response, err);
	gate_leave(&service->gate);
	if (!ok)
		return fn_wrap(err, "%s", service->name);
	return reply(call, &response, err);
}
