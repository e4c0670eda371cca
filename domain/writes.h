/* writes.h: the writes of one commit, to which several modules add theirs. */
#ifndef WRITES_H
#define WRITES_H

#include "adapters/document_store.h"
#include "fn/retry.h"

#define WRITES_MOST 16

struct writes {
	struct document_write list[WRITES_MOST];
	size_t count;
};

void writes_add(struct writes *, struct document_write);

/* Fails as document_store_commit does. */
FN_MUST bool writes_commit(
	struct writes *, struct fn_call *, struct document_store *, struct fn_error *);

/* After a commit that failed: whether others were faster and there is time to read anew what it
 * presumed. Waits a little before it says so. When they are faster for too long the error becomes
 * FN_BUSY (with retry_after_s). */
bool writes_again(struct fn_retry *, struct fn_call *, struct fn_error *);
#define WRITES_RETRY                                                                               \
	{                                                                                          \
		.attempts = 1000, .first_ms = 1, .most_ms = 20                                     \
	}

#endif
