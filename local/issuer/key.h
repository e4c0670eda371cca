/* key.h: the key that the local issuer signs with: ES256, kept in a file of this machine.
 * Library: OpenSSL. Source: RFC 7515, RFC 7517, RFC 7638 (its name). */
#ifndef KEY_H
#define KEY_H

#include "fn/bytes.h"

struct key; /* opaque; many threads may sign with it at once */

/* Reads the key, or makes one where there is no file, which only its owner may read.
 * FN_INVALID: the file cannot be used; the message names the variable. */
FN_MUST bool key_open(struct key **, const char *file, struct fn_error *);
void key_close(struct key *);

/* Its public half as a JSON Web Key. */
const char *key_jwk(const struct key *);

/* A token of these claims, a JSON object, in the arena. */
FN_MUST bool key_sign(const struct key *, struct fn_arena *, struct fn_bytes claims,
	struct fn_bytes *token, struct fn_error *);

#endif
