/* user.h: who a call is made for. */
#ifndef USER_H
#define USER_H

#include "adapters/identity.h"
#include "fn/call.h"

struct user {
	struct fn_bytes id;       /* "user_dev", "user_7z1k..."; empty: nobody */
	struct fn_bytes username; /* empty: none yet, or not looked up */
};

/* Who sent the call; from then on its log lines carry the id, which lives as long as the call. It
 * is made of what the token's issuer calls its subject and does not tell it.
 * FN_UNAUTHENTICATED: the call has no token, or one that is not valid.
 * FN_BUSY (with retry_after_s): it cannot be known now. */
FN_MUST bool user_require(struct user *, struct fn_call *, struct identity *, struct fn_error *);

/* For what everybody may see: the same, but without a token it is nobody. */
FN_MUST bool user_recognize(struct user *, struct fn_call *, struct identity *, struct fn_error *);

#endif
