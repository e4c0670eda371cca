#include "domain/quota.h"

#include "fn/retry.h"

#include <stddef.h>

#define WINDOW_MS 1000
#define WAIT_MOST_MS 30000
#define MANY 100000

const struct fn_setting quota_settings[] = {
	{"IMAGE_QUOTA_PER_SECOND", FN_NUMBER, offsetof(struct quota_config, images_per_second),
		"10", 0, MANY, "calls to the image model within any second; 0: no limit"},
	{0},
};

static bool
refuse(int64_t wait_ms, struct fn_error *err)
{
	fn_fail(err, FN_BUSY, "the image model's quota is used up for longer than there is time");
	err->retry_after_s = (unsigned)((wait_ms + 999) / 1000);
	return false;
}

bool
quota_wait(const struct quota *quota, struct fn_call *call, struct fn_bytes event,
	struct fn_error *err)
{
	const struct rate_rule rule = {
		.name = FN_BYTES("image_model"),
		.most = quota->config.images_per_second,
		.window_ms = WINDOW_MS,
		.patience_ms = fn_time_left_ms(call, 2 * WAIT_MOST_MS) / 2,
	};
	struct fn_retry once = {.attempts = 2};
	struct rate_turn turn;

	if (rule.most == 0)
		return true;
	TRY(rate_limit_take(quota->counter, call, &rule, event, &turn, err));
	if (turn.refused)
		return refuse(turn.wait_ms, err);
	return turn.wait_ms == 0 || fn_retry_wait(&once, call, turn.wait_ms) ||
	       refuse(turn.wait_ms, err);
}
