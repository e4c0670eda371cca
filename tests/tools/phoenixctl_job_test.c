/* What operators do to jobs: queue, store and ledger stay true to each other. */
#include "domain/tokens.h"
#include "domain/video_queue.h"
#include "fn/clock.h"
#include "tests/support/phoenixctl.h"
#include "tests/support/ports.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"

#include <string.h>

#define PRICE 10
#define SIGNUP 100
#define ID "vid_fox"
#define PROMPT "a red fox in the snow"
#define OPERATION "projects/p/operations/7"

static struct redis_server *server;
static struct job_queue_config config = {.ca_file = "", .lease_ms = 3600000};
static const struct video_queue_config order = {.free_penalty_s = 300, .quantum_s = 45};
static struct job_queue *jobs;
static struct video_queue videos;
static struct document_store *documents;
static struct document_store_config store;
static struct fn_call call;
static struct fn_error err;
static struct job_worker painter;

static void
must(bool done)
{
	ck_assert_msg(done, "%s", err.message);
}

static void
setup(void)
{
	static const struct job_limits limits = {.failures = 5, .crashes = 1};
	bool mine;

	call = (struct fn_call){.arena = fn_arena_new()};
	err = (struct fn_error){0};
	config.url = redis_server_url(server);
	phoenixctl_prepare(call.arena, config.url);
	store.url = phoenixctl_settings[CTL_STORE] + strlen("STORE_URL=");
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "FLUSHALL");
	must(document_store_open(&documents, &store, NULL, NULL, &err));
	must(job_queue_open(&jobs, &config, &err));
	videos = (struct video_queue){jobs, &order};
	job_worker_init(&painter, "painter");
	must(job_queue_rebuild_begin(jobs, &call, &painter, &mine, &err));
	must(job_queue_rebuild_end(jobs, &call, &painter, &limits, &err));
}

static void
teardown(void)
{
	job_queue_close(jobs);
	document_store_close(documents);
	fn_arena_drop(call.arena);
}

/* ---- A job's life before -----------------------------------------------------------------------
 */

static struct video_job
read_job(void)
{
	struct video_job job;

	must(video_job_read(&job, &call, documents, FN_BYTES(ID), &err));
	return job;
}

static int64_t
balance(void)
{
	struct tokens tokens;

	must(tokens_read(&tokens, &call, documents, FN_BYTES("ann"), SIGNUP, &err));
	return tokens.balance;
}

static enum job_state
state(void)
{
	struct job_info info;

	must(job_queue_get(jobs, &call, FN_BYTES(ID), &info, &err));
	return info.state;
}

static void
submit_only(void)
{
	static const struct video_prompt prompt = {.video = {.prompt = FN_BYTES_INIT(PROMPT),
							   .aspect_ratio = "16:9",
							   .duration_s = 8,
							   .audio = true,
							   .has_seed = true,
							   .seed = 7},
		.publish = true};
	const struct user ann = {FN_BYTES("ann"), FN_BYTES("Annie")};
	struct writes writes = {0};
	struct video_job job;
	struct tokens tokens;

	video_job_init(&job, &call, FN_BYTES(ID), &ann, &prompt);
	job.price = PRICE;
	must(tokens_read(&tokens, &call, documents, ann.id, SIGNUP, &err));
	must(tokens_debit(&tokens, &call, &writes, PRICE, "video", job.creation.id, &err));
	must(video_queue_reserve(&videos, &call, &job, &job.score, &err));
	writes_add(&writes, video_job_write(&job, &call));
	must(writes_commit(&writes, &call, documents, &err));
}

static void
submit(void)
{
	struct video_job job;
	struct job_ticket ticket;

	submit_only();
	job = read_job();
	must(video_queue_enqueue(&videos, &call, &job, &ticket, &err));
}

static struct job
begin(void)
{
	struct job_claim claim;
	struct video_job job;

	submit();
	must(job_queue_claim(jobs, &call, &painter, &claim, &err));
	ck_assert(claim.kind == JOB_CLAIMED);
	must(video_job_begin(&job, &call, documents, claim.job.id, claim.job.fence, &err));
	must(video_job_called(&job, &call, documents, FN_BYTES(OPERATION), &err));
	must(job_queue_set_operation(jobs, &call, &claim.job, FN_BYTES(OPERATION), &err));
	return claim.job;
}

static void
end(const struct job *claimed, enum job_verdict verdict)
{
	struct job_end end = {.verdict = verdict, .note = FN_BYTES("vertex: 500")};

	must(job_queue_finish(jobs, &call, claimed, &end, &err));
}

static void
submit_running(void)
{
	(void)begin();
}

static void
submit_failed(void)
{
	struct job claimed = begin();
	struct video_job job = read_job();

	must(video_job_fail(&job, &call, documents, FN_BYTES("No paint is left."), false, &err));
	end(&claimed, JOB_FAILURE);
}

static void
submit_succeeded(void)
{
	static const struct video_file file = {
		.mime_type = "video/mp4", .width = 1280, .height = 720};
	struct job claimed = begin();
	struct video_job job = read_job();

	must(video_job_succeed(
		&job, &call, documents, FN_BYTES("http://media/fox.mp4"), &file, &err));
	end(&claimed, JOB_SUCCESS);
}

static void
submit_canceled(void)
{
	struct video_job job;

	submit();
	job = read_job();
	must(video_queue_cancel(&videos, &call, documents, &job, &err));
}

/* Its worker is lost, and the queue has given it up; the store knows nothing of that. */
static void
submit_crashed(void)
{
	struct job claimed = begin();

	end(&claimed, JOB_FAILURE);
}

/* Charged for again, and then the operator's machine went down. */
static void
submit_half_replayed(void)
{
	struct video_job job;

	submit_failed();
	job = read_job();
	must(video_job_replay(&job, &call, documents, &err));
}

/* The dead letter is there, its document is not. */
static void
submit_orphan(void)
{
	struct document_write gone = {
		.kind = DOCUMENT_DELETE, .collection = "creations", .id = FN_BYTES(ID)};

	submit_failed();
	must(document_store_commit(documents, &call, &gone, 1, &err));
}

static void
forget_queue(void)
{
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "FLUSHALL");
}

static void
submit_forgotten(void)
{
	submit_failed();
	forget_queue();
}

static void
submit_nothing(void)
{
}

/* Gives all but a few tokens away. */
static void
submit_failed_and_spend(void)
{
	struct writes writes = {0};
	struct tokens tokens;

	submit_failed();
	must(tokens_read(&tokens, &call, documents, FN_BYTES("ann"), SIGNUP, &err));
	must(tokens_debit(&tokens, &call, &writes, 97, "video", FN_BYTES("vid_other"), &err));
	must(writes_commit(&writes, &call, documents, &err));
}

/* ---- What operators do -------------------------------------------------------------------------
 */

static const struct {
	void (*before)(void);
	const char *line;
	int status;
	const char *sentence; /* how it begins */
	const char *job;      /* its status in the store; NULL: it is not there */
	enum job_state state; /* in the queue */
	int64_t balance;
} deeds[] = {
	{submit, "job cancel " ID, 0, ID " is canceled; 10 tokens were given back.\n", "canceled",
		JOB_CANCELED, 100},
	{submit_only, "job cancel " ID, 0, ID " is canceled; 10 tokens", "canceled", JOB_UNKNOWN,
		100},
	{submit_running, "job cancel " ID, 0, ID " is being stopped; its tokens come back then.\n",
		"running", JOB_ACTIVE, 90},
	{submit_canceled, "job cancel " ID, 0, ID " is canceled; 10 tokens", "canceled",
		JOB_CANCELED, 100},
	{submit_succeeded, "job cancel " ID, 1, "the video has succeeded already", "succeeded",
		JOB_SUCCEEDED, 90},
	{submit_failed, "job cancel " ID, 1, "the video has failed already", "failed", JOB_DEAD,
		100},
	{submit_nothing, "job cancel " ID, 3, "job " ID ": the store knows no such job", NULL,
		JOB_UNKNOWN, 100},
	{submit_nothing, "job cancel img_fox", 3, "job img_fox: the store knows no such job", NULL,
		JOB_UNKNOWN, 100},

	{submit_failed, "dead replay " ID, 0, ID " waits again, at place 1 of 1. Workers", "queued",
		JOB_WAITING, 90},
	{submit_crashed, "dead replay " ID, 0, ID " waits again", "queued", JOB_WAITING, 90},
	{submit_half_replayed, "dead replay " ID, 0, ID " waits again", "queued", JOB_WAITING, 90},
	{submit_failed_and_spend, "dead replay " ID, 1, "tokens: this takes 10, you have 3",
		"failed", JOB_DEAD, 3},
	{submit_running, "dead replay " ID, 1, "job " ID " is no dead letter: it is active",
		"running", JOB_ACTIVE, 90},
	{submit_canceled, "dead replay " ID, 1, "job " ID " is no dead letter: it is canceled",
		"canceled", JOB_CANCELED, 100},
	{submit_orphan, "dead replay " ID, 3, "creations/" ID ": there is no such document", NULL,
		JOB_DEAD, 100},
	{submit_forgotten, "dead replay " ID, 3, "job " ID ": the queue does not know it", "failed",
		JOB_UNKNOWN, 100},

	{submit_failed, "dead drop " ID, 0, ID " is forgotten; its video stays failed.\n", "failed",
		JOB_UNKNOWN, 100},
	{submit_crashed, "dead drop " ID, 0, ID " is forgotten", "failed", JOB_UNKNOWN, 100},
	{submit_half_replayed, "dead drop " ID, 0, ID " is forgotten", "failed", JOB_UNKNOWN, 100},
	{submit_orphan, "dead drop " ID, 0, ID " is forgotten", NULL, JOB_UNKNOWN, 100},
	{submit_running, "dead drop " ID, 1, "job " ID " is no dead letter: it is active",
		"running", JOB_ACTIVE, 90},
	{submit_forgotten, "dead drop " ID, 3, "job " ID ": the queue does not know it", "failed",
		JOB_UNKNOWN, 100},
};

/* Whatever an operator does, queue, store and ledger say the same afterwards. */
START_TEST(deed_is_done)
{
	struct document document;

	deeds[_i].before();
	if (deeds[_i].status == 0)
		ck_assert(fn_bytes_starts(
			fn_bytes(phoenixctl_says(deeds[_i].line)), deeds[_i].sentence));
	else
		phoenixctl_fails(deeds[_i].line, deeds[_i].status, deeds[_i].sentence);
	ck_assert_str_eq(job_state_name(state()), job_state_name(deeds[_i].state));
	ck_assert_int_eq(balance(), deeds[_i].balance);
	if (deeds[_i].job)
		ck_assert_str_eq(read_job().creation.status, deeds[_i].job);
	else
		ck_assert(!document_store_get(
			documents, &call, "creations", FN_BYTES(ID), &document, &err));
}
END_TEST

static void (*const dead[])(void) = {submit_failed, submit_crashed};

/* A replay takes a new place, goes on with the operation that was paid for, and blames nobody. */
START_TEST(replay_begins_anew)
{
	struct job_claim claim;
	struct job_info info;
	struct video_job job;

	dead[_i]();
	phoenixctl_says("dead replay " ID);
	job = read_job();
	must(job_queue_get(jobs, &call, FN_BYTES(ID), &info, &err));
	ck_assert_int_eq(job.score, info.score);
	ck_assert_uint_eq(job.reason.size, 0);
	ck_assert_uint_eq(info.failures, 0);
	must(job_queue_claim(jobs, &call, &painter, &claim, &err));
	ck_assert_bytes_eq(claim.job.operation, OPERATION);
	ck_assert_bytes_eq(job.operation, OPERATION);
}
END_TEST

/* Who does not pay waits behind those who do, also when replayed. */
START_TEST(replay_keeps_the_class)
{
	struct video_job job;

	submit_failed();
	phoenixctl_settings[CTL_MORE] = "QUEUE_FREE_PENALTY_S=86400";
	phoenixctl_says("dead replay " ID);
	job = read_job();
	ck_assert_int_gt(job.score / 1000, fn_unix_ms() + 80000000);
}
END_TEST

static const struct {
	void (*before)(void);
	const char *line, *json;
} objects[] = {
	{submit, "job cancel --json " ID,
		"{\"id\":\"" ID "\",\"status\":\"canceled\",\"refunded\":true}"},
	{submit_running, "job cancel --json " ID,
		"{\"id\":\"" ID "\",\"status\":\"running\",\"refunded\":false}"},
	{submit_failed, "dead replay --json " ID,
		"{\"id\":\"" ID "\",\"state\":\"waiting\",\"position\":1}"},
	{submit_failed, "dead drop --json " ID, "{\"id\":\"" ID "\",\"dropped\":true}"},
};

/* What was done is said in JSON as well. */
START_TEST(deed_is_said_in_json)
{
	objects[_i].before();
	phoenixctl_includes(objects[_i].line, objects[_i].json);
}
END_TEST

/* ---- What is shown -----------------------------------------------------------------------------
 */

static const struct {
	void (*before)(void);
	const char *lines[12];
	const char *json;
} views[] = {
	{submit_running,
		{("Job        " ID "\n"), "Status     running\n", "Owner      ann (Annie)\n",
			"Request    16:9, 8 s, with sound, seed 7\n", "Price      10 tokens\n",
			"Class      free\n", ("Operation  " OPERATION "\n"),
			"Queue      active, lease ends in 59 min\n",
			"Attempts   1, of which 0 failed and 0 crashed\n", "Worker     painter."},
		"{\"id\":\"" ID "\",\"job\":{\"state\":\"active\",\"attempts\":1,"
		"\"operation\":\"" OPERATION "\"},\"video\":{\"status\":\"running\","
		"\"user\":\"ann\",\"username\":\"Annie\",\"price\":10,\"refunded\":false,"
		"\"paid\":false,\"attempts\":1,\"aspect_ratio\":\"16:9\",\"duration_s\":8,"
		"\"audio\":true,\"seed\":7,\"reason\":null,\"url\":null,"
		"\"operation\":\"" OPERATION "\"}}"},
	{submit_failed,
		{"Status     failed\n", "Reason     No paint is left.\n",
			"Price      10 tokens, given back\n", "Queue      dead, died ",
			"Note       vertex: 500\n"},
		"{\"job\":{\"state\":\"dead\",\"note\":\"vertex: 500\"},\"video\":{"
		"\"status\":\"failed\",\"refunded\":true,\"reason\":\"No paint is left.\"}}"},
	{submit_succeeded,
		{"Status     succeeded\n", "URL        http://media/fox.mp4\n",
			"Queue      succeeded\n"},
		"{\"job\":{\"state\":\"succeeded\"},\"video\":{\"status\":\"succeeded\","
		"\"url\":\"http://media/fox.mp4\"}}"},
	{submit, {"Status     queued\n", "Queue      waiting, place 1\n"},
		"{\"job\":{\"state\":\"waiting\",\"position\":1},\"video\":{\"status\":\"queued\","
		"\"operation\":null}}"},
	{submit_orphan, {"Status     unknown to the store\n", "Queue      dead, died "},
		"{\"job\":{\"state\":\"dead\"},\"video\":null}"},
	{submit_forgotten, {"Status     failed\n", "Queue      unknown\n"},
		"{\"job\":null,\"video\":{\"status\":\"failed\"}}"},
};

/* All that queue and store know of a job is shown, but not what its owner wrote. */
START_TEST(job_is_shown)
{
	const char *text;

	views[_i].before();
	text = phoenixctl_says("job show " ID);
	for (size_t i = 0; views[_i].lines[i]; i++)
		ck_assert_msg(strstr(text, views[_i].lines[i]), "lacks \"%s\":\n%s",
			views[_i].lines[i], text);
	ck_assert_ptr_null(strstr(text, PROMPT));
	phoenixctl_includes("job show --json " ID, views[_i].json);
	ck_assert_ptr_null(strstr(phoenixctl_says("job show --json " ID), PROMPT));
}
END_TEST

/* What its owner wrote is shown to who asks for it. */
START_TEST(prompt_is_shown_on_demand)
{
	submit();
	ck_assert_ptr_nonnull(
		strstr(phoenixctl_says("job show --prompt " ID), "Prompt     " PROMPT "\n"));
	phoenixctl_includes(
		"job show --prompt --json " ID, "{\"video\":{\"prompt\":\"" PROMPT "\"}}");
}
END_TEST

/* On a terminal there is a bar for how far it is. */
START_TEST(progress_is_drawn)
{
	struct job job = begin();
	struct job_renewal renewal = {.job = &job, .progress = 75};
	struct pty *pty;

	must(job_queue_renew(jobs, &call, &renewal, 1, &err));
	pty = phoenixctl_on_terminal("job show " ID, 80, 24);
	pty_gets(pty, "\033[36m━━━━━━━━━━━━────  75 %\033[m");
	ck_assert_int_eq(pty_end(pty), 0);
	pty_drop(pty);
}
END_TEST

/* ---- What fails --------------------------------------------------------------------------------
 */

static const char *const lines[] = {"job show " ID, "dead replay " ID, "dead drop " ID};

/* Without Redis nothing is done, and one line says so. */
START_TEST(redis_down_is_told)
{
	unsigned port = free_port();

	submit_failed();
	phoenixctl_settings[CTL_REDIS] =
		fn_textf(call.arena, "REDIS_URL=redis://127.0.0.1:%u/0", port);
	phoenixctl_fails(lines[_i], 1,
		fn_textf(call.arena, "redis 127.0.0.1:%u: connect: Connection refused", port));
	ck_assert_str_eq(read_job().creation.status, "failed");
	ck_assert_int_eq(balance(), SIGNUP);
}
END_TEST

/* A cancel is the store's matter: the worker that comes to the job finds it ended. */
START_TEST(cancel_needs_no_redis)
{
	submit();
	phoenixctl_settings[CTL_REDIS] =
		fn_textf(call.arena, "REDIS_URL=redis://127.0.0.1:%u/0", free_port());
	ck_assert_ptr_nonnull(strstr(phoenixctl_says("job cancel " ID), " is canceled"));
	ck_assert_str_eq(read_job().creation.status, "canceled");
	ck_assert_int_eq(balance(), SIGNUP);
}
END_TEST

static const char *const all[] = {
	"job show " ID, "job cancel " ID, "dead replay " ID, "dead drop " ID};

/* A store that cannot be read stops what needs it, before anything is changed. */
START_TEST(broken_store_is_told)
{
	submit_crashed();
	phoenixctl_settings[CTL_STORE] = "STORE_URL=sqlite:/proc/version";
	phoenixctl_fails(all[_i], 1, "");
	ck_assert(state() == JOB_DEAD);
	ck_assert_int_eq(balance(), SIGNUP - PRICE);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = deed_is_done, .rows = COUNT(deeds)},
		{.test = replay_begins_anew, .rows = COUNT(dead)},
		{.test = replay_keeps_the_class},
		{.test = deed_is_said_in_json, .rows = COUNT(objects)},
		{.test = job_is_shown, .rows = COUNT(views)},
		{.test = prompt_is_shown_on_demand},
		{.test = progress_is_drawn},
		{.test = redis_down_is_told, .rows = COUNT(lines)},
		{.test = cancel_needs_no_redis},
		{.test = broken_store_is_told, .rows = COUNT(all)},
	};
	int status;

	server = redis_server_start(NULL);
	status = suite_run_with("phoenixctl job", cases, COUNT(cases), setup, teardown);
	redis_server_stop(server);
	return status;
}
