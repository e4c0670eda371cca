/* json_abridged.h: parses JSON with megabytes of base64 in it, which the parser never sees.
 *
 * A long string stays where it lies; in the tree stands the number of the byte at which it
 * begins. So every string that may be long is asked for here and not of the tree: a short one is
 * then as welcome, and a number that somebody else wrote there is not taken for a string. */
#ifndef JSON_ABRIDGED_H
#define JSON_ABRIDGED_H

#include "adapters/wire/json.h"

#define JSON_LONG 4096     /* bytes; strings longer than that are long */
#define JSON_LONGS_MOST 16 /* in one text; the parser gets the others */

struct json_abridged {
	json_t *root; /* lives as long as the arena */
	char *text;   /* borrowed from the caller */
	struct json_long {
		size_t at, size; /* in text, without the quotes */
	} longs[JSON_LONGS_MOST];
	size_t count;
};

/* FN_UPSTREAM where the text is no JSON. Long strings are taken as they are: what is in them is
 * for their reader to judge. */
FN_MUST bool json_abridged_read(
	struct json_abridged *, struct fn_arena *, char *text, size_t size, struct fn_error *);

/* The text of a string value, to be changed in place; false where it is none. */
FN_MUST bool json_abridged_string(const struct json_abridged *, struct fn_arena *,
	const json_t *value, char **text, size_t *size);

#endif
