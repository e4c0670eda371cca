/* any_store.h: the document store of one backend after the other, new and empty for each row of a
 * test, and documents with a number in them.
 *
 * One store at a time; a setup that fails, fails the test. */
#ifndef ANY_STORE_H
#define ANY_STORE_H

#include "adapters/document_store.h"
#include "tests/support/suite.h"

struct any_store {
	struct document_store_config config;
	struct fn_http_client *http;
	struct document_store *store;
	struct fn_call call; /* the test's own */
	struct fn_error err;
};

extern struct any_store any;

/* Runs each row of each case on all backends that can be had here, and says which cannot. */
int any_store_suite(const char *name, struct suite_case *, size_t count);

/* To be called first: opens a new store for the test whose _i this is, and returns its row. */
int any_store_use(int i);

/* The same store again. */
bool any_store_open(void);
void any_store_close(void);

void any_must(bool ok); /* else any.err is why not */

/* Writes of "things" with the number n. */
struct document_write any_create(const char *id, int n);
struct document_write any_replace(const char *id, int n, int64_t if_version);
struct document_write any_delete(const char *id, int64_t if_version);

bool any_commit(struct document_write);

/* The version that the store gave to a write, which must succeed. */
int64_t any_committed(struct document_write);

/* The number in a document, -1 where there is none. */
int any_number(const char *id);

#endif
