#include "adapters/google_credentials.h"
#include "fn/http_client.h"
#include "fn/serve.h"
#include "functions/generate_image/handler.h"

#include <stddef.h>

#define BODY_MOST (64 * 1024) /* two texts, each character an escape */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct config {
	struct fn_api api;
	struct identity_config identity;
	struct document_store_config documents;
	struct object_store_config objects;
	struct tokens_config prices;
	struct rate_limit_config counter;
	struct limits_config limits;
	struct quota_config quota;
	struct repeats_config repeats;
	struct vertex_config vertex;
	struct image_model_config model;
	struct google_credentials_config credentials;
};

static const struct fn_settings settings[] = {
	{fn_api_settings, offsetof(struct config, api)},
	{identity_settings, offsetof(struct config, identity)},
	{document_store_settings, offsetof(struct config, documents)},
	{object_store_settings, offsetof(struct config, objects)},
	{tokens_settings, offsetof(struct config, prices)},
	{rate_limit_settings, offsetof(struct config, counter)},
	{rate_limit_redis_settings, offsetof(struct config, counter)},
	{limits_settings, offsetof(struct config, limits)},
	{quota_settings, offsetof(struct config, quota)},
	{repeats_settings, offsetof(struct config, repeats)},
	{vertex_settings, offsetof(struct config, vertex)},
	{image_model_settings, offsetof(struct config, model)},
	{google_credentials_settings, offsetof(struct config, credentials)},
};

/* The services, and what they stand on. */
struct wiring {
	struct services use;
	struct fn_http_client *http;
	struct google_credentials *credentials;
	struct vertex *vertex;
	struct rate_limit *counter;
};

static bool
wiring_open(struct wiring *all, const struct config *config, struct fn_error *err)
{
	all->use.api = &config->api;
	all->use.prices = &config->prices;
	TRY(fn_api_check(&config->api, err));
	TRY(fn_http_client_open(&all->http, err));
	TRY(identity_open(&all->use.identity, &config->identity, all->http, err));
	TRY(google_credentials_open(&all->credentials, &config->credentials, all->http, err));
	TRY(vertex_open(&all->vertex, &config->vertex, all->credentials, all->http, err));
	TRY(image_model_open(&all->use.model, &config->model, all->vertex, err));
	TRY(object_store_open(&all->use.objects, &config->objects, all->http, err));
	TRY(rate_limit_open(&all->counter, &config->counter, err));
	all->use.limits = (struct limits){all->counter, config->limits};
	all->use.quota = (struct quota){all->counter, config->quota};
	TRY(document_store_open(
		&all->use.documents, &config->documents, all->credentials, all->http, err));
	all->use.repeats = (struct repeats){
		all->use.documents, all->use.objects, config->model.model, config->repeats};
	return true;
}

static void
wiring_close(struct wiring *all)
{
	document_store_close(all->use.documents);
	rate_limit_close(all->counter);
	object_store_close(all->use.objects);
	image_model_close(all->use.model);
	vertex_close(all->vertex);
	google_credentials_close(all->credentials);
	identity_close(all->use.identity);
	fn_http_client_close(all->http);
}

int
main(int argc, char **argv)
{
	struct config config;
	AUTO(wiring_close) struct wiring all = {0};
	struct fn_error err;
	const struct fn_function function = {.target = "generate_image",
		.http = generate_image,
		.with = &all.use,
		.max_body = BODY_MOST};

	if (!fn_configure(argc, argv, settings, COUNT(settings), &config, &err) ||
		!wiring_open(&all, &config, &err))
		return fn_refuse_to_start(&err);
	return fn_serve(argc, argv, &function, 1);
}
