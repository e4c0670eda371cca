#include "adapters/wire/jwt_signer.h"

#include <cjose/cjose.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#define PART_MOST 2048 /* bytes: a key of 16384 bits */

struct jwt_signer {
	cjose_jwk_t *key;
	cjose_header_t *header;
};

FN_DROP(drop_bio, BIO *, BIO_free_all)
FN_DROP(drop_key, EVP_PKEY *, EVP_PKEY_free)
FN_DROP(drop_number, BIGNUM *, BN_clear_free)
FN_DROP(drop_jws, cjose_jws_t *, cjose_jws_release)

static bool
key_part(const EVP_PKEY *key, const char *name, uint8_t bytes[PART_MOST], size_t *size)
{
	AUTO(drop_number) BIGNUM *number = NULL;

	if (!EVP_PKEY_get_bn_param(key, name, &number) || BN_num_bytes(number) > PART_MOST)
		return false;
	*size = (size_t)BN_bn2bin(number, bytes);
	return true;
}

/* cjose reads no PEM, so OpenSSL takes the key apart for it. Given no passphrase, OpenSSL would ask
 * the terminal for that of an encrypted key. */
static cjose_jwk_t *
read_key(const char *pem)
{
	char passphrase[] = "";
	AUTO(drop_bio) BIO *bio = BIO_new_mem_buf(pem, -1);
	AUTO(drop_key)
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, passphrase) : NULL;
	uint8_t n[PART_MOST], e[PART_MOST], d[PART_MOST];
	cjose_jwk_rsa_keyspec spec = {.n = n, .e = e, .d = d};
	cjose_jwk_t *jwk = NULL;

	if (key && EVP_PKEY_is_a(key, "RSA") &&
		key_part(key, OSSL_PKEY_PARAM_RSA_N, n, &spec.nlen) &&
		key_part(key, OSSL_PKEY_PARAM_RSA_E, e, &spec.elen) &&
		key_part(key, OSSL_PKEY_PARAM_RSA_D, d, &spec.dlen))
		jwk = cjose_jwk_create_RSA_spec(&spec, NULL);
	OPENSSL_cleanse(d, sizeof(d));
	return jwk;
}

bool
jwt_signer_open(
	struct jwt_signer **signer, const char *pem, const char *key_id, struct fn_error *err)
{
	struct jwt_signer *made = calloc(1, sizeof(*made));

	if (!made)
		return fn_fail(err, FN_INTERNAL, "out of memory");
	made->key = read_key(pem);
	made->header = cjose_header_new(NULL);
	if (made->key && made->header &&
		cjose_header_set(made->header, CJOSE_HDR_ALG, CJOSE_HDR_ALG_RS256, NULL) &&
		cjose_header_set(made->header, "typ", "JWT", NULL) &&
		cjose_header_set(made->header, CJOSE_HDR_KID, key_id, NULL)) {
		*signer = made;
		return true;
	}
	jwt_signer_close(made);
	return fn_fail(err, FN_INVALID, "not an RSA private key in PEM");
}

void
jwt_signer_close(struct jwt_signer *signer)
{
	if (!signer)
		return;
	cjose_jwk_release(signer->key);
	cjose_header_release(signer->header);
	free(signer);
}

bool
jwt_sign(const struct jwt_signer *signer, struct fn_arena *arena, struct fn_bytes claims,
	struct fn_bytes *jwt, struct fn_error *err)
{
	AUTO(drop_jws)
	cjose_jws_t *jws = cjose_jws_sign(
		signer->key, signer->header, (const uint8_t *)claims.at, claims.size, NULL);
	const char *compact = NULL;

	if (!jws || !cjose_jws_export(jws, &compact, NULL))
		return fn_fail(err, FN_INTERNAL, "signing failed");
	*jwt = fn_bytes_copy(arena, fn_bytes(compact));
	return true;
}
