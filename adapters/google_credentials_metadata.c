/* The metadata server of Google Cloud: plain HTTP on a link-local address, so the answer must
 * prove by a header that it is no stranger's, and no proxy may come between.
 * Source: cloud.google.com/compute/docs/metadata/querying-metadata. */
#include "adapters/google_token_source.h"

#include <string.h>

#define PATH "/computeMetadata/v1/instance/service-accounts/default/token"
#define ATTEMPTS 4
#define TIMEOUT_MS 3000
#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]"

struct metadata {
	struct google_token_source base;
	const char *url;
};

static bool
fetch(struct google_token_source *source, struct fn_http_client *http, struct fn_call *call,
	struct google_token *token, struct fn_error *err)
{
	const struct metadata *metadata = (const struct metadata *)source;
	const struct fn_header flavor = {FN_BYTES("Metadata-Flavor"), FN_BYTES("Google")};
	const struct fn_http_request request = {
		.url = metadata->url,
		.headers = &flavor,
		.header_count = 1,
		.timeout_ms = TIMEOUT_MS,
		.attempts = ATTEMPTS,
		.direct = true,
	};
	struct fn_http_response response;

	if (!fn_http_send(http, call, &request, &response, err))
		return fn_wrap(err, "metadata server");
	if (!fn_bytes_is(fn_http_header(&response, "Metadata-Flavor"), "Google"))
		return fn_fail(err, FN_UPSTREAM,
			"metadata server: what answered (%d) is no metadata server",
			response.status);
	if (response.status == 404)
		return fn_fail(err, FN_UPSTREAM,
			"metadata server: no service account is attached to this service");
	if (response.status != 200)
		return fn_fail(err, FN_UPSTREAM, "metadata server: status %d", response.status);
	return google_token_read(token, call, &response, err) || fn_wrap(err, "metadata server");
}

bool
google_metadata_open(struct google_token_source **source, const char *host, struct fn_arena *arena,
	struct fn_error *err)
{
	struct metadata *metadata = fn_arena_zero(arena, sizeof(*metadata));

	if (host[0] == '\0' || host[strspn(host, HOST_CHARACTERS)] != '\0')
		return fn_fail(
			err, FN_INVALID, "GCE_METADATA_HOST: \"%s\" is no host[:port]", host);
	metadata->base.fetch = fetch;
	metadata->url = fn_textf(arena, "http://%s" PATH, host);
	*source = &metadata->base;
	return true;
}
