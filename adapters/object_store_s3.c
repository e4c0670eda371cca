/* Objects in a bucket of Cloudflare R2, S3 or a look-alike, addressed by path.
 *
 * Each request is signed (SigV4). Over TLS the body is not hashed; without TLS, which only loopback
 * hosts are allowed, the signature covers it, but for a stream, which would have to be read twice.
 * Everything asked for here can be asked twice, so it is tried again when the service is busy or
 * broken.
 * Source: docs.aws.amazon.com/AmazonS3/latest/API; developers.cloudflare.com/r2/api/s3/api. */
#include "adapters/object_store_backend.h"
#include "adapters/wire/sigv4.h"
#include "adapters/wire/url.h"
#include "fn/clock.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ATTEMPTS 3
#define TIMEOUT_MS 30000
#define BYTES_PER_MS 1024 /* the time for a stream grows as if it were not sent faster */
#define HEADERS_MOST 7
#define ERROR_MOST 65536 /* bytes of an error document */
#define ERROR_CODE_MOST 64

#define BUCKET_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789.-"
#define WORD_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

struct s3_store {
	struct object_store base;
	struct fn_http_client *http;
	struct sigv4_credentials credentials;
	struct fn_bytes origin; /* "https://host:port" */
	struct fn_bytes host;   /* "host:port" */
	struct fn_bytes bucket;
	bool has_tls;
};

struct operation {
	const char *method;
	struct fn_bytes key;
	struct object object;           /* of a put */
	const struct fn_source *source; /* of a put, in place of the object's bytes; NULL: none */
	const char *range;              /* of a get */
	size_t most;                    /* bytes that a get takes */
};

/* ---- Asking ---------------------------------------------------------------------------------- */

static const char *
payload_hash(const struct s3_store *store, struct fn_arena *arena, const struct operation *op)
{
	if (store->has_tls || op->source)
		return SIGV4_UNSIGNED_PAYLOAD;
	char *hex = fn_arena_alloc(arena, SIGV4_HASH_SIZE);
	sigv4_hash(op->object.bytes, hex);
	return hex;
}

static unsigned
timeout_ms(const struct fn_source *source)
{
	return TIMEOUT_MS + (unsigned)(source ? source->size / BYTES_PER_MS : 0);
}

/* Writes the headers that op needs, in the order in which they are signed, and at the end the
 * signature. Returns how many there are. */
static size_t
headers_write(const struct s3_store *store, struct fn_arena *arena, const struct operation *op,
	const char *path, struct fn_header headers[HEADERS_MOST])
{
	const char *hash = payload_hash(store, arena, op);
	char *time = fn_arena_alloc(arena, SIGV4_TIME_SIZE);

	sigv4_time(fn_unix_ms(), time);
	const struct fn_header possible[HEADERS_MOST - 1] = {
		{FN_BYTES("cache-control"), fn_bytes(op->object.cache_control)},
		{FN_BYTES("content-type"), fn_bytes(op->object.content_type)},
		{FN_BYTES("host"), store->host},
		{FN_BYTES("range"), fn_bytes(op->range)},
		{FN_BYTES("x-amz-content-sha256"), fn_bytes(hash)},
		{FN_BYTES("x-amz-date"), fn_bytes(time)},
	};
	struct sigv4_request request = {
		.method = op->method,
		.path = path,
		.query = "",
		.headers = headers,
		.time = time,
		.payload_hash = hash,
	};
	for (size_t i = 0; i < COUNT(possible); i++)
		if (possible[i].value.size > 0)
			headers[request.header_count++] = possible[i];
	headers[request.header_count] = (struct fn_header){
		FN_BYTES("authorization"),
		sigv4_authorization(&store->credentials, &request, arena),
	};
	return request.header_count + 1;
}

/* A key is made of characters that stand for themselves in a path. */
static bool
s3_send(const struct s3_store *store, struct fn_call *call, const struct operation *op,
	struct fn_http_response *response, struct fn_error *err)
{
	char *path = fn_textf(call->arena, "/%.*s/%.*s", FN_ARG(store->bucket), FN_ARG(op->key));
	struct fn_header headers[HEADERS_MOST];
	const struct fn_http_request request = {
		.method = op->method,
		.url = fn_textf(call->arena, "%.*s%s", FN_ARG(store->origin), path),
		.headers = headers,
		.header_count = headers_write(store, call->arena, op, path, headers),
		.body = op->object.bytes,
		.source = op->source,
		.timeout_ms = timeout_ms(op->source),
		.max_response = op->most + ERROR_MOST,
		.attempts = ATTEMPTS,
		.direct = !store->has_tls,
	};

	return fn_http_send(store->http, call, &request, response, err) || fn_wrap(err, "s3");
}

/* ---- Answers --------------------------------------------------------------------------------- */

/* "NoSuchKey" of <Error><Code>NoSuchKey</Code>...; empty where no such word is found, for what
 * stands between us and the bucket may answer anything. */
static struct fn_bytes
error_code(const struct fn_http_response *response)
{
	static const char tag[] = "<Code>";
	const char *found = strstr(response->body, tag);

	if (!found)
		return (struct fn_bytes){0};
	const char *word = found + strlen(tag);
	size_t size = strspn(word, WORD_CHARACTERS);
	bool is_word = size <= ERROR_CODE_MOST && word[size] == '<';
	return (struct fn_bytes){word, is_word ? size : 0};
}

static bool
is_success(const struct fn_http_response *response)
{
	return response->status / 100 == 2;
}

/* A bucket that is missing answers 404 as well, and is a failure. */
static bool
is_absence(const struct fn_http_response *response)
{
	return response->status == 404 && fn_bytes_is(error_code(response), "NoSuchKey");
}

/* Whatever the reason, the end user has no part in it: always FN_UPSTREAM. */
static bool
s3_refused(const struct fn_http_response *response, struct fn_error *err)
{
	struct fn_bytes code = error_code(response);

	return fn_fail(err, FN_UPSTREAM, "s3: %d%s%.*s", response->status, code.size > 0 ? " " : "",
		FN_ARG(code));
}

/* ---- The backend ----------------------------------------------------------------------------- */

static bool
s3_put(struct object_store *base, struct fn_call *call, struct fn_bytes key,
	const struct object *object, struct fn_error *err)
{
	const struct operation op = {.method = "PUT", .key = key, .object = *object};
	struct fn_http_response response;

	TRY(s3_send((struct s3_store *)base, call, &op, &response, err));
	return is_success(&response) || s3_refused(&response, err);
}

static bool
s3_put_stream(struct object_store *base, struct fn_call *call, struct fn_bytes key,
	const struct object_stream *object, struct fn_error *err)
{
	const struct operation op = {
		.method = "PUT",
		.key = key,
		.object = {{0}, object->content_type, object->cache_control},
		.source = object->source,
	};
	struct fn_http_response response;

	TRY(s3_send((struct s3_store *)base, call, &op, &response, err));
	return is_success(&response) || s3_refused(&response, err);
}

/* Asks for one byte more than is wanted, which tells an object that is too large without
 * reading all of it. No first byte to give (416): the object is empty. */
static bool
s3_get(struct object_store *base, struct fn_call *call, struct fn_bytes key, size_t most,
	struct fn_bytes *bytes, struct fn_error *err)
{
	const struct operation op = {
		.method = "GET",
		.key = key,
		.range = fn_textf(call->arena, "bytes=0-%zu", most),
		.most = most,
	};
	struct fn_http_response response;

	TRY(s3_send((struct s3_store *)base, call, &op, &response, err));
	if (is_absence(&response))
		return fn_fail(err, FN_NOT_FOUND, "s3: no such object");
	if (response.status == 416)
		response.size = 0;
	else if (!is_success(&response))
		return s3_refused(&response, err);
	if (response.size > most)
		return fn_fail(err, FN_TOO_LARGE, "s3: the object has more than %zu bytes", most);
	*bytes = (struct fn_bytes){response.body, response.size};
	return true;
}

static bool
s3_remove(
	struct object_store *base, struct fn_call *call, struct fn_bytes key, struct fn_error *err)
{
	const struct operation op = {.method = "DELETE", .key = key};
	struct fn_http_response response;

	TRY(s3_send((struct s3_store *)base, call, &op, &response, err));
	return is_success(&response) || is_absence(&response) || s3_refused(&response, err);
}

static void
s3_close(struct object_store *base)
{
	free(base);
}

/* ---- Settings -------------------------------------------------------------------------------- */

/* The message does not show the URL: somebody may have written a password into it. */
static bool
endpoint_read(struct s3_store *store, const char *text, struct fn_error *err)
{
	struct url url;

	if (!url_read(&url, fn_bytes(text)))
		return fn_fail(err, FN_INVALID,
			"OBJECTS_URL must be s3:https://HOST/BUCKET or "
			"s3:https://HOST:PORT/BUCKET");
	if (!fn_bytes_consists_of(url.path, BUCKET_CHARACTERS))
		return fn_fail(err, FN_INVALID, "OBJECTS_URL: the bucket must be of [a-z0-9.-]");
	if (!url.is_safe)
		return fn_fail(err, FN_INVALID,
			"OBJECTS_URL: s3:http:// is for loopback hosts; use s3:https://");
	store->origin = url.origin;
	store->host = url.authority;
	store->bucket = url.path;
	store->has_tls = url.has_tls;
	return true;
}

static bool
credentials_read(struct sigv4_credentials *credentials, const struct object_store_config *config,
	struct fn_error *err)
{
	if (fn_bytes(config->access_key_id).size == 0)
		return fn_fail(
			err, FN_INVALID, "S3_ACCESS_KEY_ID is not set, and OBJECTS_URL is s3:");
	if (fn_bytes(config->secret_access_key).size == 0)
		return fn_fail(
			err, FN_INVALID, "S3_SECRET_ACCESS_KEY is not set, and OBJECTS_URL is s3:");
	*credentials = (struct sigv4_credentials){
		.access_key_id = config->access_key_id,
		.secret_access_key = config->secret_access_key,
		.region = config->region,
	};
	return true;
}

static bool
s3_open(struct object_store **base, const char *where, const struct object_store_config *config,
	struct fn_http_client *http, struct fn_error *err)
{
	struct s3_store read = {.http = http};

	TRY(endpoint_read(&read, where, err));
	TRY(credentials_read(&read.credentials, config, err));
	struct s3_store *store = malloc(sizeof(*store));
	if (!store)
		return fn_fail(err, FN_INTERNAL, "object store: out of memory");
	*store = read;
	*base = &store->base;
	return true;
}

const struct object_store_backend object_store_s3 = {
	.scheme = "s3:",
	.open = s3_open,
	.close = s3_close,
	.put = s3_put,
	.put_stream = s3_put_stream,
	.get = s3_get,
	.remove = s3_remove,
};
