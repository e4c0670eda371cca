/* bytes.h: borrowed text and bytes, and a builder for new ones. */
#ifndef FN_BYTES_H
#define FN_BYTES_H

#include "fn/arena.h"
#include "fn/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of memory that somebody else owns. Not terminated. {NULL, 0} is the empty one. */
struct fn_bytes {
	const char *at;
	size_t size;
};

struct fn_bytes fn_bytes(const char *text); /* of a C string, without its end; NULL is empty */
#define FN_BYTES(literal) ((struct fn_bytes)FN_BYTES_INIT(literal))
#define FN_BYTES_INIT(literal)                                                                     \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	} /* in a static table */

/* For printf: printf("%.*s", FN_ARG(bytes)) */
#define FN_ARG(bytes) (int)(bytes).size, (bytes).at ? (bytes).at : ""

bool fn_bytes_equal(struct fn_bytes, struct fn_bytes);
bool fn_bytes_is(struct fn_bytes, const char *text);
bool fn_bytes_is_nocase(struct fn_bytes, const char *text); /* ASCII letters only */
bool fn_bytes_starts(struct fn_bytes, const char *prefix);
bool fn_bytes_starts_nocase(struct fn_bytes, const char *prefix);
bool fn_bytes_consists_of(struct fn_bytes, const char *characters); /* false: it is empty */
struct fn_bytes fn_bytes_trim(struct fn_bytes); /* spaces and tabs at both ends */

/* Splits at the first `separator`: returns what stands before it and moves `rest` behind it.
 * Without a separator the whole is returned and `rest` becomes empty. */
struct fn_bytes fn_bytes_cut(struct fn_bytes *rest, char separator);

/* A decimal number without sign, all of the bytes, at most `max`. */
bool fn_bytes_number(struct fn_bytes, uint64_t max, uint64_t *number);

bool fn_bytes_is_utf8(struct fn_bytes); /* RFC 3629: no overlong forms, no surrogates */

/* Undoes one round of %XX; false on a broken escape. The result lives in the arena. */
bool fn_bytes_unescape(struct fn_bytes, struct fn_arena *, struct fn_bytes *plain);

/* Copies into the arena; the copy is followed by a NUL that does not count. */
struct fn_bytes fn_bytes_copy(struct fn_arena *, struct fn_bytes);
char *fn_text(struct fn_arena *, struct fn_bytes); /* the same as a C string */
char *fn_textf(struct fn_arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Grows in an arena while pieces are added. Zero is a valid start but for the arena. */
struct fn_builder {
	struct fn_arena *arena;
	char *at;
	size_t size, room;
};

void fn_add(struct fn_builder *, struct fn_bytes);
void fn_addf(struct fn_builder *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As the inside of a JSON string, without the quotes; bytes that are no UTF-8 become U+FFFD. */
void fn_add_json(struct fn_builder *, struct fn_bytes);
/* Percent-encodes all but RFC 3986's unreserved characters and those in `keep`. */
void fn_add_escaped(struct fn_builder *, struct fn_bytes, const char *keep);
struct fn_bytes fn_built(struct fn_builder *);

#endif
