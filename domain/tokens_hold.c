#include "domain/tokens_hold.h"

#include "fn/clock.h"

#include <inttypes.h>

#define REFUND_MOST_MS 2000 /* beyond the call's deadline */

/* ---- Hold ---------------------------------------------------------------------------------- */

/* The first charge for this creation that was not refunded. */
static bool
find_charge(struct fn_bytes *charge, struct fn_call *call, struct document_store *documents,
	struct fn_bytes creation, struct fn_error *err)
{
	struct document refund;
	struct fn_error why;

	for (int64_t nth = 1;; nth++) {
		*charge = tokens_charge(call, creation, nth);
		const char *entry = fn_textf(call->arena, "%.*s.refund", FN_ARG(*charge));

		if (document_store_get(documents, call, LEDGER, fn_bytes(entry), &refund, &why))
			continue;
		if (why.code != FN_NOT_FOUND)
			*err = why;
		return why.code == FN_NOT_FOUND;
	}
}

bool
tokens_hold(struct tokens_hold *hold, struct fn_call *call, struct document_store *documents,
	const struct tokens_config *prices, int64_t amount, const char *reason,
	struct fn_bytes user, struct fn_bytes creation, int64_t until_ms, struct fn_error *err)
{
	struct tokens_hold held = {user, creation, amount, until_ms};
	struct fn_retry retry = WRITES_RETRY;
	struct tokens tokens;
	struct fn_error why = {0};

	while (amount > 0) {
		struct writes writes = {0};

		TRY(tokens_read(&tokens, call, documents, user, prices->signup, err));
		if (why.code == FN_CONFLICT)
			TRY(find_charge(&held.charge, call, documents, creation, err));
		if (!tokens_prolong(&tokens, call, &writes, creation, until_ms, &held.charge))
			TRY(tokens_open(&tokens, call, &writes, amount, reason, held.charge,
				until_ms, err));
		if (writes_commit(&writes, call, documents, &why))
			break;
		if (!writes_again(&retry, call, &why)) {
			*err = why;
			return false;
		}
	}
	*hold = held;
	return true;
}

/* ---- The end ------------------------------------------------------------------------------- */

bool
tokens_hold_keep(const struct tokens_hold *hold, struct fn_call *call,
	struct document_store *documents, struct writes *writes, struct fn_error *err)
{
	struct tokens tokens;

	if (hold->amount == 0)
		return true;
	TRY(tokens_read(&tokens, call, documents, hold->user, 0, err));
	return tokens_close(&tokens, call, writes, hold->charge, hold->until_ms, false) ||
	       fn_fail(err, FN_DEADLINE, "it took so long that its tokens were given back");
}

static bool
refund(const struct tokens_hold *hold, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	struct fn_retry retry = WRITES_RETRY;
	struct tokens tokens;

	do {
		struct writes writes = {0};

		TRY(tokens_read(&tokens, call, documents, hold->user, 0, err));
		if (!tokens_close(&tokens, call, &writes, hold->charge, hold->until_ms, true) ||
			writes_commit(&writes, call, documents, err))
			return true;
	} while (writes_again(&retry, call, err));
	return false;
}

/* Often the deadline is what made the work fail: this is given time of its own. */
void
tokens_hold_refund(
	const struct tokens_hold *hold, struct fn_call *call, struct document_store *documents)
{
	struct fn_call last = *call;
	struct fn_error err;

	last.deadline_ms = fn_now_ms() + REFUND_MOST_MS;
	if (hold->amount > 0 && !refund(hold, &last, documents, &err))
		fn_log(call, FN_WARNING, "%" PRId64 " tokens for %.*s not refunded yet: %s",
			hold->amount, FN_ARG(hold->charge), err.message);
}
