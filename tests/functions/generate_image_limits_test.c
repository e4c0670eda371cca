/* How many pictures may be had, and at what price. */
#include "fn/clock.h"
#include "tests/support/studio.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdlib.h>

/* ---- There are limits ------------------------------------------------------------------------ */

/* The hour's pictures, the model's calls in a second; 0: no limit. */
static void
limit_to(long per_hour, long per_second)
{
	static const struct rate_limit_config config = {
		.url = "", .ca_file = "", .without = "open"};

	studio_must(rate_limit_open(&studio.counter, &config, &studio.err));
	studio.use.limits = (struct limits){studio.counter, {per_hour}};
	studio.use.quota = (struct quota){studio.counter, {per_second}};
}

/* So many pictures an hour, and each answer says how many are left. Who wants more is told when,
 * and the model is not asked. */
START_TEST(hour_has_its_limit)
{
	limit_to(2, 0);
	for (int left = 1; left >= 0; left--) {
		struct asked request = studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS);

		assert_answer(request, 201);
		ck_assert_bytes_eq(
			asked_header(&request, "RateLimit-Policy"), "\"generations\";q=2;w=3600");
		ck_assert_bytes_eq(asked_header(&request, "RateLimit-Limit"), "2");
		ck_assert_bytes_eq(asked_header(&request, "RateLimit-Remaining"), left ? "1" : "0");
		ck_assert_int_ge(
			atoi(fn_text(studio.arena, asked_header(&request, "RateLimit-Reset"))),
			3000);
	}
	struct asked request = studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS);

	assert_answer(request, 429);
	ck_assert_uint_ge(request.err.retry_after_s, 3000);
	ck_assert_bytes_eq(asked_header(&request, "RateLimit"),
		fn_textf(studio.arena, "\"generations\";r=0;t=%u", request.err.retry_after_s));
	ck_assert_uint_eq(scripted_server_requests(studio.model), 2);
	/* Not 409: the key is free. */
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 429);
}
END_TEST

/* An answer that was lost is had again beyond all limits. */
START_TEST(replay_is_not_counted)
{
	limit_to(2, 1000);
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 201);
	for (int again = 0; again < 3; again++)
		assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 200);
	assert_answer(studio_ask(STUDIO_OWL, "key-2", STUDIO_CALL_MS), 201);
	assert_answer(studio_ask(STUDIO_OWL, "key-3", STUDIO_CALL_MS), 429);
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 200);
}
END_TEST

static const struct script fails_twice[] = {
	{.status = 400, .body = FN_BYTES_INIT("{}")},
	{.status = 400, .body = FN_BYTES_INIT("{}")},
	{.status = 200, .body = FN_BYTES_INIT(GEMINI(STUDIO_PNG))},
};

/* What the user cannot help does not count. */
START_TEST(failure_is_not_counted)
{
	limit_to(1, 0);
	studio_open_model("gemini:painter", fails_twice, 3);
	assert_answer(studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS), 502);
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 502);
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 201);
	assert_answer(studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS), 429);
}
END_TEST

static const struct script refuses[] = {
	{.status = 200, .body = FN_BYTES_INIT(GEMINI_SAYS("{\"text\":\"\"}", "IMAGE_SAFETY"))},
};

/* What the filter refuses does. */
START_TEST(refusal_is_counted)
{
	limit_to(1, 0);
	studio_open_model("gemini:painter", refuses, 1);
	assert_answer(studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS), 422);
	assert_answer(studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS), 429);
}
END_TEST

#define CROWD 8

/* Of a crowd that is more than the model takes at once all wait, and all are served. */
START_TEST(crowd_waits_for_the_model)
{
	struct asked requests[CROWD];
	pthread_t threads[CROWD];

	limit_to(0, 4);
	for (size_t i = 0; i < CROWD; i++)
		requests[i] = studio_request(STUDIO_FOX, NULL);
	for (size_t i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, studio_run_thread, &requests[i]);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < CROWD; i++)
		assert_answer(requests[i], 201);
}
END_TEST

static const struct script talks_first[] = {
	{.status = 200, .body = FN_BYTES_INIT(GEMINI_SAYS("{\"text\":\"a fox?\"}", "STOP"))},
	{.status = 200, .body = FN_BYTES_INIT(GEMINI(STUDIO_PNG))},
};

/* Who has to ask twice waits for two turns. */
START_TEST(each_attempt_takes_a_turn)
{
	int64_t since_ms = fn_now_ms();

	limit_to(0, 1);
	studio_open_model("gemini:painter", talks_first, COUNT(talks_first));
	assert_answer(studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS), 201);
	ck_assert_uint_eq(scripted_server_requests(studio.model), 2);
	ck_assert_int_ge(fn_now_ms() - since_ms, 1000);
}
END_TEST

/* Who would wait for longer than there is time is told to come back, and nothing is asked. */
START_TEST(nobody_waits_in_vain)
{
	limit_to(2, 1);
	assert_answer(studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS), 201);
	struct asked late = studio_ask(STUDIO_FOX, "key-1", 200);

	assert_answer(late, 503);
	ck_assert_uint_eq(late.err.retry_after_s, 1);
	ck_assert_uint_eq(scripted_server_requests(studio.model), 1);
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 201);
}
END_TEST

/* ---- It has a price -------------------------------------------------------------------------- */

/* A picture costs what it costs, and once, however often it is asked for; without tokens the model
 * is not. */
START_TEST(picture_is_paid_for)
{
	studio.prices.image = 10;
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 201);
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 200);
	ck_assert_int_eq(studio_ledger().balance, 15);
	assert_answer(studio_ask(STUDIO_FOX, NULL, STUDIO_CALL_MS), 201);
	struct asked third = studio_ask(STUDIO_FOX, "key-3", STUDIO_CALL_MS);

	assert_answer(third, 402);
	ck_assert_str_eq(third.err.message, "tokens: this takes 10, you have 5");
	ck_assert_int_eq(studio_ledger().balance, 5);
	ck_assert_uint_eq(studio_ledger().debits, 2);
	ck_assert_uint_eq(studio_ledger().refunds, 0);
	ck_assert_uint_eq(scripted_server_requests(studio.model), 2);
	studio.prices.image = 5;
	assert_answer(studio_ask(STUDIO_FOX, "key-3", STUDIO_CALL_MS), 201);
	ck_assert_int_eq(studio_ledger().balance, 0);
}
END_TEST

/* What fails and what is refused costs nothing; the same key works then. */
START_TEST(unmade_picture_is_refunded)
{
	studio.prices.image = 25;
	studio_open_model("gemini:painter", _i ? refuses : fails_twice, 1);
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), _i ? 422 : 502);
	ck_assert_int_eq(studio_ledger().balance, 25);
	ck_assert_uint_eq(studio_ledger().refunds, 1);
	studio_open_model("gemini:painter", studio_paints, 1);
	assert_answer(studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS), 201);
	ck_assert_int_eq(studio_ledger().balance, 0);
	ck_assert_uint_eq(studio_ledger().debits, 2);
}
END_TEST

/* Of a crowd as many are served as can be paid for, and those at once. */
START_TEST(crowd_spends_what_there_is)
{
	struct asked requests[CROWD];
	pthread_t threads[CROWD];
	int made = 0;

	studio.prices.image = 10;
	for (size_t i = 0; i < CROWD; i++)
		requests[i] = studio_request(
			STUDIO_FOX, i % 2 ? NULL : fn_textf(studio.arena, "key-%zu", i));
	for (size_t i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, studio_run_thread, &requests[i]);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < CROWD; i++) {
		made += requests[i].status == 201;
		ck_assert(requests[i].status == 201 || requests[i].status == 402);
	}
	ck_assert_int_eq(made, 2);
	ck_assert_int_eq(studio_ledger().balance, 5);
}
END_TEST

/* One request that was taken for dead and one that took over pay once, for one picture. */
START_TEST(taken_over_request_pays_once)
{
	struct studio_painting first;

	studio.prices.image = 10;
	studio_begin(&first, STUDIO_FOX, "key-1", STUDIO_CALL_MS);
	fn_clock_pretend(fn_unix_ms() + 10 * STUDIO_CALL_MS);
	struct asked second = studio_ask(STUDIO_FOX, "key-1", STUDIO_CALL_MS);
	studio_finish(&first);

	assert_answer(second, 201);
	assert_answer(first.asked, 200);
	ck_assert_int_eq(studio_ledger().balance, 15);
	ck_assert_uint_eq(studio_ledger().debits, 1);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = hour_has_its_limit},
		{.test = replay_is_not_counted},
		{.test = failure_is_not_counted},
		{.test = refusal_is_counted},
		{.test = crowd_waits_for_the_model},
		{.test = each_attempt_takes_a_turn},
		{.test = nobody_waits_in_vain},
		{.test = picture_is_paid_for},
		{.test = unmade_picture_is_refunded, .rows = 2},
		{.test = crowd_spends_what_there_is},
		{.test = taken_over_request_pays_once},
	};

	return suite_run_with(
		"limits and prices of pictures", cases, COUNT(cases), studio_open, studio_close);
}
