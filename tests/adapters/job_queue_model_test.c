/* Random walks over all verbs: after each step the queue must have answered what a model in C says,
 * and what it keeps in Redis must be what the model holds. The seed of a walk that fails is
 * printed; QUEUE_SEED=n walks it again, QUEUE_STEPS=n goes further. */
#include "adapters/job_queue.h"
#include "tests/support/job_model.h"
#include "tests/support/redis_server.h"
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

static struct redis_server *server;
static struct job_queue *queue, *brief; /* leases of an hour, and of a millisecond */
static struct job_queue_config configs[2];
static struct job_model model;
static struct job_worker workers[WORKERS];
static struct held held[HELD_MOST];
static size_t held_count;
static int64_t last_tick;
static struct fn_call call;
static struct fn_error err;
static unsigned seed;
static int step;
static const char *verb;

#define CHECK(what, format, ...)                                                                   \
	ck_assert_msg(what, "seed %u, step %d, %s: " format, seed, step, verb, __VA_ARGS__)

static void
must(bool done)
{
	CHECK(done, "%s", err.message);
}

static size_t
draw(size_t below)
{
	return (size_t)random() % below;
}

static bool
one_in(size_t count)
{
	return draw(count) == 0;
}

static struct fn_bytes
job_id(size_t id)
{
	return fn_bytes(fn_textf(call.arena, "%c", (char)('a' + id)));
}

static struct fn_bytes
user_id(unsigned user)
{
	return fn_bytes(fn_textf(call.arena, "u%u", user));
}

static int64_t
server_time(void)
{
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "TIME");

	return strtoll(reply->element[0]->str, NULL, 10) * 1000000 +
	       strtoll(reply->element[1]->str, NULL, 10);
}

/* ---- What Redis holds ------------------------------------------------------------------------ */

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The members of a sorted set in its order, or in that of the alphabet. */
static const char *
members(const char *key, bool in_order)
{
	AUTO(drop_reply)
	redisReply *reply = redis_server_ask(server, "ZRANGE phx:{v}:%s 0 -1", key);
	struct fn_builder text = {.arena = call.arena};
	char *names[MODEL_JOBS + 1];
	size_t count = reply->elements;

	CHECK(count <= MODEL_JOBS, "%s has %zu members", key, count);
	for (size_t i = 0; i < count; i++)
		names[i] = reply->element[i]->str;
	if (!in_order)
		qsort(names, count, sizeof(*names), compare_texts);
	for (size_t i = 0; i < count; i++)
		fn_addf(&text, "%s", names[i]);
	return fn_text(call.arena, fn_built(&text));
}

static const char *
names_of(const size_t *ids, size_t count)
{
	struct fn_builder text = {.arena = call.arena};

	for (size_t i = 0; i < count; i++)
		fn_addf(&text, "%c", (char)('a' + ids[i]));
	return fn_text(call.arena, fn_built(&text));
}

static const char *
names_in(enum job_state state)
{
	size_t ids[MODEL_JOBS], count = 0;

	for (size_t id = 0; id < MODEL_JOBS; id++)
		if (model.jobs[id].state == state)
			ids[count++] = id;
	return names_of(ids, count);
}

static void
must_hold(const char *key, bool in_order, const char *want)
{
	const char *have = members(key, in_order);

	CHECK(strcmp(have, want) == 0, "%s holds \"%s\", not \"%s\"", key, have, want);
}

/* Nothing may be due before the moment that n.due promises. */
static void
check_due(void)
{
	AUTO(drop_reply) redisReply *due = redis_server_ask(server, "HGET phx:{v}:n due");
	static const char *const keys[] = {"l", "d"};

	for (size_t i = 0; i < COUNT(keys); i++) {
		AUTO(drop_reply)
		redisReply *first =
			redis_server_ask(server, "ZRANGE phx:{v}:%s 0 0 WITHSCORES", keys[i]);
		if (first->elements == 2)
			CHECK(due->str && strtoll(due->str, NULL, 10) <=
						  strtoll(first->element[1]->str, NULL, 10),
				"%s is due before %s", keys[i], due->str ? due->str : "ever");
	}
}

static void
check_sets(void)
{
	size_t ids[MODEL_JOBS];

	must_hold("w", true, names_of(ids, model_waiting(&model, -1, ids)));
	must_hold("r", true, names_of(ids, model_ready(&model, ids)));
	must_hold("l", false, names_in(JOB_ACTIVE));
	must_hold("d", false, names_in(JOB_DELAYED));
	must_hold("x", false, names_in(JOB_DEAD));
	for (unsigned user = 0; user < MODEL_USERS; user++) {
		must_hold(fn_textf(call.arena, "u:u%u", user), true,
			names_of(ids, model_waiting(&model, (int)user, ids)));
		int64_t running = redis_server_number(server, "HGET phx:{v}:n f:u%u", user);
		CHECK(running == (int64_t)model_running(&model, user), "u%u runs %ld", user,
			(long)running);
	}
	if (model_ready(&model, ids) > 0)
		CHECK(redis_server_number(server, "LLEN phx:{v}:wake") > 0, "%s",
			"no hint is left");
}

static void
check_counts(void)
{
	const uint64_t want[] = {model.counts.enqueued, model.counts.claimed,
		model.counts.succeeded, model.counts.canceled, model.counts.failed,
		model.counts.crashed, model.counts.released, model.counts.buried};
	struct job_queue_status status;

	must(job_queue_status(queue, &call, &status, &err));
	const uint64_t have[] = {status.enqueued, status.claimed, status.succeeded, status.canceled,
		status.failed, status.crashed, status.released, status.buried};
	for (size_t i = 0; i < COUNT(want); i++)
		CHECK(have[i] == want[i], "counter %zu is %lu, not %lu", i, (unsigned long)have[i],
			(unsigned long)want[i]);
}

static void
check_job(size_t id)
{
	const struct model_job *want = &model.jobs[id];
	struct job_info info;

	must(job_queue_get(queue, &call, job_id(id), &info, &err));
	CHECK(info.state == want->state, "%zu is %s, not %s", id, job_state_name(info.state),
		job_state_name(want->state));
	if (want->state == JOB_UNKNOWN)
		return;
	CHECK(info.score == want->score, "%zu: score", id);
	CHECK(info.attempts == want->attempts, "%zu: %u attempts", id, info.attempts);
	CHECK(info.failures == want->failures, "%zu: %u failures", id, info.failures);
	CHECK(info.crashes == want->crashes, "%zu: %u crashes", id, info.crashes);
	CHECK(info.progress == want->progress, "%zu: progress %d", id, info.progress);
	CHECK(info.cancel_wanted == want->cancel_wanted, "%zu: cancel", id);
	CHECK(fn_bytes_is(info.operation, want->operation), "%zu: operation %.*s", id,
		FN_ARG(info.operation));
	CHECK(fn_bytes_is(info.user, user_id(want->user).at), "%zu: user", id);
	CHECK(info.position == model_position(&model, id), "%zu: position %zu", id, info.position);
	int64_t left_ms = redis_server_number(server, "PTTL phx:{v}:j:%s", job_id(id).at);
	bool has_ended = want->state == JOB_SUCCEEDED || want->state == JOB_CANCELED;
	CHECK((left_ms > 0) == has_ended, "%zu: is kept for %ld ms", id, (long)left_ms);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static void
let_time_pass(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1500000}, NULL);
}

/* A start that follows the clock lies after all that did before; else it is the user's turn. */
static void
check_start(int64_t start, unsigned user, bool quantum)
{
	int64_t now = server_time();

	if (model.fair[user] > now) {
		CHECK(start == model.fair[user], "start %ld, not %ld", (long)start,
			(long)model.fair[user]);
	} else {
		CHECK(start > last_tick && start <= now, "start %ld, now %ld", (long)start,
			(long)now);
		last_tick = start;
	}
	if (quantum)
		model.fair[user] = start + HOUR_MS * 1000;
}

static void
step_enqueue(void)
{
	size_t id = draw(MODEL_JOBS);
	unsigned user = (unsigned)draw(MODEL_USERS);
	bool is_lost = one_in(6), has_operation = is_lost && one_in(2);
	struct job_order order = {
		.id = job_id(id),
		.user = user_id(user),
		.payload = FN_BYTES("{}"),
		.class = {one_in(3) ? HOUR_MS : 0, one_in(2) ? HOUR_MS : 0},
		.score = is_lost ? (int64_t)draw(1000) + 1 : 0,
		.operation = has_operation ? FN_BYTES("lost") : FN_BYTES(""),
	};
	struct job_ticket ticket;
	bool done = job_queue_enqueue(queue, &call, &order, &ticket, &err);
	enum fn_code want =
		model_enqueue(&model, id, user, order.score, is_lost, has_operation ? "lost" : "");

	CHECK(done == (want == FN_OK || want == FN_CONFLICT), "%s", err.message);
	CHECK(done || err.code == want, "%s", err.message);
	if (!done)
		return;
	CHECK(ticket.existed == (want == FN_CONFLICT), "%s", "existed");
	if (!ticket.existed && !is_lost) {
		check_start(ticket.score - order.class.penalty_ms * 1000, user,
			order.class.quantum_ms > 0);
		model.jobs[id].score = ticket.score;
	}
	size_t ready[MODEL_JOBS], count = model_ready(&model, ready), i = 0;
	while (i < count && ready[i] != id)
		i++;
	CHECK(ticket.runnable == (i < count), "%s", "runnable");
	CHECK(ticket.state == model.jobs[id].state, "%s", "state");
	CHECK(ticket.score == model.jobs[id].score, "%s", "score");
	CHECK(ticket.position == model_position(&model, id), "position %zu", ticket.position);
	CHECK(ticket.of == model_count(&model, JOB_WAITING), "of %zu", ticket.of);
}

static void
remember(size_t id, const struct job *job)
{
	struct held *place = &held[held_count < HELD_MOST ? held_count++ : draw(HELD_MOST)];

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
	struct model_job *job = &model.jobs[id];
	CHECK(fn_bytes_is(claim->job.id, job_id(id).at), "%.*s, not %c", FN_ARG(claim->job.id),
		(char)('a' + id));
	CHECK(claim->job.fence > job->fence, "%s", "fence");
	CHECK(claim->job.attempt == job->attempts, "attempt %u", claim->job.attempt);
	CHECK(claim->job.failures == job->failures, "failures %u", claim->job.failures);
	CHECK(claim->job.crashes == job->crashes, "crashes %u", claim->job.crashes);
	CHECK(claim->job.last_failure == (job->failures + 1 >= (unsigned)model.limits.failures),
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
	struct job_worker *worker = &workers[draw(WORKERS)];
	struct job_worker before = *worker;
	bool is_brief = one_in(2);
	struct job_claim claim, again;
	size_t id = 0;

	model_sweep(&model);
	enum job_claim_kind want = model_claim(&model, is_brief, &id);
	must(job_queue_claim(is_brief ? brief : queue, &call, worker, &claim, &err));
	check_claim(&claim, want, id);
	if (!is_brief && one_in(3)) { /* the reply was lost */
		*worker = before;
		must(job_queue_claim(queue, &call, worker, &again, &err));
		CHECK(again.kind == claim.kind, "kind %d again", again.kind);
		if (claim.kind == JOB_CLAIMED)
			CHECK(fn_bytes_equal(again.job.token, claim.job.token) &&
					fn_bytes_equal(again.job.id, claim.job.id) &&
					again.job.fence == claim.job.fence,
				"%s", "another job");
	}
	/* One from long ago arrives; where a lease is over at once, it would find it so. */
	if (!is_brief && before.claims > 1 && one_in(3)) {
		before.claims = worker->claims - 2;
		must(job_queue_claim(queue, &call, &before, &again, &err));
		CHECK(again.kind == JOB_IDLE, "kind %d, and it is late", again.kind);
	}
}

static struct job
job_of(const struct held *from)
{
	return (struct job){
		.id = job_id(from->id), .token = fn_bytes(from->token), .fence = from->fence};
}

static void
step_finish(void)
{
	static const enum job_verdict verdicts[] = {
		JOB_SUCCESS, JOB_STOPPED, JOB_RETRY, JOB_RETRY, JOB_RELEASE, JOB_FAILURE};
	if (held_count == 0)
		return;
	const struct held *from = &held[one_in(3) ? draw(held_count) : held_count - 1];
	struct job job = job_of(from);
	bool and_claim = one_in(3), is_due = !and_claim && one_in(2), is_delayed = one_in(2);
	struct job_end end = {
		.verdict = verdicts[draw(COUNT(verdicts))],
		.delay_ms = !is_delayed ? 0
			    : is_due    ? 1
					: HOUR_MS,
		.fresh = one_in(4),
	};
	enum fn_code want = model_finish(
		&model, from->id, from->token, end.verdict, is_delayed, is_due, end.fresh);
	size_t finished = from->id;
	enum job_state state = model.jobs[finished].state;

	if (!and_claim) {
		bool done = job_queue_finish(queue, &call, &job, &end, &err);
		CHECK(done == (want == FN_OK) && (done || err.code == want), "%s", err.message);
	} else {
		struct job_claim claim;
		size_t id = 0;
		model_sweep(&model);
		enum job_claim_kind kind = model_claim(&model, false, &id);
		must(job_queue_finish_and_claim(
			queue, &call, &job, &end, &workers[0], &claim, &err));
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
	bool is_brief = one_in(3);
	size_t count = held_count < 3 ? held_count : 1 + draw(3);

	for (size_t i = 0; i < count; i++) {
		const struct held *from = &held[draw(held_count)];
		jobs[i] = job_of(from);
		renewals[i] = (struct job_renewal){
			.job = &jobs[i], .progress = one_in(2) ? -1 : (int)draw(101)};
		want[i] = model_renew(
			&model, from->id, from->token, from->fence, renewals[i].progress, is_brief);
	}
	bool due[MODEL_JOBS]; /* what was renewed is not due at once */
	for (size_t id = 0; id < MODEL_JOBS; id++) {
		due[id] = false;
		for (size_t i = 0; i < count; i++)
			due[id] |= fn_bytes_equal(jobs[i].id, job_id(id)) && is_brief &&
				   model.jobs[id].is_due && want[i] != JOB_TAKEN;
		model.jobs[id].is_due &= !due[id];
	}
	if (count > 0)
		model_sweep(&model);
	for (size_t id = 0; id < MODEL_JOBS; id++)
		model.jobs[id].is_due |= due[id];
	must(job_queue_renew(is_brief ? brief : queue, &call, renewals, count, &err));
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
	const struct held *from = &held[one_in(3) ? draw(held_count) : held_count - 1];
	const char *operation = operations[draw(COUNT(operations))];
	struct job job = job_of(from);
	enum fn_code want = model_set_operation(&model, from->id, from->token, operation);
	bool done = job_queue_set_operation(queue, &call, &job, fn_bytes(operation), &err);

	CHECK(done == (want == FN_OK) && (done || err.code == want), "%s", err.message);
}

static void
step_cancel(void)
{
	size_t id = draw(MODEL_JOBS);
	enum job_state want = model_cancel(&model, id), state;

	must(job_queue_cancel(queue, &call, job_id(id), &state, &err));
	CHECK(state == want, "%zu is %s, not %s", id, job_state_name(state), job_state_name(want));
}

static void
step_replay(void)
{
	size_t id = draw(MODEL_JOBS);
	unsigned user = model.jobs[id].user;
	struct job_class class = {one_in(2) ? HOUR_MS : 0, one_in(2) ? HOUR_MS : 0};
	struct job_ticket ticket = {0};
	bool done = job_queue_replay(queue, &call, job_id(id), &class, &ticket, &err);
	bool want = model_replay(&model, id, ticket.score);

	CHECK(done == want, "%zu: %s", id, err.message);
	if (!done)
		return;
	check_start(ticket.score - class.penalty_ms * 1000, user, class.quantum_ms > 0);
	CHECK(ticket.position == model_position(&model, id), "position %zu", ticket.position);
}

static void
step_drop(void)
{
	size_t id = draw(MODEL_JOBS);
	bool done = job_queue_drop(queue, &call, job_id(id), &err);

	CHECK(done == model_drop(&model, id), "%zu: %s", id, err.message);
}

static void
step_sweep(void)
{
	size_t ready, ids[MODEL_JOBS];

	model_sweep(&model);
	must(job_queue_sweep(queue, &call, &ready, &err));
	CHECK(ready == model_ready(&model, ids), "%zu are ready", ready);
}

static void
step_pause(void)
{
	model.is_paused = one_in(3);
	must(model.is_paused ? job_queue_pause(queue, &call, &err)
			     : job_queue_resume(queue, &call, &err));
}

static void
step_limits(void)
{
	model.limits = (struct job_limits){
		.running = one_in(2) ? 0 : (long)draw(6) + 1,
		.running_per_user = (long)draw(4),
		.waiting = one_in(2) ? 0 : (long)draw(10) + 1,
		.waiting_per_user = one_in(2) ? 0 : (long)draw(5) + 1,
		.failures = (long)draw(4) + 1,
		.crashes = (long)draw(4) + 1,
	};
	must(job_queue_set_limits(queue, &call, &model.limits, &err));
}

static void
step_user_limit(void)
{
	unsigned user = (unsigned)draw(MODEL_USERS);

	model.own_limit[user] = (long)draw(4);
	must(job_queue_set_user_limit(queue, &call, user_id(user), model.own_limit[user], &err));
}

static void
rebuild(void)
{
	bool mine;

	must(job_queue_rebuild_begin(queue, &call, &workers[0], &mine, &err));
	CHECK(mine, "%s", "the lock is another's");
	must(job_queue_rebuild_end(queue, &call, &workers[0], &model.limits, &err));
	model.is_rebuilt = true;
}

/* All is lost; a while later somebody rebuilds. */
static void
step_lose_all(void)
{
	if (!model.is_rebuilt) {
		rebuild();
		return;
	}
	if (!one_in(4))
		return;
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "FLUSHALL");
	model_clear(&model);
}

static const struct {
	const char *verb;
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
	for (drawn = draw(sum); drawn >= steps[i].weight; i++)
		drawn -= steps[i].weight;
	verb = steps[i].verb;
	err = (struct fn_error){0};
	steps[i].take();
}

static void
begin(void)
{
	const char *lease[] = {"3600000", "1"};
	struct job_queue **queues[] = {&queue, &brief};

	call = (struct fn_call){.arena = fn_arena_new()};
	for (size_t i = 0; i < COUNT(queues); i++) {
		configs[i] = (struct job_queue_config){
			redis_server_url(server), "", strtol(lease[i], NULL, 10)};
		must(job_queue_open(queues[i], &configs[i], &err));
	}
	AUTO(drop_reply) redisReply *reply = redis_server_ask(server, "FLUSHALL");
	for (size_t i = 0; i < WORKERS; i++)
		job_worker_init(&workers[i], "w");
	model_clear(&model);
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
	seed = (unsigned)number_of("QUEUE_SEED", _i + 1);
	srandom(seed);
	verb = "begin";
	begin();
	for (step = 1; step <= number_of("QUEUE_STEPS", STEPS); step++) {
		take_step();
		check_sets();
		check_due();
		check_counts();
		check_job(draw(MODEL_JOBS));
		let_time_pass();
		if (step % FLUSH_EVERY == 0) {
			AUTO(drop_reply)
			redisReply *reply = redis_server_ask(server, "SCRIPT FLUSH");
		}
		fn_arena_reset(call.arena);
	}
	job_queue_close(queue);
	job_queue_close(brief);
	fn_arena_drop(call.arena);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{queue_does_what_the_model_says, WALKS, NULL, NULL},
	};

	server = redis_server_start(NULL);
	int failed = suite_run("job queue model", cases, COUNT(cases));
	redis_server_stop(server);
	return failed;
}
