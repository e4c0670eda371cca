#include "functions/budget_guard/guarded.h"

#include "adapters/run_admin.h"

#define FLOOR_MOST 10000

static bool
read_one(struct guarded *guarded, struct fn_bytes text, struct fn_error *err)
{
	struct fn_bytes floor = text, name = fn_bytes_cut(&floor, '=');
	uint64_t number;

	if (!run_admin_is_name(name) || !fn_bytes_number(floor, FLOOR_MOST, &number) || number == 0)
		return fn_fail(err, FN_INVALID,
			"GUARDED_SERVICES: \"%.*s\" is not of the form "
			"projects/P/locations/L/services/S=FLOOR",
			FN_ARG(text));
	*guarded = (struct guarded){name, (int64_t)number};
	return true;
}

bool
guarded_read(struct fn_bytes value, struct fn_arena *arena, const struct guarded **list,
	size_t *count, struct fn_error *err)
{
	struct guarded *made = fn_arena_alloc(arena, (value.size + 1) * sizeof(*made));
	size_t n = 0;

	do
		TRY(read_one(&made[n++], fn_bytes_cut(&value, ','), err));
	while (value.size > 0);
	*list = made;
	*count = n;
	return true;
}
