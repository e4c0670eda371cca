#include "domain/user.h"

#include "fn/clock.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"
#include "tests/support/token.h"

#include <stdlib.h>
#include <string.h>

#define ISSUER "https://issuer.example"
#define NOW_S 1800000000

static struct token_key *key; /* as long as the program */
static struct fn_arena *arena;
static struct fn_http_client *http;
static struct scripted_server *server;
static struct identity *identity;
static struct script script;

/* A house with this guest, "" for none, and an issuer whose name differs as asked. */
static void
open_house(const char *guest, const char *more_issuer)
{
	const struct identity_config config = {
		.issuer = fn_textf(arena, ISSUER "%s", more_issuer),
		.audience = "phoenix",
		.jwks_url = scripted_server_url(server),
		.guest = guest,
		.service = "phoenix-feed",
	};
	struct fn_error err;

	identity_close(identity);
	ck_assert_msg(identity_open(&identity, &config, http, &err), "%s", err.message);
}

static void
setup(void)
{
	struct fn_error err;

	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	fn_clock_pretend(NOW_S * INT64_C(1000));
	arena = fn_arena_new();
	script = (struct script){.status = 200,
		.body = fn_bytes(fn_textf(
			arena, "{\"keys\":[%s]}", token_jwk(key, arena, "\"kid\":\"k\"")))};
	server = scripted_server_start(&script, 1);
	ck_assert(fn_http_client_open(&http, &err));
	open_house("", "");
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

/* ---- One call -------------------------------------------------------------------------------- */

struct seen {
	bool ok;
	struct user user;
	struct fn_call call;
	struct fn_error err;
};

typedef bool see(struct user *, struct fn_call *, struct identity *, struct fn_error *);

/* `subject` is the inside of a JSON string; NULL: there is no token. */
static struct seen
see_as(see *look, const char *more_issuer, const char *subject)
{
	struct fn_header header = {.name = FN_BYTES("Authorization")};
	struct seen seen = {.call = {.arena = arena}};

	if (subject) {
		const char *claims = fn_textf(arena,
			"{\"iss\":\"" ISSUER "%s\",\"aud\":\"phoenix\",\"sub\":\"%s\","
			"\"exp\":%d}",
			more_issuer, subject, NOW_S + 60);
		const char *token =
			token_sign(key, arena, "{\"alg\":\"ES256\",\"kid\":\"k\"}", claims);

		header.value = fn_bytes(fn_textf(arena, "Bearer %s", token));
		seen.call.headers = &header;
		seen.call.header_count = 1;
	}
	seen.ok = look(&seen.user, &seen.call, identity, &seen.err);
	return seen;
}

static struct fn_bytes
id_of(const char *subject)
{
	struct seen seen = see_as(user_require, "", subject);

	ck_assert_msg(seen.ok, "%s", seen.err.message);
	ck_assert_uint_eq(seen.user.username.size, 0);
	return seen.user.id;
}

/* ---- Ids ------------------------------------------------------------------------------------- */

/* What a document and an object may be called, however the issuer calls its people. */
static const char *const subjects[] = {
	"ada",
	"112233445566778899",
	"auth0|5f7c8ec7c33c6c004bbafe82",
	"../../etc/passwd",
	"user_dev",
	"\xc3\xa9\xe2\x82\xac",
	"a b\\nc\\u0000d",
};

START_TEST(id_is_fit_for_names_of_documents)
{
	struct fn_bytes id = id_of(subjects[_i]);

	ck_assert_uint_eq(id.size, 31);
	ck_assert(fn_bytes_starts(id, "user_"));
	for (size_t i = 5; i < id.size; i++)
		ck_assert_msg(
			strchr("0123456789abcdefghjkmnpqrstvwxyz", id.at[i]), "%.*s", FN_ARG(id));
}
END_TEST

START_TEST(subject_has_one_id_for_ever)
{
	ck_assert_bytes_eq(id_of("ada"), "user_x4bpbfxravzhrvkk9dseesm9mp");
	ck_assert(fn_bytes_equal(id_of("ada"), id_of("\\u0061da")));
}
END_TEST

START_TEST(different_subjects_are_different_users)
{
	static const char *const pairs[][2] = {
		{"ada", "Ada"}, {"ada", "ada "}, {"a", "a\\u0000"}, {"a\\u0000b", "a\\u0000c"}};

	for (size_t i = 0; i < COUNT(pairs); i++)
		ck_assert_msg(
			!fn_bytes_equal(id_of(pairs[i][0]), id_of(pairs[i][1])), "%s", pairs[i][0]);
}
END_TEST

START_TEST(same_subject_of_another_issuer_is_another_user)
{
	struct fn_bytes here = id_of("ada");

	open_house("", "/other");
	struct seen there = see_as(user_require, "/other", "ada");
	ck_assert(there.ok);
	ck_assert(!fn_bytes_equal(here, there.user.id));
}
END_TEST

START_TEST(log_lines_carry_the_id)
{
	struct seen seen = see_as(user_require, "", "ada");

	ck_assert_uint_eq(seen.call.log.field_count, 1);
	ck_assert_str_eq(seen.call.log.fields[0].name, "user");
	ck_assert(fn_bytes_equal(seen.call.log.fields[0].value, seen.user.id));
}
END_TEST

/* ---- Nobody and guests ------------------------------------------------------------------------
 */

START_TEST(nobody_is_asked_to_sign_in_where_that_is_needed)
{
	struct seen seen = see_as(user_require, "", NULL);

	ck_assert(!seen.ok);
	ck_assert_int_eq(seen.err.code, FN_UNAUTHENTICATED);
	ck_assert_bytes_eq(seen.call.answer.headers[0].name, "WWW-Authenticate");
	ck_assert_bytes_eq(seen.call.answer.headers[0].value, "Bearer");
}
END_TEST

START_TEST(nobody_may_see_what_everybody_may)
{
	struct seen seen = see_as(user_recognize, "", NULL);

	ck_assert(seen.ok);
	ck_assert_uint_eq(seen.user.id.size, 0);
	ck_assert_uint_eq(seen.call.log.field_count, 0);
	ck_assert(see_as(user_recognize, "", "ada").user.id.size > 0);
}
END_TEST

static see *const looks[] = {user_require, user_recognize};

START_TEST(guest_comes_in_without_a_token)
{
	open_house("user_dev", "");
	struct seen seen = see_as(looks[_i], "", NULL);
	ck_assert(seen.ok);
	ck_assert_bytes_eq(seen.user.id, "user_dev");
	ck_assert(!fn_bytes_is(see_as(looks[_i], "", "user_dev").user.id, "user_dev"));
}
END_TEST

/* Neither as nobody nor as the guest. */
START_TEST(bad_token_does_not_come_in)
{
	open_house("user_dev", "");
	struct seen seen = see_as(looks[_i], "/other", "ada");
	ck_assert(!seen.ok);
	ck_assert_int_eq(seen.err.code, FN_UNAUTHENTICATED);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = id_is_fit_for_names_of_documents, .rows = COUNT(subjects)},
		{.test = subject_has_one_id_for_ever},
		{.test = different_subjects_are_different_users},
		{.test = same_subject_of_another_issuer_is_another_user},
		{.test = log_lines_carry_the_id},
		{.test = nobody_is_asked_to_sign_in_where_that_is_needed},
		{.test = nobody_may_see_what_everybody_may},
		{.test = guest_comes_in_without_a_token, .rows = COUNT(looks)},
		{.test = bad_token_does_not_come_in, .rows = COUNT(looks)},
	};

	key = token_key_ec("P-256");
	int status = suite_run_with("user", cases, COUNT(cases), setup, teardown);
	token_key_drop(key);
	return status;
}
