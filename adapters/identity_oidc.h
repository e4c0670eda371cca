/* identity_oidc.h: what identity.c knows of OpenID Connect. Private to adapters.
 *
 * A token that was verified is believed for five minutes at most without looking at it again. */
#ifndef IDENTITY_OIDC_H
#define IDENTITY_OIDC_H

#include "adapters/identity.h"

struct identity_oidc; /* opaque; safe for many threads */

/* Fails as identity_open does. */
FN_MUST bool identity_oidc_open(struct identity_oidc **, const struct identity_config *,
	struct fn_http_client *, struct fn_error *);
void identity_oidc_close(struct identity_oidc *);

/* Whom the token names. FN_INVALID: it is not valid; the message says why. FN_BUSY: as for
 * identity_read. */
FN_MUST bool identity_oidc_verify(struct identity_oidc *, struct fn_call *, struct fn_bytes token,
	struct fn_bytes *subject, struct fn_error *);

#endif
