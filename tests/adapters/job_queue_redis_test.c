/* What becomes of the queue when servers and networks fail, on real servers. */
#include "adapters/job_queue.h"
#include "fn/clock.h"
#include "tests/support/redis_proxy.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <fcntl.h>
#include <glob.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 30000

static struct redis_server *server;
static struct redis_proxy *proxy;
static struct job_queue_config config;
static struct job_queue *queue;
static struct fn_call call;
static struct fn_error err;
static struct job_worker worker;

/* Nothing is given up here for what goes wrong too often. */
static const struct job_limits limits = {.failures = 1000, .crashes = 1000};

static void
must(bool done)
{
	ck_assert_msg(done, "%s", err.message);
}

static void
rebuild(void)
{
	bool mine;

	must(job_queue_rebuild_begin(queue, &call, &worker, &mine, &err));
	ck_assert(mine);
	must(job_queue_rebuild_end(queue, &call, &worker, &limits, &err));
}

static void
open_queue(const char *url, long lease_ms)
{
	config = (struct job_queue_config){url, "", lease_ms};
	must(job_queue_open(&queue, &config, &err));
}

static void
setup(void)
{
	call = (struct fn_call){.arena = fn_arena_new()};
	err = (struct fn_error){0};
	job_worker_init(&worker, "w");
}

static void
teardown(void)
{
	job_queue_close(queue);
	redis_proxy_stop(proxy);
	redis_server_stop(server);
	fn_arena_drop(call.arena);
}

/* A server and a proxy before it. */
static void
setup_proxy(void)
{
	setup();
	server = redis_server_start(NULL);
	proxy = redis_proxy_start(redis_server_port(server));
	open_queue(redis_proxy_url(proxy), 60000);
	rebuild();
}

static void
setup_server(void)
{
	setup();
	server = redis_server_start(NULL);
	open_queue(redis_server_url(server), 60000);
	rebuild();
}

static struct job_ticket
enqueue(const char *id)
{
	const struct job_order order = {.id = fn_bytes(id),
		.user = fn_bytes(id),
		.payload = FN_BYTES("{}"),
		.fingerprint = FN_BYTES("f")};
	struct job_ticket ticket;

	must(job_queue_enqueue(queue, &call, &order, &ticket, &err));
	return ticket;
}

static struct job_claim
claim(void)
{
	struct job_claim claimed;

	must(job_queue_claim(queue, &call, &worker, &claimed, &err));
	return claimed;
}

static struct job
must_claim(const char *id)
{
	struct job_claim claimed = claim();

	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	ck_assert_bytes_eq(claimed.job.id, id);
	return claimed.job;
}

static void
finish(const struct job *job)
{
	struct job_end end = {.verdict = JOB_SUCCESS};

	must(job_queue_finish(queue, &call, job, &end, &err));
}

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- Settings -------------------------------------------------------------------------------- */

static const struct {
	const char *url;
	bool ok;
} urls[] = {
	{"redis://localhost", true},
	{"redis://127.0.0.1:6379/0", true},
	{"redis://:secret@[::1]:6380/15", true},
	{"redis://user:s%40cret@redis.example:1", true},
	{"rediss://redis.example/", true},
	{"", false},
	{"redis:", false},
	{"redis://", false},
	{"redis://:6379", false},
	{"http://localhost", false},
	{"redis://localhost:x", false},
	{"redis://localhost:65536", false},
	{"redis://localhost/x", false},
	{"redis://u:secret%zz@localhost", false},
	{"redis://[::1", true}, /* a name that will not be found */
	{"redis://[::1]x", false},
};

/* A URL is understood, or refused by the variable's name and without what is secret in it. */
START_TEST(url_is_read_or_refused)
{
	struct job_queue_config from = {urls[_i].url, "", 1000};
	struct job_queue *opened = NULL;
	bool ok = job_queue_open(&opened, &from, &err);

	ck_assert_msg(ok == urls[_i].ok, "%s: %s", urls[_i].url, err.message);
	if (!ok) {
		ck_assert_int_eq(err.code, FN_INVALID);
		ck_assert_ptr_nonnull(strstr(err.message, "REDIS_URL"));
		ck_assert_ptr_null(strstr(err.message, "secret"));
	}
	job_queue_close(opened);
}
END_TEST

/* ---- Errors that pass ------------------------------------------------------------------------ */

static const char *const passing[] = {
	"-READONLY You can't write against a read only replica.",
	"-LOADING Redis is loading the dataset in memory",
	"-UNBLOCKED force unblock from blocking operation",
	"-CLUSTERDOWN The cluster is down",
	"-TRYAGAIN Multiple keys request during rehashing of slot",
	"-ASK 3999 127.0.0.1:1",
	"-MOVED 3999 127.0.0.1:1",
	"-MASTERDOWN Link with MASTER is down",
	"-BUSY Redis is busy running a script.",
	"-NOSCRIPT No matching script. Please use EVAL.",
};

/* What the server refuses for the moment is sent again until it goes through. */
START_TEST(passing_error_is_outlived)
{
	redis_proxy_answer(proxy, passing[_i]);
	ck_assert(!enqueue("a").existed);
	must_claim("a");
}
END_TEST

/* A cluster that names the right node is followed there. */
START_TEST(moved_slot_is_followed)
{
	struct redis_server *other = redis_server_start(NULL);
	char line[64];

	snprintf(line, sizeof(line), "-MOVED 3999 127.0.0.1:%u", redis_server_port(other));
	redis_proxy_answer(proxy, line);
	enqueue("a");
	ck_assert_int_eq(redis_server_number(other, "EXISTS phx:{v}:j:a"), 1);
	ck_assert_int_eq(redis_server_number(server, "EXISTS phx:{v}:j:a"), 0);
	redis_server_stop(other);
	enqueue("b"); /* the way back, when that node is gone */
	ck_assert_int_eq(redis_server_number(server, "EXISTS phx:{v}:j:b"), 1);
}
END_TEST

/* Whatever else the server says is told, once. */
START_TEST(lasting_error_is_told)
{
	struct job_claim claimed;

	redis_proxy_answer(proxy, "-MISCONF Errors writing to the AOF file");
	ck_assert(!job_queue_claim(queue, &call, &worker, &claimed, &err));
	ck_assert_int_eq(err.code, FN_UPSTREAM);
	ck_assert_ptr_nonnull(strstr(err.message, "MISCONF"));
}
END_TEST

/* A reply that is none of ours is told from one that is. */
START_TEST(odd_reply_is_refused)
{
	static const char *const lines[] = {"+OK", ":1", "*0", "*1\r\n:1",
		"*4\r\n$0\r\n\r\n$1\r\nJ\r\n:0\r\n:0", "*4\r\n$0\r\n\r\n$1\r\nZ\r\n:0\r\n:0"};
	struct job_claim claimed = {.kind = JOB_PAUSED};

	redis_proxy_answer(proxy, lines[_i]);
	ck_assert(!job_queue_claim(queue, &call, &worker, &claimed, &err));
	ck_assert_int_eq(err.code, FN_UPSTREAM);
	ck_assert_int_eq(claimed.kind, JOB_PAUSED);
}
END_TEST

/* ---- Broken connections ---------------------------------------------------------------------- */

#define JOBS 60

/* Ends a job and claims the next, in one step or in two. */
static struct job_claim
go_on(const struct job *job, bool at_once)
{
	struct job_end end = {.verdict = JOB_SUCCESS};
	struct job_claim next;

	if (at_once) {
		must(job_queue_finish_and_claim(queue, &call, job, &end, &worker, &next, &err));
		ck_assert(next.was_ours && end.state == JOB_SUCCEEDED);
	} else {
		finish(job);
		must(job_queue_wait_and_claim(queue, &call, 1, &worker, &next, &err));
	}
	return next;
}

/* Replies are lost again and again, and still each job is enqueued, claimed and ended once. */
START_TEST(lost_replies_lose_nothing)
{
	struct job_claim claimed;
	struct job_queue_status status;
	int ended = 0;

	redis_proxy_drop_every(proxy, 4 + 3 * _i);
	for (int i = 0; i < JOBS; i++)
		enqueue(fn_textf(call.arena, "%d", i));
	claimed = claim();
	while (claimed.kind == JOB_CLAIMED) {
		struct job job = claimed.job;
		struct job_renewal renewal = {.job = &job, .progress = 50};

		ck_assert_uint_eq(job.attempt, 1);
		must(job_queue_renew(queue, &call, &renewal, 1, &err));
		ck_assert_int_eq(renewal.hold, JOB_HELD);
		must(job_queue_set_operation(queue, &call, &job, FN_BYTES(""), &err));
		must(job_queue_set_operation(queue, &call, &job, FN_BYTES("op"), &err));
		claimed = go_on(&job, ended % 2);
		ended++;
	}
	redis_proxy_drop_every(proxy, 0);
	ck_assert_int_eq(ended, JOBS);
	must(job_queue_status(queue, &call, &status, &err));
	ck_assert(status.enqueued == JOBS && status.claimed == JOBS && status.succeeded == JOBS);
	ck_assert(status.active == 0 && status.waiting == 0);
}
END_TEST

/* A server that says nothing is given up at the call's deadline. */
START_TEST(silent_server_is_given_up)
{
	struct job_claim claimed;

	redis_proxy_stall(proxy, 1);
	call.deadline_ms = fn_now_ms() + 300;
	ck_assert(!job_queue_claim(queue, &call, &worker, &claimed, &err));
	ck_assert_int_eq(err.code, FN_DEADLINE);
	call.deadline_ms = fn_now_ms() + 300;
	ck_assert(!job_queue_wait_and_claim(queue, &call, 10000, &worker, &claimed, &err));
	ck_assert_int_eq(err.code, FN_DEADLINE);
	redis_proxy_stall(proxy, 0);
	call.deadline_ms = 0;
	enqueue("a");
	must_claim("a");
}
END_TEST

/* A server that is gone is told; one that is back goes on with what it had. */
START_TEST(restarted_server_goes_on)
{
	static const char *const options[] = {
		"--appendonly", "yes", "--appendfsync", "always", NULL};
	struct job_claim claimed;

	server = redis_server_start(options);
	open_queue(redis_server_url(server), 60000);
	rebuild();
	enqueue("a");
	enqueue("b");
	struct job job = must_claim("a");
	redis_server_kill(server);
	ck_assert(!job_queue_claim(queue, &call, &worker, &claimed, &err));
	ck_assert_int_eq(err.code, FN_UPSTREAM);
	redis_server_revive(server);
	finish(&job);
	claimed = claim();
	ck_assert(claimed.kind == JOB_CLAIMED && claimed.reconcile);
	finish(&claimed.job);
	ck_assert(claim().reconcile);
	rebuild();
	ck_assert(!claim().reconcile);
}
END_TEST

/* A server that has forgotten the script is told it again, also behind a wait. */
START_TEST(forgotten_script_is_told)
{
	struct job_claim claimed;

	for (int i = 0; i < 2; i++) {
		char *id = fn_textf(call.arena, "%d", i);
		AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "SCRIPT FLUSH");
		enqueue(id);
		must(job_queue_wait_and_claim(queue, &call, PATIENCE_MS, &worker, &claimed, &err));
		ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
		ck_assert_bytes_eq(claimed.job.id, id);
		ck_assert_uint_eq(claimed.job.attempt, 1);
	}
}
END_TEST

/* ---- Memory ---------------------------------------------------------------------------------- */

/* With no memory left nothing more is accepted, and all that runs comes to its end. */
START_TEST(full_memory_ends_what_runs)
{
	enum job_state state;
	struct job_ticket ticket;
	const struct job_order order = {.id = FN_BYTES("new"), .user = FN_BYTES("u")};
	size_t ready;

	for (int i = 0; i < 6; i++)
		enqueue(fn_textf(call.arena, "%d", i));
	struct job first = must_claim("0"), second = must_claim("1"), third = must_claim("2");
	AUTO(drop_reply) redisReply *due = redis_server_ask(server, "HSET phx:{v}:n due 1");
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "CONFIG SET maxmemory 1");
	ck_assert(!job_queue_enqueue(queue, &call, &order, &ticket, &err));
	ck_assert_msg(err.code == FN_UPSTREAM && strstr(err.message, "OOM"), "%s", err.message);
	for (int i = 0; i < 2; i++) { /* the first of them sweeps as well */
		worker.claims--;      /* that of "2", as if its reply had been lost */
		must_claim("2");
	}
	must(job_queue_pause(queue, &call, &err));
	ck_assert_int_eq(claim().kind, JOB_PAUSED);
	must(job_queue_resume(queue, &call, &err));
	must(job_queue_set_limits(queue, &call, &limits, &err));
	struct job_renewal renewal = {.job = &first, .progress = 5};
	must(job_queue_renew(queue, &call, &renewal, 1, &err));
	ck_assert_int_eq(renewal.hold, JOB_HELD);
	must(job_queue_set_operation(queue, &call, &first, FN_BYTES(""), &err));
	must(job_queue_set_operation(queue, &call, &first, FN_BYTES("op"), &err));
	must(job_queue_cancel(queue, &call, FN_BYTES("0"), &state, &err));
	must(job_queue_cancel(queue, &call, FN_BYTES("5"), &state, &err));
	ck_assert_int_eq(state, JOB_CANCELED);
	finish(&first);
	struct job_end retry = {.verdict = JOB_RETRY, .delay_ms = 1};
	must(job_queue_finish(queue, &call, &second, &retry, &err));
	struct job_end failure = {.verdict = JOB_FAILURE};
	must(job_queue_finish(queue, &call, &third, &failure, &err));
	must(job_queue_sweep(queue, &call, &ready, &err));
	ck_assert_uint_ge(ready, 2);
	for (int i = 0; i < 3; i++) {
		struct job_claim claimed = claim();
		while (claimed.kind == JOB_IDLE) {
			pause_ms(1);
			claimed = claim();
		}
		finish(&claimed.job);
	}
	ck_assert_int_eq(claim().kind, JOB_IDLE);
}
END_TEST

/* ---- Data that is lost ----------------------------------------------------------------------- */

static char *
aof_path(void)
{
	static const char *const patterns[] = {"appendonlydir/*.incr.aof", "appendonly.aof"};
	char *path = NULL;
	glob_t found;

	for (size_t i = 0; i < COUNT(patterns) && !path; i++) {
		char *pattern =
			fn_textf(call.arena, "%s/%s", redis_server_folder(server), patterns[i]);
		if (glob(pattern, 0, NULL, &found) == 0)
			path = fn_textf(call.arena, "%s", found.gl_pathv[0]);
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

	must(job_queue_status(queue, &call, &status, &err));
	must(job_queue_list(queue, &call, JOB_WAITING, 0, &infos, &count, &err));
	ck_assert_uint_eq(count, status.waiting);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(infos[i].state, JOB_WAITING);
		ck_assert_int_eq(redis_server_number(server, "ZCARD phx:{v}:u:%b", infos[i].user.at,
					 infos[i].user.size),
			1);
	}
	count = JOB_LIST_MOST;
	must(job_queue_list(queue, &call, JOB_ACTIVE, 0, &infos, &count, &err));
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
	server = redis_server_start(options);
	open_queue(redis_server_url(server), 1);
	rebuild();
	for (int i = 0; i < 20; i++) {
		scores[i] = enqueue(fn_textf(call.arena, "j%02d", i)).score;
		struct job_claim claimed = claim();
		if (claimed.kind == JOB_CLAIMED && i % 4 != 3)
			must(job_queue_finish(queue, &call, &claimed.job, &ends[i % 3], &err) ||
				err.code == FN_PRECONDITION);
	}
	redis_server_kill(server);
	char *path = aof_path();
	ck_assert_int_eq(stat(path, &before), 0);
	ck_assert_int_eq(truncate(path, before.st_size - random() % (before.st_size * 3 / 4)), 0);
	redis_server_revive(server);
	check_consistency();
	for (int i = 0; i < 20; i++) {
		char *id = fn_textf(call.arena, "j%02d", i);
		const struct job_order order = {.id = fn_bytes(id),
			.user = fn_bytes(id),
			.payload = FN_BYTES("{}"),
			.fingerprint = FN_BYTES("f"),
			.score = scores[i]};
		struct job_ticket ticket;
		must(job_queue_enqueue(queue, &call, &order, &ticket, &err));
		has_ended[i] = ticket.state == JOB_SUCCEEDED;
	}
	rebuild();
	job_queue_close(queue);
	open_queue(redis_server_url(server), 60000);
	for (int64_t end_ms = fn_now_ms() + PATIENCE_MS; fn_now_ms() < end_ms;) {
		struct job_queue_status status;
		struct job_claim claimed = claim();
		if (claimed.kind == JOB_CLAIMED) {
			int i = atoi(claimed.job.id.at + 1);
			ck_assert(!has_ended[i]);
			has_ended[i] = true;
			finish(&claimed.job);
		}
		must(job_queue_status(queue, &call, &status, &err));
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

	server = redis_server_start(NULL);
	open_queue(redis_server_url(server), 60000);
	rebuild();
	enqueue("a");
	if (halves[_i].verdict != JOB_SUCCESS) {
		struct job job = must_claim("a");
		if (halves[_i].verdict == JOB_RETRY)
			must(job_queue_finish(queue, &call, &job, &later, &err));
	}
	ck_assert_int_gt(redis_server_number(server, halves[_i].broken), 0);
	ck_assert_msg(claim().kind == JOB_IDLE, "%s", halves[_i].name);
	ck_assert(enqueue("a").existed);
	struct job job = must_claim("a");
	finish(&job);
	check_consistency();
}
END_TEST

/* ---- Failover -------------------------------------------------------------------------------- */

static void
wait_for_replica(struct redis_server *replica)
{
	for (int64_t end_ms = fn_now_ms() + PATIENCE_MS; fn_now_ms() < end_ms; pause_ms(10)) {
		AUTO(drop_reply) redisReply *info = redis_server_ask(replica, "INFO replication");
		if (strstr(info->str, "master_link_status:up"))
			return;
	}
	ck_abort_msg("the replica does not follow");
}

static void *
promote_later(void *replica)
{
	pause_ms(100);
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

	snprintf(port, sizeof(port), "%u", redis_server_port(server));
	enqueue("a");
	enqueue("b");
	struct job held = must_claim("a");
	struct redis_server *replica = redis_server_start(words);
	wait_for_replica(replica);
	AUTO(drop_reply)
	redisReply *cut = redis_server_ask(replica, "CONFIG SET slave-serve-stale-data yes");
	AUTO(drop_reply) redisReply *waits = redis_server_ask(server, "WAIT 1 5000");
	/* This claim does not reach the replica any more. */
	kill(redis_server_pid(replica), SIGSTOP);
	struct job lost = must_claim("b");
	redis_server_kill(server);
	kill(redis_server_pid(replica), SIGCONT);
	redis_proxy_lead_to(proxy, redis_server_port(replica));
	pthread_create(&thread, NULL, promote_later, replica);
	struct job_renewal renewals[] = {
		{.job = &held, .progress = -1}, {.job = &lost, .progress = -1}};
	for (int64_t end_ms = fn_now_ms() + PATIENCE_MS;
		!job_queue_renew(queue, &call, renewals, 2, &err);)
		ck_assert_msg(err.code == FN_UPSTREAM && fn_now_ms() < end_ms, "%s", err.message);
	pthread_join(thread, NULL);
	ck_assert_int_eq(renewals[0].hold, JOB_HELD);
	ck_assert_int_eq(renewals[1].hold, JOB_HELD);
	struct job_claim claimed = claim();
	ck_assert(claimed.kind == JOB_IDLE && claimed.reconcile);
	finish(&held);
	finish(&lost);
	redis_server_stop(server);
	server = replica;
}
END_TEST

/* ---- A worker that stands still -------------------------------------------------------------- */

/* In a child: claims, says so, and when it may go on, finishes. Its exit status is the error's. */
_Noreturn static void
stand_still(const char *url, int said)
{
	setup();
	open_queue(url, 50);
	struct job job = claim().job;
	if (write(said, "x", 1) != 1)
		_exit(99);
	raise(SIGSTOP);
	struct job_end end = {.verdict = JOB_SUCCESS};
	bool done = job_queue_finish(queue, &call, &job, &end, &err);
	_exit(done ? 0 : (int)err.code);
}

/* A worker that was stopped for longer than its lease finds its job another's. */
START_TEST(stopped_worker_is_passed_over)
{
	int said[2], status;
	char byte;

	enqueue("a");
	ck_assert_int_eq(pipe(said), 0);
	pid_t child = fork();
	if (child == 0)
		stand_still(redis_server_url(server), said[1]);
	ck_assert_int_eq(read(said[0], &byte, 1), 1);
	ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
	ck_assert(WIFSTOPPED(status));
	struct job_claim claimed = claim();
	for (int64_t end_ms = fn_now_ms() + PATIENCE_MS;
		claimed.kind != JOB_CLAIMED && fn_now_ms() < end_ms; claimed = claim())
		pause_ms(5);
	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	ck_assert_uint_eq(claimed.job.crashes, 1);
	kill(child, SIGCONT);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), FN_PRECONDITION);
	finish(&claimed.job);
}
END_TEST

/* ---- Who may connect ------------------------------------------------------------------------- */

#define MANAGED                                                                                    \
	"+@all -client -config -command -cluster -monitor -debug -object -save -bgsave -acl "      \
	"-script -keys -scan -shutdown -slowlog -latency -memory"

/* A user with a password, a database of its own, and none of the commands that managed servers
 * forbid, is all that the queue needs. */
START_TEST(managed_server_suffices)
{
	char url[128];
	struct job_claim claimed;

	server = redis_server_start(NULL);
	AUTO(drop_reply)
	redisReply *managed =
		redis_server_ask(server, "ACL SETUSER phoenix on >s@cret ~phx:* " MANAGED);
	AUTO(drop_reply)
	redisReply *other = redis_server_ask(server, "ACL SETUSER default resetpass >other");
	ck_assert_str_eq(managed->str, "OK");
	ck_assert_str_eq(other->str, "OK");
	snprintf(url, sizeof(url), "redis://phoenix:s%%40cret@127.0.0.1:%u/3",
		redis_server_port(server));
	open_queue(url, 60000);
	ck_assert_int_eq(claim().kind, JOB_REBUILD);
	rebuild();
	enqueue("a");
	must(job_queue_wait_and_claim(queue, &call, 1000, &worker, &claimed, &err));
	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	finish(&claimed.job);
	AUTO(drop_reply) redisReply *select = redis_server_ask(server, "SELECT 3");
	ck_assert_int_eq(redis_server_number(server, "EXISTS phx:{v}:j:a"), 1);
	job_queue_close(queue);
	snprintf(url, sizeof(url), "redis://:other@127.0.0.1:%u", redis_server_port(server));
	open_queue(url, 60000);
	ck_assert_int_eq(claim().kind, JOB_REBUILD);
	job_queue_close(queue);
	snprintf(url, sizeof(url), "redis://phoenix:guess@127.0.0.1:%u", redis_server_port(server));
	open_queue(url, 60000);
	ck_assert(!job_queue_claim(queue, &call, &worker, &claimed, &err));
	ck_assert_msg(err.code == FN_UPSTREAM && strstr(err.message, "WRONGPASS") &&
			      !strstr(err.message, "guess"),
		"%s", err.message);
}
END_TEST

static void
run(const char *command)
{
	int status = system(command);

	ck_assert_msg(status == 0, "%s", command);
}

/* Two authorities, and a certificate of the first for localhost and 127.0.0.1. */
static const char *
make_certificates(void)
{
	const char *in = temp_folder();
	static const char *const authorities[] = {"ca", "stranger"};

	for (size_t i = 0; i < COUNT(authorities); i++)
		run(fn_textf(call.arena,
			"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
			"-days 2 -subj /CN=%s -keyout %s/%s.key -out %s/%s.crt 2>/dev/null",
			authorities[i], in, authorities[i], in, authorities[i]));
	run(fn_textf(call.arena,
		"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=redis "
		"-keyout %s/redis.key -out %s/redis.csr 2>/dev/null && "
		"echo subjectAltName=DNS:localhost,IP:127.0.0.1 >%s/names && "
		"openssl x509 -req -in %s/redis.csr -CA %s/ca.crt -CAkey %s/ca.key -CAcreateserial "
		"-days 2 -extfile %s/names -out %s/redis.crt 2>/dev/null",
		in, in, in, in, in, in, in, in));
	return in;
}

/* Whether the machine knows this host: one without /etc/hosts may not know localhost. */
static bool
is_known(const char *host)
{
	struct addrinfo *found;

	if (getaddrinfo(host, NULL, NULL, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

/* Over TLS the server must be who it says it is, and signed by whom we trust. */
START_TEST(tls_proves_the_server)
{
	const char *in = make_certificates();
	static const struct {
		const char *host, *authority;
		bool ok;
	} rows[] = {
		{"127.0.0.1", "ca", true},
		{"localhost", "ca", true},
		{"127.0.0.1", "stranger", false},
		{"localhost", "stranger", false},
		{"localhost", "", false},
		{"127.0.0.2", "ca", false},
		{"ip6-localhost.localhost", "ca", false},
	};
	unsigned port;

	server = redis_server_start(NULL);
	port = redis_server_port(server);
	redis_server_stop(server);
	server = NULL;
	char *tls_port = fn_textf(call.arena, "%u", port);
	char *certificate = fn_textf(call.arena, "%s/redis.crt", in);
	char *key = fn_textf(call.arena, "%s/redis.key", in);
	char *authority = fn_textf(call.arena, "%s/ca.crt", in);
	const char *const options[] = {"--tls-port", tls_port, "--tls-cert-file", certificate,
		"--tls-key-file", key, "--tls-ca-cert-file", authority, "--tls-auth-clients", "no",
		"--requirepass", "secret", "--bind", "127.0.0.1", "127.0.0.2", NULL};
	server = redis_server_start(options);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct job_claim claimed;
		bool has_authority = *rows[i].authority;

		if (rows[i].ok && !is_known(rows[i].host))
			continue;
		char *url = fn_textf(call.arena, "rediss://:secret@%s:%u/0", rows[i].host, port);
		char *file = has_authority
				     ? fn_textf(call.arena, "%s/%s.crt", in, rows[i].authority)
				     : fn_textf(call.arena, "%s", "");
		config = (struct job_queue_config){url, file, 60000};
		must(job_queue_open(&queue, &config, &err));
		bool ok = job_queue_claim(queue, &call, &worker, &claimed, &err);
		ck_assert_msg(ok == rows[i].ok, "%s, %s: %s", rows[i].host, rows[i].authority,
			err.message);
		if (ok && i == 0) {
			rebuild();
			enqueue("a");
			struct job job = must_claim("a");
			finish(&job);
		}
		job_queue_close(queue);
		queue = NULL;
	}
	config = (struct job_queue_config){"rediss://localhost", "/no/such/file", 60000};
	ck_assert(!job_queue_open(&queue, &config, &err));
	ck_assert(err.code == FN_INVALID && strstr(err.message, "REDIS_CA_FILE"));
}
END_TEST

/* ---- Bounds ---------------------------------------------------------------------------------- */

/* Of dead letters the oldest are forgotten when there are too many. */
START_TEST(dead_letters_are_bounded)
{
	struct job_end end = {.verdict = JOB_FAILURE};
	struct job_queue_status status;
	struct job_info info;

	enqueue("oldest");
	struct job job = must_claim("oldest");
	must(job_queue_finish(queue, &call, &job, &end, &err));
	for (int i = 0; i < 9999; i++) {
		AUTO(drop_reply)
		redisReply *reply =
			redis_server_ask(server, "ZADD phx:{v}:x 9000000000000000 x%d", i);
	}
	enqueue("a");
	job = must_claim("a");
	must(job_queue_finish(queue, &call, &job, &end, &err));
	must(job_queue_status(queue, &call, &status, &err));
	ck_assert_uint_eq(status.dead, 10000);
	must(job_queue_get(queue, &call, FN_BYTES("oldest"), &info, &err));
	ck_assert_int_eq(info.state, JOB_UNKNOWN);
}
END_TEST

static bool
is_noted(const char *field)
{
	return redis_server_number(server, "HEXISTS phx:{v}:n %s", field) == 1;
}

static struct job
enqueue_and_claim(const char *id, int64_t quantum_ms)
{
	const struct job_order order = {
		.id = fn_bytes(id), .user = fn_bytes(id), .class = {.quantum_ms = quantum_ms}};
	struct job_ticket ticket;

	must(job_queue_enqueue(queue, &call, &order, &ticket, &err));
	return must_claim(id);
}

/* Who has had a fair share is forgotten with the last job, who has had more when its time is over.
 */
START_TEST(served_users_are_forgotten)
{
	struct job fair = enqueue_and_claim("fair", 0), hog = enqueue_and_claim("hog", 3600000);
	size_t ready;

	ck_assert(is_noted("v:fair") && is_noted("v:hog"));
	finish(&fair);
	finish(&hog);
	ck_assert(!is_noted("v:fair"));
	must(job_queue_sweep(queue, &call, &ready, &err));
	ck_assert(is_noted("v:hog"));
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "HSET phx:{v}:n v:hog 1");
	must(job_queue_sweep(queue, &call, &ready, &err));
	ck_assert(!is_noted("v:hog"));
}
END_TEST

/* Workers that are long gone are forgotten by the tick. */
START_TEST(gone_workers_are_forgotten)
{
	const struct job_worker_info *workers;
	size_t count, ready;

	claim();
	AUTO(drop_reply)
	redisReply *reply =
		redis_server_ask(server, "HSET phx:{v}:n k:old.1 %s", "0000000001 1000000 job");
	must(job_queue_workers(queue, &call, &workers, &count, &err));
	ck_assert_uint_eq(count, 2);
	must(job_queue_sweep(queue, &call, &ready, &err));
	must(job_queue_workers(queue, &call, &workers, &count, &err));
	ck_assert_uint_eq(count, 1);
	ck_assert_bytes_eq(workers[0].id, worker.id);
}
END_TEST

/* More is due than one sweep takes: the next ones take the rest. */
START_TEST(sweeps_are_bounded)
{
	size_t ready = 0;

	job_queue_close(queue);
	open_queue(redis_server_url(server), 1);
	for (int i = 0; i < 40; i++)
		enqueue(fn_textf(call.arena, "%d", i));
	AUTO(drop_reply)
	redisReply *eval = redis_server_ask(server, "EVAL %s 0",
		"for i = 0, 39 do "
		"redis.call('ZADD', 'phx:{v}:l', 1000 + i, i) "
		"redis.call('HSET', 'phx:{v}:j:' .. i, 'st', 'A', 'tok', 'x/1') "
		"redis.call('HINCRBY', 'phx:{v}:n', 'f:' .. i, 1) end "
		"redis.call('DEL', 'phx:{v}:w', 'phx:{v}:r') "
		"redis.call('HSET', 'phx:{v}:n', 'due', 1000)");
	for (int i = 0; i < 3; i++) {
		must(job_queue_sweep(queue, &call, &ready, &err));
		ck_assert_uint_eq(ready, i < 2 ? (size_t)(i + 1) * 16 : 40);
	}
}
END_TEST

/* A server whose clock is behind what was written continues after it, in order. */
START_TEST(clock_that_went_back_is_outrun)
{
	const int64_t ahead = INT64_C(4000000000000000);

	AUTO(drop_reply)
	redisReply *reply = redis_server_ask(server, "HSET phx:{v}:n tick 4000000000000000");
	ck_assert_int_eq(enqueue("b").score, ahead + 1);
	ck_assert_int_eq(enqueue("a").score, ahead + 2);
	must_claim("b");
	must_claim("a");
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{url_is_read_or_refused, COUNT(urls), setup, teardown},
		{passing_error_is_outlived, COUNT(passing), setup_proxy, teardown},
		{moved_slot_is_followed, 1, setup_proxy, teardown},
		{lasting_error_is_told, 1, setup_proxy, teardown},
		{odd_reply_is_refused, 6, setup_proxy, teardown},
		{lost_replies_lose_nothing, 4, setup_proxy, teardown},
		{silent_server_is_given_up, 1, setup_proxy, teardown},
		{restarted_server_goes_on, 1, setup, teardown},
		{forgotten_script_is_told, 1, setup_server, teardown},
		{full_memory_ends_what_runs, 1, setup_server, teardown},
		{cut_log_leaves_no_half_verbs, 8, setup, teardown},
		{half_of_a_verb_is_mended_by_enqueuing_again, COUNT(halves), setup, teardown},
		{failover_is_outlived, 1, setup_proxy, teardown},
		{stopped_worker_is_passed_over, 1, setup_server, teardown},
		{managed_server_suffices, 1, setup, teardown},
		{tls_proves_the_server, 1, setup, teardown},
		{dead_letters_are_bounded, 1, setup_server, teardown},
		{served_users_are_forgotten, 1, setup_server, teardown},
		{gone_workers_are_forgotten, 1, setup_server, teardown},
		{clock_that_went_back_is_outrun, 1, setup_server, teardown},
		{sweeps_are_bounded, 1, setup_server, teardown},
	};

	return suite_run("job queue on Redis", cases, COUNT(cases));
}
