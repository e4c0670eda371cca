#include "fn/json.h"

#include <string.h>

/* ---- Checking ---------------------------------------------------------------------------- */

struct scan {
	const char *start, *at, *end;
	unsigned depth;
};

static bool scan_value(struct scan *);

static void
skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
		(*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
		scan->at++;
}

static bool
take(struct scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

static bool
take_word(struct scan *scan, const char *word)
{
	size_t size = strlen(word);

	if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
		return false;
	scan->at += size;
	return true;
}

static bool
take_digits(struct scan *scan)
{
	const char *first = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at > first;
}

static bool
scan_number(struct scan *scan)
{
	take(scan, '-');
	if (!take(scan, '0'))
		TRY(take_digits(scan));
	if (take(scan, '.'))
		TRY(take_digits(scan));
	if (take(scan, 'e') || take(scan, 'E')) {
		if (!take(scan, '+'))
			take(scan, '-');
		TRY(take_digits(scan));
	}
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
scan_escape(struct scan *scan)
{
	static const char letters[] = {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'};

	if (scan->at == scan->end)
		return false;
	if (*scan->at != 'u')
		return memchr(letters, *scan->at++, sizeof(letters)) != NULL;
	for (int i = 1; i <= 4; i++) {
		if (scan->end - scan->at <= i || hex_digit(scan->at[i]) < 0)
			return false;
	}
	scan->at += 5;
	return true;
}

static bool
scan_string(struct scan *scan)
{
	TRY(take(scan, '"'));
	while (scan->at < scan->end && *scan->at != '"') {
		unsigned char c = (unsigned char)*scan->at++;

		if (c < 0x20) {
			scan->at--;
			return false;
		}
		if (c == '\\')
			TRY(scan_escape(scan));
	}
	return take(scan, '"');
}

static bool
scan_member(struct scan *scan)
{
	TRY(scan_string(scan));
	skip_space(scan);
	TRY(take(scan, ':'));
	return scan_value(scan);
}

static bool
scan_items(struct scan *scan, char close, bool (*scan_item)(struct scan *))
{
	skip_space(scan);
	if (take(scan, close))
		return true;
	do {
		skip_space(scan);
		TRY(scan_item(scan));
	} while (take(scan, ','));
	return take(scan, close);
}

static bool
scan_list(struct scan *scan, char close, bool (*scan_item)(struct scan *))
{
	TRY(++scan->depth <= FN_JSON_DEPTH);
	scan->at++;
	TRY(scan_items(scan, close, scan_item));
	scan->depth--;
	return true;
}

/* One value and the white space on both sides of it. */
static bool
scan_value(struct scan *scan)
{
	skip_space(scan);
	if (scan->at == scan->end)
		return false;
	switch (*scan->at) {
	case '{':
		TRY(scan_list(scan, '}', scan_member));
		break;
	case '[':
		TRY(scan_list(scan, ']', scan_value));
		break;
	case '"':
		TRY(scan_string(scan));
		break;
	case 't':
		TRY(take_word(scan, "true"));
		break;
	case 'f':
		TRY(take_word(scan, "false"));
		break;
	case 'n':
		TRY(take_word(scan, "null"));
		break;
	default:
		TRY(scan_number(scan));
		break;
	}
	skip_space(scan);
	return true;
}

bool
fn_json_read(struct fn_bytes text, struct fn_bytes *value, struct fn_error *err)
{
	struct scan scan;

	if (text.size == 0)
		return fn_fail(err, FN_INVALID, "this is no JSON: it is empty");
	if (!fn_bytes_is_utf8(text))
		return fn_fail(err, FN_INVALID, "this is no JSON: it is not UTF-8");
	scan = (struct scan){text.at, text.at, text.at + text.size, 0};
	if (!scan_value(&scan) || scan.at != scan.end)
		return fn_fail(err, FN_INVALID, "this is no JSON, from byte %zu on",
			(size_t)(scan.at - scan.start));
	scan.at = scan.start;
	skip_space(&scan);
	while (strchr(" \n\t\r", scan.end[-1]))
		scan.end--;
	*value = (struct fn_bytes){scan.at, (size_t)(scan.end - scan.at)};
	return true;
}

/* ---- Walking: the text is known to be valid ---------------------------------------------- */

enum fn_json_type
fn_json_type(struct fn_bytes value)
{
	switch (value.at[0]) {
	case '{':
		return FN_JSON_OBJECT;
	case '[':
		return FN_JSON_ARRAY;
	case '"':
		return FN_JSON_STRING;
	case 't':
	case 'f':
		return FN_JSON_BOOLEAN;
	case 'n':
		return FN_JSON_NULL;
	default:
		return FN_JSON_NUMBER;
	}
}

/* Behind the string that starts at `at`. */
static const char *
string_end(const char *at, const char *end)
{
	const char *quote = at;
	size_t backslashes;

	do {
		quote = memchr(quote + 1, '"', (size_t)(end - quote - 1));
		for (backslashes = 0; quote[-1 - (ptrdiff_t)backslashes] == '\\'; backslashes++)
			continue;
	} while (backslashes % 2 == 1);
	return quote + 1;
}

/* Behind the value that starts at `at`. */
static const char *
value_end(const char *at, const char *end)
{
	unsigned depth = 0;

	do {
		if (*at == '"') {
			at = string_end(at, end);
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if (*at == '}' || *at == ']')
			depth--;
		at++;
	} while (at < end && (depth > 0 || !strchr(" \n\t\r,:]}", *at)));
	return at;
}

static const char *
space_end(const char *at, const char *end)
{
	struct scan scan = {at, at, end, 0};

	skip_space(&scan);
	return scan.at;
}

struct fn_json_items
fn_json_items(struct fn_bytes list)
{
	bool is_list = fn_json_type(list) >= FN_JSON_ARRAY;

	return (struct fn_json_items){
		.rest = is_list ? (struct fn_bytes){list.at + 1, list.size - 2}
				: (struct fn_bytes){0},
		.named = fn_json_type(list) == FN_JSON_OBJECT,
	};
}

bool
fn_json_next(struct fn_json_items *items, struct fn_bytes *name, struct fn_bytes *value)
{
	const char *at = items->rest.at, *end, *behind;

	if (!at)
		return false;
	end = at + items->rest.size;
	at = space_end(at, end);
	if (at == end)
		return false;
	*name = (struct fn_bytes){0};
	if (items->named) {
		behind = string_end(at, end);
		*name = (struct fn_bytes){at + 1, (size_t)(behind - at) - 2};
		at = space_end(space_end(behind, end) + 1, end); /* over the colon */
	}
	behind = value_end(at, end);
	*value = (struct fn_bytes){at, (size_t)(behind - at)};
	at = space_end(behind, end);
	at += at < end; /* over the comma */
	items->rest = (struct fn_bytes){at, (size_t)(end - at)};
	return true;
}

bool
fn_json_member(struct fn_bytes object, const char *wanted, struct fn_bytes *value)
{
	struct fn_json_items items = fn_json_items(object);
	struct fn_bytes name, found;

	while (items.named && fn_json_next(&items, &name, &found)) {
		if (fn_bytes_is(name, wanted)) {
			*value = found;
			return true;
		}
	}
	return false;
}

/* ---- Strings ----------------------------------------------------------------------------- */

static uint32_t
code_unit(const char *at)
{
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++)
		unit = unit << 4 | (uint32_t)hex_digit(at[i]);
	return unit;
}

static char *
put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* The character that stands at "uXXXX", or at a pair of surrogates; moves behind it. */
static uint32_t
unescape_unicode(const char **at, const char *end)
{
	uint32_t unit = code_unit(*at + 1), low;

	*at += 5;
	if (unit < 0xd800 || unit > 0xdfff)
		return unit;
	if (unit > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return 0xfffd;
	low = code_unit(*at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*at += 6;
	return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

static char
unescape_letter(char c)
{
	static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	const char *found = strchr(letters, c);

	return found ? meanings[found - letters] : c;
}

bool
fn_json_string(struct fn_bytes value, struct fn_arena *arena, struct fn_bytes *text)
{
	const char *at = value.at + 1, *end = value.at + value.size - 1;
	char *start, *out;

	if (value.size < 2 || fn_json_type(value) != FN_JSON_STRING)
		return false;
	*text = (struct fn_bytes){at, (size_t)(end - at)};
	if (text->size == 0 || !memchr(at, '\\', text->size))
		return true;
	start = out =
		fn_arena_alloc(arena, text->size); /* no escape is shorter than what it says */
	while (at < end) {
		if (*at != '\\') {
			*out++ = *at++;
		} else if (*++at == 'u') {
			out = put_utf8(out, unescape_unicode(&at, end));
		} else {
			*out++ = unescape_letter(*at++);
		}
	}
	*text = (struct fn_bytes){start, (size_t)(out - start)};
	return true;
}

bool
fn_json_text(
	struct fn_bytes object, const char *name, struct fn_arena *arena, struct fn_bytes *text)
{
	struct fn_bytes value;

	return fn_json_member(object, name, &value) && fn_json_string(value, arena, text);
}
