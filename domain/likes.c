#include "domain/likes.h"

#include "domain/fields.h"
#include "domain/writes.h"
#include "fn/clock.h"

#include <assert.h>
#include <stdlib.h>

#define LIKES "likes"
#define COUNTERS "like_counters"

/* ---- Documents ------------------------------------------------------------------------------- */

static struct fn_bytes
like_id(struct fn_call *call, struct fn_bytes creation, struct fn_bytes user)
{
	return fn_bytes(fn_textf(call->arena, "%.*s.%.*s", FN_ARG(creation), FN_ARG(user)));
}

static struct fn_bytes
counter_id(struct fn_call *call, struct fn_bytes creation, unsigned number)
{
	return fn_bytes(fn_textf(call->arena, "%.*s.%u", FN_ARG(creation), number));
}

/* The counter is noted, since what it has counted it must be able to take back. */
static struct document_write
like_write(
	struct fn_call *call, const struct user *user, struct fn_bytes creation, unsigned counter)
{
	json_t *fields = fields_keep(call, json_object());

	fields_put(fields, "creation_id", fields_text_or_null(creation));
	fields_put(fields, "user_id", fields_text_or_null(user->id));
	fields_put(fields, "counter", json_integer(counter));
	fields_put(fields, "created_at_ms", json_integer(fn_unix_ms()));
	return (struct document_write){
		.kind = DOCUMENT_CREATE,
		.collection = LIKES,
		.id = like_id(call, creation, user->id),
		.fields = fields,
	};
}

static struct document_write
counter_write(struct fn_call *call, enum document_write_kind kind, struct fn_bytes creation,
	unsigned number, int64_t likes)
{
	json_t *fields = fields_keep(call, json_object());

	fields_put(fields, "likes", json_integer(likes));
	return (struct document_write){
		.kind = kind,
		.collection = COUNTERS,
		.id = counter_id(call, creation, number),
		.fields = fields,
	};
}

/* ---- Like ------------------------------------------------------------------------------------ */

/* One commit, and nothing is read. FN_CONFLICT: the like is there already. FN_PRECONDITION: the
 * counters are not. */
static bool
like(struct fn_call *call, struct document_store *documents, const struct user *user,
	struct fn_bytes creation, unsigned counter, struct fn_error *err)
{
	struct document_write writes[] = {
		like_write(call, user, creation, counter),
		counter_write(call, DOCUMENT_ADD, creation, counter, 1),
	};

	return document_store_commit(documents, call, writes, 2, err);
}

/* On condition that the creation stays as it was seen. That another did so first, or changed it, is
 * no matter: the like is tried again. */
static bool
open_counters(struct fn_call *call, struct document_store *documents, const struct user *user,
	struct fn_bytes id, struct fn_error *err)
{
	struct document_write writes[LIKES_COUNTERS + 1];
	struct creation creation;
	struct document document;
	struct fn_error why;

	TRY(creation_read(&creation, &document, call, documents, id, user, err));
	if (!creation_is_listed(&creation))
		return fn_fail(err, FN_CONFLICT, "only what is published can be liked");
	for (unsigned i = 0; i < LIKES_COUNTERS; i++)
		writes[i] = counter_write(call, DOCUMENT_CREATE, id, i, 0);
	writes[LIKES_COUNTERS] = creation_write(id, &document);
	if (document_store_commit(documents, call, writes, LIKES_COUNTERS + 1, &why) ||
		why.code == FN_CONFLICT || why.code == FN_PRECONDITION)
		return true;
	*err = why;
	return false;
}

bool
likes_add(struct fn_call *call, struct document_store *documents, const struct user *user,
	struct fn_bytes creation, struct fn_error *err)
{
	struct fn_retry retry = WRITES_RETRY;
	unsigned counter = arc4random_uniform(LIKES_COUNTERS);
	struct fn_error why;

	if (!creation_is_id(creation))
		return creation_is_unknown(err);
	do {
		if (like(call, documents, user, creation, counter, &why) || why.code == FN_CONFLICT)
			return true;
		if (why.code == FN_PRECONDITION)
			TRY(open_counters(call, documents, user, creation, err));
	} while (writes_again(&retry, call, &why));
	*err = why;
	return false;
}

/* ---- Unlike ---------------------------------------------------------------------------------- */

static bool
unlike(struct fn_call *call, struct document_store *documents, struct fn_bytes creation,
	const struct document *like, struct fn_error *err)
{
	struct fields from = {like->fields, NULL};
	unsigned counter = (unsigned)fields_number(&from, "counter");
	struct document_write writes[] = {
		{
			.kind = DOCUMENT_DELETE,
			.collection = LIKES,
			.id = like->id,
			.if_version = like->version,
		},
		counter_write(call, DOCUMENT_ADD, creation, counter, -1),
	};

	if (from.wrong)
		return fn_fail(err, FN_INTERNAL, LIKES "/%.*s: no usable %s in it",
			FN_ARG(like->id), from.wrong);
	return document_store_commit(documents, call, writes, 2, err);
}

bool
likes_remove(struct fn_call *call, struct document_store *documents, const struct user *user,
	struct fn_bytes id, struct fn_error *err)
{
	const struct document_name names[] = {
		{CREATIONS, id},
		{LIKES, like_id(call, id, user->id)},
	};
	struct fn_retry retry = WRITES_RETRY;
	struct document found[2];
	struct creation creation;
	struct fn_error why;

	if (!creation_is_id(id))
		return creation_is_unknown(err);
	do {
		TRY(document_store_get_many(documents, call, names, 2, found, err));
		TRY(creation_see(&creation, &found[0], id, user, err));
		if (!found[1].fields || unlike(call, documents, id, &found[1], &why))
			return true;
	} while (writes_again(&retry, call, &why));
	*err = why;
	return false;
}

/* ---- How many -------------------------------------------------------------------------------- */

static void
name_counters(struct fn_call *call, struct fn_bytes creation, struct document_name *names)
{
	for (unsigned i = 0; i < LIKES_COUNTERS; i++)
		names[i] = (struct document_name){COUNTERS, counter_id(call, creation, i)};
}

static int64_t
sum(const struct document *counters)
{
	int64_t likes = 0;

	for (unsigned i = 0; i < LIKES_COUNTERS; i++)
		likes += json_integer_value(json_object_get(counters[i].fields, "likes"));
	return likes;
}

bool
likes_count(struct fn_call *call, struct document_store *documents, struct fn_bytes creation,
	int64_t *likes, struct fn_error *err)
{
	struct document_name names[LIKES_COUNTERS];
	struct document counters[LIKES_COUNTERS];

	name_counters(call, creation, names);
	TRY(document_store_get_many(documents, call, names, LIKES_COUNTERS, counters, err));
	*likes = sum(counters);
	return true;
}

#define OF_ONE (1 + LIKES_COUNTERS) /* documents: the creation and its counters */

/* What the creation's version was is read no later than its counters are: whoever writes an older
 * sum than another does so on a version that is gone. */
bool
likes_settle(struct fn_call *call, struct document_store *documents, const struct fn_bytes *ids,
	size_t count, struct fn_error *err)
{
	struct document_name *names = fn_arena_zero(call->arena, count * OF_ONE * sizeof(*names));
	struct document *found = fn_arena_zero(call->arena, count * OF_ONE * sizeof(*found));
	struct document_write writes[LIKES_SETTLE_MOST];
	size_t changed = 0;

	assert(count <= LIKES_SETTLE_MOST);
	for (size_t i = 0; i < count; i++) {
		names[i * OF_ONE] = (struct document_name){CREATIONS, ids[i]};
		name_counters(call, ids[i], &names[i * OF_ONE + 1]);
	}
	TRY(document_store_get_many(documents, call, names, count * OF_ONE, found, err));
	for (size_t i = 0; i < count; i++) {
		const struct document *creation = &found[i * OF_ONE];
		int64_t likes = sum(creation + 1);

		if (!creation->fields ||
			json_integer_value(json_object_get(creation->fields, "likes")) == likes)
			continue;
		fields_put(creation->fields, "likes", json_integer(likes));
		writes[changed++] = creation_write(ids[i], creation);
	}
	return changed == 0 || document_store_commit(documents, call, writes, changed, err);
}

/* ---- Who ------------------------------------------------------------------------------------- */

bool
likes_show(struct fn_call *call, struct document_store *documents, const struct user *user,
	json_t *creations, struct fn_error *err)
{
	size_t count = json_array_size(creations);
	struct document_name *names = fn_arena_alloc(call->arena, (count + 1) * sizeof(*names));
	struct document *likes = fn_arena_alloc(call->arena, (count + 1) * sizeof(*likes));

	for (size_t i = 0; i < count; i++) {
		struct fields from = {json_array_get(creations, i), NULL};

		names[i] = (struct document_name){
			LIKES, like_id(call, fields_text(&from, "id"), user->id)};
	}
	TRY(document_store_get_many(documents, call, names, count, likes, err));
	for (size_t i = 0; i < count; i++)
		fields_put(json_array_get(creations, i), "liked", json_boolean(likes[i].fields));
	return true;
}

/* ---- None ------------------------------------------------------------------------------------ */

static bool
delete_page(struct fn_call *call, struct document_store *documents,
	const struct document_page *page, struct fn_error *err)
{
	struct document_write writes[DOCUMENT_PAGE_MOST];

	for (size_t i = 0; i < page->count; i++)
		writes[i] = (struct document_write){
			.kind = DOCUMENT_DELETE,
			.collection = LIKES,
			.id = page->documents[i].id,
		};
	return page->count == 0 || document_store_commit(documents, call, writes, page->count, err);
}

/* The counters first: without them nobody can like it any more. */
bool
likes_delete(struct fn_call *call, struct document_store *documents, struct fn_bytes creation,
	struct fn_error *err)
{
	struct document_write writes[LIKES_COUNTERS];
	struct document_query query = {
		.collection = LIKES,
		.filters = {{"creation_id", fields_keep(call, fields_text_or_null(creation))}},
		.filter_count = 1,
		.limit = DOCUMENT_PAGE_MOST,
	};
	struct document_page page;

	for (unsigned i = 0; i < LIKES_COUNTERS; i++)
		writes[i] = (struct document_write){
			.kind = DOCUMENT_DELETE,
			.collection = COUNTERS,
			.id = counter_id(call, creation, i),
		};
	TRY(document_store_commit(documents, call, writes, LIKES_COUNTERS, err));
	do {
		TRY(document_store_query(documents, call, &query, &page, err));
		TRY(delete_page(call, documents, &page, err));
	} while (page.next.size > 0);
	return true;
}
