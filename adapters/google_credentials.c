#include "adapters/google_credentials.h"

#include "adapters/google_token_source.h"
#include "adapters/shared_fetch.h"
#include "adapters/wire/json.h"

#include <stdio.h>

#define RENEW_BEFORE_MS 300000 /* the metadata server has a new one from then on */
#define DROP_BEFORE_MS 60000   /* a call may take that long to use it */
#define LIFETIME_MOST_S 86400
#define TOKEN_MOST 4096 /* bytes; Google promises 2048 */
#define AUTHORIZATION_SIZE (sizeof("Bearer ") + TOKEN_MOST)

const struct fn_setting google_credentials_settings[] = {
	{
		.name = "GOOGLE_APPLICATION_CREDENTIALS",
		.kind = FN_TEXT,
		.into = offsetof(struct google_credentials_config, key_file),
		.fallback = "",
		.meaning = "key file for Google's APIs; without it the metadata server is asked",
	},
	{
		.name = "GCE_METADATA_HOST",
		.kind = FN_TEXT,
		.into = offsetof(struct google_credentials_config, metadata_host),
		.fallback = "metadata.google.internal",
		.meaning = "host[:port] of the metadata server",
	},
	{0},
};

struct google_credentials {
	struct fn_arena *arena; /* holds this and the source */
	struct google_token_source *source;
	struct fn_http_client *http;

	struct shared_fetch shared;
	char authorization[AUTHORIZATION_SIZE]; /* under its lock */
};

/* ---- A token ------------------------------------------------------------------------------- */

static bool
fetch(void *owner, struct fn_call *call, void **got, struct fn_error *err)
{
	struct google_credentials *credentials = owner;
	struct google_token *token = fn_arena_alloc(call->arena, sizeof(*token));

	*got = token;
	return credentials->source->fetch(credentials->source, credentials->http, call, token, err);
}

static void
keep(void *owner, void *got, int64_t asked_ms)
{
	struct google_credentials *credentials = owner;
	const struct google_token *token = got;

	snprintf(credentials->authorization, sizeof(credentials->authorization), "Bearer %.*s",
		FN_ARG(token->text));
	credentials->shared.fresh_until_ms = asked_ms + token->lifetime_ms - RENEW_BEFORE_MS;
	credentials->shared.usable_until_ms = asked_ms + token->lifetime_ms - DROP_BEFORE_MS;
}

bool
google_credentials_open(struct google_credentials **credentials,
	const struct google_credentials_config *config, struct fn_http_client *http,
	struct fn_error *err)
{
	struct fn_arena *arena = fn_arena_new();
	struct google_credentials *made = fn_arena_zero(arena, sizeof(*made));
	bool ok = config->key_file[0] != '\0'
			  ? google_key_file_open(&made->source, config->key_file, arena, err)
			  : google_metadata_open(&made->source, config->metadata_host, arena, err);

	if (!ok) {
		fn_arena_drop(arena);
		return false;
	}
	made->arena = arena;
	made->http = http;
	made->shared = (struct shared_fetch){
		.name = "google credentials", .owner = made, .fetch = fetch, .keep = keep};
	shared_fetch_init(&made->shared);
	*credentials = made;
	return true;
}

void
google_credentials_close(struct google_credentials *credentials)
{
	if (!credentials)
		return;
	shared_fetch_destroy(&credentials->shared);
	fn_arena_drop(credentials->arena);
}

bool
google_token_read(struct google_token *token, struct fn_call *call,
	const struct fn_http_response *response, struct fn_error *err)
{
	json_t *answer =
		json_keep(call->arena, json_loadb(response->body, response->size, 0, NULL));
	struct fn_bytes text = json_text(json_object_get(answer, "access_token"));
	json_int_t lifetime_s = json_integer_value(json_object_get(answer, "expires_in"));

	if (text.size == 0 || text.size > TOKEN_MOST || lifetime_s <= 0 ||
		lifetime_s > LIFETIME_MOST_S)
		return fn_fail(err, FN_UPSTREAM, "the answer holds no token");
	*token = (struct google_token){text, lifetime_s * 1000};
	return true;
}

bool
google_credentials_token(struct google_credentials *credentials, struct fn_call *call,
	struct fn_bytes *authorization, struct fn_error *err)
{
	pthread_mutex_lock(&credentials->shared.lock);
	bool ok = shared_fetch_ensure(&credentials->shared, call, err);
	if (ok)
		*authorization = fn_bytes_copy(call->arena, fn_bytes(credentials->authorization));
	pthread_mutex_unlock(&credentials->shared.lock);
	return ok;
}

void
google_credentials_refused(struct google_credentials *credentials, struct fn_bytes authorization)
{
	pthread_mutex_lock(&credentials->shared.lock);
	if (fn_bytes_is(authorization, credentials->authorization)) {
		credentials->shared.fresh_until_ms = 0;
		credentials->shared.usable_until_ms = 0;
	}
	pthread_mutex_unlock(&credentials->shared.lock);
}
