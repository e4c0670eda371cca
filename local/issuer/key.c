#include "local/issuer/key.h"

#include "fn/base64.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "ISSUER_KEY_FILE"
#define COORDINATE 32 /* bytes of P-256 */

struct key {
	struct fn_arena *arena; /* holds this and its texts */
	EVP_PKEY *pair;
	const char *jwk;
	struct fn_bytes header; /* of all tokens, encoded */
};

FN_DROP(drop_number, BIGNUM *, BN_free)
FN_DROP(drop_digest, EVP_MD_CTX *, EVP_MD_CTX_free)
FN_DROP(drop_signature, ECDSA_SIG *, ECDSA_SIG_free)
FN_DROP(drop_file, FILE *, (void)fclose)

static struct fn_bytes
encode(struct fn_arena *arena, const void *bytes, size_t size)
{
	return fn_base64url_encode((struct fn_bytes){bytes, size}, arena);
}

/* ---- The file -------------------------------------------------------------------------------- */

static bool
write_new(EVP_PKEY *pair, const char *path, struct fn_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	AUTO(drop_file) FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!file)
		return fn_fail(err, FN_INVALID, VARIABLE ": %s: %s", path, strerror(errno));
	if (!PEM_write_PrivateKey(file, pair, NULL, NULL, 0, NULL, NULL) || fflush(file) != 0)
		return fn_fail(err, FN_INVALID, VARIABLE ": %s: it could not be written", path);
	return true;
}

/* Given no passphrase, OpenSSL would ask the terminal for that of an encrypted key. */
static bool
read_old(EVP_PKEY **pair, FILE *file, const char *path, struct fn_error *err)
{
	char passphrase[] = "", curve[16] = "";
	EVP_PKEY *read = PEM_read_PrivateKey(file, NULL, NULL, passphrase);

	if (read && EVP_PKEY_get_group_name(read, curve, sizeof(curve), NULL) &&
		strcmp(curve, "prime256v1") == 0) {
		*pair = read;
		return true;
	}
	EVP_PKEY_free(read);
	return fn_fail(err, FN_INVALID, VARIABLE ": %s: no private key on P-256 in PEM", path);
}

static bool
read_or_make(EVP_PKEY **pair, const char *path, struct fn_error *err)
{
	AUTO(drop_file) FILE *file = fopen(path, "re");

	if (file)
		return read_old(pair, file, path, err);
	if (errno != ENOENT)
		return fn_fail(err, FN_INVALID, VARIABLE ": %s: %s", path, strerror(errno));
	*pair = EVP_EC_gen("P-256");
	if (!*pair)
		return fn_fail(err, FN_INTERNAL, "no key could be made");
	return write_new(*pair, path, err);
}

/* ---- Its public half ------------------------------------------------------------------------- */

static struct fn_bytes
coordinate(const struct key *key, const char *name)
{
	AUTO(drop_number) BIGNUM *number = NULL;
	unsigned char bytes[COORDINATE] = {0};

	if (EVP_PKEY_get_bn_param(key->pair, name, &number))
		BN_bn2binpad(number, bytes, sizeof(bytes));
	return encode(key->arena, bytes, sizeof(bytes));
}

/* A key's name is the hash of what it consists of, so that another key has another name. */
static void
describe(struct key *key)
{
	struct fn_bytes x = coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X);
	struct fn_bytes y = coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y);
	const char *required = fn_textf(key->arena,
		"{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%.*s\",\"y\":\"%.*s\"}", FN_ARG(x),
		FN_ARG(y));
	unsigned char hash[EVP_MAX_MD_SIZE] = {0};
	unsigned size = 0;

	EVP_Digest(required, strlen(required), hash, &size, EVP_sha256(), NULL);
	struct fn_bytes name = encode(key->arena, hash, size);
	const char *header = fn_textf(
		key->arena, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"%.*s\"}", FN_ARG(name));
	key->header = encode(key->arena, header, strlen(header));
	key->jwk = fn_textf(key->arena,
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"alg\":\"ES256\","
		"\"kid\":\"%.*s\",\"x\":\"%.*s\",\"y\":\"%.*s\"}",
		FN_ARG(name), FN_ARG(x), FN_ARG(y));
}

const char *
key_jwk(const struct key *key)
{
	return key->jwk;
}

/* ---- For main -------------------------------------------------------------------------------- */

bool
key_open(struct key **key, const char *file, struct fn_error *err)
{
	struct fn_arena *arena = fn_arena_new();
	struct key *made = fn_arena_zero(arena, sizeof(*made));

	made->arena = arena;
	if (!read_or_make(&made->pair, file, err)) {
		key_close(made);
		return false;
	}
	describe(made);
	*key = made;
	return true;
}

void
key_close(struct key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pair);
	fn_arena_drop(key->arena);
}

/* ---- Signing --------------------------------------------------------------------------------- */

/* Tokens have the two numbers one behind the other (RFC 7518, 3.4), OpenSSL gives them in DER. */
static bool
take_numbers(unsigned char numbers[2 * COORDINATE], const unsigned char *der, size_t size)
{
	AUTO(drop_signature) ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &der, (long)size);

	return both && BN_bn2binpad(ECDSA_SIG_get0_r(both), numbers, COORDINATE) > 0 &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(both), numbers + COORDINATE, COORDINATE) > 0;
}

bool
key_sign(const struct key *key, struct fn_arena *arena, struct fn_bytes claims,
	struct fn_bytes *token, struct fn_error *err)
{
	struct fn_bytes payload = encode(arena, claims.at, claims.size);
	struct fn_bytes text =
		fn_bytes(fn_textf(arena, "%.*s.%.*s", FN_ARG(key->header), FN_ARG(payload)));
	AUTO(drop_digest) EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char der[128], numbers[2 * COORDINATE];
	size_t size = sizeof(der);

	if (!context || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->pair) != 1 ||
		EVP_DigestSign(context, der, &size, (const unsigned char *)text.at, text.size) !=
			1 ||
		!take_numbers(numbers, der, size))
		return fn_fail(err, FN_INTERNAL, "signing failed");
	struct fn_bytes signature = encode(arena, numbers, sizeof(numbers));
	*token = fn_bytes(fn_textf(arena, "%.*s.%.*s", FN_ARG(text), FN_ARG(signature)));
	return true;
}
