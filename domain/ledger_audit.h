/* ledger_audit.h: does the ledger add up?
 *
 * For each user the entries are numbered from 1 without a gap, each says the sum so far, which is
 * never below zero, and the last one says what the balance says. A user whose balance changes
 * while it is looked at is looked at again. */
#ifndef LEDGER_AUDIT_H
#define LEDGER_AUDIT_H

#include "adapters/document_store.h"

struct ledger_audit {
	void (*tell)(void *with, struct fn_bytes user, const char *sentence); /* what is wrong */
	void *with;
	size_t users, entries, wrong; /* so far; `wrong` counts users */
};

/* One user; who has neither balance nor ledger is none, and right. */
FN_MUST bool ledger_audit_user(struct ledger_audit *, struct fn_call *, struct document_store *,
	struct fn_bytes user, struct fn_error *);

/* All who have a balance or a ledger. */
FN_MUST bool ledger_audit_all(
	struct ledger_audit *, struct fn_call *, struct document_store *, struct fn_error *);

#endif
