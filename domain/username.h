/* username.h: the name that somebody chooses, which is nobody else's.
 *
 * It is 3 to 30 ASCII letters, digits and single "_" between them, the first one a letter. Other
 * letters are refused, not normalised: nothing is left then of what NFKC, case folding and
 * Unicode's confusables are about, but case and the look-alikes i l 1, o 0, m rn. Names that differ
 * in these alone are one name; what was typed is kept to be shown.
 *
 * Who takes another name has the old one held for USERNAME_HELD_MS: it still leads to him, and he
 * alone may take it back. Of several only the last one is held. Each change is one commit, so that
 * of two who want one name at once one gets it, and nobody ever has half of one.
 * Source: UTS #39, section 4 (confusables.txt, what is ASCII on both sides). */
#ifndef USERNAME_H
#define USERNAME_H

#include "adapters/document_store.h"
#include "domain/user.h"

#define PROFILES "users" /* the collection, by user */

#define USERNAME_LEAST 3
#define USERNAME_MOST 30
#define USERNAME_HELD_MS (30 * INT64_C(86400000))

/* Gives somebody this name, and sets user->username. His own again is no error.
 * FN_INVALID: it is no name; FN_CONFLICT: it is another's, held, or reserved. Both for people.
 * FN_BUSY (with retry_after_s), FN_UPSTREAM, FN_DEADLINE: the store. */
FN_MUST bool username_claim(struct user *, struct fn_call *, struct document_store *,
	struct fn_bytes name, struct fn_error *);

/* The name of the user with this id; empty where he has none. */
FN_MUST bool username_read(
	struct user *, struct fn_call *, struct document_store *, struct fn_error *);

/* Who has this name, or had it last while it is held; the username is the present one.
 * FN_NOT_FOUND: nobody. */
FN_MUST bool username_find(struct user *, struct fn_call *, struct document_store *,
	struct fn_bytes name, struct fn_error *);

#endif
