/* What becomes of a submitted video, as its owner is told; and how it is canceled. */
#include "fn/clock.h"
#include "tests/support/desk.h"
#include "tests/support/redis_proxy.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <string.h>

/* ---- Status ---------------------------------------------------------------------------------- */

/* The video is shown as it goes its way. */
START_TEST(status_follows_the_job)
{
	const struct video_file file = {.mime_type = "video/mp4", .width = 1280, .height = 720};
	struct fn_bytes id = desk_submitted();

	assert_says(desk_ask("GET", id), "\"status\":\"queued\"");
	assert_says(desk_ask("GET", id), "\"position\":1");
	struct job job = desk_claim();
	struct video_job begun = desk_begin(&job);
	struct job_renewal renewal = {.job = &job, .progress = 40};
	desk_must(job_queue_renew(desk.use.submit.queue.jobs, &desk.call, &renewal, 1, &desk.err));
	struct asked running = desk_ask("GET", id);
	assert_answer(running, 200);
	assert_says(running, "\"status\":\"running\"");
	assert_says(running, "\"position\":null,\"eta_s\":null,\"progress\":40,\"attempts\":1");
	desk_must(video_job_succeed(&begun, &desk.call, desk.use.submit.documents,
		FN_BYTES("http://x/v.mp4"), &file, &desk.err));
	struct asked done = desk_ask("GET", id);
	assert_says(done, "\"status\":\"succeeded\"");
	assert_says(done, "\"url\":\"http://x/v.mp4\"");
	assert_says(done, "\"progress\":100");
}
END_TEST

/* What the queue cannot tell is not made up. */
START_TEST(status_without_queue)
{
	struct fn_bytes id = desk_submitted();

	redis_server_kill(desk.redis);
	struct asked request = desk_ask("GET", id);
	assert_answer(request, 200);
	assert_says(request, "\"status\":\"queued\"");
	assert_says(request, "\"position\":null,\"eta_s\":null,\"progress\":null");
}
END_TEST

/* A video of somebody else. */
static struct fn_bytes
video_of_other(void)
{
	const struct user other = {.id = FN_BYTES_INIT("user_other")};
	const struct video_prompt prompt = {
		.video = {.prompt = FN_BYTES("secret"), .aspect_ratio = "16:9"}};
	struct job_ticket ticket;
	struct video_job job;
	bool is_new;

	desk_must(video_submit(
		&desk.use.submit, &desk.call, &other, &prompt, &job, &is_new, &desk.err));
	desk_must(
		video_queue_enqueue(&desk.use.submit.queue, &desk.call, &job, &ticket, &desk.err));
	return job.creation.id;
}

/* Another's video, none and nonsense cannot be told apart, and are left alone. */
START_TEST(only_own_videos_are_there)
{
	struct fn_bytes other = video_of_other();
	const struct fn_bytes ids[] = {other, FN_BYTES("vid_01jd3kx"), FN_BYTES("img_1"),
		FN_BYTES("..%2fbalances"), FN_BYTES("generate")};
	static const char *const methods[] = {"GET", "DELETE"};

	for (size_t i = 0; i < COUNT(ids); i++) {
		struct asked request = desk_ask(methods[_i], ids[i]);

		assert_answer(request, 404);
		ck_assert_str_eq(request.err.message, "there is no such video");
	}
	ck_assert_str_eq(desk_document(other).creation.status, "queued");
	ck_assert_int_eq(desk_job(other).state, JOB_WAITING);
}
END_TEST

/* ---- Cancel ---------------------------------------------------------------------------------- */

/* A video that waits is canceled at once, is never claimed, and costs nothing; again is the same.
 */
START_TEST(queued_video_is_canceled)
{
	struct fn_bytes id = desk_submitted();

	for (int i = 0; i < 2; i++) {
		struct asked request = desk_ask("DELETE", id);

		assert_answer(request, 200);
		assert_says(request, "\"status\":\"canceled\"");
		ck_assert_int_eq(desk_ledger().balance, DESK_SIGNUP);
		ck_assert_uint_eq(desk_ledger().refunds, 1);
	}
	ck_assert_int_eq(desk_job(id).state, JOB_CANCELED);
	assert_says(desk_ask("GET", id), "\"status\":\"canceled\"");
}
END_TEST

/* Of one that is at work the worker learns, and ends it; then the tokens come back. */
START_TEST(running_video_is_canceled_by_its_worker)
{
	struct fn_bytes id = desk_submitted();
	struct job job = desk_claim();
	struct job_renewal renewal = {.job = &job, .progress = -1};
	struct video_job begun = desk_begin(&job);

	for (int i = 0; i < 2; i++) {
		struct asked request = desk_ask("DELETE", id);

		assert_answer(request, 202);
		assert_says(request, "\"status\":\"running\"");
		ck_assert_uint_eq(desk_ledger().refunds, 0);
	}
	desk_must(job_queue_renew(desk.use.submit.queue.jobs, &desk.call, &renewal, 1, &desk.err));
	ck_assert_int_eq(renewal.hold, JOB_CANCEL_WANTED);
	desk_must(video_job_stop(&begun, &desk.call, desk.use.submit.documents, &desk.err));
	desk_finish(&job, video_job_verdict(&begun));
	assert_answer(desk_ask("DELETE", id), 200);
	ck_assert_uint_eq(desk_ledger().refunds, 1);
	ck_assert_int_eq(desk_ledger().balance, DESK_SIGNUP);
}
END_TEST

/* What nobody works at any more, though its document says so, is ended at once. */
START_TEST(handed_back_video_is_canceled)
{
	struct fn_bytes id = desk_submitted();
	struct job job = desk_claim();

	desk_begin(&job);
	if (_i == 0)
		desk_finish(&job, JOB_RELEASE);
	else
		redis_server_number(desk.redis, "DEL phx:{v}:j:%b", id.at, id.size);
	assert_answer(desk_ask("DELETE", id), 200);
	ck_assert_uint_eq(desk_ledger().refunds, 1);
	ck_assert_int_eq(desk_job(id).state, _i == 0 ? JOB_CANCELED : JOB_UNKNOWN);
}
END_TEST

/* What has ended stays as it is. */
START_TEST(ended_video_is_not_canceled)
{
	const struct video_file file = {.mime_type = "video/mp4"};
	struct fn_bytes id = desk_submitted();
	struct job job = desk_claim();
	struct video_job begun = desk_begin(&job);

	desk_must(_i ? video_job_fail(&begun, &desk.call, desk.use.submit.documents,
			       FN_BYTES("why"), true, &desk.err)
		     : video_job_succeed(&begun, &desk.call, desk.use.submit.documents,
			       FN_BYTES("http://x"), &file, &desk.err));
	struct asked request = desk_ask("DELETE", id);
	assert_answer(request, 409);
	ck_assert_msg(strstr(request.err.message, _i ? "failed" : "succeeded"), "%s",
		request.err.message);
	ck_assert_uint_eq(desk_ledger().refunds, _i ? 1 : 0);
}
END_TEST

/* Without a queue the document alone says it: who claims the job finds that it has ended, or is to
 * end. */
START_TEST(canceled_without_queue)
{
	struct fn_bytes id = desk_submitted();
	struct video_job begun;
	struct job job = {0};

	if (_i) {
		job = desk_claim();
		desk_begin(&job);
	}
	struct redis_proxy *proxy = redis_proxy_start(redis_server_port(desk.redis));
	redis_proxy_stall(proxy, 1);
	desk_open_queue(redis_proxy_url(proxy));
	assert_answer(desk_ask("DELETE", id), _i ? 202 : 200);
	redis_proxy_stop(proxy);
	desk_open_queue(redis_server_url(desk.redis));

	if (!_i)
		job = desk_claim();
	ck_assert(!video_job_begin(&begun, &desk.call, desk.use.submit.documents, job.id,
		job.fence + (uint64_t)_i, &desk.err));
	ck_assert_int_eq(desk.err.code, FN_CONFLICT);
	desk_must(video_job_stop(&begun, &desk.call, desk.use.submit.documents, &desk.err));
	desk_finish(&job, video_job_verdict(&begun));
	ck_assert_uint_eq(desk_ledger().refunds, 1);
}
END_TEST

/* Of one whose worker is gone too, as soon as its lease has run out. */
START_TEST(abandoned_video_is_canceled)
{
	struct fn_bytes id = desk_submitted();
	struct asked request;

	desk.jobs.lease_ms = 1;
	desk_open_queue(redis_server_url(desk.redis));
	struct job job = desk_claim();
	desk_begin(&job);
	do
		request = desk_ask("DELETE", id);
	while (request.status == 202);
	assert_answer(request, 200);
	assert_says(request, "\"status\":\"canceled\"");
	ck_assert_uint_eq(desk_ledger().refunds, 1);
}
END_TEST

static void *
work(void *unused)
{
	struct fn_call mine = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + DESK_CALL_MS};
	const struct video_file file = {.mime_type = "video/mp4"};
	struct job_claim claimed = {0};
	struct video_job job;
	struct fn_error why;

	(void)unused;
	if (job_queue_claim(desk.use.submit.queue.jobs, &mine, &desk.worker, &claimed, &why) &&
		claimed.kind == JOB_CLAIMED) {
		bool ok = video_job_begin(&job, &mine, desk.use.submit.documents, claimed.job.id,
			claimed.job.fence, &why);

		if (ok)
			ok = video_job_succeed(&job, &mine, desk.use.submit.documents,
				FN_BYTES("http://x"), &file, &why);
		else if (why.code == FN_CONFLICT)
			ok = video_job_stop(&job, &mine, desk.use.submit.documents, &why);
		struct job_end end = {.verdict = ok ? video_job_verdict(&job) : JOB_RETRY};
		(void)!job_queue_finish(
			desk.use.submit.queue.jobs, &mine, &claimed.job, &end, &why);
	}
	fn_arena_drop(mine.arena);
	return NULL;
}

#define CANCELS 16

/* However many cancel while it is made, it has one end, and the tokens are where they belong. */
START_TEST(cancel_races_with_the_worker)
{
	struct asked requests[CANCELS];
	pthread_t threads[CANCELS + 1];
	struct fn_bytes id = desk_submitted();

	for (size_t i = 0; i < CANCELS; i++)
		requests[i] = asked_new(
			desk.arena, "DELETE", fn_textf(desk.arena, "/api/video/%.*s", FN_ARG(id)));
	for (size_t i = 0; i < CANCELS; i++)
		pthread_create(&threads[i], NULL, desk_run_thread, &requests[i]);
	pthread_create(&threads[CANCELS], NULL, work, NULL);
	for (size_t i = 0; i <= CANCELS; i++)
		pthread_join(threads[i], NULL);

	struct video_job job = desk_document(id);
	bool succeeded = strcmp(job.creation.status, "succeeded") == 0;
	ck_assert_msg(video_job_ended(&job), "%s", job.creation.status);
	ck_assert_uint_eq(desk_ledger().refunds, succeeded ? 0 : 1);
	for (size_t i = 0; i < CANCELS; i++)
		ck_assert(succeeded == (requests[i].status == 409) || requests[i].status == 202);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = status_follows_the_job},
		{.test = status_without_queue},
		{.test = only_own_videos_are_there, .rows = 2},
		{.test = queued_video_is_canceled},
		{.test = running_video_is_canceled_by_its_worker},
		{.test = handed_back_video_is_canceled, .rows = 2},
		{.test = ended_video_is_not_canceled, .rows = 2},
		{.test = canceled_without_queue, .rows = 2},
		{.test = abandoned_video_is_canceled},
		{.test = cancel_races_with_the_worker, .rows = 10},
	};

	return suite_run_with(
		"status and cancellation of videos", cases, COUNT(cases), desk_open, desk_close);
}
