/* What the product's document tells of many users, told by real processes. What the scripts print
 * is in the log of the tests. */
#include "tests/support/exchanges.h"

#include <stdlib.h>

/* Twenty want a video at once, ten workers make one each: the first ten begin, the others know
 * their places and have their turn. */
START_TEST(twenty_users_share_ten_workers)
{
	ck_assert_int_eq(system("tests/e2e/scenario"), 0);
}
END_TEST

/* A queue that is down keeps nobody from asking, nor from getting. */
START_TEST(redis_may_be_down_at_submit)
{
	ck_assert_int_eq(system("tests/e2e/scenario_redis_down"), 0);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = twenty_users_share_ten_workers},
		{.test = redis_may_be_down_at_submit},
		exchanges_case(),
	};

	setenv("CK_TIMEOUT_MULTIPLIER", "4", 0); /* it is for the scripts to lose patience */
	return suite_run("scenario", cases, COUNT(cases));
}
