/* jobs.h: a job queue in a real Redis, and short words for what is done with it.
 *
 * One at a time; what is not as expected, fails the test. */
#ifndef JOBS_H
#define JOBS_H

#include "adapters/job_queue.h"
#include "tests/support/redis_proxy.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"

#define JOBS_PATIENCE_MS 120000
#define JOBS_HOUR_MS INT64_C(3600000)

struct jobs {
	struct redis_server *server;
	struct redis_proxy *proxy;
	struct job_queue_config config;
	struct job_queue *queue;
	struct job_queue *brief; /* the same, with leases that are over at once */
	struct fn_call call;
	struct fn_error err;
	struct job_worker ann, ben;
};

extern struct jobs jobs;

extern const struct job_limits jobs_wide, jobs_patient; /* for failures that are many */

/* Runs cases with one server, which each row finds empty but for a queue that is rebuilt. */
int jobs_suite(const char *name, const struct suite_case *, size_t count);

/* Setups of rows that need more: no server yet, one of their own, one with a proxy before it. */
void jobs_begin(void);
void jobs_begin_server(void);
void jobs_begin_proxy(void);
void jobs_end(void); /* the teardown of all three */

void jobs_open(const char *url, long lease_ms);
void jobs_rebuild(const struct job_limits *);
void jobs_limit(long running, long running_per_user);
void jobs_flush(void);
void jobs_must(bool done);
void jobs_must_fail(bool done, enum fn_code);
void jobs_pause_ms(long ms);

/* `user` NULL: of the same name as the job. */
struct job_order jobs_order(const char *id, const char *user);
struct job_ticket jobs_enqueue(const char *id, const char *user);
struct job_ticket jobs_enqueue_as(
	const char *id, const char *user, int64_t penalty_ms, int64_t quantum_ms);

struct job_claim jobs_claim_from(struct job_queue *, struct job_worker *);
struct job_claim jobs_claim_any(void);            /* by ann, as all below */
struct job jobs_claim(const char *id);            /* it must be this one */
void jobs_must_rest(enum job_claim_kind);         /* there must be none */
struct job jobs_claim_and_vanish(const char *id); /* but here ben takes it, and is gone */

enum job_state jobs_finish(const struct job *, enum job_verdict, int64_t delay_ms);

struct job_info jobs_get(const char *id);
void jobs_must_be(const char *id, enum job_state);
void jobs_sweep(void);
enum job_state jobs_after(const char *id, enum job_state was); /* sweeps until it is no more */
struct job_queue_status jobs_status(void);

#endif
