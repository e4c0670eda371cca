#include "adapters/google_credentials.h"
#include "fn/clock.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <cjose/base64.h>
#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLAVOR "Metadata-Flavor: Google\r\n"
#define TOKEN_PATH "/computeMetadata/v1/instance/service-accounts/default/token"
#define TOKEN(name)                                                                                \
	FN_BYTES_INIT(                                                                             \
		"{\"access_token\":\"" name "\",\"expires_in\":3600,\"token_type\":\"Bearer\"}")
#define NOW_MS INT64_C(1795498618000)
#define THREADS 8

static struct fn_http_client *http;
static struct fn_call call;
static struct scripted_server *server;
static struct google_credentials *credentials;

static void
setup(void)
{
	struct fn_error err = {0};

	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	fn_clock_pretend(NOW_MS);
	call = (struct fn_call){.arena = fn_arena_new()};
	ck_assert_msg(fn_http_client_open(&http, &err), "%s", err.message);
}

static void
teardown(void)
{
	google_credentials_close(credentials);
	fn_http_client_close(http);
	scripted_server_stop(server);
	fn_arena_drop(call.arena);
}

static const char *
serve(const struct script *script, size_t count)
{
	server = scripted_server_start(script, count);
	return scripted_server_url(server);
}

static void
open_metadata(const struct script *script, size_t count)
{
	struct google_credentials_config config = {
		.key_file = "", .metadata_host = serve(script, count) + strlen("http://")};
	struct fn_error err = {0};

	ck_assert_msg(
		google_credentials_open(&credentials, &config, http, &err), "%s", err.message);
}

static bool
open_key_file(const char *content, struct fn_error *err)
{
	char *path = fn_textf(call.arena, "%s/key.json", temp_folder());
	struct google_credentials_config config = {.key_file = path, .metadata_host = "unused"};
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(content, file);
	fclose(file);
	return google_credentials_open(&credentials, &config, http, err);
}

static void
assert_token(const char *want)
{
	struct fn_bytes authorization;
	struct fn_error err = {0};

	bool ok = google_credentials_token(credentials, &call, &authorization, &err);
	ck_assert_msg(ok, "%s", err.message);
	ck_assert_bytes_eq(authorization, want);
}

/* ---- The metadata server ---- */

START_TEST(metadata_server_is_asked_once)
{
	const struct script script[] = {
		{.status = 200, .headers = FLAVOR, .body = TOKEN("one")},
		{.status = 200, .headers = FLAVOR, .body = TOKEN("two")},
	};

	setenv("http_proxy", "http://127.0.0.1:1", 1); /* nobody's; it is not asked */
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	open_metadata(script, COUNT(script));
	assert_token("Bearer one");
	assert_token("Bearer one");
	ck_assert_uint_eq(scripted_server_requests(server), 1);
	const char *request = scripted_server_request(server, 0).at;
	ck_assert_ptr_nonnull(strstr(request, "GET " TOKEN_PATH " HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(request, "\r\nMetadata-Flavor: Google\r\n"));
}
END_TEST

static const struct metadata_case {
	const char *name;
	struct script script;
	const char *sentence; /* NULL: the second answer, a token, is waited for */
	size_t requests;
} metadata_cases[] = {
	{"no account", {.status = 404, .headers = FLAVOR},
		"metadata server: no service account is attached", 1},
	{"busy", {.status = 503, .headers = FLAVOR}, NULL, 2},
	{"broken", {.status = 500, .headers = FLAVOR}, NULL, 2},
	{"reset", {.end = SCRIPT_RESET}, NULL, 2},
	{"forbidden", {.status = 403, .headers = FLAVOR}, "metadata server: status 403", 1},
	{"a stranger", {.status = 200, .body = TOKEN("one")}, "is no metadata server", 1},
	{"a stranger without an account", {.status = 404}, "is no metadata server", 1},
	{"no JSON", {.status = 200, .headers = FLAVOR, .body = FN_BYTES_INIT("<html>")},
		"holds no token", 1},
	{"no token",
		{.status = 200, .headers = FLAVOR, .body = FN_BYTES_INIT("{\"expires_in\":3600}")},
		"holds no token", 1},
	{"an empty token",
		{.status = 200,
			.headers = FLAVOR,
			.body = FN_BYTES_INIT("{\"access_token\":\"\",\"expires_in\":3600}")},
		"holds no token", 1},
	{"no end",
		{.status = 200,
			.headers = FLAVOR,
			.body = FN_BYTES_INIT("{\"access_token\":\"one\"}")},
		"holds no token", 1},
	{"over already",
		{.status = 200,
			.headers = FLAVOR,
			.body = FN_BYTES_INIT("{\"access_token\":\"one\",\"expires_in\":-1}")},
		"holds no token", 1},
	{"never over",
		{.status = 200,
			.headers = FLAVOR,
			.body = FN_BYTES_INIT(
				"{\"access_token\":\"one\",\"expires_in\":9007199254740993}")},
		"holds no token", 1},
};

START_TEST(metadata_answer_is_a_token_or_a_reason)
{
	const struct metadata_case *c = &metadata_cases[_i];
	const struct script script[] = {
		c->script, {.status = 200, .headers = FLAVOR, .body = TOKEN("two")}};
	struct fn_bytes authorization = {0};
	struct fn_error err = {0};

	open_metadata(script, COUNT(script));
	bool ok = google_credentials_token(credentials, &call, &authorization, &err);
	ck_assert_msg(ok == !c->sentence, "%s: %s", c->name, err.message);
	ck_assert_msg(ok || err.code == FN_UPSTREAM, "%s: %d", c->name, err.code);
	ck_assert_msg(ok || strstr(err.message, c->sentence), "%s: %s", c->name, err.message);
	ck_assert_msg(scripted_server_requests(server) == c->requests, "%s: requests", c->name);
}
END_TEST

START_TEST(token_too_long_for_a_header_is_refused)
{
	char *body = fn_textf(call.arena, "{\"access_token\":\"%05000d\",\"expires_in\":3600}", 1);
	const struct script script = {.status = 200, .headers = FLAVOR, .body = fn_bytes(body)};
	struct fn_bytes authorization;
	struct fn_error err = {0};

	open_metadata(&script, 1);
	ck_assert(!google_credentials_token(credentials, &call, &authorization, &err));
	ck_assert_ptr_nonnull(strstr(err.message, "holds no token"));
}
END_TEST

/* ---- Keeping a token ---- */

START_TEST(token_is_renewed_five_minutes_before_its_end)
{
	const struct script script[] = {
		{.status = 200, .headers = FLAVOR, .body = TOKEN("one")},
		{.status = 200, .headers = FLAVOR, .body = TOKEN("two")},
	};

	open_metadata(script, COUNT(script));
	assert_token("Bearer one");
	fn_clock_pretend(NOW_MS + 3299 * 1000);
	assert_token("Bearer one");
	fn_clock_pretend(NOW_MS + 3300 * 1000);
	assert_token("Bearer two");
	fn_clock_pretend(NOW_MS + (3300 + 3299) * INT64_C(1000));
	assert_token("Bearer two");
	ck_assert_uint_eq(scripted_server_requests(server), 2);
}
END_TEST

START_TEST(old_token_serves_while_renewal_fails)
{
	const struct script script[] = {
		{.status = 200, .headers = FLAVOR, .body = TOKEN("one")},
		{.status = 403, .headers = FLAVOR},
		{.status = 403, .headers = FLAVOR},
		{.status = 200, .headers = FLAVOR, .body = TOKEN("two")},
	};
	struct fn_bytes authorization;
	struct fn_error err = {0};

	open_metadata(script, COUNT(script));
	assert_token("Bearer one");
	fn_clock_pretend(NOW_MS + 3400 * 1000);
	assert_token("Bearer one");
	assert_token("Bearer one"); /* and does not ask again at once */
	ck_assert_uint_eq(scripted_server_requests(server), 2);
	fn_clock_pretend(NOW_MS + 3550 * 1000);
	ck_assert(!google_credentials_token(credentials, &call, &authorization, &err));
	ck_assert_ptr_nonnull(strstr(err.message, "status 403"));
	assert_token("Bearer two");
}
END_TEST

START_TEST(refused_token_is_forgotten)
{
	const struct script script[] = {
		{.status = 200, .headers = FLAVOR, .body = TOKEN("one")},
		{.status = 200, .headers = FLAVOR, .body = TOKEN("two")},
	};

	open_metadata(script, COUNT(script));
	assert_token("Bearer one");
	google_credentials_refused(credentials, FN_BYTES("Bearer older"));
	assert_token("Bearer one");
	google_credentials_refused(credentials, FN_BYTES("Bearer one"));
	assert_token("Bearer two");
	google_credentials_refused(credentials, FN_BYTES("Bearer one"));
	assert_token("Bearer two");
	ck_assert_uint_eq(scripted_server_requests(server), 2);
}
END_TEST

/* What each of many callers, who start at the same time, has to get. */
static struct {
	pthread_barrier_t start;
	const char *authorization; /* NULL: a failure */
	int64_t deadline_ms;
	enum fn_code code;
} wanted;

static void *
ask(void *unused)
{
	struct fn_call own = {.arena = fn_arena_new(), .deadline_ms = wanted.deadline_ms};
	struct fn_bytes authorization = {0};
	struct fn_error err = {0};

	(void)unused;
	pthread_barrier_wait(&wanted.start);
	bool ok = google_credentials_token(credentials, &own, &authorization, &err);
	bool good = ok == (wanted.authorization != NULL) && err.code == wanted.code &&
		    fn_bytes_equal(authorization, fn_bytes(wanted.authorization));
	fn_arena_drop(own.arena);
	return good ? &wanted : NULL;
}

static void
ask_begin(pthread_t *threads, unsigned count)
{
	pthread_barrier_init(&wanted.start, NULL, count);
	for (unsigned i = 0; i < count; i++)
		ck_assert(!pthread_create(&threads[i], NULL, ask, NULL));
}

static void
ask_end(pthread_t *threads, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		void *good;
		pthread_join(threads[i], &good);
		ck_assert_ptr_nonnull(good);
	}
	pthread_barrier_destroy(&wanted.start);
}

START_TEST(many_callers_make_one_fetch)
{
	const struct script script = {
		.status = 200, .headers = FLAVOR, .body = TOKEN("one"), .wait_ms = 500};
	pthread_t threads[THREADS];

	open_metadata(&script, 1);
	wanted.authorization = "Bearer one";
	ask_begin(threads, THREADS);
	ask_end(threads, THREADS);
	ck_assert_uint_eq(scripted_server_requests(server), 1);
}
END_TEST

START_TEST(many_callers_share_a_failure)
{
	const struct script script = {.status = 404, .headers = FLAVOR, .wait_ms = 1000};
	pthread_t threads[THREADS];

	open_metadata(&script, 1);
	wanted.code = FN_UPSTREAM;
	ask_begin(threads, THREADS);
	ask_end(threads, THREADS);
	ck_assert_uint_eq(scripted_server_requests(server), 1);
}
END_TEST

static void
wait_for_requests(size_t count)
{
	while (scripted_server_requests(server) < count)
		usleep(1000);
}

START_TEST(others_go_on_with_the_old_token_while_one_renews)
{
	const struct script script[] = {
		{.status = 200, .headers = FLAVOR, .body = TOKEN("one")},
		{.status = 200, .headers = FLAVOR, .body = TOKEN("two"), .wait_ms = 2000},
	};
	pthread_t renewing;

	open_metadata(script, COUNT(script));
	assert_token("Bearer one");
	fn_clock_pretend(NOW_MS + 3400 * 1000);
	wanted.authorization = "Bearer two";
	ask_begin(&renewing, 1);
	wait_for_requests(2);
	assert_token("Bearer one");
	ask_end(&renewing, 1);
	assert_token("Bearer two");
	ck_assert_uint_eq(scripted_server_requests(server), 2);
}
END_TEST

/* A caller with little time left does not take those with more down with it. */
START_TEST(fetch_that_ran_out_of_time_is_taken_over)
{
	const struct script script[] = {
		{.end = SCRIPT_STALL},
		{.status = 200, .headers = FLAVOR, .body = TOKEN("two")},
	};
	pthread_t hasty;

	open_metadata(script, COUNT(script));
	wanted.code = FN_DEADLINE;
	wanted.deadline_ms = fn_now_ms() + 500;
	ask_begin(&hasty, 1);
	wait_for_requests(1);
	assert_token("Bearer two");
	ask_end(&hasty, 1);
}
END_TEST

START_TEST(waiting_for_a_fetch_ends_at_the_deadline)
{
	const struct script script = {
		.status = 200, .headers = FLAVOR, .body = TOKEN("one"), .wait_ms = 1000};
	struct fn_bytes authorization;
	struct fn_error err = {0};
	pthread_t fetching;

	open_metadata(&script, 1);
	wanted.authorization = "Bearer one";
	ask_begin(&fetching, 1);
	wait_for_requests(1);
	call.deadline_ms = fn_now_ms() + 100;
	ck_assert(!google_credentials_token(credentials, &call, &authorization, &err));
	ck_assert_int_eq(err.code, FN_DEADLINE);
	ask_end(&fetching, 1);
}
END_TEST

/* ---- Key files ---- */

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
	*pem = fn_text(call.arena, (struct fn_bytes){at, (size_t)size});
	BIO_free(bio);
	return key;
}

static const char *
service_account(const char *pem, const char *token_url)
{
	struct fn_builder json = {.arena = call.arena};

	fn_addf(&json,
		"{\"type\":\"service_account\",\"project_id\":\"p\","
		"\"private_key_id\":\"key-1\",\"client_email\":\"a@p.example\","
		"\"token_uri\":\"%s\",\"private_key\":\"",
		token_url);
	fn_add_json(&json, fn_bytes(pem));
	fn_addf(&json, "\"}");
	return fn_text(call.arena, fn_built(&json));
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
	const struct script script[] = {{.status = 503}, {.status = 200, .body = TOKEN("one")}};
	struct fn_error err = {0};
	char *pem;
	EVP_PKEY *key = new_key(&pem, NULL);

	const char *url = fn_textf(call.arena, "%s/token", serve(script, COUNT(script)));
	ck_assert_msg(open_key_file(service_account(pem, url), &err), "%s", err.message);
	assert_token("Bearer one");
	assert_token("Bearer one");
	ck_assert_uint_eq(scripted_server_requests(server), 2);

	const char *request = scripted_server_request(server, 1).at;
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
		(json_int_t)(NOW_MS / 1000), "exp", (json_int_t)(NOW_MS / 1000 + 3600));
	got = decoded(claims);
	ck_assert(json_equal(got, want));
	json_decref(want);
	json_decref(got);
}
END_TEST

START_TEST(authorized_user_sends_the_refresh_token)
{
	const struct script script = {.status = 200, .body = TOKEN("one")};
	struct fn_error err = {0};

	const char *content = fn_textf(call.arena,
		"{\"type\":\"authorized_user\",\"client_id\":\"id.apps\",\"client_secret\":\"s&1\","
		"\"refresh_token\":\"1//r=x\",\"token_uri\":\"%s/token\"}",
		serve(&script, 1));
	ck_assert_msg(open_key_file(content, &err), "%s", err.message);
	assert_token("Bearer one");
	ck_assert_ptr_nonnull(strstr(scripted_server_request(server, 0).at,
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

	const char *content = fn_textf(call.arena,
		"{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"hunter2\","
		"\"refresh_token\":\"hunter2\",\"token_uri\":\"%s/token\"}",
		serve(&c->script, 1));
	ck_assert_msg(open_key_file(content, &err), "%s", err.message);
	ck_assert(!google_credentials_token(credentials, &call, &authorization, &err));
	ck_assert_int_eq(err.code, FN_UPSTREAM);
	ck_assert_msg(strstr(err.message, c->sentence), "%s: %s", c->name, err.message);
	ck_assert_ptr_null(strstr(err.message, "hunter2"));
	ck_assert_uint_eq(scripted_server_requests(server), c->requests);
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

	ck_assert(!google_credentials_open(&credentials, &config, http, &err));
	ck_assert_str_eq(err.message, "GOOGLE_APPLICATION_CREDENTIALS: /nowhere/key.json: "
				      "No such file or directory");
}
END_TEST

static const char *const bad_hosts[] = {
	"", "http://host", "host/path", "host?", "user@host", "a b"};

START_TEST(metadata_host_that_is_none_is_refused_at_start)
{
	struct google_credentials_config config = {.key_file = "", .metadata_host = bad_hosts[_i]};
	struct fn_error err = {0};

	ck_assert(!google_credentials_open(&credentials, &config, http, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert(fn_bytes_starts(fn_bytes(err.message), "GCE_METADATA_HOST: "));
}
END_TEST

#define ROWS(name, count)                                                                          \
	{                                                                                          \
		.test = name, .rows = count, .setup = setup, .teardown = teardown                  \
	}

int
main(void)
{
	const struct suite_case cases[] = {
		ROWS(metadata_server_is_asked_once, 1),
		ROWS(metadata_answer_is_a_token_or_a_reason, COUNT(metadata_cases)),
		ROWS(token_too_long_for_a_header_is_refused, 1),
		ROWS(token_is_renewed_five_minutes_before_its_end, 1),
		ROWS(old_token_serves_while_renewal_fails, 1),
		ROWS(refused_token_is_forgotten, 1),
		ROWS(many_callers_make_one_fetch, 1),
		ROWS(many_callers_share_a_failure, 1),
		ROWS(others_go_on_with_the_old_token_while_one_renews, 1),
		ROWS(fetch_that_ran_out_of_time_is_taken_over, 1),
		ROWS(waiting_for_a_fetch_ends_at_the_deadline, 1),
		ROWS(service_account_signs_what_it_claims, 1),
		ROWS(authorized_user_sends_the_refresh_token, 1),
		ROWS(token_endpoint_refuses_with_a_reason, COUNT(refusal_cases)),
		ROWS(key_file_that_cannot_be_used_is_refused_at_start, COUNT(file_cases)),
		ROWS(encrypted_key_is_refused_at_start, 1),
		ROWS(key_file_that_is_not_there_is_refused_at_start, 1),
		ROWS(metadata_host_that_is_none_is_refused_at_start, COUNT(bad_hosts)),
	};
	return suite_run("google_credentials", cases, COUNT(cases));
}
