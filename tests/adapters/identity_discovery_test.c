/* An issuer that is asked where its keys are. */
#include "tests/support/bearer.h"

#include <string.h>

static const char *issuer_url; /* of the scripted server: loopback hosts may be issuers */
static char document[1024];    /* has that URL in it, so it is written once the server is there */

/* A document that names our issuer and what follows it; `members` NULL: the right ones. */
static void
serve_document(const char *ending, const char *more_issuer, const char *members)
{
	const struct script script[] = {
		{.status = 200, .body = {document, sizeof(document)}},
		bearer_gives(bearer_jwk(bearer.ec, "ec"), NULL),
	};

	bearer.issuer = scripted_server_start_copy(script, COUNT(script));
	issuer_url = fn_textf(arena, "%s%s", scripted_server_url(bearer.issuer), ending);
	if (!members)
		members = fn_textf(
			arena, "\"jwks_uri\":\"%s/the/keys\"", scripted_server_url(bearer.issuer));
	memset(document, ' ', sizeof(document));
	const char *json =
		fn_textf(arena, "{\"issuer\":\"%s%s\",%s}", issuer_url, more_issuer, members);
	ck_assert_uint_le(strlen(json), sizeof(document));
	memcpy(document, json, strlen(json));
}

/* What comes of asking with a token of this issuer. */
static struct bearer_answer
ask_discovered(void)
{
	struct identity_config config = bearer_config("");

	config.issuer = issuer_url;
	bearer_open_with(&config);
	return bearer_ask(bearer_sign(ES256,
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
	const char *first = fn_textf(
		arena, "GET %s/.well-known/openid-configuration HTTP/1.1\r\n", issuers[_i].path);

	serve_document(issuers[_i].ending, "", NULL);
	struct bearer_answer answer = ask_discovered();
	ck_assert_msg(answer.ok, "%s %s", answer.err.message, answer.log);
	ck_assert_bytes_eq(answer.caller.issuer, issuer_url);
	ck_assert(fn_bytes_starts(scripted_server_request(bearer.issuer, 0), first));
	ck_assert(fn_bytes_starts(
		scripted_server_request(bearer.issuer, 1), "GET /the/keys HTTP/1.1\r\n"));
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

	serve_document("", c->more_issuer, c->members);
	struct bearer_answer answer = ask_discovered();
	ck_assert(!answer.ok);
	ck_assert_int_eq(answer.err.code, FN_BUSY);
	ck_assert_msg(strstr(answer.err.message, c->why), "not \"%s\" but %s", c->why,
		answer.err.message);
	ck_assert_uint_eq(scripted_server_requests(bearer.issuer), 1);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = issuer_says_where_its_keys_are, .rows = COUNT(issuers)},
		{.test = wrong_discovery_is_not_followed, .rows = COUNT(discovery_cases)},
	};

	return bearer_suite("discovery of keys", cases, COUNT(cases), bearer_begin);
}
