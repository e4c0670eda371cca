/* json.h: reads JSON in place: values are pieces of the text, and no tree is built.
 *
 * For text whose values must be passed on exactly as they came (10 stays 10, 1e400 stays
 * itself), for one member out of megabytes, and for a runtime that needs no library. What builds
 * or changes documents uses a library for it. Source: RFC 8259. */
#ifndef FN_JSON_H
#define FN_JSON_H

#include "fn/bytes.h"

#define FN_JSON_DEPTH 64 /* of arrays and objects within each other */

/* Checks that `text` is exactly one valid value: strict grammar, UTF-8, at most FN_JSON_DEPTH deep;
 * `value` is the same without white space around it. FN_INVALID names the byte at which the text
 * stops being JSON. Every other function here wants such a value, or a piece of one. */
FN_MUST bool fn_json_read(struct fn_bytes text, struct fn_bytes *value, struct fn_error *);

enum fn_json_type {
	FN_JSON_NULL,
	FN_JSON_BOOLEAN,
	FN_JSON_NUMBER,
	FN_JSON_STRING,
	FN_JSON_ARRAY,
	FN_JSON_OBJECT,
};

enum fn_json_type fn_json_type(struct fn_bytes value);

/* The members of an object or the elements of an array (whose names are empty), in order; none
 * for any other value. A name is the inside of a JSON string, still escaped; a value has no white
 * space around it. */
struct fn_json_items {
	struct fn_bytes rest;
	bool named;
};

struct fn_json_items fn_json_items(struct fn_bytes list);
bool fn_json_next(struct fn_json_items *, struct fn_bytes *name, struct fn_bytes *value);

/* The first member of this name; false where there is none or `object` is no object. */
bool fn_json_member(struct fn_bytes object, const char *name, struct fn_bytes *value);

/* A string's text, unescaped, as UTF-8; an unpaired surrogate becomes U+FFFD. It is borrowed from
 * the value where it has no escapes, else made in the arena. False where `value` is no string. */
bool fn_json_string(struct fn_bytes value, struct fn_arena *, struct fn_bytes *text);

/* A string member at once; false where it is missing or no string. */
bool fn_json_text(
	struct fn_bytes object, const char *name, struct fn_arena *, struct fn_bytes *text);

#endif
