/* What comes between a worker and its job: another worker, the job's owner, the end of its time. */
#include "fn/clock.h"
#include "functions/video_worker/work.h"
#include "tests/support/suite.h"
#include "tests/support/workshop.h"

#include <pthread.h>
#include <unistd.h>

#define LEASE_MS 1500  /* of the worker's job: renewed twice a second */
#define RETRY_MS 50000 /* long enough to be noticed, and by the worker waited for */
#define LONG_MS 60000
#define FOREVER_MS 3600000 /* longer than the test may take: nothing ends by waiting for this */

static pthread_t thread;
static struct fn_bytes id;

static void *
wake(void *unused)
{
	(void)unused;
	return workshop_wake_with("phoenix.video.tick", "", FOREVER_MS) ? &thread : NULL;
}

static void
nap(void)
{
	usleep(2000);
}

/* The worker is at a job of which the model says this, and knows its operation. */
static void
begin_with(const enum said *said)
{
	workshop_open();
	shop.queue.lease_ms = LEASE_MS;
	shop.patience.poll_ms = 10;
	job_queue_close(shop.use.videos.queue.jobs);
	shop.use.videos.queue.jobs = workshop_queue(LEASE_MS);
	workshop_model_says(said);
	id = workshop_submit("ann");
	ck_assert(pthread_create(&thread, NULL, wake, NULL) == 0);
	while (workshop_document(id).operation.size == 0)
		nap();
}

static void
worker_returns(void)
{
	void *ok;

	ck_assert(pthread_join(thread, &ok) == 0);
	ck_assert_msg(ok, "%s", shop.err.message);
}

static const enum said endless[] = {STARTED, RUNNING, SAID_NO_MORE};

/* What the model says of its progress is there for whoever asks the queue. */
START_TEST(progress_is_told)
{
	static const enum said said[] = {STARTED, RUNNING, SLOWLY, STORED, BYTES, SAID_NO_MORE};

	begin_with(said);
	while (workshop_job(id).state == JOB_ACTIVE && workshop_job(id).progress != 40)
		nap();
	ck_assert_int_eq(workshop_job(id).progress, 40);
	worker_returns();
	workshop_has_ended(id, "succeeded", NULL);
}
END_TEST

/* Its owner cancels it: the worker ends it, without a video and for nothing. */
START_TEST(cancel_ends_the_work)
{
	struct video_job job;

	begin_with(endless);
	job = workshop_document(id);
	workshop_must(video_queue_cancel(
		&shop.use.videos.queue, &shop.call, shop.use.videos.documents, &job, &shop.err));
	worker_returns();
	workshop_has_ended(id, "canceled", NULL);
	ck_assert_uint_eq(workshop_starts(), 1);
}
END_TEST

/* The same where only the document knows of it: a job that would be tried again is not. */
START_TEST(canceled_job_is_not_tried_again)
{
	static const enum said said[] = {STARTED, SLOWLY, CODE_13, SAID_NO_MORE};
	struct video_job job;

	begin_with(said);
	job = workshop_document(id);
	workshop_must(video_job_cancel(&job, &shop.call, shop.use.videos.documents, &shop.err));
	worker_returns();
	workshop_has_ended(id, "canceled", NULL);
	ck_assert_uint_eq(workshop_starts(), 1);
}
END_TEST

/* The same where its worker is gone: the next one ends it. */
START_TEST(canceled_job_of_a_dead_worker_ends)
{
	struct job_worker dead;
	struct video_job job;

	workshop_open();
	id = workshop_submit("ann");
	job_worker_init(&dead, "dead");
	struct job claimed = workshop_claim(shop.use.videos.queue.jobs, &dead);
	workshop_must(video_job_begin(
		&job, &shop.call, shop.use.videos.documents, id, claimed.fence, &shop.err));
	workshop_must(video_queue_cancel(
		&shop.use.videos.queue, &shop.call, shop.use.videos.documents, &job, &shop.err));
	workshop_pass_time();
	ck_assert(workshop_wake());
	workshop_has_ended(id, "canceled", NULL);
}
END_TEST

/* The job is another worker's: the first one writes nothing more, neither here nor there. */
START_TEST(lost_lease_ends_the_work)
{
	struct job_queue *others = NULL;
	struct job_end end = {.verdict = JOB_SUCCESS};
	struct job_worker worker;
	struct video_job job;

	begin_with(endless);
	others = workshop_queue(LONG_MS);
	job_worker_init(&worker, "other");
	struct job claimed = workshop_claim(others, &worker);
	workshop_must(video_job_begin(
		&job, &shop.call, shop.use.videos.documents, id, claimed.fence, &shop.err));
	ck_assert_bytes_eq(job.operation, WORKSHOP_OPERATION);
	worker_returns();
	ck_assert_int_eq(workshop_document(id).version, job.version);
	workshop_must(job_queue_finish(others, &shop.call, &claimed, &end, &shop.err));
	ck_assert_int_eq(end.state, JOB_SUCCEEDED);
	job_queue_close(others);
}
END_TEST

/* A queue that has forgotten everything does not stop the work; the document knows its end. */
START_TEST(forgotten_job_is_finished)
{
	static const enum said said[] = {STARTED, SLOWLY, SLOWLY, STORED, BYTES, SAID_NO_MORE};

	begin_with(said);
	AUTO(drop_reply) redisReply *reply = redis_server_ask(shop.redis, "FLUSHALL");
	worker_returns();
	ck_assert_str_eq(workshop_document(id).creation.status, "succeeded");
	ck_assert_uint_eq(workshop_starts(), 1);
	ck_assert_uint_eq(ledger_check(shop.use.videos.documents, &shop.call, "ann").refunds, 0);
}
END_TEST

/* Its time is used up: the job goes back, uncounted, with what was paid for. */
START_TEST(job_is_handed_back_in_time)
{
	struct fn_call call;
	struct job_worker worker;
	struct job_end end;

	workshop_open();
	workshop_model_says(endless);
	id = workshop_submit("ann");
	job_worker_init(&worker, "worker");
	struct job claimed = workshop_claim(shop.use.videos.queue.jobs, &worker);
	call = shop.call;
	call.deadline_ms = fn_now_ms() + 6000;
	ck_assert(work_at(&shop.use, &call, &claimed, &end));
	ck_assert_int_ge(call.deadline_ms, fn_now_ms());
	ck_assert_int_eq(end.verdict, JOB_RELEASE);
	ck_assert_int_eq(end.delay_ms, 0);
	workshop_must(job_queue_finish(
		shop.use.videos.queue.jobs, &shop.call, &claimed, &end, &shop.err));
	ck_assert_int_eq(workshop_job(id).state, JOB_WAITING);
	ck_assert_uint_eq(workshop_job(id).failures, 0);
	ck_assert_str_eq(workshop_document(id).creation.status, "queued");
	ck_assert_bytes_eq(workshop_document(id).operation, WORKSHOP_OPERATION);
	ck_assert_bytes_eq(workshop_job(id).operation, WORKSHOP_OPERATION);
}
END_TEST

static const enum said fails_once[] = {
	STARTED, SLOWLY, CODE_13, STARTED, STORED, BYTES, SAID_NO_MORE};

/* A job that failed and is due within a minute is waited for, in the same event. */
START_TEST(retry_is_waited_for)
{
	workshop_open();
	shop.patience.retry_ms = RETRY_MS;
	workshop_model_says(fails_once);
	id = workshop_submit("ann");
	ck_assert(pthread_create(&thread, NULL, wake, NULL) == 0);
	while (workshop_job(id).state != JOB_DELAYED)
		nap();
	workshop_pass_time();
	worker_returns();
	workshop_has_ended(id, "succeeded", NULL);
}
END_TEST

/* One that is due later is for another event. */
START_TEST(late_retry_is_for_another_event)
{
	workshop_open();
	shop.patience.retry_ms = 600000;
	workshop_model_says(fails_once);
	id = workshop_submit("ann");
	ck_assert(workshop_wake_with("phoenix.video.tick", "", FOREVER_MS));
	ck_assert_int_eq(workshop_job(id).state, JOB_DELAYED);
	workshop_pass_time();
	ck_assert(workshop_wake());
	workshop_has_ended(id, "succeeded", NULL);
}
END_TEST

/* Who has too little time for a job claims none, and leaves the event to somebody who has. A bell
 * rung for others would come back, again and again. */
START_TEST(event_without_time_is_for_others)
{
	workshop_open();
	workshop_model_says(endless);
	id = workshop_submit("ann");
	ck_assert(!workshop_wake_with("phoenix.video.tick", "", 1000));
	ck_assert_int_eq(workshop_job(id).state, JOB_WAITING);
	workshop_has_rung(0);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = progress_is_told},
		{.test = cancel_ends_the_work},
		{.test = canceled_job_is_not_tried_again},
		{.test = canceled_job_of_a_dead_worker_ends},
		{.test = lost_lease_ends_the_work},
		{.test = forgotten_job_is_finished},
		{.test = job_is_handed_back_in_time},
		{.test = retry_is_waited_for},
		{.test = late_retry_is_for_another_event},
		{.test = event_without_time_is_for_others},
	};

	return suite_run_with("video_worker, lease", cases, COUNT(cases), NULL, workshop_close);
}
