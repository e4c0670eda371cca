#include "adapters/google_credentials.h"
#include "fn/http_client.h"
#include "fn/serve.h"
#include "functions/budget_guard/handler.h"

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct config {
	struct budget_guard_config guard;
	struct document_store_config documents;
	struct run_admin_config admin;
	struct google_credentials_config credentials;
};

static const struct fn_settings settings[] = {
	{budget_guard_settings, offsetof(struct config, guard)},
	{document_store_settings, offsetof(struct config, documents)},
	{run_admin_settings, offsetof(struct config, admin)},
	{google_credentials_settings, offsetof(struct config, credentials)},
};

/* What the services stand on. */
struct ground {
	struct fn_arena *arena; /* of all that lives as long as the process */
	struct fn_http_client *http;
	struct google_credentials *credentials;
};

static bool
services_open(struct services *use, struct ground *ground, const struct config *config,
	struct fn_error *err)
{
	use->config = &config->guard;
	ground->arena = fn_arena_new();
	TRY(guarded_read(fn_bytes(config->guard.services), ground->arena, &use->guarded,
		&use->guarded_count, err));
	TRY(fn_http_client_open(&ground->http, err));
	TRY(google_credentials_open(&ground->credentials, &config->credentials, ground->http, err));
	TRY(run_admin_open(&use->admin, &config->admin, ground->credentials, ground->http, err));
	return document_store_open(
		&use->documents, &config->documents, ground->credentials, ground->http, err);
}

static void
services_close(struct services *use, struct ground *ground)
{
	document_store_close(use->documents);
	run_admin_close(use->admin);
	google_credentials_close(ground->credentials);
	fn_http_client_close(ground->http);
	fn_arena_drop(ground->arena);
}

int
main(int argc, char **argv)
{
	struct config config;
	struct services use = {0};
	struct ground ground = {0};
	struct fn_error err;
	const struct fn_function function = {
		.target = "budget_guard", .event = budget_guard, .with = &use};
	int status;

	if (fn_configure(argc, argv, settings, COUNT(settings), &config, &err) &&
		services_open(&use, &ground, &config, &err))
		status = fn_serve(argc, argv, &function, 1);
	else
		status = fn_refuse_to_start(&err);
	services_close(&use, &ground);
	return status;
}
