#include "adapters/document_store_backend.h"
#include "adapters/document_store_indexes.h"
#include "adapters/wire/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define ID_MOST 128
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define MARKS "._~-"

#define INTO(member) offsetof(struct document_store_config, member)

const struct fn_setting document_store_settings[] = {
	{"STORE_URL", FN_TEXT, INTO(url), "sqlite:data/phoenix.db", 0, 0,
		"where documents live: sqlite:PATH or firestore:PROJECT/DATABASE"},
	{"FIRESTORE_EMULATOR_HOST", FN_TEXT, INTO(emulator_host), "", 0, 0,
		"for firestore: host:port of an emulator; empty: Google's own"},
	{0},
};

static const struct document_store_backend *const backends[] = {
	&document_store_sqlite,
	&document_store_firestore,
};

bool
document_store_open(struct document_store **store, const struct document_store_config *config,
	struct google_credentials *credentials, struct fn_http_client *http, struct fn_error *err)
{
	for (size_t i = 0; i < COUNT(backends); i++) {
		if (fn_bytes_starts(fn_bytes(config->url), backends[i]->scheme))
			return backends[i]->open(store, config, credentials, http, err);
	}
	return fn_fail(err, FN_INVALID,
		"STORE_URL: \"%s\" is neither sqlite:PATH nor firestore:PROJECT/DATABASE",
		config->url);
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
	return id.size <= ID_MOST && fn_bytes_consists_of(id, LETTERS DIGITS MARKS) &&
	       !strchr(MARKS, id.at[0]);
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
	assert(query->order_by || !query->descending);
	TRY(document_store_is_indexed(query, err));
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
document_write_refused(const struct document_write *write, struct fn_error *err)
{
	bool creates = write->kind == DOCUMENT_CREATE;

	return fn_fail(err, creates ? FN_CONFLICT : FN_PRECONDITION, "%s/%.*s: %s",
		write->collection, FN_ARG(write->id),
		creates ? "exists already" : "was changed or deleted meanwhile");
}

static bool
name_is_usable(const char *name)
{
	static const char allowed[] = LETTERS DIGITS "_";

	return name[0] != '\0' && strchr(LETTERS, name[0]) && name[strspn(name, allowed)] == '\0';
}

/* Firestore would refuse an array in an array. */
static bool
value_is_usable(json_t *value, bool in_array)
{
	const char *name;
	json_t *inner;
	size_t i;

	if (in_array && json_is_array(value))
		return false;
	json_array_foreach(value, i, inner)
	{
		TRY(value_is_usable(inner, true));
	}
	json_object_foreach(value, name, inner)
	{
		TRY(name_is_usable(name) && value_is_usable(inner, false));
	}
	return true;
}

static bool
write_is_usable(const struct document_write *write, struct fn_error *err)
{
	if (!id_is_usable(write->id))
		return fn_fail(err, FN_INVALID, "%s/%.*s: no usable id", write->collection,
			FN_ARG(write->id));
	if (write->kind == DOCUMENT_DELETE)
		return true;
	if (!json_is_object(write->fields) || !value_is_usable(write->fields, false) ||
		json_object_get(write->fields, "expires_at"))
		return fn_fail(err, FN_INTERNAL, "%s/%.*s: its fields cannot be kept",
			write->collection, FN_ARG(write->id));
	return true;
}

/* Firestore does not take all pairs of writes of one document. */
static bool
is_written_again(
	const struct document_write *write, const struct document_write *others, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fn_bytes_equal(others[i].id, write->id) &&
			strcmp(others[i].collection, write->collection) == 0)
			return true;
	}
	return false;
}

bool
document_store_commit(struct document_store *store, struct fn_call *call,
	struct document_write *writes, size_t count, struct fn_error *err)
{
	for (size_t i = 0; i < count; i++) {
		TRY(write_is_usable(&writes[i], err));
		if (is_written_again(&writes[i], writes, i))
			return fn_fail(err, FN_INTERNAL, "%s/%.*s: written twice in a commit",
				writes[i].collection, FN_ARG(writes[i].id));
	}
	return store->backend->commit(store, call, writes, count, err);
}
