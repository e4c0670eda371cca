/* tokens_hold.h: the price of what is made while its user waits: paid before, and back if nothing
 * comes of it.
 *
 * The debit is in the ledger at once, and the balance notes it as open. The commit that writes the
 * creation closes it, and so does the refund: one of the two can happen. What a dead process has
 * left open is refunded with the user's next debit, or taken over by the retry of its request. */
#ifndef TOKENS_HOLD_H
#define TOKENS_HOLD_H

#include "domain/tokens.h"

struct tokens_hold {
	struct fn_bytes user, charge;
	int64_t amount;   /* 0: nothing is held */
	int64_t until_ms; /* Unix: of the request that holds it, and of it alone */
};

/* Debits, in a commit of its own, or takes over what was debited for this creation. `until_ms` is
 * when the request cannot be at work any more.
 * FN_PAYMENT_REQUIRED: there are too few tokens.
 * FN_BUSY (with retry_after_s), FN_UPSTREAM, FN_DEADLINE: the store. */
FN_MUST bool tokens_hold(struct tokens_hold *, struct fn_call *, struct document_store *,
	const struct tokens_config *, int64_t amount, const char *reason, struct fn_bytes user,
	struct fn_bytes creation, int64_t until_ms, struct fn_error *);

/* Adds to the commit that writes the creation, at most one write, that it is paid.
 * FN_DEADLINE: it took so long that the tokens were given back. */
FN_MUST bool tokens_hold_keep(const struct tokens_hold *, struct fn_call *, struct document_store *,
	struct writes *, struct fn_error *);

/* Nothing came of it. What cannot be refunded now is later. */
void tokens_hold_refund(const struct tokens_hold *, struct fn_call *, struct document_store *);

#endif
