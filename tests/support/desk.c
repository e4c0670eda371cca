#include "tests/support/desk.h"

#include "domain/video_reconcile.h"
#include "fn/clock.h"
#include "tests/support/temp.h"

#include <check.h>
#include <stdlib.h>

static const struct fn_api api = {.origins = ""};
static const struct video_queue_config queue_config = {.free_penalty_s = 300, .quantum_s = 45};

static const struct script takes[] = {{.status = 204}};

struct desk desk = {
	.use = {.api = &api, .submit = {.queue.config = &queue_config, .prices = &desk.prices}},
	.prices = {.video = DESK_PRICE, .signup = DESK_SIGNUP},
	.jobs = {.ca_file = "", .lease_ms = 60000},
	.events = {.emulator_host = ""},
};

/* ---- The services ---------------------------------------------------------------------------- */

void
desk_must(bool ok)
{
	ck_assert_msg(ok, "%s", desk.err.message);
}

void
desk_open_queue(const char *url)
{
	job_queue_close(desk.use.submit.queue.jobs);
	desk.jobs.url = url;
	desk_must(job_queue_open(&desk.use.submit.queue.jobs, &desk.jobs, &desk.err));
}

void
desk_set_limits(const struct job_limits *limits)
{
	bool mine;

	desk_must(job_queue_rebuild_begin(
		desk.use.submit.queue.jobs, &desk.call, &desk.worker, &mine, &desk.err));
	desk_must(job_queue_rebuild_end(
		desk.use.submit.queue.jobs, &desk.call, &desk.worker, limits, &desk.err));
}

void
desk_open_events(const char *url)
{
	events_close(desk.use.events);
	desk.events.url = url;
	desk_must(events_open(&desk.use.events, &desk.events, NULL, desk.http, &desk.err));
}

void
desk_open(void)
{
	static const struct identity_config lone = {.issuer = "", .guest = "", .service = ""};

	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	desk.arena = fn_arena_new();
	desk.call = (struct fn_call){.arena = desk.arena, .deadline_ms = fn_now_ms() + 50000};
	desk.folder = temp_folder();
	desk.database = fn_textf(desk.arena, "%s/phoenix.db", desk.folder);
	desk.documents.url = fn_textf(desk.arena, "sqlite:%s", desk.database);
	desk.redis = redis_server_start(NULL);
	desk.bell = scripted_server_start(takes, 1);
	job_worker_init(&desk.worker, "worker");
	desk_must(fn_http_client_open(&desk.http, &desk.err));
	desk_must(identity_open(&desk.use.identity, &lone, desk.http, &desk.err));
	desk_must(document_store_open(
		&desk.use.submit.documents, &desk.documents, NULL, NULL, &desk.err));
	desk_open_queue(redis_server_url(desk.redis));
	desk_open_events(scripted_server_url(desk.bell));
	desk_set_limits(&(struct job_limits){.failures = 5, .crashes = 1});
}

void
desk_close(void)
{
	document_store_close(desk.use.submit.documents);
	job_queue_close(desk.use.submit.queue.jobs);
	rate_limit_close(desk.counter);
	events_close(desk.use.events);
	identity_close(desk.use.identity);
	fn_http_client_close(desk.http);
	scripted_server_stop(desk.bell);
	redis_server_stop(desk.redis);
	fn_arena_drop(desk.arena);
	fn_clock_pretend(0);
}

/* ---- Requests -------------------------------------------------------------------------------- */

void
desk_run(struct asked *asked, int64_t within_ms)
{
	asked_run(asked, submit_video, &desk.use, within_ms);
	asked->id = asked_logged(asked, "job");
}

void *
desk_run_thread(void *asked)
{
	desk_run(asked, DESK_CALL_MS);
	return NULL;
}

struct asked
desk_submit_of(const char *body, const char *key)
{
	return asked_post(desk.arena, "/api/video/generate", body, key);
}

struct asked
desk_submit(const char *body, const char *key)
{
	struct asked asked = desk_submit_of(body, key);

	desk_run(&asked, DESK_CALL_MS);
	return asked;
}

struct asked
desk_ask(const char *method, struct fn_bytes id)
{
	char *path = fn_textf(desk.arena, "/api/video/%.*s", FN_ARG(id));
	struct asked asked = asked_new(desk.arena, method, path);

	desk_run(&asked, DESK_CALL_MS);
	return asked;
}

struct fn_bytes
desk_submitted(void)
{
	struct asked asked = desk_submit(DESK_KITE, NULL);

	assert_answer(asked, 202);
	return asked.id;
}

/* ---- What is left behind --------------------------------------------------------------------- */

struct video_job
desk_document(struct fn_bytes id)
{
	struct video_job job;

	desk_must(video_job_read(&job, &desk.call, desk.use.submit.documents, id, &desk.err));
	return job;
}

struct ledger
desk_ledger(void)
{
	return ledger_check(desk.use.submit.documents, &desk.call, DESK_USER);
}

size_t
desk_count_videos(void)
{
	const struct document_query query = {
		.collection = "creations", .limit = DOCUMENT_PAGE_MOST};
	struct document_page page;

	desk_must(document_store_query(
		desk.use.submit.documents, &desk.call, &query, &page, &desk.err));
	return page.count;
}

void
desk_has_charged(size_t videos)
{
	struct ledger now = desk_ledger();

	ck_assert_uint_eq(now.debits - now.refunds, videos);
	ck_assert_uint_eq(desk_count_videos(), videos);
}

struct job_info
desk_job(struct fn_bytes id)
{
	struct job_info info;

	desk_must(job_queue_get(desk.use.submit.queue.jobs, &desk.call, id, &info, &desk.err));
	return info;
}

struct job
desk_claim(void)
{
	struct job_claim claimed;

	desk_must(job_queue_claim(
		desk.use.submit.queue.jobs, &desk.call, &desk.worker, &claimed, &desk.err));
	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	return claimed.job;
}

struct video_job
desk_begin(const struct job *job)
{
	struct video_job begun;

	desk_must(video_job_begin(
		&begun, &desk.call, desk.use.submit.documents, job->id, job->fence, &desk.err));
	return begun;
}

void
desk_finish(const struct job *job, enum job_verdict verdict)
{
	struct job_end end = {.verdict = verdict};

	desk_must(job_queue_finish(desk.use.submit.queue.jobs, &desk.call, job, &end, &desk.err));
}

void
desk_reconcile_later(void)
{
	const struct object_store_config objects = {
		.url = fn_textf(desk.arena, "file:%s/objects", desk.folder),
		.public_url = "http://objects"};
	struct video_reconcile with = {
		.documents = desk.use.submit.documents, .queue = desk.use.submit.queue};
	struct video_pass pass = {0};

	desk_must(object_store_open(&with.objects, &objects, desk.http, &desk.err));
	fn_clock_pretend(fn_unix_ms() + 120000);
	desk_must(video_reconcile_pass(&with, &desk.call, &pass, &desk.err));
	object_store_close(with.objects);
}
