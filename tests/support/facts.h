/* facts.h: all that a store has of one user with one creation at most, in a few words:
 * "90 tokens, 10 held, called ada, owns ada, published, 2 shown, 1 like, 1 counted, noted, stored,
 * key at work".
 *
 * - tokens, and what of them is held for what is being made
 * - the name in the profile, and the names that lead to it, owned or held
 * - the creation's status, or that it is published, and how many likes it shows
 * - likes, and what their counters say; no counters, no number
 * - that a deletion is noted, and that there is an object
 * - Idempotency-Keys
 *
 * What is not there is not told. Fails the test where the ledger does not add up, or documents
 * are another's. */
#ifndef FACTS_H
#define FACTS_H

#include "adapters/document_store.h"
#include "adapters/object_store.h"

#define FACTS_USER "user_ada"
#define FACTS_OBJECT "images/user_ada/a.png"

/* Lives in the call's arena. */
const char *facts_of(struct document_store *, struct object_store *, struct fn_call *);

#endif
