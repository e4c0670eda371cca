/* job_model.h: what job_queue.h promises, as a few arrays that are searched from end to end.
 *
 * It knows no server and no clock: a timer is either due before the next step or never. Each verb
 * takes the same arguments as the queue's and says what the queue must answer. */
#ifndef JOB_MODEL_H
#define JOB_MODEL_H

#include "adapters/job_queue.h"

#define MODEL_JOBS 14 /* fewer than a sweep takes at once */
#define MODEL_USERS 3
#define MODEL_TOKEN_SIZE 80

struct model_job {
	enum job_state state;
	unsigned user;
	int64_t score;
	uint64_t fence;
	char token[MODEL_TOKEN_SIZE];
	char operation[16];
	bool is_calling; /* a call was begun and named no operation */
	bool is_due;     /* its lease or delay ends before the next step */
	bool cancel_wanted;
	int progress;
	unsigned attempts, failures, crashes;
};

struct job_model {
	struct model_job jobs[MODEL_JOBS];
	int64_t fair[MODEL_USERS]; /* when a user's next job starts at the earliest */
	long own_limit[MODEL_USERS];
	struct job_limits limits;
	bool is_paused, is_rebuilt;
	struct {
		uint64_t enqueued, claimed, succeeded, canceled, failed, crashed, released, buried;
	} counts;
};

void model_clear(struct job_model *);

/* The order of service, and of one user's jobs (user < 0: of all). Returns how many. */
size_t model_waiting(const struct job_model *, int user, size_t ids[MODEL_JOBS]);
size_t model_ready(const struct job_model *, size_t ids[MODEL_JOBS]);
size_t model_count(const struct job_model *, enum job_state);
size_t model_running(const struct job_model *, unsigned user);
size_t model_position(const struct job_model *, size_t id); /* from 1; 0: does not wait */

void model_sweep(struct job_model *);

/* FN_OK: the job waits now, with this score. */
enum fn_code model_enqueue(struct job_model *, size_t id, unsigned user, int64_t score,
	bool is_lost, const char *operation);

/* JOB_CLAIMED: `id` is who must be handed over. Token and fence are for the caller to fill in. */
enum job_claim_kind model_claim(struct job_model *, bool is_due, size_t *id);

enum job_hold model_renew(struct job_model *, size_t id, const char *token, uint64_t fence,
	int progress, bool is_due);
enum fn_code model_set_operation(
	struct job_model *, size_t id, const char *token, const char *operation);
enum fn_code model_finish(struct job_model *, size_t id, const char *token, enum job_verdict,
	bool is_delayed, bool is_due, bool fresh);
enum job_state model_cancel(struct job_model *, size_t id);
bool model_replay(struct job_model *, size_t id, int64_t score);
bool model_drop(struct job_model *, size_t id);

#endif
