/* guarded.h: the services that are kept small while the budget is spent. */
#ifndef BUDGET_GUARD_GUARDED_H
#define BUDGET_GUARD_GUARDED_H

#include "fn/bytes.h"

struct guarded {
	struct fn_bytes name; /* "projects/P/locations/L/services/S" */
	int64_t floor;        /* how many instances it keeps */
};

/* "NAME=FLOOR,NAME=FLOOR": the value of GUARDED_SERVICES, which is borrowed. FN_INVALID names the
 * variable. */
FN_MUST bool guarded_read(struct fn_bytes value, struct fn_arena *, const struct guarded **,
	size_t *count, struct fn_error *);

#endif
