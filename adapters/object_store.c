#include "adapters/object_store_backend.h"

#include <stddef.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KEY_MOST 1024
#define KEY_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-"

#define INTO(member) offsetof(struct object_store_config, member)

const struct fn_setting object_store_settings[] = {
	{"OBJECTS_URL", FN_TEXT, INTO(url), NULL, 0, 0,
		"where objects are kept: file:DIR or s3:https://ENDPOINT/BUCKET"},
	{"OBJECTS_PUBLIC_URL", FN_TEXT, INTO(public_url), NULL, 0, 0,
		"where the world reads them: the URL that stands before /KEY"},
	{"S3_ACCESS_KEY_ID", FN_TEXT, INTO(access_key_id), "", 0, 0, "for s3: the key pair's id"},
	{"S3_SECRET_ACCESS_KEY", FN_SECRET, INTO(secret_access_key), "", 0, 0,
		"for s3: the key pair's secret"},
	{"S3_REGION", FN_TEXT, INTO(region), "auto", 0, 0,
		"for s3: the region that signatures name"},
	{0},
};

static const struct object_store_backend *const backends[] = {
	&object_store_file,
	&object_store_s3,
};

/* ---- Keys ------------------------------------------------------------------------------------ */

static bool
has_odd_segment(struct fn_bytes key)
{
	struct fn_bytes rest = key;

	while (rest.size > 0) {
		struct fn_bytes segment = fn_bytes_cut(&rest, '/');
		if (segment.size == 0 || fn_bytes_is(segment, ".") || fn_bytes_is(segment, ".."))
			return true;
	}
	return key.at[key.size - 1] == '/';
}

static bool
key_check(struct fn_bytes key, struct fn_error *err)
{
	if (key.size == 0 || key.size > KEY_MOST)
		return fn_fail(err, FN_INVALID, "object key: %zu bytes, must be 1 to %d", key.size,
			KEY_MOST);
	if (!fn_bytes_consists_of(key, KEY_CHARACTERS))
		return fn_fail(err, FN_INVALID, "object key: a byte other than [A-Za-z0-9._/-]");
	if (has_odd_segment(key))
		return fn_fail(err, FN_INVALID, "object key: an empty, \".\" or \"..\" segment");
	return true;
}

/* ---- The port -------------------------------------------------------------------------------- */

static bool
public_url_read(const char *text, struct fn_bytes *url, struct fn_error *err)
{
	struct fn_bytes read = fn_bytes(text);

	if (!fn_bytes_starts(read, "http://") && !fn_bytes_starts(read, "https://"))
		return fn_fail(
			err, FN_INVALID, "OBJECTS_PUBLIC_URL must start with https:// or http://");
	while (read.at[read.size - 1] == '/')
		read.size--;
	*url = read;
	return true;
}

bool
object_store_open(struct object_store **store, const struct object_store_config *config,
	struct fn_http_client *http, struct fn_error *err)
{
	struct fn_bytes url = fn_bytes(config->url);
	struct fn_bytes public_url;

	TRY(public_url_read(config->public_url, &public_url, err));
	for (size_t i = 0; i < COUNT(backends); i++) {
		if (!fn_bytes_starts(url, backends[i]->scheme))
			continue;
		const char *where = config->url + strlen(backends[i]->scheme);
		TRY(backends[i]->open(store, where, config, http, err));
		(*store)->backend = backends[i];
		(*store)->public_url = public_url;
		return true;
	}
	return fn_fail(
		err, FN_INVALID, "OBJECTS_URL must be file:DIR or s3:https://ENDPOINT/BUCKET");
}

void
object_store_close(struct object_store *store)
{
	if (store)
		store->backend->close(store);
}

bool
object_store_put(struct object_store *store, struct fn_call *call, struct fn_bytes key,
	const struct object *object, struct fn_error *err)
{
	TRY(key_check(key, err));
	return store->backend->put(store, call, key, object, err);
}

bool
object_store_put_stream(struct object_store *store, struct fn_call *call, struct fn_bytes key,
	const struct object_stream *object, struct fn_error *err)
{
	TRY(key_check(key, err));
	return store->backend->put_stream(store, call, key, object, err);
}

bool
object_store_get(struct object_store *store, struct fn_call *call, struct fn_bytes key, size_t most,
	struct fn_bytes *bytes, struct fn_error *err)
{
	TRY(key_check(key, err));
	return store->backend->get(store, call, key, most, bytes, err);
}

bool
object_store_delete(
	struct object_store *store, struct fn_call *call, struct fn_bytes key, struct fn_error *err)
{
	TRY(key_check(key, err));
	return store->backend->remove(store, call, key, err);
}

struct fn_bytes
object_store_public_url(
	const struct object_store *store, struct fn_arena *arena, struct fn_bytes key)
{
	return fn_bytes(fn_textf(arena, "%.*s/%.*s", FN_ARG(store->public_url), FN_ARG(key)));
}
