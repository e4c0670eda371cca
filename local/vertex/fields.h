/* fields.h: which members a JSON request may have, and what may stand in them, as tables. */
#ifndef FIELDS_H
#define FIELDS_H

#include "fn/bytes.h"

#include <jansson.h>

enum field_kind {
	FIELD_TEXT,
	FIELD_BOOL,
	FIELD_INTEGER, /* least..most */
	FIELD_NUMBER,  /* least..most */
	FIELD_CHOICE,  /* one of `choices`, which stand separated by blanks */
	FIELD_CHOICES, /* an array of such */
	FIELD_OBJECT,  /* with `members`; NULL: with any texts */
	FIELD_OBJECTS, /* an array of such */
	FIELD_REFUSED, /* the model has it, the stand-in does not */
};

struct field {
	const char *name; /* NULL ends a table */
	enum field_kind kind;
	double least, most;
	const char *choices;
	const struct field *members;
};

/* FN_INVALID, in the words of Google's own parser where it has some: a member that is not in the
 * table, of another type or out of its range. `path` names the object in the message; "" is the
 * request itself. */
FN_MUST bool fields_check(
	json_t *object, const struct field *, const char *path, struct fn_error *);

/* The value behind "a.b.c", NULL where a step is missing. */
json_t *fields_at(json_t *object, const char *path);
const char *fields_text(json_t *object, const char *path, const char *fallback);
long long fields_integer(json_t *object, const char *path, long long fallback);
bool fields_bool(json_t *object, const char *path, bool fallback);

#endif
