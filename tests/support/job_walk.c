#include "tests/support/job_walk.h"

#include <stdlib.h>
#include <string.h>

struct job_walk walk;

void
walk_must(bool done)
{
	CHECK(done, "%s", walk.err.message);
}

size_t
walk_draw(size_t below)
{
	return (size_t)random() % below;
}

bool
walk_one_in(size_t count)
{
	return walk_draw(count) == 0;
}

struct fn_bytes
walk_job(size_t id)
{
	return fn_bytes(fn_textf(walk.call.arena, "%c", (char)('a' + id)));
}

struct fn_bytes
walk_user(unsigned user)
{
	return fn_bytes(fn_textf(walk.call.arena, "u%u", user));
}

int64_t
walk_time(void)
{
	AUTO(drop_reply) redisReply *reply = redis_server_ask(walk.server, "TIME");

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
	redisReply *reply = redis_server_ask(walk.server, "ZRANGE phx:{v}:%s 0 -1", key);
	struct fn_builder text = {.arena = walk.call.arena};
	char *names[MODEL_JOBS + 1];
	size_t count = reply->elements;

	CHECK(count <= MODEL_JOBS, "%s has %zu members", key, count);
	for (size_t i = 0; i < count; i++)
		names[i] = reply->element[i]->str;
	if (!in_order)
		qsort(names, count, sizeof(*names), compare_texts);
	for (size_t i = 0; i < count; i++)
		fn_addf(&text, "%s", names[i]);
	return fn_text(walk.call.arena, fn_built(&text));
}

static const char *
names_of(const size_t *ids, size_t count)
{
	struct fn_builder text = {.arena = walk.call.arena};

	for (size_t i = 0; i < count; i++)
		fn_addf(&text, "%c", (char)('a' + ids[i]));
	return fn_text(walk.call.arena, fn_built(&text));
}

static const char *
names_in(enum job_state state)
{
	size_t ids[MODEL_JOBS], count = 0;

	for (size_t id = 0; id < MODEL_JOBS; id++)
		if (walk.model.jobs[id].state == state)
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
	AUTO(drop_reply) redisReply *due = redis_server_ask(walk.server, "HGET phx:{v}:n due");
	static const char *const keys[] = {"l", "d"};

	for (size_t i = 0; i < COUNT(keys); i++) {
		AUTO(drop_reply)
		redisReply *first =
			redis_server_ask(walk.server, "ZRANGE phx:{v}:%s 0 0 WITHSCORES", keys[i]);
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

	must_hold("w", true, names_of(ids, model_waiting(&walk.model, -1, ids)));
	must_hold("r", true, names_of(ids, model_ready(&walk.model, ids)));
	must_hold("l", false, names_in(JOB_ACTIVE));
	must_hold("d", false, names_in(JOB_DELAYED));
	must_hold("x", false, names_in(JOB_DEAD));
	for (unsigned user = 0; user < MODEL_USERS; user++) {
		must_hold(fn_textf(walk.call.arena, "u:u%u", user), true,
			names_of(ids, model_waiting(&walk.model, (int)user, ids)));
		int64_t running = redis_server_number(walk.server, "HGET phx:{v}:n f:u%u", user);
		CHECK(running == (int64_t)model_running(&walk.model, user), "u%u runs %ld", user,
			(long)running);
	}
	if (model_ready(&walk.model, ids) > 0)
		CHECK(redis_server_number(walk.server, "LLEN phx:{v}:wake") > 0, "%s",
			"no hint is left");
}

static void
check_counts(void)
{
	const uint64_t want[] = {walk.model.counts.enqueued, walk.model.counts.claimed,
		walk.model.counts.succeeded, walk.model.counts.canceled, walk.model.counts.failed,
		walk.model.counts.crashed, walk.model.counts.released, walk.model.counts.buried};
	struct job_queue_status status;

	walk_must(job_queue_status(walk.queue, &walk.call, &status, &walk.err));
	const uint64_t have[] = {status.enqueued, status.claimed, status.succeeded, status.canceled,
		status.failed, status.crashed, status.released, status.buried};
	for (size_t i = 0; i < COUNT(want); i++)
		CHECK(have[i] == want[i], "counter %zu is %lu, not %lu", i, (unsigned long)have[i],
			(unsigned long)want[i]);
}

static void
check_job(size_t id)
{
	const struct model_job *want = &walk.model.jobs[id];
	struct job_info info;

	walk_must(job_queue_get(walk.queue, &walk.call, walk_job(id), &info, &walk.err));
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
	CHECK(fn_bytes_is(info.user, walk_user(want->user).at), "%zu: user", id);
	CHECK(info.position == model_position(&walk.model, id), "%zu: position %zu", id,
		info.position);
	int64_t left_ms = redis_server_number(walk.server, "PTTL phx:{v}:j:%s", walk_job(id).at);
	bool has_ended = want->state == JOB_SUCCEEDED || want->state == JOB_CANCELED;
	CHECK((left_ms > 0) == has_ended, "%zu: is kept for %ld ms", id, (long)left_ms);
}

/* Of the jobs one at a time: a step concerns few of them, and there are many steps. */
void
walk_check(void)
{
	check_sets();
	check_due();
	check_counts();
	check_job(walk_draw(MODEL_JOBS));
}
