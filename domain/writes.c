#include "domain/writes.h"

#include <assert.h>

void
writes_add(struct writes *writes, struct document_write write)
{
	assert(writes->count < WRITES_MOST);
	writes->list[writes->count++] = write;
}

bool
writes_commit(struct writes *writes, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	return document_store_commit(documents, call, writes->list, writes->count, err);
}

bool
writes_again(struct fn_retry *retry, struct fn_call *call, struct fn_error *err)
{
	if (err->code != FN_CONFLICT && err->code != FN_PRECONDITION)
		return false;
	if (fn_retry_wait(retry, call, 0))
		return true;
	err->code = FN_BUSY;
	err->retry_after_s = 1;
	return false;
}
