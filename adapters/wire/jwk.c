#include "adapters/wire/jwk.h"

#include "adapters/wire/jwt_members.h"
#include "adapters/wire/sha256.h"
#include "fn/base64.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RSA_LEAST 2048 /* bits; a smaller one can be broken (NIST SP 800-131A) */
#define RSA_MOST 8192  /* bits; a larger one keeps a processor busy */
#define COORDINATE 32  /* bytes of P-256 */
#define UNCOMPRESSED 4 /* a point with both coordinates (SEC 1, 2.3.3) */
#define KEYS_MOST 64

struct jwk {
	atomic_uint holders;
	enum jws_algorithm algorithm;
	EVP_PKEY_CTX *verifier; /* ready to verify; each call takes a copy, which is cheaper */
	struct fn_bytes id;     /* behind this */
};

struct jwk_set {
	size_t count;
	struct jwk *keys[KEYS_MOST];
};

FN_DROP(drop_number, BIGNUM *, BN_free)
FN_DROP(drop_builder, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
FN_DROP(drop_params, OSSL_PARAM *, OSSL_PARAM_free)
FN_DROP(drop_context, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
FN_DROP(drop_key, EVP_PKEY *, EVP_PKEY_free)

/* ---- A key's members ------------------------------------------------------------------------- */

enum { KTY, USE, OPS, ALG, KID, N, E, CRV, X, Y, MEMBERS };

static bool
member_is(const struct jwt_member *member, const char *text)
{
	return member->value.size == strlen(text) + 2 && member->value.at[0] == '"' &&
	       memcmp(member->value.at + 1, text, strlen(text)) == 0;
}

static bool
member_bytes(const struct jwt_member *member, struct fn_arena *arena, struct fn_bytes *bytes)
{
	struct fn_bytes text;

	return jwt_member_text(member, arena, &text) && fn_base64url_decode(text, arena, bytes);
}

static bool
lists_verify(const struct jwt_member *member)
{
	struct fn_json_items items = fn_json_items(member->value);
	struct fn_bytes name, value;

	while (fn_json_next(&items, &name, &value)) {
		if (fn_bytes_is(value, "\"verify\""))
			return true;
	}
	return false;
}

/* A key that says nothing of its use is for all uses. */
static bool
is_for(const struct jwt_member *members, struct fn_arena *arena, enum jws_algorithm algorithm)
{
	enum jws_algorithm own = algorithm;
	struct fn_bytes name;

	if (members[ALG].value.size > 0 &&
		(!jwt_member_text(&members[ALG], arena, &name) || !jws_algorithm_read(name, &own)))
		return false;
	return own == algorithm &&
	       (members[USE].value.size == 0 || member_is(&members[USE], "sig")) &&
	       (members[OPS].value.size == 0 || lists_verify(&members[OPS]));
}

/* ---- A key for OpenSSL ----------------------------------------------------------------------- */

static EVP_PKEY *
make_key(const char *type, OSSL_PARAM_BLD *builder)
{
	AUTO(drop_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	AUTO(drop_context) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

static BIGNUM *
number_of(struct fn_bytes bytes)
{
	return BN_bin2bn((const unsigned char *)bytes.at, (int)bytes.size, NULL);
}

/* Whether both primes look as those of a library whose keys can be factored: modulo each small
 * prime they are a power of 65537 (Nemec and others, "The Return of Coppersmith's Attack", 2017).
 * That holds of one in 240 million other keys. */
static bool
is_roca(const BIGNUM *modulus)
{
	static const unsigned char primes[] = {
		11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157};

	for (size_t i = 0; i < sizeof(primes); i++) {
		BN_ULONG rest = BN_mod_word(modulus, primes[i]), power = 1;

		do
			power = power * 65537 % primes[i];
		while (power != rest && power != 1);
		if (power != rest)
			return false;
	}
	return true;
}

static EVP_PKEY *
make_rsa(const struct jwt_member *members, struct fn_arena *arena)
{
	struct fn_bytes n, e;

	if (!member_bytes(&members[N], arena, &n) || !member_bytes(&members[E], arena, &e) ||
		n.size > RSA_MOST / 8 || e.size > sizeof(uint64_t))
		return NULL;
	AUTO(drop_number) BIGNUM *modulus = number_of(n);
	AUTO(drop_number) BIGNUM *exponent = number_of(e);
	AUTO(drop_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

	if (!builder || !modulus || !exponent || BN_num_bits(modulus) < RSA_LEAST ||
		is_roca(modulus) || !BN_is_odd(exponent) || BN_is_one(exponent) ||
		!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) ||
		!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent))
		return NULL;
	return make_key("RSA", builder);
}

/* OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *
make_p256(const struct jwt_member *members, struct fn_arena *arena)
{
	unsigned char point[1 + 2 * COORDINATE] = {UNCOMPRESSED};
	struct fn_bytes x, y;

	if (!member_is(&members[CRV], "P-256") || !member_bytes(&members[X], arena, &x) ||
		!member_bytes(&members[Y], arena, &y) || x.size != COORDINATE ||
		y.size != COORDINATE)
		return NULL;
	memcpy(point + 1, x.at, COORDINATE);
	memcpy(point + 1 + COORDINATE, y.at, COORDINATE);
	AUTO(drop_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

	if (!builder ||
		!OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) ||
		!OSSL_PARAM_BLD_push_octet_string(
			builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)))
		return NULL;
	return make_key("EC", builder);
}

static const struct {
	const char *type;
	enum jws_algorithm algorithm;
	EVP_PKEY *(*make)(const struct jwt_member *, struct fn_arena *);
} kinds[] = {
	{"RSA", JWS_RS256, make_rsa},
	{"EC", JWS_ES256, make_p256},
};

/* ---- A set ----------------------------------------------------------------------------------- */

static EVP_PKEY_CTX *
new_verifier(EVP_PKEY *key, enum jws_algorithm algorithm)
{
	EVP_PKEY_CTX *made = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	if (made && EVP_PKEY_verify_init(made) == 1 &&
		EVP_PKEY_CTX_set_signature_md(made, sha256_method()) == 1 &&
		(algorithm != JWS_RS256 ||
			EVP_PKEY_CTX_set_rsa_padding(made, RSA_PKCS1_PADDING) == 1))
		return made;
	EVP_PKEY_CTX_free(made);
	return NULL;
}

static struct jwk *
new_jwk(struct fn_bytes id, enum jws_algorithm algorithm, EVP_PKEY *key)
{
	EVP_PKEY_CTX *verifier = new_verifier(key, algorithm);
	struct jwk *jwk = verifier ? malloc(sizeof(*jwk) + id.size) : NULL;

	if (!jwk) {
		EVP_PKEY_CTX_free(verifier);
		return NULL;
	}
	memcpy(jwk + 1, id.at, id.size);
	jwk->holders = 1;
	jwk->algorithm = algorithm;
	jwk->verifier = verifier;
	jwk->id = (struct fn_bytes){(const char *)(jwk + 1), id.size};
	return jwk;
}

static struct jwk *
read_jwk(struct fn_bytes json, struct fn_arena *arena)
{
	struct jwt_member members[MEMBERS] = {
		[KTY] = {.name = FN_BYTES("kty")},
		[USE] = {.name = FN_BYTES("use")},
		[OPS] = {.name = FN_BYTES("key_ops")},
		[ALG] = {.name = FN_BYTES("alg")},
		[KID] = {.name = FN_BYTES("kid")},
		[N] = {.name = FN_BYTES("n")},
		[E] = {.name = FN_BYTES("e")},
		[CRV] = {.name = FN_BYTES("crv")},
		[X] = {.name = FN_BYTES("x")},
		[Y] = {.name = FN_BYTES("y")},
	};
	struct fn_error ignored;
	struct fn_bytes id;

	if (!jwt_members_read(json, arena, members, MEMBERS, &ignored) ||
		!jwt_member_text(&members[KID], arena, &id))
		return NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (member_is(&members[KTY], kinds[i].type) &&
			is_for(members, arena, kinds[i].algorithm)) {
			AUTO(drop_key) EVP_PKEY *key = kinds[i].make(members, arena);

			return key ? new_jwk(id, kinds[i].algorithm, key) : NULL;
		}
	}
	return NULL;
}

static bool
read_keys(struct jwk_set *set, struct fn_bytes json, struct fn_arena *arena, struct fn_error *err)
{
	struct jwt_member keys = {.name = FN_BYTES("keys")};
	struct fn_bytes name, value;

	if (!jwt_members_read(json, arena, &keys, 1, err) || keys.value.size == 0 ||
		fn_json_type(keys.value) != FN_JSON_ARRAY)
		return fn_fail(err, FN_UPSTREAM, "this is no JSON Web Key Set");
	for (struct fn_json_items items = fn_json_items(keys.value);
		set->count < KEYS_MOST && fn_json_next(&items, &name, &value);) {
		struct jwk *jwk = read_jwk(value, arena);

		if (jwk)
			set->keys[set->count++] = jwk;
	}
	return set->count > 0 || fn_fail(err, FN_UPSTREAM, "there is no usable key in the set");
}

bool
jwk_set_read(struct jwk_set **set, struct fn_bytes json, struct fn_error *err)
{
	struct jwk_set *made = calloc(1, sizeof(*made));

	if (!made)
		return fn_fail(err, FN_INTERNAL, "out of memory");
	struct fn_arena *arena = fn_arena_new();
	bool ok = read_keys(made, json, arena, err);
	fn_arena_drop(arena);
	if (ok)
		*set = made;
	else
		jwk_set_drop(made);
	return ok;
}

void
jwk_set_drop(struct jwk_set *set)
{
	for (size_t i = 0; set && i < set->count; i++)
		jwk_drop(set->keys[i]);
	free(set);
}

struct jwk *
jwk_hold(const struct jwk_set *set, struct fn_bytes id, enum jws_algorithm algorithm)
{
	for (size_t i = 0; i < set->count; i++) {
		struct jwk *jwk = set->keys[i];

		if (jwk->algorithm == algorithm && fn_bytes_equal(jwk->id, id)) {
			atomic_fetch_add(&jwk->holders, 1);
			return jwk;
		}
	}
	return NULL;
}

void
jwk_drop(struct jwk *jwk)
{
	if (atomic_fetch_sub(&jwk->holders, 1) > 1)
		return;
	EVP_PKEY_CTX_free(jwk->verifier);
	free(jwk);
}

/* ---- Verifying ------------------------------------------------------------------------------- */

/* One of the two numbers in DER: without leading zeros, but for one before a bit that would be
 * taken for a sign. Returns what is behind it. */
static unsigned char *
put_number(unsigned char *at, const char *number)
{
	size_t skip = 0;

	while (skip < COORDINATE - 1 && number[skip] == 0)
		skip++;
	size_t size = COORDINATE - skip, sign = number[skip] & 0x80 ? 1 : 0;
	*at++ = 0x02; /* INTEGER */
	*at++ = (unsigned char)(size + sign);
	if (sign)
		*at++ = 0;
	memcpy(at, number + skip, size);
	return at + size;
}

#define DER_SIZE (2 + 2 * (3 + COORDINATE))

/* Tokens have both numbers one behind the other (RFC 7518, 3.4), OpenSSL wants a SEQUENCE. */
static size_t
put_der(unsigned char der[DER_SIZE], struct fn_bytes signature)
{
	unsigned char *end = put_number(der + 2, signature.at);

	end = put_number(end, signature.at + COORDINATE);
	der[0] = 0x30; /* SEQUENCE */
	der[1] = (unsigned char)(end - der - 2);
	return (size_t)(end - der);
}

bool
jwk_verify(struct jwk *jwk, const struct jws *jws)
{
	const struct sha256 hash = sha256_of(jws->signed_text);
	AUTO(drop_context) EVP_PKEY_CTX *verifier = EVP_PKEY_CTX_dup(jwk->verifier);
	const unsigned char *signature = (const unsigned char *)jws->signature.at;
	size_t size = jws->signature.size;
	unsigned char der[DER_SIZE];

	if (jwk->algorithm == JWS_ES256) {
		if (size != (size_t)2 * COORDINATE)
			return false;
		size = put_der(der, jws->signature);
		signature = der;
	}
	return verifier &&
	       EVP_PKEY_verify(verifier, signature, size, hash.at, sizeof(hash.at)) == 1;
}
