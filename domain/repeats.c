#include "domain/repeats.h"

#include "domain/creation.h"
#include "domain/fields.h"
#include "fn/clock.h"

#include <openssl/sha.h>
#include <stddef.h>

#define NOTES "repeats"
#define PICTURE_MOST (24 * 1024 * 1024)
#define MOST_S 604800 /* a week */

const struct fn_setting repeats_settings[] = {
	{"IMAGE_REPEAT_S", FN_NUMBER, offsetof(struct repeats_config, kept_s), "0", 0, MOST_S,
		"for how long the same prompt with the same seed is the same picture; 0: never"},
	{0},
};

static bool
may_repeat(const struct repeats *repeats, const struct image_request *request)
{
	return repeats->config.kept_s > 0 && request->has_seed;
}

/* Nobody reads in a note's name what was asked for. */
static struct fn_bytes
note_id(const struct repeats *repeats, struct fn_call *call, const struct image_request *request)
{
	struct fn_builder asked = {.arena = call->arena}, id = {.arena = call->arena};
	unsigned char hash[SHA256_DIGEST_LENGTH];

	fn_addf(&asked, "%s\n%s\n%u\n%zu\n%.*s\n%.*s", repeats->model, request->aspect_ratio,
		request->seed, request->prompt.size, FN_ARG(request->prompt),
		FN_ARG(request->negative_prompt));
	SHA256((const unsigned char *)asked.at, asked.size, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		fn_addf(&id, "%02x", hash[i]);
	return fn_built(&id);
}

/* ---- Find ------------------------------------------------------------------------------------ */

static bool
find_creation(struct creation *creation, const struct repeats *repeats, struct fn_call *call,
	const struct image_request *request, struct fn_error *err)
{
	struct fn_bytes note_of = note_id(repeats, call, request);
	struct document note, document;

	TRY(document_store_get(repeats->documents, call, NOTES, note_of, &note, err));
	struct fields from = {note.fields, NULL};
	struct fn_bytes id = fields_text(&from, "creation_id");

	TRY(document_store_get(repeats->documents, call, CREATIONS, id, &document, err));
	return creation_from_document(creation, id, &document, err);
}

static bool
find_picture(struct picture *picture, const struct repeats *repeats, struct fn_call *call,
	const struct image_request *request, struct fn_error *err)
{
	struct creation creation;
	struct fn_bytes bytes;

	TRY(find_creation(&creation, repeats, call, request, err));
	if (creation.created_at_ms < fn_unix_ms() - repeats->config.kept_s * 1000)
		return fn_fail(err, FN_NOT_FOUND, "the picture is too old");
	TRY(object_store_get(
		repeats->objects, call, creation.object_key, PICTURE_MOST, &bytes, err));
	*picture = (struct picture){
		.bytes = bytes,
		.mime_type = creation.mime_type,
		.width = creation.width,
		.height = creation.height,
	};
	return true;
}

bool
repeats_find(const struct repeats *repeats, struct fn_call *call,
	const struct image_request *request, struct picture *picture)
{
	struct fn_error unused;

	return may_repeat(repeats, request) &&
	       find_picture(picture, repeats, call, request, &unused);
}

/* ---- Note ------------------------------------------------------------------------------------ */

/* The note that there may be is of a picture that is too old, or gone. */
void
repeats_note(const struct repeats *repeats, struct fn_call *call,
	const struct image_request *request, struct fn_bytes creation)
{
	json_t *fields = fields_keep(call, json_object());
	struct fn_error why;

	if (!may_repeat(repeats, request))
		return;
	fields_put(fields, "creation_id", fields_text_or_null(creation));
	struct document_write write = {
		.kind = DOCUMENT_REPLACE,
		.collection = NOTES,
		.id = note_id(repeats, call, request),
		.fields = fields,
		.expires_at_ms = fn_unix_ms() + repeats->config.kept_s * 1000,
	};

	if (document_store_commit(repeats->documents, call, &write, 1, &why) ||
		why.code != FN_PRECONDITION)
		return;
	write.kind = DOCUMENT_CREATE;
	if (!document_store_commit(repeats->documents, call, &write, 1, &why))
		fn_log(call, FN_DEBUG, "not noted for repeats: %s", why.message);
}
