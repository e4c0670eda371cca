/* An issuer whose keys a scripted server has, a clock that is set by hand, and every way in which a
 * token can be wrong. */
#include "adapters/identity.h"

#include "fn/clock.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"
#include "tests/support/token.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOW_S 1800000000
#define NOW_MS (NOW_S * INT64_C(1000))
#define ISSUER "https://issuer.example/phoenix"
#define DATES "\"iat\":1799999990,\"exp\":1800003600"
#define FOR_US "\"iss\":\"" ISSUER "\",\"aud\":\"phoenix\","
#define ADA "\"sub\":\"ada\","
#define CLAIMS "{" FOR_US ADA DATES "}"
#define RS256 "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"rsa\"}"
#define ES256 "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"ec\"}"
#define MINUTES *60 * INT64_C(1000)
#define THREADS 16

static struct token_key *rsa, *ec, *weak, *attacker; /* as long as the program */
static struct fn_arena *arena;
static struct fn_http_client *http;
static struct scripted_server *server;
static struct identity *identity;

/* ---- One request ----------------------------------------------------------------------------- */

struct answer {
	bool ok;
	struct caller caller;
	struct fn_error err;
	struct fn_bytes challenge; /* its WWW-Authenticate */
	const char *log;           /* all lines */
};

static const char *
log_of(int file)
{
	off_t size = lseek(file, 0, SEEK_END);
	char *text = fn_arena_zero(arena, (size_t)size + 1);

	ck_assert_int_eq(pread(file, text, (size_t)size, 0), size);
	return text;
}

static struct answer
ask_with(const struct fn_header *headers, size_t count)
{
	struct fn_call call = {.arena = arena, .headers = headers, .header_count = count};
	struct answer answer = {0};
	int log = memfd_create("log", MFD_CLOEXEC), out = dup(STDOUT_FILENO);

	dup2(log, STDOUT_FILENO);
	answer.ok = identity_read(identity, &call, &answer.caller, &answer.err);
	dup2(out, STDOUT_FILENO);
	close(out);
	answer.log = log_of(log);
	close(log);
	if (call.answer.header_count > 0) {
		ck_assert_bytes_eq(call.answer.headers[0].name, "WWW-Authenticate");
		answer.challenge = call.answer.headers[0].value;
	}
	return answer;
}

static struct answer
ask_as(const char *authorization)
{
	const struct fn_header header = {FN_BYTES("Authorization"), fn_bytes(authorization)};

	return ask_with(&header, 1);
}

static struct answer
ask(const char *token)
{
	return ask_as(fn_textf(arena, "Bearer %s", token));
}

static void
assert_known(struct answer answer, const char *subject)
{
	ck_assert_msg(answer.ok, "%s; %s", answer.err.message, answer.log);
	ck_assert_bytes_eq(answer.caller.issuer, ISSUER);
	ck_assert_bytes_eq(answer.caller.subject, subject);
}

/* The client is told that, and only the log why. */
static void
assert_refused(struct answer answer, const char *name, const char *why)
{
	ck_assert_msg(!answer.ok, "%s: was taken", name);
	ck_assert_msg(answer.err.code == FN_UNAUTHENTICATED, "%s: %s", name, answer.err.message);
	ck_assert_str_eq(answer.err.message, "the token is not valid");
	ck_assert_bytes_eq(answer.challenge, "Bearer error=\"invalid_token\"");
	ck_assert_msg(strstr(answer.log, "token refused: ") && strstr(answer.log, why),
		"%s: not \"%s\" but %s", name, why, answer.log);
}

/* ---- An issuer ------------------------------------------------------------------------------- */

static struct identity_config
config_of(const char *jwks_url)
{
	return (struct identity_config){
		.issuer = ISSUER,
		.audience = "phoenix, https://phoenix.example",
		.jwks_url = jwks_url,
		.guest = "",
		.service = "phoenix-feed",
	};
}

static const char *
serve(const struct script *script, size_t count)
{
	server = scripted_server_start(script, count);
	return scripted_server_url(server);
}

static void
open_with(const struct identity_config *config)
{
	struct fn_error err = {0};

	ck_assert_msg(identity_open(&identity, config, http, &err), "%s", err.message);
}

static void
open_keys(const struct script *script, size_t count)
{
	const struct identity_config config = config_of(serve(script, count));

	open_with(&config);
}

static struct fn_bytes
keys_of(const char *first, const char *second)
{
	return fn_bytes(fn_textf(
		arena, "{\"keys\":[%s%s%s]}", first, second ? "," : "", second ? second : ""));
}

static const char *
jwk_of(const struct token_key *key, const char *id)
{
	return token_jwk(key, arena, fn_textf(arena, "\"use\":\"sig\",\"kid\":\"%s\"", id));
}

static void
setup(void)
{
	struct fn_error err;

	unsetenv("http_proxy");
	fn_clock_pretend(NOW_MS);
	arena = fn_arena_new();
	ck_assert(fn_http_client_open(&http, &err));
}

static void
teardown(void)
{
	identity_close(identity);
	scripted_server_stop(server);
	fn_http_client_close(http);
	fn_arena_drop(arena);
	fn_clock_pretend(0);
}

static void
setup_keys(void)
{
	static struct script script;

	setup();
	const char *both = fn_textf(arena, "%s,%s", jwk_of(ec, "ec"), jwk_of(weak, "weak"));
	script = (struct script){.status = 200, .body = keys_of(jwk_of(rsa, "rsa"), both)};
	open_keys(&script, 1);
}

/* ---- Right tokens ---------------------------------------------------------------------------- */

static const struct right_case {
	const char *name, *header, *claims;
} right_cases[] = {
	{"RSA", RS256, CLAIMS},
	{"an elliptic curve", ES256, CLAIMS},
	{"no type", "{\"alg\":\"ES256\",\"kid\":\"ec\"}", CLAIMS},
	{"an access token", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"AT+JWT\"}", CLAIMS},
	{"keys offered in the header, unseen",
		"{\"alg\":\"ES256\",\"kid\":\"ec\",\"jku\":\"http://127.0.0.1:1/\",\"x5u\":7}",
		CLAIMS},
	{"a list of audiences", ES256,
		"{\"iss\":\"" ISSUER "\",\"aud\":[\"other\",7,\"phoenix\"]," ADA DATES "}"},
	{"the second audience", ES256,
		"{\"iss\":\"" ISSUER "\",\"aud\":\"https://phoenix.example\"," ADA DATES "}"},
	{"Clerk's, for a page", ES256,
		"{\"iss\":\"" ISSUER "\",\"azp\":\"https://phoenix.example\"," ADA DATES "}"},
	{"dates with fractions", ES256,
		"{" FOR_US ADA "\"iat\":1799999999.5,\"exp\":1.80000360025e9}"},
	{"just expired", ES256, "{" FOR_US ADA "\"exp\":1799999941}"},
	{"almost begun", ES256, "{" FOR_US ADA "\"nbf\":1800000060,\"exp\":1800003600}"},
	{"a subject in escapes", ES256, "{" FOR_US "\"sub\":\"\\u0061da\"," DATES "}"},
	{"names that nobody reads, twice", ES256, "{" FOR_US ADA "\"x\":1,\"x\":2," DATES "}"},
};

START_TEST(right_token_names_its_subject)
{
	const struct right_case *c = &right_cases[_i];
	const struct token_key *key = strstr(c->header, "RS256") ? rsa : ec;

	assert_known(ask(token_sign(key, arena, c->header, c->claims)), "ada");
}
END_TEST

START_TEST(scheme_may_be_written_in_any_case)
{
	const char *token = token_sign(ec, arena, ES256, CLAIMS);

	assert_known(ask_as(fn_textf(arena, "bearer  %s ", token)), "ada");
}
END_TEST

/* ---- Wrong claims and headers, signed by the issuer itself ------------------------------------
 */

#define NO_DATE "it has no date in \"exp\""
#define NO_SUBJECT "it has no usable \\\"sub\\\""
#define OTHER_ISSUER "it is another issuer's"
#define OTHER_AUDIENCE "it is for another audience"
#define EXP(value) "{" FOR_US ADA "\"exp\":" value "}"
#define ISS(value) "{\"aud\":\"phoenix\"," ADA DATES ",\"iss\":" value "}"
#define AUD(value) "{\"iss\":\"" ISSUER "\"," ADA DATES ",\"aud\":" value "}"
#define SUB(value) "{" FOR_US DATES ",\"sub\":" value "}"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct claims_case {
	const char *name, *claims, *why;
} claims_cases[] = {
	{"no object", "[]", "claims: this is no JSON object"},
	{"no JSON", "{\"iss\":", "claims: this is no JSON"},
	{"JSON and more", CLAIMS "x", "claims: this is no JSON"},
	{"no UTF-8", "{" FOR_US ADA DATES ",\"x\":\"\xff\"}", "claims: this is no JSON"},
	{"a token", "eyJhbGciOiJub25lIn0.e30.", "claims: this is no JSON"},

	{"no issuer", "{\"aud\":\"phoenix\"," ADA DATES "}", OTHER_ISSUER},
	{"another issuer", ISS("\"https://other.example\""), OTHER_ISSUER},
	{"a slash at the end", ISS("\"" ISSUER "/\""), OTHER_ISSUER},
	{"a part of the issuer", ISS("\"https://issuer.example\""), OTHER_ISSUER},
	{"a list of issuers", ISS("[\"" ISSUER "\"]"), OTHER_ISSUER},
	{"two issuers", ISS("\"" ISSUER "\",\"iss\":\"x\""), "\\\"iss\\\" is there twice"},

	{"no audience", "{\"iss\":\"" ISSUER "\"," ADA DATES "}", OTHER_AUDIENCE},
	{"another audience", AUD("\"other\""), OTHER_AUDIENCE},
	{"a part of the audience", AUD("\"phoeni\""), OTHER_AUDIENCE},
	{"audiences as we have them", AUD("\"phoenix, https://phoenix.example\""), OTHER_AUDIENCE},
	{"an empty audience", AUD("\"\""), OTHER_AUDIENCE},
	{"an empty list", AUD("[]"), OTHER_AUDIENCE},
	{"a list without us", AUD("[\"other\",[\"phoenix\"],{\"phoenix\":1}]"), OTHER_AUDIENCE},
	{"an audience that is an object", AUD("{\"phoenix\":\"phoenix\"}"), OTHER_AUDIENCE},
	{"no audience, yet a page", AUD("null,\"azp\":\"https://phoenix.example\""),
		OTHER_AUDIENCE},
	{"pages in a list", "{\"iss\":\"" ISSUER "\",\"azp\":[\"phoenix\"]," ADA DATES "}",
		OTHER_AUDIENCE},

	{"no subject", "{" FOR_US DATES "}", NO_SUBJECT},
	{"an empty subject", SUB("\"\""), NO_SUBJECT},
	{"a number for a subject", SUB("7"), NO_SUBJECT},
	{"a subject that is null", SUB("null"), NO_SUBJECT},
	{"a list of subjects", SUB("[\"ada\"]"), NO_SUBJECT},
	{"a subject too long", SUB("\"" HUNDRED HUNDRED TEN TEN TEN TEN TEN "123456\""),
		NO_SUBJECT},
	{"two subjects", SUB("\"ada\",\"sub\":\"bob\""), "\\\"sub\\\" is there twice"},
	{"two subjects, one in disguise", SUB("\"ada\",\"s\\u0075b\":\"bob\""),
		"\\\"sub\\\" is there twice"},
	{"half signed in", "{" FOR_US ADA DATES ",\"sts\":\"pending\"}", "session is pending"},

	{"no end", "{" FOR_US ADA "\"iat\":1}", "\\\"exp\\\""},
	{"an end that is null", EXP("null"), "\\\"exp\\\""},
	{"an end that is text", EXP("\"1800003600\""), "\\\"exp\\\""},
	{"an end that is true", EXP("true"), "\\\"exp\\\""},
	{"an end that is a list", EXP("[1800003600]"), "\\\"exp\\\""},
	{"an end that is no number", EXP("NaN"), "claims: this is no JSON"},
	{"an end without bound", EXP("1e400"), "\\\"exp\\\""},
	{"an end that is huge", EXP("1e300"), "\\\"exp\\\""},
	{"an end in the year 10000", EXP("253402300800"), "\\\"exp\\\""},
	{"an end in many digits", EXP("1800003600.00000000000000000000000"), "\\\"exp\\\""},
	{"an end before 1970", EXP("-1"), "\\\"exp\\\""},
	{"two ends", EXP("1,\"exp\":1800003600"), "\\\"exp\\\" is there twice"},
	{"expired", EXP("1799999940"), "it has expired"},
	{"expired long ago", EXP("0"), "it has expired"},
	{"not begun", "{" FOR_US ADA DATES ",\"nbf\":1800000061}", "\\\"nbf\\\" is yet to come"},
	{"made tomorrow", "{" FOR_US ADA "\"exp\":1800099999,\"iat\":1800000061}",
		"\\\"iat\\\" is yet to come"},
	{"signed in tomorrow", "{" FOR_US ADA DATES ",\"auth_time\":1800000061}",
		"\\\"auth_time\\\" is yet to come"},
	{"a beginning that is text", "{" FOR_US ADA DATES ",\"nbf\":\"0\"}",
		"no date in \\\"nbf\\\""},
};

START_TEST(wrong_claims_are_refused)
{
	const struct claims_case *c = &claims_cases[_i];

	assert_refused(ask(token_sign(ec, arena, ES256, c->claims)), c->name, c->why);
}
END_TEST

#define NO_ALGORITHM "header: its algorithm is neither RS256 nor ES256"
#define NO_KEY "header: it names no key"
#define UNKNOWN_KEY "it is signed with a key that the issuer does not have"
#define ALG(value) "{\"kid\":\"ec\",\"alg\":" value "}"
#define KID(value) "{\"alg\":\"ES256\",\"kid\":" value "}"
#define WITH(member) "{\"alg\":\"ES256\",\"kid\":\"ec\"," member "}"

static const struct header_case {
	const char *name, *header, *why;
} header_cases[] = {
	{"no object", "\"ES256\"", "header: this is no JSON object"},
	{"no JSON", "{alg:\"ES256\"}", "header: this is no JSON"},
	{"no algorithm", "{\"kid\":\"ec\"}", NO_ALGORITHM},
	{"none", ALG("\"none\""), NO_ALGORITHM},
	{"none in capitals", ALG("\"NONE\""), NO_ALGORITHM},
	{"none in both", ALG("\"nOnE\""), NO_ALGORITHM},
	{"an empty algorithm", ALG("\"\""), NO_ALGORITHM},
	{"small letters", ALG("\"es256\""), NO_ALGORITHM},
	{"more behind a NUL", ALG("\"ES256\\u0000\""), NO_ALGORITHM},
	{"a number", ALG("256"), NO_ALGORITHM},
	{"a list of algorithms", ALG("[\"ES256\"]"), NO_ALGORITHM},
	{"a symmetric one", ALG("\"HS256\""), NO_ALGORITHM},
	{"another hash", ALG("\"ES512\""), NO_ALGORITHM},
	{"another padding", ALG("\"PS256\""), NO_ALGORITHM},
	{"two algorithms", ALG("\"none\",\"alg\":\"ES256\""), "\\\"alg\\\" is there twice"},
	{"the other key's algorithm", ALG("\"RS256\""), UNKNOWN_KEY},
	{"no key", "{\"alg\":\"ES256\"}", NO_KEY},
	{"an empty key", KID("\"\""), NO_KEY},
	{"a number for a key", KID("0"), NO_KEY},
	{"a key too long", KID("\"" HUNDRED HUNDRED HUNDRED "\""), NO_KEY},
	{"an unknown key", KID("\"other\""), UNKNOWN_KEY},
	{"a key that is a file", KID("\"../../../../dev/null\""), UNKNOWN_KEY},
	{"a key that is a query", KID("\"ec' OR '1'='1\""), UNKNOWN_KEY},
	{"a key and more behind a NUL", KID("\"ec\\u0000\""), UNKNOWN_KEY},
	{"two keys", KID("\"rsa\",\"kid\":\"ec\""), "\\\"kid\\\" is there twice"},
	{"something critical", WITH("\"crit\":[\"exp\"],\"exp\":1"), "it has \\\"crit\\\""},
	{"nothing critical", WITH("\"crit\":[]"), "it has \\\"crit\\\""},
	{"another payload", WITH("\"b64\":false"), "it has \\\"b64\\\""},
	{"compressed", WITH("\"zip\":\"DEF\""), "it has \\\"zip\\\""},
	{"a token in a token", WITH("\"cty\":\"JWT\""), "it has \\\"cty\\\""},
	{"a logout", WITH("\"typ\":\"logout+jwt\""), "its type is neither"},
	{"a proof of possession", WITH("\"typ\":\"dpop+jwt\""), "its type is neither"},
	{"a type that is a number", WITH("\"typ\":1"), "its type is neither"},
};

START_TEST(wrong_header_is_refused)
{
	const struct header_case *c = &header_cases[_i];

	assert_refused(ask(token_sign(ec, arena, c->header, CLAIMS)), c->name, c->why);
}
END_TEST

/* ---- Forged and mangled tokens ----------------------------------------------------------------
 */

static const char *
parts(const char *header, const char *claims, struct fn_bytes signature)
{
	return fn_textf(arena, "%s.%s.%s", token_encode(arena, fn_bytes(header)),
		token_encode(arena, fn_bytes(claims)), token_encode(arena, signature));
}

static const char *
right(void)
{
	return token_sign(ec, arena, ES256, CLAIMS);
}

/* The right token with another end: its signature, or what is added to it. */
static const char *
ending(const char *signature)
{
	const char *token = right();

	return fn_textf(arena, "%.*s%s", (int)(strrchr(token, '.') + 1 - token), token, signature);
}

static const char *
more(const char *text)
{
	return fn_textf(arena, "%s%s", right(), text);
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
	return hmac(token_pem(ec, arena));
}

static const char *
of_hmac_with_jwk(void)
{
	return hmac(jwk_of(ec, "ec"));
}

static const char *
of_attacker(void)
{
	return token_sign(attacker, arena, ES256, CLAIMS);
}

static const char *
of_attacker_with_key(void)
{
	return token_sign(attacker, arena,
		fn_textf(arena, "{\"alg\":\"ES256\",\"kid\":\"ec\",\"jwk\":%s}",
			jwk_of(attacker, "ec")),
		CLAIMS);
}

static const char *
of_attacker_with_url(void)
{
	return token_sign(attacker, arena,
		fn_textf(arena, "{\"alg\":\"ES256\",\"kid\":\"ec\",\"jku\":\"%s\",\"x5u\":\"%s\"}",
			scripted_server_url(server), scripted_server_url(server)),
		CLAIMS);
}

/* The signature is right, and is another text's. */
static const char *
of_other_claims(void)
{
	const char *token = right();

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
	struct fn_bytes signature = token_signature(rsa, arena, fn_bytes(text));

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
	return token_sign(ec, arena, ES256, fn_text(arena, fn_built(&claims)));
}

/* The last character holds two bits that nobody reads; another one would be the same token. */
static const char *
of_other_last_bits(void)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *token = fn_text(arena, fn_bytes(right()));
	char *last = token + strlen(token) - 1;

	*last = digits[strchr(digits, *last) - digits + 1];
	return token;
}

static const char *
of_other_alphabet(void)
{
	char *token = fn_text(arena, fn_bytes(token_sign(rsa, arena, RS256, CLAIMS)));

	for (char *c = token; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	return token;
}

static const char *
of_json(void)
{
	const char *token = right(), *first = strchr(token, '.'), *last = strrchr(token, '.');

	return fn_textf(arena, "{\"protected\":\"%.*s\",\"payload\":\"%.*s\",\"signature\":\"%s\"}",
		(int)(first - token), token, (int)(last - first - 1), first + 1, last + 1);
}

static const char *
of_weak(void)
{
	return token_sign(weak, arena, "{\"alg\":\"RS256\",\"kid\":\"weak\"}", CLAIMS);
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
static const char *of_short(void) { return ending(token_encode(arena, FN_BYTES(HUNDRED)) + 50); }
static const char *of_long(void) { return more("AAAA"); }
static const char *of_zeros(void) { return numbers("", ""); }
static const char *of_zero_r(void) { return numbers("", "\1"); }
static const char *of_zero_s(void) { return numbers("\1", ""); }
static const char *of_padding(void) { return more("=="); }
static const char *of_line_break(void) { return more("\n"); }
static const char *of_blank(void) { return fn_textf(arena, "x %s", right()); }
static const char *of_blank_inside(void) { return ending("AAAA AAAA"); }
static const char *of_dot(void) { return more("."); }
static const char *of_five(void) { return more(".AAAA.AAAA"); }
static const char *of_two(void) { return fn_textf(arena, "%s", strchr(right(), '.') + 1); }
static const char *of_no_header(void) { return fn_textf(arena, "%s", strchr(right(), '.')); }
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

	assert_known(ask(right()), "ada"); /* that a right one was seen makes no difference */
	assert_refused(ask(c->make()), c->name, c->why);
}
END_TEST

/* ---- Other headers ----------------------------------------------------------------------------
 */

static const char *const schemes[] = {"", "Bearer", "Bearer ", "Basic YTpi", "Token x", "x"};

START_TEST(other_authorization_is_refused)
{
	assert_refused(ask_as(schemes[_i]), schemes[_i], "there is not one bearer token");
}
END_TEST

START_TEST(two_tokens_are_refused)
{
	struct fn_bytes value = fn_bytes(fn_textf(arena, "Bearer %s", right()));
	const struct fn_header headers[] = {
		{FN_BYTES("Authorization"), value}, {FN_BYTES("authorization"), value}};

	assert_refused(ask_with(headers, 2), "two", "there is not one bearer token");
}
END_TEST

START_TEST(no_token_is_nobody_s)
{
	struct answer answer = ask_with(NULL, 0);

	ck_assert(answer.ok);
	ck_assert_uint_eq(answer.caller.subject.size, 0);
	ck_assert_uint_eq(scripted_server_requests(server), 0);
}
END_TEST

/* ---- Keys ------------------------------------------------------------------------------------ */

static const char *
token_of(const struct token_key *key, const char *id)
{
	return token_sign(key, arena, fn_textf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", id),
		"{" FOR_US ADA "\"exp\":1900000000}");
}

/* Another one each time, so that none of them was seen before. */
static const char *
fresh_token(const struct token_key *key, const char *id)
{
	static unsigned number;

	return token_sign(key, arena, fn_textf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", id),
		fn_textf(arena, "{" FOR_US ADA "\"exp\":1900000000,\"n\":%u}", number++));
}

static const char *
fresh(void)
{
	return fresh_token(ec, "ec");
}

static void *
verify_one(void *token)
{
	const struct fn_header header = {FN_BYTES("Authorization"), fn_bytes(token)};
	struct fn_call call = {.arena = fn_arena_new(), .headers = &header, .header_count = 1};
	struct caller caller;
	struct fn_error err;
	bool ok =
		identity_read(identity, &call, &caller, &err) && fn_bytes_is(caller.subject, "ada");

	fn_arena_drop(call.arena);
	return ok ? token : NULL;
}

START_TEST(keys_are_fetched_once_for_all)
{
	const struct script script = {
		.status = 200, .body = keys_of(jwk_of(ec, "ec"), NULL), .wait_ms = 300};
	pthread_t threads[THREADS];
	void *good;

	open_keys(&script, 1);
	for (int i = 0; i < THREADS; i++)
		ck_assert(!pthread_create(
			&threads[i], NULL, verify_one, fn_textf(arena, "Bearer %s", fresh())));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &good);
		ck_assert_ptr_nonnull(good);
	}
	ck_assert_uint_eq(scripted_server_requests(server), 1);
}
END_TEST

START_TEST(new_key_is_fetched_when_it_is_used)
{
	const struct script script[] = {
		{.status = 200, .body = keys_of(jwk_of(ec, "old"), NULL)},
		{.status = 200, .body = keys_of(jwk_of(attacker, "new"), jwk_of(ec, "old"))},
	};

	open_keys(script, COUNT(script));
	assert_known(ask(fresh_token(ec, "old")), "ada");
	fn_clock_pretend(NOW_MS + 10000);
	assert_known(ask(fresh_token(attacker, "new")), "ada");
	assert_known(ask(fresh_token(ec, "old")), "ada");
	ck_assert_uint_eq(scripted_server_requests(server), 2);
}
END_TEST

START_TEST(unknown_keys_are_asked_for_every_ten_seconds_at_most)
{
	const struct script script = {.status = 200, .body = keys_of(jwk_of(ec, "ec"), NULL)};

	open_keys(&script, 1);
	for (int second = 0; second < 30; second++) {
		fn_clock_pretend(NOW_MS + second * 1000);
		for (int i = 0; i < 3; i++)
			assert_refused(ask(fresh_token(attacker, fn_textf(arena, "k%d", i))),
				"unknown", UNKNOWN_KEY);
		assert_known(ask(fresh()), "ada");
	}
	ck_assert_uint_eq(scripted_server_requests(server), 3);
}
END_TEST

static const struct lifetime_case {
	const char *headers;
	int64_t lifetime_s;
} lifetime_cases[] = {
	{NULL, 600},
	{"Cache-Control: public, max-age=19845, must-revalidate\r\n", 19845},
	{"Cache-Control: Max-Age=100\r\nAge: 20\r\n", 80},
	{"Cache-Control: max-age=100\r\nAge: 100000\r\n", 100},
	{"Cache-Control: max-age=5\r\n", 60},
	{"Cache-Control: no-store\r\n", 60},
	{"Cache-Control: no-cache, max-age=1000\r\n", 60},
	{"Cache-Control: max-age=x\r\n", 60},
	{"Cache-Control: max-age=99999999\r\n", 86400},
};

START_TEST(keys_are_kept_as_long_as_their_issuer_says)
{
	const struct lifetime_case *c = &lifetime_cases[_i];
	const struct script script = {
		.status = 200, .headers = c->headers, .body = keys_of(jwk_of(ec, "ec"), NULL)};

	open_keys(&script, 1);
	assert_known(ask(fresh()), "ada");
	fn_clock_pretend(NOW_MS + c->lifetime_s * 1000 - 1);
	assert_known(ask(fresh()), "ada");
	ck_assert_uint_eq(scripted_server_requests(server), 1);
	fn_clock_pretend(NOW_MS + c->lifetime_s * 1000);
	assert_known(ask(fresh()), "ada");
	ck_assert_uint_eq(scripted_server_requests(server), 2);
}
END_TEST

static const struct script broken[] = {
	{.status = 404},
	{.status = 200, .body = FN_BYTES_INIT("<html>")},
	{.status = 200, .body = FN_BYTES_INIT("{\"keys\":[]}")},
	{.status = 200, .body = FN_BYTES_INIT("{\"keys\":{}}")},
	{.end = SCRIPT_RESET},
};

START_TEST(old_keys_serve_for_a_day_while_there_are_no_new_ones)
{
	const struct script script[] = {
		{.status = 200, .body = keys_of(jwk_of(ec, "ec"), NULL)}, broken[_i]};

	open_keys(script, COUNT(script));
	assert_known(ask(fresh()), "ada");
	fn_clock_pretend(NOW_MS + 10 MINUTES);
	struct answer answer = ask(fresh());
	assert_known(answer, "ada");
	ck_assert_ptr_nonnull(strstr(answer.log, "the old one serves on"));
	size_t requests = scripted_server_requests(server);
	assert_known(ask(fresh()), "ada"); /* and does not ask again at once */
	ck_assert_uint_eq(scripted_server_requests(server), requests);
	fn_clock_pretend(NOW_MS + (24 * 60 + 10) MINUTES);
	answer = ask(fresh());
	ck_assert(!answer.ok);
	ck_assert_int_eq(answer.err.code, FN_BUSY);
}
END_TEST

/* It is not the client's fault, who may come again. */
START_TEST(without_keys_nobody_is_refused_for_good)
{
	const struct script script[] = {
		broken[_i], broken[_i], {.status = 200, .body = keys_of(jwk_of(ec, "ec"), NULL)}};
	size_t first = broken[_i].status == 0 ? 0 : 1; /* what was reset is tried again */

	open_keys(script + first, COUNT(script) - first);
	struct answer answer = ask(fresh());
	ck_assert(!answer.ok);
	ck_assert_int_eq(answer.err.code, FN_BUSY);
	ck_assert_uint_eq(answer.err.retry_after_s, 5);
	ck_assert_uint_eq(answer.challenge.size, 0);
	assert_known(ask(fresh()), "ada");
}
END_TEST

static const struct key_case {
	const char *name, *members;
	bool taken;
} key_cases[] = {
	{"for all uses", "\"kid\":\"ec\"", true},
	{"for ES256", "\"kid\":\"ec\",\"alg\":\"ES256\"", true},
	{"to verify", "\"kid\":\"ec\",\"key_ops\":[\"sign\",\"verify\"]", true},
	{"for RS256", "\"kid\":\"ec\",\"alg\":\"RS256\"", false},
	{"for ES384", "\"kid\":\"ec\",\"alg\":\"ES384\"", false},
	{"for encryption", "\"kid\":\"ec\",\"use\":\"enc\"", false},
	{"to encrypt", "\"kid\":\"ec\",\"key_ops\":[\"encrypt\"]", false},
	{"without a name", "\"use\":\"sig\"", false},
	{"with two names", "\"kid\":\"ec\",\"kid\":\"ec\"", false},
	{"of two types", "\"kid\":\"ec\",\"kty\":\"EC\"", false},
	{"on two curves", "\"kid\":\"ec\",\"crv\":\"P-256\"", false},
};

START_TEST(key_is_used_for_what_it_is_meant)
{
	const struct key_case *c = &key_cases[_i];
	const struct script script = {.status = 200,
		.body = keys_of(token_jwk(ec, arena, c->members), jwk_of(attacker, "other"))};

	open_keys(&script, 1);
	if (c->taken)
		assert_known(ask(fresh()), "ada");
	else
		assert_refused(ask(fresh()), c->name, UNKNOWN_KEY);
}
END_TEST

#define EC_KEY(curve, members) "{\"kty\":\"EC\",\"kid\":\"ec\",\"crv\":\"" curve "\"" members "}"
#define RSA_KEY(members) "{\"kty\":\"RSA\",\"kid\":\"ec\"" members "}"
#define OFF_CURVE                                                                                  \
	",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","                                  \
	"\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\""

static const char *const bad_keys[] = {
	EC_KEY("P-256", OFF_CURVE),
	EC_KEY("P-256", ",\"x\":\"AAAA\",\"y\":\"AAAA\""),
	EC_KEY("P-256", ""),
	EC_KEY("secp256k1", OFF_CURVE),
	RSA_KEY(",\"n\":\"AAAA\",\"e\":\"AQAB\""),
	RSA_KEY(",\"e\":\"AQAB\""),
	"{\"kty\":\"oct\",\"kid\":\"ec\",\"k\":\"AAAA\"}",
	"{\"kty\":\"EC\\u0000\",\"kid\":\"ec\"}",
	"7",
	"null",
};

/* The others of its set are as good as before. */
START_TEST(bad_key_is_left_out)
{
	const struct script script = {
		.status = 200, .body = keys_of(bad_keys[_i], jwk_of(attacker, "other"))};

	open_keys(&script, 1);
	assert_refused(ask(fresh()), bad_keys[_i], UNKNOWN_KEY);
	assert_known(ask(fresh_token(attacker, "other")), "ada");
}
END_TEST

START_TEST(other_curve_is_refused)
{
	struct token_key *other = token_key_ec("P-384");
	const struct script script = {
		.status = 200, .body = keys_of(jwk_of(other, "ec"), jwk_of(attacker, "other"))};

	open_keys(&script, 1);
	assert_refused(ask(fresh()), "P-384", UNKNOWN_KEY);
	token_key_drop(other);
}
END_TEST

/* ---- Discovery --------------------------------------------------------------------------------
 */

static const char *issuer_url; /* of the scripted server: loopback hosts may be issuers */

/* The document names our issuer and what follows it; `members` NULL: the right ones. It has the
 * server's URL in it, so that it is written once the server is there, before blanks. */
static struct answer
ask_discovered(const char *ending, const char *more_issuer, const char *members)
{
	static char document[1024];
	const struct script script[] = {
		{.status = 200, .body = {document, sizeof(document)}},
		{.status = 200, .body = keys_of(jwk_of(ec, "ec"), NULL)},
	};
	struct identity_config config = config_of("");

	server = scripted_server_start(script, COUNT(script));
	issuer_url = fn_textf(arena, "%s%s", scripted_server_url(server), ending);
	if (!members)
		members = fn_textf(
			arena, "\"jwks_uri\":\"%s/the/keys\"", scripted_server_url(server));
	const char *json =
		fn_textf(arena, "{\"issuer\":\"%s%s\",%s}", issuer_url, more_issuer, members);
	ck_assert_uint_le(strlen(json), sizeof(document));
	memset(document, ' ', sizeof(document));
	memcpy(document, json, strlen(json));
	config.issuer = issuer_url;
	open_with(&config);
	return ask(token_sign(ec, arena, ES256,
		fn_textf(arena, "{\"iss\":\"%s\",\"aud\":\"phoenix\"," ADA DATES "}", issuer_url)));
}

static const struct {
	const char *ending, *path;
} issuers[] = {
	{"", ""},
	{"/", ""},
	{"/realms/phoenix", "/realms/phoenix"},
	{"/realms/phoenix/", "/realms/phoenix"},
};

START_TEST(issuer_says_where_its_keys_are)
{
	struct answer answer = ask_discovered(issuers[_i].ending, "", NULL);
	const char *first = fn_textf(
		arena, "GET %s/.well-known/openid-configuration HTTP/1.1\r\n", issuers[_i].path);

	ck_assert_msg(answer.ok, "%s %s", answer.err.message, answer.log);
	ck_assert_bytes_eq(answer.caller.issuer, issuer_url);
	ck_assert(fn_bytes_starts(scripted_server_request(server, 0), first));
	ck_assert(
		fn_bytes_starts(scripted_server_request(server, 1), "GET /the/keys HTTP/1.1\r\n"));
}
END_TEST

static const struct discovery_case {
	const char *more_issuer, *members, *why;
} discovery_cases[] = {
	{"/other", NULL, "it is another issuer's"},
	{"", "\"jwks_url\":\"https://issuer.example\"", "no issuer and jwks_uri in it"},
	{"", "\"jwks_uri\":7", "no issuer and jwks_uri in it"},
	{"", "\"jwks_uri\":", "no issuer and jwks_uri in it"},
	{"", "\"jwks_uri\":\"http://192.0.2.1/keys\"", "its jwks_uri is no https URL"},
	{"", "\"jwks_uri\":\"file:///etc/passwd\"", "its jwks_uri is no https URL"},
};

START_TEST(wrong_discovery_is_not_followed)
{
	const struct discovery_case *c = &discovery_cases[_i];
	struct answer answer = ask_discovered("", c->more_issuer, c->members);

	ck_assert(!answer.ok);
	ck_assert_int_eq(answer.err.code, FN_BUSY);
	ck_assert_msg(strstr(answer.err.message, c->why), "not \"%s\" but %s", c->why,
		answer.err.message);
	ck_assert_uint_eq(scripted_server_requests(server), 1);
}
END_TEST

/* ---- What is remembered -----------------------------------------------------------------------
 */

/* Seen in that the key, with which it was verified, is gone meanwhile. */
START_TEST(verified_token_is_believed_for_five_minutes)
{
	const struct script script[] = {
		{.status = 200,
			.headers = "Cache-Control: max-age=60\r\n",
			.body = keys_of(jwk_of(ec, "ec"), NULL)},
		{.status = 200, .body = keys_of(jwk_of(attacker, "other"), NULL)},
	};
	const char *token = token_of(ec, "ec");

	open_keys(script, COUNT(script));
	assert_known(ask(token), "ada");
	fn_clock_pretend(NOW_MS + 1 MINUTES);
	assert_refused(ask(fresh()), "another", UNKNOWN_KEY);
	fn_clock_pretend(NOW_MS + 5 MINUTES - 1);
	assert_known(ask(token), "ada");
	fn_clock_pretend(NOW_MS + 5 MINUTES);
	assert_refused(ask(token), "the same", UNKNOWN_KEY);
}
END_TEST

START_TEST(believed_token_ends_when_it_says)
{
	const char *token = token_sign(ec, arena, ES256, "{" FOR_US ADA "\"exp\":1800000100}");

	assert_known(ask(token), "ada");
	fn_clock_pretend(NOW_MS + 159999);
	assert_known(ask(token), "ada");
	fn_clock_pretend(NOW_MS + 160000);
	assert_refused(ask(token), "expired", "it has expired");
}
END_TEST

/* More of them than there is room for. */
START_TEST(many_tokens_are_told_apart)
{
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 1500; i++) {
			const char *name = fn_textf(arena, "user-%d", i);
			const char *claims = fn_textf(
				arena, "{" FOR_US "\"sub\":\"%s\",\"exp\":1800003600}", name);

			assert_known(ask(token_sign(ec, arena, ES256, claims)), name);
		}
	}
}
END_TEST

/* ---- Settings ---------------------------------------------------------------------------------
 */

static const struct setting_case {
	struct identity_config config;
	const char *sentence; /* NULL: it is fine */
	const char *guest;
} setting_cases[] = {
	{{"", "", "", "", ""}, NULL, "user_dev"},
	{{"", "", "", "ada", ""}, NULL, "ada"},
	{{"", "", "", "ada_2", "phoenix-feed"}, NULL, "ada_2"},
	{{ISSUER, "a", "", "", ""}, NULL, ""},
	{{ISSUER, "a", "", "ada", "phoenix-feed"}, NULL, "ada"},
	{{"http://127.0.0.1:8080", "a", "http://[::1]/keys", "", ""}, NULL, ""},
	{{"http://localhost", "a", "http://localhost:8/keys", "", ""}, NULL, ""},
	{{"", "", "", "", "phoenix-feed"}, "AUTH_ISSUER is not set", NULL},
	{{"", "", "", "a/b", ""}, "AUTH_GUEST: \"a/b\" is none of 1 to 64 letters", NULL},
	{{"", "", "", "_a", ""}, "AUTH_GUEST: ", NULL},
	{{ISSUER, "", "", "", ""}, "AUTH_AUDIENCE is not set", NULL},
	{{"issuer.example", "a", "", "", ""}, "AUTH_ISSUER: an https URL is wanted", NULL},
	{{"http://issuer.example", "a", "", "", ""}, "AUTH_ISSUER: an https URL is wanted", NULL},
	{{"http://localhost.example", "a", "", "", ""}, "AUTH_ISSUER: an https URL", NULL},
	{{"http://127.0.0.1@example", "a", "", "", ""}, "AUTH_ISSUER: an https URL", NULL},
	{{"https://", "a", "", "", ""}, "AUTH_ISSUER: an https URL is wanted", NULL},
	{{ISSUER, "a", "http://issuer.example/k", "", ""}, "AUTH_JWKS_URL: an https URL", NULL},
};

START_TEST(settings_are_checked_at_the_start)
{
	const struct setting_case *c = &setting_cases[_i];
	struct fn_error err = {0};
	bool ok = identity_open(&identity, &c->config, http, &err);

	ck_assert_msg(ok == (c->sentence == NULL), "%s", err.message);
	if (ok) {
		ck_assert_bytes_eq(ask_with(NULL, 0).caller.subject, c->guest);
		return;
	}
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(fn_bytes_starts(fn_bytes(err.message), c->sentence), "%s", err.message);
}
END_TEST

/* A guest's house takes no tokens that nobody can verify. */
START_TEST(token_without_an_issuer_is_refused)
{
	const struct identity_config config = {.issuer = "", .guest = "", .service = ""};

	open_with(&config);
	assert_refused(ask(right()), "any", "no issuer is set");
}
END_TEST

#define ROWS(name, count, begin)                                                                   \
	{                                                                                          \
		.test = name, .rows = count, .setup = begin, .teardown = teardown                  \
	}

int
main(void)
{
	const struct suite_case cases[] = {
		ROWS(right_token_names_its_subject, COUNT(right_cases), setup_keys),
		ROWS(scheme_may_be_written_in_any_case, 1, setup_keys),
		ROWS(wrong_claims_are_refused, COUNT(claims_cases), setup_keys),
		ROWS(wrong_header_is_refused, COUNT(header_cases), setup_keys),
		ROWS(forged_token_is_refused, COUNT(forged_cases), setup_keys),
		ROWS(other_authorization_is_refused, COUNT(schemes), setup_keys),
		ROWS(two_tokens_are_refused, 1, setup_keys),
		ROWS(no_token_is_nobody_s, 1, setup_keys),
		ROWS(keys_are_fetched_once_for_all, 1, setup),
		ROWS(new_key_is_fetched_when_it_is_used, 1, setup),
		ROWS(unknown_keys_are_asked_for_every_ten_seconds_at_most, 1, setup),
		ROWS(keys_are_kept_as_long_as_their_issuer_says, COUNT(lifetime_cases), setup),
		ROWS(old_keys_serve_for_a_day_while_there_are_no_new_ones, COUNT(broken), setup),
		ROWS(without_keys_nobody_is_refused_for_good, COUNT(broken), setup),
		ROWS(key_is_used_for_what_it_is_meant, COUNT(key_cases), setup),
		ROWS(bad_key_is_left_out, COUNT(bad_keys), setup),
		ROWS(other_curve_is_refused, 1, setup),
		ROWS(issuer_says_where_its_keys_are, COUNT(issuers), setup),
		ROWS(wrong_discovery_is_not_followed, COUNT(discovery_cases), setup),
		ROWS(verified_token_is_believed_for_five_minutes, 1, setup),
		ROWS(believed_token_ends_when_it_says, 1, setup_keys),
		ROWS(many_tokens_are_told_apart, 1, setup_keys),
		ROWS(settings_are_checked_at_the_start, COUNT(setting_cases), setup),
		ROWS(token_without_an_issuer_is_refused, 1, setup),
	};

	rsa = token_key_rsa(2048);
	ec = token_key_ec("P-256");
	weak = token_key_rsa(1024);
	attacker = token_key_ec("P-256");
	int status = suite_run("identity", cases, COUNT(cases));
	token_key_drop(rsa);
	token_key_drop(ec);
	token_key_drop(weak);
	token_key_drop(attacker);
	return status;
}
