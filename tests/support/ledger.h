/* ledger.h: does a user's ledger add up? */
#ifndef LEDGER_H
#define LEDGER_H

#include "adapters/document_store.h"

struct ledger {
	int64_t balance; /* 0 where there is none */
	size_t entries;
	size_t signups, debits, refunds;
};

/* Reads balance and ledger. Fails the test unless the entries have the numbers from 1 without a
 * gap, none of them goes below zero, and their sum is the balance. */
struct ledger ledger_check(struct document_store *, struct fn_call *, const char *user);

#endif
