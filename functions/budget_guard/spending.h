/* spending.h: what is known of a budget's month, from all notices so far.
 *
 * Of the newest month the highest cost, and the budget as the latest notice has it: the same
 * whatever order the notices come in, and however often. So a late or repeated notice never undoes
 * what a newer one has said; a new month does, and a person who raises the budget. */
#ifndef BUDGET_GUARD_SPENDING_H
#define BUDGET_GUARD_SPENDING_H

#include "adapters/document_store.h"
#include "functions/budget_guard/notice.h"

struct spending {
	int64_t period_ms, cost_micros;
	int64_t budget_micros, published_ms; /* of the notice that said what the budget is */
	int64_t version;                     /* of the document; 0: there is none yet */
};

/* Adds what the notice says to what is kept. Fails as the store does. */
FN_MUST bool spending_add(
	struct fn_call *, struct document_store *, const struct notice *, struct fn_error *);

/* FN_NOT_FOUND: there has been no notice of this budget. */
FN_MUST bool spending_read(struct spending *, struct fn_call *, struct document_store *,
	struct fn_bytes budget_id, struct fn_error *);

bool spending_reaches(const struct spending *, int64_t percent);

#endif
