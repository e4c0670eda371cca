/* A short audit; `make audit` makes a long one. What it says is in the log of the tests. */
#include "tests/support/suite.h"

#include <stdlib.h>

/* Whoever is killed, and whatever Redis forgets: what was promised is done, once, and paid once. */
START_TEST(nothing_is_lost_or_paid_twice)
{
	int status = system("tests/audit/run --jobs 40 --rate 8 --pause 0.4 --quick");

	ck_assert_int_eq(status, 0);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {{.test = nothing_is_lost_or_paid_twice}};

	setenv("CK_TIMEOUT_MULTIPLIER", "6", 0); /* it is the audit's to lose patience */
	return suite_run("audit", cases, COUNT(cases));
}
