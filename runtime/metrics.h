/* metrics.h: what the server counts, as a page in the text format of Prometheus.
 * Source: prometheus.io/docs/instrumenting/exposition_formats. */
#ifndef METRICS_H
#define METRICS_H

#include "fn/bytes.h"

#include <stdatomic.h>

#define METRICS_BUCKETS 14

struct metrics {
	atomic_ullong answers[6]; /* by the first digit of their status */
	atomic_ullong
		took[METRICS_BUCKETS + 1]; /* answers by how long they took; the last: longer */
	atomic_ullong took_us;             /* all together */
	atomic_ullong refused;             /* 503: no handler was to be had */
};

/* What is only known when it is asked for. */
struct metrics_now {
	size_t connections, waiting, in_flight;
};

int64_t metrics_clock_us(void);

/* One more answer, to a request that was whole at `since_us` on metrics_clock_us; 0: never. */
void metrics_count(struct metrics *, int status, int64_t since_us);

struct fn_bytes metrics_page(const struct metrics *, const struct metrics_now *, struct fn_arena *);

#endif
