/* How the queue gets through to its servers, and what it makes of what they say, on real ones. */
#include "fn/clock.h"
#include "tests/support/jobs.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	bool ok = job_queue_open(&opened, &from, &jobs.err);

	ck_assert_msg(ok == urls[_i].ok, "%s: %s", urls[_i].url, jobs.err.message);
	if (!ok) {
		ck_assert_int_eq(jobs.err.code, FN_INVALID);
		ck_assert_ptr_nonnull(strstr(jobs.err.message, "REDIS_URL"));
		ck_assert_ptr_null(strstr(jobs.err.message, "secret"));
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
	redis_proxy_answer(jobs.proxy, passing[_i]);
	ck_assert(!jobs_enqueue("a", NULL).existed);
	jobs_claim("a");
}
END_TEST

/* A cluster that names the right node is followed there. */
START_TEST(moved_slot_is_followed)
{
	struct redis_server *other = redis_server_start(NULL);
	char line[64];

	snprintf(line, sizeof(line), "-MOVED 3999 127.0.0.1:%u", redis_server_port(other));
	redis_proxy_answer(jobs.proxy, line);
	jobs_enqueue("a", NULL);
	ck_assert_int_eq(redis_server_number(other, "EXISTS phx:{v}:j:a"), 1);
	ck_assert_int_eq(redis_server_number(jobs.server, "EXISTS phx:{v}:j:a"), 0);
	redis_server_stop(other);
	jobs_enqueue("b", NULL); /* the way back, when that node is gone */
	ck_assert_int_eq(redis_server_number(jobs.server, "EXISTS phx:{v}:j:b"), 1);
}
END_TEST

/* Whatever else the server says is told, once. */
START_TEST(lasting_error_is_told)
{
	struct job_claim claimed;

	redis_proxy_answer(jobs.proxy, "-MISCONF Errors writing to the AOF file");
	ck_assert(!job_queue_claim(jobs.queue, &jobs.call, &jobs.ann, &claimed, &jobs.err));
	ck_assert_int_eq(jobs.err.code, FN_UPSTREAM);
	ck_assert_ptr_nonnull(strstr(jobs.err.message, "MISCONF"));
}
END_TEST

/* A reply that is none of ours is told from one that is. */
START_TEST(odd_reply_is_refused)
{
	static const char *const lines[] = {"+OK", ":1", "*0", "*1\r\n:1",
		"*4\r\n$0\r\n\r\n$1\r\nJ\r\n:0\r\n:0", "*4\r\n$0\r\n\r\n$1\r\nZ\r\n:0\r\n:0"};
	struct job_claim claimed = {.kind = JOB_PAUSED};

	redis_proxy_answer(jobs.proxy, lines[_i]);
	ck_assert(!job_queue_claim(jobs.queue, &jobs.call, &jobs.ann, &claimed, &jobs.err));
	ck_assert_int_eq(jobs.err.code, FN_UPSTREAM);
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
		jobs_must(job_queue_finish_and_claim(
			jobs.queue, &jobs.call, job, &end, &jobs.ann, &next, &jobs.err));
		ck_assert(next.was_ours && end.state == JOB_SUCCEEDED);
	} else {
		jobs_finish(job, JOB_SUCCESS, 0);
		jobs_must(job_queue_wait_and_claim(
			jobs.queue, &jobs.call, 1, &jobs.ann, &next, &jobs.err));
	}
	return next;
}

/* Replies are lost again and again, and still each job is enqueued, claimed and ended once. */
START_TEST(lost_replies_lose_nothing)
{
	struct job_claim claimed;
	struct job_queue_status status;
	int ended = 0;

	redis_proxy_drop_every(jobs.proxy, 4 + 3 * _i);
	for (int i = 0; i < JOBS; i++)
		jobs_enqueue(fn_textf(jobs.call.arena, "%d", i), NULL);
	claimed = jobs_claim_any();
	while (claimed.kind == JOB_CLAIMED) {
		struct job job = claimed.job;
		struct job_renewal renewal = {.job = &job, .progress = 50};

		ck_assert_uint_eq(job.attempt, 1);
		jobs_must(job_queue_renew(jobs.queue, &jobs.call, &renewal, 1, &jobs.err));
		ck_assert_int_eq(renewal.hold, JOB_HELD);
		jobs_must(job_queue_set_operation(
			jobs.queue, &jobs.call, &job, FN_BYTES(""), &jobs.err));
		jobs_must(job_queue_set_operation(
			jobs.queue, &jobs.call, &job, FN_BYTES("op"), &jobs.err));
		claimed = go_on(&job, ended % 2);
		ended++;
	}
	redis_proxy_drop_every(jobs.proxy, 0);
	ck_assert_int_eq(ended, JOBS);
	jobs_must(job_queue_status(jobs.queue, &jobs.call, &status, &jobs.err));
	ck_assert(status.enqueued == JOBS && status.claimed == JOBS && status.succeeded == JOBS);
	ck_assert(status.active == 0 && status.waiting == 0);
}
END_TEST

/* A server that says nothing is given up at the call's deadline. */
START_TEST(silent_server_is_given_up)
{
	struct job_claim claimed;

	redis_proxy_stall(jobs.proxy, 1);
	jobs.call.deadline_ms = fn_now_ms() + 300;
	ck_assert(!job_queue_claim(jobs.queue, &jobs.call, &jobs.ann, &claimed, &jobs.err));
	ck_assert_int_eq(jobs.err.code, FN_DEADLINE);
	jobs.call.deadline_ms = fn_now_ms() + 300;
	ck_assert(!job_queue_wait_and_claim(
		jobs.queue, &jobs.call, 10000, &jobs.ann, &claimed, &jobs.err));
	ck_assert_int_eq(jobs.err.code, FN_DEADLINE);
	redis_proxy_stall(jobs.proxy, 0);
	jobs.call.deadline_ms = 0;
	jobs_enqueue("a", NULL);
	jobs_claim("a");
}
END_TEST

/* A server that is gone is told; one that is back goes on with what it had. */
START_TEST(restarted_server_goes_on)
{
	static const char *const options[] = {
		"--appendonly", "yes", "--appendfsync", "always", NULL};
	struct job_claim claimed;

	jobs.server = redis_server_start(options);
	jobs_open(redis_server_url(jobs.server), 60000);
	jobs_rebuild(&jobs_patient);
	jobs_enqueue("a", NULL);
	jobs_enqueue("b", NULL);
	struct job job = jobs_claim("a");
	redis_server_kill(jobs.server);
	ck_assert(!job_queue_claim(jobs.queue, &jobs.call, &jobs.ann, &claimed, &jobs.err));
	ck_assert_int_eq(jobs.err.code, FN_UPSTREAM);
	redis_server_revive(jobs.server);
	jobs_finish(&job, JOB_SUCCESS, 0);
	claimed = jobs_claim_any();
	ck_assert(claimed.kind == JOB_CLAIMED && claimed.reconcile);
	jobs_finish(&claimed.job, JOB_SUCCESS, 0);
	ck_assert(jobs_claim_any().reconcile);
	jobs_rebuild(&jobs_patient);
	ck_assert(!jobs_claim_any().reconcile);
}
END_TEST

/* A server that has forgotten the script is told it again, also behind a wait. */
START_TEST(forgotten_script_is_told)
{
	struct job_claim claimed;

	for (int i = 0; i < 2; i++) {
		char *id = fn_textf(jobs.call.arena, "%d", i);
		AUTO(drop_reply) redisReply *reply = redis_server_ask(jobs.server, "SCRIPT FLUSH");
		jobs_enqueue(id, NULL);
		jobs_must(job_queue_wait_and_claim(
			jobs.queue, &jobs.call, JOBS_PATIENCE_MS, &jobs.ann, &claimed, &jobs.err));
		ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
		ck_assert_bytes_eq(claimed.job.id, id);
		ck_assert_uint_eq(claimed.job.attempt, 1);
	}
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

	jobs.server = redis_server_start(NULL);
	AUTO(drop_reply)
	redisReply *managed =
		redis_server_ask(jobs.server, "ACL SETUSER phoenix on >s@cret ~phx:* " MANAGED);
	AUTO(drop_reply)
	redisReply *other = redis_server_ask(jobs.server, "ACL SETUSER default resetpass >other");
	ck_assert_str_eq(managed->str, "OK");
	ck_assert_str_eq(other->str, "OK");
	snprintf(url, sizeof(url), "redis://phoenix:s%%40cret@127.0.0.1:%u/3",
		redis_server_port(jobs.server));
	jobs_open(url, 60000);
	ck_assert_int_eq(jobs_claim_any().kind, JOB_REBUILD);
	jobs_rebuild(&jobs_patient);
	jobs_enqueue("a", NULL);
	jobs_must(job_queue_wait_and_claim(
		jobs.queue, &jobs.call, 1000, &jobs.ann, &claimed, &jobs.err));
	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	jobs_finish(&claimed.job, JOB_SUCCESS, 0);
	AUTO(drop_reply) redisReply *select = redis_server_ask(jobs.server, "SELECT 3");
	ck_assert_int_eq(redis_server_number(jobs.server, "EXISTS phx:{v}:j:a"), 1);
	job_queue_close(jobs.queue);
	snprintf(url, sizeof(url), "redis://:other@127.0.0.1:%u", redis_server_port(jobs.server));
	jobs_open(url, 60000);
	ck_assert_int_eq(jobs_claim_any().kind, JOB_REBUILD);
	job_queue_close(jobs.queue);
	snprintf(url, sizeof(url), "redis://phoenix:guess@127.0.0.1:%u",
		redis_server_port(jobs.server));
	jobs_open(url, 60000);
	ck_assert(!job_queue_claim(jobs.queue, &jobs.call, &jobs.ann, &claimed, &jobs.err));
	ck_assert_msg(jobs.err.code == FN_UPSTREAM && strstr(jobs.err.message, "WRONGPASS") &&
			      !strstr(jobs.err.message, "guess"),
		"%s", jobs.err.message);
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
		run(fn_textf(jobs.call.arena,
			"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
			"-days 2 -subj /CN=%s -keyout %s/%s.key -out %s/%s.crt 2>/dev/null",
			authorities[i], in, authorities[i], in, authorities[i]));
	run(fn_textf(jobs.call.arena,
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

	jobs.server = redis_server_start(NULL);
	port = redis_server_port(jobs.server);
	redis_server_stop(jobs.server);
	jobs.server = NULL;
	char *tls_port = fn_textf(jobs.call.arena, "%u", port);
	char *certificate = fn_textf(jobs.call.arena, "%s/redis.crt", in);
	char *key = fn_textf(jobs.call.arena, "%s/redis.key", in);
	char *authority = fn_textf(jobs.call.arena, "%s/ca.crt", in);
	const char *const options[] = {"--tls-port", tls_port, "--tls-cert-file", certificate,
		"--tls-key-file", key, "--tls-ca-cert-file", authority, "--tls-auth-clients", "no",
		"--requirepass", "secret", "--bind", "127.0.0.1", "127.0.0.2", NULL};
	jobs.server = redis_server_start(options);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct job_claim claimed;
		bool has_authority = *rows[i].authority;

		if (rows[i].ok && !is_known(rows[i].host))
			continue;
		char *url =
			fn_textf(jobs.call.arena, "rediss://:secret@%s:%u/0", rows[i].host, port);
		char *file = has_authority
				     ? fn_textf(jobs.call.arena, "%s/%s.crt", in, rows[i].authority)
				     : fn_textf(jobs.call.arena, "%s", "");
		jobs.config = (struct job_queue_config){url, file, 60000};
		jobs_must(job_queue_open(&jobs.queue, &jobs.config, &jobs.err));
		bool ok = job_queue_claim(jobs.queue, &jobs.call, &jobs.ann, &claimed, &jobs.err);
		ck_assert_msg(ok == rows[i].ok, "%s, %s: %s", rows[i].host, rows[i].authority,
			jobs.err.message);
		if (ok && i == 0) {
			jobs_rebuild(&jobs_patient);
			jobs_enqueue("a", NULL);
			struct job job = jobs_claim("a");
			jobs_finish(&job, JOB_SUCCESS, 0);
		}
		job_queue_close(jobs.queue);
		jobs.queue = NULL;
	}
	jobs.config = (struct job_queue_config){"rediss://localhost", "/no/such/file", 60000};
	ck_assert(!job_queue_open(&jobs.queue, &jobs.config, &jobs.err));
	ck_assert(jobs.err.code == FN_INVALID && strstr(jobs.err.message, "REDIS_CA_FILE"));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = url_is_read_or_refused, .rows = COUNT(urls), .setup = jobs_begin},
		{.test = passing_error_is_outlived, .rows = COUNT(passing)},
		{.test = moved_slot_is_followed},
		{.test = lasting_error_is_told},
		{.test = odd_reply_is_refused, .rows = 6},
		{.test = lost_replies_lose_nothing, .rows = 4},
		{.test = silent_server_is_given_up},
		{.test = restarted_server_goes_on, .setup = jobs_begin},
		{.test = forgotten_script_is_told, .setup = jobs_begin_server},
		{.test = managed_server_suffices, .setup = jobs_begin},
		{.test = tls_proves_the_server, .setup = jobs_begin},
	};

	return suite_run_with(
		"job queue's connections", cases, COUNT(cases), jobs_begin_proxy, jobs_end);
}
