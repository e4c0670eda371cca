#include "domain/creation.h"

#include "domain/fields.h"
#include "domain/writes.h"
#include "fn/clock.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

/* ---- Id ------------------------------------------------------------------------------------ */

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's base32 */

void
creation_new_id(const char *prefix, char id[CREATION_ID_SIZE])
{
	uint64_t random[2];
	ssize_t got = getrandom(random, sizeof(random), 0);

	assert(got == sizeof(random) && strlen(prefix) == 4);
	uint64_t high = (uint64_t)fn_unix_ms() << 16 | (random[0] & 0xffff);
	uint64_t low = random[1];

	memcpy(id, prefix, 4);
	id[CREATION_ID_SIZE - 1] = '\0';
	for (int i = CREATION_ID_SIZE - 2; i >= 4; i--) {
		id[i] = digits[low & 31];
		low = low >> 5 | high << 59;
		high >>= 5;
	}
}

bool
creation_is_id(struct fn_bytes text)
{
	return text.size == CREATION_ID_SIZE - 1 &&
	       (fn_bytes_starts(text, "img_") || fn_bytes_starts(text, "vid_")) &&
	       fn_bytes_consists_of((struct fn_bytes){text.at + 4, text.size - 4}, digits);
}

/* ---- A new one ----------------------------------------------------------------------------- */

static const char *
extension_of(const char *mime_type)
{
	return strcmp(mime_type, "image/jpeg") == 0 ? "jpg" : "png";
}

void
creation_of_picture(struct creation *creation, struct fn_call *call, struct fn_bytes id,
	const struct user *owner, const struct prompt *prompt, const struct picture *picture)
{
	*creation = (struct creation){
		.id = id,
		.type = "image",
		.status = CREATION_SUCCEEDED,
		.prompt = prompt->image.prompt,
		.object_key = fn_bytes(fn_textf(call->arena, "images/%.*s/%.*s.%s",
			FN_ARG(owner->id), FN_ARG(id), extension_of(picture->mime_type))),
		.mime_type = picture->mime_type,
		.width = picture->width,
		.height = picture->height,
		.owner = *owner,
		.published = prompt->publish,
		.created_at_ms = fn_unix_ms(),
	};
}

bool
creation_is(const struct creation *creation, const char *status)
{
	return strcmp(creation->status, status) == 0;
}

/* ---- Who may see it ------------------------------------------------------------------------ */

bool
creation_is_listed(const struct creation *creation)
{
	return creation->published && creation_is(creation, CREATION_SUCCEEDED);
}

static bool
is_visible(const struct creation *creation, const struct user *user)
{
	return creation_is_listed(creation) || fn_bytes_equal(creation->owner.id, user->id);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static json_t *
owner_json(const struct user *owner)
{
	json_t *json = json_object();

	fields_put(json, "id", fields_text_or_null(owner->id));
	fields_put(json, "username", fields_text_or_null(owner->username));
	return json;
}

/* A video's size is not known before there is one. */
static json_t *
size_or_null(unsigned pixels)
{
	return pixels > 0 ? json_integer(pixels) : json_null();
}

json_t *
creation_object(const struct creation *creation, struct fn_call *call)
{
	char created_at[FN_TIMESTAMP_SIZE];
	json_t *json = fields_keep(call, json_object());

	fn_timestamp(creation->created_at_ms, created_at);
	fields_put(json, "id", fields_text_or_null(creation->id));
	fields_put(json, "type", json_string(creation->type));
	fields_put(json, "status", json_string(creation->status));
	fields_put(json, "prompt", fields_text_or_null(creation->prompt));
	fields_put(json, "url", fields_text_or_null(creation->url));
	fields_put(json, "mime_type", json_string(creation->mime_type));
	fields_put(json, "width", size_or_null(creation->width));
	fields_put(json, "height", size_or_null(creation->height));
	fields_put(json, "owner", owner_json(&creation->owner));
	fields_put(json, "likes", json_integer(creation->likes));
	fields_put(json, "liked", json_boolean(creation->liked));
	fields_put(json, "published", json_boolean(creation->published));
	fields_put(json, "created_at", json_string(created_at));
	return json;
}

struct fn_bytes
creation_json(const struct creation *creation, struct fn_call *call)
{
	return fields_dump(creation_object(creation, call), call);
}

/* ---- Document ------------------------------------------------------------------------------ */

json_t *
creation_to_document(const struct creation *creation, struct fn_call *call)
{
	json_t *fields = fields_keep(call, json_object());

	fields_put(fields, "type", json_string(creation->type));
	fields_put(fields, "status", json_string(creation->status));
	fields_put(fields, "prompt", fields_text_or_null(creation->prompt));
	fields_put(fields, "object_key", fields_text_or_null(creation->object_key));
	fields_put(fields, "url", fields_text_or_null(creation->url));
	fields_put(fields, "mime_type", json_string(creation->mime_type));
	fields_put(fields, "width", json_integer(creation->width));
	fields_put(fields, "height", json_integer(creation->height));
	fields_put(fields, "owner_id", fields_text_or_null(creation->owner.id));
	fields_put(fields, "owner_username", fields_text_or_null(creation->owner.username));
	fields_put(fields, "likes", json_integer(creation->likes));
	fields_put(fields, "published", json_boolean(creation->published));
	fields_put(fields, "listed", json_boolean(creation_is_listed(creation)));
	fields_put(fields, "created_at_ms", json_integer(creation->created_at_ms));
	return fields;
}

bool
creation_from_document(struct creation *creation, struct fn_bytes id,
	const struct document *document, struct fn_error *err)
{
	struct fields from = {document->fields, NULL};
	const struct creation read = {
		.id = id,
		.type = fields_name(&from, "type"),
		.status = fields_name(&from, "status"),
		.prompt = fields_text(&from, "prompt"),
		.object_key = fields_text(&from, "object_key"),
		.url = fields_text(&from, "url"),
		.mime_type = fields_name(&from, "mime_type"),
		.width = (unsigned)fields_number(&from, "width"),
		.height = (unsigned)fields_number(&from, "height"),
		.owner.id = fields_text(&from, "owner_id"),
		.owner.username = fields_text(&from, "owner_username"),
		.likes = fields_number(&from, "likes"),
		.published = fields_flag(&from, "published"),
		.created_at_ms = fields_number(&from, "created_at_ms"),
	};

	if (from.wrong)
		return fn_fail(err, FN_INTERNAL, "creations/%.*s: no usable %s in it", FN_ARG(id),
			from.wrong);
	*creation = read;
	return true;
}

bool
creation_is_unknown(struct fn_error *err)
{
	return fn_fail(err, FN_NOT_FOUND, "there is no such creation");
}

bool
creation_see(struct creation *creation, const struct document *document, struct fn_bytes id,
	const struct user *user, struct fn_error *err)
{
	struct creation seen;

	if (!document->fields)
		return creation_is_unknown(err);
	TRY(creation_from_document(&seen, id, document, err));
	if (!is_visible(&seen, user))
		return creation_is_unknown(err);
	*creation = seen;
	return true;
}

bool
creation_read(struct creation *creation, struct document *document, struct fn_call *call,
	struct document_store *documents, struct fn_bytes id, const struct user *user,
	struct fn_error *err)
{
	if (!creation_is_id(id))
		return creation_is_unknown(err);
	TRY(document_store_get_many(
		documents, call, &(const struct document_name){CREATIONS, id}, 1, document, err));
	return creation_see(creation, document, id, user, err);
}

struct document_write
creation_write(struct fn_bytes id, const struct document *document)
{
	return (struct document_write){
		.kind = DOCUMENT_REPLACE,
		.collection = CREATIONS,
		.id = id,
		.fields = document->fields,
		.if_version = document->version,
	};
}

bool
creation_publish(struct fn_call *call, struct document_store *documents, struct fn_bytes id,
	const struct user *user, struct fn_error *err)
{
	struct fn_retry retry = WRITES_RETRY;
	struct creation creation;
	struct document document;
	struct fn_error why;

	do {
		TRY(creation_read(&creation, &document, call, documents, id, user, err));
		if (!fn_bytes_equal(creation.owner.id, user->id))
			return fn_fail(err, FN_FORBIDDEN, "only its owner can publish it");
		if (creation.published)
			return true;
		creation.published = true;
		fields_put(document.fields, "published", json_true());
		fields_put(document.fields, "listed", json_boolean(creation_is_listed(&creation)));
		struct document_write write = creation_write(id, &document);
		if (document_store_commit(documents, call, &write, 1, &why))
			return true;
	} while (writes_again(&retry, call, &why));
	*err = why;
	return false;
}
