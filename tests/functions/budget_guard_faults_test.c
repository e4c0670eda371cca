/* What becomes of a notice when the API fails, or another comes between; and settings that are
 * refused. */
#include "fn/clock.h"
#include "functions/budget_guard/notice.h"
#include "tests/support/guard.h"
#include "tests/support/run_admin_server.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- Failures of the API --------------------------------------------------------------------- */

static const struct {
	const char *name;
	struct run_admin_fault fault;
	bool ok;
	int64_t limit;
	unsigned changes; /* asked for, of both services */
} faults[] = {
	{"the service changed", {"PATCH", 1, 409, "{\"error\":{\"status\":\"ABORTED\"}}", false},
		true, GUARD_FEW, 3},
	{"not allowed", {"PATCH", 1, 403, NULL, false}, false, 0, 2},
	{"not allowed to read", {"GET", 1, 403, NULL, false}, false, 0, 1},
	{"there is none", {"GET", 1, 404, NULL, false}, false, 0, 1},
	{"refused", {"PATCH", 1, 400, NULL, false}, false, 0, 2},
	{"another configuration",
		{"PATCH", 1, 409, "{\"error\":{\"status\":\"ALREADY_EXISTS\"}}", false}, false, 0,
		2},
	{"too many writes", {"PATCH", 1, 429, NULL, false}, true, GUARD_FEW, 3},
	{"failed before", {"PATCH", 2, 500, NULL, false}, true, GUARD_FEW, 4},
	{"failed after", {"PATCH", 1, 500, NULL, true}, true, GUARD_FEW, 2},
	{"unavailable after", {"PATCH", 1, 503, "<html>try later</html>", true}, true, GUARD_FEW,
		2},
	{"no read", {"GET", 2, 500, NULL, false}, true, GUARD_FEW, 2},
	{"garbage is read", {"GET", 1, 200, "[1,", false}, true, GUARD_FEW, 2},
	{"an empty service is read", {"GET", 1, 200, "{}", false}, true, GUARD_FEW, 2},
	{"the token is old", {"PATCH", 1, 401, NULL, false}, true, GUARD_FEW, 3},
};

/* What may pass is tried again, from a new reading; what will not is the end of this notice, but
 * not of the other service. Each time the next notice makes it good. */
START_TEST(failure_is_outlived)
{
	const struct guard_words words = {.cost = "101", .time = "2026-11-20T00:00:00Z"};
	struct fn_error err = {0};

	run_admin_server_fault(&faults[_i].fault);
	ck_assert_msg(guard_notify(&words, &err) == faults[_i].ok, "%s: %s", faults[_i].name,
		err.message);
	ck_assert_msg(
		run_admin_server_limit(GUARD_IMAGES) == faults[_i].limit, "%s", faults[_i].name);
	ck_assert_int_eq(run_admin_server_limit(GUARD_VIDEOS), 1);
	ck_assert_msg(run_admin_server_asked("PATCH") == faults[_i].changes, "%s: %u",
		faults[_i].name, run_admin_server_asked("PATCH"));
	guard_spend("101", "2026-11-20T00:30:00Z");
	guard_limits_are(GUARD_FEW, 1);
}
END_TEST

/* A change takes its time... */
START_TEST(operation_is_awaited)
{
	guard.use.guarded_count = 1;
	run_admin_server_operations(2, NULL);
	guard_spend("101", "2026-11-20T00:00:00Z");
	ck_assert_int_eq(run_admin_server_limit(GUARD_IMAGES), GUARD_FEW);
	ck_assert_uint_eq(run_admin_server_asked("GET"), 4); /* two of them of the service */
}
END_TEST

/* ...or comes to nothing, which is no success. */
START_TEST(operation_that_failed_is_a_failure)
{
	const struct guard_words words = {.cost = "101", .time = "2026-11-20T00:00:00Z"};
	struct fn_error why = {0};

	run_admin_server_operations(0, "{\"code\":7,\"message\":\"over quota\"}");
	ck_assert(!guard_notify(&words, &why));
	ck_assert_msg(strstr(why.message, "over quota"), "%s", why.message);
	run_admin_server_operations(0, NULL);
	guard_spend("101", "2026-11-20T00:30:00Z");
	guard_limits_are(GUARD_FEW, 1);
}
END_TEST

/* ---- Two at once ----------------------------------------------------------------------------- */

static void
hear_of_november(void)
{
	guard_spend("150", "2026-11-20T00:00:00Z");
}

static void
hear_of_december(void)
{
	const struct guard_words next = {
		.period = GUARD_DECEMBER, .cost = "1", .time = GUARD_DECEMBER};

	guard_must(guard_notify(&next, &guard.err));
}

/* One of us is about to restore when another learns that the new month's budget is spent, too. */
START_TEST(decision_that_has_aged_is_not_written)
{
	const struct guard_words october = {
		.period = GUARD_OCTOBER, .cost = "150", .time = "2026-10-20T00:00:00Z"};

	guard_must(guard_notify(&october, &guard.err));
	run_admin_server_before_change(hear_of_november);
	guard_spend("1", "2026-11-02T00:00:00Z");
	guard_limits_are(GUARD_FEW, 1);
}
END_TEST

/* One of us is about to limit when another learns that the month is over. */
START_TEST(limit_of_last_month_is_not_written)
{
	run_admin_server_before_change(hear_of_december);
	guard_spend("150", "2026-11-20T00:00:00Z");
	guard_limits_are(GUARD_MANY, 0);
}
END_TEST

#define CROWD 3
#define NOTICES 12

struct crowd_notice {
	struct guard_words words;
	char cost[8], time[32];
};

static struct crowd_notice crowd[NOTICES];

/* Each takes every third notice, some twice, and hands it over until it is acknowledged. */
static void *
hand_over_some(void *with)
{
	size_t first = (size_t)with;

	for (size_t i = first; i < NOTICES; i += CROWD) {
		struct fn_error err;

		while (!guard_notify(&crowd[i].words, &err) ||
			(i % 4 == 0 && !guard_notify(&crowd[i].words, &err)))
			ck_assert_msg(err.code != FN_INVALID, "%s", err.message);
	}
	return NULL;
}

/* Three at once, with notices in disorder and an API of which every tenth answer is a failure: once
 * all are acknowledged, the limits are what all the notices together say. */
START_TEST(crowd_ends_right)
{
	pthread_t threads[CROWD];
	int highest = 0;

	srand((unsigned)_i);
	for (size_t i = 0; i < NOTICES; i++) {
		bool is_december = rand() % 4 == 0;
		int cost = rand() % 140, day = 1 + rand() % 28;

		if (is_december && cost > highest)
			highest = cost;
		snprintf(crowd[i].cost, sizeof(crowd[i].cost), "%d", cost);
		snprintf(crowd[i].time, sizeof(crowd[i].time), "2026-12-%02dT12:00:00Z", day);
		crowd[i].words = (struct guard_words){
			.period = is_december ? GUARD_DECEMBER : GUARD_NOVEMBER,
			.cost = crowd[i].cost,
			.time = crowd[i].time};
	}
	crowd[0].words.period = GUARD_DECEMBER;
	highest = (int)fmax(highest, atoi(crowd[0].cost));
	run_admin_server_fail_often(10);
	for (size_t i = 0; i < CROWD; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hand_over_some, (void *)i), 0);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	if (highest >= 100)
		guard_limits_are(GUARD_FEW, 1);
	else
		ck_assert(run_admin_server_limit(GUARD_IMAGES) % GUARD_MANY == 0 &&
			  run_admin_server_limit(GUARD_VIDEOS) % 10 == 0);
}
END_TEST

/* ---- Settings -------------------------------------------------------------------------------- */

START_TEST(guarded_services_are_refused)
{
	static const char *const values[] = {"", "phoenix", GUARD_IMAGES, GUARD_IMAGES "=",
		GUARD_IMAGES "=0", GUARD_IMAGES "=-1", GUARD_IMAGES "=x", GUARD_IMAGES "=5,,",
		GUARD_IMAGES "/x=5", "/" GUARD_IMAGES "=5", "projects/p/locations/l/jobs/j=5",
		"projects//locations/l/services/s=5", "projects/p/locations/l/services/s?x=5",
		GUARD_IMAGES "=20000"};
	const struct guarded *list = NULL;
	struct fn_error err = {0};
	size_t count;

	ck_assert(!guarded_read(fn_bytes(values[_i]), guard.arena, &list, &count, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strncmp(err.message, "GUARDED_SERVICES: ", 18) == 0, "%s", err.message);
}
END_TEST

START_TEST(admin_url_is_refused)
{
	static const char *const urls[] = {
		"", "run", "ftp://h", "https:", "https://", "https://h/v2", "https:///"};
	const struct run_admin_config from = {urls[_i]};
	struct run_admin *none = NULL;
	struct fn_error err = {0};

	ck_assert(!run_admin_open(&none, &from, guard.credentials, guard.http, &err));
	ck_assert_msg(strncmp(err.message, "RUN_ADMIN_URL: ", 15) == 0, "%s", err.message);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = failure_is_outlived, .rows = COUNT(faults)},
		{.test = operation_is_awaited},
		{.test = operation_that_failed_is_a_failure},
		{.test = decision_that_has_aged_is_not_written},
		{.test = limit_of_last_month_is_not_written},
		{.test = crowd_ends_right, .rows = 4},
		{.test = guarded_services_are_refused, .rows = 14},
		{.test = admin_url_is_refused, .rows = 7},
	};

	return suite_run_with(
		"budget_guard, failing", cases, COUNT(cases), guard_open, guard_close);
}
