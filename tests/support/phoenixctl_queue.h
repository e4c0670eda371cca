/* phoenixctl_queue.h: setups for tests of phoenixctl, over jobs.h: a queue that is empty, or has a
 * job in each state. Its worker is called painter. */
#ifndef PHOENIXCTL_QUEUE_H
#define PHOENIXCTL_QUEUE_H

#include "tests/support/jobs.h"
#include "tests/support/phoenixctl.h"

/* Runs cases with one server. Their setup is an empty queue, unless it is the one below. */
int phoenixctl_suite(const char *name, const struct suite_case *, size_t count);
void phoenixctl_queue_populated(void);

void phoenixctl_renew(struct job *, int progress);
void phoenixctl_finish(const struct job *, enum job_verdict, const char *note);

#endif
