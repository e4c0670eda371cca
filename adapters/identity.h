/* identity.h: who sent a request, as its bearer token says it.
 *
 * Tokens are those of one OpenID Connect issuer (Firebase Auth, Clerk, any other), signed with
 * RS256 or ES256. AUTH_GUEST names somebody for whom requests without a token are made, as suits
 * one machine; where no issuer is set either, and this is not Cloud Run, that is "user_dev".
 * Source: RFC 6750 (bearer tokens), RFC 7519 (JWT), OpenID Connect Core 1.0, section 3.1.3.7. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "fn/config.h"
#include "fn/http_client.h"

struct identity; /* opaque; safe for many threads */

struct identity_config {
	const char *issuer;   /* AUTH_ISSUER; empty: no tokens are taken */
	const char *audience; /* AUTH_AUDIENCE: separated by commas */
	const char *jwks_url; /* AUTH_JWKS_URL; empty: the issuer says where its keys are */
	const char *guest;    /* AUTH_GUEST; empty: there is none */
	const char *service;  /* K_SERVICE; empty: this is not Cloud Run */
};

extern const struct fn_setting identity_settings[];

struct caller {
	struct fn_bytes issuer;  /* whose word it is; empty: AUTH_GUEST's */
	struct fn_bytes subject; /* a name that is the issuer's to give; empty: nobody */
};

/* The config's text is borrowed until it is closed. No network.
 * FN_INVALID: a setting is wrong; the message names the variable. */
FN_MUST bool identity_open(struct identity **, const struct identity_config *,
	struct fn_http_client *, struct fn_error *);
void identity_close(struct identity *);

/* A request without a token is the guest's, or else nobody's. The text lives in the call's arena.
 * FN_UNAUTHENTICATED: the token is not valid. The log alone says why; the answer has its
 * WWW-Authenticate.
 * FN_BUSY (with retry_after_s): the issuer's keys are needed and cannot be had. */
FN_MUST bool identity_read(struct identity *, struct fn_call *, struct caller *, struct fn_error *);

#endif
