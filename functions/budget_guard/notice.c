#include "functions/budget_guard/notice.h"

#include "domain/fields.h"
#include "fn/base64.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define MICROS 1000000
#define MONEY_MOST 1e9 /* what a budget may be, so that a hundredfold of it is a number yet */

static json_t *
parse(struct fn_call *call, struct fn_bytes text)
{
	return fields_keep(call, json_loadb(text.at, text.size, JSON_REJECT_DUPLICATES, NULL));
}

static struct fn_bytes
text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return (struct fn_bytes){json_string_value(value), json_string_length(value)};
}

/* RFC 3339 in UTC, as Google writes all times. */
static bool
read_time(const char *name, struct fn_bytes text, struct fn_call *call, int64_t *unix_ms,
	struct fn_error *err)
{
	struct tm utc = {0};
	const char *rest = strptime(fn_text(call->arena, text), "%Y-%m-%dT%H:%M:%S", &utc);

	if (rest && rest[0] == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (!rest || strcmp(rest, "Z") != 0)
		return fn_fail(err, FN_INVALID, "%s is no time in UTC", name);
	*unix_ms = (int64_t)timegm(&utc) * 1000;
	return true;
}

static bool
read_money(const json_t *object, const char *name, int64_t *micros, struct fn_error *err)
{
	const json_t *value = json_object_get(object, name);
	double amount = json_number_value(value);

	if (!json_is_number(value) || !(fabs(amount) <= MONEY_MOST))
		return fn_fail(err, FN_INVALID, "%s is no amount of money", name);
	*micros = llround(amount * MICROS);
	return true;
}

static bool
open_message(const json_t *message, struct fn_call *call, json_t **body, struct fn_error *err)
{
	struct fn_bytes data = text_of(message, "data");
	char *plain = fn_arena_try(call->arena, data.size + 1);
	size_t size;

	if (!plain || !fn_base64_decode(data, plain, &size))
		return fn_fail(err, FN_INVALID, "its data is no base64");
	*body = parse(call, (struct fn_bytes){plain, size});
	return json_is_object(*body) || fn_fail(err, FN_INVALID, "its data is no JSON object");
}

static bool
read(struct notice *notice, struct fn_call *call, const struct fn_event *event,
	struct fn_error *err)
{
	const json_t *message = json_object_get(parse(call, event->data), "message");
	const json_t *attributes = json_object_get(message, "attributes");
	json_t *body;

	if (!fn_bytes_is(text_of(attributes, "schemaVersion"), "1.0"))
		return fn_fail(err, FN_INVALID, "its schemaVersion is not 1.0");
	notice->budget_id = text_of(attributes, "budgetId");
	if (notice->budget_id.size == 0)
		return fn_fail(err, FN_INVALID, "it has no budgetId");
	TRY(open_message(message, call, &body, err));
	TRY(read_time("the event's time", event->time, call, &notice->published_ms, err));
	TRY(read_time("costIntervalStart", text_of(body, "costIntervalStart"), call,
		&notice->period_ms, err));
	TRY(read_money(body, "costAmount", &notice->cost_micros, err));
	TRY(read_money(body, "budgetAmount", &notice->budget_micros, err));
	if (notice->budget_micros <= 0)
		return fn_fail(err, FN_INVALID, "budgetAmount is not above zero");
	if (notice->period_ms > notice->published_ms)
		return fn_fail(err, FN_INVALID, "its period has not begun");
	return true;
}

bool
notice_read(struct notice *notice, struct fn_call *call, const struct fn_event *event,
	struct fn_error *err)
{
	struct notice made;

	if (!read(&made, call, event, err))
		return fn_wrap(err, "this is no notice of a budget");
	*notice = made;
	return true;
}
