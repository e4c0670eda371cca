#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>

#define TIMEOUT_S 300 /* for a test that hangs; a slow machine never comes near */

static TCase *
case_new(const struct suite_case *from, void (*setup)(void), void (*teardown)(void))
{
	TCase *tcase = tcase_create(from->test->name);

	tcase_set_timeout(tcase, TIMEOUT_S);
	tcase_add_checked_fixture(tcase, from->setup ? from->setup : setup,
		from->teardown ? from->teardown : teardown);
	tcase_add_loop_test(tcase, from->test, 0, from->rows ? (int)from->rows : 1);
	return tcase;
}

void
suite_skipped(size_t checks, const char *why)
{
	printf("Skipped: %zu checks: %s\n", checks, why);
	fflush(stdout);
}

int
suite_run_with(const char *name, const struct suite_case *cases, size_t count, void (*setup)(void),
	void (*teardown)(void))
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	for (size_t i = 0; i < count; i++)
		suite_add_tcase(suite, case_new(&cases[i], setup, teardown));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
suite_run(const char *name, const struct suite_case *cases, size_t count)
{
	return suite_run_with(name, cases, count, NULL, NULL);
}
