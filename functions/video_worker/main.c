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

/* What the services stand on. */
struct ground {
	struct fn_http_client *http;
	struct google_credentials *credentials;
	struct vertex *vertex;
};

static bool
services_open(struct services *use, struct ground *ground, const struct config *config,
	struct fn_error *err)
{
	use->videos.queue.config = &config->queue;
	use->queue = &config->jobs;
	use->limits = &config->limits;
	use->patience = &config->patience;
	use->upkeep = upkeep_new();
	TRY(fn_http_client_open(&ground->http, err));
	TRY(google_credentials_open(&ground->credentials, &config->credentials, ground->http, err));
	TRY(vertex_open(&ground->vertex, &config->vertex, ground->credentials, ground->http, err));
	TRY(video_model_open(&use->model, &config->model, ground->vertex, err));
	TRY(object_store_open(&use->videos.objects, &config->objects, ground->http, err));
	TRY(events_open(&use->events, &config->events, ground->credentials, ground->http, err));
	TRY(job_queue_open(&use->videos.queue.jobs, &config->jobs, err));
	return document_store_open(
		&use->videos.documents, &config->documents, ground->credentials, ground->http, err);
}

static void
services_close(struct services *use, struct ground *ground)
{
	document_store_close(use->videos.documents);
	job_queue_close(use->videos.queue.jobs);
	events_close(use->events);
	object_store_close(use->videos.objects);
	video_model_close(use->model);
	vertex_close(ground->vertex);
	google_credentials_close(ground->credentials);
	fn_http_client_close(ground->http);
	upkeep_drop(use->upkeep);
}

int
main(int argc, char **argv)
{
	struct config config;
	struct services use = {0};
	struct ground ground = {0};
	struct fn_error err;
	const struct fn_function function = {
		.target = "video_worker", .event = video_worker, .with = &use};
	int status;

	if (fn_configure(argc, argv, settings, COUNT(settings), &config, &err) &&
		services_open(&use, &ground, &config, &err))
		status = fn_serve(argc, argv, &function, 1);
	else
		status = fn_refuse_to_start(&err);
	services_close(&use, &ground);
	return status;
}
