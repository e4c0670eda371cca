#include "domain/fields.h"

#include <assert.h>
#include <stdlib.h>

static void
drop_json(void *json)
{
	json_decref(json);
}

json_t *
fields_keep(struct fn_call *call, json_t *json)
{
	if (json)
		fn_arena_defer(call->arena, drop_json, json);
	return json;
}

void
fields_put(json_t *object, const char *name, json_t *value)
{
	int failed = json_object_set_new_nocheck(object, name, value);

	assert(!failed);
}

json_t *
fields_text_or_null(struct fn_bytes text)
{
	return text.size > 0 ? json_stringn(text.at, text.size) : json_null();
}

struct fn_bytes
fields_dump(const json_t *object, struct fn_call *call)
{
	char *text = json_dumps(object, JSON_COMPACT);

	assert(text);
	fn_arena_defer(call->arena, free, text);
	return fn_bytes(text);
}

static const json_t *
take(struct fields *from, const char *name, json_type type, json_type other)
{
	const json_t *value = json_object_get(from->object, name);

	if (value && (json_typeof(value) == type || json_typeof(value) == other))
		return value;
	if (!from->wrong)
		from->wrong = name;
	return NULL;
}

const char *
fields_name(struct fields *from, const char *name)
{
	return json_string_value(take(from, name, JSON_STRING, JSON_STRING));
}

struct fn_bytes
fields_text(struct fields *from, const char *name)
{
	const json_t *text = take(from, name, JSON_STRING, JSON_NULL);

	return (struct fn_bytes){json_string_value(text), json_string_length(text)};
}

int64_t
fields_number(struct fields *from, const char *name)
{
	return json_integer_value(take(from, name, JSON_INTEGER, JSON_INTEGER));
}

bool
fields_flag(struct fields *from, const char *name)
{
	return json_is_true(take(from, name, JSON_TRUE, JSON_FALSE));
}
