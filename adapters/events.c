#include "adapters/events_backend.h"

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define INTO(member) offsetof(struct events_config, member)

const struct fn_setting events_settings[] = {
	{"EVENTS_URL", FN_TEXT, INTO(url), NULL, 0, 0,
		"who is told of new work: pubsub:projects/P/topics/T or http://HOST:PORT"},
	{"PUBSUB_EMULATOR_HOST", FN_TEXT, INTO(emulator_host), "", 0, 0,
		"for pubsub: host:port of an emulator; empty: Google's own"},
	{0},
};

static const struct events_backend *const backends[] = {
	&events_http,
	&events_pubsub,
};

bool
events_open(struct events **events, const struct events_config *config,
	struct google_credentials *credentials, struct fn_http_client *http, struct fn_error *err)
{
	for (size_t i = 0; i < COUNT(backends); i++) {
		if (fn_bytes_starts(fn_bytes(config->url), backends[i]->scheme))
			return backends[i]->open(events, config, credentials, http, err);
	}
	return fn_fail(err, FN_INVALID,
		"EVENTS_URL: \"%s\" is neither pubsub:projects/P/topics/T nor http://HOST:PORT",
		config->url);
}

void
events_close(struct events *events)
{
	if (events)
		events->backend->close(events);
}

bool
events_publish(struct events *events, struct fn_call *call, const struct fn_event *event,
	struct fn_error *err)
{
	return events->backend->publish(events, call, event, err);
}
