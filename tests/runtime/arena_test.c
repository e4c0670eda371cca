#include "fn/arena.h"

#include "tests/support/suite.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

static struct fn_arena *arena;
static int released[8];
static size_t release_count;

static void
release(void *what)
{
	released[release_count++] = *(const int *)what;
}

static void
arena_open(void)
{
	arena = fn_arena_new();
	release_count = 0;
}

static void
arena_close(void)
{
	fn_arena_drop(arena);
}

static bool
is_all(const char *at, char byte, size_t size)
{
	size_t same = 0;

	while (same < size && at[same] == byte)
		same++;
	return same == size;
}

static const size_t sizes[] = {0, 1, 15, 16, 17, 3999, 4000, 4001, 16383, 16384, 16385, 3 << 20};

/* Pieces of any size stand apart: what is written to one is not seen in another. */
START_TEST(pieces_do_not_overlap)
{
	char *pieces[3 * COUNT(sizes)];

	for (size_t i = 0; i < COUNT(pieces); i++) {
		size_t size = sizes[i % COUNT(sizes)];

		pieces[i] = fn_arena_alloc(arena, size);
		ck_assert_uint_eq((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		memset(pieces[i], (int)i, size);
	}
	for (size_t i = 0; i < COUNT(pieces); i++)
		ck_assert(is_all(pieces[i], (char)i, sizes[i % COUNT(sizes)]));
}
END_TEST

/* Zeroed memory is zero also where an earlier call has written. */
START_TEST(zeroed_memory_is_zero)
{
	char *used = fn_arena_alloc(arena, 1000);

	memset(used, 'x', 1000);
	ck_assert(is_all(used, 'x', 1000)); /* and the compiler cannot leave the memset out */
	fn_arena_reset(arena);
	ck_assert(is_all(fn_arena_zero(arena, 1000), 0, 1000));
}
END_TEST

/* A reset arena serves its next call as it did the first, whatever the last one asked for. */
START_TEST(a_reset_arena_is_as_new)
{
	for (int call = 0; call < 3; call++) {
		memset(fn_arena_alloc(arena, sizes[_i]), 'x', sizes[_i]);
		memset(fn_arena_alloc(arena, 100), 'y', 100);
		memset(fn_arena_alloc(arena, sizes[_i]), 'z', sizes[_i]);
		fn_arena_reset(arena);
	}
	memset(fn_arena_alloc(arena, 100), 'y', 100);
}
END_TEST

static const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 15, (size_t)PTRDIFF_MAX + 1};

/* A size that no machine has is refused, also where rounding it up would wrap around. */
START_TEST(an_impossible_size_is_refused)
{
	ck_assert_ptr_null(fn_arena_try(arena, impossible[_i]));
	ck_assert_ptr_nonnull(fn_arena_try(arena, 16));
}
END_TEST

/* What was handed over last is released first, at a reset and at the end, and only once. */
START_TEST(the_deferred_run_last_first_and_once)
{
	int one = 1, two = 2, three = 3;

	fn_arena_defer(arena, release, &one);
	fn_arena_defer(arena, release, &two);
	fn_arena_reset(arena);
	ck_assert_uint_eq(release_count, 2);
	ck_assert_int_eq(released[0], 2);
	ck_assert_int_eq(released[1], 1);

	fn_arena_defer(arena, release, &three);
	fn_arena_drop(arena);
	arena = NULL;
	ck_assert_uint_eq(release_count, 3);
	ck_assert_int_eq(released[2], 3);
}
END_TEST

/* What was deferred may still read the arena's memory while it is released. */
START_TEST(the_deferred_still_see_their_memory)
{
	for (int i = 0; i < 8; i++) {
		int *number = fn_arena_alloc(arena, 20000);

		*number = i;
		fn_arena_defer(arena, release, number);
	}
	fn_arena_reset(arena);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(released[i], 7 - i);
}
END_TEST

static void
note(int *what)
{
	release(what);
}

FN_DROP(drop_number, int *, note)

static void
leave_early(bool early)
{
	static int number = 5;
	AUTO(drop_number) int *kept = &number;
	AUTO(drop_number) int *none = NULL;

	(void)none;
	if (early)
		return;
	*kept = 6;
}

/* A scope drops what it holds on each way out, and drops nothing where it holds nothing. */
START_TEST(a_scope_drops_what_it_holds)
{
	leave_early(true);
	leave_early(false);
	ck_assert_uint_eq(release_count, 2);
	ck_assert_int_eq(released[0], 5);
	ck_assert_int_eq(released[1], 6);
}
END_TEST

#define IN_ARENA .setup = arena_open, .teardown = arena_close

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = pieces_do_not_overlap, IN_ARENA},
		{.test = zeroed_memory_is_zero, IN_ARENA},
		{.test = a_reset_arena_is_as_new, .rows = COUNT(sizes), IN_ARENA},
		{.test = an_impossible_size_is_refused, .rows = COUNT(impossible), IN_ARENA},
		{.test = the_deferred_run_last_first_and_once, IN_ARENA},
		{.test = the_deferred_still_see_their_memory, IN_ARENA},
		{.test = a_scope_drops_what_it_holds, IN_ARENA},
	};

	return suite_run("arena", cases, COUNT(cases));
}
