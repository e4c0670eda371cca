/* rate_limit_memory.h: turns that one process counts. Private to adapters. */
#ifndef RATE_LIMIT_MEMORY_H
#define RATE_LIMIT_MEMORY_H

#include "adapters/rate_limit.h"

struct rate_limit_memory; /* opaque; safe for many threads */

struct rate_limit_memory *rate_limit_memory_open(void);
void rate_limit_memory_close(struct rate_limit_memory *);

void rate_limit_memory_take(struct rate_limit_memory *, const struct rate_rule *,
	struct fn_bytes event, struct rate_turn *);
void rate_limit_memory_give_back(
	struct rate_limit_memory *, const struct rate_rule *, struct fn_bytes event);

#endif
