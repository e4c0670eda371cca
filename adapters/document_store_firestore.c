/* Documents in Firestore (Native mode), over REST: a commit is one request, and so are a page and
 * any number of documents by their names. Preconditions take the place of transactions, whose locks
 * would keep others out for a round trip.
 * Source: cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents. */
#include "adapters/document_store_firestore.h"

#include "adapters/google_api.h"
#include "adapters/wire/firestore_value.h"
#include "fn/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define GOOGLE "https://firestore.googleapis.com"
#define DEFAULT_DATABASE "(default)"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:()_-"
#define TIME_MS 30000   /* of a call without deadline */
#define ATTEMPT_MS 8000 /* a lost request shall not take all of the time */
#define RETRY_AFTER_S 1
#define ANSWER_MOST (64 << 20)

/* ---- Open and close ------------------------------------------------------------------------ */

static void
firestore_close(struct document_store *self)
{
	fn_arena_drop(((struct firestore_store *)self)->arena);
}

static bool
firestore_open(struct document_store **opened, const struct document_store_config *config,
	struct google_credentials *credentials, struct fn_http_client *http, struct fn_error *err)
{
	struct fn_bytes database = fn_bytes(config->url + strlen(document_store_firestore.scheme));
	struct fn_bytes project = fn_bytes_cut(&database, '/');
	bool is_emulator = config->emulator_host[0] != '\0';

	if (!fn_bytes_consists_of(project, NAME_CHARACTERS) ||
		!fn_bytes_consists_of(database, NAME_CHARACTERS))
		return fn_fail(err, FN_INVALID,
			"STORE_URL: \"%s\" is not of the form firestore:PROJECT/DATABASE "
			"(which is \"" DEFAULT_DATABASE "\" where it has no other name)",
			config->url);
	struct fn_arena *arena = fn_arena_new();
	struct firestore_store *store = fn_arena_alloc(arena, sizeof(*store));
	const char *root = fn_textf(
		arena, "projects/%.*s/databases/%.*s/documents", FN_ARG(project), FN_ARG(database));

	*store = (struct firestore_store){
		.port.backend = &document_store_firestore,
		.arena = arena,
		.root = root,
		.url = fn_textf(arena, "%s%s/v1/%s", is_emulator ? "http://" : GOOGLE,
			config->emulator_host, root),
		.is_emulator = is_emulator,
		.credentials = credentials,
		.http = http,
	};
	*opened = &store->port;
	return true;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

/* The names are those of google/rpc/code.proto. Two statuses of HTTP mean two things each, so they
 * are looked at only where something else than Firestore has answered. */
static const struct {
	const char *name;
	int status; /* of a proxy's answer; 0: none */
	enum firestore_outcome outcome;
} outcomes[] = {
	{"ALREADY_EXISTS", 0, FIRESTORE_REFUSED},
	{"FAILED_PRECONDITION", 0, FIRESTORE_REFUSED},
	{"NOT_FOUND", 0, FIRESTORE_REFUSED},
	{"ABORTED", 0, FIRESTORE_PASSING},
	{"RESOURCE_EXHAUSTED", 429, FIRESTORE_PASSING},
	{"UNAVAILABLE", 503, FIRESTORE_UNKNOWN},
	{"DEADLINE_EXCEEDED", 504, FIRESTORE_UNKNOWN},
	{"INTERNAL", 500, FIRESTORE_UNKNOWN},
	{"UNKNOWN", 502, FIRESTORE_UNKNOWN},
	{"CANCELLED", 408, FIRESTORE_UNKNOWN},
};

static enum firestore_outcome
outcome_of(const char *name, int status)
{
	for (size_t i = 0; i < COUNT(outcomes); i++) {
		if (name ? strcmp(name, outcomes[i].name) == 0 : status == outcomes[i].status)
			return outcomes[i].outcome;
	}
	return FIRESTORE_FAILED;
}

/* A stream that breaks off says so at its end, whatever its status was at its beginning. */
static const json_t *
error_of(const json_t *answer)
{
	size_t size = json_array_size(answer);

	return json_object_get(size > 0 ? json_array_get(answer, size - 1) : answer, "error");
}

static enum firestore_outcome
read_answer(const struct fn_http_response *response, struct fn_call *call, json_t **answer,
	struct fn_error *err)
{
	json_t *root = json_keep(call->arena, json_loadb(response->body, response->size, 0, NULL));
	const json_t *error = error_of(root);
	const char *name = json_string_value(json_object_get(error, "status"));

	if (response->status == 200 && root && !error) {
		*answer = root;
		return FIRESTORE_DONE;
	}
	enum firestore_outcome outcome = outcome_of(name, response->status);
	bool is_busy = outcome == FIRESTORE_PASSING || outcome == FIRESTORE_UNKNOWN;
	fn_fail(err, is_busy ? FN_BUSY : FN_UPSTREAM, "firestore: %d %s: %.*s", response->status,
		name ? name : "", FN_ARG(json_text(json_object_get(error, "message"))));
	err->retry_after_s = is_busy ? RETRY_AFTER_S : 0;
	return outcome;
}

static bool
send(const struct firestore_store *store, struct fn_call *call,
	const struct fn_http_request *request, struct fn_http_response *response,
	struct fn_error *err)
{
	if (store->is_emulator)
		return fn_http_send(store->http, call, request, response, err);
	return google_api_send(store->credentials, store->http, call, request, response, err);
}

enum firestore_outcome
firestore_try(const struct firestore_store *store, struct fn_call *call, const char *method,
	const json_t *body, bool once, json_t **answer, struct fn_error *err)
{
	bool sent = true;
	const struct fn_header headers[] = {
		{FN_BYTES("Content-Type"), FN_BYTES("application/json")},
		{store->is_emulator ? FN_BYTES("Authorization") : (struct fn_bytes){0},
			FN_BYTES("Bearer owner")},
	};
	char *text = json_dumps(body, JSON_COMPACT);
	const struct fn_http_request request = {
		.method = "POST",
		.url = fn_textf(call->arena, "%s%s", store->url, method),
		.headers = headers,
		.header_count = COUNT(headers),
		.body = fn_bytes(text),
		.max_response = ANSWER_MOST,
		.timeout_ms = ATTEMPT_MS,
		.sent = once ? &sent : NULL,
	};
	struct fn_http_response response;

	assert(text);
	bool answered = send(store, call, &request, &response, err);
	free(text);
	if (answered)
		return read_answer(&response, call, answer, err);
	fn_wrap(err, "firestore");
	return sent ? FIRESTORE_UNKNOWN : FIRESTORE_PASSING;
}

struct fn_call
firestore_call(const struct fn_call *call)
{
	struct fn_call within = *call;

	if (within.deadline_ms == 0)
		within.deadline_ms = fn_now_ms() + TIME_MS;
	return within;
}

/* Tries until the deadline what can be repeated without harm. */
static bool
ask(const struct firestore_store *store, struct fn_call *call, const char *method,
	const json_t *body, json_t **answer, struct fn_error *err)
{
	struct fn_retry retry = FIRESTORE_RETRY;
	struct fn_call within = firestore_call(call);
	struct fn_error why;
	enum firestore_outcome outcome;

	do
		outcome = firestore_try(store, &within, method, body, false, answer, &why);
	while ((outcome == FIRESTORE_PASSING || outcome == FIRESTORE_UNKNOWN) &&
		fn_retry_wait(&retry, &within, 0));
	if (outcome != FIRESTORE_DONE)
		*err = why;
	return outcome == FIRESTORE_DONE;
}

/* ---- Documents ----------------------------------------------------------------------------- */

json_t *
firestore_name(const struct firestore_store *store, const char *collection, struct fn_bytes id)
{
	return json_sprintf("%s/%s/%.*s", store->root, collection, FN_ARG(id));
}

/* Of {"name", "fields", "updateTime"}. The fields that are ours are none of its own. */
static bool
read_document(const json_t *from, struct fn_call *call, struct document *document,
	struct fn_bytes *mark, struct fn_error *err)
{
	const char *name = json_string_value(json_object_get(from, "name"));
	const char *slash = name ? strrchr(name, '/') : NULL;
	json_t *fields =
		json_keep(call->arena, firestore_fields_read(json_object_get(from, "fields")));
	int64_t version;

	if (!slash || !fields ||
		!firestore_time_read(json_text(json_object_get(from, "updateTime")), &version))
		return fn_fail(err, FN_UPSTREAM, "firestore: %s: no usable document",
			name ? name : "an answer");
	*mark = fn_bytes_copy(call->arena, json_text(json_object_get(fields, FIRESTORE_MARK)));
	json_object_del(fields, FIRESTORE_MARK);
	json_object_del(fields, FIRESTORE_EXPIRY);
	*document = (struct document){fn_bytes(slash + 1), fields, version};
	return true;
}

static json_t *
look_body(const struct firestore_store *store, struct fn_arena *arena,
	const struct document_name *names, size_t count)
{
	json_t *documents = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(
			documents, firestore_name(store, names[i].collection, names[i].id));
	return json_keep(arena, json_pack("{s:o}", "documents", documents));
}

/* What was found, by name. They come in any order, and each once however often it is asked for. */
static json_t *
found_by_name(const json_t *answer, struct fn_arena *arena)
{
	json_t *by_name = json_keep(arena, json_object()), *item;
	size_t i;

	json_array_foreach(answer, i, item)
	{
		json_t *found = json_object_get(item, "found");
		const char *name = json_string_value(json_object_get(found, "name"));

		if (name)
			json_object_set(by_name, name, found);
	}
	return by_name;
}

bool
firestore_look(const struct firestore_store *store, struct fn_call *call,
	const struct document_name *names, size_t count, struct document *documents,
	struct fn_bytes *marks, struct fn_error *err)
{
	json_t *body = look_body(store, call->arena, names, count), *answer = NULL;

	TRY(ask(store, call, ":batchGet", body, &answer, err));
	json_t *by_name = found_by_name(answer, call->arena);
	for (size_t i = 0; i < count; i++) {
		const json_t *name = json_array_get(json_object_get(body, "documents"), i);
		const json_t *found = json_object_get(by_name, json_string_value(name));

		documents[i] = (struct document){.id = names[i].id};
		marks[i] = (struct fn_bytes){0};
		if (found)
			TRY(read_document(found, call, &documents[i], &marks[i], err));
	}
	return true;
}

static bool
firestore_get_many(struct document_store *self, struct fn_call *call,
	const struct document_name *names, size_t count, struct document *documents,
	struct fn_error *err)
{
	struct fn_bytes *marks = fn_arena_alloc(call->arena, count * sizeof(*marks));

	return firestore_look(
		(struct firestore_store *)self, call, names, count, documents, marks, err);
}

static bool
firestore_get(struct document_store *self, struct fn_call *call, const char *collection,
	struct fn_bytes id, struct document *document, struct fn_error *err)
{
	const struct document_name name = {collection, id};
	struct document found;

	TRY(firestore_get_many(self, call, &name, 1, &found, err));
	if (!found.fields)
		return fn_fail(err, FN_NOT_FOUND, "%s/%.*s: there is no such document", collection,
			FN_ARG(id));
	*document = found;
	return true;
}

/* ---- Queries ------------------------------------------------------------------------------- */

static json_t *
path(const char *field)
{
	return json_pack("{s:s}", "fieldPath", field);
}

/* A document whose field is null is not "there" for the order, as in SQLite. */
static json_t *
where(const struct document_query *query)
{
	json_t *filters = json_array();

	for (size_t i = 0; i < query->filter_count; i++)
		json_array_append_new(
			filters, json_pack("{s:{s:o, s:s, s:o}}", "fieldFilter", "field",
					 path(query->filters[i].field), "op", "EQUAL", "value",
					 firestore_value(query->filters[i].value)));
	if (query->order_by)
		json_array_append_new(filters, json_pack("{s:{s:o, s:s}}", "unaryFilter", "field",
						       path(query->order_by), "op", "IS_NOT_NULL"));
	return json_pack("{s:{s:s, s:o}}", "compositeFilter", "op", "AND", "filters", filters);
}

static json_t *
order(const struct document_query *query)
{
	const char *direction = query->descending ? "DESCENDING" : "ASCENDING";
	json_t *fields = json_array();

	if (query->order_by)
		json_array_append_new(
			fields, json_pack("{s:o, s:s}", "field", path(query->order_by), "direction",
					direction));
	json_array_append_new(
		fields, json_pack("{s:o, s:s}", "field", path("__name__"), "direction", direction));
	return fields;
}

/* With a value alone it begins before the first document that has it. */
static json_t *
start_at(const struct firestore_store *store, const struct document_query *query,
	const struct document_place *after)
{
	json_t *values = json_array();

	if (after->value)
		json_array_append_new(values, firestore_value(after->value));
	if (after->id.size > 0)
		json_array_append_new(
			values, json_pack("{s:o}", "referenceValue",
					firestore_name(store, query->collection, after->id)));
	return json_pack("{s:o, s:b}", "values", values, "before", after->id.size == 0);
}

static json_t *
query_body(const struct firestore_store *store, const struct document_query *query,
	const struct document_place *after, struct fn_arena *arena)
{
	json_t *wanted = json_pack("{s:[{s:s}], s:o, s:I}", "from", "collectionId",
		query->collection, "orderBy", order(query), "limit", (json_int_t)query->limit);

	if (query->filter_count > 0 || query->order_by)
		json_object_set_new(wanted, "where", where(query));
	if (after)
		json_object_set_new(wanted, "startAt", start_at(store, query, after));
	return json_keep(arena, json_pack("{s:o}", "structuredQuery", wanted));
}

/* An item without a document only tells when it was read. */
static bool
firestore_query(struct document_store *self, struct fn_call *call,
	const struct document_query *query, const struct document_place *after,
	struct document *documents, size_t *count, struct fn_error *err)
{
	const struct firestore_store *store = (struct firestore_store *)self;
	json_t *answer = NULL, *item;
	struct fn_bytes mark;
	size_t i, found = 0;

	TRY(ask(store, call, ":runQuery", query_body(store, query, after, call->arena), &answer,
		err));
	json_array_foreach(answer, i, item)
	{
		const json_t *document = json_object_get(item, "document");

		if (document && found < query->limit)
			TRY(read_document(document, call, &documents[found++], &mark, err));
	}
	*count = found;
	return true;
}

const struct document_store_backend document_store_firestore = {
	.scheme = "firestore:",
	.open = firestore_open,
	.close = firestore_close,
	.get = firestore_get,
	.get_many = firestore_get_many,
	.query = firestore_query,
	.commit = firestore_commit,
};
