/* quota.h: calls to the image model, of all processes together no more than its quota allows.
 *
 * Who comes when it is used up waits for his turn, which is a moment as a rule, instead of being
 * turned away by the model. Turns come in the order in which they are asked for. */
#ifndef QUOTA_H
#define QUOTA_H

#include "adapters/rate_limit.h"

struct quota_config {
	long images_per_second; /* IMAGE_QUOTA_PER_SECOND; 0: no limit */
};

extern const struct fn_setting quota_settings[];

struct quota {
	struct rate_limit *counter; /* unused where there is no limit */
	struct quota_config config;
};

/* Waits until the model may be asked; half of the time that is left stays for its answer.
 * FN_BUSY (with retry_after_s): too many wait already, or it cannot be counted. */
FN_MUST bool quota_wait(
	const struct quota *, struct fn_call *, struct fn_bytes event, struct fn_error *);

#endif
