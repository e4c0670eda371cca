/* Key files: what is signed with them, what is sent, and which are refused at the start. */
#include "tests/support/google.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <cjose/base64.h>
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
open_key_file(const char *content, struct fn_error *err)
{
	char *path = fn_textf(google.call.arena, "%s/key.json", temp_folder());
	struct google_credentials_config config = {.key_file = path, .metadata_host = "unused"};
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(content, file);
	fclose(file);
	return google_credentials_open(&google.credentials, &config, google.http, err);
}

/* ---- Key files ------------------------------------------------------------------------------- */

static EVP_PKEY *
new_key(char **pem, const EVP_CIPHER *cipher)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	char *at;

	ck_assert(key && bio);
	ck_assert(PEM_write_bio_PKCS8PrivateKey(
		bio, key, cipher, cipher ? "pw" : NULL, cipher ? 2 : 0, NULL, NULL));
	long size = BIO_get_mem_data(bio, &at);
	*pem = fn_text(google.call.arena, (struct fn_bytes){at, (size_t)size});
	BIO_free(bio);
	return key;
}

static const char *
service_account(const char *pem, const char *token_url)
{
	struct fn_builder json = {.arena = google.call.arena};

	fn_addf(&json,
		"{\"type\":\"service_account\",\"project_id\":\"p\","
		"\"private_key_id\":\"key-1\",\"client_email\":\"a@p.example\","
		"\"token_uri\":\"%s\",\"private_key\":\"",
		token_url);
	fn_add_json(&json, fn_bytes(pem));
	fn_addf(&json, "\"}");
	return fn_text(google.call.arena, fn_built(&json));
}

static json_t *
decoded(struct fn_bytes part)
{
	uint8_t *plain;
	size_t size;

	ck_assert(cjose_base64url_decode(part.at, part.size, &plain, &size, NULL));
	json_t *root = json_loadb((char *)plain, size, 0, NULL);
	free(plain);
	ck_assert_ptr_nonnull(root);
	return root;
}

static void
assert_signed(EVP_PKEY *key, const char *text, size_t size, struct fn_bytes signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t *plain;
	size_t plain_size;

	ck_assert(cjose_base64url_decode(signature.at, signature.size, &plain, &plain_size, NULL));
	ck_assert(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1);
	ck_assert(EVP_DigestVerify(context, plain, plain_size, (const uint8_t *)text, size) == 1);
	EVP_MD_CTX_free(context);
	free(plain);
}

START_TEST(service_account_signs_what_it_claims)
{
	static const char grant[] = "\r\n\r\ngrant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type"
				    "%3Ajwt-bearer&assertion=";
	const struct script script[] = {
		{.status = 503}, {.status = 200, .body = GOOGLE_TOKEN("one")}};
	struct fn_error err = {0};
	char *pem;
	EVP_PKEY *key = new_key(&pem, NULL);

	const char *url =
		fn_textf(google.call.arena, "%s/token", google_serve(script, COUNT(script)));
	ck_assert_msg(open_key_file(service_account(pem, url), &err), "%s", err.message);
	google_gives("Bearer one");
	google_gives("Bearer one");
	ck_assert_uint_eq(scripted_server_requests(google.server), 2);

	const char *request = scripted_server_request(google.server, 1).at;
	ck_assert_ptr_nonnull(strstr(request, "POST /token HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(
		strstr(request, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
	const char *jwt = strstr(request, grant);
	ck_assert_ptr_nonnull(jwt);
	jwt += strlen(grant);
	struct fn_bytes rest = fn_bytes(jwt);
	struct fn_bytes header = fn_bytes_cut(&rest, '.'), claims = fn_bytes_cut(&rest, '.');
	assert_signed(key, jwt, header.size + 1 + claims.size, rest);
	EVP_PKEY_free(key);

	json_t *want = json_pack("{ss,ss,ss}", "alg", "RS256", "typ", "JWT", "kid", "key-1");
	json_t *got = decoded(header);
	ck_assert(json_equal(got, want));
	json_decref(want);
	json_decref(got);
	want = json_pack("{ss,ss,ss,sI,sI}", "iss", "a@p.example", "aud", url, "scope",
		"https://www.googleapis.com/auth/cloud-platform", "iat",
		(json_int_t)(GOOGLE_NOW_MS / 1000), "exp",
		(json_int_t)(GOOGLE_NOW_MS / 1000 + 3600));
	got = decoded(claims);
	ck_assert(json_equal(got, want));
	json_decref(want);
	json_decref(got);
}
END_TEST

START_TEST(authorized_user_sends_the_refresh_token)
{
	const struct script script = {.status = 200, .body = GOOGLE_TOKEN("one")};
	struct fn_error err = {0};

	const char *content = fn_textf(google.call.arena,
		"{\"type\":\"authorized_user\",\"client_id\":\"id.apps\",\"client_secret\":\"s&1\","
		"\"refresh_token\":\"1//r=x\",\"token_uri\":\"%s/token\"}",
		google_serve(&script, 1));
	ck_assert_msg(open_key_file(content, &err), "%s", err.message);
	google_gives("Bearer one");
	ck_assert_ptr_nonnull(strstr(scripted_server_request(google.server, 0).at,
		"\r\n\r\ngrant_type=refresh_token&client_id=id.apps&client_secret=s%261"
		"&refresh_token=1%2F%2Fr%3Dx"));
}
END_TEST

static const struct refusal_case {
	const char *name;
	struct script script;
	const char *sentence;
	size_t requests;
} refusal_cases[] = {
	{"said why",
		{.status = 400,
			.body = FN_BYTES_INIT("{\"error\":\"invalid_grant\",\"error_description\":"
					      "\"Bad Request\"}")},
		"authorized user: status 400 invalid_grant: Bad Request", 1},
	{"said nothing", {.status = 401, .body = FN_BYTES_INIT("<html>")}, "status 401", 1},
	{"broken", {.status = 500}, "status 500", 4},
	{"no token", {.status = 200, .body = FN_BYTES_INIT("{}")}, "holds no token", 1},
};

START_TEST(token_endpoint_refuses_with_a_reason)
{
	const struct refusal_case *c = &refusal_cases[_i];
	struct fn_bytes authorization;
	struct fn_error err = {0};

	const char *content = fn_textf(google.call.arena,
		"{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"hunter2\","
		"\"refresh_token\":\"hunter2\",\"token_uri\":\"%s/token\"}",
		google_serve(&c->script, 1));
	ck_assert_msg(open_key_file(content, &err), "%s", err.message);
	ck_assert(
		!google_credentials_token(google.credentials, &google.call, &authorization, &err));
	ck_assert_int_eq(err.code, FN_UPSTREAM);
	ck_assert_msg(strstr(err.message, c->sentence), "%s: %s", c->name, err.message);
	ck_assert_ptr_null(strstr(err.message, "hunter2"));
	ck_assert_uint_eq(scripted_server_requests(google.server), c->requests);
}
END_TEST

#define USER "{\"type\":\"authorized_user\",\"client_id\":\"i\","
#define ACCOUNT "{\"type\":\"service_account\",\"private_key_id\":\"k\",\"client_email\":\"a@b\","

static const struct file_case {
	const char *name, *content, *sentence;
} file_cases[] = {
	{"empty", "", "line 1 is not JSON"},
	{"no JSON", "{\n\"private_key\": hunter2}", "line 2 is not JSON"},
	{"a PEM file", "-----BEGIN PRIVATE KEY-----\nhunter2\n", "line 1 is not JSON"},
	{"a list", "[]", "type \"\" is not supported"},
	{"federation", "{\"type\":\"external_account\"}",
		"type \"external_account\" is not supported"},
	{"impersonation", "{\"type\":\"impersonated_service_account\"}",
		"type \"impersonated_service_account\" is not supported; service_account and"},
	{"no refresh token", USER "\"client_secret\":\"hunter2\"}", "\"refresh_token\" is missing"},
	{"no secret", USER "\"refresh_token\":\"hunter2\"}", "\"client_secret\" is missing"},
	{"no key", ACCOUNT "\"x\":1}", "\"private_key\" is missing"},
	{"no PEM", ACCOUNT "\"private_key\":\"hunter2\"}",
		"\"private_key\": not an RSA private key"},
	{"a number for a key", ACCOUNT "\"private_key\":7}", "\"private_key\" is missing"},
	{"an elliptic key",
		ACCOUNT "\"private_key\":\"-----BEGIN PRIVATE KEY-----\\n"
			"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2"
			"\\nOF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r"
			"\\n1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\\n"
			"-----END PRIVATE KEY-----\\n\"}",
		"\"private_key\": not an RSA private key"},
};

START_TEST(key_file_that_cannot_be_used_is_refused_at_start)
{
	const struct file_case *c = &file_cases[_i];
	struct fn_error err = {0};

	ck_assert_msg(!open_key_file(c->content, &err), "%s", c->name);
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strstr(err.message, "GOOGLE_APPLICATION_CREDENTIALS: /") == err.message,
		"%s: %s", c->name, err.message);
	ck_assert_msg(strstr(err.message, c->sentence), "%s: %s", c->name, err.message);
	ck_assert_ptr_null(strstr(err.message, "hunter2"));
}
END_TEST

/* A passphrase would be asked for at the terminal, and nobody sits there. */
START_TEST(encrypted_key_is_refused_at_start)
{
	struct fn_error err = {0};
	char *pem;

	EVP_PKEY_free(new_key(&pem, EVP_aes_128_cbc()));
	ck_assert(!open_key_file(service_account(pem, "http://127.0.0.1/"), &err));
	ck_assert_ptr_nonnull(strstr(err.message, "not an RSA private key"));
}
END_TEST

START_TEST(key_file_that_is_not_there_is_refused_at_start)
{
	struct google_credentials_config config = {.key_file = "/nowhere/key.json"};
	struct fn_error err = {0};

	ck_assert(!google_credentials_open(&google.credentials, &config, google.http, &err));
	ck_assert_str_eq(err.message, "GOOGLE_APPLICATION_CREDENTIALS: /nowhere/key.json: "
				      "No such file or directory");
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = service_account_signs_what_it_claims},
		{.test = authorized_user_sends_the_refresh_token},
		{.test = token_endpoint_refuses_with_a_reason, .rows = COUNT(refusal_cases)},
		{.test = key_file_that_cannot_be_used_is_refused_at_start,
			.rows = COUNT(file_cases)},
		{.test = encrypted_key_is_refused_at_start},
		{.test = key_file_that_is_not_there_is_refused_at_start},
	};

	return suite_run_with(
		"google_credentials' key files", cases, COUNT(cases), google_open, google_close);
}
