#include "adapters/run_admin.h"

#include "adapters/google_api.h"
#include "adapters/wire/url.h"
#include "fn/retry.h"

#include <assert.h>
#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define READ_ATTEMPTS 4
#define TIMEOUT_MS 15000
#define CEILING_DEFAULT 100 /* of a revision that does not say */
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-"

const struct fn_setting run_admin_settings[] = {
	{"RUN_ADMIN_URL", FN_TEXT, offsetof(struct run_admin_config, url),
		"https://run.googleapis.com", 0, 0, "scheme and host of the Cloud Run Admin API"},
	{0},
};

struct run_admin {
	struct fn_arena *arena; /* holds this */
	const char *url;
	struct google_credentials *credentials;
	struct fn_http_client *http;
};

/* ---- Open and close -------------------------------------------------------------------------- */

bool
run_admin_open(struct run_admin **admin, const struct run_admin_config *config,
	struct google_credentials *credentials, struct fn_http_client *http, struct fn_error *err)
{
	if (!url_is_origin(fn_bytes(config->url)))
		return fn_fail(err, FN_INVALID,
			"RUN_ADMIN_URL: \"%s\" is not of the form https://HOST", config->url);
	struct fn_arena *arena = fn_arena_new();
	*admin = fn_arena_alloc(arena, sizeof(**admin));
	**admin = (struct run_admin){arena, config->url, credentials, http};
	return true;
}

void
run_admin_close(struct run_admin *admin)
{
	if (admin)
		fn_arena_drop(admin->arena);
}

bool
run_admin_is_name(struct fn_bytes name)
{
	static const char *const words[] = {"projects", "locations", "services"};

	for (size_t i = 0; i < COUNT(words); i++) {
		struct fn_bytes word = fn_bytes_cut(&name, '/'), id = fn_bytes_cut(&name, '/');

		if (!fn_bytes_is(word, words[i]) || !fn_bytes_consists_of(id, NAME_CHARACTERS))
			return false;
	}
	return name.size == 0;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

/* {"error": {"status": text}} */
static enum fn_code
code_of(const struct fn_http_response *response, json_t *answer)
{
	json_t *status = json_object_get(json_object_get(answer, "error"), "status");

	if (fn_bytes_is(json_text(status), "ABORTED"))
		return FN_PRECONDITION;
	return response->status == 500 ? FN_UPSTREAM : fn_code_of_status(response->status);
}

static bool
refused(struct fn_call *call, const struct fn_http_response *response, json_t *answer,
	struct fn_error *err)
{
	int64_t wait_ms = fn_retry_after_ms(fn_http_header(response, "Retry-After"));

	(void)fn_fail(err, code_of(response, answer), "%d: %.*s", response->status,
		FN_ARG(google_api_message(call, response)));
	err->retry_after_s = (unsigned)((wait_ms + 999) / 1000);
	return false;
}

/* The answer's JSON, which lives as long as the call. */
static bool
ask(struct run_admin *admin, struct fn_call *call, const struct fn_http_request *request,
	json_t **answer, struct fn_error *err)
{
	struct fn_http_response response;

	TRY(google_api_send(admin->credentials, admin->http, call, request, &response, err));
	*answer = json_keep(call->arena, json_loadb(response.body, response.size, 0, NULL));
	if (response.status != 200)
		return refused(call, &response, *answer, err);
	return json_is_object(*answer) || fn_fail(err, FN_UPSTREAM, "the answer is no JSON object");
}

static bool
get(struct run_admin *admin, struct fn_call *call, struct fn_bytes name, json_t **answer,
	struct fn_error *err)
{
	const struct fn_http_request request = {
		.url = fn_textf(call->arena, "%s/v2/%.*s", admin->url, FN_ARG(name)),
		.timeout_ms = TIMEOUT_MS,
		.attempts = READ_ATTEMPTS,
	};

	return ask(admin, call, &request, answer, err);
}

/* What is zero is left out. */
static int64_t
max_instances(json_t *holder)
{
	json_t *scaling = json_object_get(holder, "scaling");

	return json_integer_value(json_object_get(scaling, "maxInstanceCount"));
}

bool
run_admin_read(struct run_admin *admin, struct fn_call *call, struct fn_bytes name,
	struct run_service *service, struct fn_error *err)
{
	json_t *answer;

	if (!get(admin, call, name, &answer, err))
		return fn_wrap(err, "read %.*s", FN_ARG(name));
	struct fn_bytes etag = json_text(json_object_get(answer, "etag"));
	int64_t ceiling = max_instances(json_object_get(answer, "template"));

	if (etag.size == 0)
		return fn_fail(err, FN_UPSTREAM, "read %.*s: there is no etag", FN_ARG(name));
	*service = (struct run_service){
		.name = name,
		.etag = etag,
		.limit = max_instances(answer),
		.ceiling = ceiling > 0 ? ceiling : CEILING_DEFAULT,
	};
	return true;
}

/* ---- Limiting -------------------------------------------------------------------------------- */

/* {"code": google.rpc.Code, "message": text} */
static bool
failed(json_t *error, struct fn_error *err)
{
	static const enum fn_code codes[] = {
		[3] = FN_INVALID,
		[5] = FN_NOT_FOUND,
		[7] = FN_FORBIDDEN,
		[9] = FN_INVALID, /* a precondition that asking again does not change */
		[10] = FN_PRECONDITION,
	};
	json_int_t code = json_integer_value(json_object_get(error, "code"));
	bool is_known = code >= 0 && code < (json_int_t)COUNT(codes) && codes[code] != FN_OK;

	return fn_fail(err, is_known ? codes[code] : FN_UPSTREAM, "%.*s",
		FN_ARG(json_text(json_object_get(error, "message"))));
}

static bool
await(struct run_admin *admin, struct fn_call *call, json_t *operation, struct fn_error *err)
{
	struct fn_retry polls = {.attempts = 40, .first_ms = 500, .most_ms = 15000};

	while (!json_is_true(json_object_get(operation, "done"))) {
		struct fn_bytes name = json_text(json_object_get(operation, "name"));

		if (name.size == 0)
			return fn_fail(err, FN_UPSTREAM, "the operation has no name");
		if (!fn_retry_wait(&polls, call, 0))
			return fn_fail(err, FN_DEADLINE, "%.*s is not done yet", FN_ARG(name));
		TRY(get(admin, call, name, &operation, err));
	}
	json_t *error = json_object_get(operation, "error");
	return !error || failed(error, err);
}

/* Only what the mask names is sent: a whole service would name a revision that exists. */
static struct fn_bytes
patch_of(const struct run_service *service, int64_t limit, struct fn_arena *arena)
{
	struct fn_builder json = {.arena = arena};

	fn_add(&json, FN_BYTES("{\"name\":\""));
	fn_add_json(&json, service->name);
	fn_add(&json, FN_BYTES("\",\"etag\":\""));
	fn_add_json(&json, service->etag);
	fn_addf(&json, "\",\"scaling\":{\"maxInstanceCount\":%" PRId64 "}}", limit);
	return fn_built(&json);
}

bool
run_admin_limit(struct run_admin *admin, struct fn_call *call, const struct run_service *service,
	int64_t limit, struct fn_error *err)
{
	static const struct fn_header headers[] = {
		{FN_BYTES_INIT("Content-Type"), FN_BYTES_INIT("application/json")}};
	json_t *operation;

	assert(limit >= 1);
	const struct fn_http_request request = {
		.method = "PATCH",
		.url = fn_textf(call->arena, "%s/v2/%.*s?updateMask=scaling.maxInstanceCount",
			admin->url, FN_ARG(service->name)),
		.headers = headers,
		.header_count = 1,
		.body = patch_of(service, limit, call->arena),
		.timeout_ms = TIMEOUT_MS,
	};

	if (!ask(admin, call, &request, &operation, err) || !await(admin, call, operation, err))
		return fn_wrap(err, "limit %.*s", FN_ARG(service->name));
	return true;
}
