/* cloud_event.h: an event as a function sees it, whatever form it came in.
 *
 * Binary, structured and batched CloudEvents over HTTP, the legacy events of Cloud Functions and
 * the bare bodies of Pub/Sub push all become one of these. What is malformed is answered 400
 * with the reason and never reaches the handler: a 2xx would acknowledge the event and lose it.
 * Source: CloudEvents 1.0.2 (core, JSON format, HTTP binding). */
#ifndef FN_CLOUD_EVENT_H
#define FN_CLOUD_EVENT_H

#include "fn/call.h"

struct fn_attribute {
	struct fn_bytes name;  /* lower-case letters and digits */
	struct fn_bytes value; /* its text; for a JSON number or boolean as written */
	bool is_text;          /* false: a number or boolean of a structured event */
};

struct fn_event {
	struct fn_bytes id, source, type;                              /* never empty */
	struct fn_bytes subject, time, data_content_type, data_schema; /* empty: absent */
	const struct fn_attribute *extensions;
	size_t extension_count;
	struct fn_bytes data; /* the bytes themselves; a JSON value as its text, as it came */
	bool has_data;
};

/* True acknowledges the event; false (or a crash) makes its sender deliver it again, so whatever
 * the code of the error, it is answered 5xx or 429. The same event may come more than once. `call`
 * has the request that brought it. */
typedef bool fn_event_handler(
	struct fn_call *, const struct fn_event *, const void *with, struct fn_error *);

/* The extension of this name, empty where absent. */
struct fn_bytes fn_event_extension(const struct fn_event *, const char *name);

/* The event in the JSON format, data as `data` where its type is JSON and so is it, else as
 * `data_base64`. */
struct fn_bytes fn_event_json(const struct fn_event *, struct fn_arena *);

/* Reads the events of a request; several where it is a batch. FN_INVALID names the attribute;
 * FN_UNSUPPORTED_MEDIA for an event format other than JSON; FN_TOO_LARGE for a batch of more than
 * 4096 events. */
FN_MUST bool fn_events_read(
	struct fn_call *, const struct fn_event **events, size_t *count, struct fn_error *);

#endif
