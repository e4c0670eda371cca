/* jwt_signer.h: JSON Web Tokens signed with an RSA key (RS256), to prove to others who we are.
 *
 * Library: cjose. Source: RFC 7519, RFC 7515. */
#ifndef JWT_SIGNER_H
#define JWT_SIGNER_H

#include "fn/bytes.h"

struct jwt_signer; /* many threads may sign with it at once */

/* The key is an RSA private key in PEM. FN_INVALID where it is not; no message quotes it. */
FN_MUST bool jwt_signer_open(
	struct jwt_signer **, const char *pem, const char *key_id, struct fn_error *);
void jwt_signer_close(struct jwt_signer *);

/* `claims` is a JSON object. The result is the compact serialisation, in the arena. */
FN_MUST bool jwt_sign(const struct jwt_signer *, struct fn_arena *, struct fn_bytes claims,
	struct fn_bytes *jwt, struct fn_error *);

#endif
