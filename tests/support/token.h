/* token.h: signed tokens for tests, right ones and others.
 *
 * Text lives in the arena; what fails aborts the test. Library: OpenSSL, without any code of the
 * adapters that are tested. */
#ifndef TESTS_TOKEN_H
#define TESTS_TOKEN_H

#include "fn/bytes.h"

struct token_key;

struct token_key *token_key_rsa(unsigned bits);
struct token_key *token_key_ec(const char *curve); /* "P-256" */
void token_key_drop(struct token_key *);           /* NULL is fine */

/* The public key as a JSON Web Key; `more` are further members: "\"kid\":\"a\"". */
const char *token_jwk(const struct token_key *, struct fn_arena *, const char *more);

/* The compact serialisation of header and claims, with RS256 or ES256 as the key is. */
const char *token_sign(
	const struct token_key *, struct fn_arena *, const char *header, const char *claims);

/* What a signature is made of: `text` signed, before it is encoded. */
struct fn_bytes token_signature(const struct token_key *, struct fn_arena *, struct fn_bytes text);

/* An HMAC-SHA-256 under this key, for tokens that say HS256. */
struct fn_bytes token_hmac(struct fn_arena *, struct fn_bytes key, struct fn_bytes text);

/* The public key in PEM. */
const char *token_pem(const struct token_key *, struct fn_arena *);

const char *token_encode(struct fn_arena *, struct fn_bytes); /* base64url */

#endif
