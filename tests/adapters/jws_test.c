#include "adapters/wire/jwk.h"
#include "tests/adapters/jws_vectors.h"
#include "tests/support/arena.h"
#include "tests/support/suite.h"

/* What is wrong with a token that this key is to have signed; NULL: nothing is. */
static const char *
judge(const char *key, const char *token)
{
	struct fn_bytes json = fn_bytes(fn_textf(arena, "{\"keys\":[%s]}", key));
	struct fn_error err = {0};
	struct jwk_set *set;
	struct jws jws;

	if (!jws_read(&jws, arena, fn_bytes(token), &err) || !jwk_set_read(&set, json, &err))
		return fn_textf(arena, "%s", err.message);
	struct jwk *jwk = jwk_hold(set, jws.key_id, jws.algorithm);
	jwk_set_drop(set);
	if (!jwk)
		return UNKNOWN_KEY;
	bool ok = jwk_verify(jwk, &jws);
	jwk_drop(jwk);
	return ok ? NULL : WRONG;
}

static void
assert_judged(const struct jws_vector *v, unsigned id)
{
	const char *why = judge(v->key, v->token);

	ck_assert_uint_eq(v->id, id);
	ck_assert_msg(v->valid || why, "%u %s: it is taken", id, v->comment);
	ck_assert_pstr_eq(why, v->why);
}

START_TEST(published_signatures_are_judged_as_they_say)
{
	assert_judged(&jws_vectors[_i], (unsigned)_i + 1);
}
END_TEST

START_TEST(published_keys_are_judged_as_they_say)
{
	assert_judged(&jwk_vectors[_i], (unsigned)_i + 1);
}
END_TEST

START_TEST(parts_are_taken_apart)
{
	struct fn_error err = {0};
	struct jws jws;

	ck_assert(jws_read(&jws, arena, fn_bytes(jws_vectors[17].token), &err));
	ck_assert_int_eq(jws.algorithm, JWS_ES256);
	ck_assert_bytes_eq(jws.key_id, "kid-ec-sign");
	ck_assert_bytes_eq(jws.signed_text, "eyJhbGciOiJFUzI1NiIsImtpZCI6ImtpZC1lYy1zaWduIn0.Zm9v");
	ck_assert_bytes_eq(jws.payload, "foo");
	ck_assert_uint_eq(jws.signature.size, 64);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = published_signatures_are_judged_as_they_say, .rows = COUNT(jws_vectors)},
		{.test = published_keys_are_judged_as_they_say, .rows = COUNT(jwk_vectors)},
		{.test = parts_are_taken_apart},
	};

	return suite_run_with("jws", cases, COUNT(cases), arena_begin, arena_end);
}
