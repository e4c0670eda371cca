/* Right tokens, and every way in which the issuer itself can sign a wrong one. */
#include "tests/support/bearer.h"

#include <string.h>

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
	const struct token_key *key = strstr(c->header, "RS256") ? bearer.rsa : bearer.ec;

	bearer_is_ada(token_sign(key, arena, c->header, c->claims));
}
END_TEST

START_TEST(scheme_may_be_written_in_any_case)
{
	const char *token = bearer_right_token();

	assert_known(bearer_ask_as(fn_textf(arena, "bearer  %s ", token)), "ada");
}
END_TEST

/* ---- Wrong claims and headers, signed by the issuer itself ----------------------------------- */

#define NO_DATE "it has no date in \\\"exp\\\""
#define NO_SUBJECT "it has no usable \\\"sub\\\""
#define OTHER_ISSUER "it is another issuer's"
#define OTHER_AUDIENCE "it is for another audience"
#define EXP(value) "{" FOR_US ADA "\"exp\":" value "}"
#define ISS(value) "{\"aud\":\"phoenix\"," ADA DATES ",\"iss\":" value "}"
#define AUD(value) "{\"iss\":\"" ISSUER "\"," ADA DATES ",\"aud\":" value "}"
#define SUB(value) "{" FOR_US DATES ",\"sub\":" value "}"

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

	{"no end", "{" FOR_US ADA "\"iat\":1}", NO_DATE},
	{"an end that is null", EXP("null"), NO_DATE},
	{"an end that is text", EXP("\"1800003600\""), NO_DATE},
	{"an end that is true", EXP("true"), NO_DATE},
	{"an end that is a list", EXP("[1800003600]"), NO_DATE},
	{"an end that is no number", EXP("NaN"), "claims: this is no JSON"},
	{"an end without bound", EXP("1e400"), NO_DATE},
	{"an end that is huge", EXP("1e300"), NO_DATE},
	{"an end in the year 10000", EXP("253402300800"), NO_DATE},
	{"an end in many digits", EXP("1800003600.00000000000000000000000"), NO_DATE},
	{"an end before 1970", EXP("-1"), NO_DATE},
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

	bearer_is_refused(bearer_sign(ES256, c->claims), c->name, c->why);
}
END_TEST

#define NO_KEY "header: it names no key"
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

	bearer_is_refused(bearer_sign(c->header, CLAIMS), c->name, c->why);
}
END_TEST

/* ---- Other headers --------------------------------------------------------------------------- */

static const char *const schemes[] = {"", "Bearer", "Bearer ", "Basic YTpi", "Token x", "x"};

START_TEST(other_authorization_is_refused)
{
	assert_refused(bearer_ask_as(schemes[_i]), schemes[_i], "there is not one bearer token");
}
END_TEST

START_TEST(two_tokens_are_refused)
{
	struct fn_bytes value = fn_bytes(fn_textf(arena, "Bearer %s", bearer_right_token()));
	const struct fn_header headers[] = {
		{FN_BYTES("Authorization"), value}, {FN_BYTES("authorization"), value}};

	assert_refused(bearer_ask_with(headers, 2), "two", "there is not one bearer token");
}
END_TEST

START_TEST(no_token_is_nobody_s)
{
	struct bearer_answer answer = bearer_ask_with(NULL, 0);

	ck_assert(answer.ok);
	ck_assert_uint_eq(answer.caller.subject.size, 0);
	ck_assert_uint_eq(scripted_server_requests(bearer.issuer), 0);
}
END_TEST

/* ---- Settings -------------------------------------------------------------------------------- */

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
	{{"http://127.0.0.1:80@example", "a", "", "", ""}, "AUTH_ISSUER: an https URL", NULL},
	{{"http://127.0.0.1@example", "a", "", "", ""}, "AUTH_ISSUER: an https URL", NULL},
	{{"https://", "a", "", "", ""}, "AUTH_ISSUER: an https URL is wanted", NULL},
	{{ISSUER, "a", "http://issuer.example/k", "", ""}, "AUTH_JWKS_URL: an https URL", NULL},
};

START_TEST(settings_are_checked_at_the_start)
{
	const struct setting_case *c = &setting_cases[_i];
	struct fn_error err = {0};
	bool ok = identity_open(&bearer.identity, &c->config, bearer.http, &err);

	ck_assert_msg(ok == (c->sentence == NULL), "%s", err.message);
	if (ok) {
		ck_assert_bytes_eq(bearer_ask_with(NULL, 0).caller.subject, c->guest);
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

	bearer_open_with(&config);
	bearer_is_refused(bearer_right_token(), "any", "no issuer is set");
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = right_token_names_its_subject, .rows = COUNT(right_cases)},
		{.test = scheme_may_be_written_in_any_case},
		{.test = wrong_claims_are_refused, .rows = COUNT(claims_cases)},
		{.test = wrong_header_is_refused, .rows = COUNT(header_cases)},
		{.test = other_authorization_is_refused, .rows = COUNT(schemes)},
		{.test = two_tokens_are_refused},
		{.test = no_token_is_nobody_s},
		{.test = settings_are_checked_at_the_start,
			.rows = COUNT(setting_cases),
			.setup = bearer_begin},
		{.test = token_without_an_issuer_is_refused, .setup = bearer_begin},
	};

	return bearer_suite("identity", cases, COUNT(cases), bearer_begin_known);
}
