#include "adapters/identity_keys.h"

#include "adapters/shared_fetch.h"
#include "adapters/wire/jwk.h"
#include "adapters/wire/url.h"
#include "fn/clock.h"
#include "fn/json.h"

#include <stdlib.h>
#include <string.h>

#define DISCOVERY "/.well-known/openid-configuration"
#define LIFETIME_S 600    /* of keys whose answer does not say */
#define LIFETIME_LEAST 60 /* s */
#define LIFETIME_MOST 86400
#define USABLE_MS 86400000 /* while the issuer does not answer */
#define ASK_AGAIN_MS 10000
#define TIMEOUT_MS 3000
#define ATTEMPTS 2
#define RETRY_AFTER_S 5

struct identity_keys {
	const char *issuer, *url;
	struct fn_http_client *http;
	struct shared_fetch shared;
	struct jwk_set *set; /* under its lock */
};

struct fetched {
	struct jwk_set *set;
	int64_t lifetime_s;
};

/* ---- Where they are -------------------------------------------------------------------------- */

bool
identity_keys_url_is_safe(struct fn_bytes text)
{
	struct url url;

	return url_read(&url, text) && url.is_safe;
}

static bool
get(struct identity_keys *keys, struct fn_call *call, const char *url,
	struct fn_http_response *response, struct fn_error *err)
{
	const struct fn_header accept = {FN_BYTES("Accept"), FN_BYTES("application/json")};
	const struct fn_http_request request = {
		.url = url,
		.headers = &accept,
		.header_count = 1,
		.timeout_ms = TIMEOUT_MS,
		.attempts = ATTEMPTS,
	};

	TRY(fn_http_send(keys->http, call, &request, response, err));
	return response->status == 200 ||
	       fn_fail(err, FN_UPSTREAM, "%s: status %d", url, response->status);
}

static bool
discover(struct identity_keys *keys, struct fn_call *call, const char **url, struct fn_error *err)
{
	size_t size = strlen(keys->issuer);
	bool slash = keys->issuer[size - 1] == '/';
	const char *where =
		fn_textf(call->arena, "%.*s" DISCOVERY, (int)(size - slash), keys->issuer);
	struct fn_http_response response;
	struct fn_bytes document, issuer, found;

	TRY(get(keys, call, where, &response, err));
	if (!fn_json_read((struct fn_bytes){response.body, response.size}, &document, err) ||
		!fn_json_text(document, "issuer", call->arena, &issuer) ||
		!fn_json_text(document, "jwks_uri", call->arena, &found))
		return fn_fail(err, FN_UPSTREAM, "%s: no issuer and jwks_uri in it", where);
	if (!fn_bytes_is(issuer, keys->issuer))
		return fn_fail(err, FN_UPSTREAM, "%s: it is another issuer's", where);
	if (!identity_keys_url_is_safe(found))
		return fn_fail(err, FN_UPSTREAM, "%s: its jwks_uri is no https URL", where);
	*url = fn_text(call->arena, found);
	return true;
}

/* ---- Fetching -------------------------------------------------------------------------------- */

/* Cache-Control is a list of directives; what a cache before us has used up is its Age. */
static int64_t
lifetime_s(const struct fn_http_response *response)
{
	struct fn_bytes rest = fn_http_header(response, "Cache-Control");
	uint64_t most = LIFETIME_S, age = 0;
	bool may_keep = true;

	while (rest.size > 0) {
		struct fn_bytes value = fn_bytes_trim(fn_bytes_cut(&rest, ','));
		struct fn_bytes name = fn_bytes_cut(&value, '=');

		if (fn_bytes_is_nocase(name, "no-store") || fn_bytes_is_nocase(name, "no-cache"))
			may_keep = false;
		if (fn_bytes_is_nocase(name, "max-age") &&
			!fn_bytes_number(value, UINT32_MAX, &most))
			may_keep = false;
	}
	if (!fn_bytes_number(fn_http_header(response, "Age"), most, &age))
		age = 0;
	int64_t left = may_keep ? (int64_t)(most - age) : 0;

	return left < LIFETIME_LEAST ? LIFETIME_LEAST : left > LIFETIME_MOST ? LIFETIME_MOST : left;
}

static bool
fetch(void *owner, struct fn_call *call, void **got, struct fn_error *err)
{
	struct identity_keys *keys = owner;
	struct fetched *fetched = fn_arena_zero(call->arena, sizeof(*fetched));
	struct fn_http_response response;
	const char *url = keys->url;

	if (url[0] == '\0')
		TRY(discover(keys, call, &url, err));
	TRY(get(keys, call, url, &response, err));
	if (!jwk_set_read(&fetched->set, (struct fn_bytes){response.body, response.size}, err))
		return fn_wrap(err, "%s", url);
	fetched->lifetime_s = lifetime_s(&response);
	*got = fetched;
	return true;
}

static void
keep(void *owner, void *got, int64_t asked_ms)
{
	struct identity_keys *keys = owner;
	const struct fetched *fetched = got;

	jwk_set_drop(keys->set);
	keys->set = fetched->set;
	keys->shared.fresh_until_ms = asked_ms + fetched->lifetime_s * 1000;
	keys->shared.usable_until_ms = keys->shared.fresh_until_ms + USABLE_MS;
}

bool
identity_keys_open(struct identity_keys **keys, const char *issuer, const char *url,
	struct fn_http_client *http, struct fn_error *err)
{
	struct identity_keys *made = calloc(1, sizeof(*made));

	if (!made)
		return fn_fail(err, FN_INTERNAL, "out of memory");
	*made = (struct identity_keys){
		.issuer = issuer,
		.url = url,
		.http = http,
		.shared = {.name = "keys of the issuer",
			.owner = made,
			.fetch = fetch,
			.keep = keep},
	};
	shared_fetch_init(&made->shared);
	*keys = made;
	return true;
}

void
identity_keys_close(struct identity_keys *keys)
{
	if (!keys)
		return;
	shared_fetch_destroy(&keys->shared);
	jwk_set_drop(keys->set);
	free(keys);
}

/* ---- Verifying ------------------------------------------------------------------------------- */

/* A key that we do not have may be a new one: somebody else fetches it already, or we do. Whether
 * there is now more to look at than before. */
static bool
look_again(struct identity_keys *keys, struct fn_call *call)
{
	struct shared_fetch *shared = &keys->shared;
	struct fn_error ignored; /* the key is then simply not there */

	if (shared->is_running)
		return shared_fetch_wait(shared, call, &ignored);
	if (fn_unix_ms() - shared->asked_ms < ASK_AGAIN_MS)
		return false;
	shared->fresh_until_ms = 0;
	return shared_fetch_ensure(shared, call, &ignored);
}

/* With the lock held. */
static bool
hold(struct identity_keys *keys, struct fn_call *call, const struct jws *jws, struct jwk **key,
	struct fn_error *err)
{
	if (!shared_fetch_ensure(&keys->shared, call, err)) {
		err->code = FN_BUSY; /* whatever it was: the client may come again */
		err->retry_after_s = RETRY_AFTER_S;
		return false;
	}
	*key = jwk_hold(keys->set, jws->key_id, jws->algorithm);
	if (!*key && look_again(keys, call))
		*key = jwk_hold(keys->set, jws->key_id, jws->algorithm);
	return *key ||
	       fn_fail(err, FN_INVALID, "it is signed with a key that the issuer does not have");
}

bool
identity_keys_verify(struct identity_keys *keys, struct fn_call *call, const struct jws *jws,
	struct fn_error *err)
{
	struct jwk *key = NULL;

	pthread_mutex_lock(&keys->shared.lock);
	bool ok = hold(keys, call, jws, &key, err);
	pthread_mutex_unlock(&keys->shared.lock);
	if (!ok)
		return false;
	ok = jwk_verify(key, jws);
	jwk_drop(key);
	return ok || fn_fail(err, FN_INVALID, "its signature is wrong");
}
