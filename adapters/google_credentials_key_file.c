/* Key files, for machines outside of Google Cloud: what is proven with them is exchanged for an
 * access token at an OAuth 2.0 token endpoint.
 * Source: RFC 7523 (a service account's signed assertion), RFC 6749 (a person's refresh token);
 * developers.google.com/identity/protocols/oauth2/service-account. */
#include "adapters/google_token_source.h"
#include "adapters/wire/json.h"
#include "adapters/wire/jwt_signer.h"
#include "fn/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define VARIABLE "GOOGLE_APPLICATION_CREDENTIALS"
#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define SCOPE "https://www.googleapis.com/auth/cloud-platform"
#define ASSERTION_GRANT                                                                            \
	"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="
#define ASSERTION_S 3600 /* the most that is allowed */
#define ATTEMPTS 4
#define TIMEOUT_MS 10000

struct key_file {
	struct google_token_source base;
	const char *token_url;
	const char *email;         /* service_account */
	struct jwt_signer *signer; /* service_account */
	struct fn_bytes form;      /* authorized_user */
};

/* ---- Asking ---------------------------------------------------------------------------------- */

/* An OAuth error is {"error": code, "error_description": sentence}; anything may be missing. */
static bool
refused(struct fn_call *call, const struct fn_http_response *response, struct fn_error *err)
{
	json_t *answer =
		json_keep(call->arena, json_loadb(response->body, response->size, 0, NULL));
	struct fn_bytes code = json_text(json_object_get(answer, "error"));
	struct fn_bytes sentence = json_text(json_object_get(answer, "error_description"));

	return fn_fail(err, FN_UPSTREAM, "status %d %.*s: %.*s", response->status, FN_ARG(code),
		FN_ARG(sentence));
}

static bool
exchange(const struct key_file *file, struct fn_http_client *http, struct fn_call *call,
	struct fn_bytes form, struct google_token *token, struct fn_error *err)
{
	const struct fn_header type = {
		FN_BYTES("Content-Type"), FN_BYTES("application/x-www-form-urlencoded")};
	const struct fn_http_request request = {
		.method = "POST",
		.url = file->token_url,
		.headers = &type,
		.header_count = 1,
		.body = form,
		.timeout_ms = TIMEOUT_MS,
		.attempts = ATTEMPTS,
	};
	struct fn_http_response response;

	TRY(fn_http_send(http, call, &request, &response, err));
	if (response.status != 200)
		return refused(call, &response, err);
	return google_token_read(token, call, &response, err);
}

static bool
fetch_by_assertion(struct google_token_source *source, struct fn_http_client *http,
	struct fn_call *call, struct google_token *token, struct fn_error *err)
{
	const struct key_file *file = (const struct key_file *)source;
	struct fn_builder claims = {.arena = call->arena}, form = {.arena = call->arena};
	int64_t now_s = fn_unix_ms() / 1000;
	struct fn_bytes assertion;

	fn_addf(&claims, "{\"iss\":\"");
	fn_add_json(&claims, fn_bytes(file->email));
	fn_addf(&claims, "\",\"scope\":\"" SCOPE "\",\"aud\":\"");
	fn_add_json(&claims, fn_bytes(file->token_url));
	fn_addf(&claims, "\",\"iat\":%lld,\"exp\":%lld}", (long long)now_s,
		(long long)now_s + ASSERTION_S);
	TRY(jwt_sign(file->signer, call->arena, fn_built(&claims), &assertion, err));
	fn_add(&form, FN_BYTES(ASSERTION_GRANT));
	fn_add(&form, assertion);
	return exchange(file, http, call, fn_built(&form), token, err) ||
	       fn_wrap(err, "service account %s", file->email);
}

static bool
fetch_by_refresh_token(struct google_token_source *source, struct fn_http_client *http,
	struct fn_call *call, struct google_token *token, struct fn_error *err)
{
	const struct key_file *file = (const struct key_file *)source;

	return exchange(file, http, call, file->form, token, err) ||
	       fn_wrap(err, "authorized user");
}

/* ---- Reading the file ------------------------------------------------------------------------ */

/* NULL, with the reason in err, where the file has no such text. */
static char *
member(const json_t *root, const char *name, struct fn_arena *arena, struct fn_error *err)
{
	struct fn_bytes value = json_text(json_object_get(root, name));

	if (value.size > 0)
		return fn_text(arena, value);
	fn_fail(err, FN_INVALID, "\"%s\" is missing", name);
	return NULL;
}

static void
close_signer(void *signer)
{
	jwt_signer_close(signer);
}

static bool
open_service_account(
	struct key_file *file, const json_t *root, struct fn_arena *arena, struct fn_error *err)
{
	char *pem, *key_id, *email;

	TRY((pem = member(root, "private_key", arena, err)));
	TRY((key_id = member(root, "private_key_id", arena, err)));
	TRY((email = member(root, "client_email", arena, err)));
	if (!jwt_signer_open(&file->signer, pem, key_id, err))
		return fn_wrap(err, "\"private_key\"");
	fn_arena_defer(arena, close_signer, file->signer);
	file->email = email;
	file->base.fetch = fetch_by_assertion;
	return true;
}

static bool
open_authorized_user(
	struct key_file *file, const json_t *root, struct fn_arena *arena, struct fn_error *err)
{
	static const char *const names[] = {"client_id", "client_secret", "refresh_token"};
	struct fn_builder form = {.arena = arena};
	char *value;

	fn_addf(&form, "grant_type=refresh_token");
	for (size_t i = 0; i < COUNT(names); i++) {
		TRY((value = member(root, names[i], arena, err)));
		fn_addf(&form, "&%s=", names[i]);
		fn_add_escaped(&form, fn_bytes(value), "");
	}
	file->form = fn_built(&form);
	file->base.fetch = fetch_by_refresh_token;
	return true;
}

static const struct kind {
	const char *type;
	bool (*open)(struct key_file *, const json_t *, struct fn_arena *, struct fn_error *);
} kinds[] = {
	{"service_account", open_service_account},
	{"authorized_user", open_authorized_user},
};

static bool
open_kind(struct key_file *file, const json_t *root, struct fn_arena *arena, struct fn_error *err)
{
	struct fn_bytes type = json_text(json_object_get(root, "type"));
	struct fn_bytes token_url = json_text(json_object_get(root, "token_uri"));

	file->token_url = token_url.size > 0 ? fn_text(arena, token_url) : TOKEN_URL;
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (fn_bytes_is(type, kinds[i].type))
			return kinds[i].open(file, root, arena, err);
	return fn_fail(err, FN_INVALID,
		"type \"%.*s\" is not supported; service_account and authorized_user are",
		FN_ARG(type));
}

/* jansson's own message could quote the file, which is a secret: the line must do. */
static bool
read_json(const char *path, json_t **root, struct fn_error *err)
{
	json_error_t where;
	FILE *file = fopen(path, "re");

	if (!file)
		return fn_fail(err, FN_INVALID, "%s", strerror(errno));
	*root = json_loadf(file, 0, &where);
	fclose(file);
	return *root || fn_fail(err, FN_INVALID, "line %d is not JSON", where.line);
}

bool
google_key_file_open(struct google_token_source **source, const char *path, struct fn_arena *arena,
	struct fn_error *err)
{
	struct key_file *file = fn_arena_zero(arena, sizeof(*file));
	json_t *root;

	if (!read_json(path, &root, err))
		return fn_wrap(err, VARIABLE ": %s", path);
	bool ok = open_kind(file, root, arena, err) || fn_wrap(err, VARIABLE ": %s", path);
	json_decref(root);
	if (ok)
		*source = &file->base;
	return ok;
}
