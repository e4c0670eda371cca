/* job_walk.h: a random walk over all verbs of a queue, beside a model in C; whether what the queue
 * keeps in Redis is what the model holds. What is not, fails the test with the walk's seed. */
#ifndef JOB_WALK_H
#define JOB_WALK_H

#include "tests/support/job_model.h"
#include "tests/support/redis_server.h"
#include "tests/support/suite.h"

struct job_walk {
	struct redis_server *server;
	struct job_queue *queue, *brief; /* leases of an hour, and of a millisecond */
	struct job_model model;
	struct fn_call call;
	struct fn_error err;
	unsigned seed;
	int step;
	const char *verb;
};

extern struct job_walk walk;

#define CHECK(what, format, ...)                                                                   \
	ck_assert_msg(what, "seed %u, step %d, %s: " format, walk.seed, walk.step, walk.verb,      \
		__VA_ARGS__)

void walk_must(bool done);

size_t walk_draw(size_t below);
bool walk_one_in(size_t count);

struct fn_bytes walk_job(size_t id);
struct fn_bytes walk_user(unsigned user);
int64_t walk_time(void); /* the server's, in microseconds */

/* What Redis holds, and one of the jobs. */
void walk_check(void);

#endif
