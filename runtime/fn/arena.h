/* arena.h: memory that lives exactly as long as one call.
 *
 * Each call has an arena; the runtime drops it once the answer is sent. Nothing in it is freed
 * by hand. What must be released otherwise (a file, a JSON tree) is handed to fn_arena_defer. */
#ifndef FN_ARENA_H
#define FN_ARENA_H

#include <stddef.h>

struct fn_arena;

struct fn_arena *fn_arena_new(void);
void fn_arena_drop(struct fn_arena *); /* runs the deferred, last first; NULL is fine */

/* Empties the arena and keeps a little of its memory for the next call. */
void fn_arena_reset(struct fn_arena *);

/* Aligned for any type, not cleared. Never NULL: for sizes that our own code chooses a machine
 * without memory is the end of the process, as the kernel would have it anyway. */
void *fn_arena_alloc(struct fn_arena *, size_t size)
	__attribute__((malloc, alloc_size(2), returns_nonnull));
void *fn_arena_zero(struct fn_arena *, size_t size)
	__attribute__((malloc, alloc_size(2), returns_nonnull));

/* The same for sizes that come from outside: NULL when there is no memory. */
void *fn_arena_try(struct fn_arena *, size_t size) __attribute__((malloc, alloc_size(2)));

/* `release(what)` is called when the arena is reset or dropped. */
void fn_arena_defer(struct fn_arena *, void (*release)(void *), void *what);

/* AUTO(drop_reply) redisReply *reply = ...;  the drop gets the variable's value at each exit
 * from its scope. FN_DROP makes a dropper from a plain release function. */
#define AUTO(dropper) __attribute__((cleanup(dropper), unused))
#define FN_DROP(dropper, type, release)                                                            \
	static inline void dropper(type *what)                                                     \
	{                                                                                          \
		if (*what)                                                                         \
			release(*what);                                                            \
	}

#endif
