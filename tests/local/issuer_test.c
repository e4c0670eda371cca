/* The issuer as the functions meet it: whatever it signs, the verifier that is deployed takes. */
#include "local/issuer/handler.h"

#include "adapters/identity.h"
#include "fn/clock.h"
#include "fn/json.h"
#include "tests/support/ports.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LIFETIME_S 600

static struct fn_arena *arena;
static struct issuer issuer;
static const char *key_file;

static void
open_issuer(void)
{
	struct fn_error err;

	ck_assert_msg(key_open(&issuer.key, key_file, &err), "%s", err.message);
	issuer.origin = "http://localhost:8080";
	issuer.audience = "phoenix";
	issuer.lifetime_s = LIFETIME_S;
}

static void
setup(void)
{
	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	arena = fn_arena_new();
	key_file = fn_textf(arena, "%s/issuer.pem", temp_folder());
	open_issuer();
}

static void
teardown(void)
{
	key_close(issuer.key);
	issuer.key = NULL;
	fn_arena_drop(arena);
	fn_clock_pretend(0);
}

/* ---- One request ----------------------------------------------------------------------------- */

struct reply {
	bool ok;
	struct fn_call call;
	struct fn_error err;
	struct fn_bytes body;
};

static struct reply
ask(const char *method, const char *path, const char *type, const char *body)
{
	const struct fn_header header = {FN_BYTES("Content-Type"), fn_bytes(type)};
	struct reply reply = {.call = {
				      .arena = arena,
				      .method = fn_bytes(method),
				      .path = fn_bytes(path),
				      .headers = &header,
				      .header_count = 1,
				      .body = fn_bytes(body),
			      }};

	reply.ok = issuer_handle(&reply.call, &issuer, &reply.err);
	reply.body = reply.call.answer.body;
	reply.call.headers = NULL;
	return reply;
}

static struct fn_bytes
header_of(const struct reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->call.answer.header_count; i++) {
		if (fn_bytes_is_nocase(reply->call.answer.headers[i].name, name))
			return reply->call.answer.headers[i].value;
	}
	return (struct fn_bytes){0};
}

static struct fn_bytes
text_of(struct fn_bytes json, const char *name)
{
	struct fn_bytes text, value;
	struct fn_error err;

	ck_assert_msg(fn_json_read(json, &value, &err), "%s", err.message);
	ck_assert_msg(fn_json_text(value, name, arena, &text), "%s in %.*s", name, FN_ARG(json));
	return text;
}

static struct reply
ask_token(const char *name)
{
	return ask("POST", "/issuer/token", "application/json",
		fn_textf(arena, "{\"name\":\"%s\"}", name));
}

/* ---- Tests ----------------------------------------------------------------------------------- */

START_TEST(discovery_says_where_all_is)
{
	struct reply reply = ask("GET", "/issuer/.well-known/openid-configuration", "", "");

	ck_assert(reply.ok);
	ck_assert_bytes_eq(text_of(reply.body, "issuer"), "http://localhost:8080/issuer");
	ck_assert_bytes_eq(
		text_of(reply.body, "jwks_uri"), "http://localhost:8080/issuer/jwks.json");
	ck_assert_bytes_eq(header_of(&reply, "Cache-Control"), "public, max-age=300");
}
END_TEST

static const struct name_case {
	const char *name;
	bool ok;
} name_cases[] = {
	{"a", true},
	{"ada_lovelace-1815", true},
	{"abcdefghijklmnopqrstuvwxyz012345", true},
	{"abcdefghijklmnopqrstuvwxyz0123456", false},
	{"", false},
	{"Ada", false},
	{"a b", false},
	{"<b>", false},
	{"a\\u0000", false},
	{"a'", false},
	{"\xc3\xa4", false},
};

START_TEST(name_is_plain_or_refused)
{
	const struct name_case *c = &name_cases[_i];
	struct reply reply = ask_token(c->name);

	ck_assert_msg(reply.ok == c->ok, "%s", c->name);
	if (!c->ok) {
		ck_assert_int_eq(reply.err.code, FN_INVALID);
		return;
	}
	ck_assert_bytes_eq(header_of(&reply, "Cache-Control"), "no-store");
	ck_assert_bytes_eq(text_of(reply.body, "token_type"), "Bearer");
}
END_TEST

/* Pages of others can post only what a form can, and read nothing of what comes. */
static const struct post_case {
	const char *path, *type, *body;
	enum fn_code code;
} post_cases[] = {
	{"/issuer/token", "text/plain", "{\"name\":\"ada\"}", FN_UNSUPPORTED_MEDIA},
	{"/issuer/token", "application/x-www-form-urlencoded", "name=ada", FN_UNSUPPORTED_MEDIA},
	{"/issuer/token", "application/json", "name=ada", FN_INVALID},
	{"/issuer/token", "application/json", "{\"name\":7}", FN_INVALID},
	{"/issuer/token", "application/json", "[]", FN_INVALID},
	{"/issuer", "application/json", "{\"name\":\"ada\"}", FN_UNSUPPORTED_MEDIA},
	{"/issuer", "application/x-www-form-urlencoded", "nome=ada", FN_INVALID},
	{"/issuer", "application/x-www-form-urlencoded", "name=%3Cscript%3E", FN_INVALID},
	{"/issuer/jwks.json", "application/json", "{}", FN_METHOD_NOT_ALLOWED},
	{"/issuer/keys", "application/json", "{}", FN_NOT_FOUND},
};

START_TEST(wrong_post_is_refused)
{
	const struct post_case *c = &post_cases[_i];
	struct reply reply = ask("POST", c->path, c->type, c->body);

	ck_assert_msg(!reply.ok && reply.err.code == c->code, "%s: %s", c->body, reply.err.message);
}
END_TEST

START_TEST(page_asks_and_tells)
{
	struct reply form = ask("GET", "/issuer", "", "");
	struct reply told = ask("POST", "/issuer", "application/x-www-form-urlencoded", "name=ada");

	ck_assert(form.ok && told.ok);
	ck_assert_ptr_nonnull(strstr(form.body.at, "<form class=\"card\" method=\"post\""));
	ck_assert_ptr_nonnull(strstr(told.body.at, "You are ada"));
	ck_assert_ptr_nonnull(strstr(told.body.at, "Authorization: Bearer eyJ"));
	ck_assert_bytes_eq(header_of(&told, "Content-Type"), "text/html; charset=utf-8");
	ck_assert_bytes_eq(header_of(&told, "Cache-Control"), "no-store");
	ck_assert(fn_bytes_starts(
		header_of(&told, "Content-Security-Policy"), "default-src 'none'; "));
}
END_TEST

START_TEST(key_is_kept_and_is_nobody_else_s)
{
	const char *jwk = fn_textf(arena, "%s", key_jwk(issuer.key));
	struct stat file;

	ck_assert(stat(key_file, &file) == 0);
	ck_assert_uint_eq(file.st_mode & 0777, 0600);
	key_close(issuer.key);
	open_issuer();
	ck_assert_str_eq(key_jwk(issuer.key), jwk);
	key_close(issuer.key);
	remove(key_file);
	open_issuer();
	ck_assert_str_ne(key_jwk(issuer.key), jwk);
}
END_TEST

static const char *const bad_files[] = {
	"",
	"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	/* an Ed25519 key */
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n",
};

START_TEST(bad_key_file_is_refused)
{
	FILE *file = fopen(key_file, "we");
	struct fn_error err;
	struct key *key;

	ck_assert_ptr_nonnull(file);
	fputs(bad_files[_i], file);
	fclose(file);
	ck_assert(!key_open(&key, key_file, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert(fn_bytes_starts(fn_bytes(err.message), "ISSUER_KEY_FILE: /"));
}
END_TEST

START_TEST(key_that_cannot_be_written_is_refused)
{
	struct fn_error err;
	struct key *key;

	ck_assert(!key_open(&key, "/nowhere/issuer.pem", &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_str_eq(
		err.message, "ISSUER_KEY_FILE: /nowhere/issuer.pem: No such file or directory");
}
END_TEST

/* ---- With the verifier ------------------------------------------------------------------------
 */

static bool
verify(struct identity *identity, struct fn_bytes token, struct caller *caller)
{
	const struct fn_header header = {
		FN_BYTES("Authorization"), fn_bytes(fn_textf(arena, "Bearer %.*s", FN_ARG(token)))};
	struct fn_call call = {.arena = arena, .headers = &header, .header_count = 1};
	struct fn_error err;

	return identity_read(identity, &call, caller, &err);
}

START_TEST(tokens_are_taken_for_as_long_as_they_say)
{
	unsigned port = free_port();
	const char *origin = fn_textf(arena, "http://127.0.0.1:%u", port);
	const char *const environment[] = {fn_textf(arena, "PORT=%u", port),
		fn_textf(arena, "ISSUER_ORIGIN=%s", origin),
		fn_textf(arena, "ISSUER_KEY_FILE=%s", key_file), NULL};
	const struct program_setup program_setup = {.name = "issuer", .environment = environment};
	const struct identity_config config = {.issuer = fn_textf(arena, "%s/issuer", origin),
		.audience = "phoenix",
		.jwks_url = "",
		.guest = "",
		.service = ""};
	struct program *program = program_start(&program_setup);
	struct identity *identity;
	struct fn_http_client *http;
	struct caller caller;
	struct fn_error err;

	ck_assert(program_is_up(program, port));
	ck_assert(fn_http_client_open(&http, &err));
	ck_assert_msg(identity_open(&identity, &config, http, &err), "%s", err.message);
	issuer.origin = origin;
	struct fn_bytes token = text_of(ask_token("ada").body, "access_token");
	ck_assert(verify(identity, token, &caller));
	ck_assert_bytes_eq(caller.subject, "ada");
	ck_assert_bytes_eq(caller.issuer, config.issuer);
	fn_clock_pretend(fn_unix_ms() + (LIFETIME_S + 61) * INT64_C(1000));
	ck_assert(!verify(identity, token, &caller));

	identity_close(identity);
	fn_http_client_close(http);
	program_signal(program, SIGTERM);
	ck_assert_int_eq(program_end(program), 0);
	program_drop(program);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = discovery_says_where_all_is},
		{.test = name_is_plain_or_refused, .rows = COUNT(name_cases)},
		{.test = wrong_post_is_refused, .rows = COUNT(post_cases)},
		{.test = page_asks_and_tells},
		{.test = key_is_kept_and_is_nobody_else_s},
		{.test = bad_key_file_is_refused, .rows = COUNT(bad_files)},
		{.test = key_that_cannot_be_written_is_refused},
		{.test = tokens_are_taken_for_as_long_as_they_say},
	};

	return suite_run_with("issuer", cases, COUNT(cases), setup, teardown);
}
