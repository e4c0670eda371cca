/* The events that Cloud Functions sent before CloudEvents, and what Pub/Sub itself pushes.
 *
 * Source: github.com/GoogleCloudPlatform/functions-framework-conformance, docs/mapping.md, with the
 * service names of its test data where the two differ. */
#include "event_read.h"
#include "fn/clock.h"
#include "fn/json.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* What a legacy event says, wherever it says it. */
struct legacy {
	struct fn_bytes type, service, resource, id, timestamp;
	struct fn_bytes root, data;
};

/* ---- Types ------------------------------------------------------------------------------- */

static const struct {
	const char *legacy, *type;
} types[] = {
	{"google.pubsub.topic.publish", "google.cloud.pubsub.topic.v1.messagePublished"},
	{"providers/cloud.pubsub/eventTypes/topic.publish",
		"google.cloud.pubsub.topic.v1.messagePublished"},
	{"google.storage.object.finalize", "google.cloud.storage.object.v1.finalized"},
	{"google.storage.object.delete", "google.cloud.storage.object.v1.deleted"},
	{"google.storage.object.archive", "google.cloud.storage.object.v1.archived"},
	{"google.storage.object.metadataUpdate", "google.cloud.storage.object.v1.metadataUpdated"},
	{"providers/cloud.storage/eventTypes/object.change",
		"google.cloud.storage.object.v1.finalized"},
	{"providers/cloud.firestore/eventTypes/document.write",
		"google.cloud.firestore.document.v1.written"},
	{"providers/cloud.firestore/eventTypes/document.create",
		"google.cloud.firestore.document.v1.created"},
	{"providers/cloud.firestore/eventTypes/document.update",
		"google.cloud.firestore.document.v1.updated"},
	{"providers/cloud.firestore/eventTypes/document.delete",
		"google.cloud.firestore.document.v1.deleted"},
	{"providers/firebase.auth/eventTypes/user.create", "google.firebase.auth.user.v1.created"},
	{"providers/firebase.auth/eventTypes/user.delete", "google.firebase.auth.user.v1.deleted"},
	{"providers/firebase.remoteConfig/remoteconfig.update",
		"google.firebase.remoteconfig.remoteConfig.v1.updated"},
	{"providers/google.firebase.analytics/eventTypes/event.log",
		"google.firebase.analytics.log.v1.written"},
	{"providers/google.firebase.database/eventTypes/ref.create",
		"google.firebase.database.ref.v1.created"},
	{"providers/google.firebase.database/eventTypes/ref.write",
		"google.firebase.database.ref.v1.written"},
	{"providers/google.firebase.database/eventTypes/ref.update",
		"google.firebase.database.ref.v1.updated"},
	{"providers/google.firebase.database/eventTypes/ref.delete",
		"google.firebase.database.ref.v1.deleted"},
};

static bool
map_type(const struct legacy *legacy, struct fn_event *event, struct fn_error *err)
{
	for (size_t i = 0; i < COUNT(types); i++) {
		if (fn_bytes_is(legacy->type, types[i].legacy)) {
			event->type = fn_bytes(types[i].type);
			return true;
		}
	}
	return fn_fail(err, FN_INVALID, "event: eventType is not a known one");
}

/* ---- Resources: "source/rest" and the subject that is told apart ------------------------- */

/* Moves over the segments of a path that `pattern` wants; '*' stands for any one. */
static bool
takes_segments(struct fn_bytes *path, const char *pattern)
{
	struct fn_bytes wanted = fn_bytes(pattern);

	while (wanted.size > 0) {
		struct fn_bytes segment = fn_bytes_cut(path, '/');
		struct fn_bytes name = fn_bytes_cut(&wanted, '/');

		if (segment.size == 0 ||
			(!fn_bytes_is(name, "*") && !fn_bytes_equal(name, segment)))
			return false;
	}
	return true;
}

/* Takes the resource apart into the name that `pattern` wants and the subject behind it, whose
 * first segment is `first`. */
static bool
split_resource(const struct legacy *legacy, const char *pattern, const char *first,
	struct fn_bytes *name, struct fn_bytes *subject, struct fn_error *err)
{
	struct fn_bytes rest = legacy->resource, behind;
	bool fits = takes_segments(&rest, pattern);

	behind = rest;
	if (!fits || !takes_segments(&behind, first) || behind.size == 0)
		return fn_fail(err, FN_INVALID, "event: resource is not of the form %s/%s/...",
			pattern, first);
	*name = (struct fn_bytes){legacy->resource.at, (size_t)(rest.at - legacy->resource.at) - 1};
	*subject = rest;
	return true;
}

static struct fn_bytes
join(struct fn_call *call, struct fn_bytes a, const char *b, struct fn_bytes c)
{
	struct fn_builder text = {.arena = call->arena};

	fn_add(&text, a);
	fn_add(&text, fn_bytes(b));
	fn_add(&text, c);
	return fn_built(&text);
}

static void
set_source(struct fn_call *call, const struct legacy *legacy, struct fn_bytes name,
	struct fn_event *event)
{
	event->source = join(call, FN_BYTES("//"), "", join(call, legacy->service, "/", name));
}

static bool
map_storage(struct fn_call *call, const struct legacy *legacy, struct fn_event *event,
	struct fn_error *err)
{
	struct fn_bytes bucket, object, generation;
	const char *hash;

	TRY(split_resource(legacy, "projects/*/buckets/*", "objects", &bucket, &object, err));
	hash = memrchr(object.at, '#', object.size);
	if (hash) {
		generation =
			(struct fn_bytes){hash + 1, object.size - (size_t)(hash + 1 - object.at)};
		if (fn_bytes_number(generation, UINT64_MAX, &(uint64_t){0}))
			object.size = (size_t)(hash - object.at);
	}
	set_source(call, legacy, bucket, event);
	event->subject = object;
	return true;
}

static bool
map_firestore(struct fn_call *call, const struct legacy *legacy, struct fn_event *event,
	struct fn_error *err)
{
	struct fn_bytes database;

	TRY(split_resource(
		legacy, "projects/*/databases/*", "documents", &database, &event->subject, err));
	set_source(call, legacy, database, event);
	return true;
}

/* "projects/_/instances/i" gets its location from `domain`, a member of the root. */
static bool
map_database(struct fn_call *call, const struct legacy *legacy, struct fn_event *event,
	struct fn_error *err)
{
	struct fn_bytes instance, domain, location, project;

	TRY(split_resource(
		legacy, "projects/*/instances/*", "refs", &instance, &event->subject, err));
	if (!fn_json_text(legacy->root, "domain", call->arena, &domain) || domain.size == 0)
		return fn_fail(err, FN_INVALID, "event: domain is missing");
	location = fn_bytes_is(domain, "firebaseio.com") ? FN_BYTES("us-central1")
							 : fn_bytes_cut(&domain, '.');
	fn_bytes_cut(&instance, '/');
	project = fn_bytes_cut(&instance, '/');
	set_source(call, legacy,
		join(call, join(call, FN_BYTES("projects"), "/", project), "/locations/",
			join(call, location, "/", instance)),
		event);
	return true;
}

static bool
map_analytics(struct fn_call *call, const struct legacy *legacy, struct fn_event *event,
	struct fn_error *err)
{
	struct fn_bytes project, user, app, id;

	TRY(split_resource(legacy, "projects/*", "events", &project, &event->subject, err));
	if (!fn_json_member(legacy->data, "userDim", &user) ||
		!fn_json_member(user, "appInfo", &app) ||
		!fn_json_text(app, "appId", call->arena, &id))
		return fn_fail(err, FN_INVALID, "event: data.userDim.appInfo.appId is missing");
	set_source(call, legacy, join(call, project, "/apps/", id), event);
	return true;
}

/* ---- Data: passed on as it is but for a few members -------------------------------------- */

static void
add_member(struct fn_builder *json, struct fn_bytes name, struct fn_bytes value)
{
	fn_add(json, json->at[json->size - 1] == '{' ? FN_BYTES("\"") : FN_BYTES(",\""));
	fn_add(json, name);
	fn_add(json, FN_BYTES("\":"));
	fn_add(json, value);
}

static void
add_text_member(struct fn_builder *json, const char *name, struct fn_bytes text)
{
	add_member(json, fn_bytes(name), FN_BYTES("\""));
	fn_add_json(json, text);
	fn_add(json, FN_BYTES("\""));
}

static bool
map_pubsub(struct fn_call *call, const struct legacy *legacy, struct fn_event *event,
	struct fn_error *err)
{
	struct fn_builder json = {.arena = call->arena};
	struct fn_json_items items = fn_json_items(legacy->data);
	struct fn_bytes name, value;

	if (fn_json_type(legacy->data) != FN_JSON_OBJECT)
		return fn_fail(err, FN_INVALID, "event: data is no object");
	fn_add(&json, FN_BYTES("{\"message\":{"));
	while (fn_json_next(&items, &name, &value)) {
		if (!fn_bytes_is(name, "messageId") && !fn_bytes_is(name, "publishTime"))
			add_member(&json, name, value);
	}
	add_text_member(&json, "messageId", legacy->id);
	if (legacy->timestamp.size > 0)
		add_text_member(&json, "publishTime", legacy->timestamp);
	fn_add(&json, FN_BYTES("}}"));
	event->data = fn_built(&json);
	set_source(call, legacy, legacy->resource, event);
	return true;
}

static struct fn_bytes
rename_times(struct fn_call *call, struct fn_bytes metadata)
{
	struct fn_builder json = {.arena = call->arena};
	struct fn_json_items items = fn_json_items(metadata);
	struct fn_bytes name, value;

	fn_add(&json, FN_BYTES("{"));
	while (fn_json_next(&items, &name, &value)) {
		if (fn_bytes_is(name, "createdAt"))
			name = FN_BYTES("createTime");
		else if (fn_bytes_is(name, "lastSignedInAt"))
			name = FN_BYTES("lastSignInTime");
		add_member(&json, name, value);
	}
	fn_add(&json, FN_BYTES("}"));
	return fn_built(&json);
}

static bool
map_auth(struct fn_call *call, const struct legacy *legacy, struct fn_event *event,
	struct fn_error *err)
{
	struct fn_builder json = {.arena = call->arena};
	struct fn_json_items items = fn_json_items(legacy->data);
	struct fn_bytes name, value, user;

	if (!fn_json_text(legacy->data, "uid", call->arena, &user))
		return fn_fail(err, FN_INVALID, "event: data.uid is missing");
	fn_add(&json, FN_BYTES("{"));
	while (fn_json_next(&items, &name, &value)) {
		if (fn_bytes_is(name, "metadata") && fn_json_type(value) == FN_JSON_OBJECT)
			value = rename_times(call, value);
		add_member(&json, name, value);
	}
	fn_add(&json, FN_BYTES("}"));
	event->data = fn_built(&json);
	event->subject = join(call, FN_BYTES("users"), "/", user);
	set_source(call, legacy, legacy->resource, event);
	return true;
}

static bool
map_plainly(struct fn_call *call, const struct legacy *legacy, struct fn_event *event,
	struct fn_error *err)
{
	(void)err;
	set_source(call, legacy, legacy->resource, event);
	return true;
}

/* ---- Services ---------------------------------------------------------------------------- */

static const struct {
	const char *prefix, *service;
	bool (*map)(struct fn_call *, const struct legacy *, struct fn_event *, struct fn_error *);
} services[] = {
	{"providers/cloud.firestore/", "firestore.googleapis.com", map_firestore},
	{"providers/google.firebase.analytics/", "firebaseanalytics.googleapis.com", map_analytics},
	{"providers/firebase.auth/", "firebaseauth.googleapis.com", map_auth},
	{"providers/google.firebase.database/", "firebasedatabase.googleapis.com", map_database},
	{"providers/firebase.remoteConfig/", "firebaseremoteconfig.googleapis.com", map_plainly},
	{"providers/cloud.pubsub/", "pubsub.googleapis.com", map_pubsub},
	{"google.pubsub", "pubsub.googleapis.com", map_pubsub},
	{"providers/cloud.storage/", "storage.googleapis.com", map_storage},
	{"google.storage", "storage.googleapis.com", map_storage},
};

static bool
map_resource(
	struct fn_call *call, struct legacy *legacy, struct fn_event *event, struct fn_error *err)
{
	for (size_t i = 0; i < COUNT(services); i++) {
		if (!fn_bytes_starts(legacy->type, services[i].prefix))
			continue;
		if (legacy->service.size == 0)
			legacy->service = fn_bytes(services[i].service);
		return services[i].map(call, legacy, event, err);
	}
	return fn_fail(err, FN_INVALID, "event: no service is known for its eventType");
}

/* ---- Reading ----------------------------------------------------------------------------- */

/* From `context`, or else from the root. */
static struct fn_bytes
text_of(struct fn_call *call, struct fn_bytes context, struct fn_bytes root, const char *name)
{
	struct fn_bytes text = {0};

	if (!context.at || !fn_json_text(context, name, call->arena, &text))
		fn_json_text(root, name, call->arena, &text);
	return text;
}

/* A resource is a string, or an object with its name and perhaps its service. */
static void
read_resource(struct fn_call *call, struct fn_bytes holder, struct legacy *legacy)
{
	struct fn_bytes resource;

	if (legacy->resource.size > 0 || !holder.at ||
		!fn_json_member(holder, "resource", &resource))
		return;
	if (fn_json_string(resource, call->arena, &legacy->resource))
		return;
	fn_json_text(resource, "name", call->arena, &legacy->resource);
	fn_json_text(resource, "service", call->arena, &legacy->service);
}

static bool
legacy_read(struct fn_call *call, struct fn_bytes root, struct legacy *legacy)
{
	struct fn_bytes context = {0};

	*legacy = (struct legacy){.root = root};
	fn_json_member(root, "context", &context);
	legacy->type = text_of(call, context, root, "eventType");
	legacy->id = text_of(call, context, root, "eventId");
	legacy->timestamp = text_of(call, context, root, "timestamp");
	read_resource(call, context, legacy);
	read_resource(call, root, legacy);
	return fn_json_member(root, "data", &legacy->data) && legacy->type.size > 0 &&
	       legacy->id.size > 0 && legacy->resource.size > 0;
}

/* The topic, where it stands in the URL, as the emulator and old subscriptions have it. */
static struct fn_bytes
push_source(struct fn_call *call, struct fn_bytes subscription)
{
	struct fn_bytes path = call->path, topic, rest;

	fn_bytes_cut(&path, '/');
	topic = rest = path;
	if (!takes_segments(&rest, "projects/*/topics/*") || rest.at)
		topic = subscription;
	return join(call, FN_BYTES("//pubsub.googleapis.com"), "/", topic);
}

static bool
push_read(struct fn_call *call, struct fn_bytes root, struct fn_event *event)
{
	struct fn_bytes message, subscription;
	char now[FN_TIMESTAMP_SIZE];

	if (!fn_json_text(root, "subscription", call->arena, &subscription) ||
		!fn_json_member(root, "message", &message) ||
		!fn_json_text(message, "messageId", call->arena, &event->id))
		return false;
	if (!fn_json_text(message, "publishTime", call->arena, &event->time)) {
		fn_timestamp(fn_unix_ms(), now);
		event->time = fn_bytes_copy(call->arena, fn_bytes(now));
	}
	event->type = fn_bytes(types[0].type);
	event->source = push_source(call, subscription);
	return true;
}

bool
event_read_legacy(
	struct fn_call *call, struct fn_bytes root, struct fn_event *event, struct fn_error *err)
{
	struct legacy legacy;

	event->data_content_type = FN_BYTES("application/json");
	event->data = root;
	event->has_data = true;
	if (!push_read(call, root, event)) {
		if (!legacy_read(call, root, &legacy))
			return fn_fail(err, FN_INVALID,
				"event: the JSON is neither a CloudEvent, a legacy event nor a "
				"Pub/Sub push");
		event->id = legacy.id;
		event->time = legacy.timestamp;
		event->data = legacy.data;
		TRY(map_type(&legacy, event, err));
		TRY(map_resource(call, &legacy, event, err));
	}
	return event_check(event, FN_BYTES("1.0"), err);
}
