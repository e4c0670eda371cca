#include "adapters/wire/sigv4.h"

#include "adapters/wire/sha256.h"

#include <assert.h>
#include <openssl/hmac.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct sha256
hmac(struct fn_bytes key, struct fn_bytes text)
{
	struct sha256 digest;
	const unsigned char *done = HMAC(sha256_method(), key.at, (int)key.size,
		(const unsigned char *)text.at, text.size, digest.at, NULL);

	assert(done);
	return digest;
}

void
sigv4_time(int64_t unix_ms, char text[SIGV4_TIME_SIZE])
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(text, SIGV4_TIME_SIZE, "%Y%m%dT%H%M%SZ", &utc);
}

void
sigv4_hash(struct fn_bytes payload, char hex[SIGV4_HASH_SIZE])
{
	struct sha256 digest = sha256_of(payload);

	sha256_hex(&digest, hex);
}

/* "host;x-amz-date" */
static struct fn_bytes
signed_headers(const struct sigv4_request *request, struct fn_arena *arena)
{
	struct fn_builder names = {.arena = arena};

	for (size_t i = 0; i < request->header_count; i++)
		fn_addf(&names, "%s%.*s", i > 0 ? ";" : "", FN_ARG(request->headers[i].name));
	return fn_built(&names);
}

static struct fn_bytes
canonical_request(
	const struct sigv4_request *request, struct fn_bytes signed_names, struct fn_arena *arena)
{
	struct fn_builder text = {.arena = arena};

	fn_addf(&text, "%s\n%s\n%s\n", request->method, request->path, request->query);
	for (size_t i = 0; i < request->header_count; i++)
		fn_addf(&text, "%.*s:%.*s\n", FN_ARG(request->headers[i].name),
			FN_ARG(request->headers[i].value));
	fn_addf(&text, "\n%.*s\n%s", FN_ARG(signed_names), request->payload_hash);
	return fn_built(&text);
}

/* Each step's result is the key of the next; what the last one signs is the request. */
static struct sha256
signature(const struct sigv4_credentials *with, struct fn_bytes day, const char *text,
	struct fn_arena *arena)
{
	const struct fn_bytes steps[] = {
		day,
		fn_bytes(with->region),
		FN_BYTES("s3"),
		FN_BYTES("aws4_request"),
		fn_bytes(text),
	};
	struct fn_bytes key = fn_bytes(fn_textf(arena, "AWS4%s", with->secret_access_key));
	struct sha256 digest;

	for (size_t i = 0; i < COUNT(steps); i++) {
		digest = hmac(key, steps[i]);
		key = (struct fn_bytes){(const char *)digest.at, sizeof(digest.at)};
	}
	return digest;
}

struct fn_bytes
sigv4_authorization(const struct sigv4_credentials *with, const struct sigv4_request *request,
	struct fn_arena *arena)
{
	struct fn_bytes day = {request->time, 8};
	struct fn_bytes names = signed_headers(request, arena);
	char *scope = fn_textf(arena, "%.*s/%s/s3/aws4_request", FN_ARG(day), with->region);
	char hex[SIGV4_HASH_SIZE];

	sigv4_hash(canonical_request(request, names, arena), hex);
	char *text = fn_textf(arena, "AWS4-HMAC-SHA256\n%s\n%s\n%s", request->time, scope, hex);
	struct sha256 digest = signature(with, day, text, arena);
	sha256_hex(&digest, hex);
	return fn_bytes(fn_textf(arena,
		"AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%.*s, Signature=%s",
		with->access_key_id, scope, FN_ARG(names), hex));
}
