#include "domain/user.h"

#include <openssl/sha.h>
#include <string.h>

#define PREFIX "user_"
#define DIGITS 26 /* of 5 bits each: too many for two subjects ever to be one user */

/* A subject may be any text, and is often an account's number elsewhere: both are no matter for
 * names of objects and for what others are shown. */
static struct fn_bytes
id_of_subject(struct fn_arena *arena, const struct caller *caller)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford's base32 */
	struct fn_builder name = {.arena = arena};
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char *id = fn_arena_alloc(arena, strlen(PREFIX) + DIGITS);

	fn_add(&name, caller->issuer);
	fn_add(&name, FN_BYTES("\n"));
	fn_add(&name, caller->subject);
	SHA256((const unsigned char *)name.at, name.size, hash);
	memcpy(id, PREFIX, strlen(PREFIX));
	for (unsigned i = 0, bit = 0; i < DIGITS; i++, bit += 5) {
		unsigned two = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];

		id[strlen(PREFIX) + i] = digits[two >> (11 - bit % 8) & 31];
	}
	return (struct fn_bytes){id, strlen(PREFIX) + DIGITS};
}

bool
user_recognize(
	struct user *user, struct fn_call *call, struct identity *identity, struct fn_error *err)
{
	struct caller caller;

	TRY(identity_read(identity, call, &caller, err));
	*user = (struct user){.id = caller.subject};
	if (caller.issuer.size > 0)
		user->id = id_of_subject(call->arena, &caller);
	if (user->id.size > 0)
		fn_log_field(call, "user", user->id);
	return true;
}

bool
user_require(
	struct user *user, struct fn_call *call, struct identity *identity, struct fn_error *err)
{
	TRY(user_recognize(user, call, identity, err));
	if (user->id.size > 0)
		return true;
	TRY(fn_reply_header(call, "WWW-Authenticate", FN_BYTES("Bearer"), err));
	return fn_fail(err, FN_UNAUTHENTICATED, "sign in first: a bearer token is missing");
}
