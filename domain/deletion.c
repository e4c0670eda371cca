#include "domain/deletion.h"

#include "domain/fields.h"
#include "domain/likes.h"
#include "domain/writes.h"
#include "fn/clock.h"

#define NOTES "deletions"
#define SWEEP_MOST 10
#define FINISH_MS 3000 /* for each, which somebody waits for who has got what he wants */

/* ---- Out of sight ---------------------------------------------------------------------------- */

static struct document_write
note_write(const struct creation *creation, struct fn_call *call)
{
	json_t *fields = fields_keep(call, json_object());

	fields_put(fields, "owner_id", fields_text_or_null(creation->owner.id));
	fields_put(fields, "object_key", fields_text_or_null(creation->object_key));
	fields_put(fields, "deleted_at_ms", json_integer(fn_unix_ms()));
	return (struct document_write){
		.kind = DOCUMENT_CREATE,
		.collection = NOTES,
		.id = creation->id,
		.fields = fields,
	};
}

static bool
may_delete(const struct creation *creation, const struct user *user, struct fn_error *err)
{
	if (!fn_bytes_equal(creation->owner.id, user->id))
		return fn_fail(err, FN_FORBIDDEN, "only its owner can delete it");
	if (creation_is(creation, CREATION_QUEUED) || creation_is(creation, CREATION_RUNNING))
		return fn_fail(err, FN_CONFLICT, "it is being made: cancel it first");
	return true;
}

static bool
hide(const struct deletion *with, struct fn_call *call, const struct user *user, struct fn_bytes id,
	struct fn_error *err)
{
	struct fn_retry retry = WRITES_RETRY;
	struct creation creation;
	struct document document;
	struct fn_error why;

	do {
		TRY(creation_read(&creation, &document, call, with->documents, id, user, err));
		TRY(may_delete(&creation, user, err));
		struct document_write writes[] = {
			{
				.kind = DOCUMENT_DELETE,
				.collection = CREATIONS,
				.id = id,
				.if_version = document.version,
			},
			note_write(&creation, call),
		};
		if (document_store_commit(with->documents, call, writes, 2, &why))
			return true;
	} while (writes_again(&retry, call, &why));
	*err = why;
	return false;
}

/* ---- Out of the world ------------------------------------------------------------------------ */

static bool
finish(const struct deletion *with, struct fn_call *call, const struct document *note,
	struct fn_error *err)
{
	struct fields from = {note->fields, NULL};
	struct fn_bytes key = fields_text(&from, "object_key");
	struct document_write last = {.kind = DOCUMENT_DELETE, .collection = NOTES, .id = note->id};
	struct fn_call brief = *call;

	brief.deadline_ms = fn_now_ms() + fn_time_left_ms(call, FINISH_MS);
	if (key.size > 0)
		TRY(object_store_delete(with->objects, &brief, key, err));
	TRY(likes_delete(&brief, with->documents, note->id, err));
	return document_store_commit(with->documents, &brief, &last, 1, err);
}

bool
deletion_make(const struct deletion *with, struct fn_call *call, const struct user *user,
	struct fn_bytes id, struct fn_error *err)
{
	struct document note;
	struct fn_error why;
	bool hidden = hide(with, call, user, id, err);

	if (!hidden && (err->code != FN_NOT_FOUND || !creation_is_id(id)))
		return false;
	if (!document_store_get(with->documents, call, NOTES, id, &note, &why))
		return hidden;
	struct fields from = {note.fields, NULL};
	if (!fn_bytes_equal(fields_text(&from, "owner_id"), user->id))
		return false;
	if (!finish(with, call, &note, &why))
		fn_log(call, FN_WARNING, "deleted, but for what the sweep will: %s", why.message);
	return true;
}

bool
deletion_sweep(const struct deletion *with, struct fn_call *call, struct fn_error *err)
{
	const struct document_query query = {.collection = NOTES, .limit = SWEEP_MOST};
	struct document_page page;

	TRY(document_store_query(with->documents, call, &query, &page, err));
	for (size_t i = 0; i < page.count; i++)
		TRY(finish(with, call, &page.documents[i], err));
	return true;
}
