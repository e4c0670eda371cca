#include "fn/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT alignof(max_align_t)
#define FIRST_BLOCK 4000 /* with malloc's own word just under a page */
#define LARGE 16384      /* from here on a piece gets a block of its own, sized to fit */

struct block {
	struct block *older;
	size_t used, room;
	alignas(max_align_t) char at[];
};

struct deferred {
	struct deferred *older;
	void (*release)(void *);
	void *what;
};

struct fn_arena {
	struct block *newest;
	struct deferred *deferred;
};

static struct block *
block_new(size_t room)
{
	struct block *block;

	if (room > SIZE_MAX - sizeof(*block))
		return NULL;
	block = malloc(sizeof(*block) + room);
	if (block)
		*block = (struct block){.room = room};
	return block;
}

static void *
must(void *memory)
{
	if (memory)
		return memory;
	fputs("out of memory\n", stderr);
	abort();
}

/* The arena stands at the start of its own first block, which is never freed before it. */
struct fn_arena *
fn_arena_new(void)
{
	struct block *first = must(block_new(FIRST_BLOCK));
	struct fn_arena *arena = (struct fn_arena *)first->at;

	first->used = (sizeof(*arena) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	*arena = (struct fn_arena){.newest = first};
	return arena;
}

void
fn_arena_reset(struct fn_arena *arena)
{
	while (arena->deferred) {
		struct deferred *last = arena->deferred;

		arena->deferred = last->older;
		last->release(last->what);
	}
	while (arena->newest->older) {
		struct block *block = arena->newest;

		arena->newest = block->older;
		free(block);
	}
	arena->newest->used = (sizeof(*arena) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

void
fn_arena_drop(struct fn_arena *arena)
{
	if (!arena)
		return;
	fn_arena_reset(arena);
	free(arena->newest);
}

/* A large block goes behind the newest, whose room may still serve small pieces. */
static void *
large_try(struct fn_arena *arena, size_t size)
{
	struct block *block = block_new(size);

	if (!block)
		return NULL;
	block->used = size;
	block->older = arena->newest->older;
	arena->newest->older = block;
	return block->at;
}

void *
fn_arena_try(struct fn_arena *arena, size_t size)
{
	struct block *block = arena->newest;
	size_t whole = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);

	if (size > SIZE_MAX - ALIGNMENT)
		return NULL;
	if (whole > block->room - block->used) {
		if (whole >= LARGE)
			return large_try(arena, size);
		block = block_new(whole > FIRST_BLOCK ? LARGE : FIRST_BLOCK);
		if (!block)
			return NULL;
		block->older = arena->newest;
		arena->newest = block;
	}
	block->used += whole;
	return block->at + block->used - whole;
}

void *
fn_arena_alloc(struct fn_arena *arena, size_t size)
{
	return must(fn_arena_try(arena, size));
}

void *
fn_arena_zero(struct fn_arena *arena, size_t size)
{
	return memset(fn_arena_alloc(arena, size), 0, size);
}

void
fn_arena_defer(struct fn_arena *arena, void (*release)(void *), void *what)
{
	struct deferred *entry = fn_arena_alloc(arena, sizeof(*entry));

	*entry = (struct deferred){.older = arena->deferred, .release = release, .what = what};
	arena->deferred = entry;
}
