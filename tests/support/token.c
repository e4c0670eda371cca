#include "tests/support/token.h"

#include "fn/base64.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#define COORDINATE 32 /* bytes of P-256 */

struct token_key {
	EVP_PKEY *key;
	const char *curve; /* NULL: RSA */
};

static struct token_key *
new_key(EVP_PKEY *key, const char *curve)
{
	struct token_key *made = malloc(sizeof(*made));

	assert(key && made);
	*made = (struct token_key){key, curve};
	return made;
}

struct token_key *
token_key_rsa(unsigned bits)
{
	return new_key(EVP_RSA_gen(bits), NULL);
}

struct token_key *
token_key_ec(const char *curve)
{
	return new_key(EVP_EC_gen(curve), curve);
}

void
token_key_drop(struct token_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->key);
	free(key);
}

const char *
token_encode(struct fn_arena *arena, struct fn_bytes bytes)
{
	return fn_base64url_encode(bytes, arena).at;
}

/* ---- Public keys ----------------------------------------------------------------------------- */

static const char *
number(const struct token_key *key, struct fn_arena *arena, const char *name, int size)
{
	BIGNUM *value = NULL;

	assert(EVP_PKEY_get_bn_param(key->key, name, &value));
	size = size > 0 ? size : BN_num_bytes(value);
	unsigned char *bytes = fn_arena_alloc(arena, (size_t)size);
	assert(BN_bn2binpad(value, bytes, size) == size);
	BN_free(value);
	return token_encode(arena, (struct fn_bytes){(char *)bytes, (size_t)size});
}

const char *
token_jwk(const struct token_key *key, struct fn_arena *arena, const char *more)
{
	int size = (EVP_PKEY_get_bits(key->key) + 7) / 8;

	if (key->curve)
		return fn_textf(arena,
			"{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\",%s}", key->curve,
			number(key, arena, OSSL_PKEY_PARAM_EC_PUB_X, size),
			number(key, arena, OSSL_PKEY_PARAM_EC_PUB_Y, size), more);
	return fn_textf(arena, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\",%s}",
		number(key, arena, OSSL_PKEY_PARAM_RSA_N, 0),
		number(key, arena, OSSL_PKEY_PARAM_RSA_E, 0), more);
}

const char *
token_pem(const struct token_key *key, struct fn_arena *arena)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *at;

	assert(bio && PEM_write_bio_PUBKEY(bio, key->key));
	long size = BIO_get_mem_data(bio, &at);
	const char *pem = fn_text(arena, (struct fn_bytes){at, (size_t)size});
	BIO_free(bio);
	return pem;
}

/* ---- Signatures ------------------------------------------------------------------------------ */

/* The two numbers of an ECDSA signature in DER, one behind the other. */
static struct fn_bytes
raw(struct fn_arena *arena, struct fn_bytes der)
{
	const unsigned char *at = (const unsigned char *)der.at;
	unsigned char *numbers = fn_arena_alloc(arena, (size_t)2 * COORDINATE);
	ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &at, (long)der.size);

	assert(both && BN_bn2binpad(ECDSA_SIG_get0_r(both), numbers, COORDINATE) > 0 &&
		BN_bn2binpad(ECDSA_SIG_get0_s(both), numbers + COORDINATE, COORDINATE) > 0);
	ECDSA_SIG_free(both);
	return (struct fn_bytes){(char *)numbers, (size_t)2 * COORDINATE};
}

struct fn_bytes
token_signature(const struct token_key *key, struct fn_arena *arena, struct fn_bytes text)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = (size_t)EVP_PKEY_get_size(key->key);
	unsigned char *signature = fn_arena_alloc(arena, size);

	assert(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->key) == 1);
	assert(EVP_DigestSign(
		       context, signature, &size, (const unsigned char *)text.at, text.size) == 1);
	EVP_MD_CTX_free(context);
	struct fn_bytes made = {(char *)signature, size};
	return key->curve ? raw(arena, made) : made;
}

struct fn_bytes
token_hmac(struct fn_arena *arena, struct fn_bytes key, struct fn_bytes text)
{
	unsigned char *made = fn_arena_alloc(arena, EVP_MAX_MD_SIZE);
	unsigned size;

	assert(HMAC(EVP_sha256(), key.at, (int)key.size, (const unsigned char *)text.at, text.size,
		made, &size));
	return (struct fn_bytes){(char *)made, size};
}

const char *
token_sign(
	const struct token_key *key, struct fn_arena *arena, const char *header, const char *claims)
{
	const char *text = fn_textf(arena, "%s.%s", token_encode(arena, fn_bytes(header)),
		token_encode(arena, fn_bytes(claims)));

	return fn_textf(arena, "%s.%s", text,
		token_encode(arena, token_signature(key, arena, fn_bytes(text))));
}
