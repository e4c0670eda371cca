#include "adapters/wire/json_abridged.h"

#include <string.h>

/* The quote that ends the string whose inside begins at `at`; NULL where there is none. */
static const char *
string_end(const char *at, const char *end, bool *has_escapes)
{
	const char *quote = memchr(at, '"', (size_t)(end - at));

	*has_escapes = quote && memchr(at, '\\', (size_t)(quote - at));
	if (!*has_escapes)
		return quote;
	while (at < end && *at != '"')
		at += *at == '\\' ? 2 : 1;
	return at < end ? at : NULL;
}

/* Copies the text into `brief`, but for the long strings. */
static void
abridge(struct json_abridged *json, const char *end, struct fn_builder *brief)
{
	const char *done = json->text, *quote;

	while ((quote = memchr(done, '"', (size_t)(end - done)))) {
		bool has_escapes;
		const char *inside = quote + 1, *close = string_end(inside, end, &has_escapes);
		if (!close)
			break;
		struct json_long found = {
			.at = (size_t)(inside - json->text), .size = (size_t)(close - inside)};
		bool is_long = found.size > JSON_LONG && !has_escapes;
		if (is_long && json->count < JSON_LONGS_MOST) {
			fn_add(brief, (struct fn_bytes){done, (size_t)(quote - done)});
			fn_addf(brief, " %zu ", found.at);
			json->longs[json->count++] = found;
		} else {
			fn_add(brief, (struct fn_bytes){done, (size_t)(close + 1 - done)});
		}
		done = close + 1;
	}
	fn_add(brief, (struct fn_bytes){done, (size_t)(end - done)});
}

bool
json_abridged_read(struct json_abridged *json, struct fn_arena *arena, char *text, size_t size,
	struct fn_error *err)
{
	struct fn_builder brief = {.arena = arena};

	*json = (struct json_abridged){.text = text};
	abridge(json, text + size, &brief);
	struct fn_bytes built = fn_built(&brief);
	json->root = json_keep(arena, json_loadb(built.at, built.size, 0, NULL));
	return json->root || fn_fail(err, FN_UPSTREAM, "the answer is no JSON");
}

bool
json_abridged_string(const struct json_abridged *json, struct fn_arena *arena, const json_t *value,
	char **text, size_t *size)
{
	if (json_is_string(value)) {
		*size = json_string_length(value);
		*text = fn_text(arena, json_text(value));
		return true;
	}
	for (size_t i = 0; json_is_integer(value) && i < json->count; i++) {
		if (json_integer_value(value) != (json_int_t)json->longs[i].at)
			continue;
		*text = json->text + json->longs[i].at;
		*size = json->longs[i].size;
		return true;
	}
	return false;
}
