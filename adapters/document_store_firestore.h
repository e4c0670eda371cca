/* document_store_firestore.h: what asking Firestore and writing to it share. Private to adapters.
 * Source: cloud.google.com/firestore/docs/reference/rest; google/rpc/code.proto. */
#ifndef DOCUMENT_STORE_FIRESTORE_H
#define DOCUMENT_STORE_FIRESTORE_H

#include "adapters/document_store_backend.h"
#include "fn/retry.h"

#include <limits.h>

/* Fields that are the store's own, in each document. `_write` names the commit that wrote it last:
 * so a commit whose answer was lost finds out that it was carried out, and no write leaves a
 * document as it was (which would leave its updateTime as it was, too). `expires_at` is what a
 * time-to-live policy looks at. */
#define FIRESTORE_MARK "_write"
#define FIRESTORE_EXPIRY "expires_at"

struct firestore_store {
	struct document_store port;
	struct fn_arena *arena; /* holds this */
	const char *root;       /* "projects/P/databases/D/documents": all names begin with it */
	const char *url;        /* of it */
	bool is_emulator;       /* takes no credentials */
	struct google_credentials *credentials;
	struct fn_http_client *http;
};

/* What an answer, or none, says of the request. */
enum firestore_outcome {
	FIRESTORE_DONE,
	FIRESTORE_REFUSED, /* a precondition does not hold */
	FIRESTORE_PASSING, /* nothing was done, for a reason that passes */
	FIRESTORE_UNKNOWN, /* perhaps it was carried out, perhaps it will be yet */
	FIRESTORE_FAILED,  /* nothing was done, and nothing will be */
};

/* Waits between attempts: for others who write the same documents, and for Google. */
#define FIRESTORE_RETRY                                                                            \
	{                                                                                          \
		.attempts = UINT_MAX, .first_ms = 50, .most_ms = 2000                              \
	}

/* One attempt. `method` is that of `root`: ":commit". With `once` no part of it is repeated, at the
 * price of a connection of its own. *err says why it is not FIRESTORE_DONE. */
enum firestore_outcome firestore_try(const struct firestore_store *, struct fn_call *,
	const char *method, const json_t *body, bool once, json_t **answer, struct fn_error *);

/* A new reference: "projects/P/databases/D/documents/COLLECTION/ID". */
json_t *firestore_name(const struct firestore_store *, const char *collection, struct fn_bytes id);

/* One for each name; a mark is what FIRESTORE_MARK has, empty where there is none. */
FN_MUST bool firestore_look(const struct firestore_store *, struct fn_call *,
	const struct document_name *, size_t count, struct document *, struct fn_bytes *marks,
	struct fn_error *);

/* Calls without a deadline get one: else nothing would end the attempts. */
struct fn_call firestore_call(const struct fn_call *);

bool firestore_commit(struct document_store *, struct fn_call *, struct document_write *,
	size_t count, struct fn_error *);

#endif
