/* Events posted to the function that they are for, in the structured mode of the HTTP binding.
 *
 * It answers when it is done with the event, which may be minutes later. So each event is on its
 * way in a thread of its own, which hangs up after a moment: what was sent is sent. */
#include "adapters/events_backend.h"
#include "adapters/wire/url.h"
#include "fn/clock.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define POST_MS 1000
#define POSTS_MOST 16

struct http_events {
	struct events port;
	const char *url;
	struct fn_http_client *http;
	pthread_mutex_t lock;
	pthread_cond_t one_ended;
	unsigned posts;              /* on their way, or ended and not yet joined: */
	pthread_t ended[POSTS_MOST]; /* their threads */
	unsigned ended_count;
};

struct post {
	struct http_events *events;
	struct fn_call call;
	struct fn_bytes body;
};

/* ---- Open and close ------------------------------------------------------------------------ */

/* With the lock held, which a thread that has ended does not want any more. */
static void
join_ended(struct http_events *events)
{
	while (events->ended_count > 0) {
		pthread_join(events->ended[--events->ended_count], NULL);
		events->posts--;
	}
}

static void
http_close(struct events *self)
{
	struct http_events *events = (struct http_events *)self;

	pthread_mutex_lock(&events->lock);
	while (events->posts > events->ended_count)
		pthread_cond_wait(&events->one_ended, &events->lock);
	join_ended(events);
	pthread_mutex_unlock(&events->lock);
	pthread_cond_destroy(&events->one_ended);
	pthread_mutex_destroy(&events->lock);
	free(events);
}

static bool
http_open(struct events **opened, const struct events_config *config,
	struct google_credentials *credentials, struct fn_http_client *http, struct fn_error *err)
{
	struct http_events *events;
	struct url url;

	(void)credentials;
	if (!url_read(&url, fn_bytes(config->url)))
		return fn_fail(err, FN_INVALID, "EVENTS_URL: \"%s\" names no host", config->url);
	events = malloc(sizeof(*events));
	assert(events);
	*events = (struct http_events){
		.port.backend = &events_http,
		.url = config->url,
		.http = http,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.one_ended = PTHREAD_COND_INITIALIZER,
	};
	*opened = &events->port;
	return true;
}

/* ---- Publish ------------------------------------------------------------------------------- */

static bool
post_begin(struct http_events *events)
{
	pthread_mutex_lock(&events->lock);
	join_ended(events);
	bool may = events->posts < POSTS_MOST;
	events->posts += may;
	pthread_mutex_unlock(&events->lock);
	return may;
}

static void
post_end(struct http_events *events)
{
	pthread_mutex_lock(&events->lock);
	events->ended[events->ended_count++] = pthread_self();
	pthread_cond_signal(&events->one_ended);
	pthread_mutex_unlock(&events->lock);
}

static void
post_give_up(struct http_events *events)
{
	pthread_mutex_lock(&events->lock);
	events->posts--;
	pthread_mutex_unlock(&events->lock);
}

static void *
post_run(void *with)
{
	static const struct fn_header headers[] = {
		{FN_BYTES_INIT("Content-Type"), FN_BYTES_INIT("application/cloudevents+json")}};
	struct post *post = with;
	struct http_events *events = post->events;
	const struct fn_http_request request = {
		.method = "POST",
		.url = events->url,
		.headers = headers,
		.header_count = 1,
		.body = post->body,
		.direct = true,
	};
	struct fn_http_response response;
	struct fn_error err;

	if (!fn_http_send(events->http, &post->call, &request, &response, &err))
		fn_log(&post->call, err.code == FN_DEADLINE ? FN_DEBUG : FN_WARNING, "event: %s",
			err.message);
	else if (response.status >= 300)
		fn_log(&post->call, FN_INFO, "event: answered %d", response.status);
	fn_arena_drop(post->call.arena);
	post_end(events);
	return NULL;
}

/* Nothing in it is borrowed from the call, which will be over first. */
static struct post *
post_of(struct http_events *events, const struct fn_call *call, const struct fn_event *event)
{
	struct fn_arena *arena = fn_arena_new();
	struct post *post = fn_arena_alloc(arena, sizeof(*post));

	*post = (struct post){
		.events = events,
		.call = {.arena = arena, .deadline_ms = fn_now_ms() + POST_MS, .log = call->log},
		.body = fn_event_json(event, arena),
	};
	post->call.log.field_count = 0;
	post->call.log.execution_id = (struct fn_bytes){0};
	return post;
}

static bool
http_publish(struct events *self, struct fn_call *call, const struct fn_event *event,
	struct fn_error *err)
{
	struct http_events *events = (struct http_events *)self;
	pthread_t thread;

	if (!post_begin(events))
		return fn_fail(err, FN_BUSY, "event: %d are on their way already", POSTS_MOST);
	struct post *post = post_of(events, call, event);
	if (pthread_create(&thread, NULL, post_run, post) != 0) {
		fn_arena_drop(post->call.arena);
		post_give_up(events);
		return fn_fail(err, FN_BUSY, "event: there is no thread for it");
	}
	return true;
}

const struct events_backend events_http = {
	.scheme = "http://",
	.open = http_open,
	.close = http_close,
	.publish = http_publish,
};
