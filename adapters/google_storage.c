#include "adapters/google_storage.h"

#include "adapters/google_api.h"

#include <string.h>

#define BLOCK (4 * 1024 * 1024) /* bytes asked for at a time */
#define ATTEMPTS 4
#define TIMEOUT_MS 60000

struct object {
	const struct google_storage *storage;
	struct fn_call *call;
	const char *url;
	uint64_t size;

	struct fn_arena *arena; /* of the block */
	struct fn_bytes block;
	uint64_t at; /* where the block begins */
};

/* ---- Asking ---------------------------------------------------------------------------------- */

bool
google_storage_split(struct fn_bytes uri, struct fn_bytes *bucket, struct fn_bytes *name)
{
	if (!fn_bytes_starts(uri, "gs://"))
		return false;
	*name = (struct fn_bytes){uri.at + 5, uri.size - 5};
	*bucket = fn_bytes_cut(name, '/');
	return bucket->size > 0;
}

static bool
refused(struct fn_call *call, const struct fn_http_response *response, struct fn_error *err)
{
	return fn_fail(err, FN_UPSTREAM, "storage: %d: %.*s", response->status,
		FN_ARG(google_api_message(call, response)));
}

static bool
get(const struct google_storage *storage, struct fn_call *call, const char *url, const char *range,
	struct fn_http_response *response, struct fn_error *err)
{
	const struct fn_header header = {FN_BYTES("Range"), fn_bytes(range)};
	const struct fn_http_request request = {
		.url = url,
		.headers = &header,
		.header_count = range ? 1 : 0,
		.max_response = BLOCK,
		.timeout_ms = TIMEOUT_MS,
		.attempts = ATTEMPTS,
	};

	return vertex_send(storage->vertex, call, &request, response, err) ||
	       fn_wrap(err, "storage");
}

/* ---- An object ------------------------------------------------------------------------------- */

static void
object_drop(void *with)
{
	struct object *object = with;

	fn_arena_drop(object->arena);
}

/* "bytes 0-99/1234" */
static bool
read_size(const struct fn_http_response *response, uint64_t *size, struct fn_error *err)
{
	struct fn_bytes range = fn_http_header(response, "Content-Range");

	fn_bytes_cut(&range, '/');
	return fn_bytes_number(range, INT64_MAX, size) ||
	       fn_fail(err, FN_UPSTREAM,
		       "storage: the answer does not say how large the object is");
}

/* The block that begins at `at`. Its memory is its own, so that one takes the place of another. */
static bool
fetch(struct object *object, uint64_t at, struct fn_error *err)
{
	struct fn_call call = *object->call;
	struct fn_http_response response;

	fn_arena_reset(object->arena);
	object->block = (struct fn_bytes){0};
	call.arena = object->arena;
	const char *range = fn_textf(call.arena, "bytes=%llu-%llu", (unsigned long long)at,
		(unsigned long long)at + BLOCK - 1);
	TRY(get(object->storage, &call, object->url, range, &response, err));
	if (response.status == 404)
		return fn_fail(err, FN_NOT_FOUND, "storage: there is no such object");
	if (response.status != 206)
		return refused(&call, &response, err);
	TRY(read_size(&response, &object->size, err));
	object->block = (struct fn_bytes){response.body, response.size};
	object->at = at;
	return true;
}

static bool
object_read(void *with, uint64_t offset, char *into, size_t size, struct fn_error *err)
{
	struct object *object = with;

	while (size > 0) {
		if (offset < object->at || offset - object->at >= object->block.size)
			TRY(fetch(object, offset, err));
		size_t from = (size_t)(offset - object->at);
		if (from >= object->block.size)
			return fn_fail(err, FN_UPSTREAM, "storage: the object has become shorter");
		size_t here = object->block.size - from < size ? object->block.size - from : size;
		memcpy(into, object->block.at + from, here);
		offset += here;
		into += here;
		size -= here;
	}
	return true;
}

bool
google_storage_open(const struct google_storage *storage, struct fn_call *call, struct fn_bytes uri,
	struct fn_source *source, struct fn_error *err)
{
	struct object *object = fn_arena_zero(call->arena, sizeof(*object));
	struct fn_builder url = {.arena = call->arena};
	struct fn_bytes bucket, name;

	if (!google_storage_split(uri, &bucket, &name) || name.size == 0)
		return fn_fail(err, FN_UPSTREAM, "storage: \"%.*s\" names no object", FN_ARG(uri));
	fn_addf(&url, "%s/storage/v1/b/", storage->origin);
	fn_add_escaped(&url, bucket, "");
	fn_addf(&url, "/o/");
	fn_add_escaped(&url, name, "");
	fn_addf(&url, "?alt=media");
	*object = (struct object){
		.storage = storage,
		.call = call,
		.url = fn_text(call->arena, fn_built(&url)),
		.arena = fn_arena_new(),
	};
	fn_arena_defer(call->arena, object_drop, object);
	TRY(fetch(object, 0, err));
	*source = (struct fn_source){object->size, object_read, object};
	return true;
}

/* ---- A folder -------------------------------------------------------------------------------- */

static bool
ends(struct fn_bytes text, const char *ending)
{
	size_t size = strlen(ending);

	return text.size >= size && memcmp(text.at + text.size - size, ending, size) == 0;
}

bool
google_storage_find(const struct google_storage *storage, struct fn_call *call,
	struct fn_bytes folder, const char *ending, struct fn_bytes *uri, struct fn_error *err)
{
	struct fn_builder url = {.arena = call->arena};
	struct fn_http_response response;
	struct fn_bytes bucket, prefix;
	json_t *item;
	size_t i;

	if (!google_storage_split(folder, &bucket, &prefix))
		return fn_fail(err, FN_UPSTREAM, "storage: \"%.*s\" is no folder", FN_ARG(folder));
	fn_addf(&url, "%s/storage/v1/b/", storage->origin);
	fn_add_escaped(&url, bucket, "");
	fn_addf(&url, "/o?fields=items(name)&prefix=");
	fn_add_escaped(&url, prefix, "");
	TRY(get(storage, call, fn_text(call->arena, fn_built(&url)), NULL, &response, err));
	if (response.status != 200)
		return refused(call, &response, err);
	json_t *root = json_keep(call->arena, json_loadb(response.body, response.size, 0, NULL));
	if (!root)
		return fn_fail(err, FN_UPSTREAM, "storage: the list is no JSON");
	json_array_foreach(json_object_get(root, "items"), i, item)
	{
		struct fn_bytes name = json_text(json_object_get(item, "name"));
		if (!ends(name, ending))
			continue;
		*uri = fn_bytes(
			fn_textf(call->arena, "gs://%.*s/%.*s", FN_ARG(bucket), FN_ARG(name)));
		return true;
	}
	return fn_fail(err, FN_NOT_FOUND, "storage: there is no such object");
}
