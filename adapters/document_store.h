/* document_store.h: JSON documents in collections, written in atomic commits.
 *
 * The port is Firestore's model cut to what Phoenix needs, so that one commit is one round trip
 * there and one transaction in SQLite. What a write presumes (absent, unchanged since read) is a
 * precondition of the commit, never a lock held across calls.
 * Backends: document_store_sqlite.c ("sqlite:PATH"; safe for many processes on one machine),
 * document_store_firestore.c ("firestore:PROJECT/DATABASE"). */
#ifndef DOCUMENT_STORE_H
#define DOCUMENT_STORE_H

#include "adapters/google_credentials.h"
#include "fn/call.h"
#include "fn/config.h"
#include "fn/http_client.h"

#include <jansson.h>

struct document_store; /* opaque; safe for many threads */

struct document_store_config {
	const char *url;           /* STORE_URL */
	const char *emulator_host; /* FIRESTORE_EMULATOR_HOST: host:port; empty: Google's own */
};

extern const struct fn_setting document_store_settings[];

struct document {
	struct fn_bytes id;
	json_t *fields;  /* an object; borrowed: it lives as long as the call's arena */
	int64_t version; /* differs after each write of this document; never 0 */
};

enum document_write_kind {
	DOCUMENT_CREATE,  /* must be absent, else the commit is FN_CONFLICT */
	DOCUMENT_REPLACE, /* must exist; with if_version, unchanged: else FN_PRECONDITION */
	DOCUMENT_ADD,     /* the same; so much is added to its whole numbers, absent ones being 0 */
	DOCUMENT_DELETE,  /* with if_version: must be unchanged, else FN_PRECONDITION */
};

/* Fields have names of [A-Za-z0-9_], first a letter, and no array directly in an array. The name
 * expires_at is the store's own. */
struct document_write {
	enum document_write_kind kind;
	const char *collection; /* a literal: "creations" */
	struct fn_bytes id;     /* 1..128 bytes of [A-Za-z0-9._~-], first a letter or digit */
	json_t *fields;         /* borrowed; not for DOCUMENT_DELETE */
	int64_t if_version;     /* 0: whatever it is */
	int64_t expires_at_ms;  /* Unix; to create, replace: forgotten some time later; 0: never */
	int64_t version;        /* set by a commit that succeeds: the document's new one */
};

/* What is given is borrowed until it is closed. SQLite needs neither credentials nor a client: NULL
 * will do.
 * FN_INVALID: the URL is wrong; the message names the variable. */
FN_MUST bool document_store_open(struct document_store **, const struct document_store_config *,
	struct google_credentials *, struct fn_http_client *, struct fn_error *);
void document_store_close(struct document_store *);

/* FN_NOT_FOUND where there is none. */
FN_MUST bool document_store_get(struct document_store *, struct fn_call *, const char *collection,
	struct fn_bytes id, struct document *, struct fn_error *);

struct document_name {
	const char *collection; /* a literal */
	struct fn_bytes id;
};

/* Several in one round trip: one document for each name, each as it was at some moment. Where there
 * is none the document has no fields (NULL) and the version 0. */
#define DOCUMENT_GET_MOST 1000
FN_MUST bool document_store_get_many(struct document_store *, struct fn_call *,
	const struct document_name *, size_t count, struct document *, struct fn_error *);

struct document_filter {
	const char *field; /* a literal of [a-z_] */
	json_t *value;     /* text, a whole number, true or false; borrowed */
};

#define DOCUMENT_FILTERS_MOST 4
#define DOCUMENT_PAGE_MOST 300

struct document_query {
	const char *collection;
	struct document_filter filters[DOCUMENT_FILTERS_MOST]; /* all of them fit... */
	size_t filter_count;
	const char *order_by; /* ...and there is this field, text or whole numbers; NULL: the id */
	bool descending; /* with order_by; where it is the same, the id decides in this direction */
	json_t *start_at; /* a value of order_by, with which the order begins; NULL: all of it */
	size_t limit;     /* 1..DOCUMENT_PAGE_MOST */
	struct fn_bytes page_token; /* `next` of the page before; empty: the first page */
};

struct document_page {
	const struct document *documents;
	size_t count;
	struct fn_bytes next; /* empty: there are no more. Text for us alone: it shows values */
};

/* A page of documents, each as it was at one moment; what is written between two pages may be on
 * neither or both if that moves it in the order, and nothing else is.
 * FN_INTERNAL: each set of filtered fields with an order needs an index, and this one's is not in
 * terraform/firestore_indexes.auto.tfvars.json.
 * FN_INVALID: the page token is none of this query's. */
FN_MUST bool document_store_query(struct document_store *, struct fn_call *,
	const struct document_query *, struct document_page *, struct fn_error *);

/* All of the writes, each of another document, or none of them. A failed precondition names the
 * document in its message. Once it has answered true, a power cut does not undo it.
 *
 * FN_BUSY (with retry_after_s): others kept the store locked until the deadline; nothing was
 * written.
 *
 * FN_UPSTREAM: the store failed (disk full, I/O) or refused; nothing was written.
 *
 * FN_DEADLINE: a store across the network gave no answer in time, and it is not known whether all
 * was written or nothing, nor whether it will be yet. Where there is time a lost answer is looked
 * into, and what may be repeated is; nothing is added twice. */
FN_MUST bool document_store_commit(struct document_store *, struct fn_call *,
	struct document_write *, size_t count, struct fn_error *);

#endif
