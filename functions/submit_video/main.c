#include "fn/serve.h"
#include "functions/submit_video/handler.h"

#include <stddef.h>

#define BODY_MOST (64 * 1024) /* a text, each character an escape, and much more */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct config {
	struct fn_api api;
	struct identity_config identity;
	struct document_store_config documents;
	struct job_queue_config jobs;
	struct video_queue_config queue;
	struct tokens_config prices;
	struct rate_limit_config counter;
	struct limits_config limits;
	struct events_config events;
	struct google_credentials_config credentials;
};

static const struct fn_settings settings[] = {
	{fn_api_settings, offsetof(struct config, api)},
	{identity_settings, offsetof(struct config, identity)},
	{document_store_settings, offsetof(struct config, documents)},
	{job_queue_settings, offsetof(struct config, jobs)},
	{video_queue_settings, offsetof(struct config, queue)},
	{tokens_settings, offsetof(struct config, prices)},
	{rate_limit_settings, offsetof(struct config, counter)},
	{limits_settings, offsetof(struct config, limits)},
	{events_settings, offsetof(struct config, events)},
	{google_credentials_settings, offsetof(struct config, credentials)},
};

/* What the services stand on. */
struct ground {
	struct fn_http_client *http;
	struct google_credentials *credentials;
	struct rate_limit *counter;
};

static bool
services_open(struct services *use, struct ground *ground, const struct config *config,
	struct fn_error *err)
{
	const struct rate_limit_config counter = {
		config->jobs.url, config->jobs.ca_file, config->counter.without};

	use->api = &config->api;
	use->submit.queue.config = &config->queue;
	use->submit.prices = &config->prices;
	TRY(fn_api_check(&config->api, err));
	TRY(fn_http_client_open(&ground->http, err));
	TRY(identity_open(&use->identity, &config->identity, ground->http, err));
	TRY(google_credentials_open(&ground->credentials, &config->credentials, ground->http, err));
	TRY(events_open(&use->events, &config->events, ground->credentials, ground->http, err));
	TRY(rate_limit_open(&ground->counter, &counter, err));
	use->submit.limits = (struct limits){ground->counter, config->limits};
	TRY(job_queue_open(&use->submit.queue.jobs, &config->jobs, err));
	return document_store_open(
		&use->submit.documents, &config->documents, ground->credentials, ground->http, err);
}

static void
services_close(struct services *use, struct ground *ground)
{
	document_store_close(use->submit.documents);
	job_queue_close(use->submit.queue.jobs);
	rate_limit_close(ground->counter);
	events_close(use->events);
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
	const struct fn_function function = {.target = "submit_video",
		.http = submit_video,
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
