/* Random walks over all verbs: after each step the queue must have answered what a model in C says,
 * and what it keeps in Redis must be what the model holds. The seed of a walk that fails is
 * printed; QUEUE_SEED=n walks it again, QUEUE_STEPS=n goes further. */
#include "tests/support/job_walk.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WALKS 6
#define STEPS 500
#define HOUR_MS INT64_C(3600000)
#define WORKERS 3
#define HELD_MOST 40 /* claims that are remembered, so that their workers may come back late */
#define FLUSH_EVERY 50

/* What a worker remembers of a claim, however long ago. */
struct held {
	size_t id;
	char token[MODEL_TOKEN_SIZE];
	uint64_t fence;
};

static struct job_queue_config configs[2];
static struct job_worker workers[WORKERS];
static struct held held[HELD_MOST];
static size_t held_count;
static int64_t last_tick;

static void
let_time_pass(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1500000}, NULL);
}

/* A start that follows the clock lies after all that did before; else it is the user's turn. */
static void
check_start(int64_t start, unsigned user, bool quantum)
{
	int64_t now = walk_time();

	if (walk.model.fair[user] > now) {
		CHECK(start == walk.model.fair[user], "start %ld, not %ld", (long)start,
			(long)walk.model.fair[user]);
	} else {
		CHECK(start > last_tick && start <= now, "start %ld, now %ld", (long)start,
			(long)now);
		last_tick = start;
	}
	if (quantum)
		walk.model.fair[user] = start + HOUR_MS * 1000;
}

static void
step_enqueue(void)
{
	size_t id = walk_draw(MODEL_JOBS);
	unsigned user = (unsigned)walk_draw(MODEL_USERS);
	bool is_lost = walk_one_in(6), has_operation = is_lost && walk_one_in(2);
	struct job_order order = {
		.id = walk_job(id),
		.user = walk_user(user),
		.payload = FN_BYTES("{}"),
		.class = {walk_one_in(3) ? HOUR_MS : 0, walk_one_in(2) ? HOUR_MS : 0},
		.score = is_lost ? (int64_t)walk_draw(1000) + 1 : 0,
		.operation = has_operation ? FN_BYTES("lost") : FN_BYTES(""),
	};
	struct job_ticket ticket;
	bool done = job_queue_enqueue(walk.queue, &walk.call, &order, &ticket, &walk.err);
	enum fn_code want = model_enqueue(
		&walk.model, id, user, order.score, is_lost, has_operation ? "lost" : "");

	CHECK(done == (want == FN_OK || want == FN_CONFLICT), "%s", walk.err.message);
	CHECK(done || walk.err.code == want, "%s", walk.err.message);
	if (!done)
		return;
	CHECK(ticket.existed == (want == FN_CONFLICT), "%s", "existed");
	if (!ticket.existed && !is_lost) {
		check_start(ticket.score - order.class.penalty_ms * 1000, user,
			order.class.quantum_ms > 0);
		walk.model.jobs[id].score = ticket.score;
	}
	size_t ready[MODEL_JOBS], count = model_ready(&walk.model, ready), i = 0;
	while (i < count && ready[i] != id)
		i++;
	CHECK(ticket.runnable == (i < count), "%s", "runnable");
	CHECK(ticket.state == walk.model.jobs[id].state, "%s", "state");
	CHECK(ticket.score == walk.model.jobs[id].score, "%s", "score");
	CHECK(ticket.position == model_position(&walk.model, id), "position %zu", ticket.position);
	CHECK(ticket.of == model_count(&walk.model, JOB_WAITING), "of %zu", ticket.of);
}

static void
remember(size_t id, const struct job *job)
{
	struct held *place = &held[held_count < HELD_MOST ? held_count++ : walk_draw(HELD_MOST)];

	place->id = id;
	place->fence = job->fence;
	snprintf(place->token, sizeof(place->token), "%.*s", FN_ARG(job->token));
}

/* `want` and `id` are what the model says; the job is checked against it. */
static void
check_claim(const struct job_claim *claim, enum job_claim_kind want, size_t id)
{
	CHECK(claim->kind == want, "kind %d, not %d", claim->kind, want);
	if (want != JOB_CLAIMED)
		return;
	struct model_job *job = &walk.model.jobs[id];
	CHECK(fn_bytes_is(claim->job.id, walk_job(id).at), "%.*s, not %c", FN_ARG(claim->job.id),
		(char)('a' + id));
	CHECK(claim->job.fence > job->fence, "%s", "fence");
	CHECK(claim->job.attempt == job->attempts, "attempt %u", claim->job.attempt);
	CHECK(claim->job.failures == job->failures, "failures %u", claim->job.failures);
	CHECK(claim->job.crashes == job->crashes, "crashes %u", claim->job.crashes);
	CHECK(claim->job.last_failure ==
			(job->failures + 1 >= (unsigned)walk.model.limits.failures),
		"%s", "last failure");
	CHECK(claim->job.cancel_wanted == job->cancel_wanted, "%s", "cancel");
	CHECK(fn_bytes_is(claim->job.operation, job->operation), "operation %.*s",
		FN_ARG(claim->job.operation));
	CHECK((claim->job.call_age_ms >= 0) == job->is_calling, "%s", "age of the call");
	job->fence = claim->job.fence;
	snprintf(job->token, sizeof(job->token), "%.*s", FN_ARG(claim->job.token));
	remember(id, &claim->job);
}

static void
step_claim(void)
{
	struct job_worker *worker = &workers[walk_draw(WORKERS)];
	struct job_worker before = *worker;
	bool is_brief = walk_one_in(2);
	struct job_claim claim, again;
	size_t id = 0;

	model_sweep(&walk.model);
	enum job_claim_kind want = model_claim(&walk.model, is_brief, &id);
	walk_must(job_queue_claim(
		is_brief ? walk.brief : walk.queue, &walk.call, worker, &claim, &walk.err));
	check_claim(&claim, want, id);
	if (!is_brief && walk_one_in(3)) { /* the reply was lost */
		*worker = before;
		walk_must(job_queue_claim(walk.queue, &walk.call, worker, &again, &walk.err));
		CHECK(again.kind == claim.kind, "kind %d again", again.kind);
		if (claim.kind == JOB_CLAIMED)
			CHECK(fn_bytes_equal(again.job.token, claim.job.token) &&
					fn_bytes_equal(again.job.id, claim.job.id) &&
					again.job.fence == claim.job.fence,
				"%s", "another job");
	}
	/* One from long ago arrives; where a lease is over at once, it would find it so. */
	if (!is_brief && before.claims > 1 && walk_one_in(3)) {
		before.claims = worker->claims - 2;
		walk_must(job_queue_claim(walk.queue, &walk.call, &before, &again, &walk.err));
		CHECK(again.kind == JOB_IDLE, "kind %d, and it is late", again.kind);
	}
}

static struct job
job_of(const struct held *from)
{
	return (struct job){
		.id = walk_job(from->id), .token = fn_bytes(from->token), .fence = from->fence};
}

static void
step_finish(void)
{
	static const enum job_verdict verdicts[] = {
		JOB_SUCCESS, JOB_STOPPED, JOB_RETRY, JOB_RETRY, JOB_RELEASE, JOB_FAILURE};
	if (held_count == 0)
		return;
	const struct held *from = &held[walk_one_in(3) ? walk_draw(held_count) : held_count - 1];
	struct job job = job_of(from);
	bool and_claim = walk_one_in(3), is_due = !and_claim && walk_one_in(2),
	     is_delayed = walk_one_in(2);
	struct job_end end = {
		.verdict = verdicts[walk_draw(COUNT(verdicts))],
		.delay_ms = !is_delayed ? 0
			    : is_due    ? 1
					: HOUR_MS,
		.fresh = walk_one_in(4),
	};
	enum fn_code want = model_finish(
		&walk.model, from->id, from->token, end.verdict, is_delayed, is_due, end.fresh);
	size_t finished = from->id;
	enum job_state state = walk.model.jobs[finished].state;

	if (!and_claim) {
		bool done = job_queue_finish(walk.queue, &walk.call, &job, &end, &walk.err);
		CHECK(done == (want == FN_OK) && (done || walk.err.code == want), "%s",
			walk.err.message);
	} else {
		struct job_claim claim;
		size_t id = 0;
		model_sweep(&walk.model);
		enum job_claim_kind kind = model_claim(&walk.model, false, &id);
		walk_must(job_queue_finish_and_claim(
			walk.queue, &walk.call, &job, &end, &workers[0], &claim, &walk.err));
		CHECK(claim.was_ours == (want == FN_OK), "%s", "was it ours?");
		check_claim(&claim, kind, id);
	}
	if (want == FN_OK)
		CHECK(end.state == state, "it is %s, not %s", job_state_name(end.state),
			job_state_name(state));
}

static void
step_renew(void)
{
	struct job_renewal renewals[3];
	struct job jobs[3];
	enum job_hold want[3];
	bool is_brief = walk_one_in(3);
	size_t count = held_count < 3 ? held_count : 1 + walk_draw(3);

	for (size_t i = 0; i < count; i++) {
		const struct held *from = &held[walk_draw(held_count)];
		jobs[i] = job_of(from);
		renewals[i] = (struct job_renewal){
			.job = &jobs[i], .progress = walk_one_in(2) ? -1 : (int)walk_draw(101)};
		want[i] = model_renew(&walk.model, from->id, from->token, from->fence,
			renewals[i].progress, is_brief);
	}
	bool due[MODEL_JOBS]; /* what was renewed is not due at once */
	for (size_t id = 0; id < MODEL_JOBS; id++) {
		due[id] = false;
		for (size_t i = 0; i < count; i++)
			due[id] |= fn_bytes_equal(jobs[i].id, walk_job(id)) && is_brief &&
				   walk.model.jobs[id].is_due && want[i] != JOB_TAKEN;
		walk.model.jobs[id].is_due &= !due[id];
	}
	if (count > 0)
		model_sweep(&walk.model);
	for (size_t id = 0; id < MODEL_JOBS; id++)
		walk.model.jobs[id].is_due |= due[id];
	walk_must(job_queue_renew(
		is_brief ? walk.brief : walk.queue, &walk.call, renewals, count, &walk.err));
	for (size_t i = 0; i < count; i++)
		CHECK(renewals[i].hold == want[i], "%.*s: %d, not %d", FN_ARG(jobs[i].id),
			renewals[i].hold, want[i]);
}

static void
step_set_operation(void)
{
	static const char *const operations[] = {"", "", "op-1", "op-2"};
	if (held_count == 0)
		return;
	const struct held *from = &held[walk_one_in(3) ? walk_draw(held_count) : held_count - 1];
	const char *operation = operations[walk_draw(COUNT(operations))];
	struct job job = job_of(from);
	enum fn_code want = model_set_operation(&walk.model, from->id, from->token, operation);
	bool done = job_queue_set_operation(
		walk.queue, &walk.call, &job, fn_bytes(operation), &walk.err);

	CHECK(done == (want == FN_OK) && (done || walk.err.code == want), "%s", walk.err.message);
}

static void
step_cancel(void)
{
	size_t id = walk_draw(MODEL_JOBS);
	enum job_state want = model_cancel(&walk.model, id), state;

	walk_must(job_queue_cancel(walk.queue, &walk.call, walk_job(id), &state, &walk.err));
	CHECK(state == want, "%zu is %s, not %s", id, job_state_name(state), job_state_name(want));
}

static void
step_replay(void)
{
	size_t id = walk_draw(MODEL_JOBS);
	unsigned user = walk.model.jobs[id].user;
	struct job_class class = {walk_one_in(2) ? HOUR_MS : 0, walk_one_in(2) ? HOUR_MS : 0};
	struct job_ticket ticket = {0};
	bool done =
		job_queue_replay(walk.queue, &walk.call, walk_job(id), &class, &ticket, &walk.err);
	bool want = model_replay(&walk.model, id, ticket.score);

	CHECK(done == want, "%zu: %s", id, walk.err.message);
	if (!done)
		return;
	check_start(ticket.score - class.penalty_ms * 1000, user, class.quantum_ms > 0);
	CHECK(ticket.position == model_position(&walk.model, id), "position %zu", ticket.position);
}

static void
step_drop(void)
{
	size_t id = walk_draw(MODEL_JOBS);
	bool done = job_queue_drop(walk.queue, &walk.call, walk_job(id), &walk.err);

	CHECK(done == model_drop(&walk.model, id), "%zu: %s", id, walk.err.message);
}

static void
step_sweep(void)
{
	size_t ready, ids[MODEL_JOBS];

	model_sweep(&walk.model);
	walk_must(job_queue_sweep(walk.queue, &walk.call, &ready, &walk.err));
	CHECK(ready == model_ready(&walk.model, ids), "%zu are ready", ready);
}

static void
step_pause(void)
{
	walk.model.is_paused = walk_one_in(3);
	walk_must(walk.model.is_paused ? job_queue_pause(walk.queue, &walk.call, &walk.err)
				       : job_queue_resume(walk.queue, &walk.call, &walk.err));
}

static void
step_limits(void)
{
	walk.model.limits = (struct job_limits){
		.running = walk_one_in(2) ? 0 : (long)walk_draw(6) + 1,
		.running_per_user = (long)walk_draw(4),
		.waiting = walk_one_in(2) ? 0 : (long)walk_draw(10) + 1,
		.waiting_per_user = walk_one_in(2) ? 0 : (long)walk_draw(5) + 1,
		.failures = (long)walk_draw(4) + 1,
		.crashes = (long)walk_draw(4) + 1,
	};
	walk_must(job_queue_set_limits(walk.queue, &walk.call, &walk.model.limits, &walk.err));
}

static void
step_user_limit(void)
{
	unsigned user = (unsigned)walk_draw(MODEL_USERS);

	walk.model.own_limit[user] = (long)walk_draw(4);
	walk_must(job_queue_set_user_limit(
		walk.queue, &walk.call, walk_user(user), walk.model.own_limit[user], &walk.err));
}

static void
rebuild(void)
{
	bool mine;

	walk_must(job_queue_rebuild_begin(walk.queue, &walk.call, &workers[0], &mine, &walk.err));
	CHECK(mine, "%s", "the lock is another's");
	walk_must(job_queue_rebuild_end(
		walk.queue, &walk.call, &workers[0], &walk.model.limits, &walk.err));
	walk.model.is_rebuilt = true;
}

/* All is lost; a while later somebody rebuilds. */
static void
step_lose_all(void)
{
	if (!walk.model.is_rebuilt) {
		rebuild();
		return;
	}
	if (!walk_one_in(4))
		return;
	AUTO(drop_reply) redisReply *reply = redis_server_ask(walk.server, "FLUSHALL");
	model_clear(&walk.model);
}

static const struct {
	const char *name;
	void (*take)(void);
	size_t weight;
} steps[] = {
	{"enqueue", step_enqueue, 30},
	{"claim", step_claim, 25},
	{"finish", step_finish, 20},
	{"renew", step_renew, 12},
	{"set_operation", step_set_operation, 10},
	{"cancel", step_cancel, 5},
	{"replay", step_replay, 8},
	{"drop", step_drop, 4},
	{"sweep", step_sweep, 4},
	{"pause", step_pause, 3},
	{"limits", step_limits, 4},
	{"user limit", step_user_limit, 3},
	{"loss", step_lose_all, 2},
};

static void
take_step(void)
{
	size_t sum = steps[0].weight, drawn, i = 0;

	for (size_t k = 1; k < COUNT(steps); k++)
		sum += steps[k].weight;
	for (drawn = walk_draw(sum); drawn >= steps[i].weight; i++)
		drawn -= steps[i].weight;
	walk.verb = steps[i].name;
	walk.err = (struct fn_error){0};
	steps[i].take();
}

static void
begin(void)
{
	static const long leases_ms[] = {HOUR_MS, 1};
	struct job_queue **queues[] = {&walk.queue, &walk.brief};

	walk.call = (struct fn_call){.arena = fn_arena_new()};
	for (size_t i = 0; i < COUNT(queues); i++) {
		configs[i] =
			(struct job_queue_config){redis_server_url(walk.server), "", leases_ms[i]};
		walk_must(job_queue_open(queues[i], &configs[i], &walk.err));
	}
	AUTO(drop_reply) redisReply *reply = redis_server_ask(walk.server, "FLUSHALL");
	for (size_t i = 0; i < WORKERS; i++)
		job_worker_init(&workers[i], "w");
	model_clear(&walk.model);
	rebuild();
}

static long
number_of(const char *variable, long otherwise)
{
	const char *text = getenv(variable);

	return text ? strtol(text, NULL, 10) : otherwise;
}

/* Whatever is done in whatever order, queue and model agree. */
START_TEST(queue_does_what_the_model_says)
{
	walk.seed = (unsigned)number_of("QUEUE_SEED", _i + 1);
	srandom(walk.seed);
	walk.verb = "begin";
	begin();
	for (walk.step = 1; walk.step <= number_of("QUEUE_STEPS", STEPS); walk.step++) {
		take_step();
		walk_check();
		let_time_pass();
		if (walk.step % FLUSH_EVERY == 0) {
			AUTO(drop_reply)
			redisReply *reply = redis_server_ask(walk.server, "SCRIPT FLUSH");
		}
		fn_arena_reset(walk.call.arena);
	}
	job_queue_close(walk.queue);
	job_queue_close(walk.brief);
	fn_arena_drop(walk.call.arena);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{queue_does_what_the_model_says, WALKS, NULL, NULL},
	};

	walk.server = redis_server_start(NULL);
	int failed = suite_run("job queue model", cases, COUNT(cases));
	redis_server_stop(walk.server);
	return failed;
}
