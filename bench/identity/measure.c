/* measure: what it costs to know who sent a request, beside OpenSSL's verification alone.
 *
 * Each round measures all of it one after the other, so that whatever else the machine does meets
 * all alike; what is printed are medians of the rounds. Exits 1 when a bar is missed. */
#include "domain/user.h"
#include "fn/base64.h"
#include "fn/clock.h"

#include <arpa/inet.h>
#include <err.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 41
#define TOKENS 100 /* that are new in each round */
#define HITS 2000  /* of one that is known */
#define ROUND_MS (10 * 60 * 1000)
#define CACHED_MOST_US 5.0
#define UNCACHED_MOST 1.2 /* times OpenSSL's verification */
#define ISSUER "https://securetoken.example/phoenix-bench"

struct algorithm {
	const char *name; /* "RS256" */
	EVP_PKEY *key;
	char *tokens[TOKENS];             /* "Bearer ..." */
	unsigned char signature[512];     /* of the first token, as OpenSSL made it */
	size_t signature_size, text_size; /* what it signs begins after "Bearer " */
	double bare_us[ROUNDS], uncached_us[ROUNDS], cached_us[ROUNDS], ratio[ROUNDS];
};

static struct fn_arena *arena; /* as long as the program */

#define MUST(step)                                                                                 \
	do {                                                                                       \
		if (!(step))                                                                       \
			errx(1, "%s", #step);                                                      \
	} while (0)

/* ---- Keys and tokens ------------------------------------------------------------------------- */

static const char *
encode(const void *bytes, size_t size)
{
	return fn_base64url_encode((struct fn_bytes){bytes, size}, arena).at;
}

static const char *
number(const EVP_PKEY *key, const char *name)
{
	unsigned char bytes[512];
	BIGNUM *value = NULL;

	MUST(EVP_PKEY_get_bn_param(key, name, &value));
	int size = EVP_PKEY_is_a(key, "EC") ? 32 : BN_num_bytes(value);
	MUST(BN_bn2binpad(value, bytes, size) == size);
	BN_free(value);
	return encode(bytes, (size_t)size);
}

static const char *
jwk(const struct algorithm *of)
{
	if (EVP_PKEY_is_a(of->key, "EC"))
		return fn_textf(arena,
			"{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"%s\","
			"\"y\":\"%s\"}",
			of->name, number(of->key, OSSL_PKEY_PARAM_EC_PUB_X),
			number(of->key, OSSL_PKEY_PARAM_EC_PUB_Y));
	return fn_textf(arena, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"}",
		of->name, number(of->key, OSSL_PKEY_PARAM_RSA_N),
		number(of->key, OSSL_PKEY_PARAM_RSA_E));
}

static const char *
encode_signature(const struct algorithm *of)
{
	const unsigned char *at = of->signature;
	unsigned char raw[64];

	if (!EVP_PKEY_is_a(of->key, "EC"))
		return encode(of->signature, of->signature_size);
	ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &at, (long)of->signature_size);
	MUST(both && BN_bn2binpad(ECDSA_SIG_get0_r(both), raw, 32) > 0 &&
		BN_bn2binpad(ECDSA_SIG_get0_s(both), raw + 32, 32) > 0);
	ECDSA_SIG_free(both);
	return encode(raw, sizeof(raw));
}

/* As Firebase Auth makes them. */
static char *
make_token(struct algorithm *of, int n)
{
	const char *header = fn_textf(
		arena, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}", of->name, of->name);
	const char *claims = fn_textf(arena,
		"{\"name\":\"Ada Lovelace\",\"picture\":\"https://images.example/a/"
		"ACg8ocK5x2mW9yqf3bq8-s96-c\",\"iss\":\"" ISSUER "\",\"aud\":\"phoenix-bench\","
		"\"auth_time\":1700000000,\"user_id\":\"pV1FZ4nQy2Xo9Tg0aRk7WmJ3sB%02d\","
		"\"sub\":\"pV1FZ4nQy2Xo9Tg0aRk7WmJ3sB%02d\",\"iat\":1700000000,"
		"\"exp\":4102444800,\"email\":\"ada@mail.example\",\"email_verified\":true,"
		"\"firebase\":{\"identities\":{\"google.com\":[\"112233445566778899001\"],"
		"\"email\":[\"ada@mail.example\"]},\"sign_in_provider\":\"google.com\"}}",
		n, n);
	const char *text = fn_textf(
		arena, "%s.%s", encode(header, strlen(header)), encode(claims, strlen(claims)));
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	of->text_size = strlen(text);
	of->signature_size = sizeof(of->signature);
	MUST(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, of->key) == 1 &&
		EVP_DigestSign(context, of->signature, &of->signature_size,
			(const unsigned char *)text, of->text_size) == 1);
	EVP_MD_CTX_free(context);
	return fn_textf(arena, "Bearer %s.%s", text, encode_signature(of));
}

/* The first one last: its signature is what OpenSSL verifies alone. */
static void
prepare(struct algorithm *of, const char *name, EVP_PKEY *key)
{
	MUST(key);
	of->name = name;
	of->key = key;
	for (int i = TOKENS - 1; i >= 0; i--)
		of->tokens[i] = make_token(of, i);
}

/* ---- The issuer's keys ----------------------------------------------------------------------- */

struct keys_server {
	int fd;
	const char *answer;
};

static void *
serve(void *with)
{
	const struct keys_server *server = with;
	char request[4096];

	for (;;) {
		int fd = accept(server->fd, NULL, NULL);

		if (fd < 0)
			return NULL;
		if (read(fd, request, sizeof(request)) > 0 &&
			write(fd, server->answer, strlen(server->answer)) < 0)
			warn("write");
		close(fd);
	}
}

static const char *
serve_keys(const char *keys)
{
	static struct keys_server server;
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	pthread_t thread;

	server.answer = fn_textf(arena,
		"HTTP/1.1 200 OK\r\nCache-Control: max-age=86400\r\nConnection: close\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		strlen(keys), keys);
	server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	MUST(server.fd >= 0 && bind(server.fd, (struct sockaddr *)&address, size) == 0 &&
		listen(server.fd, 8) == 0 &&
		getsockname(server.fd, (struct sockaddr *)&address, &size) == 0);
	MUST(pthread_create(&thread, NULL, serve, &server) == 0);
	pthread_detach(thread);
	return fn_textf(arena, "http://127.0.0.1:%d/keys", ntohs(address.sin_port));
}

/* ---- Measuring ------------------------------------------------------------------------------- */

static double
cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double
bare(const struct algorithm *of)
{
	const unsigned char *text = (const unsigned char *)of->tokens[0] + strlen("Bearer ");
	double begun = cpu_us();

	for (int i = 0; i < TOKENS; i++) {
		EVP_MD_CTX *context = EVP_MD_CTX_new();

		MUST(EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, of->key, NULL) ==
				1 &&
			EVP_DigestVerify(context, of->signature, of->signature_size, text,
				of->text_size) == 1);
		EVP_MD_CTX_free(context);
	}
	return (cpu_us() - begun) / TOKENS;
}

static void
recognize(struct identity *identity, struct fn_arena *of_call, const char *authorization)
{
	const struct fn_header headers[] = {
		{FN_BYTES("Host"), FN_BYTES("phoenix.example")},
		{FN_BYTES("Accept"), FN_BYTES("application/json")},
		{FN_BYTES("Authorization"), fn_bytes(authorization)},
	};
	struct fn_call call = {.arena = of_call, .headers = headers, .header_count = 3};
	struct fn_error err;
	struct user user;

	if (!user_require(&user, &call, identity, &err))
		errx(1, "%s", err.message);
	fn_arena_reset(of_call);
}

static double
uncached(struct algorithm *of, struct identity *identity, struct fn_arena *of_call)
{
	double begun = cpu_us();

	for (int i = 0; i < TOKENS; i++)
		recognize(identity, of_call, of->tokens[i]);
	return (cpu_us() - begun) / TOKENS;
}

static double
cached(struct algorithm *of, struct identity *identity, struct fn_arena *of_call)
{
	double begun = cpu_us();

	for (int i = 0; i < HITS; i++)
		recognize(identity, of_call, of->tokens[0]);
	return (cpu_us() - begun) / HITS;
}

/* So much later that nothing is remembered but the keys. */
static void
measure(struct algorithm *algorithms, size_t count, struct identity *identity)
{
	struct fn_arena *of_call = fn_arena_new();
	int64_t start_ms = fn_unix_ms();

	for (int round = -1; round < ROUNDS; round++) {
		fn_clock_pretend(start_ms + (round + 2) * ROUND_MS);
		for (size_t i = 0; i < count; i++) {
			struct algorithm *of = &algorithms[i];
			int at = round < 0 ? 0 : round; /* the first one warms up */

			of->bare_us[at] = bare(of);
			of->uncached_us[at] = uncached(of, identity, of_call);
			of->cached_us[at] = cached(of, identity, of_call);
			of->ratio[at] = of->uncached_us[at] / of->bare_us[at];
		}
	}
	fn_arena_drop(of_call);
}

/* ---- Telling --------------------------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static double
median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

static bool
tell(struct algorithm *of)
{
	double cached_us = median(of->cached_us), ratio = median(of->ratio);
	bool ok = cached_us <= CACHED_MOST_US && ratio <= UNCACHED_MOST;

	printf("| %s | %.1f µs | %.1f µs, %.2f × | %.2f µs |%s\n", of->name, median(of->bare_us),
		median(of->uncached_us), ratio, cached_us, ok ? "" : " missed");
	return ok;
}

int
main(void)
{
	static struct algorithm algorithms[2];
	struct identity_config config = {
		.issuer = ISSUER, .audience = "phoenix-bench", .guest = "", .service = ""};
	struct identity *identity;
	struct fn_http_client *http;
	struct fn_error err;

	unsetenv("http_proxy");
	arena = fn_arena_new();
	prepare(&algorithms[0], "RS256", EVP_RSA_gen(2048));
	prepare(&algorithms[1], "ES256", EVP_EC_gen("P-256"));
	config.jwks_url = serve_keys(
		fn_textf(arena, "{\"keys\":[%s,%s]}", jwk(&algorithms[0]), jwk(&algorithms[1])));
	MUST(fn_http_client_open(&http, &err) && identity_open(&identity, &config, http, &err));
	measure(algorithms, 2, identity);
	printf("| | OpenSSL's verification | token not seen before | token seen before |\n"
	       "|---|--:|--:|--:|\n");
	bool rsa = tell(&algorithms[0]), ec = tell(&algorithms[1]);
	printf("\nBars: at most %.1f × the verification, and at most %.0f µs.\n", UNCACHED_MOST,
		CACHED_MOST_US);
	return rsa && ec ? 0 : 1;
}
