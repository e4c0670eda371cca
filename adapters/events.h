/* events.h: tells whoever listens that something has happened, as a CloudEvent.
 *
 * An event is a bell and never the only record of anything: it may be lost, late, or heard twice.
 * Backends: events_pubsub.c ("pubsub:projects/P/topics/T", from where Eventarc delivers it),
 * events_http.c ("http://HOST:PORT", posted to the function itself, on one machine). */
#ifndef EVENTS_H
#define EVENTS_H

#include "adapters/google_credentials.h"
#include "fn/cloud_event.h"
#include "fn/config.h"
#include "fn/http_client.h"

struct events; /* opaque; safe for many threads */

struct events_config {
	const char *url;           /* EVENTS_URL */
	const char *emulator_host; /* PUBSUB_EMULATOR_HOST: host:port; empty: Google's own */
};

extern const struct fn_setting events_settings[];

/* The config's text is borrowed until they are closed. Closing waits, for a second at most, for
 * what is on its way. FN_INVALID: the URL is wrong; the message names the variable. */
FN_MUST bool events_open(struct events **, const struct events_config *,
	struct google_credentials *, struct fn_http_client *, struct fn_error *);
void events_close(struct events *);

/* True once Pub/Sub has it; over HTTP at once, since a function answers when it is done with the
 * event. FN_BUSY: as many are on their way as may. FN_DEADLINE, FN_UPSTREAM: it was probably not
 * sent. Takes two seconds at most. */
FN_MUST bool events_publish(
	struct events *, struct fn_call *, const struct fn_event *, struct fn_error *);

#endif
