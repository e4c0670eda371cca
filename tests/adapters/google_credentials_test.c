/* How the metadata server is asked for a token, and how one token serves many callers. */
#include "fn/clock.h"
#include "tests/support/google.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FLAVOR "Metadata-Flavor: Google\r\n"
#define TOKEN_PATH "/computeMetadata/v1/instance/service-accounts/default/token"
#define THREADS 8

static void
open_metadata(const struct script *script, size_t count)
{
	struct google_credentials_config config = {
		.key_file = "", .metadata_host = google_serve(script, count) + strlen("http://")};
	struct fn_error err = {0};

	ck_assert_msg(google_credentials_open(&google.credentials, &config, google.http, &err),
		"%s", err.message);
}

/* ---- The metadata server --------------------------------------------------------------------- */

START_TEST(metadata_server_is_asked_once)
{
	const struct script script[] = {
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("one")},
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("two")},
	};

	setenv("http_proxy", "http://127.0.0.1:1", 1); /* nobody's; it is not asked */
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	open_metadata(script, COUNT(script));
	google_gives("Bearer one");
	google_gives("Bearer one");
	ck_assert_uint_eq(scripted_server_requests(google.server), 1);
	const char *request = scripted_server_request(google.server, 0).at;
	ck_assert_ptr_nonnull(strstr(request, "GET " TOKEN_PATH " HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(request, "\r\nMetadata-Flavor: Google\r\n"));
}
END_TEST

static const struct metadata_case {
	const char *name;
	struct script script;
	const char *sentence; /* NULL: the second answer, a token, is waited for */
	size_t requests;
} metadata_cases[] = {
	{"no account", {.status = 404, .headers = FLAVOR},
		"metadata server: no service account is attached", 1},
	{"busy", {.status = 503, .headers = FLAVOR}, NULL, 2},
	{"broken", {.status = 500, .headers = FLAVOR}, NULL, 2},
	{"reset", {.end = SCRIPT_RESET}, NULL, 2},
	{"forbidden", {.status = 403, .headers = FLAVOR}, "metadata server: status 403", 1},
	{"a stranger", {.status = 200, .body = GOOGLE_TOKEN("one")}, "is no metadata server", 1},
	{"a stranger without an account", {.status = 404}, "is no metadata server", 1},
	{"no JSON", {.status = 200, .headers = FLAVOR, .body = FN_BYTES_INIT("<html>")},
		"holds no token", 1},
	{"no token",
		{.status = 200, .headers = FLAVOR, .body = FN_BYTES_INIT("{\"expires_in\":3600}")},
		"holds no token", 1},
	{"an empty token",
		{.status = 200,
			.headers = FLAVOR,
			.body = FN_BYTES_INIT("{\"access_token\":\"\",\"expires_in\":3600}")},
		"holds no token", 1},
	{"no end",
		{.status = 200,
			.headers = FLAVOR,
			.body = FN_BYTES_INIT("{\"access_token\":\"one\"}")},
		"holds no token", 1},
	{"over already",
		{.status = 200,
			.headers = FLAVOR,
			.body = FN_BYTES_INIT("{\"access_token\":\"one\",\"expires_in\":-1}")},
		"holds no token", 1},
	{"never over",
		{.status = 200,
			.headers = FLAVOR,
			.body = FN_BYTES_INIT(
				"{\"access_token\":\"one\",\"expires_in\":9007199254740993}")},
		"holds no token", 1},
};

START_TEST(metadata_answer_is_a_token_or_a_reason)
{
	const struct metadata_case *c = &metadata_cases[_i];
	const struct script script[] = {
		c->script, {.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("two")}};
	struct fn_bytes authorization = {0};
	struct fn_error err = {0};

	open_metadata(script, COUNT(script));
	bool ok = google_credentials_token(google.credentials, &google.call, &authorization, &err);
	ck_assert_msg(ok == !c->sentence, "%s: %s", c->name, err.message);
	ck_assert_msg(ok || err.code == FN_UPSTREAM, "%s: %d", c->name, err.code);
	ck_assert_msg(ok || strstr(err.message, c->sentence), "%s: %s", c->name, err.message);
	ck_assert_msg(
		scripted_server_requests(google.server) == c->requests, "%s: requests", c->name);
}
END_TEST

START_TEST(token_too_long_for_a_header_is_refused)
{
	char *body = fn_textf(
		google.call.arena, "{\"access_token\":\"%05000d\",\"expires_in\":3600}", 1);
	const struct script script = {.status = 200, .headers = FLAVOR, .body = fn_bytes(body)};
	struct fn_bytes authorization;
	struct fn_error err = {0};

	open_metadata(&script, 1);
	ck_assert(
		!google_credentials_token(google.credentials, &google.call, &authorization, &err));
	ck_assert_ptr_nonnull(strstr(err.message, "holds no token"));
}
END_TEST

static const char *const bad_hosts[] = {
	"", "http://host", "host/path", "host?", "user@host", "a b"};

START_TEST(metadata_host_that_is_none_is_refused_at_start)
{
	struct google_credentials_config config = {.key_file = "", .metadata_host = bad_hosts[_i]};
	struct fn_error err = {0};

	ck_assert(!google_credentials_open(&google.credentials, &config, google.http, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert(fn_bytes_starts(fn_bytes(err.message), "GCE_METADATA_HOST: "));
}
END_TEST

/* ---- Keeping a token ------------------------------------------------------------------------- */

START_TEST(token_is_renewed_five_minutes_before_its_end)
{
	const struct script script[] = {
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("one")},
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("two")},
	};

	open_metadata(script, COUNT(script));
	google_gives("Bearer one");
	fn_clock_pretend(GOOGLE_NOW_MS + 3299 * 1000);
	google_gives("Bearer one");
	fn_clock_pretend(GOOGLE_NOW_MS + 3300 * 1000);
	google_gives("Bearer two");
	fn_clock_pretend(GOOGLE_NOW_MS + (3300 + 3299) * INT64_C(1000));
	google_gives("Bearer two");
	ck_assert_uint_eq(scripted_server_requests(google.server), 2);
}
END_TEST

START_TEST(old_token_serves_while_renewal_fails)
{
	const struct script script[] = {
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("one")},
		{.status = 403, .headers = FLAVOR},
		{.status = 403, .headers = FLAVOR},
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("two")},
	};
	struct fn_bytes authorization;
	struct fn_error err = {0};

	open_metadata(script, COUNT(script));
	google_gives("Bearer one");
	fn_clock_pretend(GOOGLE_NOW_MS + 3400 * 1000);
	google_gives("Bearer one");
	google_gives("Bearer one"); /* and does not ask again at once */
	ck_assert_uint_eq(scripted_server_requests(google.server), 2);
	fn_clock_pretend(GOOGLE_NOW_MS + 3550 * 1000);
	ck_assert(
		!google_credentials_token(google.credentials, &google.call, &authorization, &err));
	ck_assert_ptr_nonnull(strstr(err.message, "status 403"));
	google_gives("Bearer two");
}
END_TEST

START_TEST(refused_token_is_forgotten)
{
	const struct script script[] = {
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("one")},
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("two")},
	};

	open_metadata(script, COUNT(script));
	google_gives("Bearer one");
	google_credentials_refused(google.credentials, FN_BYTES("Bearer older"));
	google_gives("Bearer one");
	google_credentials_refused(google.credentials, FN_BYTES("Bearer one"));
	google_gives("Bearer two");
	google_credentials_refused(google.credentials, FN_BYTES("Bearer one"));
	google_gives("Bearer two");
	ck_assert_uint_eq(scripted_server_requests(google.server), 2);
}
END_TEST

/* What each of many callers, who start at the same time, has to get. */
static struct {
	pthread_barrier_t start;
	const char *authorization; /* NULL: a failure */
	int64_t deadline_ms;
	enum fn_code code;
} wanted;

static void *
ask(void *unused)
{
	struct fn_call own = {.arena = fn_arena_new(), .deadline_ms = wanted.deadline_ms};
	struct fn_bytes authorization = {0};
	struct fn_error err = {0};

	(void)unused;
	pthread_barrier_wait(&wanted.start);
	bool ok = google_credentials_token(google.credentials, &own, &authorization, &err);
	bool good = ok == (wanted.authorization != NULL) && err.code == wanted.code &&
		    fn_bytes_equal(authorization, fn_bytes(wanted.authorization));
	fn_arena_drop(own.arena);
	return good ? &wanted : NULL;
}

static void
ask_begin(pthread_t *threads, unsigned count)
{
	pthread_barrier_init(&wanted.start, NULL, count);
	for (unsigned i = 0; i < count; i++)
		ck_assert(!pthread_create(&threads[i], NULL, ask, NULL));
}

static void
ask_end(pthread_t *threads, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		void *good;
		pthread_join(threads[i], &good);
		ck_assert_ptr_nonnull(good);
	}
	pthread_barrier_destroy(&wanted.start);
}

START_TEST(many_callers_make_one_fetch)
{
	const struct script script = {
		.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("one"), .wait_ms = 500};
	pthread_t threads[THREADS];

	open_metadata(&script, 1);
	wanted.authorization = "Bearer one";
	ask_begin(threads, THREADS);
	ask_end(threads, THREADS);
	ck_assert_uint_eq(scripted_server_requests(google.server), 1);
}
END_TEST

START_TEST(many_callers_share_a_failure)
{
	const struct script script = {.status = 404, .headers = FLAVOR, .wait_ms = 1000};
	pthread_t threads[THREADS];

	open_metadata(&script, 1);
	wanted.code = FN_UPSTREAM;
	ask_begin(threads, THREADS);
	ask_end(threads, THREADS);
	ck_assert_uint_eq(scripted_server_requests(google.server), 1);
}
END_TEST

START_TEST(others_go_on_with_the_old_token_while_one_renews)
{
	const struct script script[] = {
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("one")},
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("two"), .held = true},
	};
	pthread_t renewing;

	open_metadata(script, COUNT(script));
	google_gives("Bearer one");
	fn_clock_pretend(GOOGLE_NOW_MS + 3400 * 1000);
	wanted.authorization = "Bearer two";
	ask_begin(&renewing, 1);
	scripted_server_wait(google.server, 2);
	google_gives("Bearer one");
	scripted_server_release(google.server);
	ask_end(&renewing, 1);
	google_gives("Bearer two");
	ck_assert_uint_eq(scripted_server_requests(google.server), 2);
}
END_TEST

/* A caller with little time left does not take those with more down with it. */
START_TEST(fetch_that_ran_out_of_time_is_taken_over)
{
	const struct script script[] = {
		{.end = SCRIPT_STALL},
		{.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("two")},
	};
	pthread_t hasty;

	open_metadata(script, COUNT(script));
	wanted.code = FN_DEADLINE;
	wanted.deadline_ms = fn_now_ms() + 500;
	ask_begin(&hasty, 1);
	scripted_server_wait(google.server, 1);
	google_gives("Bearer two");
	ask_end(&hasty, 1);
}
END_TEST

START_TEST(waiting_for_a_fetch_ends_at_the_deadline)
{
	const struct script script = {
		.status = 200, .headers = FLAVOR, .body = GOOGLE_TOKEN("one"), .held = true};
	struct fn_bytes authorization;
	struct fn_error err = {0};
	pthread_t fetching;

	open_metadata(&script, 1);
	wanted.authorization = "Bearer one";
	ask_begin(&fetching, 1);
	scripted_server_wait(google.server, 1);
	google.call.deadline_ms = fn_now_ms() + 100;
	ck_assert(
		!google_credentials_token(google.credentials, &google.call, &authorization, &err));
	ck_assert_int_eq(err.code, FN_DEADLINE);
	scripted_server_release(google.server);
	ask_end(&fetching, 1);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = metadata_server_is_asked_once},
		{.test = metadata_answer_is_a_token_or_a_reason, .rows = COUNT(metadata_cases)},
		{.test = token_too_long_for_a_header_is_refused},
		{.test = metadata_host_that_is_none_is_refused_at_start, .rows = COUNT(bad_hosts)},
		{.test = token_is_renewed_five_minutes_before_its_end},
		{.test = old_token_serves_while_renewal_fails},
		{.test = refused_token_is_forgotten},
		{.test = many_callers_make_one_fetch},
		{.test = many_callers_share_a_failure},
		{.test = others_go_on_with_the_old_token_while_one_renews},
		{.test = fetch_that_ran_out_of_time_is_taken_over},
		{.test = waiting_for_a_fetch_ends_at_the_deadline},
	};

	return suite_run_with("google_credentials", cases, COUNT(cases), google_open, google_close);
}
