/* What rate_limit.h promises, for both backends, over a real redis-server. */
#include "adapters/rate_limit.h"

#include "fn/clock.h"
#include "tests/support/redis_proxy.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR_MS 3600000
#define THREADS 64

enum { MEMORY, REDIS, BACKENDS };

static struct redis_server *redis;
static struct rate_limit *limit;
static struct fn_call call;
static struct fn_error err;

static void
open_at(const char *url, const char *without)
{
	const struct rate_limit_config config = {.url = url, .ca_file = "", .without = without};

	rate_limit_close(limit);
	ck_assert_msg(rate_limit_open(&limit, &config, &err), "%s", err.message);
}

static void
setup(void)
{
	call = (struct fn_call){.arena = fn_arena_new()};
	fn_log_level(FN_CRITICAL);
}

static void
use(int backend)
{
	if (backend == REDIS)
		redis = redis_server_start(NULL);
	open_at(backend == REDIS ? redis_server_url(redis) : "", "closed");
}

static void
teardown(void)
{
	rate_limit_close(limit);
	redis_server_stop(redis);
	fn_arena_drop(call.arena);
}

static const struct rate_rule three_an_hour = {
	.name = FN_BYTES_INIT("pictures:ada"), .most = 3, .window_ms = HOUR_MS};

/* A machine may be so busy that Redis seems to be down. */
static bool
take_at_last(struct fn_call *own, const struct rate_rule *rule, const char *event,
	struct rate_turn *turn, struct fn_error *why)
{
	int64_t until_ms = fn_now_ms() + 30000;

	while (!rate_limit_take(limit, own, rule, fn_bytes(event), turn, why)) {
		if (fn_now_ms() > until_ms)
			return false;
		usleep(10000);
	}
	return true;
}

static struct rate_turn
take(const struct rate_rule *rule, const char *event)
{
	struct rate_turn turn;

	ck_assert_msg(take_at_last(&call, rule, event, &turn, &err), "%s", err.message);
	return turn;
}

static const char *
event_n(int n)
{
	return fn_textf(call.arena, "event_%d", n);
}

/* ---- One after the other ------------------------------------------------------------------- */

/* So many may, and all others are told when they may come again. */
START_TEST(turns_are_counted)
{
	use(_i);
	for (int n = 0; n < 3; n++) {
		struct rate_turn turn = take(&three_an_hour, event_n(n));

		ck_assert(!turn.refused);
		ck_assert_int_eq(turn.wait_ms, 0);
		ck_assert_int_eq(turn.remaining, 2 - n);
		ck_assert(turn.reset_ms > 0 && turn.reset_ms <= HOUR_MS);
	}
	for (int n = 3; n < 6; n++) {
		struct rate_turn turn = take(&three_an_hour, event_n(n));

		ck_assert(turn.refused);
		ck_assert_int_eq(turn.remaining, 0);
		ck_assert_int_eq(turn.wait_ms, turn.reset_ms);
		ck_assert(turn.wait_ms > 0 && turn.wait_ms <= HOUR_MS);
	}
}
END_TEST

/* What is asked for again is what was given, and counts once, also where there are no more. */
START_TEST(same_event_is_the_same_turn)
{
	use(_i);
	for (int n = 0; n < 9; n++)
		ck_assert(!take(&three_an_hour, event_n(n % 3)).refused);
	ck_assert(take(&three_an_hour, "another").refused);
	ck_assert(!take(&three_an_hour, event_n(1)).refused);
}
END_TEST

/* One that is given back can be had again; what was never taken gives nothing back. */
START_TEST(turn_is_given_back)
{
	use(_i);
	for (int n = 0; n < 3; n++)
		take(&three_an_hour, event_n(n));
	rate_limit_give_back(limit, &call, &three_an_hour, FN_BYTES("another"));
	ck_assert(take(&three_an_hour, "another").refused);
	rate_limit_give_back(limit, &call, &three_an_hour, fn_bytes(event_n(1)));
	ck_assert(!take(&three_an_hour, "another").refused);
	ck_assert(take(&three_an_hour, event_n(1)).refused);
}
END_TEST

/* What one uses up is not another's. */
START_TEST(names_do_not_meet)
{
	struct rate_rule other = three_an_hour;

	use(_i);
	other.name = FN_BYTES("pictures:bob");
	for (int n = 0; n < 4; n++)
		take(&three_an_hour, event_n(n));
	ck_assert_int_eq(take(&other, event_n(0)).remaining, 2);
}
END_TEST

/* Who may wait gets a turn that comes later; who may not wait so long takes none. */
START_TEST(patience_has_its_turn)
{
	struct rate_rule rule = three_an_hour;

	use(_i);
	rule.patience_ms = 2 * HOUR_MS;
	for (int n = 0; n < 9; n++) {
		struct rate_turn turn = take(&rule, event_n(n));

		ck_assert(!turn.refused);
		ck_assert((turn.wait_ms + HOUR_MS / 2) / HOUR_MS == n / 3);
	}
	ck_assert_int_ge(take(&rule, event_n(8)).wait_ms, HOUR_MS);
	rule.patience_ms = 1;
	for (int n = 9; n < 12; n++) {
		struct rate_turn turn = take(&rule, event_n(n));

		ck_assert(turn.refused);
		ck_assert_int_eq((turn.wait_ms + HOUR_MS / 2) / HOUR_MS, 3);
	}
}
END_TEST

static void
sleep_ms(int64_t ms)
{
	usleep((useconds_t)ms * 1000);
}

/* Who comes again when he was told to is let in: the window slides, and does not jump. */
START_TEST(refused_may_come_again)
{
	const struct rate_rule rule = {.name = FN_BYTES("busy"), .most = 3, .window_ms = 40};
	int refused = 0;

	use(_i);
	for (int n = 0; n < 30; n++) {
		struct rate_turn turn = take(&rule, event_n(n));

		if (!turn.refused)
			continue;
		refused++;
		ck_assert(turn.wait_ms > 0 && turn.wait_ms <= rule.window_ms);
		sleep_ms(turn.wait_ms);
		ck_assert(!take(&rule, event_n(n)).refused);
	}
	ck_assert_int_gt(refused, 0);
}
END_TEST

/* However many there were, those whose time is over leave room for others. */
START_TEST(process_forgets_old_windows)
{
	struct rate_rule rule = {.most = 2, .window_ms = 1};

	use(MEMORY);
	for (int n = 0; n < 20000; n++) {
		rule.name = fn_bytes(fn_textf(call.arena, "name_%d", n));
		ck_assert_int_eq(take(&rule, "event").remaining, 1);
		ck_assert(!take(&three_an_hour, "mine").refused);
	}
	ck_assert_int_eq(take(&three_an_hour, "mine").remaining, 2);
}
END_TEST

/* ---- All at once --------------------------------------------------------------------------- */

static const struct rate_rule ten_an_hour = {
	.name = FN_BYTES_INIT("crowd"), .most = 10, .window_ms = HOUR_MS};
static atomic_int granted;

static void *
take_one(void *number)
{
	struct fn_call own = {.arena = fn_arena_new()};
	const char *event = fn_textf(own.arena, "thread_%d", *(int *)number);
	struct rate_turn turn;
	struct fn_error why;

	granted += take_at_last(&own, &ten_an_hour, event, &turn, &why) && !turn.refused;
	fn_arena_drop(own.arena);
	return NULL;
}

static void
run_threads(void *(*run)(void *))
{
	pthread_t threads[THREADS];
	int numbers[THREADS];

	for (int n = 0; n < THREADS; n++) {
		numbers[n] = n;
		pthread_create(&threads[n], NULL, run, &numbers[n]);
	}
	for (int n = 0; n < THREADS; n++)
		pthread_join(threads[n], NULL);
}

/* Of many who come at once exactly so many are let in. */
START_TEST(crowd_gets_as_many_as_there_are)
{
	use(_i);
	run_threads(take_one);
	ck_assert_int_eq(granted, 10);
}
END_TEST

#define EACH 4
static const struct rate_rule twenty_at_once = {
	.name = FN_BYTES_INIT("model"), .most = 20, .window_ms = 10000, .patience_ms = HOUR_MS};
static double moments[THREADS * EACH];

static void *
take_several(void *number)
{
	struct fn_call own = {.arena = fn_arena_new()};
	int first = *(int *)number * EACH;
	struct rate_turn turn;
	struct fn_error why;

	for (int n = first; n < first + EACH; n++) {
		const char *event = fn_textf(own.arena, "event_%d", n);

		granted += take_at_last(&own, &twenty_at_once, event, &turn, &why) && !turn.refused;
	}
	fn_arena_drop(own.arena);
	return NULL;
}

static int
compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

/* Of a crowd with patience each has a turn, and no window, wherever it begins, has one too many;
 * all of them are as early as that allows. */
START_TEST(no_window_has_one_too_many)
{
	int count = THREADS * EACH, most = (int)twenty_at_once.most;
	double window_us = (double)twenty_at_once.window_ms * 1000;

	use(REDIS);
	run_threads(take_several);
	ck_assert_int_eq(granted, count);
	for (int n = 0; n < count; n++) {
		AUTO(drop_reply)
		redisReply *moment =
			redis_server_ask(redis, "ZSCORE phoenix:limit:model event_%d", n);
		moments[n] = strtod(moment->str, NULL);
	}
	qsort(moments, (size_t)count, sizeof(*moments), compare);
	for (int n = most; n < count; n++) {
		ck_assert_double_ge(moments[n], moments[n - most] + window_us);
		ck_assert_double_le(moments[n], moments[n - most] + window_us + 1);
	}
}
END_TEST

/* ---- A Redis that fails -------------------------------------------------------------------- */

/* A turn whose reply was lost was given once, whoever asks for it again. */
START_TEST(lost_reply_counts_once)
{
	use(REDIS);
	struct redis_proxy *proxy = redis_proxy_start(redis_server_port(redis));

	open_at(redis_proxy_url(proxy), "closed");
	take(&three_an_hour, event_n(0));
	redis_proxy_drop_every(proxy, 5);
	for (int n = 1; n < 3; n++)
		for (int again = 0; again < 4; again++)
			take(&three_an_hour, event_n(n));
	redis_proxy_drop_every(proxy, 0);
	ck_assert_int_eq(take(&three_an_hour, event_n(0)).remaining, 0);
	ck_assert_int_eq(redis_server_number(redis, "ZCARD phoenix:limit:pictures:ada"), 3);
	rate_limit_close(limit);
	limit = NULL;
	redis_proxy_stop(proxy);
}
END_TEST

/* A server that has forgotten its scripts, as after a restart, goes on counting. */
START_TEST(forgotten_script_is_no_matter)
{
	use(REDIS);
	for (int n = 0; n < 3; n++) {
		ck_assert_int_eq(take(&three_an_hour, event_n(n)).remaining, 2 - n);
		AUTO(drop_reply) redisReply *flushed = redis_server_ask(redis, "SCRIPT FLUSH");
	}
	ck_assert(take(&three_an_hour, event_n(3)).refused);
}
END_TEST

/* What nobody asks for any more is forgotten. */
START_TEST(windows_expire)
{
	use(REDIS);
	take(&three_an_hour, "event");
	int64_t left_ms = redis_server_number(redis, "PTTL phoenix:limit:pictures:ada");

	ck_assert(left_ms > HOUR_MS - 60000 && left_ms <= HOUR_MS);
}
END_TEST

/* What the process has logged since it was asked to. */
static int
log_begin(void)
{
	const char *path = fn_textf(call.arena, "%s/log", temp_folder());
	int file = open(path, O_RDWR | O_CREAT | O_APPEND, 0600);

	ck_assert_int_ge(file, 0);
	fn_log_level(FN_WARNING);
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	return file;
}

static int
log_count(int file, const char *sentence)
{
	char *text = fn_arena_zero(call.arena, 65536);
	int found = 0;

	ck_assert_int_ge(pread(file, text, 65535, 0), 0);
	for (const char *at = text; (at = strstr(at, sentence)); at++)
		found++;
	return found;
}

/* While Redis is down each process counts alone: nobody is kept out, nobody gets more. The log says
 * so, and not for each who asks. When Redis is back it counts. */
START_TEST(open_limits_outlive_redis)
{
	use(REDIS);
	open_at(redis_server_url(redis), "open");
	int64_t until_ms = fn_now_ms() + 30000;
	int file = log_begin();

	redis_server_kill(redis);
	run_threads(take_one);
	ck_assert_int_eq(granted, 10);
	ck_assert(take(&ten_an_hour, "late").refused);
	int said = log_count(file, "limits are not counted in Redis");
	ck_assert_msg(said >= 1 && said < THREADS / 2, "%d", said);

	redis_server_revive(redis);
	while (take(&ten_an_hour, "late").refused && fn_now_ms() < until_ms)
		sleep_ms(20);
	ck_assert_int_eq(redis_server_number(redis, "ZCARD phoenix:limit:crowd"), 1);
}
END_TEST

/* Where no limit may be waived, nobody is let in. */
START_TEST(closed_limits_do_not)
{
	struct rate_turn turn;

	use(REDIS);
	redis_server_kill(redis);
	for (int n = 0; n < 3; n++) {
		ck_assert(
			!rate_limit_take(limit, &call, &three_an_hour, FN_BYTES("e"), &turn, &err));
		ck_assert_int_eq(err.code, FN_BUSY);
		ck_assert_uint_ge(err.retry_after_s, 1);
	}
}
END_TEST

/* One that hangs is no better than one that is down. */
START_TEST(hanging_redis_keeps_nobody)
{
	use(REDIS);
	struct redis_proxy *proxy = redis_proxy_start(redis_server_port(redis));

	open_at(redis_proxy_url(proxy), "open");
	redis_proxy_stall(proxy, 1);
	for (int n = 0; n < 4; n++)
		ck_assert_int_eq(take(&three_an_hour, event_n(n)).refused, n == 3);
	rate_limit_close(limit);
	limit = NULL;
	redis_proxy_stop(proxy);
}
END_TEST

/* ---- Settings ------------------------------------------------------------------------------ */

static const struct {
	struct rate_limit_config config;
	const char *sentence;
} wrong[] = {
	{{.url = "", .ca_file = "", .without = "maybe"}, "LIMITS_WITHOUT_REDIS must be"},
	{{.url = "redis", .ca_file = "", .without = "open"}, "REDIS_URL must be"},
	{{.url = "rediss://h", .ca_file = "/nowhere", .without = "open"}, "REDIS_CA_FILE"},
};

START_TEST(wrong_setting_is_named)
{
	ck_assert(!rate_limit_open(&limit, &wrong[_i].config, &err));
	ck_assert_int_eq(err.code, FN_INVALID);
	ck_assert_msg(strstr(err.message, wrong[_i].sentence), "%s", err.message);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = turns_are_counted, .rows = BACKENDS},
		{.test = same_event_is_the_same_turn, .rows = BACKENDS},
		{.test = turn_is_given_back, .rows = BACKENDS},
		{.test = names_do_not_meet, .rows = BACKENDS},
		{.test = patience_has_its_turn, .rows = BACKENDS},
		{.test = refused_may_come_again, .rows = BACKENDS},
		{.test = process_forgets_old_windows},
		{.test = crowd_gets_as_many_as_there_are, .rows = BACKENDS},
		{.test = no_window_has_one_too_many},
		{.test = lost_reply_counts_once},
		{.test = forgotten_script_is_no_matter},
		{.test = windows_expire},
		{.test = open_limits_outlive_redis},
		{.test = closed_limits_do_not},
		{.test = hanging_redis_keeps_nobody},
		{.test = wrong_setting_is_named, .rows = COUNT(wrong)},
	};

	return suite_run_with("rate_limit", cases, COUNT(cases), setup, teardown);
}
