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

/* The services, and what they stand on. */
struct wiring {
	struct services use;
	struct fn_arena *arena; /* of all that lives as long as the process */
	struct fn_http_client *http;
	struct google_credentials *credentials;
};

static bool
wiring_open(struct wiring *all, const struct config *config, struct fn_error *err)
{
	all->use.config = &config->guard;
	all->arena = fn_arena_new();
	TRY(guarded_read(fn_bytes(config->guard.services), all->arena, &all->use.guarded,
		&all->use.guarded_count, err));
	TRY(fn_http_client_open(&all->http, err));
	TRY(google_credentials_open(&all->credentials, &config->credentials, all->http, err));
	TRY(run_admin_open(&all->use.admin, &config->admin, all->credentials, all->http, err));
	return document_store_open(
		&all->use.documents, &config->documents, all->credentials, all->http, err);
}

static void
wiring_close(struct wiring *all)
{
	document_store_close(all->use.documents);
	run_admin_close(all->use.admin);
	google_credentials_close(all->credentials);
	fn_http_client_close(all->http);
	fn_arena_drop(all->arena);
}

int
main(int argc, char **argv)
{
	struct config config;
	AUTO(wiring_close) struct wiring all = {0};
	struct fn_error err;
	const struct fn_function function = {
		.target = "budget_guard", .event = budget_guard, .with = &all.use};

	if (!fn_configure(argc, argv, settings, COUNT(settings), &config, &err) ||
		!wiring_open(&all, &config, &err))
		return fn_refuse_to_start(&err);
	return fn_serve(argc, argv, &function, 1);
}
