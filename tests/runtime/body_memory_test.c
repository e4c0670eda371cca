#include "runtime/body_memory.h"
#include "tests/support/suite.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MANY 40 /* more than are kept */

static const size_t rooms[] = {1, 100, 64 * 1024, 64 * 1024 + 1, 1 << 20, 4 << 20, (4 << 20) + 1};

/* From each size into each larger one. */
START_TEST(what_is_in_a_body_stays_when_it_grows)
{
	for (size_t i = 0; i < COUNT(rooms); i++) {
		char *body = body_resize(NULL, 0, rooms[i]);

		ck_assert_ptr_nonnull(body);
		memset(body, 'a', rooms[i]);
		for (size_t j = i; j < COUNT(rooms); j++) {
			body = body_resize(body, rooms[i], rooms[j]);
			ck_assert_ptr_nonnull(body);
			ck_assert(body[0] == 'a' && body[rooms[i] - 1] == 'a');
			body[rooms[j] - 1] = 'z';
			body[rooms[i] - 1] = 'a';
		}
		body_free(body);
	}
}
END_TEST

START_TEST(a_large_body_gets_the_memory_of_the_last_one)
{
	char *first = body_resize(NULL, 0, 1 << 20);

	body_free(first);
	char *second = body_resize(NULL, 0, 2 << 20);
	ck_assert_ptr_eq(second, first);
	body_free(second);
}
END_TEST

static void
hold_many(void)
{
	char *bodies[MANY];

	for (size_t i = 0; i < MANY; i++) {
		bodies[i] = body_resize(NULL, 0, 1 << 20);
		ck_assert_ptr_nonnull(bodies[i]);
		bodies[i][0] = (char)i;
	}
	for (size_t i = 0; i < MANY; i++) {
		ck_assert_int_eq(bodies[i][0], (char)i);
		body_free(bodies[i]);
	}
}

/* The second time some of them get memory that was kept. */
START_TEST(any_number_of_bodies_is_held_at_once)
{
	hold_many();
	hold_many();
}
END_TEST

START_TEST(a_body_that_cannot_grow_stays)
{
	char *body = body_resize(NULL, 0, 100);

	body[99] = 'a';
	ck_assert_ptr_null(body_resize(body, 100, SIZE_MAX));
	ck_assert_ptr_null(body_resize(body, 100, PTRDIFF_MAX));
	ck_assert_int_eq(body[99], 'a');
	body_free(body);
	body_free(NULL);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = what_is_in_a_body_stays_when_it_grows},
		{.test = a_large_body_gets_the_memory_of_the_last_one},
		{.test = any_number_of_bodies_is_held_at_once},
		{.test = a_body_that_cannot_grow_stays},
	};

	return suite_run("body_memory", cases, COUNT(cases));
}
