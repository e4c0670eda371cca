#include "domain/tokens.h"

#include "domain/fields.h"
#include "fn/clock.h"

#include <inttypes.h>
#include <stddef.h>

#define MANY 1000000000
#define OVERDUE_MOST 10 /* refunds in one commit with another change: an hour's pictures */

#define INTO(member) offsetof(struct tokens_config, member)

const struct fn_setting tokens_settings[] = {
	{"IMAGE_TOKENS", FN_NUMBER, INTO(image), "0", 0, MANY, "what a picture costs"},
	{"VIDEO_TOKENS", FN_NUMBER, INTO(video), "10", 0, MANY, "what a video costs"},
	{"SIGNUP_TOKENS", FN_NUMBER, INTO(signup), "100", 0, MANY, "what everybody begins with"},
	{0},
};

struct fn_bytes
tokens_charge(struct fn_call *call, struct fn_bytes creation, int64_t nth)
{
	if (nth == 1)
		return creation;
	return fn_bytes(fn_textf(call->arena, "%.*s.%" PRId64, FN_ARG(creation), nth));
}

static struct fn_bytes
creation_of(struct fn_bytes charge)
{
	return fn_bytes_cut(&charge, '.');
}

/* ---- Documents ----------------------------------------------------------------------------- */

bool
tokens_read(struct tokens *tokens, struct fn_call *call, struct document_store *documents,
	struct fn_bytes user, long signup, struct fn_error *err)
{
	struct document document;
	struct fn_error why;

	if (!document_store_get(documents, call, BALANCES, user, &document, &why)) {
		if (why.code == FN_NOT_FOUND) {
			*tokens = (struct tokens){.user = user, .balance = signup};
			tokens->open = fields_keep(call, json_array());
			return true;
		}
		*err = why;
		return false;
	}
	struct fields from = {document.fields, NULL};
	const struct tokens read = {
		.user = user,
		.balance = fields_number(&from, "tokens"),
		.entries = fields_number(&from, "entries"),
		.paid = fields_flag(&from, "paid"),
		.open = fields_keep(call, json_deep_copy(json_object_get(document.fields, "open"))),
		.version = document.version,
	};
	if (from.wrong || !json_is_array(read.open))
		return fn_fail(err, FN_INTERNAL, BALANCES "/%.*s: no usable %s in it", FN_ARG(user),
			from.wrong ? from.wrong : "open");
	*tokens = read;
	return true;
}

static void
add_balance(const struct tokens *tokens, struct fn_call *call, struct writes *writes)
{
	json_t *fields = fields_keep(call, json_object());

	fields_put(fields, "tokens", json_integer(tokens->balance));
	fields_put(fields, "entries", json_integer(tokens->entries));
	fields_put(fields, "paid", json_boolean(tokens->paid));
	fields_put(fields, "open", json_incref(tokens->open));
	writes_add(
		writes, (struct document_write){
				.kind = tokens->version == 0 ? DOCUMENT_CREATE : DOCUMENT_REPLACE,
				.collection = BALANCES,
				.id = tokens->user,
				.fields = fields,
				.if_version = tokens->version,
			});
}

/* `of` and `kind` are its name, of which there is one only. */
static void
add_entry(struct tokens *tokens, struct fn_call *call, struct writes *writes, int64_t amount,
	const char *reason, struct fn_bytes of, const char *kind)
{
	json_t *fields = fields_keep(call, json_object());
	bool is_charge = !fn_bytes_equal(of, tokens->user);

	tokens->entries++;
	fields_put(fields, "user_id", fields_text_or_null(tokens->user));
	fields_put(fields, "number", json_integer(tokens->entries));
	fields_put(fields, "amount", json_integer(amount));
	fields_put(fields, "balance", json_integer(tokens->balance));
	fields_put(fields, "reason", json_string(reason));
	fields_put(fields, "creation_id",
		is_charge ? fields_text_or_null(creation_of(of)) : json_null());
	fields_put(fields, "created_at_ms", json_integer(fn_unix_ms()));
	writes_add(
		writes, (struct document_write){
				.kind = DOCUMENT_CREATE,
				.collection = LEDGER,
				.id = fn_bytes(fn_textf(call->arena, "%.*s.%s", FN_ARG(of), kind)),
				.fields = fields,
			});
}

/* ---- Changes ------------------------------------------------------------------------------- */

static void
grant(struct tokens *tokens, struct fn_call *call, struct writes *writes)
{
	if (tokens->version == 0 && tokens->balance > 0)
		add_entry(tokens, call, writes, tokens->balance, "signup", tokens->user, "signup");
}

static void
add_refund(struct tokens *tokens, struct fn_call *call, struct writes *writes, int64_t amount,
	struct fn_bytes charge)
{
	tokens->balance += amount;
	add_entry(tokens, call, writes, amount, "refund", charge, "refund");
}

struct open {
	struct fn_bytes charge;
	int64_t amount, until_ms;
};

static struct open
open_at(const struct tokens *tokens, size_t i)
{
	struct fields from = {json_array_get(tokens->open, i), NULL};

	return (struct open){
		.charge = fields_text(&from, "charge"),
		.amount = fields_number(&from, "amount"),
		.until_ms = fields_number(&from, "until_ms"),
	};
}

static void
open_add(struct tokens *tokens, const struct open *open)
{
	json_t *json = json_object();

	fields_put(json, "charge", fields_text_or_null(open->charge));
	fields_put(json, "amount", json_integer(open->amount));
	fields_put(json, "until_ms", json_integer(open->until_ms));
	json_array_append_new(tokens->open, json);
}

/* Who made it has died. */
static bool
is_overdue(const struct open *open, int64_t now_ms)
{
	return open->until_ms < now_ms;
}

int64_t
tokens_to_spend(const struct tokens *tokens)
{
	int64_t now_ms = fn_unix_ms(), amount = tokens->balance;

	for (size_t i = 0; i < json_array_size(tokens->open); i++) {
		const struct open open = open_at(tokens, i);

		amount += is_overdue(&open, now_ms) ? open.amount : 0;
	}
	return amount;
}

static void
refund_overdue(struct tokens *tokens, struct fn_call *call, struct writes *writes)
{
	int64_t now_ms = fn_unix_ms();
	size_t i = 0, refunded = 0;

	while (i < json_array_size(tokens->open) && refunded < OVERDUE_MOST) {
		const struct open open = open_at(tokens, i);

		if (!is_overdue(&open, now_ms)) {
			i++;
			continue;
		}
		add_refund(tokens, call, writes, open.amount, open.charge);
		json_array_remove(tokens->open, i);
		refunded++;
	}
}

/* `until_ms` 0: it is not left open. */
static bool
debit(struct tokens *tokens, struct fn_call *call, struct writes *writes, int64_t amount,
	const char *reason, struct fn_bytes charge, int64_t until_ms, struct fn_error *err)
{
	if (amount == 0)
		return true;
	grant(tokens, call, writes);
	refund_overdue(tokens, call, writes);
	if (tokens->balance < amount)
		return fn_fail(err, FN_PAYMENT_REQUIRED,
			"tokens: this takes %" PRId64 ", you have %" PRId64, amount,
			tokens->balance);
	tokens->balance -= amount;
	add_entry(tokens, call, writes, -amount, reason, charge, "debit");
	if (until_ms > 0)
		open_add(tokens, &(const struct open){charge, amount, until_ms});
	add_balance(tokens, call, writes);
	return true;
}

bool
tokens_debit(struct tokens *tokens, struct fn_call *call, struct writes *writes, int64_t amount,
	const char *reason, struct fn_bytes charge, struct fn_error *err)
{
	return debit(tokens, call, writes, amount, reason, charge, 0, err);
}

void
tokens_refund(struct tokens *tokens, struct fn_call *call, struct writes *writes, int64_t amount,
	struct fn_bytes charge)
{
	if (amount == 0)
		return;
	grant(tokens, call, writes);
	add_refund(tokens, call, writes, amount, charge);
	add_balance(tokens, call, writes);
}

/* ---- What is open -------------------------------------------------------------------------- */

bool
tokens_open(struct tokens *tokens, struct fn_call *call, struct writes *writes, int64_t amount,
	const char *reason, struct fn_bytes charge, int64_t until_ms, struct fn_error *err)
{
	return debit(tokens, call, writes, amount, reason, charge, until_ms, err);
}

bool
tokens_prolong(struct tokens *tokens, struct fn_call *call, struct writes *writes,
	struct fn_bytes creation, int64_t until_ms, struct fn_bytes *charge)
{
	for (size_t i = 0; i < json_array_size(tokens->open); i++) {
		struct open open = open_at(tokens, i);

		if (!fn_bytes_equal(creation_of(open.charge), creation))
			continue;
		*charge = fn_bytes_copy(call->arena, open.charge);
		open.charge = *charge;
		open.until_ms = until_ms;
		json_array_remove(tokens->open, i);
		open_add(tokens, &open);
		add_balance(tokens, call, writes);
		return true;
	}
	return false;
}

bool
tokens_close(struct tokens *tokens, struct fn_call *call, struct writes *writes,
	struct fn_bytes charge, int64_t until_ms, bool refund)
{
	for (size_t i = 0; i < json_array_size(tokens->open); i++) {
		const struct open open = open_at(tokens, i);

		if (!fn_bytes_equal(open.charge, charge) || open.until_ms != until_ms)
			continue;
		if (refund)
			add_refund(tokens, call, writes, open.amount, charge);
		json_array_remove(tokens->open, i);
		add_balance(tokens, call, writes);
		return true;
	}
	return false;
}
