/* What of job_queue.h needs no server. */
#include "adapters/job_queue.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MANY 1000000000

#define INTO(member) offsetof(struct job_queue_config, member)

const struct fn_setting job_queue_settings[] = {
	{"REDIS_URL", FN_SECRET, INTO(url), "redis://127.0.0.1:6379/0", 0, 0,
		"the queue: redis://[user:password@]host:port/db, or rediss:// for TLS"},
	{"REDIS_CA_FILE", FN_TEXT, INTO(ca_file), "", 0, 0,
		"for rediss: PEM file of the authorities to trust; empty: the system's"},
	{"QUEUE_LEASE_MS", FN_NUMBER, INTO(lease_ms), "30000", 1, 3600000,
		"how long a job stays with a worker that is silent"},
	{0},
};

#undef INTO
#define INTO(member) offsetof(struct job_limits, member)

const struct fn_setting job_limits_settings[] = {
	{"QUEUE_RUNNING", FN_NUMBER, INTO(running), "0", 0, MANY,
		"jobs that run at once, in all; 0: as many as there are workers"},
	{"QUEUE_RUNNING_PER_USER", FN_NUMBER, INTO(running_per_user), "2", 0, MANY,
		"jobs of one user that run at once; 0: no limit"},
	{"QUEUE_WAITING", FN_NUMBER, INTO(waiting), "100000", 0, MANY,
		"jobs that wait, in all; 0: no limit"},
	{"QUEUE_WAITING_PER_USER", FN_NUMBER, INTO(waiting_per_user), "100", 0, MANY,
		"jobs of one user that wait; 0: no limit"},
	{"QUEUE_CALLS_PER_MINUTE", FN_NUMBER, INTO(calls_per_minute), "0", 0, MANY,
		"paid calls that are begun in any minute; 0: no limit"},
	{"QUEUE_FAILURES", FN_NUMBER, INTO(failures), "5", 1, 1000,
		"failures after which a job is given up"},
	{"QUEUE_CRASHES", FN_NUMBER, INTO(crashes), "4", 1, 1000,
		"lost workers after which a job is given up"},
	{0},
};

const char *
job_state_name(enum job_state state)
{
	static const char *const names[] = {
		[JOB_UNKNOWN] = "unknown",
		[JOB_WAITING] = "waiting",
		[JOB_DELAYED] = "delayed",
		[JOB_ACTIVE] = "active",
		[JOB_SUCCEEDED] = "succeeded",
		[JOB_CANCELED] = "canceled",
		[JOB_DEAD] = "dead",
	};

	return state < COUNT(names) ? names[state] : "unknown";
}

void
job_worker_init(struct job_worker *worker, const char *name)
{
	*worker = (struct job_worker){.claims = 1};
	snprintf(
		worker->id, sizeof(worker->id), "%.30s.%08x%08x", name, arc4random(), arc4random());
	for (char *at = worker->id; *at; at++)
		if (*at <= ' ' || *at > '~')
			*at = '-';
}
