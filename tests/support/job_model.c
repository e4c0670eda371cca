#include "tests/support/job_model.h"

#include <stdio.h>
#include <string.h>

void
model_clear(struct job_model *model)
{
	*model = (struct job_model){.limits = {.failures = 5, .crashes = 4}};
}

static bool
is_before(const struct job_model *model, size_t a, size_t b)
{
	const struct model_job *jobs = model->jobs;

	return jobs[a].score != jobs[b].score ? jobs[a].score < jobs[b].score : a < b;
}

size_t
model_waiting(const struct job_model *model, int user, size_t ids[MODEL_JOBS])
{
	size_t count = 0;

	for (size_t id = 0; id < MODEL_JOBS; id++) {
		const struct model_job *job = &model->jobs[id];
		size_t at = count;

		if (job->state != JOB_WAITING || (user >= 0 && job->user != (unsigned)user))
			continue;
		for (; at > 0 && is_before(model, id, ids[at - 1]); at--)
			ids[at] = ids[at - 1];
		ids[at] = id;
		count++;
	}
	return count;
}

size_t
model_count(const struct job_model *model, enum job_state state)
{
	size_t count = 0;

	for (size_t id = 0; id < MODEL_JOBS; id++)
		count += model->jobs[id].state == state;
	return count;
}

size_t
model_running(const struct job_model *model, unsigned user)
{
	size_t count = 0;

	for (size_t id = 0; id < MODEL_JOBS; id++)
		count += model->jobs[id].state == JOB_ACTIVE && model->jobs[id].user == user;
	return count;
}

static long
free_places(const struct job_model *model, unsigned user)
{
	long most =
		model->own_limit[user] ? model->own_limit[user] : model->limits.running_per_user;

	return (most ? most : 1000) - (long)model_running(model, user);
}

static bool
has_place(const struct job_model *model, size_t id)
{
	unsigned user = model->jobs[id].user;
	long before = 0;

	for (size_t other = 0; other < MODEL_JOBS; other++)
		before += model->jobs[other].state == JOB_WAITING &&
			  model->jobs[other].user == user && is_before(model, other, id);
	return before < free_places(model, user);
}

size_t
model_ready(const struct job_model *model, size_t ids[MODEL_JOBS])
{
	size_t waiting[MODEL_JOBS], count = model_waiting(model, -1, waiting), ready = 0;

	for (size_t i = 0; i < count; i++)
		if (has_place(model, waiting[i]))
			ids[ready++] = waiting[i];
	return ready;
}

size_t
model_position(const struct job_model *model, size_t id)
{
	size_t waiting[MODEL_JOBS], count = model_waiting(model, -1, waiting);

	for (size_t i = 0; i < count; i++)
		if (waiting[i] == id)
			return i + 1;
	return 0;
}

void
model_sweep(struct job_model *model)
{
	for (size_t id = 0; id < MODEL_JOBS; id++) {
		struct model_job *job = &model->jobs[id];

		if (!job->is_due)
			continue;
		job->is_due = false;
		if (job->state == JOB_ACTIVE) {
			model->counts.crashed++;
			job->crashes++;
			job->token[0] = '\0';
			bool is_poison = job->crashes >= (unsigned)model->limits.crashes;
			job->state = is_poison && !job->cancel_wanted ? JOB_DEAD : JOB_WAITING;
			model->counts.buried += job->state == JOB_DEAD;
		} else {
			job->state = JOB_WAITING;
		}
	}
}

static bool
is_over(size_t count, long most)
{
	return most > 0 && count >= (size_t)most;
}

enum fn_code
model_enqueue(struct job_model *model, size_t id, unsigned user, int64_t score, bool is_lost,
	const char *operation)
{
	size_t waiting[MODEL_JOBS];
	struct model_job *job = &model->jobs[id];

	if (job->state != JOB_UNKNOWN)
		return FN_CONFLICT;
	if (!is_lost && is_over(model_waiting(model, -1, waiting), model->limits.waiting))
		return FN_BUSY;
	if (!is_lost &&
		is_over(model_waiting(model, (int)user, waiting), model->limits.waiting_per_user))
		return FN_RATE_LIMITED;
	*job = (struct model_job){
		.state = JOB_WAITING, .user = user, .score = score, .progress = -1};
	snprintf(job->operation, sizeof(job->operation), "%s", operation);
	model->counts.enqueued++;
	return FN_OK;
}

enum job_claim_kind
model_claim(struct job_model *model, bool is_due, size_t *id)
{
	size_t ready[MODEL_JOBS];

	if (!model->is_rebuilt)
		return JOB_REBUILD;
	if (model->is_paused)
		return JOB_PAUSED;
	if (is_over(model_count(model, JOB_ACTIVE), model->limits.running))
		return JOB_FULL;
	if (model_ready(model, ready) == 0)
		return JOB_IDLE;
	*id = ready[0];
	model->jobs[*id].state = JOB_ACTIVE;
	model->jobs[*id].is_due = is_due;
	model->jobs[*id].attempts++;
	model->counts.claimed++;
	return JOB_CLAIMED;
}

static bool
is_held(const struct model_job *job, const char *token)
{
	return job->state == JOB_ACTIVE && strcmp(job->token, token) == 0;
}

enum job_hold
model_renew(struct job_model *model, size_t id, const char *token, uint64_t fence, int progress,
	bool is_due)
{
	struct model_job *job = &model->jobs[id];

	if (job->state == JOB_UNKNOWN)
		return JOB_FORGOTTEN;
	if (job->state == JOB_WAITING && job->fence <= fence && free_places(model, job->user) > 0 &&
		!is_over(model_count(model, JOB_ACTIVE), model->limits.running)) {
		job->state = JOB_ACTIVE;
		job->fence = fence;
		snprintf(job->token, sizeof(job->token), "%s", token);
	}
	if (!is_held(job, token))
		return JOB_TAKEN;
	job->is_due = is_due;
	if (progress >= 0)
		job->progress = progress;
	return job->cancel_wanted ? JOB_CANCEL_WANTED : JOB_HELD;
}

enum fn_code
model_set_operation(struct job_model *model, size_t id, const char *token, const char *operation)
{
	struct model_job *job = &model->jobs[id];
	bool is_other = job->operation[0] && strcmp(job->operation, operation) != 0;

	if (job->state == JOB_UNKNOWN)
		return FN_NOT_FOUND;
	if (!is_held(job, token) && (!operation[0] || is_other))
		return FN_PRECONDITION;
	job->is_calling = !operation[0];
	snprintf(job->operation, sizeof(job->operation), "%s", operation);
	return FN_OK;
}

static void
again(const struct job_model *model, struct model_job *job, bool is_failure, bool is_delayed)
{
	job->failures += is_failure;
	job->fence++;
	job->progress = -1;
	job->state = is_failure && job->failures >= (unsigned)model->limits.failures ? JOB_DEAD
		     : is_delayed                                                    ? JOB_DELAYED
										     : JOB_WAITING;
}

enum fn_code
model_finish(struct job_model *model, size_t id, const char *token, enum job_verdict verdict,
	bool is_delayed, bool is_due, bool fresh)
{
	struct model_job *job = &model->jobs[id];

	if (job->state == JOB_UNKNOWN)
		return FN_NOT_FOUND;
	if (strcmp(job->token, token) != 0)
		return FN_PRECONDITION;
	if (job->state != JOB_ACTIVE)
		return FN_OK;
	if (fresh) {
		job->operation[0] = '\0';
		job->is_calling = false;
	}
	if (verdict == JOB_SUCCESS)
		job->state = JOB_SUCCEEDED;
	else if (verdict == JOB_STOPPED)
		job->state = JOB_CANCELED;
	else if (verdict == JOB_FAILURE)
		job->state = JOB_DEAD;
	else
		again(model, job, verdict == JOB_RETRY, is_delayed);
	job->is_due = job->state == JOB_DELAYED && is_due;
	model->counts.succeeded += verdict == JOB_SUCCESS;
	model->counts.canceled += verdict == JOB_STOPPED;
	model->counts.failed += verdict == JOB_RETRY;
	model->counts.released += verdict == JOB_RELEASE;
	model->counts.buried += job->state == JOB_DEAD;
	return FN_OK;
}

enum job_state
model_cancel(struct job_model *model, size_t id)
{
	struct model_job *job = &model->jobs[id];

	model_sweep(model);
	if (job->state == JOB_WAITING || job->state == JOB_DELAYED) {
		job->state = JOB_CANCELED;
		job->is_due = false;
		model->counts.canceled++;
	} else if (job->state == JOB_ACTIVE) {
		job->cancel_wanted = true;
	}
	return job->state;
}

bool
model_replay(struct job_model *model, size_t id, int64_t score)
{
	struct model_job *job = &model->jobs[id];

	if (job->state != JOB_DEAD)
		return false;
	job->state = JOB_WAITING;
	job->score = score;
	job->token[0] = '\0';
	job->cancel_wanted = false;
	job->attempts = job->failures = job->crashes = 0;
	job->progress = -1;
	return true;
}

bool
model_drop(struct job_model *model, size_t id)
{
	if (model->jobs[id].state != JOB_DEAD)
		return false;
	model->jobs[id] = (struct model_job){0};
	return true;
}
