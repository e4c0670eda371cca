#include "adapters/wire/json.h"

static void
release(void *tree)
{
	json_decref(tree);
}

json_t *
json_keep(struct fn_arena *arena, json_t *tree)
{
	if (tree)
		fn_arena_defer(arena, release, tree);
	return tree;
}

struct fn_bytes
json_text(const json_t *value)
{
	return (struct fn_bytes){json_string_value(value), json_string_length(value)};
}
