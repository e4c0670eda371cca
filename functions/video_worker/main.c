#include "fn/serve.h"
#include "functions/video_worker/handler.h"
#include "functions/video_worker/upkeep.h"

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct config {
	struct document_store_config documents;
	struct job_queue_config jobs;
	struct job_limits limits;
	struct video_queue_config queue;
	struct patience patience;
	struct object_store_config objects;
	struct vertex_config vertex;
	struct video_model_config model;
	struct events_config events;
	struct google_credentials_config credentials;
};

static const struct fn_settings settings[] = {
	{document_store_settings, offsetof(struct config, documents)},
	{job_queue_settings, offsetof(struct config, jobs)},
	{job_limits_settings, offsetof(struct config, limits)},
	{video_queue_settings, offsetof(struct config, queue)},
	{patience_settings, offsetof(struct config, patience)},
	{object_store_settings, offsetof(struct config, objects)},
	{vertex_settings, offsetof(struct config, vertex)},
	{video_model_settings, offsetof(struct config, model)},
	{events_settings, offsetof(struct config, events)},
	{google_credentials_settings, offsetof(struct config, credentials)},
};

/* The services, and what they stand on. */
struct wiring {
	struct services use;
	struct fn_http_client *http;
	struct google_credentials *credentials;
	struct vertex *vertex;
};

static bool
wiring_open(struct wiring *all, const struct config *config, struct fn_error *err)
{
	all->use.videos.queue.config = &config->queue;
	all->use.queue = &config->jobs;
	all->use.limits = &config->limits;
	all->use.patience = &config->patience;
	all->use.upkeep = upkeep_new();
	TRY(fn_http_client_open(&all->http, err));
	TRY(google_credentials_open(&all->credentials, &config->credentials, all->http, err));
	TRY(vertex_open(&all->vertex, &config->vertex, all->credentials, all->http, err));
	TRY(video_model_open(&all->use.model, &config->model, all->vertex, err));
	TRY(object_store_open(&all->use.videos.objects, &config->objects, all->http, err));
	TRY(events_open(&all->use.events, &config->events, all->credentials, all->http, err));
	TRY(job_queue_open(&all->use.videos.queue.jobs, &config->jobs, err));
	return document_store_open(
		&all->use.videos.documents, &config->documents, all->credentials, all->http, err);
}

static void
wiring_close(struct wiring *all)
{
	document_store_close(all->use.videos.documents);
	job_queue_close(all->use.videos.queue.jobs);
	events_close(all->use.events);
	object_store_close(all->use.videos.objects);
	video_model_close(all->use.model);
	vertex_close(all->vertex);
	google_credentials_close(all->credentials);
	fn_http_client_close(all->http);
	upkeep_drop(all->use.upkeep);
}

int
main(int argc, char **argv)
{
	struct config config;
	AUTO(wiring_close) struct wiring all = {0};
	struct fn_error err;
	const struct fn_function function = {
		.target = "video_worker", .event = video_worker, .with = &all.use};

	if (!fn_configure(argc, argv, settings, COUNT(settings), &config, &err) ||
		!wiring_open(&all, &config, &err))
		return fn_refuse_to_start(&err);
	return fn_serve(argc, argv, &function, 1);
}
