/* Commits to Firestore, whose answers may get lost.
 *
 * All documents of a commit bear its mark, so a look at them tells whether it was carried out.
 * Repeated, a commit that presumes something (absent, unchanged) is refused if it was; one that
 * presumes nothing leaves the same behind, unless it adds to numbers, and is then not repeated.
 * What was deleted bears no mark: a deletion whose answer was lost may look like another's. */
#include "adapters/document_store_firestore.h"

#include "adapters/wire/firestore_value.h"
#include "adapters/wire/json.h"

#include <inttypes.h>
#include <stdlib.h>

#define MARK_SIZE 17

struct commit {
	const struct firestore_store *store;
	struct fn_call *call;
	struct document_write *writes;
	size_t count;
	char mark[MARK_SIZE];
};

/* ---- What is sent -------------------------------------------------------------------------- */

static void
draw_mark(char mark[MARK_SIZE])
{
	uint64_t number;

	arc4random_buf(&number, sizeof(number));
	snprintf(mark, MARK_SIZE, "%016" PRIx64, number);
}

static json_t *
presumption(const struct document_write *write)
{
	char time[FIRESTORE_TIME_SIZE];

	if (write->if_version == 0)
		return json_pack("{s:b}", "exists", write->kind != DOCUMENT_CREATE);
	firestore_time(write->if_version, time);
	return json_pack("{s:s}", "updateTime", time);
}

static void
add_own_fields(const struct commit *commit, const struct document_write *write, json_t *fields)
{
	char time[FIRESTORE_TIME_SIZE];

	json_object_set_new(
		fields, FIRESTORE_MARK, json_pack("{s:s}", "stringValue", commit->mark));
	if (write->expires_at_ms == 0)
		return;
	firestore_time(write->expires_at_ms * 1000, time);
	json_object_set_new(fields, FIRESTORE_EXPIRY, json_pack("{s:s}", "timestampValue", time));
}

static json_t *
additions(const json_t *numbers)
{
	json_t *transforms = json_array(), *number;
	const char *field;

	json_object_foreach((json_t *)(uintptr_t)numbers, field, number)
	{
		json_array_append_new(transforms, json_pack("{s:s, s:o}", "fieldPath", field,
							  "increment", firestore_value(number)));
	}
	return transforms;
}

/* An addition is a change of our own fields alone, and what is transformed behind it. */
static json_t *
write_body(const struct commit *commit, const struct document_write *write)
{
	json_t *name = firestore_name(commit->store, write->collection, write->id);
	json_t *body, *fields;

	if (write->kind == DOCUMENT_DELETE) {
		body = json_pack("{s:o}", "delete", name);
		if (write->if_version != 0)
			json_object_set_new(body, "currentDocument", presumption(write));
		return body;
	}
	fields = write->kind == DOCUMENT_ADD ? json_object() : firestore_fields(write->fields);
	add_own_fields(commit, write, fields);
	body = json_pack("{s:{s:o, s:o}, s:o}", "update", "name", name, "fields", fields,
		"currentDocument", presumption(write));
	if (write->kind == DOCUMENT_ADD) {
		json_object_set_new(
			body, "updateMask", json_pack("{s:[s]}", "fieldPaths", FIRESTORE_MARK));
		json_object_set_new(body, "updateTransforms", additions(write->fields));
	}
	return body;
}

static json_t *
commit_body(const struct commit *commit)
{
	json_t *writes = json_array();

	for (size_t i = 0; i < commit->count; i++)
		json_array_append_new(writes, write_body(commit, &commit->writes[i]));
	return json_keep(commit->call->arena, json_pack("{s:o}", "writes", writes));
}

static bool
may_be_repeated(const struct commit *commit)
{
	bool presumes = false, adds = false;

	for (size_t i = 0; i < commit->count; i++) {
		const struct document_write *write = &commit->writes[i];

		presumes = presumes || write->kind == DOCUMENT_CREATE || write->if_version != 0;
		adds = adds || write->kind == DOCUMENT_ADD;
	}
	return presumes || !adds;
}

/* ---- What has become of it ------------------------------------------------------------------ */

static bool
read_versions(const struct commit *commit, const json_t *answer, struct fn_error *err)
{
	const json_t *results = json_object_get(answer, "writeResults");

	for (size_t i = 0; i < commit->count; i++) {
		struct document_write *write = &commit->writes[i];
		const json_t *result = json_array_get(results, i);

		if (write->kind != DOCUMENT_DELETE &&
			!firestore_time_read(
				json_text(json_object_get(result, "updateTime")), &write->version))
			return fn_fail(err, FN_UPSTREAM, "firestore: no usable time in an answer");
	}
	return true;
}

static bool
holds(const struct document_write *write, const struct document *now)
{
	if (write->if_version != 0)
		return now->version == write->if_version;
	return write->kind == DOCUMENT_DELETE ||
	       (now->fields == NULL) == (write->kind == DOCUMENT_CREATE);
}

/* FIRESTORE_PASSING: it was not carried out, and now nothing stands in its way. */
static enum firestore_outcome
look_after(const struct commit *commit, struct fn_error *err)
{
	struct fn_arena *arena = commit->call->arena;
	struct document_name *names = fn_arena_alloc(arena, commit->count * sizeof(*names));
	struct document *now = fn_arena_alloc(arena, commit->count * sizeof(*now));
	struct fn_bytes *marks = fn_arena_alloc(arena, commit->count * sizeof(*marks));

	for (size_t i = 0; i < commit->count; i++)
		names[i] =
			(struct document_name){commit->writes[i].collection, commit->writes[i].id};
	if (!firestore_look(commit->store, commit->call, names, commit->count, now, marks, err))
		return FIRESTORE_UNKNOWN;
	for (size_t i = 0; i < commit->count; i++) {
		if (!fn_bytes_is(marks[i], commit->mark))
			continue;
		for (size_t k = 0; k < commit->count; k++)
			commit->writes[k].version = now[i].version;
		return FIRESTORE_DONE;
	}
	for (size_t i = 0; i < commit->count; i++) {
		if (!holds(&commit->writes[i], &now[i])) {
			document_write_refused(&commit->writes[i], err);
			return FIRESTORE_REFUSED;
		}
	}
	return FIRESTORE_PASSING;
}

/* Firestore says neither which document stood in the way, nor whether it was this commit itself,
 * of which an earlier attempt, or the one that libcurl has sent anew, had come through. */
static enum firestore_outcome
try_once(const struct commit *commit, const json_t *body, struct fn_error *err)
{
	json_t *answer = NULL;
	enum firestore_outcome outcome = firestore_try(commit->store, commit->call, ":commit", body,
		!may_be_repeated(commit), &answer, err);

	if (outcome == FIRESTORE_DONE && !read_versions(commit, answer, err))
		return FIRESTORE_UNKNOWN;
	return outcome == FIRESTORE_REFUSED ? look_after(commit, err) : outcome;
}

/* Once an answer was lost, nothing but a refusal or a look at the documents says how it ended. */
static bool
conclude(const struct commit *commit, enum firestore_outcome outcome, bool in_doubt,
	const struct fn_error *why, struct fn_error *err)
{
	struct fn_error unused;

	if (outcome == FIRESTORE_DONE)
		return true;
	if (!in_doubt || outcome == FIRESTORE_REFUSED) {
		*err = *why;
		return false;
	}
	return look_after(commit, &unused) == FIRESTORE_DONE ||
	       fn_fail(err, FN_DEADLINE, "it is not known whether it was written: %s",
		       why->message);
}

bool
firestore_commit(struct document_store *self, struct fn_call *call, struct document_write *writes,
	size_t count, struct fn_error *err)
{
	struct fn_call within = firestore_call(call);
	struct commit commit = {(struct firestore_store *)self, &within, writes, count, {0}};
	struct fn_retry retry = FIRESTORE_RETRY;
	struct fn_error why;
	enum firestore_outcome outcome;
	bool in_doubt = false;

	draw_mark(commit.mark);
	const json_t *body = commit_body(&commit);
	do {
		outcome = try_once(&commit, body, &why);
		in_doubt = in_doubt || outcome == FIRESTORE_UNKNOWN;
	} while ((outcome == FIRESTORE_PASSING ||
			 (outcome == FIRESTORE_UNKNOWN && may_be_repeated(&commit))) &&
		 fn_retry_wait(&retry, &within, 0));
	return conclude(&commit, outcome, in_doubt, &why, err);
}
