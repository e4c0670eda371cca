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
	{vertex_settings, offsetof(struct config, vertex)},
	{image_model_settings, offsetof(struct config, model)},
	{google_credentials_settings, offsetof(struct config, credentials)},
};

/* What the services stand on. */
struct ground {
	struct fn_http_client *http;
	struct google_credentials *credentials;
	struct vertex *vertex;
	struct rate_limit *counter;
};

static bool
services_open(struct services *use, struct ground *ground, const struct config *config,
	struct fn_error *err)
{
	use->api = &config->api;
	use->prices = &config->prices;
	TRY(fn_api_check(&config->api, err));
	TRY(fn_http_client_open(&ground->http, err));
	TRY(identity_open(&use->identity, &config->identity, ground->http, err));
	TRY(google_credentials_open(&ground->credentials, &config->credentials, ground->http, err));
	TRY(vertex_open(&ground->vertex, &config->vertex, ground->credentials, ground->http, err));
	TRY(image_model_open(&use->model, &config->model, ground->vertex, err));
	TRY(object_store_open(&use->objects, &config->objects, ground->http, err));
	TRY(rate_limit_open(&ground->counter, &config->counter, err));
	use->limits = (struct limits){ground->counter, config->limits};
	use->quota = (struct quota){ground->counter, config->quota};
	return document_store_open(
		&use->documents, &config->documents, ground->credentials, ground->http, err);
}

static void
services_close(struct services *use, struct ground *ground)
{
	document_store_close(use->documents);
	rate_limit_close(ground->counter);
	object_store_close(use->objects);
	image_model_close(use->model);
	vertex_close(ground->vertex);
	google_credentials_close(ground->credentials);
	identity_close(use->identity);
	fn_http_client_close(ground->http);
}

int
main(int argc, char **argv)
{
	struct config config;
	struct services use = {0};
	struct ground ground = {0};
	struct fn_error err;
	const struct fn_function function = {.target = "generate_image",
		.http = generate_image,
		.with = &use,
		.max_body = BODY_MOST};
	int status;

	if (fn_configure(argc, argv, settings, COUNT(settings), &config, &err) &&
		services_open(&use, &ground, &config, &err))
		status = fn_serve(argc, argv, &function, 1);
	else
		status = fn_refuse_to_start(&err);
	services_close(&use, &ground);
	return status;
}
