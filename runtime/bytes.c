#include "fn/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct fn_bytes
fn_bytes(const char *text)
{
	return (struct fn_bytes){text, text ? strlen(text) : 0};
}

bool
fn_bytes_equal(struct fn_bytes a, struct fn_bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

bool
fn_bytes_is(struct fn_bytes bytes, const char *text)
{
	return fn_bytes_equal(bytes, fn_bytes(text));
}

bool
fn_bytes_is_nocase(struct fn_bytes bytes, const char *text)
{
	return bytes.size == strlen(text) &&
	       (bytes.size == 0 || strncasecmp(bytes.at, text, bytes.size) == 0);
}

bool
fn_bytes_starts(struct fn_bytes bytes, const char *prefix)
{
	size_t size = strlen(prefix);

	return bytes.size >= size && (size == 0 || memcmp(bytes.at, prefix, size) == 0);
}

bool
fn_bytes_starts_nocase(struct fn_bytes bytes, const char *prefix)
{
	size_t size = strlen(prefix);

	return bytes.size >= size && (size == 0 || strncasecmp(bytes.at, prefix, size) == 0);
}

bool
fn_bytes_consists_of(struct fn_bytes bytes, const char *characters)
{
	for (size_t i = 0; i < bytes.size; i++) {
		if (bytes.at[i] == '\0' || !strchr(characters, bytes.at[i]))
			return false;
	}
	return bytes.size > 0;
}

struct fn_bytes
fn_bytes_trim(struct fn_bytes bytes)
{
	while (bytes.size > 0 && (bytes.at[0] == ' ' || bytes.at[0] == '\t')) {
		bytes.at++;
		bytes.size--;
	}
	while (bytes.size > 0 &&
		(bytes.at[bytes.size - 1] == ' ' || bytes.at[bytes.size - 1] == '\t'))
		bytes.size--;
	return bytes;
}

struct fn_bytes
fn_bytes_cut(struct fn_bytes *rest, char separator)
{
	struct fn_bytes whole = *rest;
	const char *found = whole.size ? memchr(whole.at, separator, whole.size) : NULL;
	size_t size = found ? (size_t)(found - whole.at) : whole.size;

	*rest = found ? (struct fn_bytes){found + 1, whole.size - size - 1} : (struct fn_bytes){0};
	return (struct fn_bytes){whole.at, size};
}

bool
fn_bytes_number(struct fn_bytes bytes, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;

	if (bytes.size == 0)
		return false;
	for (size_t i = 0; i < bytes.size; i++) {
		unsigned digit = (unsigned char)bytes.at[i] - (unsigned)'0';

		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, digit, &value) || value > max)
			return false;
	}
	*number = value;
	return true;
}

/* The length of the UTF-8 sequence at `at`, 0 where there is none (RFC 3629, section 4). */
static size_t
utf8_sequence(const unsigned char *at, size_t left)
{
	unsigned char first = at[0];
	size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (size == 0 || size > left || first > 0xf4)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f) ||
		(first == 0xf0 && at[1] < 0x90) || (first == 0xf4 && at[1] > 0x8f))
		return 0;
	return size;
}

bool
fn_bytes_is_utf8(struct fn_bytes bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.at;
	size_t size;

	for (size_t left = bytes.size; left > 0; left -= size, at += size) {
		size = utf8_sequence(at, left);
		if (size == 0)
			return false;
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

bool
fn_bytes_unescape(struct fn_bytes bytes, struct fn_arena *arena, struct fn_bytes *plain)
{
	char *out;
	size_t size = 0;

	if (bytes.size == 0 || !memchr(bytes.at, '%', bytes.size)) {
		*plain = bytes;
		return true;
	}
	out = fn_arena_alloc(arena, bytes.size);
	for (size_t i = 0; i < bytes.size; i++) {
		if (bytes.at[i] != '%') {
			out[size++] = bytes.at[i];
			continue;
		}
		if (bytes.size - i < 3 || hex_digit(bytes.at[i + 1]) < 0 ||
			hex_digit(bytes.at[i + 2]) < 0)
			return false;
		out[size++] = (char)(hex_digit(bytes.at[i + 1]) * 16 + hex_digit(bytes.at[i + 2]));
		i += 2;
	}
	*plain = (struct fn_bytes){out, size};
	return true;
}

char *
fn_text(struct fn_arena *arena, struct fn_bytes bytes)
{
	char *text = fn_arena_alloc(arena, bytes.size + 1);

	if (bytes.size > 0)
		memcpy(text, bytes.at, bytes.size);
	text[bytes.size] = '\0';
	return text;
}

struct fn_bytes
fn_bytes_copy(struct fn_arena *arena, struct fn_bytes bytes)
{
	return (struct fn_bytes){fn_text(arena, bytes), bytes.size};
}

char *
fn_textf(struct fn_arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int size;

	va_start(args, format);
	va_copy(again, args);
	size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = fn_arena_alloc(arena, size < 0 ? 1 : (size_t)size + 1);
	text[0] = '\0';
	if (size > 0)
		vsnprintf(text, (size_t)size + 1, format, again);
	va_end(again);
	return text;
}

/* Room for `more` bytes at the builder's end. */
static char *
builder_room(struct fn_builder *builder, size_t more)
{
	if (more > builder->room - builder->size) {
		size_t room = (builder->size + more) * 2;
		char *at = fn_arena_alloc(builder->arena, room);

		if (builder->size > 0)
			memcpy(at, builder->at, builder->size);
		builder->at = at;
		builder->room = room;
	}
	return builder->at + builder->size;
}

void
fn_add(struct fn_builder *builder, struct fn_bytes bytes)
{
	if (bytes.size == 0)
		return;
	memcpy(builder_room(builder, bytes.size), bytes.at, bytes.size);
	builder->size += bytes.size;
}

void
fn_addf(struct fn_builder *builder, const char *format, ...)
{
	va_list args, again;
	int size;

	va_start(args, format);
	va_copy(again, args);
	size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (size > 0) {
		vsnprintf(builder_room(builder, (size_t)size + 1), (size_t)size + 1, format, again);
		builder->size += (size_t)size;
	}
	va_end(again);
}

static struct fn_bytes
json_escape(unsigned char c, char space[7])
{
	static const char named[][3] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};

	if (c < sizeof(named) / sizeof(named[0]) && named[c][0])
		return fn_bytes(named[c]);
	snprintf(space, 7, "\\u%04x", c);
	return (struct fn_bytes){space, 6};
}

void
fn_add_json(struct fn_builder *builder, struct fn_bytes text)
{
	const unsigned char *at = (const unsigned char *)text.at;
	size_t plain = 0;
	char space[7];

	for (size_t i = 0; i < text.size;) {
		size_t size = utf8_sequence(at + i, text.size - i);

		if (size > 0 && at[i] >= 0x20 && at[i] != '"' && at[i] != '\\' && at[i] != 0x7f) {
			i += size;
			continue;
		}
		fn_add(builder, (struct fn_bytes){text.at + plain, i - plain});
		fn_add(builder, size ? json_escape(at[i], space) : FN_BYTES("\xef\xbf\xbd"));
		plain = ++i;
	}
	fn_add(builder, (struct fn_bytes){text.at + plain, text.size - plain});
}

void
fn_add_escaped(struct fn_builder *builder, struct fn_bytes bytes, const char *keep)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";

	for (size_t i = 0; i < bytes.size; i++) {
		char c = bytes.at[i];

		if (c && (strchr(unreserved, c) || strchr(keep, c)))
			fn_add(builder, (struct fn_bytes){&c, 1});
		else
			fn_addf(builder, "%%%02X", (unsigned char)c);
	}
}

struct fn_bytes
fn_built(struct fn_builder *builder)
{
	return (struct fn_bytes){builder->at, builder->size};
}
