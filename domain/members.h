/* members.h: reads a request's JSON body, member by member.
 *
 * What is wrong is FN_INVALID with a sentence that names the member, what is wrong and what is
 * wanted. Text lives in the call's arena. */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "fn/call.h"

#include <jansson.h>

#define TEXT_MOST_CHARACTERS 2000 /* Unicode code points */

struct member {
	const char *name;
	bool (*read)(const char *name, const json_t *value, void *into, struct fn_error *);
};

/* Hands each member of the body to its reader; one that is not listed is refused. The media type
 * must be application/json (FN_UNSUPPORTED_MEDIA). */
FN_MUST bool members_read(
	struct fn_call *, const struct member *, size_t count, void *into, struct fn_error *);

/* For readers: text that is not blank and has no control characters; one of the choices, which
 * NULL ends; a whole number that models take as a seed; true or false. */
FN_MUST bool member_text(
	const char *name, const json_t *, struct fn_bytes *text, struct fn_error *);
FN_MUST bool member_choice(const char *name, const json_t *, const char *const choices[],
	const char **choice, struct fn_error *);
FN_MUST bool member_seed(
	const char *name, const json_t *, bool *has_seed, uint32_t *seed, struct fn_error *);
FN_MUST bool member_flag(const char *name, const json_t *, bool *flag, struct fn_error *);

#endif
