/* events_backend.h: what events.c asks of a backend. Private to adapters. */
#ifndef EVENTS_BACKEND_H
#define EVENTS_BACKEND_H

#include "adapters/events.h"

/* Each answers the function of the port with the same name. */
struct events_backend {
	const char *scheme; /* of EVENTS_URL: "pubsub:" */
	bool (*open)(struct events **, const struct events_config *, struct google_credentials *,
		struct fn_http_client *, struct fn_error *);
	void (*close)(struct events *);
	bool (*publish)(
		struct events *, struct fn_call *, const struct fn_event *, struct fn_error *);
};

/* The first member of each backend's own struct. */
struct events {
	const struct events_backend *backend;
};

extern const struct events_backend events_http, events_pubsub;

#endif
