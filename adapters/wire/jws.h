/* jws.h: a JSON Web Signature in its compact serialisation, taken apart.
 *
 * Only what an issuer of tokens has a reason to send is taken. What a header says of keys (jwk,
 * jku, x5c, x5u) is never looked at: keys come from the issuer.
 * Source: RFC 7515; RFC 8725 (what goes wrong otherwise). */
#ifndef JWS_H
#define JWS_H

#include "fn/bytes.h"

#define JWS_MOST 8192 /* bytes of a token */

enum jws_algorithm {
	JWS_RS256, /* RSASSA-PKCS1-v1_5 with SHA-256 */
	JWS_ES256, /* ECDSA on P-256 with SHA-256 */
};

struct jws {
	enum jws_algorithm algorithm;
	struct fn_bytes key_id; /* never empty */
	struct fn_bytes signed_text;
	struct fn_bytes payload, signature; /* decoded */
};

/* Nothing is verified yet. What is decoded lives in the arena. FN_INVALID says what is wrong. */
FN_MUST bool jws_read(struct jws *, struct fn_arena *, struct fn_bytes token, struct fn_error *);

/* The algorithm of this name; false where it is none that is taken. */
bool jws_algorithm_read(struct fn_bytes name, enum jws_algorithm *);

#endif
