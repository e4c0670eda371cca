/* arena.h: the arena of the row of a test that runs.
 *
 *	return suite_run_with("bytes", cases, COUNT(cases), arena_begin, arena_end); */
#ifndef TESTS_ARENA_H
#define TESTS_ARENA_H

#include "fn/arena.h"

extern struct fn_arena *arena;

void arena_begin(void);
void arena_end(void);

#endif
