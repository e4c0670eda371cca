#include "tools/phoenixctl/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The locale itself need not be installed here: a shell brings its name along from elsewhere. */
bool
text_begin(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *name = "";

	setlocale(LC_CTYPE, "C.UTF-8");
	for (size_t i = 0; i < COUNT(variables) && !*name; i++) {
		const char *value = getenv(variables[i]);

		name = value ? value : "";
	}
	return strcasestr(name, "UTF-8") || strcasestr(name, "UTF8");
}

/* ---- Characters ---------------------------------------------------------------------------- */

/* Embeddings, overrides and isolates (UAX #9, 2): what stands behind them would be shown in another
 * order. */
static bool
turns_around(wchar_t character)
{
	return (character >= 0x202a && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069);
}

/* The next character: its bytes, and its columns; -1 for what cannot be shown. */
static struct fn_bytes
next_character(struct fn_bytes *rest, int *width)
{
	mbstate_t state = {0};
	wchar_t wide = 0;
	size_t size = mbrtowc(&wide, rest->at, rest->size, &state);
	bool is_valid = size > 0 && size <= rest->size;
	struct fn_bytes character = {rest->at, is_valid ? size : 1};

	*width = is_valid && !turns_around(wide) ? wcwidth(wide) : -1;
	rest->at += character.size;
	rest->size -= character.size;
	return character;
}

struct fn_bytes
text_clean(struct fn_arena *arena, struct fn_bytes text)
{
	struct fn_builder clean = {.arena = arena};
	int width;

	while (text.size > 0) {
		struct fn_bytes character = next_character(&text, &width);

		if (width >= 0)
			fn_add(&clean, character);
		else
			fn_add(&clean, isspace((unsigned char)character.at[0]) ? FN_BYTES(" ")
									       : FN_BYTES("?"));
	}
	return fn_built(&clean);
}

size_t
text_width(struct fn_bytes text)
{
	size_t columns = 0;
	int width;

	while (text.size > 0) {
		next_character(&text, &width);
		columns += width > 0 ? (size_t)width : 0;
	}
	return columns;
}

struct fn_bytes
text_cut(struct fn_bytes text, size_t width)
{
	struct fn_bytes rest = text;
	size_t kept = 0, left = width;
	int columns;

	while (rest.size > 0) {
		next_character(&rest, &columns);
		if (columns > 0 && (size_t)columns > left)
			break;
		left -= columns > 0 ? (size_t)columns : 0;
		kept = text.size - rest.size;
	}
	return (struct fn_bytes){text.at, kept};
}

/* ---- Time ---------------------------------------------------------------------------------- */

struct fn_bytes
text_span(struct fn_arena *arena, int64_t ms)
{
	static const struct {
		int64_t ms, most;
		const char *name;
	} units[] = {
		{1000, 120, "s"},
		{60 * 1000, 120, "min"},
		{60 * 60 * 1000, 48, "h"},
		{24 * 60 * 60 * 1000, INT64_MAX, "d"},
	};
	size_t i = 0;

	while (ms / units[i].ms >= units[i].most)
		i++;
	return fn_bytes(fn_textf(arena, "%" PRId64 " %s", ms / units[i].ms, units[i].name));
}

static struct fn_bytes
beside_now(struct fn_arena *arena, int64_t ms, const char *before, const char *after)
{
	if (ms < 1000)
		return FN_BYTES("now");
	return fn_bytes(fn_textf(arena, "%s%.*s%s", before, FN_ARG(text_span(arena, ms)), after));
}

struct fn_bytes
text_ago(struct fn_arena *arena, int64_t ms)
{
	return beside_now(arena, ms, "", " ago");
}

struct fn_bytes
text_in(struct fn_arena *arena, int64_t ms)
{
	return beside_now(arena, ms, "in ", "");
}
