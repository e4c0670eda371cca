#include "fn/http_client.h"

#include "body_memory.h"
#include "curl_loader.h"
#include "fn/retry.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define IDLE_MOST 64                /* more handles than this are not kept */
#define RECEIVE_BUFFER (256 * 1024) /* larger ones were not measured to be faster */
#define SEND_BUFFER (256 * 1024)    /* newer versions of curl take it twice */
#define LARGE_BODY (64 * 1024)      /* curl's own buffer; from here on SEND_BUFFER is worth it */
#define FIRST_ROOM (16 * 1024)      /* for a body of unknown size */
#define DEFAULT_RESPONSE (1024 * 1024)
#define DEFAULT_TIMEOUT_MS 30000
#define CONNECT_TIMEOUT_MS 5000
#define OWN_LINES 3 /* Expect, Content-Type, traceparent */

/* An easy handle keeps its connections, so the one used last is taken first: it is the one whose
 * connections are most likely still open. */
struct fn_http_client {
	pthread_mutex_t lock;
	CURL *idle[IDLE_MOST];
	size_t idle_count;
};

/* One attempt. */
struct transfer {
	CURL *easy;
	struct fn_call *call;
	const struct fn_http_request *request;
	struct fn_bytes host; /* with the port where the URL has one */
	struct curl_slist *lines;
	size_t line_count;

	char *body;
	size_t size, room, most;
	const char *refusal;     /* why we stopped reading */
	uint64_t taken, given;   /* from the source, to the sink */
	struct fn_error failure; /* of either */
};

/* ---- The pool ------------------------------------------------------------------------------- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static struct curl_api curl;
static struct fn_error curl_failure; /* why there is none, where there is none */

/* Not done at open: a process should answer before it first calls others. Libraries that write to
 * a closed TLS connection raise SIGPIPE, which nobody wants. */
static void
curl_begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (curl_load(&curl, &curl_failure) && curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fn_fail(&curl_failure, FN_INTERNAL, "libcurl does not start");
}

static bool
pool_take(struct fn_http_client *client, CURL **taken, struct fn_error *err)
{
	CURL *easy = NULL;

	pthread_once(&curl_once, curl_begin);
	if (curl_failure.code != FN_OK) {
		*err = curl_failure;
		return false;
	}
	pthread_mutex_lock(&client->lock);
	if (client->idle_count > 0)
		easy = client->idle[--client->idle_count];
	pthread_mutex_unlock(&client->lock);
	if (!easy)
		easy = curl.easy_init();
	if (!easy)
		return fn_fail(err, FN_UPSTREAM, "http client: out of memory");
	*taken = easy;
	return true;
}

static void
pool_give_back(struct fn_http_client *client, CURL *easy)
{
	curl.easy_reset(easy); /* forgets the options, keeps the connections */
	pthread_mutex_lock(&client->lock);
	if (client->idle_count < IDLE_MOST) {
		client->idle[client->idle_count++] = easy;
		easy = NULL;
	}
	pthread_mutex_unlock(&client->lock);
	if (easy)
		curl.easy_cleanup(easy);
}

bool
fn_http_client_open(struct fn_http_client **client, struct fn_error *err)
{
	struct fn_http_client *made = calloc(1, sizeof(*made));

	if (!made)
		return fn_fail(err, FN_INTERNAL, "http client: out of memory");
	pthread_mutex_init(&made->lock, NULL);
	*client = made;
	return true;
}

void
fn_http_client_close(struct fn_http_client *client)
{
	if (!client)
		return;
	while (client->idle_count > 0)
		curl.easy_cleanup(client->idle[--client->idle_count]);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

/* ---- What is sent --------------------------------------------------------------------------- */

static struct fn_bytes
url_host(const char *url)
{
	const char *scheme_end = strstr(url, "://");
	struct fn_bytes host = fn_bytes(scheme_end ? scheme_end + 3 : url);

	host.size = strcspn(host.at, "/?#");
	const char *user_end = memrchr(host.at, '@', host.size);
	if (user_end) {
		host.size -= (size_t)(user_end + 1 - host.at);
		host.at = user_end + 1;
	}
	return host;
}

static void
add_line(struct transfer *transfer, char *line)
{
	struct curl_slist *added = &transfer->lines[transfer->line_count++];

	added->data = line;
	added->next = NULL;
	if (added != transfer->lines)
		added[-1].next = added;
}

static bool
breaks_line(struct fn_bytes text)
{
	return text.size > 0 &&
	       (memchr(text.at, '\r', text.size) || memchr(text.at, '\n', text.size) ||
		       memchr(text.at, '\0', text.size));
}

/* A value from outside must not become a header of its own. */
static bool
check_headers(const struct fn_http_request *request, struct fn_error *err)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (breaks_line(request->headers[i].name) || breaks_line(request->headers[i].value))
			return fn_fail(err, FN_INTERNAL, "%.*s: line break in a request header",
				FN_ARG(url_host(request->url)));
	return true;
}

/* W3C Trace Context: each attempt is a span of its own below that of the call. */
static void
add_traceparent(struct transfer *transfer)
{
	const struct fn_log_context *log = &transfer->call->log;
	unsigned long long span;

	if (log->trace_id[0] == '\0')
		return;
	do
		arc4random_buf(&span, sizeof(span));
	while (span == 0);
	add_line(transfer, fn_textf(transfer->call->arena, "traceparent: 00-%s-%016llx-%s",
				   log->trace_id, span, log->sampled ? "01" : "00"));
}

/* To curl "Name;" is a header without a value, and "Name:" one of its own to leave out. */
static void
add_headers(struct transfer *transfer)
{
	const struct fn_http_request *request = transfer->request;
	struct fn_arena *arena = transfer->call->arena;
	bool typed = false;

	transfer->lines = fn_arena_alloc(
		arena, (request->header_count + OWN_LINES) * sizeof(*transfer->lines));
	for (size_t i = 0; i < request->header_count; i++) {
		struct fn_bytes name = request->headers[i].name;
		struct fn_bytes value = request->headers[i].value;
		if (name.size == 0)
			continue;
		const char *colon = value.size > 0 ? ": " : ";";
		add_line(transfer,
			fn_textf(arena, "%.*s%s%.*s", FN_ARG(name), colon, FN_ARG(value)));
		typed = typed || fn_bytes_is_nocase(name, "Content-Type");
	}
	add_line(transfer, fn_textf(arena, "Expect:"));
	if (!typed)
		add_line(transfer, fn_textf(arena, "Content-Type:"));
	add_traceparent(transfer);
	curl.easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->lines);
}

static size_t
take_from_source(char *into, size_t one, size_t room, void *with)
{
	struct transfer *transfer = with;
	const struct fn_source *source = transfer->request->source;
	uint64_t left = source->size - transfer->taken;
	size_t size = left < room ? (size_t)left : room;

	(void)one; /* always 1 */
	if (size > 0 &&
		!source->read(source->with, transfer->taken, into, size, &transfer->failure))
		return CURL_READFUNC_ABORT;
	transfer->taken += size;
	return size;
}

/* For a request that curl sends anew. */
static int
seek_in_source(void *with, curl_off_t offset, int whence)
{
	struct transfer *transfer = with;

	if (whence != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	transfer->taken = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void
set_body(struct transfer *transfer)
{
	const struct fn_http_request *request = transfer->request;
	uint64_t size = request->source ? request->source->size : request->body.size;
	CURL *easy = transfer->easy;

	if (size > LARGE_BODY)
		curl.easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
	curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	if (!request->source) {
		curl.easy_setopt(easy, CURLOPT_POSTFIELDS, size > 0 ? request->body.at : "");
		return;
	}
	curl.easy_setopt(easy, CURLOPT_POST, 1L);
	curl.easy_setopt(easy, CURLOPT_READFUNCTION, take_from_source);
	curl.easy_setopt(easy, CURLOPT_READDATA, transfer);
	curl.easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_in_source);
	curl.easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
}

/* A POST without a body still says Content-Length: 0. */
static void
set_method(struct transfer *transfer)
{
	const struct fn_http_request *request = transfer->request;
	const char *method = request->method ? request->method : "GET";
	CURL *easy = transfer->easy;

	if (request->source || request->body.size > 0 || method[0] == 'P')
		set_body(transfer);
	if (strcmp(method, "HEAD") == 0)
		curl.easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* ---- What is received ----------------------------------------------------------------------- */

static bool
refuse(struct transfer *transfer, const char *why)
{
	transfer->refusal = why;
	return false;
}

/* As much as is announced, or else twice as much as before. Not in the arena, where each block that
 * became too small would stay. */
static bool
make_room(struct transfer *transfer, size_t need)
{
	size_t room = transfer->room > 0 ? 2 * transfer->room : FIRST_ROOM;
	curl_off_t announced = -1;

	curl.easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
	if (announced > 0)
		room = (size_t)announced;
	if (room < need)
		room = need;
	if (room > transfer->most && (announced > 0 || need > transfer->most))
		return refuse(transfer, "answer larger than allowed");
	if (room > transfer->most)
		room = transfer->most;

	char *body = body_resize(transfer->body, transfer->size, room + 1);
	if (!body)
		return refuse(transfer, "no memory for the answer");
	transfer->body = body;
	transfer->room = room;
	return true;
}

static bool
is_for_sink(const struct transfer *transfer)
{
	long status = 0;

	curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return transfer->request->sink && status / 100 == 2;
}

static size_t
give_to_sink(struct transfer *transfer, struct fn_bytes piece)
{
	const struct fn_sink *sink = transfer->request->sink;

	transfer->given += piece.size;
	if (!sink->write(sink->with, piece, &transfer->failure))
		return CURL_WRITEFUNC_ERROR;
	return piece.size;
}

static size_t
receive(char *piece, size_t one, size_t size, void *with)
{
	struct transfer *transfer = with;

	(void)one; /* always 1 */
	if (is_for_sink(transfer))
		return give_to_sink(transfer, (struct fn_bytes){piece, size});
	if (size > transfer->room - transfer->size && !make_room(transfer, transfer->size + size))
		return CURL_WRITEFUNC_ERROR;
	memcpy(transfer->body + transfer->size, piece, size);
	transfer->size += size;
	return size;
}

static void
copy_headers(struct transfer *transfer, struct fn_http_response *response)
{
	struct fn_arena *arena = transfer->call->arena;
	struct curl_header *header = NULL;
	size_t count = 0;

	while ((header = curl.easy_nextheader(transfer->easy, CURLH_HEADER, -1, header)))
		count++;
	struct fn_header *headers = fn_arena_alloc(arena, (count + 1) * sizeof(*headers));
	for (size_t i = 0; i < count; i++) {
		header = curl.easy_nextheader(transfer->easy, CURLH_HEADER, -1, header);
		headers[i].name = fn_bytes_copy(arena, fn_bytes(header->name));
		/* Of an empty value curl 7.88 leaves the line's end. */
		headers[i].value = fn_bytes_copy(
			arena, (struct fn_bytes){header->value, strcspn(header->value, "\r\n")});
	}
	response->headers = headers;
	response->header_count = count;
}

static void
answered(struct transfer *transfer, struct fn_http_response *response)
{
	long status = 0;

	curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (transfer->body)
		fn_arena_defer(transfer->call->arena, body_free, transfer->body);
	else
		transfer->body = fn_arena_alloc(transfer->call->arena, 1);
	transfer->body[transfer->size] = '\0';
	response->status = (int)status;
	response->body = transfer->body;
	response->size = transfer->size;
	copy_headers(transfer, response);
}

static bool
had_connection(const struct transfer *transfer)
{
	curl_off_t ready_us = 0;

	curl.easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
	return ready_us > 0;
}

/* curl_easy_strerror, unlike curl's error buffer, never quotes the URL. */
static void
failed(const struct transfer *transfer, CURLcode code, struct fn_error *err)
{
	long os_error = 0;

	if (transfer->failure.code != FN_OK) {
		*err = transfer->failure;
		return;
	}
	curl.easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_error);
	const char *step = had_connection(transfer) ? "" : "connect to ";
	enum fn_code kind = code == CURLE_OPERATION_TIMEDOUT ? FN_DEADLINE : FN_UPSTREAM;
	const char *what = curl.easy_strerror(code);
	if (transfer->refusal)
		what = transfer->refusal;
	else if (kind == FN_DEADLINE)
		what = "no answer in time";
	else if (code == CURLE_COULDNT_CONNECT && os_error > 0)
		what = strerror((int)os_error);
	fn_fail(err, kind, "%s%.*s: %s", step, FN_ARG(transfer->host), what);
}

/* ---- Sending -------------------------------------------------------------------------------- */

/* HTTP/1.1: a handle carries one request at a time, so HTTP/2 would only add work. */
static void
set_options(struct transfer *transfer, long timeout_ms)
{
	const struct fn_http_request *request = transfer->request;
	CURL *easy = transfer->easy;

	curl.easy_setopt(easy, CURLOPT_URL, request->url);
	curl.easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl.easy_setopt(easy, CURLOPT_USERAGENT, "functions-framework-c");
	curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl.easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
	curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	curl.easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	if (request->direct)
		curl.easy_setopt(easy, CURLOPT_PROXY, "");
	if (request->sent) /* on a connection that was used before curl may send it twice */
		curl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	set_method(transfer);
}

/* `is_last`: what happened forbids another one. */
static bool
attempt(struct fn_http_client *client, struct fn_call *call, const struct fn_http_request *request,
	struct fn_http_response *response, bool *is_last, struct fn_error *err)
{
	struct transfer transfer = {
		.call = call,
		.request = request,
		.host = url_host(request->url),
		.most = request->max_response > 0 ? request->max_response : DEFAULT_RESPONSE,
	};
	int64_t timeout_ms = fn_time_left_ms(
		call, request->timeout_ms > 0 ? request->timeout_ms : DEFAULT_TIMEOUT_MS);

	if (timeout_ms == 0)
		return fn_fail(
			err, FN_DEADLINE, "%.*s: no time left to ask", FN_ARG(transfer.host));
	TRY(pool_take(client, &transfer.easy, err));

	set_options(&transfer, (long)timeout_ms);
	add_headers(&transfer);
	CURLcode code = curl.easy_perform(transfer.easy);
	if (code == CURLE_OK) {
		answered(&transfer, response);
	} else {
		failed(&transfer, code, err);
		body_free(transfer.body);
	}
	*is_last = request->sent || transfer.given > 0 || transfer.failure.code != FN_OK;
	if (request->sent)
		*request->sent = had_connection(&transfer);
	pool_give_back(client, transfer.easy);
	return code == CURLE_OK;
}

static bool
worth_repeating(bool is_answered, const struct fn_http_response *response)
{
	static const int statuses[] = {408, 429, 500, 502, 503, 504};

	for (size_t i = 0; is_answered && i < COUNT(statuses); i++)
		if (response->status == statuses[i])
			return true;
	return !is_answered; /* the transport failed */
}

bool
fn_http_send(struct fn_http_client *client, struct fn_call *call,
	const struct fn_http_request *request, struct fn_http_response *response,
	struct fn_error *err)
{
	struct fn_retry retry = {.attempts = request->attempts, .first_ms = 200, .most_ms = 10000};
	struct fn_http_response last;
	bool ok, is_last = false;
	int64_t ask_ms;

	if (request->sent)
		*request->sent = false;
	TRY(check_headers(request, err));
	do {
		last = (struct fn_http_response){0};
		ok = attempt(client, call, request, &last, &is_last, err);
		ask_ms = fn_retry_after_ms(fn_http_header(&last, "Retry-After"));
	} while (!is_last && worth_repeating(ok, &last) && fn_retry_wait(&retry, call, ask_ms));
	if (ok)
		*response = last;
	return ok;
}

struct fn_bytes
fn_http_header(const struct fn_http_response *response, const char *name)
{
	for (size_t i = 0; i < response->header_count; i++)
		if (fn_bytes_is_nocase(response->headers[i].name, name))
			return response->headers[i].value;
	return (struct fn_bytes){0};
}
