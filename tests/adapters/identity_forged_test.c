/* Tokens that are forged, mangled, or no tokens at all. */
#include "tests/support/bearer.h"

#include <string.h>

static const char *
parts(const char *header, const char *claims, struct fn_bytes signature)
{
	return fn_textf(arena, "%s.%s.%s", token_encode(arena, fn_bytes(header)),
		token_encode(arena, fn_bytes(claims)), token_encode(arena, signature));
}

/* The right token with another end: its signature, or what is added to it. */
static const char *
ending(const char *signature)
{
	const char *token = bearer_right_token();

	return fn_textf(arena, "%.*s%s", (int)(strrchr(token, '.') + 1 - token), token, signature);
}

static const char *
more(const char *text)
{
	return fn_textf(arena, "%s%s", bearer_right_token(), text);
}

static const char *
numbers(const char *r, const char *s)
{
	char both[64] = {0};

	memcpy(both, r, strlen(r));
	memcpy(both + 32, s, strlen(s));
	return ending(token_encode(arena, (struct fn_bytes){both, 64}));
}

static const char *
hmac(const char *secret)
{
	static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"ec\"}";
	const char *text = fn_textf(arena, "%s.%s", token_encode(arena, fn_bytes(header)),
		token_encode(arena, fn_bytes(CLAIMS)));

	return parts(header, CLAIMS, token_hmac(arena, fn_bytes(secret), fn_bytes(text)));
}

static const char *
of_unsigned(void)
{
	return fn_textf(arena, "%s.%s.", token_encode(arena, FN_BYTES("{\"alg\":\"none\"}")),
		token_encode(arena, FN_BYTES(CLAIMS)));
}

static const char *
of_hmac_with_pem(void)
{
	return hmac(token_pem(bearer.ec, arena));
}

static const char *
of_hmac_with_jwk(void)
{
	return hmac(bearer_jwk(bearer.ec, "ec"));
}

static const char *
of_attacker(void)
{
	return token_sign(bearer.attacker, arena, ES256, CLAIMS);
}

static const char *
of_attacker_with_key(void)
{
	return token_sign(bearer.attacker, arena,
		fn_textf(arena, "{\"alg\":\"ES256\",\"kid\":\"ec\",\"jwk\":%s}",
			bearer_jwk(bearer.attacker, "ec")),
		CLAIMS);
}

static const char *
of_attacker_with_url(void)
{
	return token_sign(bearer.attacker, arena,
		fn_textf(arena, "{\"alg\":\"ES256\",\"kid\":\"ec\",\"jku\":\"%s\",\"x5u\":\"%s\"}",
			scripted_server_url(bearer.issuer), scripted_server_url(bearer.issuer)),
		CLAIMS);
}

/* The signature is right, and is another text's. */
static const char *
of_other_claims(void)
{
	const char *token = bearer_right_token();

	return fn_textf(arena, "%s.%s.%s", token_encode(arena, fn_bytes(ES256)),
		token_encode(arena, FN_BYTES("{" FOR_US "\"sub\":\"bob\"," DATES "}")),
		strrchr(token, '.') + 1);
}

static const char *
of_der(void)
{
	return ending("MEUCIQDZbYTdB2nd3zX6kgXFZMlHJlbhYUrLCzbnmwg1V2f7GAIgIKXhBHOVRrpJgEjBR3kQ"
		      "7oOD0Zi3HAaIEwGBZgS5xjw");
}

static const char *
of_rsa_cut(void)
{
	const char *text = fn_textf(arena, "%s.%s", token_encode(arena, FN_BYTES(RS256)),
		token_encode(arena, FN_BYTES(CLAIMS)));
	struct fn_bytes signature = token_signature(bearer.rsa, arena, fn_bytes(text));

	signature.size--;
	return parts(RS256, CLAIMS, signature);
}

static const char *
of_rsa_nothing(void)
{
	static const char zero[256];

	return parts(RS256, CLAIMS, (struct fn_bytes){zero, sizeof(zero)});
}

static const char *
of_oversize(void)
{
	struct fn_builder claims = {.arena = arena};

	fn_addf(&claims, "{" FOR_US ADA DATES ",\"x\":\"");
	for (int i = 0; i < 70; i++)
		fn_addf(&claims, HUNDRED);
	fn_addf(&claims, "\"}");
	return bearer_sign(ES256, fn_text(arena, fn_built(&claims)));
}

/* The last character holds two bits that nobody reads; another one would be the same token. */
static const char *
of_other_last_bits(void)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *token = fn_text(arena, fn_bytes(bearer_right_token()));
	char *last = token + strlen(token) - 1;

	*last = digits[strchr(digits, *last) - digits + 1];
	return token;
}

static const char *
of_other_alphabet(void)
{
	char *token = fn_text(arena, fn_bytes(token_sign(bearer.rsa, arena, RS256, CLAIMS)));

	for (char *c = token; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return token;
}

static const char *
of_json(void)
{
	const char *token = bearer_right_token(), *first = strchr(token, '.'),
		   *last = strrchr(token, '.');

	return fn_textf(arena, "{\"protected\":\"%.*s\",\"payload\":\"%.*s\",\"signature\":\"%s\"}",
		(int)(first - token), token, (int)(last - first - 1), first + 1, last + 1);
}

static const char *
of_weak(void)
{
	return token_sign(bearer.weak, arena, "{\"alg\":\"RS256\",\"kid\":\"weak\"}", CLAIMS);
}

#define ORDER /* of P-256 */                                                                       \
	"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17" \
	"\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"

static const char *
of_order(void)
{
	char both[64];

	memcpy(both, ORDER, 32);
	memcpy(both + 32, ORDER, 32);
	return ending(token_encode(arena, (struct fn_bytes){both, 64}));
}

/* clang-format off */
static const char *of_no_signature(void) { return ending(""); }
static const char *of_short(void) { return ending("MTIzNDU2Nzg"); }
static const char *of_long(void) { return more("AAAA"); }
static const char *of_zeros(void) { return numbers("", ""); }
static const char *of_zero_r(void) { return numbers("", "\1"); }
static const char *of_zero_s(void) { return numbers("\1", ""); }
static const char *of_padding(void) { return more("=="); }
static const char *of_line_break(void) { return more("\n"); }
static const char *of_blank(void) { return fn_textf(arena, "x %s", bearer_right_token()); }
static const char *of_blank_inside(void) { return ending("AAAA AAAA"); }
static const char *of_dot(void) { return more("."); }
static const char *of_five(void) { return more(".AAAA.AAAA"); }
static const char *of_two(void) { return fn_textf(arena, "%s", strchr(bearer_right_token(), '.') + 1); }
static const char *of_no_header(void) { return fn_textf(arena, "%s", strchr(bearer_right_token(), '.')); }
static const char *of_dots(void) { return ".."; }
static const char *of_word(void) { return "token"; }
/* clang-format on */

#define WRONG "its signature is wrong"
#define NOT_THREE "it does not have three parts"
#define NOT_BASE64 "it is not in base64url"

static const struct forged_case {
	const char *name;
	const char *(*make)(void);
	const char *why;
} forged_cases[] = {
	{"not signed", of_unsigned, NOT_THREE},
	{"signed with the public key in PEM", of_hmac_with_pem, NO_ALGORITHM},
	{"signed with the public key in JSON", of_hmac_with_jwk, NO_ALGORITHM},
	{"signed by another", of_attacker, WRONG},
	{"signed by another, whose key it brings", of_attacker_with_key, WRONG},
	{"signed by another, who has a URL", of_attacker_with_url, WRONG},
	{"signed with a key too small", of_weak, UNKNOWN_KEY},
	{"other claims", of_other_claims, WRONG},
	{"no signature", of_no_signature, NOT_THREE},
	{"a short signature", of_short, WRONG},
	{"a long signature", of_long, WRONG},
	{"a signature in DER", of_der, WRONG},
	{"zeros", of_zeros, WRONG},
	{"r is zero", of_zero_r, WRONG},
	{"s is zero", of_zero_s, WRONG},
	{"r and s are the order", of_order, WRONG},
	{"a cut RSA signature", of_rsa_cut, WRONG},
	{"an RSA signature of zeros", of_rsa_nothing, WRONG},
	{"oversize", of_oversize, "it has more than 8192 bytes"},
	{"padding", of_padding, NOT_BASE64},
	{"a line break", of_line_break, NOT_BASE64},
	{"a blank before", of_blank, NOT_BASE64},
	{"a blank inside", of_blank_inside, NOT_BASE64},
	{"other last bits", of_other_last_bits, NOT_BASE64},
	{"the other alphabet", of_other_alphabet, NOT_BASE64},
	{"JSON serialisation", of_json, NOT_THREE},
	{"a dot at the end", of_dot, NOT_BASE64},
	{"five parts", of_five, NOT_BASE64},
	{"two parts", of_two, NOT_THREE},
	{"no header", of_no_header, NOT_THREE},
	{"dots", of_dots, NOT_THREE},
	{"a word", of_word, NOT_THREE},
};

START_TEST(forged_token_is_refused)
{
	const struct forged_case *c = &forged_cases[_i];

	bearer_is_ada(bearer_right_token()); /* that one was seen makes no difference */
	bearer_is_refused(c->make(), c->name, c->why);
	ck_assert_uint_eq(scripted_server_requests(bearer.issuer), 1); /* nor are keys asked for */
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = forged_token_is_refused, .rows = COUNT(forged_cases)},
	};

	return bearer_suite("forged tokens", cases, COUNT(cases), bearer_begin_known);
}
