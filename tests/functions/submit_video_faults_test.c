/* Each step of a submit is made to fail in turn; what was answered 202 is never lost, what was not
 * costs nothing. */
#include "fn/clock.h"
#include "tests/support/desk.h"
#include "tests/support/peer.h"
#include "tests/support/ports.h"
#include "tests/support/program.h"
#include "tests/support/redis_proxy.h"
#include "tests/support/store_fault.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- Something fails ------------------------------------------------------------------------- */

/* A store that fails charges nothing and queues nothing; the same request works after it. */
START_TEST(store_failure_charges_nothing)
{
	desk_submitted();
	store_faults[_i].begin(desk.database);
	struct asked request = desk_submit_of(DESK_OWL, "key-1");
	desk_run(&request, 300);

	store_faults[_i].end();
	assert_answer(request, store_faults[_i].status);
	ck_assert_msg(
		strstr(request.err.message, store_faults[_i].sentence), "%s", request.err.message);
	ck_assert_uint_eq(request.err.retry_after_s, store_faults[_i].retry_after_s);
	desk_has_charged(1);
	assert_answer(desk_submit(DESK_OWL, "key-1"), 202);
	desk_has_charged(2);
}
END_TEST

/* A queue that is down keeps nobody from asking. When it is back the jobs run, in the order in
 * which they were asked for. */
START_TEST(queue_may_be_down)
{
	redis_server_kill(desk.redis);
	struct asked first = desk_submit(DESK_KITE, NULL);
	fn_clock_pretend(fn_unix_ms() + 5);
	struct asked second = desk_submit(DESK_OWL, NULL);

	assert_answer(first, 202);
	assert_answer(second, 202);
	assert_says(first, "\"position\":null,\"eta_s\":null");
	desk_has_charged(2);
	redis_server_revive(desk.redis);
	desk_set_limits(&(struct job_limits){.failures = 5, .crashes = 4});
	desk_reconcile_later();
	ck_assert_uint_eq(desk_job(first.id).position, 1);
	ck_assert_uint_eq(desk_job(second.id).position, 2);
	ck_assert_int_eq(desk_document(first.id).score, desk_job(first.id).score);
	struct job job = desk_claim();
	ck_assert(fn_bytes_equal(job.id, first.id));
	desk_begin(&job);
}
END_TEST

/* Until a commit that is held up by a lock, and with it the request, has come so far that its
 * place is reserved. */
static void
wait_for_place(void)
{
	while (redis_server_number(desk.redis, "HEXISTS phx:{v}:n v:" DESK_USER) == 0)
		usleep(1000);
}

static void
wait_for_video(void)
{
	while (desk_count_videos() == 0)
		usleep(1000);
}

/* A queue that goes down after the commit is given the job later, in the place that it had. */
START_TEST(queue_may_go_down_between)
{
	struct redis_proxy *proxy = redis_proxy_start(redis_server_port(desk.redis));
	struct asked request = desk_submit_of(DESK_KITE, NULL);
	pthread_t thread;

	desk_open_queue(redis_proxy_url(proxy));
	desk_has_charged(0);
	store_fault_lock(desk.database);
	pthread_create(&thread, NULL, desk_run_thread, &request);
	wait_for_place();
	redis_proxy_stall(proxy, 1);
	store_fault_unlock();
	pthread_join(thread, NULL);
	redis_proxy_stop(proxy);
	desk_open_queue(redis_server_url(desk.redis));

	assert_answer(request, 202);
	assert_says(request, "\"position\":null");
	int64_t score = desk_document(request.id).score;
	ck_assert_int_ne(score, 0);
	ck_assert_int_eq(desk_job(request.id).state, JOB_UNKNOWN);
	desk_reconcile_later();
	ck_assert_int_eq(desk_job(request.id).score, score);
	ck_assert_int_eq(desk_document(request.id).score, score);
}
END_TEST

/* The function itself, as a process that can be killed. */
static struct program *
start_function(unsigned port, const char *queue_url)
{
	const char *const environment[] = {
		fn_textf(desk.arena, "PORT=%u", port),
		fn_textf(desk.arena, "STORE_URL=%s", desk.documents.url),
		fn_textf(desk.arena, "REDIS_URL=%s", queue_url),
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
	peer_sends(peer, fn_textf(desk.arena,
				 "POST /api/video/generate HTTP/1.1\r\nHost: h\r\n"
				 "Content-Type: application/json\r\nIdempotency-Key: key-1\r\n"
				 "Content-Length: %zu\r\n\r\n" DESK_KITE,
				 strlen(DESK_KITE)));
}

/* Killed between commit and queue: the reconciler enqueues the job, or whoever asks again with the
 * same key; it is charged once. */
START_TEST(kill_after_the_commit_loses_nothing)
{
	struct redis_proxy *proxy = redis_proxy_start(redis_server_port(desk.redis));
	unsigned port = free_port();
	struct program *function = start_function(port, redis_proxy_url(proxy));
	struct peer *peer = peer_connect(port);

	desk_has_charged(0);
	store_fault_lock(desk.database);
	send_submit(peer);
	wait_for_place();
	redis_proxy_stall(proxy, 1);
	store_fault_unlock();
	wait_for_video();
	program_signal(function, SIGKILL);
	ck_assert_int_eq(program_end(function), 128 + SIGKILL);
	program_drop(function);
	peer_close(peer);
	redis_proxy_stop(proxy);

	desk_has_charged(1);
	ck_assert_int_eq(redis_server_number(desk.redis, "ZCARD phx:{v}:w"), 0);
	if (_i)
		desk_reconcile_later();
	struct asked again = desk_submit(DESK_KITE, "key-1");
	assert_answer(again, 200);
	assert_says(again, "\"position\":1");
	desk_has_charged(1);
	ck_assert(fn_bytes_equal(desk_claim().id, again.id));
}
END_TEST

/* That no worker hears the bell does not concern who submits. */
START_TEST(bell_may_fail)
{
	static const char *const urls[] = {"http://127.0.0.1:1", "pubsub:projects/p/topics/t"};

	desk.events.emulator_host = "127.0.0.1:1";
	desk_open_events(urls[_i]);
	struct asked request = desk_submit(DESK_KITE, NULL);
	assert_answer(request, 202);
	assert_says(request, "\"position\":1");
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = store_failure_charges_nothing, .rows = STORE_FAULTS},
		{.test = queue_may_be_down},
		{.test = queue_may_go_down_between},
		{.test = kill_after_the_commit_loses_nothing, .rows = 2},
		{.test = bell_may_fail, .rows = 2},
	};

	return suite_run_with("submit_video, failing", cases, COUNT(cases), desk_open, desk_close);
}
