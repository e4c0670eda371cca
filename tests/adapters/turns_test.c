/* Threads in line: whoever is first sees to those who stand behind it. */
#include "adapters/turns.h"

#include "fn/clock.h"
#include "tests/support/suite.h"

#include <stdatomic.h>
#include <unistd.h>

#define BEHIND 3
#define HASTE_MS 100

static struct turns turns;

struct waiter {
	struct turn turn;
	struct fn_call call;
	pthread_t thread;
	enum turn_call called;
	int64_t cpu_ms;
	atomic_bool is_back;
};

static void
setup(void)
{
	turns_init(&turns);
}

static void
teardown(void)
{
	turns_destroy(&turns);
}

static size_t
length(void)
{
	size_t count = 0;

	pthread_mutex_lock(&turns.lock);
	for (const struct turn *turn = turns.first; turn; turn = turn->next)
		count++;
	pthread_mutex_unlock(&turns.lock);
	return count;
}

static int64_t
cpu_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* One that becomes first has its turn, and no more. */
static void *
run_waiter(void *with)
{
	struct waiter *waiter = with;

	waiter->called = turns_wait(&turns, &waiter->turn, &waiter->call);
	if (waiter->called == TURN_FIRST)
		turns_end(&turns);
	waiter->cpu_ms = cpu_ms();
	atomic_store(&waiter->is_back, true);
	return NULL;
}

/* Stands in line behind all others once this returns, or has left it again. */
static void
stand(struct waiter *waiter, int64_t deadline_ms)
{
	size_t before = length();

	*waiter = (struct waiter){.call = {.deadline_ms = deadline_ms}};
	ck_assert_int_eq(pthread_create(&waiter->thread, NULL, run_waiter, waiter), 0);
	while (length() == before && !atomic_load(&waiter->is_back))
		usleep(1000);
}

static void
become_first(struct turn *own)
{
	ck_assert_int_eq(turns_wait(&turns, own, &(const struct fn_call){0}), TURN_FIRST);
}

static enum turn_call
called(struct waiter *waiter)
{
	pthread_join(waiter->thread, NULL);
	return waiter->called;
}

/* Those who came before it acts are seen to, who came after it acts for the next, in order. */
START_TEST(first_sees_to_those_behind)
{
	struct waiter behind[BEHIND], late;
	struct turn own, *turn;

	become_first(&own);
	for (int i = 0; i < BEHIND; i++)
		stand(&behind[i], 0);
	turn = turns_take(&turns);
	ck_assert_ptr_eq(turn, &own);
	stand(&late, 0);
	for (int i = 0; i < BEHIND; i++) {
		turn = turns_next(&turns, turn);
		ck_assert_ptr_eq(turn, &behind[i].turn);
	}
	ck_assert_ptr_null(turns_next(&turns, turn));
	turns_end(&turns);
	for (int i = 0; i < BEHIND; i++)
		ck_assert_int_eq(called(&behind[i]), TURN_OVER);
	ck_assert_int_eq(called(&late), TURN_FIRST);
	ck_assert_uint_eq(length(), 0);
}
END_TEST

/* Who takes nobody, since it could not act, leaves the line to the next. */
START_TEST(first_may_give_up)
{
	struct waiter behind[BEHIND];
	struct turn own;

	become_first(&own);
	for (int i = 0; i < BEHIND; i++)
		stand(&behind[i], 0);
	turns_end(&turns);
	for (int i = 0; i < BEHIND; i++)
		ck_assert_int_eq(called(&behind[i]), TURN_FIRST);
}
END_TEST

/* Who has no more time leaves the line, wherever in it he stands. */
START_TEST(late_one_leaves)
{
	struct waiter before, late, behind;
	struct turn own;

	become_first(&own);
	stand(&before, 0);
	stand(&late, fn_now_ms() + HASTE_MS);
	stand(&behind, 0);
	ck_assert_int_eq(called(&late), TURN_LATE);
	ck_assert_uint_eq(length(), 3);
	turns_take(&turns);
	turns_end(&turns);
	ck_assert_int_eq(called(&before), TURN_OVER);
	ck_assert_int_eq(called(&behind), TURN_OVER);
}
END_TEST

/* Whom the first has taken stays, though his time is up: he is being seen to, and sleeps until then.
 * On a slow machine he may have left before. */
START_TEST(taken_one_stays)
{
	struct waiter late;
	struct turn own;
	bool is_taken;

	do {
		become_first(&own);
		stand(&late, fn_now_ms() + HASTE_MS);
		is_taken = turns_next(&turns, turns_take(&turns)) != NULL;
		usleep(2 * HASTE_MS * 1000);
		ck_assert_uint_eq(length(), is_taken ? 2 : 1);
		turns_end(&turns);
		ck_assert_int_eq(called(&late), is_taken ? TURN_OVER : TURN_LATE);
		ck_assert_int_lt(late.cpu_ms, HASTE_MS / 2);
	} while (!is_taken);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = first_sees_to_those_behind},
		{.test = first_may_give_up},
		{.test = late_one_leaves},
		{.test = taken_one_stays},
	};

	return suite_run_with("turns", cases, COUNT(cases), setup, teardown);
}
