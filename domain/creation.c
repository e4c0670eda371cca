#include "domain/creation.h"

#include "fn/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* ---- Id ------------------------------------------------------------------------------------ */

void
creation_new_id(const char *prefix, char id[CREATION_ID_SIZE])
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's base32 */
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
		.status = "succeeded",
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

/* ---- JSON ---------------------------------------------------------------------------------- */

static void
drop_json(void *json)
{
	json_decref(json);
}

/* All text in a creation has been read as UTF-8 once, so that it always becomes JSON again. */
static void
put(json_t *object, const char *name, json_t *value)
{
	int failed = json_object_set_new_nocheck(object, name, value);

	assert(!failed);
}

static json_t *
text_or_null(struct fn_bytes text)
{
	return text.size > 0 ? json_stringn(text.at, text.size) : json_null();
}

static json_t *
owner_json(const struct user *owner)
{
	json_t *json = json_object();

	put(json, "id", text_or_null(owner->id));
	put(json, "username", text_or_null(owner->username));
	return json;
}

struct fn_bytes
creation_json(const struct creation *creation, struct fn_call *call)
{
	char created_at[FN_TIMESTAMP_SIZE];
	json_t *json = json_object();
	char *text;

	fn_timestamp(creation->created_at_ms, created_at);
	put(json, "id", text_or_null(creation->id));
	put(json, "type", json_string(creation->type));
	put(json, "status", json_string(creation->status));
	put(json, "prompt", text_or_null(creation->prompt));
	put(json, "url", text_or_null(creation->url));
	put(json, "mime_type", json_string(creation->mime_type));
	put(json, "width", json_integer(creation->width));
	put(json, "height", json_integer(creation->height));
	put(json, "owner", owner_json(&creation->owner));
	put(json, "likes", json_integer(creation->likes));
	put(json, "liked", json_boolean(creation->liked));
	put(json, "published", json_boolean(creation->published));
	put(json, "created_at", json_string(created_at));
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	assert(text);
	fn_arena_defer(call->arena, free, text);
	return fn_bytes(text);
}

/* ---- Document ------------------------------------------------------------------------------ */

json_t *
creation_to_document(const struct creation *creation, struct fn_call *call)
{
	json_t *fields = json_object();

	put(fields, "type", json_string(creation->type));
	put(fields, "status", json_string(creation->status));
	put(fields, "prompt", text_or_null(creation->prompt));
	put(fields, "object_key", text_or_null(creation->object_key));
	put(fields, "url", text_or_null(creation->url));
	put(fields, "mime_type", json_string(creation->mime_type));
	put(fields, "width", json_integer(creation->width));
	put(fields, "height", json_integer(creation->height));
	put(fields, "owner_id", text_or_null(creation->owner.id));
	put(fields, "owner_username", text_or_null(creation->owner.username));
	put(fields, "likes", json_integer(creation->likes));
	put(fields, "published", json_boolean(creation->published));
	put(fields, "created_at_ms", json_integer(creation->created_at_ms));
	fn_arena_defer(call->arena, drop_json, fields);
	return fields;
}

/* Remembers the first member that is not of its type. */
struct reader {
	const json_t *fields;
	const char *wrong;
};

static const json_t *
take(struct reader *from, const char *name, json_type type, json_type other)
{
	const json_t *value = json_object_get(from->fields, name);

	if (value && (json_typeof(value) == type || json_typeof(value) == other))
		return value;
	if (!from->wrong)
		from->wrong = name;
	return NULL;
}

static const char *
take_name(struct reader *from, const char *name)
{
	return json_string_value(take(from, name, JSON_STRING, JSON_STRING));
}

static struct fn_bytes
take_text(struct reader *from, const char *name)
{
	const json_t *text = take(from, name, JSON_STRING, JSON_NULL);

	return (struct fn_bytes){json_string_value(text), json_string_length(text)};
}

static int64_t
take_number(struct reader *from, const char *name)
{
	return json_integer_value(take(from, name, JSON_INTEGER, JSON_INTEGER));
}

static bool
take_flag(struct reader *from, const char *name)
{
	return json_is_true(take(from, name, JSON_TRUE, JSON_FALSE));
}

bool
creation_from_document(struct creation *creation, struct fn_bytes id,
	const struct document *document, struct fn_error *err)
{
	struct reader from = {.fields = document->fields};
	const struct creation read = {
		.id = id,
		.type = take_name(&from, "type"),
		.status = take_name(&from, "status"),
		.prompt = take_text(&from, "prompt"),
		.object_key = take_text(&from, "object_key"),
		.url = take_text(&from, "url"),
		.mime_type = take_name(&from, "mime_type"),
		.width = (unsigned)take_number(&from, "width"),
		.height = (unsigned)take_number(&from, "height"),
		.owner.id = take_text(&from, "owner_id"),
		.owner.username = take_text(&from, "owner_username"),
		.likes = take_number(&from, "likes"),
		.published = take_flag(&from, "published"),
		.created_at_ms = take_number(&from, "created_at_ms"),
	};

	if (from.wrong)
		return fn_fail(err, FN_INTERNAL, "creations/%.*s: no usable %s in it", FN_ARG(id),
			from.wrong);
	*creation = read;
	return true;
}
