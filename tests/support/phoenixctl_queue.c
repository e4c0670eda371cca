#include "tests/support/phoenixctl_queue.h"

#include "tools/phoenixctl/text.h"

void
phoenixctl_renew(struct job *job, int progress)
{
	struct job_renewal renewal = {.job = job, .progress = progress};

	jobs_must(job_queue_renew(jobs.queue, &jobs.call, &renewal, 1, &jobs.err));
}

void
phoenixctl_finish(const struct job *job, enum job_verdict verdict, const char *note)
{
	struct job_end end = {.verdict = verdict, .delay_ms = JOBS_HOUR_MS, .note = fn_bytes(note)};

	jobs_must(job_queue_finish(jobs.queue, &jobs.call, job, &end, &jobs.err));
}

static void
setup(void)
{
	static const struct job_limits limits = {
		.running = 3, .running_per_user = 2, .waiting = 500, .failures = 5, .crashes = 4};
	const char *url = redis_server_url(jobs.server);

	jobs_begin();
	jobs_flush();
	job_worker_init(&jobs.ann, "painter");
	phoenixctl_prepare(jobs.call.arena, url);
	text_begin();
	jobs_open(url, JOBS_HOUR_MS);
	jobs_rebuild(&limits);
}

void
phoenixctl_queue_populated(void)
{
	struct job job;

	setup();
	jobs_enqueue("vid_delayed", "ann");
	job = jobs_claim("vid_delayed");
	phoenixctl_finish(&job, JOB_RETRY, "vertex: 429");
	jobs_enqueue("vid_dead", "ben");
	job = jobs_claim("vid_dead");
	phoenixctl_finish(&job, JOB_FAILURE, "\033[31mout of\npaint \377");
	jobs_enqueue("vid_active", "cat");
	job = jobs_claim("vid_active");
	phoenixctl_renew(&job, 40);
	jobs_enqueue("vid_first", "dan");
	jobs_enqueue("vid_second", "eve");
}

static void
leave(void)
{
	job_queue_close(jobs.queue);
	fn_arena_drop(jobs.call.arena);
}

int
phoenixctl_suite(const char *name, const struct suite_case *cases, size_t count)
{
	jobs.server = redis_server_start(NULL);
	int status = suite_run_with(name, cases, count, setup, leave);
	redis_server_stop(jobs.server);
	return status;
}
