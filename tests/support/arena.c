#include "tests/support/arena.h"

struct fn_arena *arena;

void
arena_begin(void)
{
	arena = fn_arena_new();
}

void
arena_end(void)
{
	fn_arena_drop(arena);
}
