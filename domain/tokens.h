/* tokens.h: what users have to spend, and the ledger of why.
 *
 * A balance is a document, and each change of it an entry of the ledger that is never changed
 * again, written in one commit with what the tokens are for. A commit presumes that the balance is
 * as it was read, so of two that spend the last token one is refused. Entries are numbered from 1
 * without a gap, each says what the balance was after it, and the balance is their sum.
 *
 * What is paid for is called a charge: the id of a creation, or where that is charged once more
 * after a refund, "ID.2" and so on. A charge is debited once and refunded once: its entries are
 * called after it, and a second one cannot be written. */
#ifndef TOKENS_H
#define TOKENS_H

#include "domain/user.h"
#include "domain/writes.h"
#include "fn/config.h"

#define BALANCES "balances" /* the collections */
#define LEDGER "ledger"

struct tokens_config {
	long image;  /* IMAGE_TOKENS: the price of one */
	long video;  /* VIDEO_TOKENS: the same */
	long signup; /* SIGNUP_TOKENS: what everybody begins with */
};

extern const struct fn_setting tokens_settings[];

struct tokens {
	struct fn_bytes user; /* id */
	int64_t balance;
	int64_t entries; /* in the ledger */
	bool paid;       /* by somebody who pays: served before others */
	json_t *open;    /* charges for what is being made: see tokens_hold.h */
	int64_t version; /* of the document; 0: there is none yet */
};

/* Who has no balance yet is shown `signup` tokens, and gets them with the first change. */
FN_MUST bool tokens_read(struct tokens *, struct fn_call *, struct document_store *,
	struct fn_bytes user, long signup, struct fn_error *);

/* The balance, and what dead processes have left open, which comes back with the next debit. */
int64_t tokens_to_spend(const struct tokens *);

/* Add a change to a commit: at most one, of at most TOKENS_WRITES writes. No tokens, no writes.
 * Where others have changed the balance since, or the charge has such an entry already, the commit
 * is FN_CONFLICT or FN_PRECONDITION. `reason` is a literal: "video".
 * FN_PAYMENT_REQUIRED: there are too few; the message is for people. */
#define TOKENS_WRITES 13
FN_MUST bool tokens_debit(struct tokens *, struct fn_call *, struct writes *, int64_t amount,
	const char *reason, struct fn_bytes charge, struct fn_error *);
void tokens_refund(
	struct tokens *, struct fn_call *, struct writes *, int64_t amount, struct fn_bytes charge);

/* The name of the nth charge for a creation, counted from 1. */
struct fn_bytes tokens_charge(struct fn_call *, struct fn_bytes creation, int64_t nth);

/* ---- For tokens_hold.c alone ----------------------------------------------------------------- */

/* A debit that is open until it is closed, or until then (Unix), when the next debit refunds it. */
FN_MUST bool tokens_open(struct tokens *, struct fn_call *, struct writes *, int64_t amount,
	const char *reason, struct fn_bytes charge, int64_t until_ms, struct fn_error *);

/* Gives the open charge for a creation more time, and says its name. False: there is none. */
bool tokens_prolong(struct tokens *, struct fn_call *, struct writes *, struct fn_bytes creation,
	int64_t until_ms, struct fn_bytes *charge);

/* False: it is not open, or is with another end: it was refunded, or prolonged by another. */
bool tokens_close(struct tokens *, struct fn_call *, struct writes *, struct fn_bytes charge,
	int64_t until_ms, bool refund);

#endif
