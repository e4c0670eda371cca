/* identity.h: who sent a request, as its bearer token says it.
 *
 * AUTH_GUEST names somebody for whom requests without a token are made, as suits one machine. Away
 * from Cloud Run it is "user_dev" unless something else is set.
 * Source: RFC 6750. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "fn/config.h"
#include "fn/http_client.h"

struct identity; /* opaque; safe for many threads */

struct identity_config {
	const char *guest;   /* AUTH_GUEST; empty: there is none */
	const char *service; /* K_SERVICE; empty: this is not Cloud Run */
};

extern const struct fn_setting identity_settings[];

struct caller {
	struct fn_bytes issuer;  /* whose word it is; empty: AUTH_GUEST's */
	struct fn_bytes subject; /* a name that is the issuer's to give; empty: nobody */
};

/* The config's text is borrowed until it is closed.
 * FN_INVALID: a setting is wrong; the message names the variable. */
FN_MUST bool identity_open(struct identity **, const struct identity_config *,
	struct fn_http_client *, struct fn_error *);
void identity_close(struct identity *);

/* A request without a token is the guest's, or else nobody's. The text lives in the call's arena.
 * FN_UNAUTHENTICATED: the token is not valid. The log alone says why; the answer has its
 * WWW-Authenticate. */
FN_MUST bool identity_read(struct identity *, struct fn_call *, struct caller *, struct fn_error *);

#endif
