#include "adapters/document_store_backend.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define ID_MOST 128

const struct fn_setting document_store_settings[] = {
	{
		.name = "STORE_URL",
		.kind = FN_TEXT,
		.into = offsetof(struct document_store_config, url),
		.fallback = "sqlite:data/phoenix.db",
		.meaning = "where documents live: sqlite:PATH",
	},
	{0},
};

static const struct document_store_backend *const backends[] = {
	&document_store_sqlite,
};

bool
document_store_open(struct document_store **store, const struct document_store_config *config,
	struct fn_error *err)
{
	for (size_t i = 0; i < COUNT(backends); i++) {
		size_t size = strlen(backends[i]->scheme);

		if (strncmp(config->url, backends[i]->scheme, size) == 0 &&
			config->url[size] == ':')
			return backends[i]->open(store, config->url + size + 1, err);
	}
	return fn_fail(err, FN_INVALID, "STORE_URL: \"%s\" is no sqlite:PATH", config->url);
}

void
document_store_close(struct document_store *store)
{
	if (store)
		store->backend->close(store);
}

/* What every backend can keep as it is: no path, no escape, none of Firestore's reserved ids. */
static bool
id_is_usable(struct fn_bytes id)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._~-";
	const size_t alphanumerics = 62;

	if (id.size == 0 || id.size > ID_MOST || !memchr(allowed, id.at[0], alphanumerics))
		return false;
	for (size_t i = 1; i < id.size; i++) {
		if (!memchr(allowed, id.at[i], sizeof(allowed) - 1))
			return false;
	}
	return true;
}

bool
document_store_get(struct document_store *store, struct fn_call *call, const char *collection,
	struct fn_bytes id, struct document *document, struct fn_error *err)
{
	if (!id_is_usable(id))
		return fn_fail(err, FN_NOT_FOUND, "%s: there is no such id", collection);
	return store->backend->get(store, call, collection, id, document, err);
}

bool
document_store_commit(struct document_store *store, struct fn_call *call,
	struct document_write *writes, size_t count, struct fn_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!id_is_usable(writes[i].id))
			return fn_fail(err, FN_INVALID, "%s/%.*s: no usable id",
				writes[i].collection, FN_ARG(writes[i].id));
	}
	return store->backend->commit(store, call, writes, count, err);
}
