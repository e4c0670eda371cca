/* The whole function over real parts, and each failure of the model in turn: every job has one end,
 * the model was asked for as many videos as it says, and the tokens are where they belong. */
#include "fn/clock.h"
#include "tests/support/suite.h"
#include "tests/support/workshop.h"

#define WORDS_MOST 12

static void
begin_with(const enum said *said)
{
	workshop_open();
	workshop_model_says(said);
}

/* ---- The model ------------------------------------------------------------------------------- */

static const struct run {
	const char *name;
	enum said said[WORDS_MOST];
	size_t starts;
	const char *status, *reason;
} runs[] = {
	{"all goes well", {STARTED, RUNNING, STORED, BYTES}, 1, "succeeded", NULL},
	{"no quota at first", {ERROR_429, STARTED, STORED, BYTES}, 2, "succeeded", NULL},
	{"not there at first", {ERROR_503, STARTED, STORED, BYTES}, 2, "succeeded", NULL},
	{"prompt refused", {REFUSED}, 1, "failed", "the safety filter refused the prompt"},
	{"prompt refused late", {STARTED, REFUSED_LATE}, 1, "failed", "refused the prompt"},
	{"video refused", {STARTED, RUNNING, FILTERED}, 1, "failed", "refused the video"},
	{"request not taken", {ERROR_400}, 1, "failed", "does not take this request"},
	{"request not taken after all", {STARTED, CODE_3}, 1, "failed", "does not take"},
	{"not allowed", {STARTED, CODE_7}, 1, "failed", "should have allowed"},
	{"credentials refused", {ERROR_403}, 3, "failed", "the video model cannot be used"},
	{"failed once", {STARTED, CODE_13, STARTED, STORED, BYTES}, 2, "succeeded", NULL},
	{"failed too often", {STARTED, CODE_13, STARTED, CODE_13, STARTED, CODE_13}, 3, "failed",
		"the video model failed"},
	{"polls fail", {STARTED, ERROR_500, GARBAGE, RESET, ERROR_429, STORED, BYTES}, 1,
		"succeeded", NULL},
	{"lost and found", {STARTED, ERROR_404, LISTED, BYTES}, 1, "succeeded", NULL},
	{"lost", {STARTED, ERROR_404, NOTHING, STARTED, STORED, BYTES}, 2, "succeeded", NULL},
	{"lost while nobody can look", {STARTED, ERROR_404, ERROR_403, ERROR_404, LISTED, BYTES}, 1,
		"succeeded", NULL},
	{"removed", {STARTED, STORED, ERROR_404, STARTED, STORED, BYTES}, 2, "succeeded", NULL},
	{"spoiled once", {STARTED, STORED, NO_FILM, STORED, BYTES}, 1, "succeeded", NULL},
	{"spoiled", {STARTED, STORED, NO_FILM, STORED, NO_FILM, STORED, NO_FILM}, 1, "failed",
		"The video could not be made. Your tokens were given back."},
};

START_TEST(model_may_fail)
{
	const struct run *run = &runs[_i];

	begin_with(run->said);
	struct fn_bytes id = workshop_submit("ann");
	workshop_must(workshop_wake());
	workshop_has_ended(id, run->status, run->reason);
	ck_assert_msg(workshop_starts() == run->starts, "%s: %zu", run->name, workshop_starts());
}
END_TEST

/* A model that does not come to an end is given up, and asked anew. */
START_TEST(endless_operation_is_given_up)
{
	static const enum said said[] = {
		STARTED, RUNNING, STARTED, RUNNING, STARTED, RUNNING, SAID_NO_MORE};

	begin_with(said);
	shop.patience.give_up_s = -1;
	struct fn_bytes id = workshop_submit("ann");
	workshop_must(workshop_wake());
	workshop_has_ended(id, "failed", "the video model was too slow");
	ck_assert_uint_eq(workshop_starts(), 3);
}
END_TEST

/* ---- Who worked at it before ----------------------------------------------------------------- */

/* How far the worker came that died. */
enum {
	CLAIMED,
	BEGUN,
	ANNOUNCED, /* in the queue alone */
	CALLED,
	ANSWERED, /* which the queue alone knows */
	NOTED,
	ENDED,
};

static void
die_after(int step, struct fn_bytes id)
{
	const struct video_file film = {.mime_type = "video/mp4", .width = 1280};
	struct job_queue *jobs = shop.use.videos.queue.jobs;
	struct document_store *documents = shop.use.videos.documents;
	struct job_worker worker;
	struct video_job job;
	struct fn_call *call = &shop.call;
	struct fn_error *err = &shop.err;

	job_worker_init(&worker, "dead");
	struct job claimed = workshop_claim(jobs, &worker);
	if (step >= BEGUN)
		workshop_must(video_job_begin(&job, call, documents, id, claimed.fence, err));
	if (step >= ANNOUNCED)
		workshop_must(job_queue_set_operation(jobs, call, &claimed, FN_BYTES(""), err));
	if (step >= CALLED)
		workshop_must(video_job_call(&job, call, documents, err));
	if (step >= ANSWERED)
		workshop_must(job_queue_set_operation(
			jobs, call, &claimed, FN_BYTES(WORKSHOP_OPERATION), err));
	if (step >= NOTED)
		workshop_must(
			video_job_called(&job, call, documents, FN_BYTES(WORKSHOP_OPERATION), err));
	if (step >= ENDED)
		workshop_must(video_job_succeed(
			&job, call, documents, FN_BYTES("http://media/x"), &film, err));
	workshop_pass_time();
}

static const struct {
	int step;
	enum said said[WORDS_MOST];
	size_t starts;
} deaths[] = {
	{CLAIMED, {STARTED, STORED, BYTES}, 1},
	{BEGUN, {STARTED, STORED, BYTES}, 1},
	{ANNOUNCED, {STARTED, STORED, BYTES}, 1},
	{CALLED, {LISTED, BYTES}, 0},
	{ANSWERED, {STORED, BYTES}, 0},
	{NOTED, {RUNNING, STORED, BYTES}, 0},
};

/* What a dead worker had paid for is gone on with. */
START_TEST(work_is_resumed)
{
	begin_with(deaths[_i].said);
	struct fn_bytes id = workshop_submit("ann");
	die_after(deaths[_i].step, id);
	workshop_must(workshop_wake());
	workshop_has_ended(id, "succeeded", NULL);
	ck_assert_uint_eq(workshop_starts(), deaths[_i].starts);
}
END_TEST

/* What had ended has, whatever the queue says, and the model is not asked. */
START_TEST(end_is_final)
{
	static const enum said said[] = {ERROR_500, SAID_NO_MORE};

	begin_with(said);
	struct fn_bytes id = workshop_submit("ann");
	die_after(ENDED, id);
	workshop_must(workshop_wake());
	ck_assert_str_eq(workshop_document(id).creation.status, "succeeded");
	ck_assert_int_eq(workshop_job(id).state, JOB_SUCCEEDED);
	ck_assert_uint_eq(scripted_server_requests(shop.model), 0);
}
END_TEST

/* What was stored for a video goes with it, whoever stored it. */
START_TEST(canceled_video_leaves_no_object)
{
	static const enum said said[] = {ERROR_500, SAID_NO_MORE};
	const struct object object = {FN_BYTES("film"), "video/mp4", NULL};
	struct video_job job;

	begin_with(said);
	struct fn_bytes id = workshop_submit("ann");
	die_after(NOTED, id);
	job = workshop_document(id);
	workshop_must(object_store_put(
		shop.use.videos.objects, &shop.call, job.creation.object_key, &object, &shop.err));
	workshop_must(video_job_cancel(&job, &shop.call, shop.use.videos.documents, &shop.err));
	workshop_must(workshop_wake());
	workshop_has_ended(id, "canceled", NULL);
	ck_assert_uint_eq(scripted_server_requests(shop.model), 0);
}
END_TEST

/* A call whose answer nobody knows: the video is looked for before another is paid... */
START_TEST(unanswered_start_is_not_repeated)
{
	static const enum said lost[] = {RESET, LISTED, BYTES, SAID_NO_MORE};
	static const enum said dead[] = {NOTHING, LISTED, BYTES, SAID_NO_MORE};

	begin_with(_i == 0 ? lost : dead);
	struct fn_bytes id = workshop_submit("ann");
	if (_i == 1)
		die_after(CALLED, id);
	workshop_must(workshop_wake());
	ck_assert_int_eq(workshop_job(id).state, JOB_DELAYED);
	ck_assert_uint_eq(workshop_job(id).failures, 0);
	ck_assert_str_eq(workshop_document(id).creation.status, "queued");
	workshop_pass_time();
	workshop_must(workshop_wake());
	workshop_has_ended(id, "succeeded", NULL);
	ck_assert_uint_eq(workshop_starts(), _i == 0 ? 1 : 0);
}
END_TEST

/* ...for so long. */
START_TEST(search_has_an_end)
{
	static const enum said said[] = {NOTHING, STARTED, STORED, BYTES, SAID_NO_MORE};

	begin_with(said);
	shop.patience.search_s = 0;
	struct fn_bytes id = workshop_submit("ann");
	die_after(CALLED, id);
	workshop_must(workshop_wake());
	workshop_has_ended(id, "succeeded", NULL);
	ck_assert_uint_eq(workshop_starts(), 1);
}
END_TEST

/* ---- The queue and the stores ---------------------------------------------------------------- */

static const enum said usual[] = {STARTED, STORED, BYTES, SAID_NO_MORE};

/* An emptied queue is filled from the documents before anything is claimed. */
START_TEST(emptied_queue_is_rebuilt)
{
	begin_with(usual);
	struct fn_bytes id = workshop_submit("ann");
	AUTO(drop_reply) redisReply *reply = redis_server_ask(shop.redis, "FLUSHALL");
	workshop_must(workshop_wake());
	workshop_has_ended(id, "succeeded", NULL);
}
END_TEST

/* What was submitted while the queue was down is found a minute and a half later. */
START_TEST(forgotten_video_is_found)
{
	static const enum said twice[] = {
		STARTED, STORED, BYTES, STARTED, STORED, BYTES, SAID_NO_MORE};

	begin_with(twice);
	struct fn_bytes first = workshop_submit("ben");
	workshop_must(workshop_wake());
	workshop_has_ended(first, "succeeded", NULL);
	struct fn_bytes id = workshop_draft("ann");
	fn_clock_pretend(fn_unix_ms() + 91000);
	workshop_new_process();
	workshop_must(workshop_wake());
	workshop_has_ended(id, "succeeded", NULL);
}
END_TEST

/* Its workers died one after the other: whoever comes next says so, and gives the tokens back. */
START_TEST(job_that_kills_its_workers_fails)
{
	static const enum said said[] = {ERROR_500, SAID_NO_MORE};

	begin_with(said);
	struct fn_bytes id = workshop_submit("ann");
	die_after(BEGUN, id);
	die_after(BEGUN, id);
	fn_clock_pretend(fn_unix_ms() + 91000);
	workshop_must(workshop_wake()); /* buries it */
	workshop_new_process();
	workshop_must(workshop_wake());
	workshop_has_ended(id, "failed", "The video could not be made.");
	ck_assert_uint_eq(scripted_server_requests(shop.model), 0);
}
END_TEST

/* Where jobs come back that nobody was rung for, into a queue that was lost or one by one, a worker
 * wakes as many others as can work. */
START_TEST(waiting_jobs_wake_workers)
{
	static const enum said said[] = {ERROR_400, SAID_NO_MORE};

	begin_with(said);
	if (_i == 1)
		workshop_must(workshop_wake()); /* the queue is not new any more */
	workshop_draft("ann");
	workshop_draft("ben");
	workshop_draft("cid");
	if (_i == 1) {
		fn_clock_pretend(fn_unix_ms() + 91000);
		workshop_new_process();
	}
	workshop_must(workshop_wake());
	workshop_has_rung(2);
}
END_TEST

START_TEST(pause_is_respected)
{
	begin_with(usual);
	struct fn_bytes id = workshop_submit("ann");
	workshop_must(job_queue_pause(shop.use.videos.queue.jobs, &shop.call, &shop.err));
	workshop_must(workshop_wake());
	ck_assert_int_eq(workshop_job(id).state, JOB_WAITING);
	ck_assert_uint_eq(scripted_server_requests(shop.model), 0);
	workshop_must(job_queue_resume(shop.use.videos.queue.jobs, &shop.call, &shop.err));
	workshop_must(workshop_wake());
	workshop_has_ended(id, "succeeded", NULL);
}
END_TEST

/* An object store that fails is tried again, and the model is not asked for another video. */
START_TEST(object_store_may_fail)
{
	static const enum said said[] = {
		STARTED, STORED, BYTES, STORED, BYTES, STORED, BYTES, SAID_NO_MORE};

	begin_with(said);
	struct fn_bytes id = workshop_submit("ann");
	workshop_block_objects();
	workshop_must(workshop_wake());
	ck_assert_str_eq(workshop_document(id).creation.status, "failed");
	ck_assert_uint_eq(workshop_starts(), 1);
	ck_assert_bytes_eq(workshop_document(id).operation, WORKSHOP_OPERATION);
}
END_TEST

/* The event is not acknowledged, so that it comes again. */
START_TEST(queue_may_be_down)
{
	begin_with(usual);
	workshop_submit("ann");
	redis_server_kill(shop.redis);
	ck_assert(!workshop_wake());
	ck_assert(shop.err.code == FN_UPSTREAM || shop.err.code == FN_DEADLINE);
	redis_server_revive(shop.redis);
}
END_TEST

/* A video whose document is gone is nobody's any more. */
START_TEST(deleted_video_is_canceled)
{
	begin_with(usual);
	struct fn_bytes id = workshop_submit("ann");
	struct document_write gone = {.kind = DOCUMENT_DELETE, .collection = "creations", .id = id};
	workshop_must(
		document_store_commit(shop.use.videos.documents, &shop.call, &gone, 1, &shop.err));
	workshop_must(workshop_wake());
	ck_assert_int_eq(workshop_job(id).state, JOB_CANCELED);
	ck_assert_uint_eq(scripted_server_requests(shop.model), 0);
}
END_TEST

/* ---- Events ---------------------------------------------------------------------------------- */

static const struct {
	const char *type, *data;
	bool wakes;
} events[] = {
	{"phoenix.video.queued", "{\"job\":\"vid_nobody_knows\"}", true},
	{"phoenix.video.queued", "\xff\xfe", true},
	{"phoenix.video.tick", "", true},
	{"google.cloud.pubsub.topic.v1.messagePublished", "{\"message\":{}}", true},
	{"google.cloud.storage.object.v1.finalized", "{}", false},
	{"phoenix.video.queued2", "{}", false},
};

/* An event is a bell: its type counts, and what it says does not. */
START_TEST(bells_wake)
{
	begin_with(usual);
	struct fn_bytes id = workshop_submit("ann");
	workshop_must(workshop_wake_with(events[_i].type, events[_i].data, 60000));
	if (events[_i].wakes)
		workshop_has_ended(id, "succeeded", NULL);
	else
		ck_assert_int_eq(workshop_job(id).state, JOB_WAITING);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = model_may_fail, .rows = COUNT(runs)},
		{.test = endless_operation_is_given_up},
		{.test = work_is_resumed, .rows = COUNT(deaths)},
		{.test = end_is_final},
		{.test = canceled_video_leaves_no_object},
		{.test = unanswered_start_is_not_repeated, .rows = 2},
		{.test = search_has_an_end},
		{.test = emptied_queue_is_rebuilt},
		{.test = forgotten_video_is_found},
		{.test = job_that_kills_its_workers_fails},
		{.test = waiting_jobs_wake_workers, .rows = 2},
		{.test = pause_is_respected},
		{.test = object_store_may_fail},
		{.test = queue_may_be_down},
		{.test = deleted_video_is_canceled},
		{.test = bells_wake, .rows = COUNT(events)},
	};

	return suite_run_with("video_worker", cases, COUNT(cases), NULL, workshop_close);
}
