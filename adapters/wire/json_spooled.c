#include "adapters/wire/json_spooled.h"

#include "fn/base64.h"

#include <string.h>

#define NAME_MOST 32           /* bytes of a member's name that are looked at */
#define TEXT_MOST (128 * 1024) /* of base64 that is decoded at a time */

struct json_spooled {
	struct fn_arena *arena;
	const char *const *names;
	struct fn_builder brief; /* the text without the value */
	enum { BETWEEN, IN_STRING, IN_ESCAPE, IN_BASE64 } place;

	char name[NAME_MOST]; /* the last string, as far as it fits */
	size_t name_size;
	enum { NO_NAME, NAME, NAME_AND_COLON } before; /* what stands before the next value */

	struct spool spool;
	bool has_spool, is_padded; /* padding is the end */
	char quartet[4];           /* characters that wait for those that follow */
	size_t quartet_size;
	char *decoded;
};

struct json_spooled *
json_spooled_new(struct fn_arena *arena, const char *const names[])
{
	struct json_spooled *json = fn_arena_zero(arena, sizeof(*json));

	json->arena = arena;
	json->names = names;
	json->brief.arena = arena;
	return json;
}

/* ---- The value ------------------------------------------------------------------------------- */

static bool
no_base64(struct fn_error *err)
{
	return fn_fail(err, FN_UPSTREAM, "the answer has a file that is no base64");
}

static bool
begin_base64(struct json_spooled *json, struct fn_error *err)
{
	json->place = IN_BASE64;
	json->has_spool = true;
	json->decoded = fn_arena_alloc(json->arena, TEXT_MOST / 4 * 3);
	return spool_open(&json->spool, json->arena, err);
}

/* Whole quartets. */
static bool
decode(struct json_spooled *json, struct fn_bytes text, struct fn_error *err)
{
	while (text.size > 0) {
		struct fn_bytes some = {text.at, text.size < TEXT_MOST ? text.size : TEXT_MOST};
		size_t size = 0;

		if (json->is_padded || !fn_base64_decode(some, json->decoded, &size))
			return no_base64(err);
		json->is_padded = size < some.size / 4 * 3;
		TRY(spool_add(&json->spool, (struct fn_bytes){json->decoded, size}, err));
		text.at += some.size;
		text.size -= some.size;
	}
	return true;
}

static bool
add_base64(struct json_spooled *json, struct fn_bytes text, struct fn_error *err)
{
	while (json->quartet_size > 0 && json->quartet_size < 4 && text.size > 0) {
		json->quartet[json->quartet_size++] = text.at[0];
		text = (struct fn_bytes){text.at + 1, text.size - 1};
	}
	if (json->quartet_size == 4) {
		TRY(decode(json, (struct fn_bytes){json->quartet, 4}, err));
		json->quartet_size = 0;
	}
	if (text.size == 0)
		return true;
	size_t whole = text.size / 4 * 4;
	TRY(decode(json, (struct fn_bytes){text.at, whole}, err));
	json->quartet_size = text.size - whole;
	memcpy(json->quartet, text.at + whole, json->quartet_size);
	return true;
}

static bool
end_base64(struct json_spooled *json, struct fn_error *err)
{
	json->place = BETWEEN;
	json->before = NO_NAME;
	fn_add(&json->brief, FN_BYTES("\""));
	return json->quartet_size == 0 || no_base64(err);
}

/* What of the piece belongs to the value, and the quote that ends it. */
static bool
take_base64(struct json_spooled *json, struct fn_bytes *piece, struct fn_error *err)
{
	struct fn_bytes rest = *piece, text = fn_bytes_cut(&rest, '"');
	bool is_end = text.size < piece->size;

	TRY(add_base64(json, text, err));
	*piece = rest;
	return !is_end || end_base64(json, err);
}

/* ---- All else -------------------------------------------------------------------------------- */

static bool
is_wanted(const struct json_spooled *json)
{
	struct fn_bytes name = {json->name, json->name_size};

	for (size_t i = 0; json->names[i]; i++)
		if (fn_bytes_is(name, json->names[i]))
			return !json->has_spool;
	return false;
}

static void
step_in_string(struct json_spooled *json, char c)
{
	if (json->place == IN_ESCAPE) {
		json->place = IN_STRING;
	} else if (c == '\\') {
		json->place = IN_ESCAPE;
	} else if (c == '"') {
		json->place = BETWEEN;
		json->before = is_wanted(json) ? NAME : NO_NAME;
		return;
	}
	if (json->name_size < NAME_MOST)
		json->name[json->name_size++] = c;
}

static bool
step_between(struct json_spooled *json, char c, struct fn_error *err)
{
	if (c == '"' && json->before == NAME_AND_COLON)
		return begin_base64(json, err);
	if (c == '"') {
		json->place = IN_STRING;
		json->name_size = 0;
	} else if (c == ':' && json->before == NAME) {
		json->before = NAME_AND_COLON;
	} else if (!strchr(" \t\r\n", c)) {
		json->before = NO_NAME;
	}
	return true;
}

static bool
take_text(struct json_spooled *json, struct fn_bytes *piece, struct fn_error *err)
{
	size_t size = 0;

	while (size < piece->size && json->place != IN_BASE64) {
		char c = piece->at[size++];
		if (json->place == BETWEEN)
			TRY(step_between(json, c, err));
		else
			step_in_string(json, c);
	}
	if (json->brief.size + size > JSON_SPOOLED_MOST)
		return fn_fail(err, FN_UPSTREAM, "the answer is larger than allowed");
	fn_add(&json->brief, (struct fn_bytes){piece->at, size});
	*piece = (struct fn_bytes){piece->at + size, piece->size - size};
	return true;
}

bool
json_spooled_add(struct json_spooled *json, struct fn_bytes piece, struct fn_error *err)
{
	while (piece.size > 0) {
		if (json->place == IN_BASE64)
			TRY(take_base64(json, &piece, err));
		else
			TRY(take_text(json, &piece, err));
	}
	return true;
}

bool
json_spooled_read(
	struct json_spooled *json, json_t **root, const struct spool **spool, struct fn_error *err)
{
	struct fn_bytes brief = fn_built(&json->brief);
	json_t *tree = json_keep(json->arena, json_loadb(brief.at, brief.size, 0, NULL));

	if (!tree)
		return fn_fail(err, FN_UPSTREAM, "the answer is no JSON");
	*root = tree;
	*spool = json->has_spool ? &json->spool : NULL;
	return true;
}
