/* The whole function over real adapters: SQLite, a real redis-server, events to a scripted server.
 * Each step is made to fail in turn; what was answered 202 is never lost, what was not costs
 * nothing. */
#include "functions/submit_video/handler.h"

#include "domain/video_reconcile.h"
#include "fn/clock.h"
#include "tests/support/ledger.h"
#include "tests/support/peer.h"
#include "tests/support/program.h"
#include "tests/support/redis_proxy.h"
#include "tests/support/redis_server.h"
#include "tests/support/scripted_server.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define KITE "{\"prompt\":\"a kite over a marsh\"}"
#define OWL "{\"prompt\":\"an owl\"}"
#define USER "user_dev"
#define CALL_MS 20000
#define PRICE 10
#define SIGNUP 25

/* ---- The services -------------------------------------------------------------------------- */

static const struct script takes[] = {{.status = 204}};

static const char *folder, *database;
static struct fn_arena *arena; /* of all that outlives a call */
static struct fn_http_client *http;
static struct redis_server *redis;
static struct scripted_server *worker_url;
static struct rate_limit *counter; /* NULL: nothing is limited */
static struct document_store_config documents_config;
static struct job_queue_config jobs_config = {.ca_file = "", .lease_ms = 60000};
static struct video_queue_config queue_config = {.free_penalty_s = 300, .quantum_s = 45};
static struct tokens_config prices = {.video = PRICE, .signup = SIGNUP};
static struct events_config events_config = {.emulator_host = ""};
static const struct fn_api api = {.origins = ""};
static struct services use = {.api = &api};

static struct fn_call own; /* the test's */
static struct fn_error err;
static struct job_worker worker;

static void
must(bool ok)
{
	ck_assert_msg(ok, "%s", err.message);
}

static void
open_queue(const char *url)
{
	job_queue_close(use.submit.queue.jobs);
	jobs_config.url = url;
	must(job_queue_open(&use.submit.queue.jobs, &jobs_config, &err));
}

static void
set_limits(const struct job_limits *limits)
{
	bool mine;

	must(job_queue_rebuild_begin(use.submit.queue.jobs, &own, &worker, &mine, &err));
	must(job_queue_rebuild_end(use.submit.queue.jobs, &own, &worker, limits, &err));
}

static void
open_events(const char *url)
{
	events_close(use.events);
	events_config.url = url;
	must(events_open(&use.events, &events_config, NULL, http, &err));
}

static void
setup(void)
{
	static const struct identity_config lone = {.issuer = "", .guest = "", .service = ""};

	unsetenv("http_proxy");
	fn_log_level(FN_CRITICAL);
	arena = fn_arena_new();
	own = (struct fn_call){.arena = arena, .deadline_ms = fn_now_ms() + 50000};
	folder = temp_folder();
	database = fn_textf(arena, "%s/phoenix.db", folder);
	documents_config.url = fn_textf(arena, "sqlite:%s", database);
	redis = redis_server_start(NULL);
	worker_url = scripted_server_start(takes, 1);
	job_worker_init(&worker, "worker");
	use.submit.queue.config = &queue_config;
	use.submit.prices = &prices;
	must(fn_http_client_open(&http, &err));
	must(identity_open(&use.identity, &lone, http, &err));
	must(document_store_open(&use.submit.documents, &documents_config, NULL, NULL, &err));
	open_queue(redis_server_url(redis));
	open_events(scripted_server_url(worker_url));
	set_limits(&(struct job_limits){.failures = 5, .crashes = 1});
}

static void
teardown(void)
{
	document_store_close(use.submit.documents);
	job_queue_close(use.submit.queue.jobs);
	rate_limit_close(counter);
	events_close(use.events);
	identity_close(use.identity);
	fn_http_client_close(http);
	scripted_server_stop(worker_url);
	redis_server_stop(redis);
	fn_arena_drop(arena);
	fn_clock_pretend(0);
}

/* ---- One request --------------------------------------------------------------------------- */

struct request {
	struct fn_header headers[2];
	struct fn_call call;
	struct fn_error err;
	int status;
	const char *answer; /* its body */
	struct fn_bytes id; /* of the video, as the log has it; empty where it came to none */
};

static void
drop_arena(void *of_call)
{
	fn_arena_drop(of_call);
}

/* What the request leads to lives as long as the test. */
static struct request
request_of(const char *method, const char *path)
{
	struct fn_arena *of_call = fn_arena_new();

	fn_arena_defer(arena, drop_arena, of_call);
	return (struct request){
		.call = {.method = fn_bytes(method), .path = fn_bytes(path), .arena = of_call}};
}

static struct request
submit_of(const char *body, const char *key)
{
	struct request request = request_of("POST", "/api/video/generate");

	request.headers[0] =
		(struct fn_header){FN_BYTES("Content-Type"), FN_BYTES("application/json")};
	request.headers[1] = (struct fn_header){FN_BYTES("Idempotency-Key"), fn_bytes(key)};
	request.call.header_count = key ? 2 : 1;
	request.call.body = fn_bytes(body);
	return request;
}

static struct fn_bytes
logged(const struct fn_call *call, const char *name)
{
	for (size_t i = 0; i < call->log.field_count; i++) {
		if (strcmp(call->log.fields[i].name, name) == 0)
			return call->log.fields[i].value;
	}
	return (struct fn_bytes){0};
}

static struct fn_bytes
location(const struct fn_call *call)
{
	for (size_t i = 0; i < call->answer.header_count; i++) {
		if (fn_bytes_is(call->answer.headers[i].name, "Location"))
			return call->answer.headers[i].value;
	}
	return (struct fn_bytes){0};
}

/* Runs the request as the runtime would, until `within_ms` from now. */
static void
run(struct request *request, int64_t within_ms)
{
	struct fn_call *call = &request->call;

	call->headers = request->headers;
	call->deadline_ms = fn_now_ms() + within_ms;
	if (submit_video(call, &use, &request->err))
		request->status = call->answer.status;
	else
		request->status = fn_code_status(request->err.code);
	request->answer = fn_text(call->arena, call->answer.body);
	request->id = logged(call, "job");
}

static struct request
submit(const char *body, const char *key)
{
	struct request request = submit_of(body, key);

	run(&request, CALL_MS);
	return request;
}

static struct request
ask(const char *method, struct fn_bytes id)
{
	struct request request = request_of(method, fn_textf(arena, "/api/video/%.*s", FN_ARG(id)));

	run(&request, CALL_MS);
	return request;
}

#define assert_answer(request, wanted)                                                             \
	ck_assert_msg(                                                                             \
		(request).status == (wanted), "%d: %s", (request).status, (request).err.message)

#define assert_says(request, part)                                                                 \
	ck_assert_msg(strstr((request).answer, part), "no %s in %s", part, (request).answer)

static struct fn_bytes
submitted(void)
{
	struct request request = submit(KITE, NULL);

	assert_answer(request, 202);
	return request.id;
}

/* ---- What is left behind ------------------------------------------------------------------- */

static struct video_job
job_of(struct fn_bytes id)
{
	struct video_job job;

	must(video_job_read(&job, &own, use.submit.documents, id, &err));
	return job;
}

static struct ledger
ledger(void)
{
	return ledger_check(use.submit.documents, &own, USER);
}

static size_t
count_videos(void)
{
	const struct document_query query = {
		.collection = "creations", .limit = DOCUMENT_PAGE_MOST};
	struct document_page page;

	must(document_store_query(use.submit.documents, &own, &query, &page, &err));
	return page.count;
}

/* So many videos were charged and are there; none else was charged. */
static void
assert_charged(size_t videos)
{
	struct ledger now = ledger();

	ck_assert_uint_eq(now.debits - now.refunds, videos);
	ck_assert_uint_eq(count_videos(), videos);
}

static struct job_info
queued(struct fn_bytes id)
{
	struct job_info info;

	must(job_queue_get(use.submit.queue.jobs, &own, id, &info, &err));
	return info;
}

/* The worker: what it claims, and has begun. */
static struct job
claim(void)
{
	struct job_claim claimed;

	must(job_queue_claim(use.submit.queue.jobs, &own, &worker, &claimed, &err));
	ck_assert_int_eq(claimed.kind, JOB_CLAIMED);
	return claimed.job;
}

static struct video_job
begin(const struct job *job)
{
	struct video_job begun;

	must(video_job_begin(&begun, &own, use.submit.documents, job->id, job->fence, &err));
	return begun;
}

static void
finish(const struct job *job, enum job_verdict verdict)
{
	struct job_end end = {.verdict = verdict};

	must(job_queue_finish(use.submit.queue.jobs, &own, job, &end, &err));
}

/* What the reconciler does two minutes later. */
static void
reconcile_later(void)
{
	const struct object_store_config objects = {
		.url = fn_textf(arena, "file:%s/objects", folder), .public_url = "http://objects"};
	struct video_reconcile with = {
		.documents = use.submit.documents, .queue = use.submit.queue};
	struct video_pass pass = {0};

	must(object_store_open(&with.objects, &objects, http, &err));
	fn_clock_pretend(fn_unix_ms() + 120000);
	must(video_reconcile_pass(&with, &own, &pass, &err));
	object_store_close(with.objects);
}

/* ---- Submit: all goes well ----------------------------------------------------------------- */

/* A sentence becomes a draft, a debit, a job and a bell, which agree with each other. */
START_TEST(sentence_is_queued)
{
	fn_clock_pretend(1795498618123);
	struct request request = submit(KITE, "key-1");
	const char *id = fn_text(arena, request.id);

	assert_answer(request, 202);
	ck_assert_str_eq(request.answer,
		fn_textf(arena,
			"{\"id\":\"%s\",\"type\":\"video\",\"status\":\"queued\","
			"\"prompt\":\"a kite over a marsh\",\"url\":null,"
			"\"mime_type\":\"video/mp4\",\"width\":null,\"height\":null,"
			"\"owner\":{\"id\":\"user_dev\",\"username\":null},\"likes\":0,"
			"\"liked\":false,\"published\":true,"
			"\"created_at\":\"2026-11-24T05:36:58.123Z\",\"position\":1,"
			"\"eta_s\":null,\"progress\":null,\"attempts\":0,\"reason\":null}",
			id));
	ck_assert_bytes_eq(location(&request.call), fn_textf(arena, "/api/video/%s", id));
	ck_assert_bytes_eq(logged(&request.call, "user"), USER);
	ck_assert(fn_bytes_equal(logged(&request.call, "creation"), request.id));

	struct video_job job = job_of(request.id);
	ck_assert_int_eq(job.price, PRICE);
	ck_assert_int_eq(job.score, queued(request.id).score);
	ck_assert_int_eq(ledger().balance, SIGNUP - PRICE);
	ck_assert(fn_bytes_equal(claim().id, request.id));
	while (scripted_server_requests(worker_url) < 1)
		usleep(1000);
	ck_assert_ptr_nonnull(strstr(scripted_server_request(worker_url, 0).at, id));
}
END_TEST

/* What was asked for is what the model will be. */
START_TEST(request_is_kept)
{
	struct request request =
		submit("{\"prompt\":\"ein \\\"F\\u00fcchslein\\\"\",\"aspect_ratio\":\"9:16\","
		       "\"duration_s\":4,\"seed\":7,\"audio\":false,\"publish\":false}",
			NULL);
	assert_answer(request, 202);
	struct video_job job = job_of(request.id);

	ck_assert_bytes_eq(job.request.prompt, "ein \"F\xc3\xbc"
					       "chslein\"");
	ck_assert_str_eq(job.request.aspect_ratio, "9:16");
	ck_assert_uint_eq(job.request.duration_s, 4);
	ck_assert(job.request.has_seed && job.request.seed == 7 && !job.request.audio);
	assert_says(request, "\"published\":false");
}
END_TEST

/* Each further job of a user has a further place, and no bell while it may not run. */
START_TEST(next_one_waits_behind)
{
	set_limits(&(struct job_limits){.running_per_user = 1, .failures = 5, .crashes = 4});
	struct request first = submit(KITE, NULL), second = submit(OWL, NULL);

	assert_says(first, "\"position\":1");
	assert_says(second, "\"position\":2");
	ck_assert_int_eq(job_of(second.id).score - job_of(first.id).score, 45000000);
	claim();
	struct request after = ask("GET", second.id);
	assert_says(after, "\"position\":1");
	events_close(use.events);
	use.events = NULL;
	ck_assert_uint_le(scripted_server_requests(worker_url), 1);
}
END_TEST

/* Who pays is served before who does not, though he comes later. */
START_TEST(paid_passes_free)
{
	json_t *balance =
		json_pack("{s:i, s:i, s:b, s:[]}", "tokens", 100, "entries", 0, "paid", 1, "open");
	struct document_write write = {
		.kind = DOCUMENT_CREATE,
		.collection = "balances",
		.id = FN_BYTES(USER),
		.fields = balance,
	};
	struct job_order other = {.id = FN_BYTES("other"),
		.user = FN_BYTES("other"),
		.fingerprint = FN_BYTES("f"),
		.class = {.penalty_ms = 300000}};
	struct job_ticket ticket;

	must(job_queue_enqueue(use.submit.queue.jobs, &own, &other, &ticket, &err));
	if (_i)
		must(document_store_commit(use.submit.documents, &own, &write, 1, &err));
	struct request request = submit(KITE, NULL);
	assert_says(request, _i ? "\"position\":1" : "\"position\":2");
	json_decref(balance);
}
END_TEST

/* ---- Submit: the same again ---------------------------------------------------------------- */

/* The same key again is the same video, where it stands now; it is charged once. */
START_TEST(same_key_is_the_same_video)
{
	struct request first = submit(KITE, "key-1"), again = submit(KITE, "key-1");

	assert_answer(first, 202);
	assert_answer(again, 200);
	ck_assert_str_eq(again.answer, first.answer);
	ck_assert(fn_bytes_equal(location(&again.call), location(&first.call)));
	assert_answer(submit(OWL, "key-1"), 422);
	struct job job = claim();
	begin(&job);
	again = submit(KITE, "key-1");
	assert_answer(again, 200);
	assert_says(again, "\"status\":\"running\"");
	assert_charged(1);
}
END_TEST

#define THREADS 64

static void *
run_thread(void *request)
{
	run(request, CALL_MS);
	return NULL;
}

static void
run_at_once(struct request requests[THREADS])
{
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run_thread, &requests[i]);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Many requests with one key at once make one video; each of them is told which. */
START_TEST(key_at_once_makes_one_video)
{
	struct request requests[THREADS];
	size_t made = 0;

	for (size_t i = 0; i < THREADS; i++)
		requests[i] = submit_of(KITE, "key-1");
	run_at_once(requests);
	for (size_t i = 0; i < THREADS; i++) {
		if (requests[i].status != 202)
			assert_answer(requests[i], 200);
		made += requests[i].status == 202;
		ck_assert(fn_bytes_equal(requests[i].id, requests[0].id));
	}
	ck_assert_uint_eq(made, 1);
	assert_charged(1);
}
END_TEST

/* Of many at once as many are made as can be paid for. */
START_TEST(last_token_is_spent_once)
{
	struct request requests[THREADS];
	size_t made = 0;

	for (size_t i = 0; i < THREADS; i++)
		requests[i] = submit_of(KITE, NULL);
	run_at_once(requests);
	for (size_t i = 0; i < THREADS; i++) {
		if (requests[i].status != 202)
			assert_answer(requests[i], 402);
		made += requests[i].status == 202;
	}
	ck_assert_uint_eq(made, SIGNUP / PRICE);
	assert_charged(made);
	ck_assert_int_eq(ledger().balance, SIGNUP % PRICE);
}
END_TEST

/* ---- Submit: limited ----------------------------------------------------------------------- */

static void
limit_to(long per_hour)
{
	const struct rate_limit_config config = {
		.url = redis_server_url(redis), .ca_file = "", .without = "open"};

	must(rate_limit_open(&counter, &config, &err));
	use.submit.limits = (struct limits){counter, {per_hour}};
}

/* So many videos an hour; the same one again is not another. */
START_TEST(hour_has_its_limit)
{
	limit_to(2);
	assert_answer(submit(KITE, "key-1"), 202);
	assert_answer(submit(KITE, NULL), 202);
	struct request third = submit(OWL, NULL);
	assert_answer(third, 429);
	ck_assert_uint_ge(third.err.retry_after_s, 3000);
	assert_answer(submit(KITE, "key-1"), 200);
	assert_charged(2);
}
END_TEST

/* One key counts once, however many come with it at once. */
START_TEST(key_counts_once)
{
	struct request requests[THREADS];

	limit_to(2);
	for (size_t i = 0; i < THREADS; i++)
		requests[i] = submit_of(KITE, "key-1");
	run_at_once(requests);
	for (size_t i = 0; i < THREADS; i++)
		ck_assert(requests[i].status == 202 || requests[i].status == 200);
	assert_answer(submit(OWL, NULL), 202);
	assert_answer(submit(OWL, NULL), 429);
}
END_TEST

/* What cannot be paid for does not count. */
START_TEST(unpaid_is_not_counted)
{
	limit_to(3);
	prices.video = SIGNUP + 1;
	for (int i = 0; i < 5; i++)
		assert_answer(submit(KITE, NULL), 402);
	prices.video = PRICE;
	assert_answer(submit(KITE, NULL), 202);
	assert_charged(1);
}
END_TEST

/* ---- Submit: refused ----------------------------------------------------------------------- */

static const struct {
	const char *method, *path, *body, *type, *key;
	int status;
	const char *sentence;
} refused[] = {
	{"PUT", "/api/video/generate", "", "", NULL, 405, "only POST"},
	{"POST", "/api/video", KITE, "application/json", NULL, 404, "no such resource"},
	{"POST", "/api/video/vid_1", KITE, "application/json", NULL, 405, "only"},
	{"POST", "/api/video/generate", KITE, "text/plain", NULL, 415, "application/json"},
	{"POST", "/api/video/generate", "{", "application/json", NULL, 400, "body: line 1"},
	{"POST", "/api/video/generate", "{}", "application/json", NULL, 400, "prompt: missing"},
	{"POST", "/api/video/generate", KITE, "application/json", "a b", 400,
		"Idempotency-Key: 1 to"},
};
START_TEST(wrong_request_is_refused)
{
	struct request request = submit_of(refused[_i].body, refused[_i].key);

	request.call.method = fn_bytes(refused[_i].method);
	request.call.path = fn_bytes(refused[_i].path);
	request.headers[0].value = fn_bytes(refused[_i].type);
	run(&request, CALL_MS);
	assert_answer(request, refused[_i].status);
	ck_assert_msg(strstr(request.err.message, refused[_i].sentence), "%s", request.err.message);
	assert_charged(0);
}
END_TEST

/* Who cannot pay is told the price, and has no place in the queue. */
START_TEST(too_few_tokens_are_said)
{
	assert_answer(submit(KITE, NULL), 202);
	assert_answer(submit(KITE, NULL), 202);
	struct request request = submit(KITE, "key-3");

	assert_answer(request, 402);
	ck_assert_str_eq(request.err.message, "tokens: this takes 10, you have 5");
	assert_charged(2);
	assert_answer(ask("DELETE", submit(KITE, "key-3").id), 404);
	prices.video = 5;
	assert_answer(submit(KITE, "key-3"), 202);
}
END_TEST

static const struct {
	struct job_limits limits;
	int status;
} bounds[] = {
	{{.waiting_per_user = 1, .failures = 1, .crashes = 1}, 429},
	{{.waiting = 1, .failures = 1, .crashes = 1}, 503},
};
/* Where no more may wait, nothing is charged; once there is room the same request is taken. */
START_TEST(full_queue_charges_nothing)
{
	set_limits(&bounds[_i].limits);
	struct fn_bytes first = submitted();
	struct request second = submit(OWL, "key-2");

	assert_answer(second, bounds[_i].status);
	ck_assert_uint_ge(second.err.retry_after_s, 1);
	assert_charged(1);
	assert_answer(ask("DELETE", first), 200);
	assert_answer(submit(OWL, "key-2"), 202);
}
END_TEST

/* ---- Submit: something fails --------------------------------------------------------------- */

static sqlite3 *locker;

static void
lock_store(void)
{
	ck_assert_int_eq(sqlite3_open(database, &locker), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(locker, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void
unlock_store(void)
{
	sqlite3_close(locker);
}

static void
limit_files(rlim_t most)
{
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){most, RLIM_INFINITY}), 0);
}

static void
fill_disk(void)
{
	struct stat log;

	ck_assert_int_eq(stat(fn_textf(arena, "%s-wal", database), &log), 0);
	limit_files((rlim_t)log.st_size);
}

static void
empty_disk(void)
{
	limit_files(RLIM_INFINITY);
}

static const struct {
	void (*begin)(void), (*end)(void);
	int status;
	unsigned retry_after_s;
	const char *sentence;
} store_failures[] = {
	{lock_store, unlock_store, 503, 1, "locked"},
	{fill_disk, empty_disk, 502, 0, "phoenix.db"},
};

/* A store that fails charges nothing and queues nothing; the same request works after it. */
START_TEST(store_failure_charges_nothing)
{
	submitted();
	store_failures[_i].begin();
	struct request request = submit_of(OWL, "key-1");
	run(&request, 300);

	store_failures[_i].end();
	assert_answer(request, store_failures[_i].status);
	ck_assert_msg(strstr(request.err.message, store_failures[_i].sentence), "%s",
		request.err.message);
	ck_assert_uint_eq(request.err.retry_after_s, store_failures[_i].retry_after_s);
	assert_charged(1);
	assert_answer(submit(OWL, "key-1"), 202);
	assert_charged(2);
}
END_TEST

/* A queue that is down keeps nobody from asking. When it is back the jobs run, in the order in
 * which they were asked for. */
START_TEST(queue_may_be_down)
{
	redis_server_kill(redis);
	struct request first = submit(KITE, NULL);
	fn_clock_pretend(fn_unix_ms() + 5);
	struct request second = submit(OWL, NULL);

	assert_answer(first, 202);
	assert_answer(second, 202);
	assert_says(first, "\"position\":null,\"eta_s\":null");
	assert_charged(2);
	redis_server_revive(redis);
	set_limits(&(struct job_limits){.failures = 5, .crashes = 4});
	reconcile_later();
	ck_assert_uint_eq(queued(first.id).position, 1);
	ck_assert_uint_eq(queued(second.id).position, 2);
	ck_assert_int_eq(job_of(first.id).score, queued(first.id).score);
	struct job job = claim();
	ck_assert(fn_bytes_equal(job.id, first.id));
	begin(&job);
}
END_TEST

/* Until a commit that is held up by a lock, and with it the request, has come so far that its
 * place is reserved. */
static void
wait_for_place(void)
{
	while (redis_server_number(redis, "HEXISTS phx:{v}:n v:" USER) == 0)
		usleep(1000);
}

static void
wait_for_video(void)
{
	while (count_videos() == 0)
		usleep(1000);
}

/* A queue that goes down after the commit is given the job later, in the place that it had. */
START_TEST(queue_may_go_down_between)
{
	struct redis_proxy *proxy = redis_proxy_start(redis_server_port(redis));
	struct request request = submit_of(KITE, NULL);
	pthread_t thread;

	open_queue(redis_proxy_url(proxy));
	assert_charged(0);
	lock_store();
	pthread_create(&thread, NULL, run_thread, &request);
	wait_for_place();
	redis_proxy_stall(proxy, 1);
	unlock_store();
	pthread_join(thread, NULL);
	redis_proxy_stop(proxy);
	open_queue(redis_server_url(redis));

	assert_answer(request, 202);
	assert_says(request, "\"position\":null");
	int64_t score = job_of(request.id).score;
	ck_assert_int_ne(score, 0);
	ck_assert_int_eq(queued(request.id).state, JOB_UNKNOWN);
	reconcile_later();
	ck_assert_int_eq(queued(request.id).score, score);
	ck_assert_int_eq(job_of(request.id).score, score);
}
END_TEST

/* The function itself, as a process that can be killed. */
static struct program *
start_function(unsigned port, const char *queue_url)
{
	const char *const environment[] = {
		fn_textf(arena, "PORT=%u", port),
		fn_textf(arena, "STORE_URL=%s", documents_config.url),
		fn_textf(arena, "REDIS_URL=%s", queue_url),
		"EVENTS_URL=http://127.0.0.1:1",
		NULL,
	};
	const struct program_setup function = {.name = "submit_video", .environment = environment};
	struct program *program = program_start(&function);

	ck_assert_msg(program_is_up(program, port), "%s", program_complained(program));
	return program;
}

static void
send_submit(struct peer *peer)
{
	peer_sends(peer, fn_textf(arena,
				 "POST /api/video/generate HTTP/1.1\r\nHost: h\r\n"
				 "Content-Type: application/json\r\nIdempotency-Key: key-1\r\n"
				 "Content-Length: %zu\r\n\r\n" KITE,
				 strlen(KITE)));
}

/* Killed between commit and queue: the reconciler enqueues the job, or whoever asks again with the
 * same key; it is charged once. */
START_TEST(kill_after_the_commit_loses_nothing)
{
	struct redis_proxy *proxy = redis_proxy_start(redis_server_port(redis));
	unsigned port = free_port();
	struct program *function = start_function(port, redis_proxy_url(proxy));
	struct peer *peer = peer_connect(port);

	assert_charged(0);
	lock_store();
	send_submit(peer);
	wait_for_place();
	redis_proxy_stall(proxy, 1);
	unlock_store();
	wait_for_video();
	program_signal(function, SIGKILL);
	ck_assert_int_eq(program_end(function), 128 + SIGKILL);
	program_drop(function);
	peer_close(peer);
	redis_proxy_stop(proxy);

	assert_charged(1);
	ck_assert_int_eq(redis_server_number(redis, "ZCARD phx:{v}:w"), 0);
	if (_i)
		reconcile_later();
	struct request again = submit(KITE, "key-1");
	assert_answer(again, 200);
	assert_says(again, "\"position\":1");
	assert_charged(1);
	ck_assert(fn_bytes_equal(claim().id, again.id));
}
END_TEST

/* That no worker hears the bell does not concern who submits. */
START_TEST(bell_may_fail)
{
	static const char *const urls[] = {"http://127.0.0.1:1", "pubsub:projects/p/topics/t"};

	events_config.emulator_host = "127.0.0.1:1";
	open_events(urls[_i]);
	struct request request = submit(KITE, NULL);
	assert_answer(request, 202);
	assert_says(request, "\"position\":1");
}
END_TEST

/* ---- Status -------------------------------------------------------------------------------- */

/* The video is shown as it goes its way. */
START_TEST(status_follows_the_job)
{
	const struct video_file file = {.mime_type = "video/mp4", .width = 1280, .height = 720};
	struct fn_bytes id = submitted();

	assert_says(ask("GET", id), "\"status\":\"queued\"");
	assert_says(ask("GET", id), "\"position\":1");
	struct job job = claim();
	struct video_job begun = begin(&job);
	struct job_renewal renewal = {.job = &job, .progress = 40};
	must(job_queue_renew(use.submit.queue.jobs, &own, &renewal, 1, &err));
	struct request running = ask("GET", id);
	assert_answer(running, 200);
	assert_says(running, "\"status\":\"running\"");
	assert_says(running, "\"position\":null,\"eta_s\":null,\"progress\":40,\"attempts\":1");
	must(video_job_succeed(
		&begun, &own, use.submit.documents, FN_BYTES("http://x/v.mp4"), &file, &err));
	struct request done = ask("GET", id);
	assert_says(done, "\"status\":\"succeeded\"");
	assert_says(done, "\"url\":\"http://x/v.mp4\"");
	assert_says(done, "\"progress\":100");
}
END_TEST

/* What the queue cannot tell is not made up. */
START_TEST(status_without_queue)
{
	struct fn_bytes id = submitted();

	redis_server_kill(redis);
	struct request request = ask("GET", id);
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

	must(video_submit(&use.submit, &own, &other, &prompt, &job, &is_new, &err));
	must(video_queue_enqueue(&use.submit.queue, &own, &job, &ticket, &err));
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
		struct request request = ask(methods[_i], ids[i]);

		assert_answer(request, 404);
		ck_assert_str_eq(request.err.message, "there is no such video");
	}
	ck_assert_str_eq(job_of(other).creation.status, "queued");
	ck_assert_int_eq(queued(other).state, JOB_WAITING);
}
END_TEST

/* ---- Cancel -------------------------------------------------------------------------------- */

/* A video that waits is canceled at once, is never claimed, and costs nothing; again is the same.
 */
START_TEST(queued_video_is_canceled)
{
	struct fn_bytes id = submitted();

	for (int i = 0; i < 2; i++) {
		struct request request = ask("DELETE", id);

		assert_answer(request, 200);
		assert_says(request, "\"status\":\"canceled\"");
		ck_assert_int_eq(ledger().balance, SIGNUP);
		ck_assert_uint_eq(ledger().refunds, 1);
	}
	ck_assert_int_eq(queued(id).state, JOB_CANCELED);
	assert_says(ask("GET", id), "\"status\":\"canceled\"");
}
END_TEST

/* Of one that is at work the worker learns, and ends it; then the tokens come back. */
START_TEST(running_video_is_canceled_by_its_worker)
{
	struct fn_bytes id = submitted();
	struct job job = claim();
	struct job_renewal renewal = {.job = &job, .progress = -1};
	struct video_job begun = begin(&job);

	for (int i = 0; i < 2; i++) {
		struct request request = ask("DELETE", id);

		assert_answer(request, 202);
		assert_says(request, "\"status\":\"running\"");
		ck_assert_uint_eq(ledger().refunds, 0);
	}
	must(job_queue_renew(use.submit.queue.jobs, &own, &renewal, 1, &err));
	ck_assert_int_eq(renewal.hold, JOB_CANCEL_WANTED);
	must(video_job_stop(&begun, &own, use.submit.documents, &err));
	finish(&job, video_job_verdict(&begun));
	assert_answer(ask("DELETE", id), 200);
	ck_assert_uint_eq(ledger().refunds, 1);
	ck_assert_int_eq(ledger().balance, SIGNUP);
}
END_TEST

/* What nobody works at any more, though its document says so, is ended at once. */
START_TEST(handed_back_video_is_canceled)
{
	struct fn_bytes id = submitted();
	struct job job = claim();

	begin(&job);
	if (_i == 0)
		finish(&job, JOB_RELEASE);
	else
		redis_server_number(redis, "DEL phx:{v}:j:%b", id.at, id.size);
	assert_answer(ask("DELETE", id), 200);
	ck_assert_uint_eq(ledger().refunds, 1);
	ck_assert_int_eq(queued(id).state, _i == 0 ? JOB_CANCELED : JOB_UNKNOWN);
}
END_TEST

/* What has ended stays as it is. */
START_TEST(ended_video_is_not_canceled)
{
	const struct video_file file = {.mime_type = "video/mp4"};
	struct fn_bytes id = submitted();
	struct job job = claim();
	struct video_job begun = begin(&job);

	must(_i ? video_job_fail(&begun, &own, use.submit.documents, FN_BYTES("why"), true, &err)
		: video_job_succeed(
			  &begun, &own, use.submit.documents, FN_BYTES("http://x"), &file, &err));
	struct request request = ask("DELETE", id);
	assert_answer(request, 409);
	ck_assert_msg(strstr(request.err.message, _i ? "failed" : "succeeded"), "%s",
		request.err.message);
	ck_assert_uint_eq(ledger().refunds, _i ? 1 : 0);
}
END_TEST

/* Without a queue the document alone says it: who claims the job finds that it has ended, or is to
 * end. */
START_TEST(canceled_without_queue)
{
	struct fn_bytes id = submitted();
	struct video_job begun;
	struct job job = {0};

	if (_i) {
		job = claim();
		begin(&job);
	}
	struct redis_proxy *proxy = redis_proxy_start(redis_server_port(redis));
	redis_proxy_stall(proxy, 1);
	open_queue(redis_proxy_url(proxy));
	assert_answer(ask("DELETE", id), _i ? 202 : 200);
	redis_proxy_stop(proxy);
	open_queue(redis_server_url(redis));

	if (!_i)
		job = claim();
	ck_assert(!video_job_begin(
		&begun, &own, use.submit.documents, job.id, job.fence + (uint64_t)_i, &err));
	ck_assert_int_eq(err.code, FN_CONFLICT);
	must(video_job_stop(&begun, &own, use.submit.documents, &err));
	finish(&job, video_job_verdict(&begun));
	ck_assert_uint_eq(ledger().refunds, 1);
}
END_TEST

/* A worker that dies over a job that is to be canceled leaves it to the reconciler. */
START_TEST(reconciler_ends_what_was_canceled)
{
	struct fn_bytes id = submitted();
	size_t ready;

	jobs_config.lease_ms = 1;
	open_queue(redis_server_url(redis));
	struct job job = claim();
	begin(&job);
	struct request request = ask("DELETE", id);
	assert_answer(request, 202);
	while (queued(id).state == JOB_ACTIVE)
		must(job_queue_sweep(use.submit.queue.jobs, &own, &ready, &err));
	assert_says(ask("GET", id), "\"status\":\"running\"");
	reconcile_later();
	assert_says(ask("GET", id), "\"status\":\"canceled\"");
	ck_assert_uint_eq(ledger().refunds, 1);
}
END_TEST

static void *
work(void *unused)
{
	struct fn_call mine = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + CALL_MS};
	const struct video_file file = {.mime_type = "video/mp4"};
	struct job_claim claimed = {0};
	struct video_job job;
	struct fn_error why;

	(void)unused;
	if (job_queue_claim(use.submit.queue.jobs, &mine, &worker, &claimed, &why) &&
		claimed.kind == JOB_CLAIMED) {
		bool ok = video_job_begin(
			&job, &mine, use.submit.documents, claimed.job.id, claimed.job.fence, &why);

		if (ok)
			ok = video_job_succeed(&job, &mine, use.submit.documents,
				FN_BYTES("http://x"), &file, &why);
		else if (why.code == FN_CONFLICT)
			ok = video_job_stop(&job, &mine, use.submit.documents, &why);
		struct job_end end = {.verdict = ok ? video_job_verdict(&job) : JOB_RETRY};
		(void)!job_queue_finish(use.submit.queue.jobs, &mine, &claimed.job, &end, &why);
	}
	fn_arena_drop(mine.arena);
	return NULL;
}

#define CANCELS 16

/* However many cancel while it is made, it has one end, and the tokens are where they belong. */
START_TEST(cancel_races_with_the_worker)
{
	struct request requests[CANCELS];
	pthread_t threads[CANCELS + 1];
	struct fn_bytes id = submitted();

	for (size_t i = 0; i < CANCELS; i++)
		requests[i] = request_of("DELETE", fn_textf(arena, "/api/video/%.*s", FN_ARG(id)));
	for (size_t i = 0; i < CANCELS; i++)
		pthread_create(&threads[i], NULL, run_thread, &requests[i]);
	pthread_create(&threads[CANCELS], NULL, work, NULL);
	for (size_t i = 0; i <= CANCELS; i++)
		pthread_join(threads[i], NULL);

	struct video_job job = job_of(id);
	bool succeeded = strcmp(job.creation.status, "succeeded") == 0;
	ck_assert_msg(video_job_ended(&job), "%s", job.creation.status);
	ck_assert_uint_eq(ledger().refunds, succeeded ? 0 : 1);
	for (size_t i = 0; i < CANCELS; i++)
		ck_assert(succeeded == (requests[i].status == 409) || requests[i].status == 202);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{sentence_is_queued, 1, setup, teardown},
		{request_is_kept, 1, setup, teardown},
		{next_one_waits_behind, 1, setup, teardown},
		{paid_passes_free, 2, setup, teardown},
		{same_key_is_the_same_video, 1, setup, teardown},
		{key_at_once_makes_one_video, 1, setup, teardown},
		{last_token_is_spent_once, 1, setup, teardown},
		{hour_has_its_limit, 1, setup, teardown},
		{key_counts_once, 1, setup, teardown},
		{unpaid_is_not_counted, 1, setup, teardown},
		{wrong_request_is_refused, COUNT(refused), setup, teardown},
		{too_few_tokens_are_said, 1, setup, teardown},
		{full_queue_charges_nothing, COUNT(bounds), setup, teardown},
		{store_failure_charges_nothing, COUNT(store_failures), setup, teardown},
		{queue_may_be_down, 1, setup, teardown},
		{queue_may_go_down_between, 1, setup, teardown},
		{kill_after_the_commit_loses_nothing, 2, setup, teardown},
		{bell_may_fail, 2, setup, teardown},
		{status_follows_the_job, 1, setup, teardown},
		{status_without_queue, 1, setup, teardown},
		{only_own_videos_are_there, 2, setup, teardown},
		{queued_video_is_canceled, 1, setup, teardown},
		{running_video_is_canceled_by_its_worker, 1, setup, teardown},
		{handed_back_video_is_canceled, 2, setup, teardown},
		{ended_video_is_not_canceled, 2, setup, teardown},
		{canceled_without_queue, 2, setup, teardown},
		{reconciler_ends_what_was_canceled, 1, setup, teardown},
		{cancel_races_with_the_worker, 10, setup, teardown},
	};

	return suite_run("submit_video", cases, COUNT(cases));
}
