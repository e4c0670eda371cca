#include "adapters/document_store_backend.h"

#include "adapters/wire/json.h"

#include <assert.h>
#include <stdlib.h>
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
	struct google_credentials *credentials, struct fn_http_client *http, struct fn_error *err)
{
	for (size_t i = 0; i < COUNT(backends); i++) {
		if (fn_bytes_starts(fn_bytes(config->url), backends[i]->scheme))
			return backends[i]->open(store, config, credentials, http, err);
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
document_store_get_many(struct document_store *store, struct fn_call *call,
	const struct document_name *names, size_t count, struct document *documents,
	struct fn_error *err)
{
	assert(count <= DOCUMENT_GET_MOST);
	for (size_t i = 0; i < count; i++) {
		if (!id_is_usable(names[i].id))
			return fn_fail(err, FN_INVALID, "%s/%.*s: no usable id",
				names[i].collection, FN_ARG(names[i].id));
	}
	return count == 0 || store->backend->get_many(store, call, names, count, documents, err);
}

/* ---- Pages ----------------------------------------------------------------------------------- */

/* A token is [VALUE, ID] as JSON, of the last document that was on the page before; VALUE is null
 * where the id alone is the order. */
static bool
read_token(const struct document_query *query, struct fn_call *call, struct document_place *place,
	struct fn_error *err)
{
	const struct fn_bytes token = query->page_token;
	json_t *pair = json_keep(call->arena, json_loadb(token.at, token.size, 0, NULL));
	json_t *value = json_array_get(pair, 0);
	struct fn_bytes id = json_text(json_array_get(pair, 1));
	bool fits = query->order_by ? json_is_string(value) || json_is_integer(value)
				    : json_is_null(value);

	if (!fits || json_array_size(pair) != 2 || !id_is_usable(id))
		return fn_fail(err, FN_INVALID, "%s: this is no page token", query->collection);
	*place = (struct document_place){query->order_by ? value : NULL, id};
	return true;
}

static struct fn_bytes
token_of(const struct document *last, const struct document_query *query, struct fn_call *call)
{
	json_t *value = query->order_by ? json_object_get(last->fields, query->order_by) : NULL;
	json_t *pair = json_pack("[O?, s%]", value, last->id.at, last->id.size);
	char *text = json_dumps(pair, JSON_COMPACT);

	assert(text);
	json_decref(pair);
	fn_arena_defer(call->arena, free, text);
	return fn_bytes(text);
}

/* One document more than wanted is asked for: it tells whether there is a next page. */
bool
document_store_query(struct document_store *store, struct fn_call *call,
	const struct document_query *query, struct document_page *page, struct fn_error *err)
{
	struct document_query more = *query;
	struct document_place place = {query->start_at, {0}};
	struct document *documents;
	size_t count;
	bool has_place = query->start_at || query->page_token.size > 0;

	assert(query->limit >= 1 && query->limit <= DOCUMENT_PAGE_MOST);
	assert(query->filter_count <= DOCUMENT_FILTERS_MOST);
	more.limit++;
	documents = fn_arena_alloc(call->arena, more.limit * sizeof(*documents));
	if (query->page_token.size > 0)
		TRY(read_token(query, call, &place, err));
	TRY(store->backend->query(
		store, call, &more, has_place ? &place : NULL, documents, &count, err));
	*page = (struct document_page){documents, count, {0}};
	if (count > query->limit) {
		page->count = query->limit;
		page->next = token_of(&documents[query->limit - 1], query, call);
	}
	return true;
}

/* ---- Writes ---------------------------------------------------------------------------------- */

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
