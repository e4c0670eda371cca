/* document_store_backend.h: what document_store.c asks of a backend. Private to adapters. */
#ifndef DOCUMENT_STORE_BACKEND_H
#define DOCUMENT_STORE_BACKEND_H

#include "adapters/document_store.h"

/* Where a page begins: behind the document that has these. */
struct document_place {
	const json_t *value; /* of the field that is ordered by; NULL where that is the id */
	struct fn_bytes id;  /* empty: with the first one that has the value */
};

/* Each answers the function of the port with the same name; ids have been checked. */
struct document_store_backend {
	const char *scheme; /* of STORE_URL: "sqlite:" */
	bool (*open)(struct document_store **, const struct document_store_config *,
		struct google_credentials *, struct fn_http_client *, struct fn_error *);
	void (*close)(struct document_store *);
	bool (*get)(struct document_store *, struct fn_call *, const char *collection,
		struct fn_bytes id, struct document *, struct fn_error *);
	bool (*get_many)(struct document_store *, struct fn_call *, const struct document_name *,
		size_t count, struct document *, struct fn_error *);
	/* Up to query->limit documents after `place` (NULL: the first ones), with room for them. */
	bool (*query)(struct document_store *, struct fn_call *, const struct document_query *,
		const struct document_place *, struct document *, size_t *count, struct fn_error *);
	bool (*commit)(struct document_store *, struct fn_call *, struct document_write *,
		size_t count, struct fn_error *);
};

/* Always false: the document is not as the write presumes. */
bool document_write_refused(const struct document_write *, struct fn_error *);

/* The first member of each backend's own struct. */
struct document_store {
	const struct document_store_backend *backend;
};

extern const struct document_store_backend document_store_sqlite, document_store_firestore;

#endif
