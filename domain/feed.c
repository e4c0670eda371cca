#include "domain/feed.h"

#include "domain/fields.h"
#include "domain/likes.h"

#define DELETIONS FN_BYTES("deletions") /* a mark that is no creation's */

/* ---- Catching up ----------------------------------------------------------------------------- */

void
feed_mark(const struct feed *feed, struct fn_call *call, struct fn_bytes creation)
{
	page_cache_mark(feed->pages, call, creation);
}

static bool
settle_likes(
	const struct feed *feed, struct fn_call *call, const struct page_mark *marks, size_t count)
{
	struct fn_bytes liked[LIKES_SETTLE_MOST];
	struct fn_error why;
	size_t likes = 0;

	for (size_t i = 0; i < count; i++) {
		if (creation_is_id(marks[i].name))
			liked[likes++] = marks[i].name;
	}
	if (likes_settle(call, feed->documents, liked, likes, &why))
		return true;
	if (why.code != FN_PRECONDITION) /* that others are at it */
		fn_log(call, FN_WARNING, "likes are not counted yet: %s", why.message);
	return false;
}

static bool
finish_deletions(
	const struct feed *feed, struct fn_call *call, const struct page_mark *marks, size_t count)
{
	const struct deletion deletion = {feed->documents, feed->objects};
	struct fn_error why;
	size_t i = 0;

	while (i < count && !fn_bytes_equal(marks[i].name, DELETIONS))
		i++;
	if (i == count || deletion_sweep(&deletion, call, &why))
		return true;
	fn_log(call, FN_WARNING, "not all that was deleted is gone yet: %s", why.message);
	return false;
}

/* Others' work, mostly: that it fails is no reason to show nothing, and the marks stay. */
static void
catch_up(const struct feed *feed, struct fn_call *call)
{
	struct page_mark marks[LIKES_SETTLE_MOST];
	size_t count = page_cache_marks(feed->pages, call, marks, LIKES_SETTLE_MOST);
	bool settled, finished;

	if (count == 0)
		return;
	settled = settle_likes(feed, call, marks, count);
	finished = finish_deletions(feed, call, marks, count);
	for (size_t i = 0; i < count; i++) {
		if (creation_is_id(marks[i].name) ? settled : finished)
			page_cache_unmark(feed->pages, call, &marks[i]);
	}
}

bool
feed_delete(const struct feed *feed, struct fn_call *call, const struct user *user,
	struct fn_bytes id, struct fn_error *err)
{
	const struct deletion deletion = {feed->documents, feed->objects};

	page_cache_mark(feed->pages, call, DELETIONS);
	TRY(deletion_make(&deletion, call, user, id, err));
	page_cache_flush(feed->pages, call);
	return true;
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static struct fn_bytes
name_of(const struct feed_list *list, struct fn_call *call)
{
	return fn_bytes(fn_textf(call->arena, "%s of %.*s, %s", list->drafts ? "drafts" : "list",
		FN_ARG(list->owner), list->type ? list->type : "all"));
}

static void
add_filter(struct document_query *query, struct fn_call *call, const char *field, json_t *value)
{
	query->filters[query->filter_count++] =
		(struct document_filter){field, fields_keep(call, value)};
}

static bool
query_list(const struct feed *feed, struct fn_call *call, const struct feed_list *list,
	const struct feed_place *place, struct document_page *page, struct fn_error *err)
{
	struct document_query query = {
		.collection = CREATIONS,
		.order_by = "created_at_ms",
		.descending = true,
		.limit = place->limit,
	};

	if (place->cursor.size > 0)
		TRY(cursor_open(&feed->key, call, name_of(list, call), place->cursor,
			&query.page_token, err));
	if (list->owner.size > 0)
		add_filter(&query, call, "owner_id", fields_text_or_null(list->owner));
	if (list->type)
		add_filter(&query, call, "type", json_string(list->type));
	add_filter(&query, call, "listed", json_boolean(!list->drafts));
	return document_store_query(feed->documents, call, &query, page, err);
}

static void
set_url(const struct feed *feed, struct fn_call *call, struct creation *creation)
{
	bool made = creation_is(creation, CREATION_SUCCEEDED) && creation->object_key.size > 0;

	creation->url = (struct fn_bytes){0};
	if (made)
		creation->url =
			object_store_public_url(feed->objects, call->arena, creation->object_key);
}

static bool
show(const struct feed *feed, struct fn_call *call, struct creation *creations, size_t count,
	json_t *array, struct fn_error *err)
{
	TRY(names_fill(feed->names, call, feed->documents, creations, count, err));
	for (size_t i = 0; i < count; i++) {
		set_url(feed, call, &creations[i]);
		json_array_append(array, creation_object(&creations[i], call));
	}
	return true;
}

/* A document that is none of ours is told to us, and nobody else. */
static size_t
read_creations(struct fn_call *call, const struct document_page *found, struct creation creations[])
{
	struct fn_error why;
	size_t count = 0;

	for (size_t i = 0; i < found->count; i++) {
		const struct document *document = &found->documents[i];

		if (creation_from_document(&creations[count], document->id, document, &why))
			count++;
		else
			fn_log(call, FN_ERROR, "left out: %s", why.message);
	}
	return count;
}

bool
feed_page(const struct feed *feed, struct fn_call *call, const struct feed_list *list,
	const struct feed_place *place, json_t **page, struct fn_error *err)
{
	json_t *json = fields_keep(call, json_object()), *array = json_array();
	struct creation creations[FEED_LIMIT_MOST];
	struct document_page found;

	fields_put(json, "creations", array);
	catch_up(feed, call);
	TRY(query_list(feed, call, list, place, &found, err));
	TRY(show(feed, call, creations, read_creations(call, &found, creations), array, err));
	fields_put(json, "next_cursor",
		fields_text_or_null(
			cursor_seal(&feed->key, call, name_of(list, call), found.next)));
	*page = json;
	return true;
}

/* ---- One ------------------------------------------------------------------------------------- */

bool
feed_creation(const struct feed *feed, struct fn_call *call, const struct user *user,
	struct fn_bytes id, json_t **shown, struct fn_error *err)
{
	json_t *array = fields_keep(call, json_array());
	struct creation creation;
	struct document document;
	int64_t likes;

	TRY(creation_read(&creation, &document, call, feed->documents, id, user, err));
	TRY(likes_count(call, feed->documents, id, &likes, err));
	if (likes != creation.likes)
		feed_mark(feed, call, id);
	creation.likes = likes;
	TRY(show(feed, call, &creation, 1, array, err));
	if (user->id.size > 0)
		TRY(likes_show(call, feed->documents, user, array, err));
	*shown = json_array_get(array, 0);
	return true;
}
