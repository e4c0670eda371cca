#include "local/issuer/handler.h"

#include "fn/clock.h"
#include "fn/json.h"
#include "fn/route.h"
#include "local/issuer/pages.h"

#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NAME_MOST 32
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789_-"

#define PAGE_POLICY                                                                                \
	"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "              \
	"frame-ancestors 'none'"

/* ---- What every issuer has ------------------------------------------------------------------- */

static bool
reply_public(struct fn_call *call, const char *json, struct fn_error *err)
{
	TRY(fn_reply_header(call, "Cache-Control", FN_BYTES("public, max-age=300"), err));
	return fn_reply(call, 200, fn_bytes(json), err);
}

static bool
discovery(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct issuer *issuer = with;
	const char *at = issuer->origin;

	return reply_public(call,
		fn_textf(call->arena,
			"{\"issuer\":\"%s/issuer\",\"jwks_uri\":\"%s/issuer/jwks.json\","
			"\"authorization_endpoint\":\"%s/issuer\","
			"\"token_endpoint\":\"%s/issuer/token\","
			"\"response_types_supported\":[\"id_token\"],"
			"\"subject_types_supported\":[\"public\"],"
			"\"id_token_signing_alg_values_supported\":[\"ES256\"]}",
			at, at, at, at),
		err);
}

static bool
keys(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct issuer *issuer = with;

	return reply_public(
		call, fn_textf(call->arena, "{\"keys\":[%s]}", key_jwk(issuer->key)), err);
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

/* So short and plain that it is fit for a URL, a page and a shell. */
static bool
check_name(struct fn_bytes name, struct fn_error *err)
{
	if (name.size == 0 || name.size > NAME_MOST)
		return fn_fail(err, FN_INVALID, "name: 1 to %d characters are wanted", NAME_MOST);
	return fn_bytes_consists_of(name, NAME_CHARACTERS) ||
	       fn_fail(err, FN_INVALID, "name: only a-z, 0-9, _ and - are allowed");
}

static bool
sign(struct fn_call *call, const struct issuer *issuer, struct fn_bytes name,
	struct fn_bytes *token, struct fn_error *err)
{
	int64_t now_s = fn_unix_ms() / 1000;
	const char *claims;

	TRY(check_name(name, err));
	claims = fn_textf(call->arena,
		"{\"iss\":\"%s/issuer\",\"aud\":\"%s\",\"sub\":\"%.*s\",\"name\":\"%.*s\","
		"\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}",
		issuer->origin, issuer->audience, FN_ARG(name), FN_ARG(name), now_s,
		now_s + issuer->lifetime_s);
	return key_sign(issuer->key, call->arena, fn_bytes(claims), token, err);
}

static bool
reply_secret(struct fn_call *call, const char *text, struct fn_error *err)
{
	TRY(fn_reply_header(call, "Cache-Control", FN_BYTES("no-store"), err));
	return fn_reply(call, 200, fn_bytes(text), err);
}

/* Pages of other origins can post what a form can, but no JSON: a token is for our pages alone. */
static bool
check_media_type(const struct fn_call *call, const char *wanted, struct fn_error *err)
{
	struct fn_bytes rest = fn_header(call, "Content-Type");

	return fn_bytes_is_nocase(fn_bytes_trim(fn_bytes_cut(&rest, ';')), wanted) ||
	       fn_fail(err, FN_UNSUPPORTED_MEDIA, "Content-Type: %s is wanted", wanted);
}

/* POST {"name": text}: for programs, in the words of RFC 6749, section 5.1. */
static bool
token(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct issuer *issuer = with;
	struct fn_bytes body, name, made;

	TRY(check_media_type(call, "application/json", err));
	TRY(fn_json_read(call->body, &body, err));
	if (!fn_json_text(body, "name", call->arena, &name))
		return fn_fail(err, FN_INVALID, "name: missing");
	TRY(sign(call, issuer, name, &made, err));
	return reply_secret(call,
		fn_textf(call->arena,
			"{\"access_token\":\"%.*s\",\"id_token\":\"%.*s\","
			"\"token_type\":\"Bearer\",\"expires_in\":%ld}",
			FN_ARG(made), FN_ARG(made), issuer->lifetime_s),
		err);
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static bool
reply_page(struct fn_call *call, const char *html, struct fn_error *err)
{
	TRY(fn_reply_header(call, "Content-Type", FN_BYTES("text/html; charset=utf-8"), err));
	TRY(fn_reply_header(call, "Content-Security-Policy", FN_BYTES(PAGE_POLICY), err));
	return reply_secret(call, html, err);
}

static bool
page(struct fn_call *call, const void *with, struct fn_error *err)
{
	(void)with;
	return reply_page(call, PAGE_ASK, err);
}

/* POST name=text, from that page: the token, for people to copy. */
static bool
sign_in(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct issuer *issuer = with;
	const struct fn_call form = {.arena = call->arena, .query = call->body};
	struct fn_bytes name, made;

	TRY(check_media_type(call, "application/x-www-form-urlencoded", err));
	if (!fn_query(&form, "name", &name))
		return fn_fail(err, FN_INVALID, "name: missing");
	TRY(sign(call, issuer, name, &made, err));
	return reply_page(call,
		fn_textf(call->arena, PAGE_TELL, FN_ARG(name), issuer->lifetime_s / 60,
			FN_ARG(made), issuer->origin, FN_ARG(made)),
		err);
}

bool
issuer_handle(struct fn_call *call, const void *with, struct fn_error *err)
{
	static const struct fn_route routes[] = {
		{"GET", "/issuer/.well-known/openid-configuration", discovery},
		{"GET", "/issuer/jwks.json", keys},
		{"POST", "/issuer/token", token},
		{"GET", "/issuer", page},
		{"POST", "/issuer", sign_in},
	};

	TRY(fn_reply_header(call, "X-Content-Type-Options", FN_BYTES("nosniff"), err));
	return fn_route(call, routes, COUNT(routes), with, err);
}
