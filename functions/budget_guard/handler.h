/* handler.h: the function budget_guard: when the month's budget is spent, Phoenix goes on, small.
 */
#ifndef BUDGET_GUARD_HANDLER_H
#define BUDGET_GUARD_HANDLER_H

#include "adapters/document_store.h"
#include "adapters/run_admin.h"
#include "fn/cloud_event.h"
#include "fn/config.h"
#include "functions/budget_guard/guarded.h"

struct budget_guard_config {
	const char *budget_id; /* BUDGET_ID: notices of others are not ours */
	long threshold;        /* BUDGET_THRESHOLD_PERCENT */
	const char *services;  /* GUARDED_SERVICES */
};

extern const struct fn_setting budget_guard_settings[];

struct services {
	const struct budget_guard_config *config;
	struct document_store *documents;
	struct run_admin *admin;
	const struct guarded *guarded;
	size_t guarded_count;
};

/* `with` is a struct services. */
bool budget_guard(struct fn_call *, const struct fn_event *, const void *with, struct fn_error *);

#endif
