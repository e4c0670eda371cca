/* The whole function over a real store, towards a stand-in for Cloud Run's Admin API. Whatever
 * comes, in whatever order, and whatever fails: no service ever ends with a wrong limit. */
#include "functions/budget_guard/handler.h"

#include "fn/base64.h"
#include "fn/clock.h"
#include "functions/budget_guard/notice.h"
#include "tests/support/metadata_server.h"
#include "tests/support/peer.h"
#include "tests/support/program.h"
#include "tests/support/run_admin_server.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET "0d6ef1ab-2a5c-4c9e-8e24-9d1f6b0d7c11"
#define IMAGES "projects/p/locations/us-central1/services/phoenix-generate-image"
#define VIDEOS "projects/p/locations/us-central1/services/phoenix-video-worker"
#define GUARDED IMAGES "=5," VIDEOS "=1"
#define MANY 100 /* instances, as deployed */
#define FEW 5

#define OCTOBER "2026-10-01T07:00:00Z"
#define NOVEMBER "2026-11-01T07:00:00Z"
#define DECEMBER "2026-12-01T08:00:00Z"

static struct fn_arena *arena; /* of all that outlives a call */
static struct fn_http_client *http;
static struct scripted_server *metadata;
static struct google_credentials *credentials;
static struct budget_guard_config config;
static struct services use;

#define assert_ok(step)                                                                            \
	do {                                                                                       \
		struct fn_error err = {0};                                                         \
		ck_assert_msg(step, "%s", err.message);                                            \
	} while (0)

/* ---- The services ---------------------------------------------------------------------------- */

static void
setup(void)
{
	struct run_admin_config admin;
	struct document_store_config documents;

	fn_log_level(FN_CRITICAL);
	arena = fn_arena_new();
	run_admin_server_start();
	run_admin_server_add(IMAGES, MANY);
	run_admin_server_add(VIDEOS, 10);
	admin.url = run_admin_server_url();
	documents.url = fn_textf(arena, "sqlite:%s/phoenix.db", temp_folder());
	config = (struct budget_guard_config){BUDGET, 100, GUARDED};
	use.config = &config;
	assert_ok(fn_http_client_open(&http, &err));
	metadata = metadata_server_start(&credentials, http);
	assert_ok(run_admin_open(&use.admin, &admin, credentials, http, &err));
	assert_ok(document_store_open(&use.documents, &documents, NULL, NULL, &err));
	assert_ok(guarded_read(fn_bytes(GUARDED), arena, &use.guarded, &use.guarded_count, &err));
}

static void
teardown(void)
{
	document_store_close(use.documents);
	run_admin_close(use.admin);
	google_credentials_close(credentials);
	scripted_server_stop(metadata);
	fn_http_client_close(http);
	run_admin_server_stop();
	fn_arena_drop(arena);
}

/* ---- Notices --------------------------------------------------------------------------------- */

struct words { /* of a notice; what is NULL is as it should be */
	const char *period, *time, *cost, *budget;
};

static struct fn_bytes
message_of(const struct words *words, struct fn_arena *in)
{
	const char *body = fn_textf(in,
		"{\"budgetDisplayName\":\"phoenix\",\"costAmount\":%s,\"costIntervalStart\":\"%s\","
		"\"budgetAmount\":%s,\"budgetAmountType\":\"SPECIFIED_AMOUNT\","
		"\"currencyCode\":\"USD\"}",
		words->cost, words->period ? words->period : NOVEMBER,
		words->budget ? words->budget : "100");

	return fn_bytes(fn_textf(in,
		"{\"message\":{\"data\":\"%.*s\",\"messageId\":\"1\",\"publishTime\":\"%s\","
		"\"attributes\":{\"billingAccountId\":\"A\",\"budgetId\":\"" BUDGET "\","
		"\"schemaVersion\":\"1.0\"}},\"subscription\":\"projects/p/subscriptions/s\"}",
		FN_ARG(fn_base64_encode(fn_bytes(body), in)), words->time));
}

static bool
hand_over(struct fn_bytes data, const char *time, struct fn_error *err)
{
	struct fn_call call = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 30000};
	const struct fn_event event = {
		.id = FN_BYTES("1"),
		.source = FN_BYTES("//pubsub.googleapis.com/projects/p/topics/budget"),
		.type = FN_BYTES("google.cloud.pubsub.topic.v1.messagePublished"),
		.time = fn_bytes(time),
		.data = data,
		.has_data = true,
	};
	bool ok = budget_guard(&call, &event, &use, err);

	fn_arena_drop(call.arena);
	return ok;
}

static bool
notify(const struct words *words, struct fn_error *err)
{
	struct fn_arena *in = fn_arena_new();
	bool ok = hand_over(message_of(words, in), words->time, err);

	fn_arena_drop(in);
	return ok;
}

/* In November, of a budget of 100. */
static void
spend(const char *cost, const char *time)
{
	const struct words words = {.cost = cost, .time = time};

	assert_ok(notify(&words, &err));
}

static void
limits_are(int64_t images, int64_t videos)
{
	ck_assert_int_eq(run_admin_server_limit(IMAGES), images);
	ck_assert_int_eq(run_admin_server_limit(VIDEOS), videos);
}

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
	const struct words words = {
		.cost = amounts[_i].cost, .budget = amounts[_i].budget, .time = NOVEMBER};

	config.threshold = amounts[_i].threshold;
	assert_ok(notify(&words, &err));
	limits_are(amounts[_i].spent ? FEW : 0, amounts[_i].spent ? 1 : 0);
	ck_assert_uint_eq(run_admin_server_writes(IMAGES), amounts[_i].spent);
}
END_TEST

/* The same notice again, and others that say no more, write nothing. */
START_TEST(repetition_changes_nothing)
{
	for (int i = 0; i < 3; i++)
		spend("101", "2026-11-20T00:00:00Z");
	spend("102", "2026-11-20T01:00:00Z");
	limits_are(FEW, 1);
	ck_assert_uint_eq(run_admin_server_writes(IMAGES), 1);
	ck_assert_uint_eq(run_admin_server_writes(VIDEOS), 1);
}
END_TEST

/* A credit, or a figure that was late, does not undo what a higher one has done this month. */
START_TEST(lower_cost_does_not_raise)
{
	spend("101", "2026-11-20T00:00:00Z");
	spend("99", "2026-11-20T01:00:00Z");
	limits_are(FEW, 1);
}
END_TEST

/* With the new month all is as deployed, and notices of the old one are late. */
START_TEST(new_period_restores)
{
	const struct words late = {.cost = "130", .time = "2026-12-01T09:00:00Z"};
	const struct words next = {
		.period = DECEMBER, .cost = "0.5", .time = "2026-12-01T08:30:00Z"};

	spend("120", "2026-11-20T00:00:00Z");
	assert_ok(notify(&next, &err));
	limits_are(MANY, 10);
	assert_ok(notify(&late, &err));
	limits_are(MANY, 10);
}
END_TEST

/* Who raises the budget gets the services back at once; that the old figure comes late is no
 * reason to take them again. */
START_TEST(raised_budget_restores)
{
	const struct words raised = {
		.cost = "101", .budget = "200", .time = "2026-11-20T02:00:00Z"};

	spend("100", "2026-11-20T01:00:00Z");
	assert_ok(notify(&raised, &err));
	limits_are(MANY, 10);
	spend("101", "2026-11-20T01:30:00Z");
	limits_are(MANY, 10);
}
END_TEST

/* What a deploy allows by then is what is restored, and less than the floor stays as it is. */
START_TEST(deployed_limit_is_the_ceiling)
{
	const struct words next = {.period = DECEMBER, .cost = "1", .time = DECEMBER};

	run_admin_server_deploy(VIDEOS, 1);
	spend("120", "2026-11-20T00:00:00Z");
	limits_are(FEW, 0);
	run_admin_server_deploy(IMAGES, 500);
	assert_ok(notify(&next, &err));
	limits_are(500, 0);
}
END_TEST

/* A budget that is not ours is nobody's trouble: acknowledged, and nothing done. */
START_TEST(other_budget_is_ignored)
{
	config.budget_id = "another";
	spend("500", NOVEMBER);
	ck_assert_uint_eq(run_admin_server_asked("GET"), 0);
}
END_TEST

/* ---- Order ----------------------------------------------------------------------------------- */

static const struct words history[] = {
	{.period = OCTOBER, .cost = "250", .time = "2026-10-31T22:00:00Z"},
	{.cost = "20", .time = "2026-11-02T00:00:00Z"},
	{.cost = "104", .time = "2026-11-20T00:00:00Z"},
	{.cost = "103", .time = "2026-11-21T00:00:00Z"},
};

/* Whatever order the notices of a spent month come in, the services end at their floors. */
START_TEST(order_does_not_matter)
{
	struct words left[COUNT(history)];
	int number = _i;

	memcpy(left, history, sizeof(history));
	for (size_t n = COUNT(history); n > 0; n--) {
		size_t nth = (size_t)number % n;

		number /= (int)n;
		assert_ok(notify(&left[nth], &err));
		left[nth] = left[n - 1];
	}
	limits_are(FEW, 1);
}
END_TEST

/* ---- What is no notice ----------------------------------------------------------------------- */

#define ATTRIBUTES "\"attributes\":{\"budgetId\":\"" BUDGET "\",\"schemaVersion\":\"1.0\"}"
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

	ck_assert(!hand_over(fn_bytes(garbage[_i].data), NOVEMBER, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strstr(err.message, garbage[_i].sentence), "%s", err.message);
	ck_assert_uint_eq(run_admin_server_asked("GET"), 0);
}
END_TEST

static const struct {
	struct words words;
	const char *sentence;
} wrong[] = {
	{{.cost = "\"100\"", .time = NOVEMBER}, "costAmount"},
	{{.cost = "true", .time = NOVEMBER}, "costAmount"},
	{{.cost = "1e300", .time = NOVEMBER}, "costAmount"},
	{{.cost = "1", .budget = "0", .time = NOVEMBER}, "budgetAmount"},
	{{.cost = "1", .budget = "-5", .time = NOVEMBER}, "budgetAmount"},
	{{.cost = "1", .budget = "null", .time = NOVEMBER}, "budgetAmount"},
	{{.cost = "1", .budget = "2000000000", .time = NOVEMBER}, "budgetAmount"},
	{{.cost = "1", .period = "yesterday", .time = NOVEMBER}, "costIntervalStart"},
	{{.cost = "1", .period = "2026-11-01T07:00:00", .time = NOVEMBER}, "costIntervalStart"},
	{{.cost = "1", .period = "2026-11-01T07:00:00+01:00", .time = NOVEMBER},
		"costIntervalStart"},
	{{.cost = "1", .time = "now"}, "the event's time"},
	{{.cost = "1", .period = "2099-01-01T00:00:00Z", .time = NOVEMBER}, "not begun"},
};

START_TEST(wrong_notice_is_refused)
{
	struct fn_error err = {0};

	spend("150", NOVEMBER);
	ck_assert(!notify(&wrong[_i].words, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strstr(err.message, wrong[_i].sentence), "%s", err.message);
	limits_are(FEW, 1);
}
END_TEST

/* ---- Failures of the API --------------------------------------------------------------------- */

static const struct {
	const char *name;
	struct run_admin_fault fault;
	bool ok;
	int64_t limit;
	unsigned changes; /* asked for, of both services */
} faults[] = {
	{"the service changed", {"PATCH", 1, 409, "{\"error\":{\"status\":\"ABORTED\"}}", false},
		true, FEW, 3},
	{"not allowed", {"PATCH", 1, 403, NULL, false}, false, 0, 2},
	{"not allowed to read", {"GET", 1, 403, NULL, false}, false, 0, 1},
	{"there is none", {"GET", 1, 404, NULL, false}, false, 0, 1},
	{"refused", {"PATCH", 1, 400, NULL, false}, false, 0, 2},
	{"another configuration",
		{"PATCH", 1, 409, "{\"error\":{\"status\":\"ALREADY_EXISTS\"}}", false}, false, 0,
		2},
	{"too many writes", {"PATCH", 1, 429, NULL, false}, true, FEW, 3},
	{"failed before", {"PATCH", 2, 500, NULL, false}, true, FEW, 4},
	{"failed after", {"PATCH", 1, 500, NULL, true}, true, FEW, 2},
	{"unavailable after", {"PATCH", 1, 503, "<html>try later</html>", true}, true, FEW, 2},
	{"no read", {"GET", 2, 500, NULL, false}, true, FEW, 2},
	{"garbage is read", {"GET", 1, 200, "[1,", false}, true, FEW, 2},
	{"an empty service is read", {"GET", 1, 200, "{}", false}, true, FEW, 2},
	{"the token is old", {"PATCH", 1, 401, NULL, false}, true, FEW, 3},
};

/* What may pass is tried again, from a new reading; what will not is the end of this notice, but
 * not of the other service. Each time the next notice makes it good. */
START_TEST(failure_is_outlived)
{
	const struct words words = {.cost = "101", .time = "2026-11-20T00:00:00Z"};
	struct fn_error err = {0};

	run_admin_server_fault(&faults[_i].fault);
	ck_assert_msg(
		notify(&words, &err) == faults[_i].ok, "%s: %s", faults[_i].name, err.message);
	ck_assert_msg(run_admin_server_limit(IMAGES) == faults[_i].limit, "%s", faults[_i].name);
	ck_assert_int_eq(run_admin_server_limit(VIDEOS), 1);
	ck_assert_msg(run_admin_server_asked("PATCH") == faults[_i].changes, "%s: %u",
		faults[_i].name, run_admin_server_asked("PATCH"));
	spend("101", "2026-11-20T00:30:00Z");
	limits_are(FEW, 1);
}
END_TEST

/* A change takes its time... */
START_TEST(operation_is_awaited)
{
	use.guarded_count = 1;
	run_admin_server_operations(2, NULL);
	spend("101", "2026-11-20T00:00:00Z");
	ck_assert_int_eq(run_admin_server_limit(IMAGES), FEW);
	ck_assert_uint_eq(run_admin_server_asked("GET"), 4); /* two of them of the service */
}
END_TEST

/* ...or comes to nothing, which is no success. */
START_TEST(operation_that_failed_is_a_failure)
{
	const struct words words = {.cost = "101", .time = "2026-11-20T00:00:00Z"};
	struct fn_error why = {0};

	run_admin_server_operations(0, "{\"code\":7,\"message\":\"over quota\"}");
	ck_assert(!notify(&words, &why));
	ck_assert_msg(strstr(why.message, "over quota"), "%s", why.message);
	run_admin_server_operations(0, NULL);
	spend("101", "2026-11-20T00:30:00Z");
	limits_are(FEW, 1);
}
END_TEST

/* ---- Two at once ----------------------------------------------------------------------------- */

static void
hear_of_november(void)
{
	spend("150", "2026-11-20T00:00:00Z");
}

static void
hear_of_december(void)
{
	const struct words next = {.period = DECEMBER, .cost = "1", .time = DECEMBER};

	assert_ok(notify(&next, &err));
}

/* One of us is about to restore when another learns that the new month's budget is spent, too. */
START_TEST(decision_that_has_aged_is_not_written)
{
	const struct words october = {
		.period = OCTOBER, .cost = "150", .time = "2026-10-20T00:00:00Z"};

	assert_ok(notify(&october, &err));
	run_admin_server_before_change(hear_of_november);
	spend("1", "2026-11-02T00:00:00Z");
	limits_are(FEW, 1);
}
END_TEST

/* One of us is about to limit when another learns that the month is over. */
START_TEST(limit_of_last_month_is_not_written)
{
	run_admin_server_before_change(hear_of_december);
	spend("150", "2026-11-20T00:00:00Z");
	limits_are(MANY, 0);
}
END_TEST

#define CROWD 3
#define NOTICES 12

struct crowd_notice {
	struct words words;
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

		while (!notify(&crowd[i].words, &err) ||
			(i % 4 == 0 && !notify(&crowd[i].words, &err)))
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
		crowd[i].words = (struct words){.period = is_december ? DECEMBER : NOVEMBER,
			.cost = crowd[i].cost,
			.time = crowd[i].time};
	}
	crowd[0].words.period = DECEMBER;
	highest = (int)fmax(highest, atoi(crowd[0].cost));
	run_admin_server_fail_often(10);
	for (size_t i = 0; i < CROWD; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hand_over_some, (void *)i), 0);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	if (highest >= 100)
		limits_are(FEW, 1);
	else
		ck_assert(run_admin_server_limit(IMAGES) % MANY == 0 &&
			  run_admin_server_limit(VIDEOS) % 10 == 0);
}
END_TEST

/* ---- Settings -------------------------------------------------------------------------------- */

START_TEST(guarded_services_are_refused)
{
	static const char *const values[] = {"", "phoenix", IMAGES, IMAGES "=", IMAGES "=0",
		IMAGES "=-1", IMAGES "=x", IMAGES "=5,,", IMAGES "/x=5", "/" IMAGES "=5",
		"projects/p/locations/l/jobs/j=5", "projects//locations/l/services/s=5",
		"projects/p/locations/l/services/s?x=5", IMAGES "=20000"};
	const struct guarded *list = NULL;
	struct fn_error err = {0};
	size_t count;

	ck_assert(!guarded_read(fn_bytes(values[_i]), arena, &list, &count, &err));
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

	ck_assert(!run_admin_open(&none, &from, credentials, http, &err));
	ck_assert_msg(strncmp(err.message, "RUN_ADMIN_URL: ", 15) == 0, "%s", err.message);
}
END_TEST

/* ---- The program ----------------------------------------------------------------------------- */

/* The built program takes a push of Pub/Sub as it comes, and acknowledges it once all is done. */
START_TEST(program_takes_a_push)
{
	const struct words words = {.cost = "101", .time = "2026-11-20T00:00:00Z"};
	struct fn_bytes body = message_of(&words, arena);
	unsigned port = free_port();
	const char *const environment[] = {
		fn_textf(arena, "PORT=%u", port),
		fn_textf(arena, "STORE_URL=sqlite:%s/guard.db", temp_folder()),
		fn_textf(arena, "RUN_ADMIN_URL=%s", run_admin_server_url()),
		fn_textf(arena, "GCE_METADATA_HOST=%s",
			scripted_server_url(metadata) + strlen("http://")),
		"BUDGET_ID=" BUDGET,
		"GUARDED_SERVICES=" GUARDED,
		NULL,
	};
	const struct program_setup start = {.name = "budget_guard", .environment = environment};
	struct program *program = program_start(&start);
	struct answer answer;

	ck_assert_msg(program_is_up(program, port), "%s", program_complained(program));
	struct peer *peer = peer_connect(port);
	ck_assert_int_eq(peer_ask(peer,
				 fn_textf(arena,
					 "POST / HTTP/1.1\r\nHost: h\r\n"
					 "Content-Type: application/json\r\n"
					 "Content-Length: %zu\r\n\r\n%.*s",
					 body.size, FN_ARG(body)),
				 &answer),
		204);
	limits_are(FEW, 1);
	peer_close(peer);
	program_drop(program);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{limit_follows_the_threshold, COUNT(amounts), setup, teardown},
		{repetition_changes_nothing, 1, setup, teardown},
		{lower_cost_does_not_raise, 1, setup, teardown},
		{new_period_restores, 1, setup, teardown},
		{raised_budget_restores, 1, setup, teardown},
		{deployed_limit_is_the_ceiling, 1, setup, teardown},
		{other_budget_is_ignored, 1, setup, teardown},
		{order_does_not_matter, 24, setup, teardown},
		{garbage_is_refused, COUNT(garbage), setup, teardown},
		{wrong_notice_is_refused, COUNT(wrong), setup, teardown},
		{failure_is_outlived, COUNT(faults), setup, teardown},
		{operation_is_awaited, 1, setup, teardown},
		{operation_that_failed_is_a_failure, 1, setup, teardown},
		{decision_that_has_aged_is_not_written, 1, setup, teardown},
		{limit_of_last_month_is_not_written, 1, setup, teardown},
		{crowd_ends_right, 4, setup, teardown},
		{guarded_services_are_refused, 14, setup, teardown},
		{admin_url_is_refused, 7, setup, teardown},
		{program_takes_a_push, 1, setup, teardown},
	};

	return suite_run("budget_guard", cases, COUNT(cases));
}
