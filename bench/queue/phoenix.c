/* The job queue of Phoenix, as its functions use it. Ten thousand users, two jobs of each at once.
 */
#include "adapters/job_queue.h"
#include "bench/queue/measure.h"

#include <stdio.h>
#include <stdlib.h>

#define USERS 10000

struct client {
	struct job_queue_config config;
	struct job_queue *queue;
	struct fn_call call;
	struct job_worker worker;
};

static struct fn_error err;

static void
must(bool done)
{
	if (!done)
		give_up(err.message);
}

/* A new queue gives no job before it is rebuilt, which here means from nothing. */
static void
make_usable(struct client *client)
{
	const struct job_limits limits = {.running_per_user = 2, .failures = 5, .crashes = 4};
	struct job_queue_status status;
	bool mine;

	must(job_queue_status(client->queue, &client->call, &status, &err));
	if (status.rebuilt)
		return;
	must(job_queue_rebuild_begin(client->queue, &client->call, &client->worker, &mine, &err));
	must(job_queue_rebuild_end(client->queue, &client->call, &client->worker, &limits, &err));
}

static void *
phoenix_open(const char *redis_url)
{
	struct client *client = calloc(1, sizeof(*client));

	client->config = (struct job_queue_config){redis_url, "", 30000};
	client->call.arena = fn_arena_new();
	job_worker_init(&client->worker, "bench");
	must(job_queue_open(&client->queue, &client->config, &err));
	make_usable(client);
	return client;
}

static void
phoenix_enqueue(void *with, long number)
{
	struct client *client = with;
	char id[24], user[24];
	const struct job_order order = {
		.id = {id, (size_t)snprintf(id, sizeof(id), "vid_%016ld", number)},
		.user = {user, (size_t)snprintf(user, sizeof(user), "user_%ld", number % USERS)},
		.payload = FN_BYTES(PAYLOAD),
		.fingerprint = FN_BYTES("0123456789abcdef"),
		.class = {.penalty_ms = 300000, .quantum_ms = 45000},
	};
	struct job_ticket ticket;

	must(job_queue_enqueue(client->queue, &client->call, &order, &ticket, &err));
	fn_arena_reset(client->call.arena);
}

/* The old job lives until the next reply has come, so arenas take turns. */
static void
phoenix_work(void *with)
{
	struct client *client = with;
	struct fn_call other = {.arena = fn_arena_new()}, *call = &client->call, *next = &other;
	struct job_end end = {.verdict = JOB_SUCCESS};
	struct job_claim claim;

	must(job_queue_claim(client->queue, call, &client->worker, &claim, &err));
	while (claim.kind == JOB_CLAIMED) {
		struct job job = claim.job;
		struct fn_call *done = call;

		must(job_queue_finish_and_claim(
			client->queue, next, &job, &end, &client->worker, &claim, &err));
		fn_arena_reset(done->arena);
		call = next;
		next = done;
	}
	fn_arena_drop(other.arena);
}

static int64_t
phoenix_receive(void *with)
{
	struct client *client = with;
	struct job_end end = {.verdict = JOB_SUCCESS};
	struct job_claim claim;

	must(job_queue_claim(client->queue, &client->call, &client->worker, &claim, &err));
	while (claim.kind != JOB_CLAIMED)
		must(job_queue_wait_and_claim(client->queue, &client->call, claim.again_ms,
			&client->worker, &claim, &err));
	int64_t started_us = now_us();
	must(job_queue_finish(client->queue, &client->call, &claim.job, &end, &err));
	fn_arena_reset(client->call.arena);
	return started_us;
}

int
main(int argc, char **argv)
{
	const struct contender measured = {
		phoenix_open, phoenix_enqueue, phoenix_work, phoenix_receive};

	return measure_main(argc, argv, &measured);
}
