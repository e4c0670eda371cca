/* jwk.h: JSON Web Keys: an issuer's public keys, and what they signed.
 *
 * Library: OpenSSL. Source: RFC 7517, RFC 7518. */
#ifndef JWK_H
#define JWK_H

#include "adapters/wire/jws.h"

struct jwk_set;
struct jwk;

/* Of the keys in {"keys": [...]} those that can verify what jws.h takes: RSA of 2048 to 8192 bits
 * that are hard to factor, points on P-256. All others, which are for other uses, are left out.
 * FN_UPSTREAM: the text is no such set, or holds no usable key. */
FN_MUST bool jwk_set_read(struct jwk_set **, struct fn_bytes json, struct fn_error *);
void jwk_set_drop(struct jwk_set *); /* NULL is fine */

/* NULL: there is none of this id and algorithm. It lives until it is dropped, also longer than the
 * set. */
struct jwk *jwk_hold(const struct jwk_set *, struct fn_bytes id, enum jws_algorithm);
void jwk_drop(struct jwk *);

/* Whether this key made the signature. */
FN_MUST bool jwk_verify(struct jwk *, const struct jws *);

#endif
