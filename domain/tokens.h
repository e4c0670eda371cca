/* tokens.h: what users have to spend, and the ledger of why.
 *
 * A balance is a document, and each change of it an entry of the ledger that is never changed
 * again, written in one commit with what the tokens are for. A commit presumes that the balance is
 * as it was read, so of two that spend the last token one is refused. Entries are numbered from 1
 * without a gap, and the balance is their sum. */
#ifndef TOKENS_H
#define TOKENS_H

#include "domain/user.h"
#include "domain/writes.h"
#include "fn/config.h"

struct tokens_config {
	long video;  /* VIDEO_TOKENS: the price of one */
	long signup; /* SIGNUP_TOKENS: what everybody begins with */
};

extern const struct fn_setting tokens_settings[];

struct tokens {
	struct fn_bytes user; /* id */
	int64_t balance;
	int64_t entries; /* in the ledger */
	bool paid;       /* by somebody who pays: served before others */
	int64_t version; /* of the document; 0: there is none yet */
};

/* Who has no balance yet is shown `signup` tokens, and gets them with the first change. */
FN_MUST bool tokens_read(struct tokens *, struct fn_call *, struct document_store *,
	struct fn_bytes user, long signup, struct fn_error *);

/* Add a change to a commit: at most one, of at most TOKENS_WRITES writes. No tokens, no writes.
 * Where others have changed the balance since, the commit is FN_CONFLICT or FN_PRECONDITION.
 * `reason` is a literal: "video".
 * FN_PAYMENT_REQUIRED: there are too few; the message is for people. */
#define TOKENS_WRITES 3
FN_MUST bool tokens_debit(struct tokens *, struct fn_call *, struct writes *, int64_t amount,
	const char *reason, struct fn_bytes creation, struct fn_error *);
void tokens_refund(struct tokens *, struct fn_call *, struct writes *, int64_t amount,
	struct fn_bytes creation);

#endif
