#include "functions/budget_guard/spending.h"

#include "domain/fields.h"
#include "domain/writes.h"

#define COLLECTION "budgets"

/* ---- The document ---------------------------------------------------------------------------- */

bool
spending_read(struct spending *spending, struct fn_call *call, struct document_store *documents,
	struct fn_bytes budget_id, struct fn_error *err)
{
	struct document document;

	TRY(document_store_get(documents, call, COLLECTION, budget_id, &document, err));
	struct fields from = {document.fields, NULL};
	const struct spending read = {
		.period_ms = fields_number(&from, "period_ms"),
		.cost_micros = fields_number(&from, "cost_micros"),
		.budget_micros = fields_number(&from, "budget_micros"),
		.published_ms = fields_number(&from, "published_ms"),
		.version = document.version,
	};
	if (from.wrong)
		return fn_fail(err, FN_INTERNAL, COLLECTION "/%.*s: no usable %s in it",
			FN_ARG(budget_id), from.wrong);
	*spending = read;
	return true;
}

static bool
keep(const struct spending *spending, struct fn_call *call, struct document_store *documents,
	struct fn_bytes budget_id, struct fn_error *err)
{
	json_t *fields = fields_keep(call, json_object());
	struct document_write write = {
		.kind = spending->version == 0 ? DOCUMENT_CREATE : DOCUMENT_REPLACE,
		.collection = COLLECTION,
		.id = budget_id,
		.fields = fields,
		.if_version = spending->version,
	};

	fields_put(fields, "period_ms", json_integer(spending->period_ms));
	fields_put(fields, "cost_micros", json_integer(spending->cost_micros));
	fields_put(fields, "budget_micros", json_integer(spending->budget_micros));
	fields_put(fields, "published_ms", json_integer(spending->published_ms));
	return document_store_commit(documents, call, &write, 1, err);
}

/* ---- What the notices say together ----------------------------------------------------------- */

/* Whether there was anything new in it. */
static bool
join(struct spending *spending, const struct notice *notice)
{
	bool is_later = notice->published_ms > spending->published_ms;
	bool is_higher = notice->cost_micros > spending->cost_micros;

	if (notice->period_ms < spending->period_ms)
		return false;
	if (notice->period_ms > spending->period_ms) {
		spending->period_ms = notice->period_ms;
		is_later = is_higher = true;
	}
	if (is_higher)
		spending->cost_micros = notice->cost_micros;
	if (is_later) {
		spending->published_ms = notice->published_ms;
		spending->budget_micros = notice->budget_micros;
	}
	return is_later || is_higher;
}

static bool
add_once(struct fn_call *call, struct document_store *documents, const struct notice *notice,
	struct fn_error *err)
{
	struct spending spending = {0};
	struct fn_error why;

	if (!spending_read(&spending, call, documents, notice->budget_id, &why) &&
		why.code != FN_NOT_FOUND) {
		*err = why;
		return false;
	}
	return !join(&spending, notice) || keep(&spending, call, documents, notice->budget_id, err);
}

bool
spending_add(struct fn_call *call, struct document_store *documents, const struct notice *notice,
	struct fn_error *err)
{
	struct fn_retry retry = WRITES_RETRY;

	while (!add_once(call, documents, notice, err)) {
		if (!writes_again(&retry, call, err))
			return false;
	}
	return true;
}

bool
spending_reaches(const struct spending *spending, int64_t percent)
{
	return spending->cost_micros * 100 >= spending->budget_micros * percent;
}
