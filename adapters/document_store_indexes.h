/* document_store_indexes.h: the indexes that queries need. Private to adapters and tests.
 *
 * They are declared in one place, terraform/firestore_indexes.auto.tfvars.json, which is part of
 * the binary. Firestore refuses a query without its index only in the cloud, SQLite and the
 * emulator never do: so the port itself does, everywhere. */
#ifndef DOCUMENT_STORE_INDEXES_H
#define DOCUMENT_STORE_INDEXES_H

#include "adapters/document_store.h"

/* Filters without an order, and an order without filters, need none but those that each field has
 * by itself. FN_INTERNAL: the one that is needed is not declared. */
FN_MUST bool document_store_is_indexed(const struct document_query *, struct fn_error *);

/* For tests of the store alone, whose queries nobody else makes: all is declared. */
void document_store_indexes_pretend(void);

#endif
