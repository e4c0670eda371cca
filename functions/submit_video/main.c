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

/* The services, and what they stand on. */
struct wiring {
	struct services use;
	struct fn_http_client *http;
	struct google_credentials *credentials;
	struct rate_limit *counter;
};

static bool
wiring_open(struct wiring *all, const struct config *config, struct fn_error *err)
{
	const struct rate_limit_config counter = {
		config->jobs.url, config->jobs.ca_file, config->counter.without};

	all->use.api = &config->api;
	all->use.submit.queue.config = &config->queue;
	all->use.submit.prices = &config->prices;
	TRY(fn_api_check(&config->api, err));
	TRY(fn_http_client_open(&all->http, err));
	TRY(identity_open(&all->use.identity, &config->identity, all->http, err));
	TRY(google_credentials_open(&all->credentials, &config->credentials, all->http, err));
	TRY(events_open(&all->use.events, &config->events, all->credentials, all->http, err));
	TRY(rate_limit_open(&all->counter, &counter, err));
	all->use.submit.limits = (struct limits){all->counter, config->limits};
	TRY(job_queue_open(&all->use.submit.queue.jobs, &config->jobs, err));
	return document_store_open(
		&all->use.submit.documents, &config->documents, all->credentials, all->http, err);
}

static void
wiring_close(struct wiring *all)
{
	document_store_close(all->use.submit.documents);
	job_queue_close(all->use.submit.queue.jobs);
	rate_limit_close(all->counter);
	events_close(all->use.events);
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
	const struct fn_function function = {.target = "submit_video",
		.http = submit_video,
		.with = &all.use,
		.max_body = BODY_MOST};

	if (!fn_configure(argc, argv, settings, COUNT(settings), &config, &err) ||
		!wiring_open(&all, &config, &err))
		return fn_refuse_to_start(&err);
	return fn_serve(argc, argv, &function, 1);
}
