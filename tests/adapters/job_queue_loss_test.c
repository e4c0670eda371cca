/* What becomes of the queue when servers lose what they had, and workers stand still. */
#include "fn/clock.h"
#include "tests/support/jobs.h"
#include "tests/support/suite.h"

#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Data that is lost ----------------------------------------------------------------------- */

static char *
aof_path(void)
{
	static const char *const patterns[] = {"appendonlydir/*.incr.aof", "appendonly.aof"};
	char *path = NULL;
	glob_t found;

	for (size_t i = 0; i < COUNT(patterns) && !path; i++) {
		char *pattern = fn_textf(
			jobs.call.arena, "%s/%s", redis_server_folder(jobs.server), patterns[i]);
		if (glob(pattern, 0, NULL, &found) == 0)
			path = fn_textf(jobs.call.arena, "%s", found.gl_pathv[0]);
		globfree(&found);
	}
	ck_assert_ptr_nonnull(path);
	return path;
}

/* Every waiting job waits in its user's queue, every running one has a lease, and nothing else. */
static void
check_consistency(void)
{
	struct job_queue_status status;
	const struct job_info *infos;
	size_t count = JOB_LIST_MOST;

	jobs_must(job_queue_status(jobs.queue, &jobs.call, &status, &jobs.err));
	jobs_must(
		job_queue_list(jobs.queue, &jobs.call, JOB_WAITING, 0, &infos, &count, &jobs.err));
	ck_assert_uint_eq(count, status.waiting);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(infos[i].state, JOB_WAITING);
		ck_assert_int_eq(redis_server_number(jobs.server, "ZCARD phx:{v}:u:%b",
					 infos[i].user.at, infos[i].user.size),
			1);
	}
	count = JOB_LIST_MOST;
	jobs_must(job_queue_list(jobs.queue, &jobs.call, JOB_ACTIVE, 0, &infos, &count, &jobs.err));
	ck_assert_uint_eq(count, status.active);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(infos[i].state, JOB_ACTIVE);
	ck_assert_uint_eq(status.ready, status.waiting);
}

/* Whatever a crash cuts from the end of what was written, no verb is left half done, and all jobs
 * end once they are enqueued again from their documents. */
START_TEST(cut_log_leaves_no_half_verbs)
{
	static const char *const options[] = {"--appendonly", "yes", NULL};
	struct job_end ends[] = {{.verdict = JOB_SUCCESS}, {.verdict = JOB_RELEASE, .delay_ms = 1},
		{.verdict = JOB_RETRY, .delay_ms = 1}};
	bool has_ended[20] = {false};
	int64_t scores[20];
	struct stat before;

	srandom((unsigned)_i + 1);
	jobs.server = redis_server_start(options);
	jobs_open(redis_server_url(jobs.server), 1);
	jobs_rebuild(&jobs_patient);
	for (int i = 0; i < 20; i++) {
		scores[i] = jobs_enqueue(fn_textf(jobs.call.arena, "j%02d", i), NULL).score;
		struct job_claim claimed = jobs_claim_any();
		if (claimed.kind == JOB_CLAIMED && i % 4 != 3)
			jobs_must(job_queue_finish(jobs.queue, &jobs.call, &claimed.job,
					  &ends[i % 3], &jobs.err) ||
				  jobs.err.code == FN_PRECONDITION);
	}
	redis_server_kill(jobs.server);
	char *path = aof_path();
	ck_assert_int_eq(stat(path, &before), 0);
	ck_assert_int_eq(truncate(path, before.st_size - random() % (before.st_size * 3 / 4)), 0);
	redis_server_revive(jobs.server);
	check_consistency();
	for (int i = 0; i < 20; i++) {
		char *id = fn_textf(jobs.call.arena, "j%02d", i);
		const struct job_order order = {.id = fn_bytes(id),
			.user = fn_bytes(id),
			.payload = FN_BYTES("{}"),
			.fingerprint = FN_BYTES("f"),
			.score = scores[i]};
		struct job_ticket ticket;
		jobs_must(job_queue_enqueue(jobs.queue, &jobs.call, &order, &ticket, &jobs.err));
		has_ended[i] = ticket.state == JOB_SUCCEEDED;
	}
	jobs_rebuild(&jobs_patient);
	job_queue_close(jobs.queue);
	jobs_open(redis_server_url(jobs.server), 60000);
	for (int64_t end_ms = fn_now_ms() + JOBS_PATIENCE_MS; fn_now_ms() < end_ms;) {
		struct job_queue_status status;
		struct job_claim claimed = jobs_claim_any();
		if (claimed.kind == JOB_CLAIMED) {
			int i = atoi(claimed.job.id.at + 1);
			ck_assert(!has_ended[i]);
			has_ended[i] = true;
			jobs_finish(&claimed.job, JOB_SUCCESS, 0);
		}
		jobs_must(job_queue_status(jobs.queue, &jobs.call, &status, &jobs.err));
		if (status.waiting + status.active + status.delayed == 0)
			break;
	}
	check_consistency();
	for (int i = 0; i < 20; i++)
		ck_assert_msg(has_ended[i], "j%02d has not ended", i);
}
END_TEST

/* What a Redis that ran the beginning of a script leaves: a job that is in no set from which it
 * would ever be claimed. */
static const struct {
	const char *name, *broken;
	enum job_verdict verdict; /* of a claim before; JOB_SUCCESS: none */
} halves[] = {
	{"not ready", "ZREM phx:{v}:r a", JOB_SUCCESS},
	{"not in line", "DEL phx:{v}:r phx:{v}:w phx:{v}:u:a", JOB_SUCCESS},
	{"no lease", "DEL phx:{v}:l", JOB_FAILURE},
	{"no delay", "DEL phx:{v}:d", JOB_RETRY},
};

START_TEST(half_of_a_verb_is_mended_by_enqueuing_again)
{
	struct job_end later = {.verdict = JOB_RETRY, .delay_ms = 1};

	jobs.server = redis_server_start(NULL);
	jobs_open(redis_server_url(jobs.server), 60000);
	jobs_rebuild(&jobs_patient);
	jobs_enqueue("a", NULL);
	if (halves[_i].verdict != JOB_SUCCESS) {
		struct job job = jobs_claim("a");
		if (halves[_i].verdict == JOB_RETRY)
			jobs_must(
				job_queue_finish(jobs.queue, &jobs.call, &job, &later, &jobs.err));
	}
	ck_assert_int_gt(redis_server_number(jobs.server, halves[_i].broken), 0);
	ck_assert_msg(jobs_claim_any().kind == JOB_IDLE, "%s", halves[_i].name);
	ck_assert(jobs_enqueue("a", NULL).existed);
	struct job job = jobs_claim("a");
	jobs_finish(&job, JOB_SUCCESS, 0);
	check_consistency();
}
END_TEST

/* ---- Failover -------------------------------------------------------------------------------- */

static void
wait_for_replica(struct redis_server *replica)
{
	for (int64_t end_ms = fn_now_ms() + JOBS_PATIENCE_MS; fn_now_ms() < end_ms;
		jobs_pause_ms(10)) {
		AUTO(drop_reply) redisReply *info = redis_server_ask(replica, "INFO replication");
		if (strstr(info->str, "master_link_status:up"))
			return;
	}
	ck_abort_msg("the replica does not follow");
}

static void *
promote_later(void *replica)
{
	jobs_pause_ms(100);
	AUTO(drop_reply) redisReply *reply = redis_server_ask(replica, "REPLICAOF NO ONE");
	return NULL;
}

/* When a replica takes over, the worker keeps what it holds, takes back what the new server knows
 * nothing of, and is told to reconcile. */
START_TEST(failover_is_outlived)
{
	char port[8];
	const char *const words[] = {"--replicaof", "127.0.0.1", port, NULL};
	pthread_t thread;

	snprintf(port, sizeof(port), "%u", redis_server_port(jobs.server));
	jobs_enqueue("a", NULL);
	jobs_enqueue("b", NULL);
	struct job held = jobs_claim("a");
	struct redis_server *replica = redis_server_start(words);
	wait_for_replica(replica);
	AUTO(drop_reply)
	redisReply *cut = redis_server_ask(replica, "CONFIG SET slave-serve-stale-data yes");
	AUTO(drop_reply) redisReply *waits = redis_server_ask(jobs.server, "WAIT 1 5000");
	/* This claim does not reach the replica any more. */
	kill(redis_server_pid(replica), SIGSTOP);
	struct job lost = jobs_claim("b");
	redis_server_kill(jobs.server);
	kill(redis_server_pid(replica), SIGCONT);
	redis_proxy_lead_to(jobs.proxy, redis_server_port(replica));
	pthread_create(&thread, NULL, promote_later, replica);
	struct job_renewal renewals[] = {
		{.job = &held, .progress = -1}, {.job = &lost, .progress = -1}};
	for (int64_t end_ms = fn_now_ms() + JOBS_PATIENCE_MS;
		!job_queue_renew(jobs.queue, &jobs.call, renewals, 2, &jobs.err);)
		ck_assert_msg(jobs.err.code == FN_UPSTREAM && fn_now_ms() < end_ms, "%s",
			jobs.err.message);
	pthread_join(thread, NULL);
	ck_assert_int_eq(renewals[0].hold, JOB_HELD);
	ck_assert_int_eq(renewals[1].hold, JOB_HELD);
	struct job_claim claimed = jobs_claim_any();
	ck_assert(claimed.kind == JOB_IDLE && claimed.reconcile);
	jobs_finish(&held, JOB_SUCCESS, 0);
	jobs_finish(&lost, JOB_SUCCESS, 0);
	redis_server_stop(jobs.server);
	jobs.server = replica;
}
END_TEST

/* ---- A worker that stands still -------------------------------------------------------------- */

/* In a child: claims, says so, and when it may go on, finishes. Its exit status is the error's. */
_Noreturn static void
stand_still(const char *url, int said)
{
	jobs_begin();
	jobs_open(url, 50);
	struct job job = jobs_claim_any().job;
	if (write(said, "x", 1) != 1)
		_exit(99);
	raise(SIGSTOP);
	struct job_end end = {.verdict = JOB_SUCCESS};
	bool done = job_queue_finish(jobs.queue, &jobs.call, &job, &end, &jobs.err);
	_exit(done ? 0 : (int)jobs.err.code);
}

/* A worker that was stopped for longer than its lease finds its job another's. */
START_TEST(stopped_worker_is_passed_over)
{
	int said[2], status;
	char byte;

	jobs_enqueue("a", NULL);
	ck_assert_int_eq(pipe(said), 0);
	pid_t child = fork();
	if (child == 0)
		stand_still(redis_server_url(jobs.server), said[1]);
	ck_assert_int_eq(read(said[0], &byte, 1), 1);
	ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
	ck_assert(WIFSTOPPED(status));
	struct job_claim claimed = jobs_claim_any();
	for (int64_t end_ms = fn_now_ms() + JOBS_PATIENCE_MS;
		claimed.kind != JOB_CLAIMED && fn_now_ms() < end_ms; claimed = jobs_claim_any())
		jobs_pause_ms(5);
	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	ck_assert_uint_eq(claimed.job.crashes, 1);
	kill(child, SIGCONT);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), FN_PRECONDITION);
	jobs_finish(&claimed.job, JOB_SUCCESS, 0);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = cut_log_leaves_no_half_verbs, .rows = 8},
		{.test = half_of_a_verb_is_mended_by_enqueuing_again, .rows = COUNT(halves)},
		{.test = failover_is_outlived, .setup = jobs_begin_proxy},
		{.test = stopped_worker_is_passed_over, .setup = jobs_begin_server},
	};

	return suite_run_with("job queue's losses", cases, COUNT(cases), jobs_begin, jobs_end);
}
