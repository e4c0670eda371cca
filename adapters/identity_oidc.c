#include "adapters/identity_oidc.h"

#include "adapters/identity_cache.h"
#include "adapters/identity_keys.h"
#include "adapters/wire/jwt_members.h"
#include "fn/clock.h"

#include <stdlib.h>

#define SKEW_S 60 /* that the issuer's clock and ours may differ */
#define YEAR_9999_S 253402300799.0
#define NUMBER_MOST 32 /* characters */
#define BELIEVED_MS 300000

struct identity_oidc {
	const char *issuer, *audiences;
	struct identity_keys *keys;
	struct identity_cache *cache;
};

/* ---- Opening --------------------------------------------------------------------------------- */

static bool
check(const struct identity_config *config, struct fn_error *err)
{
	if (!identity_keys_url_is_safe(fn_bytes(config->issuer)))
		return fn_fail(err, FN_INVALID,
			"AUTH_ISSUER: an https URL is wanted (http for loopback hosts)");
	if (config->jwks_url[0] != '\0' && !identity_keys_url_is_safe(fn_bytes(config->jwks_url)))
		return fn_fail(err, FN_INVALID,
			"AUTH_JWKS_URL: an https URL is wanted (http for loopback hosts)");
	return config->audience[0] != '\0' ||
	       fn_fail(err, FN_INVALID, "AUTH_AUDIENCE is not set, for whom tokens are made");
}

bool
identity_oidc_open(struct identity_oidc **oidc, const struct identity_config *config,
	struct fn_http_client *http, struct fn_error *err)
{
	TRY(check(config, err));
	struct identity_oidc *made = calloc(1, sizeof(*made));
	if (!made)
		return fn_fail(err, FN_INTERNAL, "out of memory");
	made->issuer = config->issuer;
	made->audiences = config->audience;
	if (!identity_keys_open(&made->keys, config->issuer, config->jwks_url, http, err) ||
		!identity_cache_open(&made->cache, err)) {
		identity_oidc_close(made);
		return false;
	}
	*oidc = made;
	return true;
}

void
identity_oidc_close(struct identity_oidc *oidc)
{
	if (!oidc)
		return;
	identity_cache_close(oidc->cache);
	identity_keys_close(oidc->keys);
	free(oidc);
}

/* ---- Claims ---------------------------------------------------------------------------------- */

enum { ISS, SUB, AUD, AZP, STS, EXP, NBF, IAT, AUTH_TIME, CLAIMS };

static bool
is_audience(const struct identity_oidc *oidc, struct fn_bytes name)
{
	struct fn_bytes rest = fn_bytes(oidc->audiences);

	while (rest.size > 0) {
		if (fn_bytes_equal(fn_bytes_trim(fn_bytes_cut(&rest, ',')), name))
			return true;
	}
	return false;
}

static bool
value_is_audience(const struct identity_oidc *oidc, struct fn_arena *arena, struct fn_bytes value)
{
	struct fn_bytes text;

	return fn_json_string(value, arena, &text) && is_audience(oidc, text);
}

/* One audience or a list of them. Clerk names none, but the page to which it gave the token. */
static bool
is_for_us(const struct identity_oidc *oidc, struct fn_arena *arena, const struct jwt_member *claims)
{
	const struct jwt_member *claim = &claims[claims[AUD].value.size > 0 ? AUD : AZP];
	struct fn_bytes name, value;

	if (claim->value.size == 0)
		return false;
	if (claim == &claims[AZP] || fn_json_type(claim->value) != FN_JSON_ARRAY)
		return value_is_audience(oidc, arena, claim->value);
	for (struct fn_json_items items = fn_json_items(claim->value);
		fn_json_next(&items, &name, &value);) {
		if (value_is_audience(oidc, arena, value))
			return true;
	}
	return false;
}

/* Seconds since 1970, with a fraction where the issuer likes (RFC 7519, 2: NumericDate). */
static bool
read_date(const struct jwt_member *claim, struct fn_arena *arena, double *seconds)
{
	if (claim->value.size == 0 || claim->value.size > NUMBER_MOST ||
		fn_json_type(claim->value) != FN_JSON_NUMBER)
		return false;
	*seconds = strtod(fn_text(arena, claim->value), NULL);
	return *seconds >= 0 && *seconds <= YEAR_9999_S;
}

static bool
check_dates(const struct jwt_member *claims, struct fn_arena *arena, double *expiry,
	struct fn_error *err)
{
	double now = (double)fn_unix_ms() / 1000, date;

	if (!read_date(&claims[EXP], arena, expiry))
		return fn_fail(err, FN_INVALID, "it has no date in \"exp\"");
	if (*expiry + SKEW_S <= now)
		return fn_fail(err, FN_INVALID, "it has expired");
	for (size_t i = NBF; i < CLAIMS; i++) {
		if (claims[i].value.size == 0)
			continue;
		if (!read_date(&claims[i], arena, &date))
			return fn_fail(err, FN_INVALID, "it has no date in \"%.*s\"",
				FN_ARG(claims[i].name));
		if (date > now + SKEW_S)
			return fn_fail(err, FN_INVALID, "its \"%.*s\" is yet to come",
				FN_ARG(claims[i].name));
	}
	return true;
}

/* "sts" is Clerk's, for somebody who is only half signed in. */
static bool
check_claims(const struct identity_oidc *oidc, struct fn_arena *arena,
	const struct jwt_member *claims, struct fn_bytes *subject, double *expiry,
	struct fn_error *err)
{
	struct fn_bytes text;

	if (!jwt_member_text(&claims[ISS], arena, &text) || !fn_bytes_is(text, oidc->issuer))
		return fn_fail(err, FN_INVALID, "it is another issuer's");
	if (!is_for_us(oidc, arena, claims))
		return fn_fail(err, FN_INVALID, "it is for another audience");
	if (jwt_member_text(&claims[STS], arena, &text) && fn_bytes_is(text, "pending"))
		return fn_fail(err, FN_INVALID, "its session is pending");
	if (!jwt_member_text(&claims[SUB], arena, subject) || subject->size > IDENTITY_SUBJECT_MOST)
		return fn_fail(err, FN_INVALID, "it has no usable \"sub\"");
	return check_dates(claims, arena, expiry, err);
}

/* ---- A token --------------------------------------------------------------------------------- */

static bool
verify(struct identity_oidc *oidc, struct fn_call *call, struct fn_bytes token,
	struct fn_bytes *subject, double *expiry, struct fn_error *err)
{
	struct jwt_member claims[CLAIMS] = {
		[ISS] = {.name = FN_BYTES("iss")},
		[SUB] = {.name = FN_BYTES("sub")},
		[AUD] = {.name = FN_BYTES("aud")},
		[AZP] = {.name = FN_BYTES("azp")},
		[STS] = {.name = FN_BYTES("sts")},
		[EXP] = {.name = FN_BYTES("exp")},
		[NBF] = {.name = FN_BYTES("nbf")},
		[IAT] = {.name = FN_BYTES("iat")},
		[AUTH_TIME] = {.name = FN_BYTES("auth_time")},
	};
	struct jws jws;

	TRY(jws_read(&jws, call->arena, token, err));
	if (!jwt_members_read(jws.payload, call->arena, claims, CLAIMS, err))
		return fn_wrap(err, "claims");
	TRY(check_claims(oidc, call->arena, claims, subject, expiry, err));
	return identity_keys_verify(oidc->keys, call, &jws, err);
}

/* The claims are looked at first, since that is cheaper than the signature; nothing is believed
 * before both are right. */
bool
identity_oidc_verify(struct identity_oidc *oidc, struct fn_call *call, struct fn_bytes token,
	struct fn_bytes *subject, struct fn_error *err)
{
	const struct sha256 hash = sha256_of(token);
	int64_t now_ms = fn_unix_ms();
	double expiry;

	if (identity_cache_find(oidc->cache, &hash, now_ms, call->arena, subject))
		return true;
	TRY(verify(oidc, call, token, subject, &expiry, err));
	int64_t until_ms = (int64_t)(expiry * 1000);
	if (until_ms > now_ms + BELIEVED_MS)
		until_ms = now_ms + BELIEVED_MS;
	identity_cache_add(oidc->cache, &hash, until_ms, *subject);
	return true;
}
