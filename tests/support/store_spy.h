/* store_spy.h: a document store that counts its round trips, and fails where it is told to. */
#ifndef STORE_SPY_H
#define STORE_SPY_H

#include "adapters/document_store.h"

/* Stands before a store, which it closes with itself. */
struct document_store *store_spy_open(struct document_store *);

/* How many requests have been made since this was asked last. */
unsigned store_spy_trips(struct document_store *);

enum store_fault {
	STORE_REFUSES, /* FN_UPSTREAM, and nothing is done */
	STORE_LOSES,   /* it is done, and the answer lost: FN_DEADLINE */
};

/* The nth request from now, counted from 1, and with `down` all after it. 0: none. */
void store_spy_fail(struct document_store *, unsigned nth, enum store_fault, bool down);

/* Just before the nth request from now somebody else does this, by requests that do not count. */
void store_spy_meanwhile(struct document_store *, unsigned nth, void (*act)(void));

#endif
