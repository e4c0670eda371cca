/* identity_keys.h: an issuer's keys, fetched when they are needed. Private to adapters.
 *
 * They are kept as long as the answer's Cache-Control says, and go on to serve for a day while the
 * issuer does not answer. A key that is not among them has them fetched anew, but not more often
 * than every ten seconds, so that nobody can make us ask by sending nonsense.
 * Source: OpenID Connect Discovery 1.0; RFC 9111, 5.2.2.1. */
#ifndef IDENTITY_KEYS_H
#define IDENTITY_KEYS_H

#include "adapters/wire/jws.h"
#include "fn/http_client.h"

struct identity_keys; /* opaque; safe for many threads */

/* `url` is that of the keys; empty: the issuer's discovery document names it. Both are borrowed
 * until they are closed. No network. */
FN_MUST bool identity_keys_open(struct identity_keys **, const char *issuer, const char *url,
	struct fn_http_client *, struct fn_error *);
void identity_keys_close(struct identity_keys *);

/* Whether a key is fetched over a connection that nobody can change. */
bool identity_keys_url_is_safe(struct fn_bytes url);

/* FN_INVALID: the issuer did not sign this. FN_BUSY (with retry_after_s): there are no keys yet,
 * and none to be had. */
FN_MUST bool identity_keys_verify(
	struct identity_keys *, struct fn_call *, const struct jws *, struct fn_error *);

#endif
