/* A token is kept until shortly before it ends. One caller at a time fetches the next: the
 * others go on with the old one, or wait where there is none and share what comes of it. */
#include "adapters/google_credentials.h"

#include "adapters/google_token_source.h"
#include "adapters/wire/json.h"
#include "fn/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define RENEW_BEFORE_MS 300000 /* the metadata server has a new one from then on */
#define DROP_BEFORE_MS 60000   /* a call may take that long to use it */
#define LIFETIME_MOST_S 86400
#define PAUSE_MS 10000 /* after a failure that an old token hides */
#define WAIT_MOST_MS 60000
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

	pthread_mutex_t lock; /* for all below */
	pthread_cond_t fetched;
	bool is_fetching;
	unsigned fetches;        /* that have ended */
	struct fn_error failure; /* of the last one */
	char authorization[AUTHORIZATION_SIZE];
	int64_t fresh_until_ms; /* Unix time; 0: there is no token */
	int64_t usable_until_ms;
};

bool
google_credentials_open(struct google_credentials **credentials,
	const struct google_credentials_config *config, struct fn_http_client *http,
	struct fn_error *err)
{
	struct fn_arena *arena = fn_arena_new();
	struct google_credentials *made = fn_arena_zero(arena, sizeof(*made));
	pthread_condattr_t monotonic;
	bool ok = config->key_file[0] != '\0'
			  ? google_key_file_open(&made->source, config->key_file, arena, err)
			  : google_metadata_open(&made->source, config->metadata_host, arena, err);

	if (!ok) {
		fn_arena_drop(arena);
		return false;
	}
	made->arena = arena;
	made->http = http;
	pthread_mutex_init(&made->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&made->fetched, &monotonic);
	*credentials = made;
	return true;
}

void
google_credentials_close(struct google_credentials *credentials)
{
	if (!credentials)
		return;
	pthread_cond_destroy(&credentials->fetched);
	pthread_mutex_destroy(&credentials->lock);
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

/* ---- One fetch for all; the lock is held but while waiting ----------------------------------- */

static void
keep(struct google_credentials *credentials, const struct google_token *token, int64_t asked_ms)
{
	snprintf(credentials->authorization, sizeof(credentials->authorization), "Bearer %.*s",
		FN_ARG(token->text));
	credentials->fresh_until_ms = asked_ms + token->lifetime_ms - RENEW_BEFORE_MS;
	credentials->usable_until_ms = asked_ms + token->lifetime_ms - DROP_BEFORE_MS;
}

static bool
fetch(struct google_credentials *credentials, struct fn_call *call, struct fn_error *err)
{
	struct google_token_source *source = credentials->source;
	struct google_token token;
	int64_t asked_ms = fn_unix_ms();

	credentials->is_fetching = true;
	pthread_mutex_unlock(&credentials->lock);
	bool ok = source->fetch(source, credentials->http, call, &token, err) ||
		  fn_wrap(err, "google credentials");
	pthread_mutex_lock(&credentials->lock);
	credentials->is_fetching = false;
	credentials->fetches++;
	credentials->failure = ok ? (struct fn_error){0} : *err;
	if (ok)
		keep(credentials, &token, asked_ms);
	pthread_cond_broadcast(&credentials->fetched);
	return ok;
}

/* While the old token can still be used, a failure to renew it is nobody's problem yet. */
static bool
renew(struct google_credentials *credentials, struct fn_call *call, struct fn_error *err)
{
	if (fetch(credentials, call, err))
		return true;
	if (fn_unix_ms() >= credentials->usable_until_ms)
		return false;
	fn_log(call, FN_WARNING, "%s; the old token serves on", err->message);
	credentials->fresh_until_ms = fn_unix_ms() + PAUSE_MS;
	return true;
}

/* A failure is shared by all who waited for it, lest each of them wait for one of its own. Only
 * somebody else's deadline is not ours: then it is our turn to fetch. */
static bool
wait_for_fetch(struct google_credentials *credentials, struct fn_call *call, struct fn_error *err)
{
	int64_t until_ms = fn_now_ms() + fn_time_left_ms(call, WAIT_MOST_MS);
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
	unsigned fetches = credentials->fetches;
	int timed_out = 0;

	while (credentials->fetches == fetches && !timed_out)
		timed_out =
			pthread_cond_timedwait(&credentials->fetched, &credentials->lock, &until);
	if (credentials->fetches == fetches)
		return fn_fail(err, FN_DEADLINE, "google credentials: no token in time");
	if (credentials->failure.code == FN_OK || credentials->failure.code == FN_DEADLINE)
		return true;
	*err = credentials->failure;
	return false;
}

static bool
ensure_token(struct google_credentials *credentials, struct fn_call *call, struct fn_error *err)
{
	for (;;) {
		int64_t now_ms = fn_unix_ms();

		if (now_ms < credentials->fresh_until_ms)
			return true;
		if (!credentials->is_fetching)
			return renew(credentials, call, err);
		if (now_ms < credentials->usable_until_ms)
			return true;
		TRY(wait_for_fetch(credentials, call, err));
	}
}

bool
google_credentials_token(struct google_credentials *credentials, struct fn_call *call,
	struct fn_bytes *authorization, struct fn_error *err)
{
	pthread_mutex_lock(&credentials->lock);
	bool ok = ensure_token(credentials, call, err);
	if (ok)
		*authorization = fn_bytes_copy(call->arena, fn_bytes(credentials->authorization));
	pthread_mutex_unlock(&credentials->lock);
	return ok;
}

void
google_credentials_refused(struct google_credentials *credentials, struct fn_bytes authorization)
{
	pthread_mutex_lock(&credentials->lock);
	if (fn_bytes_is(authorization, credentials->authorization)) {
		credentials->fresh_until_ms = 0;
		credentials->usable_until_ms = 0;
	}
	pthread_mutex_unlock(&credentials->lock);
}
