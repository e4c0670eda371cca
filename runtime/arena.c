#include "fn/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT alignof(max_align_t)
#define ROOM 16384      /* of a block; a piece of this size or more gets a block of its own */
#define FIRST_ROOM 4000 /* with the arena and malloc's own words just under a page */

struct block {
	struct block *older;
	alignas(max_align_t) char at[];
};

struct deferred {
	struct deferred *older;
	void (*release)(void *);
	void *what;
};

struct fn_arena {
	char *at; /* the next piece, if it fits into what is left */
	size_t left;
	struct block *blocks;
	struct deferred *deferred;
	alignas(max_align_t) char first[FIRST_ROOM];
};

static void *
must(void *memory)
{
	if (memory)
		return memory;
	fputs("out of memory\n", stderr);
	abort();
}

struct fn_arena *
fn_arena_new(void)
{
	struct fn_arena *arena = must(malloc(sizeof(*arena)));

	arena->blocks = NULL;
	arena->deferred = NULL;
	fn_arena_reset(arena);
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
	while (arena->blocks) {
		struct block *newest = arena->blocks;

		arena->blocks = newest->older;
		free(newest);
	}
	arena->at = arena->first;
	arena->left = sizeof(arena->first);
}

void
fn_arena_drop(struct fn_arena *arena)
{
	if (!arena)
		return;
	fn_arena_reset(arena);
	free(arena);
}

static char *
block_try(struct fn_arena *arena, size_t room)
{
	struct block *block = malloc(sizeof(*block) + room);

	if (!block)
		return NULL;
	block->older = arena->blocks;
	arena->blocks = block;
	return block->at;
}

void *
fn_arena_try(struct fn_arena *arena, size_t size)
{
	size_t whole = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	char *room;

	if (size > PTRDIFF_MAX)
		return NULL;
	if (whole >= ROOM)
		return block_try(arena, whole);
	if (whole > arena->left) {
		room = block_try(arena, ROOM);
		if (!room)
			return NULL;
		arena->at = room;
		arena->left = ROOM;
	}
	arena->at += whole;
	arena->left -= whole;
	return arena->at - whole;
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
