#include "domain/limits.h"

#include <inttypes.h>
#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define POLICY "generations"
#define HOUR_MS 3600000
#define MANY 1000000

const struct fn_setting limits_settings[] = {
	{"GENERATIONS_PER_HOUR", FN_NUMBER, offsetof(struct limits_config, generations_per_hour),
		"10", 0, MANY, "pictures and videos of a user within any hour; 0: no limit"},
	{0},
};

static struct rate_rule
rule_for(const struct limits *limits, struct fn_call *call, const struct user *user)
{
	const char *name = fn_textf(call->arena, POLICY ":%.*s", FN_ARG(user->id));

	return (struct rate_rule){
		.name = fn_bytes(name),
		.most = limits->config.generations_per_hour,
		.window_ms = HOUR_MS,
	};
}

static int64_t
seconds(int64_t ms)
{
	return (ms + 999) / 1000;
}

static bool
tell(struct fn_call *call, const struct rate_rule *rule, const struct rate_turn *turn,
	struct fn_error *err)
{
	struct fn_arena *arena = call->arena;
	int64_t reset_s = seconds(turn->reset_ms);
	const struct {
		const char *name, *value;
	} headers[] = {
		{"RateLimit-Policy", fn_textf(arena, "\"" POLICY "\";q=%ld;w=%" PRId64, rule->most,
					     rule->window_ms / 1000)},
		{"RateLimit", fn_textf(arena, "\"" POLICY "\";r=%" PRId64 ";t=%" PRId64,
				      turn->remaining, reset_s)},
		{"RateLimit-Limit", fn_textf(arena, "%ld", rule->most)},
		{"RateLimit-Remaining", fn_textf(arena, "%" PRId64, turn->remaining)},
		{"RateLimit-Reset", fn_textf(arena, "%" PRId64, reset_s)},
	};

	for (size_t i = 0; i < COUNT(headers); i++)
		TRY(fn_reply_header(call, headers[i].name, fn_bytes(headers[i].value), err));
	return true;
}

bool
limits_generation(const struct limits *limits, struct fn_call *call, const struct user *user,
	struct fn_bytes event, struct fn_error *err)
{
	struct rate_turn turn;

	if (limits->config.generations_per_hour == 0)
		return true;
	const struct rate_rule rule = rule_for(limits, call, user);

	TRY(rate_limit_take(limits->counter, call, &rule, event, &turn, err));
	TRY(tell(call, &rule, &turn, err));
	if (!turn.refused)
		return true;
	fn_fail(err, FN_RATE_LIMITED,
		"you have made %ld within the last hour, which is as many as may be; the next one "
		"can be made in %" PRId64 " s",
		rule.most, seconds(turn.wait_ms));
	err->retry_after_s = (unsigned)seconds(turn.wait_ms);
	return false;
}

void
limits_give_back(const struct limits *limits, struct fn_call *call, const struct user *user,
	struct fn_bytes event)
{
	if (limits->config.generations_per_hour == 0)
		return;
	const struct rate_rule rule = rule_for(limits, call, user);

	rate_limit_give_back(limits->counter, call, &rule, event);
}
