/* idempotency.h: the same Idempotency-Key gives the same creation, once.
 *
 * A record in the collection "idempotency" stands for each key of each user. It is created
 * before the work (so of two requests at once one wins), and says until when its request is at
 * work; it becomes final in the same commit as the creation. A worker that died leaves a record
 * whose time runs out; the next request with this key takes it over, and with it the creation's
 * id, so that it writes the same object again instead of another one. After a day the store may
 * forget a record, and the key is a new one.
 *
 * The key is the string of the draft ("abc", quoted) or the bare text that most clients send;
 * both are the same key.
 * Source: draft-ietf-httpapi-idempotency-key-header-07. */
#ifndef IDEMPOTENCY_H
#define IDEMPOTENCY_H

#include "adapters/document_store.h"
#include "domain/creation.h"
#include "domain/tokens_hold.h"
#include "domain/user.h"
#include "domain/writes.h"

struct idempotency {
	struct fn_bytes record_id;   /* hash of user and key; empty: the request has no key */
	struct fn_bytes fingerprint; /* hash of what is asked for */
	struct fn_bytes creation_id; /* what this request makes; fresh, or taken over */
	int64_t version;             /* of the record while we are at work */
	bool done;                   /* idempotency_look: another has made that creation */
	struct fn_bytes replay;      /* not empty: the creation's JSON; another has done the work */
};

/* Without a key: only draws a creation id. FN_INVALID: the key is no 1..255 visible ASCII.
 * FN_CONFLICT (with retry_after_s): the first request with this key is still at work.
 * FN_UNPROCESSABLE: the key was used with another body.
 * FN_NOT_FOUND: what the key made has been deleted since. */
FN_MUST bool idempotency_begin(struct idempotency *, struct fn_call *, struct document_store *,
	const struct user *, const char *id_prefix, struct fn_error *);

/* When a request that begins now cannot be at work any more (Unix). */
int64_t idempotency_until_ms(const struct fn_call *);

/* The creation, that it is paid, and the end of the record, in one commit. When our time had run
 * out and another request has taken the key over, its creation is the one: `replay` is set if it
 * has finished, FN_CONFLICT (with retry_after_s) says that it has not. FN_DEADLINE: as for
 * tokens_hold_keep. */
FN_MUST bool idempotency_finish(struct idempotency *, struct fn_call *, struct document_store *,
	const struct creation *, const struct tokens_hold *, struct fn_error *);

/* The work failed: the key is free again. What cannot be written now runs out by itself. */
void idempotency_abandon(struct idempotency *, struct fn_call *, struct document_store *);

/* For work that is one commit, and so needs no record while it is at work: says what the key stands
 * for, and writes nothing. FN_INVALID, FN_UNPROCESSABLE: as above. */
FN_MUST bool idempotency_look(struct idempotency *, struct fn_call *, struct document_store *,
	const struct user *, const char *id_prefix, struct fn_error *);

/* Adds the record, final at once, to that commit; nothing without a key. If another request with
 * this key is faster the commit is FN_CONFLICT: look again. */
void idempotency_add(const struct idempotency *, struct fn_call *, struct writes *);

#endif
