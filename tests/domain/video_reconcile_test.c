#include "domain/video_reconcile.h"

#include "domain/tokens.h"
#include "fn/clock.h"
#include "tests/support/ledger.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"
#include "tests/support/temp_store.h"

#include <stdlib.h>
#include <string.h>

#define THEN 1795498618123
#define SIGNUP 100
#define PRICE 10

static const struct video_queue_config order = {.free_penalty_s = 300, .quantum_s = 45};
static const struct job_limits limits = {.failures = 5, .crashes = 2};

static struct redis_server *redis;
static struct job_queue_config jobs_config = {.ca_file = "", .lease_ms = 60000};
static struct video_reconcile with = {.queue = {.config = &order}};
static struct job_worker ann, ben;
static struct fn_call call;
static struct fn_error err;

static void
must(bool ok)
{
	ck_assert_msg(ok, "%s", err.message);
}

static void
empty_queue(void)
{
	AUTO(drop_reply) redisReply *reply = redis_server_ask(redis, "FLUSHALL");
}

static void
rebuild(enum video_reach reach)
{
	must(video_reconcile_rebuild(&with, &call, &ann, &limits, reach, &err));
}

static void
setup(void)
{
	struct object_store_config objects = {.public_url = "http://objects"};

	fn_log_level(FN_CRITICAL);
	call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 50000};
	jobs_config.url = redis_server_url(redis);
	objects.url = fn_textf(call.arena, "file:%s/objects", temp_folder());
	with.documents = temp_store_open();
	must(object_store_open(&with.objects, &objects, NULL, &err));
	must(job_queue_open(&with.queue.jobs, &jobs_config, &err));
	job_worker_init(&ann, "ann");
	job_worker_init(&ben, "ben");
	fn_clock_pretend(THEN);
	empty_queue();
	rebuild(VIDEO_ALL);
}

static void
teardown(void)
{
	document_store_close(with.documents);
	object_store_close(with.objects);
	job_queue_close(with.queue.jobs);
	fn_arena_drop(call.arena);
	fn_clock_pretend(0);
}

/* ---- Documents and jobs -------------------------------------------------------------------- */

static struct fn_bytes
id_of(int n)
{
	return fn_bytes(fn_textf(call.arena, "vid_%04d", n));
}

/* A video as its submit leaves it: charged, with a place, and not yet in the queue. */
static struct video_job
draft(int n, const char *user)
{
	const struct user owner = {.id = fn_bytes(user)};
	const struct video_prompt prompt = {
		.video = {.prompt = FN_BYTES("kite"), .aspect_ratio = "16:9"}};
	struct video_job job;

	video_job_init(&job, &call, id_of(n), &owner, &prompt);
	must(video_queue_reserve(&with.queue, &call, &job, &job.score, &err));
	return job;
}

static void
store(const struct video_job *job)
{
	struct writes writes = {0};

	writes_add(&writes, video_job_write(job, &call));
	must(writes_commit(&writes, &call, with.documents, &err));
}

static struct job_ticket
enqueue(const struct video_job *job)
{
	struct job_ticket ticket;

	must(video_queue_enqueue(&with.queue, &call, job, &ticket, &err));
	return ticket;
}

static void
submit(int n, const char *user)
{
	struct video_job job = draft(n, user);

	store(&job);
	enqueue(&job);
}

static struct video_job
document(int n)
{
	struct video_job job;

	must(video_job_read(&job, &call, with.documents, id_of(n), &err));
	return job;
}

static struct job_info
queued(int n)
{
	struct job_info info;

	must(job_queue_get(with.queue.jobs, &call, id_of(n), &info, &err));
	return info;
}

static struct job
claim(int n)
{
	struct job_claim claimed;

	must(job_queue_claim(with.queue.jobs, &call, &ann, &claimed, &err));
	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	ck_assert_bytes_eq(claimed.job.id, fn_text(call.arena, id_of(n)));
	return claimed.job;
}

static struct video_job
begin(const struct job *job)
{
	struct video_job begun;

	must(video_job_begin(&begun, &call, with.documents, job->id, job->fence, &err));
	return begun;
}

static size_t
count_waiting(void)
{
	struct job_queue_status status;

	must(job_queue_status(with.queue.jobs, &call, &status, &err));
	return status.waiting;
}

static void
pass_after(int64_t ms)
{
	struct video_pass pass = {0};

	fn_clock_pretend(THEN + ms);
	must(video_reconcile_pass(&with, &call, &pass, &err));
}

/* ---- Rebuild ------------------------------------------------------------------------------- */

/* An emptied queue is the same again: order, scores, operations, fences. What has ended is not in
 * it, and claims come through. */
START_TEST(emptied_queue_is_rebuilt)
{
	static const char *const users[] = {"u", "u", "v", "u", "w", "v"};
	struct job_info before[COUNT(users)];
	struct video_job running, fenced = draft(6, "x");

	fenced.fence = UINT64_C(1) << 52;
	store(&fenced);
	for (size_t i = 0; i < COUNT(users); i++)
		submit((int)i, users[i]);
	struct job job = claim(0);
	running = begin(&job);
	must(video_job_called(&running, &call, with.documents, FN_BYTES("op"), &err));
	running = document(4);
	must(video_job_stop(&running, &call, with.documents, &err));
	for (size_t i = 0; i < COUNT(users); i++)
		before[i] = queued((int)i);
	empty_queue();
	rebuild(VIDEO_ALL);

	for (size_t i = 0; i < COUNT(users); i++)
		ck_assert_int_eq(queued((int)i).score, i == 4 ? 0 : before[i].score);
	ck_assert_int_eq(queued(4).state, JOB_UNKNOWN);
	ck_assert_uint_eq(count_waiting(), 6);
	ck_assert_uint_eq(claim(6).fence, fenced.fence + 1);
	struct job again = claim(0);
	ck_assert_bytes_eq(again.operation, "op");
	ck_assert_uint_gt(again.fence, job.fence);
	claim(2);
	claim(1);
	claim(5);
	claim(3);
}
END_TEST

/* Those that had no place, since the queue was down, get one in the order of their submit. */
START_TEST(homeless_jobs_find_a_place)
{
	for (int n = 3; n >= 1; n--) {
		struct video_job job = draft(n, "u");

		job.score = 0;
		fn_clock_pretend(THEN + n * 1000);
		store(&job);
	}
	rebuild(_i ? VIDEO_ALL : VIDEO_RECENT);
	for (int n = 1; n <= 3; n++) {
		ck_assert_uint_eq(queued(n).position, (size_t)n);
		ck_assert_int_eq(document(n).score, queued(n).score);
	}
}
END_TEST

#define MANY 250

static void
store_many(int first, int64_t touched_at_ms)
{
	struct document_write *writes =
		fn_arena_alloc(call.arena, MANY * sizeof(struct document_write));

	fn_clock_pretend(touched_at_ms);
	for (int i = 0; i < MANY; i++) {
		struct video_job job = draft(first + i, "u");

		writes[i] = video_job_write(&job, &call);
	}
	must(document_store_commit(with.documents, &call, writes, MANY, &err));
}

/* Several pages of them are put back; of the recent ones no others are looked at. */
START_TEST(rebuild_reaches_so_far)
{
	store_many(0, THEN - 600001);
	store_many(MANY, THEN - 600000);
	fn_clock_pretend(THEN);
	rebuild(VIDEO_RECENT);
	ck_assert_uint_eq(count_waiting(), MANY);
	rebuild(VIDEO_ALL);
	ck_assert_uint_eq(count_waiting(), 2 * MANY);
	rebuild(VIDEO_ALL);
	ck_assert_uint_eq(count_waiting(), 2 * MANY);
}
END_TEST

static uint64_t
count_extensions(void)
{
	static const char name[] = "cmdstat_pexpire:calls=";
	AUTO(drop_reply) redisReply *reply = redis_server_ask(redis, "INFO commandstats");
	const char *at = strstr(reply->str, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* The lock of one that has died is soon free; so one that lives extends it with each job. */
START_TEST(rebuild_keeps_its_lock)
{
	bool mine;

	must(job_queue_rebuild_begin(with.queue.jobs, &call, &ann, &mine, &err));
	ck_assert_int_le(redis_server_number(redis, "PTTL phx:{v}:lock"), 10000);
	store_many(0, THEN);
	uint64_t before = count_extensions();
	rebuild(VIDEO_ALL);
	ck_assert_uint_ge(count_extensions() - before, MANY);
}
END_TEST

/* While another worker is at it there is nothing to be done. */
START_TEST(one_worker_rebuilds)
{
	struct job_claim claimed;
	bool mine;

	submit(1, "u");
	empty_queue();
	must(job_queue_rebuild_begin(with.queue.jobs, &call, &ben, &mine, &err));
	ck_assert(mine);
	rebuild(VIDEO_ALL);
	ck_assert_uint_eq(count_waiting(), 0);
	must(job_queue_claim(with.queue.jobs, &call, &ann, &claimed, &err));
	ck_assert_int_eq(claimed.kind, JOB_REBUILD);
}
END_TEST

/* ---- The pass ------------------------------------------------------------------------------ */

/* What nobody has touched for 90 seconds is put back; others may be on their way. */
START_TEST(silent_jobs_are_put_back)
{
	struct video_job job = draft(1, "u");

	store(&job);
	pass_after(89999);
	ck_assert_int_eq(queued(1).state, JOB_UNKNOWN);
	pass_after(90000);
	ck_assert_int_eq(queued(1).state, JOB_WAITING);
	ck_assert_int_eq(queued(1).score, job.score);
	pass_after(90000);
	ck_assert_uint_eq(count_waiting(), 1);
}
END_TEST

/* A job that is at work is left to its worker. */
START_TEST(running_jobs_are_left_alone)
{
	submit(1, "u");
	struct job job = claim(1);
	struct video_job begun = begin(&job);
	int64_t version = begun.version;

	pass_after(3600000);
	ck_assert_int_eq(queued(1).state, JOB_ACTIVE);
	ck_assert_int_eq(document(1).version, version);
}
END_TEST

/* So is one that waits for its next attempt. */
START_TEST(delayed_jobs_are_left_alone)
{
	submit(1, "u");
	struct job job = claim(1);
	struct video_job begun = begin(&job);
	struct job_end end = {.verdict = JOB_RETRY, .delay_ms = 3600000};

	must(video_job_retry(&begun, &call, with.documents, false, &err));
	must(job_queue_finish(with.queue.jobs, &call, &job, &end, &err));
	pass_after(90000);
	ck_assert_int_eq(queued(1).state, JOB_DELAYED);
	ck_assert_str_eq(document(1).creation.status, "queued");
}
END_TEST

/* What was canceled in the queue alone is canceled. */
START_TEST(canceled_job_is_canceled)
{
	enum job_state state;

	submit(1, "u");
	must(job_queue_cancel(with.queue.jobs, &call, id_of(1), &state, &err));
	pass_after(90000);
	ck_assert_str_eq(document(1).creation.status, "canceled");
	ck_assert(document(1).refunded);
}
END_TEST

/* So is what its owner wanted canceled while it was at work, once nobody is at work any more: the
 * queue may be paused, or lost. */
START_TEST(canceled_job_without_worker_is_canceled)
{
	struct video_job begun;
	struct job_end end = {.verdict = JOB_RELEASE, .delay_ms = _i * 3600000};

	submit(1, "u");
	struct job job = claim(1);
	begun = begin(&job);
	must(video_queue_cancel(&with.queue, &call, with.documents, &begun, &err));
	pass_after(90000);
	ck_assert_str_eq(document(1).creation.status, "running");
	must(job_queue_finish(with.queue.jobs, &call, &job, &end, &err));
	if (_i == 2) {
		empty_queue();
		rebuild(VIDEO_ALL);
	} else {
		pass_after(90000);
	}
	ck_assert_str_eq(document(1).creation.status, "canceled");
	ck_assert(document(1).refunded);
	ck_assert_int_eq(queued(1).state, JOB_CANCELED);
}
END_TEST

/* A job whose workers died one after the other has failed, and costs nothing. What they had begun
 * is there for a replay. */
START_TEST(buried_job_has_failed)
{
	struct writes writes = {0};
	struct tokens tokens;
	struct video_job job = draft(1, "u");

	job.price = PRICE;
	job.operation = FN_BYTES("op");
	must(tokens_read(&tokens, &call, with.documents, FN_BYTES("u"), SIGNUP, &err));
	must(tokens_debit(&tokens, &call, &writes, PRICE, "video", id_of(1), &err));
	writes_add(&writes, video_job_write(&job, &call));
	must(writes_commit(&writes, &call, with.documents, &err));
	enqueue(&job);
	struct job claimed = claim(1);
	struct job_end end = {.verdict = JOB_FAILURE};
	begin(&claimed);
	must(job_queue_finish(with.queue.jobs, &call, &claimed, &end, &err));

	for (int i = 0; i < 2; i++) {
		pass_after(90000);
		ck_assert_str_eq(document(1).creation.status, "failed");
		ck_assert_bytes_eq(document(1).operation, "op");
		ck_assert_msg(strstr(fn_text(call.arena, document(1).reason), "tokens"), "%.*s",
			FN_ARG(document(1).reason));
		ck_assert_uint_eq(ledger_check(with.documents, &call, "u").refunds, 1);
		ck_assert_int_eq(ledger_check(with.documents, &call, "u").balance, SIGNUP);
	}
}
END_TEST

/* A document that is no video is passed over, and those behind it are reached. */
START_TEST(foreign_document_is_passed_over)
{
	json_t *fields =
		json_pack("{s:s, s:I}", "status", "queued", "touched_at_ms", (json_int_t)1);
	struct document_write foreign = {
		.kind = DOCUMENT_CREATE,
		.collection = "creations",
		.id = id_of(0),
		.fields = fields,
	};
	struct video_job job = draft(1, "u");

	must(document_store_commit(with.documents, &call, &foreign, 1, &err));
	store(&job);
	pass_after(90000);
	ck_assert_int_eq(queued(1).state, JOB_WAITING);
	json_decref(fields);
}
END_TEST

/* Where the queue lets nobody new in, those with a place are put back all the same. */
START_TEST(full_queue_keeps_no_place)
{
	struct job_limits narrow = limits;
	struct video_job homeless = draft(1, "u"), placed = draft(2, "u");

	narrow.waiting = 1;
	submit(3, "v");
	must(job_queue_set_limits(with.queue.jobs, &call, &narrow, &err));
	homeless.score = 0;
	store(&homeless);
	store(&placed);
	pass_after(90000);
	ck_assert_int_eq(queued(1).state, JOB_UNKNOWN);
	ck_assert_int_eq(queued(2).state, JOB_WAITING);
	must(job_queue_set_limits(with.queue.jobs, &call, &limits, &err));
	pass_after(180000);
	ck_assert_int_eq(queued(1).state, JOB_WAITING);
}
END_TEST

/* A pass ends somewhere; the next ones go on until all were looked at, and begin anew. */
START_TEST(passes_reach_all)
{
	struct video_pass pass = {0};
	size_t before = 0;

	for (int i = 0; i < 6; i++)
		store_many(i * MANY, THEN + i);
	fn_clock_pretend(THEN + 90010);
	must(video_reconcile_pass(&with, &call, &pass, &err));
	before = count_waiting();
	ck_assert(before > 0 && before < 6 * MANY);
	must(video_reconcile_pass(&with, &call, &pass, &err));
	ck_assert_uint_eq(count_waiting(), 6 * MANY);
	empty_queue();
	must(video_reconcile_pass(&with, &call, &pass, &err));
	ck_assert_uint_eq(count_waiting(), before);
}
END_TEST

static const struct {
	const char *status;
	unsigned attempts;
	int64_t after_ms;
	bool stays;
} stored[] = {
	{"canceled", 1, 1000, false},
	{"failed", 1, 1000, false},
	{"canceled", 1, 660000, true}, /* earlier passes have seen to it */
	{"succeeded", 1, 1000, true},
	{"running", 1, 1000, true},
	{"queued", 1, 1000, true},
};
/* A video that was stored by a worker who died, and then nobody wanted it any more, is deleted. */
START_TEST(what_is_left_over_is_deleted)
{
	const struct object object = {.bytes = FN_BYTES("film"), .content_type = "video/mp4"};
	struct video_job job = draft(1, "u");
	struct fn_bytes bytes;

	job.creation.status = stored[_i].status;
	job.attempts = stored[_i].attempts;
	store(&job);
	must(object_store_put(with.objects, &call, job.creation.object_key, &object, &err));
	pass_after(stored[_i].after_ms);
	bool stays = object_store_get(
		with.objects, &call, job.creation.object_key, SIZE_MAX, &bytes, &err);
	ck_assert_int_eq(stays, stored[_i].stays);
}
END_TEST

/* A queue that is down ends the pass and the rebuild; nothing is written meanwhile. */
START_TEST(queue_may_be_down)
{
	struct redis_server *other = redis_server_start(NULL);
	struct video_job job = draft(1, "u");
	struct video_pass pass = {0};

	store(&job);
	job_queue_close(with.queue.jobs);
	jobs_config.url = redis_server_url(other);
	must(job_queue_open(&with.queue.jobs, &jobs_config, &err));
	redis_server_kill(other);
	fn_clock_pretend(THEN + 90000);
	ck_assert(!video_reconcile_pass(&with, &call, &pass, &err));
	ck_assert(err.code == FN_UPSTREAM || err.code == FN_DEADLINE);
	ck_assert(!video_reconcile_rebuild(&with, &call, &ann, &limits, VIDEO_ALL, &err));
	ck_assert_int_eq(document(1).touched_at_ms, THEN);
	redis_server_stop(other);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = emptied_queue_is_rebuilt},
		{.test = homeless_jobs_find_a_place, .rows = 2},
		{.test = rebuild_reaches_so_far},
		{.test = rebuild_keeps_its_lock},
		{.test = one_worker_rebuilds},
		{.test = silent_jobs_are_put_back},
		{.test = running_jobs_are_left_alone},
		{.test = delayed_jobs_are_left_alone},
		{.test = canceled_job_is_canceled},
		{.test = canceled_job_without_worker_is_canceled, .rows = 3},
		{.test = buried_job_has_failed},
		{.test = foreign_document_is_passed_over},
		{.test = full_queue_keeps_no_place},
		{.test = what_is_left_over_is_deleted, .rows = COUNT(stored)},
		{.test = passes_reach_all},
		{.test = queue_may_be_down},
	};

	redis = redis_server_start(NULL);
	int status = suite_run_with("video reconcile", cases, COUNT(cases), setup, teardown);
	redis_server_stop(redis);
	return status;
}
