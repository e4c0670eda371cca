#include "tests/support/store_spy.h"

#include "adapters/document_store_backend.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

struct spy {
	struct document_store port;
	struct document_store *store;
	_Atomic unsigned trips;
	_Atomic int left; /* requests until the one that fails; below 0: it was before */
	enum store_fault fault;
	bool down;
	unsigned wait; /* requests until somebody else acts; 0: nobody does */
	void (*act)(void);
};

static bool
fails(struct spy *spy)
{
	int left;

	if (spy->wait > 0 && --spy->wait == 0)
		spy->act();
	spy->trips++;
	left = --spy->left;
	return left == 0 || (left < 0 && spy->down);
}

/* What the real store says, or the fault. */
#define PASS(self, request)                                                                        \
	struct spy *spy = (struct spy *)(self);                                                    \
	bool failing = fails(spy);                                                                 \
                                                                                                   \
	if (failing && spy->fault == STORE_REFUSES)                                                \
		return fn_fail(err, FN_UPSTREAM, "store: refused");                                \
	bool ok = (request);                                                                       \
	return failing ? fn_fail(err, FN_DEADLINE, "store: no answer") : ok;

static bool
spy_get(struct document_store *self, struct fn_call *call, const char *collection,
	struct fn_bytes id, struct document *document, struct fn_error *err)
{
	PASS(self, document_store_get(spy->store, call, collection, id, document, err))
}

static bool
spy_get_many(struct document_store *self, struct fn_call *call, const struct document_name *names,
	size_t count, struct document *documents, struct fn_error *err)
{
	PASS(self, document_store_get_many(spy->store, call, names, count, documents, err))
}

/* The port asks for one document more, so the backend is asked rather than the port again. */
static bool
spy_query(struct document_store *self, struct fn_call *call, const struct document_query *query,
	const struct document_place *place, struct document *documents, size_t *count,
	struct fn_error *err)
{
	PASS(self,
		spy->store->backend->query(spy->store, call, query, place, documents, count, err))
}

static bool
spy_commit(struct document_store *self, struct fn_call *call, struct document_write *writes,
	size_t count, struct fn_error *err)
{
	PASS(self, document_store_commit(spy->store, call, writes, count, err))
}

static void
spy_close(struct document_store *self)
{
	document_store_close(((struct spy *)self)->store);
	free(self);
}

static const struct document_store_backend backend = {
	.close = spy_close,
	.get = spy_get,
	.get_many = spy_get_many,
	.query = spy_query,
	.commit = spy_commit,
};

struct document_store *
store_spy_open(struct document_store *store)
{
	struct spy *spy = calloc(1, sizeof(*spy));

	assert(spy);
	spy->port.backend = &backend;
	spy->store = store;
	return &spy->port;
}

unsigned
store_spy_trips(struct document_store *self)
{
	return atomic_exchange(&((struct spy *)self)->trips, 0);
}

void
store_spy_fail(struct document_store *self, unsigned nth, enum store_fault fault, bool down)
{
	struct spy *spy = (struct spy *)self;

	spy->fault = fault;
	spy->down = down && nth > 0;
	spy->left = (int)nth;
}

void
store_spy_meanwhile(struct document_store *self, unsigned nth, void (*act)(void))
{
	struct spy *spy = (struct spy *)self;

	spy->wait = nth;
	spy->act = act;
}
