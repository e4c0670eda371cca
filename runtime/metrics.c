#include "metrics.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* From a cached page to a picture: 100 us to 60 s. */
static const int64_t bounds_us[METRICS_BUCKETS] = {100, 250, 500, 1000, 2500, 5000, 10000, 50000,
	100000, 500000, 1000000, 5000000, 10000000, 60000000};

int64_t
metrics_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
add(atomic_ullong *counter, uint64_t more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static unsigned long long
get(const atomic_ullong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void
metrics_count(struct metrics *metrics, int status, int64_t since_us)
{
	int64_t took_us = metrics_clock_us() - since_us;
	size_t bucket = 0;

	add(&metrics->answers[status / 100], 1);
	if (since_us == 0)
		return;
	while (bucket < METRICS_BUCKETS && took_us > bounds_us[bucket])
		bucket++;
	add(&metrics->took[bucket], 1);
	add(&metrics->took_us, (uint64_t)took_us);
}

static void
add_answers(struct fn_builder *page, const struct metrics *metrics)
{
	fn_add(page, FN_BYTES("# HELP fn_requests_total Requests answered, by class of status.\n"
			      "# TYPE fn_requests_total counter\n"));
	for (int class = 2; class <= 5; class ++)
		fn_addf(page, "fn_requests_total{class=\"%dxx\"} %llu\n", class,
			get(&metrics->answers[class]));
}

static void
add_durations(struct fn_builder *page, const struct metrics *metrics)
{
	unsigned long long count = 0;

	fn_add(page, FN_BYTES("# HELP fn_request_duration_seconds From the whole request to its "
			      "answer.\n# TYPE fn_request_duration_seconds histogram\n"));
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		count += get(&metrics->took[i]);
		fn_addf(page, "fn_request_duration_seconds_bucket{le=\"%g\"} %llu\n",
			(double)bounds_us[i] / 1e6, count);
	}
	count += get(&metrics->took[METRICS_BUCKETS]);
	fn_addf(page,
		"fn_request_duration_seconds_bucket{le=\"+Inf\"} %llu\n"
		"fn_request_duration_seconds_sum %.6f\nfn_request_duration_seconds_count %llu\n",
		count, (double)get(&metrics->took_us) / 1e6, count);
}

static unsigned long long
resident_bytes(void)
{
	unsigned long long ignored, pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return 0;
	if (fscanf(file, "%llu %llu", &ignored, &pages) != 2)
		pages = 0;
	fclose(file);
	return pages * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static void
add_one(struct fn_builder *page, const char *name, const char *type, const char *help,
	unsigned long long value)
{
	fn_addf(page, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name, value);
}

struct fn_bytes
metrics_page(const struct metrics *metrics, const struct metrics_now *now, struct fn_arena *arena)
{
	struct fn_builder page = {.arena = arena};

	add_answers(&page, metrics);
	add_durations(&page, metrics);
	add_one(&page, "fn_requests_in_flight", "gauge", "Handlers at work.", now->in_flight);
	add_one(&page, "fn_requests_waiting", "gauge", "Requests that wait for a handler.",
		now->waiting);
	add_one(&page, "fn_requests_refused_total", "counter",
		"Requests answered 503 because no handler was free in time.",
		get(&metrics->refused));
	add_one(&page, "fn_connections", "gauge", "Open connections.", now->connections);
	add_one(&page, "process_resident_memory_bytes", "gauge", "Resident memory.",
		resident_bytes());
	return fn_built(&page);
}
