/* notice.h: what Cloud Billing says of a budget, some times an hour, in any order, more than once.
 * Source: cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications, schema 1.0. */
#ifndef BUDGET_GUARD_NOTICE_H
#define BUDGET_GUARD_NOTICE_H

#include "fn/cloud_event.h"

struct notice {
	struct fn_bytes budget_id;
	int64_t period_ms;    /* Unix time at which the budget's month began */
	int64_t published_ms; /* the same for the notice itself */
	int64_t cost_micros;  /* millionths of the budget's currency; below zero after a credit */
	int64_t budget_micros;
};

/* FN_INVALID: it is no such notice; the message says what is wrong with it. */
FN_MUST bool notice_read(
	struct notice *, struct fn_call *, const struct fn_event *, struct fn_error *);

#endif
