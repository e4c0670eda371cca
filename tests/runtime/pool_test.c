/* Who leads, who follows, and who calls the handlers. */
#include "pool.h"

#include "metrics.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define QUICK_CALLS 3
#define LONG_US 5000 /* no quick call takes so long */

static struct pool *pool;
static pthread_t host; /* the thread of pool_run */
static struct fn_exchange exchange;
static unsigned call_us; /* how long the next ones take */
static atomic_uint calls, leads;

static void
run(struct fn_exchange *what, void *with)
{
	(void)with;
	ck_assert_ptr_eq(what, &exchange);
	usleep(call_us);
	atomic_fetch_add(&calls, 1);
}

/* Has a follower make one call, and waits until it has. */
static void
call_from_line(void)
{
	unsigned before = atomic_load(&calls);

	exchange.whole_us = metrics_clock_us();
	ck_assert(pool_add(pool, &exchange));
	while (atomic_load(&calls) == before) {
		pool_wake(pool, metrics_clock_us());
		usleep(100);
	}
}

static void run_pool(enum pool_lead (*lead)(void *))
{
	const struct pool_work work = {
		.handlers_most = 2,
		.waiting_most = 2,
		.quick_calls = QUICK_CALLS,
		.lead = lead,
		.run = run,
	};

	pool = pool_new(&work);
	host = pthread_self();
	ck_assert(pool_run(pool));
	pool_drop(pool);
}

/* ---- Being relieved of the lead ---- */

static enum pool_lead
lead_until_relieved(void *with)
{
	(void)with;
	atomic_fetch_add(&leads, 1);
	if (!pthread_equal(pthread_self(), host))
		return POOL_DONE;
	while (!pool_relieve(pool))
		call_from_line();
	ck_assert_uint_ge(atomic_load(&calls), QUICK_CALLS);
	return POOL_RELIEVED;
}

/* The thread of pool_run leads while calls are few; then it only waits for the end. */
START_TEST(a_follower_leads_once_calls_are_quick)
{
	run_pool(lead_until_relieved);
	ck_assert_uint_eq(atomic_load(&leads), 2);
}
END_TEST

static enum pool_lead
lead_slow_calls(void *with)
{
	uint64_t visit;

	(void)with;
	call_us = LONG_US;
	for (int i = 0; i < 2 * QUICK_CALLS; i++) {
		call_from_line();
		ck_assert(!pool_relieve(pool));
		ck_assert(!pool_leave(pool, 0, &visit));
	}
	return POOL_DONE;
}

/* Where calls are slow nobody but followers makes them. */
START_TEST(a_slow_call_is_for_followers)
{
	run_pool(lead_slow_calls);
}
END_TEST

/* ---- Calls of the leader's own ---- */

static atomic_bool has_returned;

/* Leads as the loop does until it may call a handler itself: true. */
static bool
leaves(uint64_t *visit)
{
	while (!pool_leave(pool, 0, visit)) {
		call_from_line();
		if (pool_relieve(pool))
			return false;
	}
	return true;
}

static enum pool_lead
lead_quickly(void *with)
{
	uint64_t visit;

	(void)with;
	if (!leaves(&visit))
		return POOL_RELIEVED;
	ck_assert(!pthread_equal(pthread_self(), host));
	ck_assert_uint_ge(atomic_load(&calls), QUICK_CALLS);
	ck_assert(pool_return(pool, visit));
	return POOL_DONE;
}

/* Once calls are quick, and somebody watches, the leader makes them; but the host never does. */
START_TEST(a_quick_call_is_for_the_leader)
{
	run_pool(lead_quickly);
}
END_TEST

static enum pool_lead
lead_late(void *with)
{
	uint64_t visit;

	(void)with;
	if (!leaves(&visit))
		return POOL_RELIEVED;
	ck_assert(pool_return(pool, visit));
	ck_assert(!pool_leave(pool, LONG_US, &visit));
	return POOL_DONE;
}

/* A leader that has been long about its events leaves the rest of them to followers. */
START_TEST(a_late_leader_makes_no_call)
{
	run_pool(lead_late);
}
END_TEST

static enum pool_lead
lead_until_stuck(void *with)
{
	uint64_t visit;

	(void)with;
	if (atomic_load(&leads) == 1) {
		atomic_store(&leads, 2);
		while (!atomic_load(&has_returned))
			usleep(100);
		return POOL_DONE;
	}
	if (!leaves(&visit))
		return POOL_RELIEVED;
	atomic_store(&leads, 1);
	while (atomic_load(&leads) == 1)
		usleep(100); /* in a handler that does not end */
	ck_assert(!pool_return(pool, visit));
	atomic_store(&has_returned, true);
	return POOL_RELIEVED;
}

/* A leader that does not come back from a call finds another in its place. */
START_TEST(a_stuck_leader_is_relieved)
{
	run_pool(lead_until_stuck);
	ck_assert_uint_eq(atomic_load(&leads), 2);
}
END_TEST

/* ---- The end ---- */

static enum pool_lead
abandon(void *with)
{
	(void)with;
	return POOL_ABANDONED;
}

/* Where a handler does not end nobody waits for its thread. */
START_TEST(followers_may_be_abandoned)
{
	pool = pool_new(&(struct pool_work){.handlers_most = 1, .lead = abandon, .run = run});
	ck_assert(!pool_run(pool));
	pool_drop(pool);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = a_follower_leads_once_calls_are_quick},
		{.test = a_slow_call_is_for_followers},
		{.test = a_quick_call_is_for_the_leader},
		{.test = a_late_leader_makes_no_call},
		{.test = a_stuck_leader_is_relieved},
		{.test = followers_may_be_abandoned},
	};

	return suite_run("pool", cases, COUNT(cases));
}
