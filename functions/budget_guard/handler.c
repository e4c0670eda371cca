#include "functions/budget_guard/handler.h"

#include "fn/retry.h"
#include "functions/budget_guard/spending.h"

#include <inttypes.h>
#include <stddef.h>
#include <sys/param.h>

#define INTO(member) offsetof(struct budget_guard_config, member)

const struct fn_setting budget_guard_settings[] = {
	{"BUDGET_ID", FN_TEXT, INTO(budget_id), NULL, 0, 0,
		"the budget to keep to: the last part of its resource name"},
	{"BUDGET_THRESHOLD_PERCENT", FN_NUMBER, INTO(threshold), "100", 1, 1000,
		"how much of the budget may be spent before services are kept small"},
	{"GUARDED_SERVICES", FN_TEXT, INTO(services), NULL, 0, 0,
		"these, and how small: projects/P/locations/L/services/S=FLOOR,..."},
	{0},
};

/* ---- One service ----------------------------------------------------------------------------- */

static void
log_change(struct fn_call *call, const struct run_service *service, int64_t limit,
	const struct spending *spending)
{
	fn_log(call, FN_NOTICE,
		"%.*s may have %" PRId64 " instances, after %" PRId64 ": %" PRId64
		" %% of the budget is spent",
		FN_ARG(service->name), limit, service->limit ? service->limit : service->ceiling,
		spending->cost_micros * 100 / spending->budget_micros);
}

/* True once there is nothing to do. What is known of the spending is read after the service:
 * whoever learns more later looks at the service later still, and sees what was done here. For the
 * same reason a change is not the end: somebody may have looked just before it. */
static bool
limit_once(const struct services *use, struct fn_call *call, const struct guarded *guarded,
	struct fn_error *err)
{
	struct run_service service;
	struct spending spending;

	TRY(run_admin_read(use->admin, call, guarded->name, &service, err));
	TRY(spending_read(&spending, call, use->documents, fn_bytes(use->config->budget_id), err));
	bool is_spent = spending_reaches(&spending, use->config->threshold);
	int64_t limit = is_spent ? MIN(guarded->floor, service.ceiling) : service.ceiling;
	int64_t limit_now = service.limit > 0 ? service.limit : service.ceiling;

	if (limit_now == limit)
		return true;
	TRY(run_admin_limit(use->admin, call, &service, limit, err));
	log_change(call, &service, limit, &spending);
	return fn_fail(
		err, FN_PRECONDITION, "%.*s was not seen to keep its limit", FN_ARG(guarded->name));
}

static bool
may_pass(enum fn_code code)
{
	return code == FN_PRECONDITION || code == FN_UPSTREAM || code == FN_BUSY ||
	       code == FN_RATE_LIMITED || code == FN_DEADLINE;
}

/* A change whose fate is unknown is decided anew, from what the service then is. */
static bool
limit(const struct services *use, struct fn_call *call, const struct guarded *guarded,
	struct fn_error *err)
{
	struct fn_retry retry = {.attempts = 12, .first_ms = 50, .most_ms = 15000};

	while (!limit_once(use, call, guarded, err)) {
		if (!may_pass(err->code) || !fn_retry_wait(&retry, call, err->retry_after_s * 1000))
			return false;
	}
	return true;
}

/* ---- The event ------------------------------------------------------------------------------- */

/* One that cannot be limited keeps none of the others from it. */
static bool
limit_all(const struct services *use, struct fn_call *call, struct fn_error *err)
{
	struct fn_error why;
	bool ok = true;

	for (size_t i = 0; i < use->guarded_count; i++) {
		if (limit(use, call, &use->guarded[i], &why))
			continue;
		if (!ok)
			fn_log(call, FN_ERROR, "%s", err->message);
		*err = why;
		ok = false;
	}
	return ok;
}

/* A notice of the budget, several times an hour: keep what it says, then bring each service to
 * where it should be. While the budget is spent that is its floor, else what its revision allows.
 *
 * Each notice brings all of them there, whatever was done before, so one that was missed, or that
 * failed half-way, is made good by the next. What is no notice fails until Pub/Sub gives it up and
 * lays it down as a dead letter, where somebody sees it. */
bool
budget_guard(
	struct fn_call *call, const struct fn_event *event, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct notice notice;

	TRY(notice_read(&notice, call, event, err));
	if (!fn_bytes_is(notice.budget_id, use->config->budget_id)) {
		fn_log(call, FN_WARNING, "a notice of another budget: %.*s",
			FN_ARG(notice.budget_id));
		return true;
	}
	TRY(spending_add(call, use->documents, &notice, err));
	return limit_all(use, call, err);
}
