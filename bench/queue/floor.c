/* The least that a queue on Redis can do without losing a job whose worker dies: a list to wait in
 * and a list of what is at work, two round trips a job. No lease, no order but that of arrival, no
 * retry, no cancel, no end that is told twice. */
#include "bench/queue/measure.h"

#include <hiredis/hiredis.h>

static void *
floor_open(const char *redis_url)
{
	int port;

	if (sscanf(redis_url, "redis://127.0.0.1:%d", &port) != 1)
		give_up("REDIS_URL must be redis://127.0.0.1:PORT/0");
	redisContext *redis = redisConnect("127.0.0.1", port);
	if (!redis || redis->err)
		give_up("cannot connect");
	return redis;
}

static redisReply *
must(redisReply *reply)
{
	if (!reply || reply->type == REDIS_REPLY_ERROR)
		give_up(reply ? reply->str : "connection lost");
	return reply;
}

static void
floor_enqueue(void *redis, long number)
{
	freeReplyObject(must(redisCommand(redis, "LPUSH wait %ld:" PAYLOAD, number)));
}

static void
finish(redisContext *redis, redisReply *job)
{
	freeReplyObject(must(redisCommand(redis, "LREM work 1 %b", job->str, job->len)));
	freeReplyObject(job);
}

static void
floor_work(void *redis)
{
	for (;;) {
		redisReply *job = must(redisCommand(redis, "LMOVE wait work RIGHT LEFT"));

		if (job->type == REDIS_REPLY_NIL) {
			freeReplyObject(job);
			return;
		}
		finish(redis, job);
	}
}

static int64_t
floor_receive(void *redis)
{
	redisReply *job = must(redisCommand(redis, "BLMOVE wait work RIGHT LEFT 0"));
	int64_t started_us = now_us();

	finish(redis, job);
	return started_us;
}

int
main(int argc, char **argv)
{
	const struct contender measured = {floor_open, floor_enqueue, floor_work, floor_receive};

	return measure_main(argc, argv, &measured);
}
