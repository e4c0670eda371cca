/* jwt_members.h: the members of a token's JSON that matter, none of them twice.
 *
 * Of two members of one name another reader might believe the other one: RFC 8725 and RFC 7519,
 * section 4, want such a token to be refused. */
#ifndef JWT_MEMBERS_H
#define JWT_MEMBERS_H

#include "fn/json.h"

struct jwt_member {
	struct fn_bytes name, value; /* JSON, a piece of the text; empty: it is not there */
};

/* Fills in the values of those that are wanted. FN_INVALID: the text is no JSON object, or has one
 * of them twice. */
FN_MUST bool jwt_members_read(struct fn_bytes json, struct fn_arena *, struct jwt_member *wanted,
	size_t count, struct fn_error *);

/* The text of one that is a string and not empty. */
FN_MUST bool jwt_member_text(const struct jwt_member *, struct fn_arena *, struct fn_bytes *text);

#endif
