#include "adapters/identity.h"

#include "adapters/identity_oidc.h"

#include <stdlib.h>

#define LONE_GUEST "user_dev"
#define GUEST_MOST 64
#define GUEST_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

#define INTO(member) offsetof(struct identity_config, member)

const struct fn_setting identity_settings[] = {
	{"AUTH_ISSUER", FN_TEXT, INTO(issuer), "", 0, 0,
		"issuer of OpenID Connect tokens, as their \"iss\" has it; empty: none are taken"},
	{"AUTH_AUDIENCE", FN_TEXT, INTO(audience), "", 0, 0,
		"for whom tokens must be (\"aud\", or \"azp\" without it), separated by commas"},
	{"AUTH_JWKS_URL", FN_TEXT, INTO(jwks_url), "", 0, 0,
		"the issuer's keys; empty: where its discovery document says"},
	{"AUTH_GUEST", FN_TEXT, INTO(guest), "", 0, 0,
		"user for whom requests without a token are made; empty: nobody"},
	{"K_SERVICE", FN_TEXT, INTO(service), "", 0, 0, "set by Cloud Run"},
	{0},
};

struct identity {
	struct fn_bytes issuer;
	struct fn_bytes guest;      /* empty: there is none */
	struct identity_oidc *oidc; /* NULL: no tokens are taken */
};

/* ---- Opening --------------------------------------------------------------------------------- */

/* What a document may be called. */
static bool
is_user_id(struct fn_bytes id)
{
	return id.size <= GUEST_MOST && fn_bytes_consists_of(id, GUEST_CHARACTERS) &&
	       id.at[0] != '_';
}

/* Whoever deploys says who may come in: that it was forgotten must not mean everybody. */
static bool
choose_guest(struct fn_bytes *guest, const struct identity_config *config, struct fn_error *err)
{
	*guest = fn_bytes(config->guest);
	if (guest->size > 0)
		return is_user_id(*guest) ||
		       fn_fail(err, FN_INVALID,
			       "AUTH_GUEST: \"%.32s\" is none of 1 to %d letters, digits and '_'",
			       config->guest, GUEST_MOST);
	if (config->issuer[0] != '\0')
		return true;
	if (config->service[0] != '\0')
		return fn_fail(err, FN_INVALID,
			"AUTH_ISSUER is not set, so that nobody could use this on Cloud Run "
			"(unless AUTH_GUEST makes everybody one user)");
	*guest = FN_BYTES(LONE_GUEST);
	return true;
}

bool
identity_open(struct identity **identity, const struct identity_config *config,
	struct fn_http_client *http, struct fn_error *err)
{
	struct identity_oidc *oidc = NULL;
	struct fn_bytes guest;

	TRY(choose_guest(&guest, config, err));
	if (config->issuer[0] != '\0')
		TRY(identity_oidc_open(&oidc, config, http, err));
	struct identity *made = malloc(sizeof(*made));
	if (!made) {
		identity_oidc_close(oidc);
		return fn_fail(err, FN_INTERNAL, "out of memory");
	}
	*made = (struct identity){fn_bytes(config->issuer), guest, oidc};
	*identity = made;
	return true;
}

void
identity_close(struct identity *identity)
{
	if (!identity)
		return;
	identity_oidc_close(identity->oidc);
	free(identity);
}

/* ---- A request ------------------------------------------------------------------------------- */

/* The client learns that its token is bad, an attacker nothing more. */
static bool
refuse(struct fn_call *call, const char *why, struct fn_error *err)
{
	fn_log(call, FN_INFO, "token refused: %s", why);
	TRY(fn_reply_header(
		call, "WWW-Authenticate", FN_BYTES("Bearer error=\"invalid_token\""), err));
	return fn_fail(err, FN_UNAUTHENTICATED, "the token is not valid");
}

static size_t
count_authorizations(const struct fn_call *call)
{
	size_t count = 0;

	for (size_t i = 0; i < call->header_count; i++)
		count += fn_bytes_is_nocase(call->headers[i].name, "Authorization");
	return count;
}

/* Empty where it is no bearer's. */
static struct fn_bytes
token_of(struct fn_bytes authorization)
{
	struct fn_bytes scheme = fn_bytes_cut(&authorization, ' ');

	if (!fn_bytes_is_nocase(scheme, "Bearer"))
		return (struct fn_bytes){0};
	return fn_bytes_trim(authorization);
}

bool
identity_read(struct identity *identity, struct fn_call *call, struct caller *caller,
	struct fn_error *err)
{
	struct fn_bytes token = token_of(fn_header(call, "Authorization")), subject;
	size_t count = count_authorizations(call);
	struct fn_error why;

	if (count == 0) {
		*caller = (struct caller){.subject = identity->guest};
		return true;
	}
	if (count > 1 || token.size == 0)
		return refuse(call, "there is not one bearer token", err);
	if (!identity->oidc)
		return refuse(call, "no issuer is set", err);
	if (!identity_oidc_verify(identity->oidc, call, token, &subject, &why)) {
		if (why.code == FN_INVALID)
			return refuse(call, why.message, err);
		*err = why;
		return false;
	}
	*caller = (struct caller){identity->issuer, subject};
	return true;
}
