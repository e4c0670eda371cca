/* event_read.h: the forms in which an event may come, one function each. */
#ifndef EVENT_READ_H
#define EVENT_READ_H

#include "fn/cloud_event.h"

/* Attributes in ce-* headers, data in the body. */
bool event_read_binary(struct fn_call *, struct fn_event *, struct fn_error *);

/* One JSON object: all of an event. */
bool event_read_structured(
	struct fn_call *, struct fn_bytes object, struct fn_event *, struct fn_error *);

/* The legacy events of Cloud Functions, and the bare body of a Pub/Sub push. */
bool event_read_legacy(
	struct fn_call *, struct fn_bytes object, struct fn_event *, struct fn_error *);

/* Sets the attribute or extension of this name. FN_INVALID for a name that cannot be one, for one
 * that was set before, and for an attribute that is no text. */
bool event_set(struct fn_call *, struct fn_event *, const struct fn_attribute *, struct fn_error *);

/* The same for what has its place elsewhere. */
bool event_set_text(struct fn_bytes *place, const struct fn_attribute *, struct fn_error *);

/* What every event needs: id, source and type, no attribute that is present and empty, no control
 * characters, time (if any) in RFC 3339. */
bool event_check(const struct fn_event *, struct fn_bytes spec_version, struct fn_error *);

bool event_type_is_json(struct fn_bytes media_type);

#endif
