/* members.h: reads a request's JSON body, member by member.
 *
 * What is wrong is FN_INVALID with a sentence that names the member, what is wrong and what is
 * wanted. Text lives in the call's arena. */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "fn/call.h"

#include <jansson.h>

#define TEXT_MOST_CHARACTERS 2000 /* Unicode code points */

/* Reads the value of the member of this name. */
typedef bool member_read(const char *name, const json_t *value, void *into, struct fn_error *);

struct member {
	const char *name;
	member_read *read;
	size_t into; /* offsetof what its reader writes */
};

/* Hands each member of the body to its reader; one that is not listed is refused. The media type
 * must be application/json (FN_UNSUPPORTED_MEDIA). */
FN_MUST bool members_read(
	struct fn_call *, const struct member *, size_t count, void *into, struct fn_error *);

/* Text that is not blank and has no control characters, into a struct fn_bytes; true or false, into
 * a bool. */
member_read member_text, member_flag;

/* For readers: one of the choices, which NULL ends; a whole number that models take as a seed. */
FN_MUST bool member_choice(const char *name, const json_t *, const char *const choices[],
	const char **choice, struct fn_error *);
FN_MUST bool member_seed(
	const char *name, const json_t *, bool *has_seed, uint32_t *seed, struct fn_error *);

#endif
