#include "tests/support/bearer.h"

#include "fn/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct bearer bearer;

/* ---- Setups ---------------------------------------------------------------------------------- */

void
bearer_begin(void)
{
	struct fn_error err;

	unsetenv("http_proxy");
	fn_clock_pretend(BEARER_NOW_MS);
	arena_begin();
	ck_assert_msg(fn_http_client_open(&bearer.http, &err), "%s", err.message);
}

void
bearer_begin_known(void)
{
	bearer_begin();
	const struct script script = bearer_gives(
		bearer_jwk(bearer.rsa, "rsa"), fn_textf(arena, "%s,%s", bearer_jwk(bearer.ec, "ec"),
						       bearer_jwk(bearer.weak, "weak")));
	bearer_open(&script, 1);
}

static void
leave(void)
{
	identity_close(bearer.identity);
	scripted_server_stop(bearer.issuer);
	fn_http_client_close(bearer.http);
	arena_end();
	fn_clock_pretend(0);
}

int
bearer_suite(const char *name, const struct suite_case *cases, size_t count, void (*setup)(void))
{
	bearer.rsa = token_key_rsa(2048);
	bearer.ec = token_key_ec("P-256");
	bearer.weak = token_key_rsa(1024);
	bearer.attacker = token_key_ec("P-256");
	int status = suite_run_with(name, cases, count, setup, leave);
	token_key_drop(bearer.rsa);
	token_key_drop(bearer.ec);
	token_key_drop(bearer.weak);
	token_key_drop(bearer.attacker);
	return status;
}

/* ---- Issuer and identity --------------------------------------------------------------------- */

const char *
bearer_jwk(const struct token_key *key, const char *id)
{
	return token_jwk(key, arena, fn_textf(arena, "\"use\":\"sig\",\"kid\":\"%s\"", id));
}

struct script
bearer_gives(const char *first, const char *second)
{
	const char *keys = fn_textf(
		arena, "{\"keys\":[%s%s%s]}", first, second ? "," : "", second ? second : "");

	return (struct script){.status = 200, .body = fn_bytes(keys)};
}

struct identity_config
bearer_config(const char *jwks_url)
{
	return (struct identity_config){
		.issuer = ISSUER,
		.audience = "phoenix, https://phoenix.example",
		.jwks_url = jwks_url,
		.guest = "",
		.service = "phoenix-feed",
	};
}

void
bearer_open_with(const struct identity_config *config)
{
	struct fn_error err = {0};

	ck_assert_msg(
		identity_open(&bearer.identity, config, bearer.http, &err), "%s", err.message);
}

void
bearer_open(const struct script *script, size_t count)
{
	bearer.issuer = scripted_server_start_copy(script, count);
	const struct identity_config config = bearer_config(scripted_server_url(bearer.issuer));
	bearer_open_with(&config);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static const char *
log_of(int file)
{
	off_t size = lseek(file, 0, SEEK_END);
	char *text = fn_arena_zero(arena, (size_t)size + 1);

	ck_assert_int_eq(pread(file, text, (size_t)size, 0), size);
	return text;
}

struct bearer_answer
bearer_ask_with(const struct fn_header *headers, size_t count)
{
	struct fn_call call = {.arena = arena, .headers = headers, .header_count = count};
	struct bearer_answer answer = {0};
	int log = memfd_create("log", MFD_CLOEXEC), out = dup(STDOUT_FILENO);

	dup2(log, STDOUT_FILENO);
	answer.ok = identity_read(bearer.identity, &call, &answer.caller, &answer.err);
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

struct bearer_answer
bearer_ask_as(const char *authorization)
{
	const struct fn_header header = {FN_BYTES("Authorization"), fn_bytes(authorization)};

	return bearer_ask_with(&header, 1);
}

struct bearer_answer
bearer_ask(const char *token)
{
	return bearer_ask_as(fn_textf(arena, "Bearer %s", token));
}

void
assert_known(struct bearer_answer answer, const char *subject)
{
	ck_assert_msg(answer.ok, "%s; %s", answer.err.message, answer.log);
	ck_assert_bytes_eq(answer.caller.issuer, ISSUER);
	ck_assert_bytes_eq(answer.caller.subject, subject);
}

void
assert_refused(struct bearer_answer answer, const char *name, const char *why)
{
	ck_assert_msg(!answer.ok, "%s: was taken", name);
	ck_assert_msg(answer.err.code == FN_UNAUTHENTICATED, "%s: %s", name, answer.err.message);
	ck_assert_str_eq(answer.err.message, "the token is not valid");
	ck_assert_bytes_eq(answer.challenge, "Bearer error=\"invalid_token\"");
	ck_assert_msg(strstr(answer.log, "token refused: ") && strstr(answer.log, why),
		"%s: not \"%s\" but %s", name, why, answer.log);
}

void
bearer_is_ada(const char *token)
{
	assert_known(bearer_ask(token), "ada");
}

void
bearer_is_refused(const char *token, const char *name, const char *why)
{
	assert_refused(bearer_ask(token), name, why);
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

const char *
bearer_sign(const char *header, const char *claims)
{
	return token_sign(bearer.ec, arena, header, claims);
}

const char *
bearer_right_token(void)
{
	return bearer_sign(ES256, CLAIMS);
}

const char *
bearer_fresh_token_of(const struct token_key *key, const char *id)
{
	static unsigned number;

	return token_sign(key, arena, fn_textf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", id),
		fn_textf(arena, "{" FOR_US ADA "\"exp\":1900000000,\"n\":%u}", number++));
}

const char *
bearer_fresh_token(void)
{
	return bearer_fresh_token_of(bearer.ec, "ec");
}
