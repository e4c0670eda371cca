/* What a submitted video is answered: what is accepted is charged, stored and queued once, and what
 * is refused costs nothing. */
#include "domain/fields.h"
#include "fn/clock.h"
#include "tests/support/desk.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <string.h>

/* ---- All goes well --------------------------------------------------------------------------- */

/* A sentence becomes a draft, a debit, a job and a bell, which agree with each other. */
START_TEST(sentence_is_queued)
{
	fn_clock_pretend(1795498618123);
	struct asked request = desk_submit(DESK_KITE, "key-1");
	const char *id = fn_text(desk.arena, request.id);

	assert_answer(request, 202);
	ck_assert_str_eq(request.answer,
		fn_textf(desk.arena,
			"{\"id\":\"%s\",\"type\":\"video\",\"status\":\"queued\","
			"\"prompt\":\"a kite over a marsh\",\"url\":null,"
			"\"mime_type\":\"video/mp4\",\"width\":null,\"height\":null,"
			"\"owner\":{\"id\":\"user_dev\",\"username\":null},\"likes\":0,"
			"\"liked\":false,\"published\":true,"
			"\"created_at\":\"2026-11-24T05:36:58.123Z\",\"position\":1,"
			"\"eta_s\":null,\"progress\":null,\"attempts\":0,\"reason\":null}",
			id));
	ck_assert_bytes_eq(
		asked_header(&request, "Location"), fn_textf(desk.arena, "/api/video/%s", id));
	ck_assert_bytes_eq(asked_logged(&request, "user"), DESK_USER);
	ck_assert(fn_bytes_equal(asked_logged(&request, "creation"), request.id));

	struct video_job job = desk_document(request.id);
	ck_assert_int_eq(job.price, DESK_PRICE);
	ck_assert_int_eq(job.score, desk_job(request.id).score);
	ck_assert_int_eq(desk_ledger().balance, DESK_SIGNUP - DESK_PRICE);
	ck_assert(fn_bytes_equal(desk_claim().id, request.id));
	scripted_server_wait(desk.bell, 1);
	ck_assert_ptr_nonnull(strstr(scripted_server_request(desk.bell, 0).at, id));
}
END_TEST

/* What was asked for is what the model will be. */
START_TEST(request_is_kept)
{
	struct asked request =
		desk_submit("{\"prompt\":\"ein \\\"F\\u00fcchslein\\\"\",\"aspect_ratio\":\"9:16\","
			    "\"duration_s\":4,\"seed\":7,\"audio\":false,\"publish\":false}",
			NULL);
	assert_answer(request, 202);
	struct video_job job = desk_document(request.id);

	ck_assert_bytes_eq(job.request.prompt, "ein \"F\xc3\xbc"
					       "chslein\"");
	ck_assert_str_eq(job.request.aspect_ratio, "9:16");
	ck_assert_uint_eq(job.request.duration_s, 4);
	ck_assert(job.request.has_seed && job.request.seed == 7 && !job.request.audio);
	assert_says(request, "\"published\":false");
}
END_TEST

/* Each further job of a user has a further place, and no bell while it may not run. */
START_TEST(next_one_waits_behind)
{
	desk_set_limits(&(struct job_limits){.running_per_user = 1, .failures = 5, .crashes = 4});
	struct asked first = desk_submit(DESK_KITE, NULL), second = desk_submit(DESK_OWL, NULL);

	assert_says(first, "\"position\":1");
	assert_says(second, "\"position\":2");
	ck_assert_int_eq(desk_document(second.id).score - desk_document(first.id).score, 45000000);
	desk_claim();
	struct asked after = desk_ask("GET", second.id);
	assert_says(after, "\"position\":1");
	events_close(desk.use.events);
	desk.use.events = NULL;
	ck_assert_uint_le(scripted_server_requests(desk.bell), 1);
}
END_TEST

/* Who pays is served before who does not, though he comes later. */
START_TEST(paid_passes_free)
{
	json_t *balance =
		json_pack("{s:i, s:i, s:b, s:[]}", "tokens", 100, "entries", 0, "paid", 1, "open");
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = "balances",
		.id = FN_BYTES(DESK_USER),
		.fields = balance,
	};
	struct job_order other = {.id = FN_BYTES("other"),
		.user = FN_BYTES("other"),
		.fingerprint = FN_BYTES("f"),
		.class = {.penalty_ms = 300000}};
	struct job_ticket ticket;

	desk_must(job_queue_enqueue(
		desk.use.submit.queue.jobs, &desk.call, &other, &ticket, &desk.err));
	if (_i)
		desk_must(document_store_commit(
			desk.use.submit.documents, &desk.call, &write, 1, &desk.err));
	struct asked request = desk_submit(DESK_KITE, NULL);
	assert_says(request, _i ? "\"position\":1" : "\"position\":2");
	json_decref(balance);
}
END_TEST

/* ---- The same again -------------------------------------------------------------------------- */

/* The same key again is the same video, where it stands now; it is charged once. */
START_TEST(same_key_is_the_same_video)
{
	struct asked first = desk_submit(DESK_KITE, "key-1"),
		     again = desk_submit(DESK_KITE, "key-1");

	assert_answer(first, 202);
	assert_answer(again, 200);
	ck_assert_str_eq(again.answer, first.answer);
	ck_assert(
		fn_bytes_equal(asked_header(&again, "Location"), asked_header(&first, "Location")));
	assert_answer(desk_submit(DESK_OWL, "key-1"), 422);
	struct job job = desk_claim();
	desk_begin(&job);
	again = desk_submit(DESK_KITE, "key-1");
	assert_answer(again, 200);
	assert_says(again, "\"status\":\"running\"");
	desk_has_charged(1);
}
END_TEST

#define THREADS 64

static void
run_at_once(struct asked requests[THREADS])
{
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, desk_run_thread, &requests[i]);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Many requests with one key at once make one video; each of them is told which. */
START_TEST(key_at_once_makes_one_video)
{
	struct asked requests[THREADS];
	size_t made = 0;

	for (size_t i = 0; i < THREADS; i++)
		requests[i] = desk_submit_of(DESK_KITE, "key-1");
	run_at_once(requests);
	for (size_t i = 0; i < THREADS; i++) {
		if (requests[i].status != 202)
			assert_answer(requests[i], 200);
		made += requests[i].status == 202;
		ck_assert(fn_bytes_equal(requests[i].id, requests[0].id));
	}
	ck_assert_uint_eq(made, 1);
	desk_has_charged(1);
}
END_TEST

/* Of many at once as many are made as can be paid for. */
START_TEST(last_token_is_spent_once)
{
	struct asked requests[THREADS];
	size_t made = 0;

	for (size_t i = 0; i < THREADS; i++)
		requests[i] = desk_submit_of(DESK_KITE, NULL);
	run_at_once(requests);
	for (size_t i = 0; i < THREADS; i++) {
		if (requests[i].status != 202)
			assert_answer(requests[i], 402);
		made += requests[i].status == 202;
	}
	ck_assert_uint_eq(made, DESK_SIGNUP / DESK_PRICE);
	desk_has_charged(made);
	ck_assert_int_eq(desk_ledger().balance, DESK_SIGNUP % DESK_PRICE);
}
END_TEST

/* ---- Limited --------------------------------------------------------------------------------- */

static void
limit_to(long per_hour)
{
	const struct rate_limit_config config = {
		.url = redis_server_url(desk.redis), .ca_file = "", .without = "open"};

	desk_must(rate_limit_open(&desk.counter, &config, &desk.err));
	desk.use.submit.limits = (struct limits){desk.counter, {per_hour}};
}

/* So many videos an hour; the same one again is not another. */
START_TEST(hour_has_its_limit)
{
	limit_to(2);
	assert_answer(desk_submit(DESK_KITE, "key-1"), 202);
	assert_answer(desk_submit(DESK_KITE, NULL), 202);
	struct asked third = desk_submit(DESK_OWL, NULL);
	assert_answer(third, 429);
	ck_assert_uint_ge(third.err.retry_after_s, 3000);
	assert_answer(desk_submit(DESK_KITE, "key-1"), 200);
	desk_has_charged(2);
}
END_TEST

/* One key counts once, however many come with it at once. */
START_TEST(key_counts_once)
{
	struct asked requests[THREADS];

	limit_to(2);
	for (size_t i = 0; i < THREADS; i++)
		requests[i] = desk_submit_of(DESK_KITE, "key-1");
	run_at_once(requests);
	for (size_t i = 0; i < THREADS; i++)
		ck_assert(requests[i].status == 202 || requests[i].status == 200);
	assert_answer(desk_submit(DESK_OWL, NULL), 202);
	assert_answer(desk_submit(DESK_OWL, NULL), 429);
}
END_TEST

/* What cannot be paid for does not count. */
START_TEST(unpaid_is_not_counted)
{
	limit_to(3);
	desk.prices.video = DESK_SIGNUP + 1;
	for (int i = 0; i < 5; i++)
		assert_answer(desk_submit(DESK_KITE, NULL), 402);
	desk.prices.video = DESK_PRICE;
	assert_answer(desk_submit(DESK_KITE, NULL), 202);
	desk_has_charged(1);
}
END_TEST

/* ---- Refused --------------------------------------------------------------------------------- */

static const struct asked_wrong refused[] = {
	{"PUT", "/api/video/generate", "", "", NULL, 405, "only POST"},
	{"POST", "/api/video", DESK_KITE, "application/json", NULL, 404, "no such resource"},
	{"POST", "/api/video/vid_1", DESK_KITE, "application/json", NULL, 405, "only"},
	{"POST", "/api/video/generate", DESK_KITE, "text/plain", NULL, 415, "application/json"},
	{"POST", "/api/video/generate", "{", "application/json", NULL, 400, "body: line 1"},
	{"POST", "/api/video/generate", "{}", "application/json", NULL, 400, "prompt: missing"},
	{"POST", "/api/video/generate", DESK_KITE, "application/json", "a b", 400,
		"Idempotency-Key: 1 to"},
};
START_TEST(wrong_request_is_refused)
{
	struct asked request = asked_wrongly(desk.arena, &refused[_i]);

	desk_run(&request, DESK_CALL_MS);
	assert_wrong(&request, &refused[_i]);
	desk_has_charged(0);
}
END_TEST

/* Who cannot pay is told the price, and has no place in the queue. */
START_TEST(too_few_tokens_are_said)
{
	assert_answer(desk_submit(DESK_KITE, NULL), 202);
	assert_answer(desk_submit(DESK_KITE, NULL), 202);
	struct asked request = desk_submit(DESK_KITE, "key-3");

	assert_answer(request, 402);
	ck_assert_str_eq(request.err.message, "tokens: this takes 10, you have 5");
	desk_has_charged(2);
	assert_answer(desk_ask("DELETE", desk_submit(DESK_KITE, "key-3").id), 404);
	desk.prices.video = 5;
	assert_answer(desk_submit(DESK_KITE, "key-3"), 202);
}
END_TEST

static const struct {
	struct job_limits limits;
	int status;
} bounds[] = {
	{{.waiting_per_user = 1, .failures = 1, .crashes = 1}, 429},
	{{.waiting = 1, .failures = 1, .crashes = 1}, 503},
};
/* Where no more may wait, nothing is charged; once there is room the same request is taken. */
START_TEST(full_queue_charges_nothing)
{
	desk_set_limits(&bounds[_i].limits);
	struct fn_bytes first = desk_submitted();
	struct asked second = desk_submit(DESK_OWL, "key-2");

	assert_answer(second, bounds[_i].status);
	ck_assert_uint_ge(second.err.retry_after_s, 1);
	desk_has_charged(1);
	assert_answer(desk_ask("DELETE", first), 200);
	assert_answer(desk_submit(DESK_OWL, "key-2"), 202);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = sentence_is_queued},
		{.test = request_is_kept},
		{.test = next_one_waits_behind},
		{.test = paid_passes_free, .rows = 2},
		{.test = same_key_is_the_same_video},
		{.test = key_at_once_makes_one_video},
		{.test = last_token_is_spent_once},
		{.test = hour_has_its_limit},
		{.test = key_counts_once},
		{.test = unpaid_is_not_counted},
		{.test = wrong_request_is_refused, .rows = COUNT(refused)},
		{.test = too_few_tokens_are_said},
		{.test = full_queue_charges_nothing, .rows = COUNT(bounds)},
	};

	return suite_run_with("submit_video", cases, COUNT(cases), desk_open, desk_close);
}
