#include "domain/tokens.h"

#include "domain/fields.h"
#include "fn/clock.h"

#include <inttypes.h>
#include <stddef.h>

#define BALANCES "balances"
#define LEDGER "ledger"
#define MANY 1000000000

#define INTO(member) offsetof(struct tokens_config, member)

const struct fn_setting tokens_settings[] = {
	{"VIDEO_TOKENS", FN_NUMBER, INTO(video), "10", 0, MANY, "what a video costs"},
	{"SIGNUP_TOKENS", FN_NUMBER, INTO(signup), "100", 0, MANY, "what everybody begins with"},
	{0},
};

bool
tokens_read(struct tokens *tokens, struct fn_call *call, struct document_store *documents,
	struct fn_bytes user, long signup, struct fn_error *err)
{
	struct document document;
	struct fn_error why;

	if (!document_store_get(documents, call, BALANCES, user, &document, &why)) {
		if (why.code == FN_NOT_FOUND) {
			*tokens = (struct tokens){.user = user, .balance = signup};
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
		.version = document.version,
	};
	if (from.wrong)
		return fn_fail(err, FN_INTERNAL, BALANCES "/%.*s: no usable %s in it", FN_ARG(user),
			from.wrong);
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
	writes_add(
		writes, (struct document_write){
				.kind = tokens->version == 0 ? DOCUMENT_CREATE : DOCUMENT_REPLACE,
				.collection = BALANCES,
				.id = tokens->user,
				.fields = fields,
				.if_version = tokens->version,
			});
}

static void
add_entry(struct tokens *tokens, struct fn_call *call, struct writes *writes, int64_t amount,
	const char *reason, struct fn_bytes creation)
{
	json_t *fields = fields_keep(call, json_object());

	tokens->entries++;
	fields_put(fields, "user_id", fields_text_or_null(tokens->user));
	fields_put(fields, "number", json_integer(tokens->entries));
	fields_put(fields, "amount", json_integer(amount));
	fields_put(fields, "reason", json_string(reason));
	fields_put(fields, "creation_id", fields_text_or_null(creation));
	fields_put(fields, "created_at_ms", json_integer(fn_unix_ms()));
	writes_add(writes, (struct document_write){
				   .kind = DOCUMENT_CREATE,
				   .collection = LEDGER,
				   .id = fn_bytes(fn_textf(call->arena, "%.*s.%010" PRId64,
					   FN_ARG(tokens->user), tokens->entries)),
				   .fields = fields,
			   });
}

static void
change(struct tokens *tokens, struct fn_call *call, struct writes *writes, int64_t amount,
	const char *reason, struct fn_bytes creation)
{
	if (amount == 0)
		return;
	if (tokens->version == 0 && tokens->balance > 0)
		add_entry(tokens, call, writes, tokens->balance, "signup", (struct fn_bytes){0});
	add_entry(tokens, call, writes, amount, reason, creation);
	tokens->balance += amount;
	add_balance(tokens, call, writes);
}

bool
tokens_debit(struct tokens *tokens, struct fn_call *call, struct writes *writes, int64_t amount,
	const char *reason, struct fn_bytes creation, struct fn_error *err)
{
	if (tokens->balance < amount)
		return fn_fail(err, FN_PAYMENT_REQUIRED,
			"tokens: this takes %" PRId64 ", you have %" PRId64, amount,
			tokens->balance);
	change(tokens, call, writes, -amount, reason, creation);
	return true;
}

void
tokens_refund(struct tokens *tokens, struct fn_call *call, struct writes *writes, int64_t amount,
	struct fn_bytes creation)
{
	change(tokens, call, writes, amount, "refund", creation);
}
