/* What a notice of the budget does to the limits, whatever comes before it; and what is none. */
#include "fn/base64.h"
#include "tests/support/guard.h"
#include "tests/support/peer.h"
#include "tests/support/ports.h"
#include "tests/support/program.h"
#include "tests/support/run_admin_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <string.h>

/* ---- What a notice does ---------------------------------------------------------------------- */

static const struct {
	const char *cost, *budget;
	long threshold;
	bool spent;
} amounts[] = {
	{"99.99", "100", 100, false},
	{"100", "100", 100, true},
	{"140.321", "152.557", 100, false},
	{"140.321", "152.557", 90, true},
	{"1e2", "1.0e2", 100, true},
	{"-12.5", "100", 1, false},
	{"0", "0.01", 1, false},
	{"79.999999", "100.000000", 80, false},
	{"80", "100", 80, true},
	{"1000000000", "1000000000", 1000, false},
};

/* At the threshold each service goes down to its floor; below it none is touched. */
START_TEST(limit_follows_the_threshold)
{
	const struct guard_words words = {
		.cost = amounts[_i].cost, .budget = amounts[_i].budget, .time = GUARD_NOVEMBER};

	guard.config.threshold = amounts[_i].threshold;
	guard_must(guard_notify(&words, &guard.err));
	guard_limits_are(amounts[_i].spent ? GUARD_FEW : 0, amounts[_i].spent ? 1 : 0);
	ck_assert_uint_eq(run_admin_server_writes(GUARD_IMAGES), amounts[_i].spent);
}
END_TEST

/* The same notice again, and others that say no more, write nothing. */
START_TEST(repetition_changes_nothing)
{
	for (int i = 0; i < 3; i++)
		guard_spend("101", "2026-11-20T00:00:00Z");
	guard_spend("102", "2026-11-20T01:00:00Z");
	guard_limits_are(GUARD_FEW, 1);
	ck_assert_uint_eq(run_admin_server_writes(GUARD_IMAGES), 1);
	ck_assert_uint_eq(run_admin_server_writes(GUARD_VIDEOS), 1);
}
END_TEST

/* A credit, or a figure that was late, does not undo what a higher one has done this month. */
START_TEST(lower_cost_does_not_raise)
{
	guard_spend("101", "2026-11-20T00:00:00Z");
	guard_spend("99", "2026-11-20T01:00:00Z");
	guard_limits_are(GUARD_FEW, 1);
}
END_TEST

/* With the new month all is as deployed, and notices of the old one are late. */
START_TEST(new_period_restores)
{
	const struct guard_words late = {.cost = "130", .time = "2026-12-01T09:00:00Z"};
	const struct guard_words next = {
		.period = GUARD_DECEMBER, .cost = "0.5", .time = "2026-12-01T08:30:00Z"};

	guard_spend("120", "2026-11-20T00:00:00Z");
	guard_must(guard_notify(&next, &guard.err));
	guard_limits_are(GUARD_MANY, 10);
	guard_must(guard_notify(&late, &guard.err));
	guard_limits_are(GUARD_MANY, 10);
}
END_TEST

/* Who raises the budget gets the services back at once; that the old figure comes late is no
 * reason to take them again. */
START_TEST(raised_budget_restores)
{
	const struct guard_words raised = {
		.cost = "101", .budget = "200", .time = "2026-11-20T02:00:00Z"};

	guard_spend("100", "2026-11-20T01:00:00Z");
	guard_must(guard_notify(&raised, &guard.err));
	guard_limits_are(GUARD_MANY, 10);
	guard_spend("101", "2026-11-20T01:30:00Z");
	guard_limits_are(GUARD_MANY, 10);
}
END_TEST

/* What a deploy allows by then is what is restored, and less than the floor stays as it is. */
START_TEST(deployed_limit_is_the_ceiling)
{
	const struct guard_words next = {
		.period = GUARD_DECEMBER, .cost = "1", .time = GUARD_DECEMBER};

	run_admin_server_deploy(GUARD_VIDEOS, 1);
	guard_spend("120", "2026-11-20T00:00:00Z");
	guard_limits_are(GUARD_FEW, 0);
	run_admin_server_deploy(GUARD_IMAGES, 500);
	guard_must(guard_notify(&next, &guard.err));
	guard_limits_are(500, 0);
}
END_TEST

/* A budget that is not ours is nobody's trouble: acknowledged, and nothing done. */
START_TEST(other_budget_is_ignored)
{
	guard.config.budget_id = "another";
	guard_spend("500", GUARD_NOVEMBER);
	ck_assert_uint_eq(run_admin_server_asked("GET"), 0);
}
END_TEST

/* ---- Order ----------------------------------------------------------------------------------- */

static const struct guard_words history[] = {
	{.period = GUARD_OCTOBER, .cost = "250", .time = "2026-10-31T22:00:00Z"},
	{.cost = "20", .time = "2026-11-02T00:00:00Z"},
	{.cost = "104", .time = "2026-11-20T00:00:00Z"},
	{.cost = "103", .time = "2026-11-21T00:00:00Z"},
};

/* Whatever order the notices of a spent month come in, the services end at their floors. */
START_TEST(order_does_not_matter)
{
	struct guard_words left[COUNT(history)];
	int number = _i;

	memcpy(left, history, sizeof(history));
	for (size_t n = COUNT(history); n > 0; n--) {
		size_t nth = (size_t)number % n;

		number /= (int)n;
		guard_must(guard_notify(&left[nth], &guard.err));
		left[nth] = left[n - 1];
	}
	guard_limits_are(GUARD_FEW, 1);
}
END_TEST

/* ---- What is no notice ----------------------------------------------------------------------- */

#define ATTRIBUTES "\"attributes\":{\"budgetId\":\"" GUARD_BUDGET "\",\"schemaVersion\":\"1.0\"}"
#define MESSAGE(data) "{\"message\":{\"data\":\"" data "\"," ATTRIBUTES "}}"

static const struct {
	const char *data, *sentence;
} garbage[] = {
	{"", "schemaVersion"}, {"[]", "schemaVersion"}, {"{\"message\":7}", "schemaVersion"},
	{"{\"message\":{\"attributes\":{\"budgetId\":\"b\",\"schemaVersion\":\"2.0\"}}}",
		"schemaVersion"},
	{"{\"message\":{\"attributes\":{\"schemaVersion\":\"1.0\"}}}", "budgetId"},
	{MESSAGE("%%%"), "base64"}, {MESSAGE(""), "no JSON"},
	{MESSAGE("bnVsbA=="), "no JSON"},       /* null */
	{MESSAGE("e30="), "costIntervalStart"}, /* {} */
};

START_TEST(garbage_is_refused)
{
	struct fn_error err = {0};

	ck_assert(!guard_hand_over(fn_bytes(garbage[_i].data), GUARD_NOVEMBER, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strstr(err.message, garbage[_i].sentence), "%s", err.message);
	ck_assert_uint_eq(run_admin_server_asked("GET"), 0);
}
END_TEST

static const struct {
	struct guard_words words;
	const char *sentence;
} wrong[] = {
	{{.cost = "\"100\"", .time = GUARD_NOVEMBER}, "costAmount"},
	{{.cost = "true", .time = GUARD_NOVEMBER}, "costAmount"},
	{{.cost = "1e300", .time = GUARD_NOVEMBER}, "costAmount"},
	{{.cost = "1", .budget = "0", .time = GUARD_NOVEMBER}, "budgetAmount"},
	{{.cost = "1", .budget = "-5", .time = GUARD_NOVEMBER}, "budgetAmount"},
	{{.cost = "1", .budget = "null", .time = GUARD_NOVEMBER}, "budgetAmount"},
	{{.cost = "1", .budget = "2000000000", .time = GUARD_NOVEMBER}, "budgetAmount"},
	{{.cost = "1", .period = "yesterday", .time = GUARD_NOVEMBER}, "costIntervalStart"},
	{{.cost = "1", .period = "2026-11-01T07:00:00", .time = GUARD_NOVEMBER},
		"costIntervalStart"},
	{{.cost = "1", .period = "2026-11-01T07:00:00+01:00", .time = GUARD_NOVEMBER},
		"costIntervalStart"},
	{{.cost = "1", .time = "now"}, "the event's time"},
	{{.cost = "1", .period = "2099-01-01T00:00:00Z", .time = GUARD_NOVEMBER}, "not begun"},
};

START_TEST(wrong_notice_is_refused)
{
	struct fn_error err = {0};

	guard_spend("150", GUARD_NOVEMBER);
	ck_assert(!guard_notify(&wrong[_i].words, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strstr(err.message, wrong[_i].sentence), "%s", err.message);
	guard_limits_are(GUARD_FEW, 1);
}
END_TEST

/* ---- The program ----------------------------------------------------------------------------- */

/* The built program takes a push of Pub/Sub as it comes, and acknowledges it once all is done. */
START_TEST(program_takes_a_push)
{
	const struct guard_words words = {.cost = "101", .time = "2026-11-20T00:00:00Z"};
	struct fn_bytes body = guard_message(&words, guard.arena);
	unsigned port = free_port();
	const char *const environment[] = {
		fn_textf(guard.arena, "PORT=%u", port),
		fn_textf(guard.arena, "STORE_URL=sqlite:%s/guard.db", temp_folder()),
		fn_textf(guard.arena, "RUN_ADMIN_URL=%s", run_admin_server_url()),
		fn_textf(guard.arena, "GCE_METADATA_HOST=%s",
			scripted_server_url(guard.metadata) + strlen("http://")),
		"BUDGET_ID=" GUARD_BUDGET,
		"GUARDED_SERVICES=" GUARD_SERVICES,
		NULL,
	};
	const struct program_setup start = {.name = "budget_guard", .environment = environment};
	struct program *program = program_start(&start);
	struct answer answer;

	ck_assert_msg(program_is_up(program, port), "%s", program_complained(program));
	struct peer *peer = peer_connect(port);
	ck_assert_int_eq(peer_ask(peer,
				 fn_textf(guard.arena,
					 "POST / HTTP/1.1\r\nHost: h\r\n"
					 "Content-Type: application/json\r\n"
					 "Content-Length: %zu\r\n\r\n%.*s",
					 body.size, FN_ARG(body)),
				 &answer),
		204);
	guard_limits_are(GUARD_FEW, 1);
	peer_close(peer);
	program_drop(program);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = limit_follows_the_threshold, .rows = COUNT(amounts)},
		{.test = repetition_changes_nothing},
		{.test = lower_cost_does_not_raise},
		{.test = new_period_restores},
		{.test = raised_budget_restores},
		{.test = deployed_limit_is_the_ceiling},
		{.test = other_budget_is_ignored},
		{.test = order_does_not_matter, .rows = 24},
		{.test = garbage_is_refused, .rows = COUNT(garbage)},
		{.test = wrong_notice_is_refused, .rows = COUNT(wrong)},
		{.test = program_takes_a_push},
	};

	return suite_run_with("budget_guard", cases, COUNT(cases), guard_open, guard_close);
}
