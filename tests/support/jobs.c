#include "tests/support/jobs.h"

#include "fn/clock.h"

#include <time.h>

struct jobs jobs;

const struct job_limits jobs_wide = {.failures = 5, .crashes = 4};
const struct job_limits jobs_patient = {.failures = 1000, .crashes = 1000};

void
jobs_must(bool done)
{
	ck_assert_msg(done, "%s", jobs.err.message);
}

void
jobs_must_fail(bool done, enum fn_code code)
{
	ck_assert_msg(!done && jobs.err.code == code, "%d: %s", jobs.err.code, jobs.err.message);
	jobs.err = (struct fn_error){0};
}

void
jobs_pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- The queue ------------------------------------------------------------------------------- */

void
jobs_open(const char *url, long lease_ms)
{
	jobs.config = (struct job_queue_config){url, "", lease_ms};
	jobs_must(job_queue_open(&jobs.queue, &jobs.config, &jobs.err));
}

void
jobs_rebuild(const struct job_limits *limits)
{
	bool mine;

	jobs_must(job_queue_rebuild_begin(jobs.queue, &jobs.call, &jobs.ann, &mine, &jobs.err));
	ck_assert(mine);
	jobs_must(job_queue_rebuild_end(jobs.queue, &jobs.call, &jobs.ann, limits, &jobs.err));
}

void
jobs_flush(void)
{
	AUTO(drop_reply) redisReply *reply = redis_server_ask(jobs.server, "FLUSHALL");
}

void
jobs_limit(long running, long running_per_user)
{
	struct job_limits limits = jobs_wide;

	limits.running = running;
	limits.running_per_user = running_per_user;
	jobs_must(job_queue_set_limits(jobs.queue, &jobs.call, &limits, &jobs.err));
}

/* ---- Setups ---------------------------------------------------------------------------------- */

void
jobs_begin(void)
{
	jobs.call = (struct fn_call){.arena = fn_arena_new()};
	jobs.err = (struct fn_error){0};
	job_worker_init(&jobs.ann, "ann");
	job_worker_init(&jobs.ben, "ben");
}

void
jobs_begin_server(void)
{
	jobs_begin();
	jobs.server = redis_server_start(NULL);
	jobs_open(redis_server_url(jobs.server), 60000);
	jobs_rebuild(&jobs_patient);
}

void
jobs_begin_proxy(void)
{
	jobs_begin();
	jobs.server = redis_server_start(NULL);
	jobs.proxy = redis_proxy_start(redis_server_port(jobs.server));
	jobs_open(redis_proxy_url(jobs.proxy), 60000);
	jobs_rebuild(&jobs_patient);
}

static void
leave(void)
{
	job_queue_close(jobs.queue);
	job_queue_close(jobs.brief);
	fn_arena_drop(jobs.call.arena);
}

void
jobs_end(void)
{
	leave();
	redis_proxy_stop(jobs.proxy);
	redis_server_stop(jobs.server);
}

/* The server is the suite's. */
static void
join(void)
{
	static struct job_queue_config brief = {.ca_file = "", .lease_ms = 1};

	jobs_begin();
	jobs_flush();
	brief.url = redis_server_url(jobs.server);
	jobs_must(job_queue_open(&jobs.brief, &brief, &jobs.err));
	jobs_open(brief.url, 60000);
	jobs_rebuild(&jobs_wide);
}

int
jobs_suite(const char *name, const struct suite_case *cases, size_t count)
{
	jobs.server = redis_server_start(NULL);
	int status = suite_run_with(name, cases, count, join, leave);
	redis_server_stop(jobs.server);
	return status;
}

/* ---- Words ----------------------------------------------------------------------------------- */

struct job_order
jobs_order(const char *id, const char *user)
{
	return (struct job_order){.id = fn_bytes(id),
		.user = fn_bytes(user ? user : id),
		.payload = FN_BYTES("{}"),
		.fingerprint = FN_BYTES("f")};
}

struct job_ticket
jobs_enqueue_as(const char *id, const char *user, int64_t penalty_ms, int64_t quantum_ms)
{
	struct job_order wanted = jobs_order(id, user);
	struct job_ticket ticket;

	wanted.class = (struct job_class){penalty_ms, quantum_ms};
	jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &wanted, &ticket, &jobs.err));
	return ticket;
}

struct job_ticket
jobs_enqueue(const char *id, const char *user)
{
	return jobs_enqueue_as(id, user, 0, 0);
}

struct job_claim
jobs_claim_from(struct job_queue *from, struct job_worker *worker)
{
	struct job_claim claim;

	jobs_must(job_queue_claim(from, &jobs.call, worker, &claim, &jobs.err));
	return claim;
}

struct job_claim
jobs_claim_any(void)
{
	return jobs_claim_from(jobs.queue, &jobs.ann);
}

struct job
jobs_claim(const char *id)
{
	struct job_claim claimed = jobs_claim_any();

	ck_assert_msg(claimed.kind == JOB_CLAIMED, "claim: kind %d", claimed.kind);
	ck_assert_bytes_eq(claimed.job.id, id);
	return claimed.job;
}

void
jobs_must_rest(enum job_claim_kind kind)
{
	ck_assert_int_eq(jobs_claim_any().kind, kind);
}

enum job_state
jobs_finish(const struct job *job, enum job_verdict verdict, int64_t delay_ms)
{
	struct job_end end = {.verdict = verdict, .delay_ms = delay_ms};

	jobs_must(job_queue_finish(jobs.queue, &jobs.call, job, &end, &jobs.err));
	return end.state;
}

struct job_info
jobs_get(const char *id)
{
	struct job_info info;

	jobs_must(job_queue_get(jobs.queue, &jobs.call, fn_bytes(id), &info, &jobs.err));
	return info;
}

void
jobs_must_be(const char *id, enum job_state state)
{
	struct job_info info = jobs_get(id);

	ck_assert_msg(info.state == state, "%s is %s", id, job_state_name(info.state));
}

void
jobs_sweep(void)
{
	size_t ready;

	jobs_must(job_queue_sweep(jobs.queue, &jobs.call, &ready, &jobs.err));
}

enum job_state
jobs_after(const char *id, enum job_state was)
{
	int64_t deadline_ms = fn_now_ms() + JOBS_PATIENCE_MS;

	while (jobs_get(id).state == was) {
		ck_assert_msg(fn_now_ms() < deadline_ms, "%s stays %s", id, job_state_name(was));
		jobs_pause_ms(1);
		jobs_sweep();
	}
	return jobs_get(id).state;
}

struct job
jobs_claim_and_vanish(const char *id)
{
	struct job_claim claimed = jobs_claim_from(jobs.brief, &jobs.ben);

	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	ck_assert_bytes_eq(claimed.job.id, id);
	jobs_after(id, JOB_ACTIVE);
	return claimed.job;
}

struct job_queue_status
jobs_status(void)
{
	struct job_queue_status seen;

	jobs_must(job_queue_status(jobs.queue, &jobs.call, &seen, &jobs.err));
	return seen;
}
