/* Keys of an issuer, for how long they and the tokens that they signed are believed. */
#include "tests/support/bearer.h"

#include "fn/clock.h"

#include <pthread.h>
#include <string.h>

#define MINUTES *60 * INT64_C(1000)
#define THREADS 16

static void *
verify_one(void *token)
{
	const struct fn_header header = {FN_BYTES("Authorization"), fn_bytes(token)};
	struct fn_call call = {.arena = fn_arena_new(), .headers = &header, .header_count = 1};
	struct caller caller;
	struct fn_error err;
	bool ok = identity_read(bearer.identity, &call, &caller, &err) &&
		  fn_bytes_is(caller.subject, "ada");

	fn_arena_drop(call.arena);
	return ok ? token : NULL;
}

START_TEST(keys_are_fetched_once_for_all)
{
	struct script script = bearer_gives(bearer_jwk(bearer.ec, "ec"), NULL);
	pthread_t threads[THREADS];
	void *good;

	script.wait_ms = 300;
	bearer_open(&script, 1);
	for (int i = 0; i < THREADS; i++)
		ck_assert(!pthread_create(&threads[i], NULL, verify_one,
			fn_textf(arena, "Bearer %s", bearer_fresh_token())));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &good);
		ck_assert_ptr_nonnull(good);
	}
	ck_assert_uint_eq(scripted_server_requests(bearer.issuer), 1);
}
END_TEST

START_TEST(new_key_is_fetched_when_it_is_used)
{
	const struct script script[] = {
		bearer_gives(bearer_jwk(bearer.ec, "old"), NULL),
		bearer_gives(bearer_jwk(bearer.attacker, "new"), bearer_jwk(bearer.ec, "old")),
	};

	bearer_open(script, COUNT(script));
	bearer_is_ada(bearer_fresh_token_of(bearer.ec, "old"));
	fn_clock_pretend(BEARER_NOW_MS + 10000);
	bearer_is_ada(bearer_fresh_token_of(bearer.attacker, "new"));
	bearer_is_ada(bearer_fresh_token_of(bearer.ec, "old"));
	ck_assert_uint_eq(scripted_server_requests(bearer.issuer), 2);
}
END_TEST

START_TEST(unknown_keys_are_asked_for_every_ten_seconds_at_most)
{
	const struct script script = bearer_gives(bearer_jwk(bearer.ec, "ec"), NULL);

	bearer_open(&script, 1);
	for (int second = 0; second < 30; second++) {
		fn_clock_pretend(BEARER_NOW_MS + second * 1000);
		for (int i = 0; i < 3; i++)
			bearer_is_refused(
				bearer_fresh_token_of(bearer.attacker, fn_textf(arena, "k%d", i)),
				"unknown", UNKNOWN_KEY);
		bearer_is_ada(bearer_fresh_token());
	}
	ck_assert_uint_eq(scripted_server_requests(bearer.issuer), 3);
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
	struct script script = bearer_gives(bearer_jwk(bearer.ec, "ec"), NULL);

	script.headers = c->headers;
	bearer_open(&script, 1);
	bearer_is_ada(bearer_fresh_token());
	fn_clock_pretend(BEARER_NOW_MS + c->lifetime_s * 1000 - 1);
	bearer_is_ada(bearer_fresh_token());
	ck_assert_uint_eq(scripted_server_requests(bearer.issuer), 1);
	fn_clock_pretend(BEARER_NOW_MS + c->lifetime_s * 1000);
	bearer_is_ada(bearer_fresh_token());
	ck_assert_uint_eq(scripted_server_requests(bearer.issuer), 2);
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
		bearer_gives(bearer_jwk(bearer.ec, "ec"), NULL), broken[_i]};

	bearer_open(script, COUNT(script));
	bearer_is_ada(bearer_fresh_token());
	fn_clock_pretend(BEARER_NOW_MS + 10 MINUTES);
	struct bearer_answer answer = bearer_ask(bearer_fresh_token());
	assert_known(answer, "ada");
	ck_assert_ptr_nonnull(strstr(answer.log, "the old one serves on"));
	size_t requests = scripted_server_requests(bearer.issuer);
	bearer_is_ada(bearer_fresh_token()); /* and does not ask again at once */
	ck_assert_uint_eq(scripted_server_requests(bearer.issuer), requests);
	fn_clock_pretend(BEARER_NOW_MS + (24 * 60 + 10) MINUTES);
	answer = bearer_ask(bearer_fresh_token());
	ck_assert(!answer.ok);
	ck_assert_int_eq(answer.err.code, FN_BUSY);
}
END_TEST

/* It is not the client's fault, who may come again. */
START_TEST(without_keys_nobody_is_refused_for_good)
{
	const struct script script[] = {
		broken[_i], broken[_i], bearer_gives(bearer_jwk(bearer.ec, "ec"), NULL)};
	size_t first = broken[_i].status == 0 ? 0 : 1; /* what was reset is tried again */

	bearer_open(script + first, COUNT(script) - first);
	struct bearer_answer answer = bearer_ask(bearer_fresh_token());
	ck_assert(!answer.ok);
	ck_assert_int_eq(answer.err.code, FN_BUSY);
	ck_assert_uint_eq(answer.err.retry_after_s, 5);
	ck_assert_uint_eq(answer.challenge.size, 0);
	bearer_is_ada(bearer_fresh_token());
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
	const struct script script = bearer_gives(
		token_jwk(bearer.ec, arena, c->members), bearer_jwk(bearer.attacker, "other"));

	bearer_open(&script, 1);
	if (c->taken)
		bearer_is_ada(bearer_fresh_token());
	else
		bearer_is_refused(bearer_fresh_token(), c->name, UNKNOWN_KEY);
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
	const struct script script =
		bearer_gives(bad_keys[_i], bearer_jwk(bearer.attacker, "other"));

	bearer_open(&script, 1);
	bearer_is_refused(bearer_fresh_token(), bad_keys[_i], UNKNOWN_KEY);
	bearer_is_ada(bearer_fresh_token_of(bearer.attacker, "other"));
}
END_TEST

START_TEST(other_curve_is_refused)
{
	struct token_key *other = token_key_ec("P-384");
	const struct script script =
		bearer_gives(bearer_jwk(other, "ec"), bearer_jwk(bearer.attacker, "other"));

	bearer_open(&script, 1);
	bearer_is_refused(bearer_fresh_token(), "P-384", UNKNOWN_KEY);
	token_key_drop(other);
}
END_TEST

/* ---- What is remembered ---------------------------------------------------------------------- */

/* Seen in that the key, with which it was verified, is gone meanwhile. */
START_TEST(verified_token_is_believed_for_five_minutes)
{
	struct script script[] = {
		bearer_gives(bearer_jwk(bearer.ec, "ec"), NULL),
		bearer_gives(bearer_jwk(bearer.attacker, "other"), NULL),
	};
	const char *token = bearer_fresh_token();

	script[0].headers = "Cache-Control: max-age=60\r\n";
	bearer_open(script, COUNT(script));
	bearer_is_ada(token);
	fn_clock_pretend(BEARER_NOW_MS + 1 MINUTES);
	bearer_is_refused(bearer_fresh_token(), "another", UNKNOWN_KEY);
	fn_clock_pretend(BEARER_NOW_MS + 5 MINUTES - 1);
	bearer_is_ada(token);
	fn_clock_pretend(BEARER_NOW_MS + 5 MINUTES);
	bearer_is_refused(token, "the same", UNKNOWN_KEY);
}
END_TEST

START_TEST(believed_token_ends_when_it_says)
{
	const char *token = bearer_sign(ES256, "{" FOR_US ADA "\"exp\":1800000100}");

	bearer_is_ada(token);
	fn_clock_pretend(BEARER_NOW_MS + 159999);
	bearer_is_ada(token);
	fn_clock_pretend(BEARER_NOW_MS + 160000);
	bearer_is_refused(token, "expired", "it has expired");
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

			assert_known(bearer_ask(bearer_sign(ES256, claims)), name);
		}
	}
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = keys_are_fetched_once_for_all},
		{.test = new_key_is_fetched_when_it_is_used},
		{.test = unknown_keys_are_asked_for_every_ten_seconds_at_most},
		{.test = keys_are_kept_as_long_as_their_issuer_says, .rows = COUNT(lifetime_cases)},
		{.test = old_keys_serve_for_a_day_while_there_are_no_new_ones,
			.rows = COUNT(broken)},
		{.test = without_keys_nobody_is_refused_for_good, .rows = COUNT(broken)},
		{.test = key_is_used_for_what_it_is_meant, .rows = COUNT(key_cases)},
		{.test = bad_key_is_left_out, .rows = COUNT(bad_keys)},
		{.test = other_curve_is_refused},
		{.test = verified_token_is_believed_for_five_minutes},
		{.test = believed_token_ends_when_it_says, .setup = bearer_begin_known},
		{.test = many_tokens_are_told_apart, .setup = bearer_begin_known},
	};

	return bearer_suite("keys of issuers", cases, COUNT(cases), bearer_begin);
}
