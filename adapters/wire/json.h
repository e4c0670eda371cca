/* json.h: JSON trees that live as long as an arena. Parser: jansson. */
#ifndef JSON_H
#define JSON_H

#include "fn/bytes.h"

#include <jansson.h>

/* Hands the caller's reference over to the arena and returns the tree; NULL stays NULL. */
json_t *json_keep(struct fn_arena *, json_t *);

/* The text of a string value, empty for all else, NULL included. Borrowed from the tree. */
struct fn_bytes json_text(const json_t *);

#endif
