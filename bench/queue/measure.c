#include "bench/queue/measure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORKERS_MOST 64
#define BETWEEN_NS 4000000
#define LATENCY_FIRST 1000000000 /* numbers that no other measurement uses */

static const struct contender *contender;

int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
give_up(const char *why)
{
	fprintf(stderr, "%s\n", why);
	exit(1);
}

static void *
open_one(void)
{
	const char *url = getenv("REDIS_URL");

	if (!url)
		give_up("REDIS_URL is not set");
	return contender->open(url);
}

static void *
work(void *with)
{
	contender->work(with);
	return NULL;
}

/* Connecting is not measured. */
static void
measure_work(long count, int workers)
{
	pthread_t threads[WORKERS_MOST];
	void *opened[WORKERS_MOST];

	for (int i = 0; i < workers; i++)
		opened[i] = open_one();
	int64_t begun_us = now_us();
	for (int i = 0; i < workers; i++)
		pthread_create(&threads[i], NULL, work, opened[i]);
	for (int i = 0; i < workers; i++)
		pthread_join(threads[i], NULL);
	printf("%.0f\n", (double)count * 1e6 / (double)(now_us() - begun_us));
}

static void
measure_enqueue(long first, long count)
{
	void *with = open_one();
	int64_t begun_us = now_us();

	for (long i = 0; i < count; i++)
		contender->enqueue(with, first + i);
	printf("%.0f\n", (double)count * 1e6 / (double)(now_us() - begun_us));
}

struct starts {
	long count;
	int64_t *at_us;
};

static void *
receive_all(void *with)
{
	const struct starts *starts = with;
	void *opened = open_one();

	for (long i = 0; i < starts->count; i++)
		starts->at_us[i] = contender->receive(opened);
	return NULL;
}

static void
measure_latency(long count)
{
	struct starts starts = {count, calloc((size_t)count, sizeof(int64_t))};
	int64_t *sent_us = calloc((size_t)count, sizeof(int64_t));
	void *with = open_one();
	pthread_t thread;

	pthread_create(&thread, NULL, receive_all, &starts);
	for (long i = 0; i < count; i++) {
		nanosleep(&(struct timespec){.tv_nsec = BETWEEN_NS}, NULL);
		sent_us[i] = now_us();
		contender->enqueue(with, LATENCY_FIRST + i);
	}
	pthread_join(thread, NULL);
	for (long i = 0; i < count; i++)
		printf("%ld\n", (long)(starts.at_us[i] - sent_us[i]));
	free(starts.at_us);
	free(sent_us);
}

static void
measure_steady(long first, long count)
{
	void *with = open_one();
	int64_t begun_us = now_us();

	for (long i = 0; i < count; i++) {
		contender->enqueue(with, first + i);
		contender->receive(with);
	}
	printf("%.0f\n", (double)count * 1e6 / (double)(now_us() - begun_us));
}

int
measure_main(int argc, char **argv, const struct contender *measured)
{
	contender = measured;
	if (argc == 4 && strcmp(argv[1], "enqueue") == 0)
		measure_enqueue(atol(argv[2]), atol(argv[3]));
	else if (argc == 4 && strcmp(argv[1], "work") == 0 && atoi(argv[3]) <= WORKERS_MOST)
		measure_work(atol(argv[2]), atoi(argv[3]));
	else if (argc == 3 && strcmp(argv[1], "latency") == 0)
		measure_latency(atol(argv[2]));
	else if (argc == 4 && strcmp(argv[1], "steady") == 0)
		measure_steady(atol(argv[2]), atol(argv[3]));
	else
		give_up("enqueue FIRST COUNT | work COUNT WORKERS | latency COUNT | "
			"steady FIRST COUNT");
	return 0;
}
