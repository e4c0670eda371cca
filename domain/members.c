#include "domain/members.h"

#include "domain/fields.h"

#include <stdio.h>
#include <string.h>

#define SEED_MOST 2147483647
#define CHOICES_SIZE 64 /* of all of them in a sentence */

/* ---- Text ---------------------------------------------------------------------------------- */

/* The next code point of what is known to be UTF-8. */
static uint32_t
next_character(struct fn_bytes *text)
{
	unsigned char first = (unsigned char)text->at[0];
	size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t character = size == 1 ? first : first & (0x7fU >> size);

	for (size_t i = 1; i < size; i++)
		character = character << 6 | ((unsigned char)text->at[i] & 0x3f);
	text->at += size;
	text->size -= size;
	return character;
}

/* Unicode's White_Space, as far as it is no control character. */
static bool
is_blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	       c == 0x205f || c == 0x3000;
}

/* Unicode's category Cc without the three that text is laid out with. */
static bool
is_control(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7f && c < 0xa0);
}

/* ---- Values -------------------------------------------------------------------------------- */

static const char *
type_name(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "text",
		[JSON_INTEGER] = "a number",
		[JSON_REAL] = "a number",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}

bool
member_text(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	if (!json_is_string(value))
		return fn_fail(
			err, FN_INVALID, "%s: text is wanted, this is %s", name, type_name(value));

	struct fn_bytes whole = {json_string_value(value), json_string_length(value)};
	size_t characters = 0;
	bool blank = true;

	for (struct fn_bytes rest = whole; rest.size > 0;) {
		uint32_t character = next_character(&rest);

		characters++;
		blank = blank && is_blank(character);
		if (is_control(character))
			return fn_fail(err, FN_INVALID,
				"%s: the control character U+%04X in place %zu is not allowed",
				name, (unsigned)character, characters);
	}
	if (characters > TEXT_MOST_CHARACTERS)
		return fn_fail(err, FN_INVALID, "%s: %zu characters, at most %d are allowed", name,
			characters, TEXT_MOST_CHARACTERS);
	if (blank)
		return fn_fail(err, FN_INVALID, "%s: blank, 1 to %d characters are wanted", name,
			TEXT_MOST_CHARACTERS);
	*(struct fn_bytes *)into = whole;
	return true;
}

/* "1:1, 3:4" */
static void
join(const char *const choices[], char text[CHOICES_SIZE])
{
	size_t size = 0;

	for (size_t i = 0; choices[i]; i++)
		size += (size_t)snprintf(
			text + size, CHOICES_SIZE - size, "%s%s", i ? ", " : "", choices[i]);
}

bool
member_choice(const char *name, const json_t *value, const char *const choices[],
	const char **choice, struct fn_error *err)
{
	char wanted[CHOICES_SIZE];

	for (size_t i = 0; json_is_string(value) && choices[i]; i++) {
		if (strcmp(json_string_value(value), choices[i]) == 0) {
			*choice = choices[i];
			return true;
		}
	}
	join(choices, wanted);
	if (!json_is_string(value))
		return fn_fail(err, FN_INVALID, "%s: one of %s is wanted, this is %s", name, wanted,
			type_name(value));
	return fn_fail(err, FN_INVALID, "%s: \"%.20s\" is none of %s", name,
		json_string_value(value), wanted);
}

bool
member_seed(
	const char *name, const json_t *value, bool *has_seed, uint32_t *seed, struct fn_error *err)
{
	json_int_t number = json_integer_value(value); /* 0 for all that is no whole number */

	if (number < 1 || number > SEED_MOST)
		return fn_fail(err, FN_INVALID, "%s: a whole number from 1 to %d is wanted", name,
			SEED_MOST);
	*has_seed = true;
	*seed = (uint32_t)number;
	return true;
}

bool
member_flag(const char *name, const json_t *value, void *into, struct fn_error *err)
{
	if (!json_is_boolean(value))
		return fn_fail(err, FN_INVALID, "%s: true or false is wanted, this is %s", name,
			type_name(value));
	*(bool *)into = json_is_true(value);
	return true;
}

/* ---- The body ------------------------------------------------------------------------------ */

static bool
check_media_type(const struct fn_call *call, struct fn_error *err)
{
	struct fn_bytes rest = fn_header(call, "Content-Type");
	struct fn_bytes type = fn_bytes_trim(fn_bytes_cut(&rest, ';'));

	if (fn_bytes_is_nocase(type, "application/json"))
		return true;
	if (type.size == 0)
		return fn_fail(err, FN_UNSUPPORTED_MEDIA,
			"Content-Type: missing, application/json is wanted");
	return fn_fail(err, FN_UNSUPPORTED_MEDIA,
		"Content-Type: application/json is wanted, this is %.*s", FN_ARG(type));
}

/* What is wrong, without what jansson quotes of the text: it may be a prompt, and no log is to have
 * one. */
static int
size_of_reason(const json_error_t *why)
{
	const char *quote = strstr(why->text, " near ");

	return (int)(quote ? (size_t)(quote - why->text) : strlen(why->text));
}

/* The tree lives as long as the call, since text that was read points into it. */
static bool
parse_body(struct fn_call *call, json_t **body, struct fn_error *err)
{
	json_error_t why;

	if (call->body.size == 0)
		return fn_fail(err, FN_INVALID, "body: empty, a JSON object is wanted");
	json_t *json = fields_keep(
		call, json_loadb(call->body.at, call->body.size, JSON_REJECT_DUPLICATES, &why));
	if (!json)
		return fn_fail(err, FN_INVALID, "body: line %d, column %d: %.*s", why.line,
			why.column, size_of_reason(&why), why.text);
	if (!json_is_object(json))
		return fn_fail(err, FN_INVALID, "body: a JSON object is wanted, this is %s",
			type_name(json));
	*body = json;
	return true;
}

/* A word; what has more than that in it may be text in the wrong place. */
static bool
is_plain(const char *name)
{
	return name[0] != '\0' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-")] == '\0';
}

static bool
read_member(const char *name, const json_t *value, const struct member *members, size_t count,
	void *into, struct fn_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name, members[i].name) == 0)
			return members[i].read(name, value, (char *)into + members[i].into, err);
	}
	if (!is_plain(name))
		return fn_fail(err, FN_INVALID, "body: there is no member of such a name");
	return fn_fail(err, FN_INVALID, "%.60s: there is no such member", name);
}

bool
members_read(struct fn_call *call, const struct member *members, size_t count, void *into,
	struct fn_error *err)
{
	json_t *body, *value;
	const char *name;

	TRY(check_media_type(call, err));
	TRY(parse_body(call, &body, err));
	json_object_foreach(body, name, value)
	{
		TRY(read_member(name, value, members, count, into, err));
	}
	return true;
}
