#include "adapters/document_store_indexes.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#define FILE_NAME "terraform/firestore_indexes.auto.tfvars.json"

__asm__(".pushsection .rodata\n"
	"document_store_indexes_file:\n"
	".incbin \"" FILE_NAME "\"\n"
	".byte 0\n"
	".popsection\n");
extern const char document_store_indexes_file[]; /* a C string */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static json_t *declared; /* as long as the process */
static bool all_are_declared;

static void
read_declared(void)
{
	json_t *file = json_loads(document_store_indexes_file, 0, NULL);

	declared = json_incref(json_object_get(file, "firestore_indexes"));
	json_decref(file);
	assert(json_is_array(declared));
}

static bool
is(const json_t *object, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value && strcmp(value, text) == 0;
}

static bool
is_filtered(const struct document_query *query, const json_t *field)
{
	for (size_t i = 0; i < query->filter_count; i++) {
		if (is(field, "path", query->filters[i].field))
			return true;
	}
	return false;
}

/* What is filtered by comes first, in any order, what is ordered by last and in its direction. */
static bool
serves(const json_t *index, const struct document_query *query)
{
	const json_t *fields = json_object_get(index, "fields");
	const json_t *last = json_array_get(fields, query->filter_count);

	if (!is(index, "collection", query->collection) ||
		json_array_size(fields) != query->filter_count + 1 ||
		!is(last, "path", query->order_by) ||
		!is(last, "order", query->descending ? "DESCENDING" : "ASCENDING"))
		return false;
	for (size_t i = 0; i < query->filter_count; i++) {
		if (!is_filtered(query, json_array_get(fields, i)))
			return false;
	}
	return true;
}

bool
document_store_is_indexed(const struct document_query *query, struct fn_error *err)
{
	const json_t *index;
	size_t i;

	if (query->filter_count == 0 || !query->order_by || all_are_declared)
		return true;
	pthread_once(&once, read_declared);
	json_array_foreach(declared, i, index)
	{
		if (serves(index, query))
			return true;
	}
	return fn_fail(err, FN_INTERNAL,
		"%s by %s%s, in the order of %s: " FILE_NAME " has no such index",
		query->collection, query->filters[0].field, query->filter_count > 1 ? "..." : "",
		query->order_by);
}

void
document_store_indexes_pretend(void)
{
	all_are_declared = true;
}
