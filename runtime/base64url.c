#include "fn/base64.h"

#include <string.h>

/* What is of neither alphabet stays so. */
static char
standard(char c)
{
	switch (c) {
	case '-':
		return '+';
	case '_':
		return '/';
	case '+':
	case '/':
	case '=':
		return '!';
	default:
		return c;
	}
}

bool
fn_base64url_decode(struct fn_bytes text, struct fn_arena *arena, struct fn_bytes *bytes)
{
	size_t padding = -text.size % 4, size;
	char *into = fn_arena_alloc(arena, text.size + padding);

	for (size_t i = 0; i < text.size; i++)
		into[i] = standard(text.at[i]);
	memset(into + text.size, '=', padding);
	TRY(fn_base64_decode((struct fn_bytes){into, text.size + padding}, into, &size));
	*bytes = (struct fn_bytes){into, size};
	return true;
}

struct fn_bytes
fn_base64url_encode(struct fn_bytes bytes, struct fn_arena *arena)
{
	char *text = fn_text(arena, fn_base64_encode(bytes, arena));
	size_t size = strcspn(text, "=");

	for (char *c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	text[size] = '\0';
	return (struct fn_bytes){text, size};
}
