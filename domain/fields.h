/* fields.h: JSON objects, field by field: documents, and what people are answered. */
#ifndef FIELDS_H
#define FIELDS_H

#include "fn/call.h"

#include <jansson.h>

/* Hands the caller's reference over to the call's arena and returns the tree; NULL stays NULL. */
json_t *fields_keep(struct fn_call *, json_t *);

/* Takes over the value. What is put has been read as UTF-8 once, so that it always becomes JSON. */
void fields_put(json_t *object, const char *name, json_t *value);
json_t *fields_text_or_null(struct fn_bytes);

/* The object as text that lives as long as the call's arena. */
struct fn_bytes fields_dump(const json_t *object, struct fn_call *);

/* Reading goes on when a field is not of its type, and remembers the first one. */
struct fields {
	const json_t *object;
	const char *wrong; /* NULL: none so far */
};

const char *fields_name(struct fields *, const char *name);     /* text that is never null */
struct fn_bytes fields_text(struct fields *, const char *name); /* empty for null */
int64_t fields_number(struct fields *, const char *name);
bool fields_flag(struct fields *, const char *name);

#endif
