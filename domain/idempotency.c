#include "domain/idempotency.h"

#include "domain/fields.h"
#include "fn/clock.h"

#include <openssl/sha.h>

#define COLLECTION "idempotency"
#define KEY_MOST 255
#define ROUNDS 5             /* with others who claim, abandon and claim the same key */
#define WORK_MOST_MS 60000   /* of a call without deadline */
#define WORK_MARGIN_MS 10000 /* for clocks that differ, and for the last write */
#define ABANDON_MOST_MS 2000 /* beyond the call's deadline */
#define ASK_AGAIN_MOST_S 5
#define ASK_AGAIN_MS 1000 /* where nobody knows how long it takes */
#define KEPT_MS 86400000  /* a day: no client retries for longer */

/* ---- Key ----------------------------------------------------------------------------------- */

/* RFC 8941, 3.3.3: in a string, a backslash stands before each quote and backslash. */
static bool
unquote(struct fn_bytes quoted, struct fn_arena *arena, struct fn_bytes *text)
{
	struct fn_builder plain = {.arena = arena};
	size_t i;

	for (i = 1; i < quoted.size && quoted.at[i] != '"'; i++) {
		if (quoted.at[i] == '\\' && ++i == quoted.size)
			return false;
		fn_add(&plain, (struct fn_bytes){quoted.at + i, 1});
	}
	*text = fn_built(&plain);
	return i + 1 == quoted.size;
}

static bool
is_key(struct fn_bytes text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.at[i] < '!' || text.at[i] > '~')
			return false;
	}
	return text.size >= 1 && text.size <= KEY_MOST;
}

/* Leaves `key` empty where the request has none. */
static bool
read_key(struct fn_call *call, struct fn_bytes *key, struct fn_error *err)
{
	struct fn_bytes value = fn_bytes_trim(fn_header(call, "Idempotency-Key"));
	bool ok = true;

	*key = value;
	if (!value.at)
		return true;
	if (value.size > 0 && value.at[0] == '"')
		ok = unquote(value, call->arena, key);
	return (ok && is_key(*key)) ||
	       fn_fail(err, FN_INVALID,
		       "Idempotency-Key: 1 to %d visible ASCII characters are wanted", KEY_MOST);
}

static struct fn_bytes
hash(struct fn_arena *arena, struct fn_bytes first, struct fn_bytes second)
{
	struct fn_builder input = {.arena = arena}, hex = {.arena = arena};
	unsigned char digest[SHA256_DIGEST_LENGTH];

	fn_add(&input, first);
	fn_add(&input, FN_BYTES("\0"));
	fn_add(&input, second);
	SHA256((const unsigned char *)input.at, input.size, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		fn_addf(&hex, "%02x", digest[i]);
	return fn_built(&hex);
}

/* ---- Record -------------------------------------------------------------------------------- */

struct record {
	struct fn_bytes fingerprint, creation_id;
	int64_t working_until_ms; /* Unix; 0: finished */
	int64_t version;
};

static struct document_write
record_write(const struct idempotency *once, struct fn_call *call, enum document_write_kind kind,
	int64_t working_until_ms)
{
	json_t *fields = fields_keep(call, json_object());

	fields_put(fields, "fingerprint", fields_text_or_null(once->fingerprint));
	fields_put(fields, "creation_id", fields_text_or_null(once->creation_id));
	fields_put(fields, "working_until_ms", json_integer(working_until_ms));
	return (struct document_write){
		.kind = kind,
		.collection = COLLECTION,
		.id = once->record_id,
		.fields = fields,
		.if_version = once->version,
		.expires_at_ms = fn_unix_ms() + KEPT_MS,
	};
}

static bool
record_read(struct record *record, const struct idempotency *once, struct fn_call *call,
	struct document_store *documents, struct fn_error *err)
{
	struct document document;

	TRY(document_store_get(documents, call, COLLECTION, once->record_id, &document, err));
	struct fields from = {document.fields, NULL};
	const struct record read = {
		.fingerprint = fields_text(&from, "fingerprint"),
		.creation_id = fields_text(&from, "creation_id"),
		.working_until_ms = fields_number(&from, "working_until_ms"),
		.version = document.version,
	};
	if (from.wrong)
		return fn_fail(err, FN_INTERNAL, COLLECTION "/%.*s: no usable %s in it",
			FN_ARG(once->record_id), from.wrong);
	*record = read;
	return true;
}

/* ---- Begin --------------------------------------------------------------------------------- */

static bool
at_work(int64_t left_ms, struct fn_error *err)
{
	int64_t left_s = (left_ms + 999) / 1000;

	fn_fail(err, FN_CONFLICT,
		"Idempotency-Key: the first request with this key is still at work");
	err->retry_after_s = left_s < ASK_AGAIN_MOST_S ? (unsigned)left_s : ASK_AGAIN_MOST_S;
	return false;
}

static bool
replay(struct idempotency *once, struct fn_bytes creation_id, struct fn_call *call,
	struct document_store *documents, struct fn_error *err)
{
	struct document document;
	struct creation creation;

	TRY(document_store_get(documents, call, CREATIONS, creation_id, &document, err));
	TRY(creation_from_document(&creation, creation_id, &document, err));
	once->creation_id = creation_id;
	once->replay = creation_json(&creation, call);
	return true;
}

int64_t
idempotency_until_ms(const struct fn_call *call)
{
	int64_t work_ms = call->deadline_ms ? fn_time_left_ms(call, INT64_MAX) : WORK_MOST_MS;

	return fn_unix_ms() + work_ms + WORK_MARGIN_MS;
}

static bool
claim(struct idempotency *once, struct fn_call *call, struct document_store *documents,
	enum document_write_kind kind, struct fn_error *err)
{
	struct document_write write = record_write(once, call, kind, idempotency_until_ms(call));

	TRY(document_store_commit(documents, call, &write, 1, err));
	once->version = write.version;
	return true;
}

static bool
check_fingerprint(const struct record *record, const struct idempotency *once, struct fn_error *err)
{
	if (fn_bytes_equal(record->fingerprint, once->fingerprint))
		return true;
	return fn_fail(
		err, FN_UNPROCESSABLE, "Idempotency-Key: this key was used with another request");
}

/* FN_PRECONDITION: the record went or changed while we looked at it. */
static bool
claim_or_replay(struct idempotency *once, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	struct record record;

	once->version = 0;
	if (claim(once, call, documents, DOCUMENT_CREATE, err))
		return true;
	if (err->code != FN_CONFLICT)
		return false;
	if (!record_read(&record, once, call, documents, err)) {
		if (err->code == FN_NOT_FOUND)
			err->code = FN_PRECONDITION;
		return false;
	}
	TRY(check_fingerprint(&record, once, err));
	if (record.working_until_ms == 0)
		return replay(once, record.creation_id, call, documents, err);
	int64_t left_ms = record.working_until_ms - fn_unix_ms();
	if (left_ms > 0)
		return at_work(left_ms, err);
	once->creation_id = record.creation_id;
	once->version = record.version;
	return claim(once, call, documents, DOCUMENT_REPLACE, err);
}

static bool
settle(struct idempotency *once, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	struct fn_error why;

	for (int round = 0; round < ROUNDS; round++) {
		if (claim_or_replay(once, call, documents, &why))
			return true;
		if (why.code != FN_PRECONDITION) {
			*err = why;
			return false;
		}
	}
	return at_work(ASK_AGAIN_MS, err);
}

static bool
init(struct idempotency *once, struct fn_call *call, const struct user *user, const char *id_prefix,
	struct fn_error *err)
{
	char id[CREATION_ID_SIZE];
	struct fn_bytes key;

	TRY(read_key(call, &key, err));
	creation_new_id(id_prefix, id);
	*once = (struct idempotency){.creation_id = fn_bytes_copy(call->arena, fn_bytes(id))};
	if (key.size > 0) {
		once->record_id = hash(call->arena, user->id, key);
		once->fingerprint = hash(call->arena, fn_bytes(id_prefix), call->body);
	}
	return true;
}

bool
idempotency_begin(struct idempotency *once, struct fn_call *call, struct document_store *documents,
	const struct user *user, const char *id_prefix, struct fn_error *err)
{
	struct idempotency begun;

	TRY(init(&begun, call, user, id_prefix, err));
	if (begun.record_id.size > 0)
		TRY(settle(&begun, call, documents, err));
	*once = begun;
	return true;
}

/* ---- Finish -------------------------------------------------------------------------------- */

/* Whether the record is not ours any more; then what became of it is the answer. */
static bool
is_taken_over(struct idempotency *once, struct fn_call *call, struct document_store *documents,
	bool *replayed, struct fn_error *err)
{
	struct fn_error why;
	struct record record;

	if (once->record_id.size == 0)
		return false;
	if (!record_read(&record, once, call, documents, &why)) {
		*replayed = at_work(ASK_AGAIN_MS, err);
		return why.code == FN_NOT_FOUND;
	}
	if (record.version == once->version)
		return false;
	*replayed = record.working_until_ms == 0
			    ? replay(once, record.creation_id, call, documents, err)
			    : at_work(ASK_AGAIN_MS, err);
	return true;
}

static bool
commit_end(struct idempotency *once, struct fn_call *call, struct document_store *documents,
	const struct creation *creation, const struct tokens_hold *paid, struct fn_error *err)
{
	struct writes writes = {0};

	TRY(tokens_hold_keep(paid, call, documents, &writes, err));
	writes_add(&writes, (struct document_write){
				    .kind = DOCUMENT_CREATE,
				    .collection = CREATIONS,
				    .id = creation->id,
				    .fields = creation_to_document(creation, call),
			    });
	if (once->record_id.size > 0)
		writes_add(&writes, record_write(once, call, DOCUMENT_REPLACE, 0));
	return writes_commit(&writes, call, documents, err);
}

/* A conflict may be about the balance, which others may change as often as they like. */
bool
idempotency_finish(struct idempotency *once, struct fn_call *call, struct document_store *documents,
	const struct creation *creation, const struct tokens_hold *paid, struct fn_error *err)
{
	struct fn_retry retry = WRITES_RETRY;
	struct fn_error why;
	bool replayed;

	do {
		if (commit_end(once, call, documents, creation, paid, &why))
			return true;
		bool is_told = why.code == FN_CONFLICT || why.code == FN_PRECONDITION ||
			       why.code == FN_DEADLINE;

		if (is_told && is_taken_over(once, call, documents, &replayed, err))
			return replayed;
	} while (writes_again(&retry, call, &why));
	*err = why;
	return false;
}

/* Often the deadline is what made the work fail: this last write is given time of its own. */
void
idempotency_abandon(
	struct idempotency *once, struct fn_call *call, struct document_store *documents)
{
	struct fn_error err;
	struct fn_call last = *call;
	struct document_write write = {
		.kind = DOCUMENT_DELETE,
		.collection = COLLECTION,
		.id = once->record_id,
		.if_version = once->version,
	};

	last.deadline_ms = fn_now_ms() + ABANDON_MOST_MS;
	if (once->record_id.size > 0 && !document_store_commit(documents, &last, &write, 1, &err) &&
		err.code != FN_PRECONDITION) /* that it is another's now */
		fn_log(call, FN_WARNING, "Idempotency-Key: not freed: %s", err.message);
}

/* ---- Work that is one commit ---------------------------------------------------------------- */

/* A record with our fingerprint was made by such work, so it is final. */
static bool
recall(struct idempotency *once, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	struct fn_error why;
	struct record record;

	if (record_read(&record, once, call, documents, &why)) {
		TRY(check_fingerprint(&record, once, err));
		once->creation_id = record.creation_id;
		once->done = true;
	} else if (why.code != FN_NOT_FOUND) {
		*err = why;
		return false;
	}
	return true;
}

bool
idempotency_look(struct idempotency *once, struct fn_call *call, struct document_store *documents,
	const struct user *user, const char *id_prefix, struct fn_error *err)
{
	struct idempotency looked;

	TRY(init(&looked, call, user, id_prefix, err));
	if (looked.record_id.size > 0)
		TRY(recall(&looked, call, documents, err));
	*once = looked;
	return true;
}

void
idempotency_add(const struct idempotency *once, struct fn_call *call, struct writes *writes)
{
	if (once->record_id.size > 0)
		writes_add(writes, record_write(once, call, DOCUMENT_CREATE, 0));
}
