#include "adapters/identity.h"

#include <ctype.h>
#include <stdlib.h>

#define LONE_GUEST "user_dev"
#define GUEST_MOST 64

#define INTO(member) offsetof(struct identity_config, member)

const struct fn_setting identity_settings[] = {
	{"AUTH_GUEST", FN_TEXT, INTO(guest), "", 0, 0,
		"user for whom requests without a token are made; empty: nobody"},
	{"K_SERVICE", FN_TEXT, INTO(service), "", 0, 0, "set by Cloud Run"},
	{0},
};

struct identity {
	struct fn_bytes guest; /* empty: there is none */
	struct fn_http_client *http;
};

/* ---- Opening --------------------------------------------------------------------------------- */

/* What a document may be called. */
static bool
is_user_id(struct fn_bytes id)
{
	for (size_t i = 0; i < id.size; i++) {
		if (!isalnum((unsigned char)id.at[i]) && (i == 0 || id.at[i] != '_'))
			return false;
	}
	return id.size > 0 && id.size <= GUEST_MOST;
}

/* Whoever deploys says who may come in: that it was forgotten must not mean everybody. */
static bool
choose_guest(struct fn_bytes *guest, const struct identity_config *config, struct fn_error *err)
{
	*guest = fn_bytes(config->guest);
	if (guest->size == 0 && config->service[0] == '\0')
		*guest = FN_BYTES(LONE_GUEST);
	if (guest->size == 0)
		return fn_fail(err, FN_INVALID,
			"AUTH_GUEST is not set, so that on Cloud Run nobody could use this");
	return is_user_id(*guest) ||
	       fn_fail(err, FN_INVALID,
		       "AUTH_GUEST: \"%.32s\" is none of 1 to %d letters, digits and '_'",
		       config->guest, GUEST_MOST);
}

bool
identity_open(struct identity **identity, const struct identity_config *config,
	struct fn_http_client *http, struct fn_error *err)
{
	struct fn_bytes guest;

	TRY(choose_guest(&guest, config, err));
	struct identity *made = malloc(sizeof(*made));
	if (!made)
		return fn_fail(err, FN_INTERNAL, "out of memory");
	*made = (struct identity){guest, http};
	*identity = made;
	return true;
}

void
identity_close(struct identity *identity)
{
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

bool
identity_read(struct identity *identity, struct fn_call *call, struct caller *caller,
	struct fn_error *err)
{
	if (fn_header(call, "Authorization").size > 0)
		return refuse(call, "there is no issuer whose tokens are taken", err);
	*caller = (struct caller){.subject = identity->guest};
	return true;
}
