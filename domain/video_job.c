/* The steps of a video, each of them one commit. */
#include "domain/video_job.h"

#include "domain/tokens.h"
#include "fn/clock.h"

#include <assert.h>

static bool
is(const struct video_job *job, const char *status)
{
	return creation_is(&job->creation, status);
}

bool
video_job_ended(const struct video_job *job)
{
	return !is(job, CREATION_QUEUED) && !is(job, CREATION_RUNNING);
}

enum job_verdict
video_job_verdict(const struct video_job *job)
{
	assert(video_job_ended(job));
	if (is(job, CREATION_SUCCEEDED))
		return JOB_SUCCESS;
	return is(job, CREATION_CANCELED) ? JOB_STOPPED : JOB_FAILURE;
}

/* ---- Steps --------------------------------------------------------------------------------- */

enum outcome {
	TAKEN,
	NEEDLESS, /* the job is there already */
	REFUSED,  /* the error says why */
};

struct step {
	enum outcome (*take)(struct video_job *, const struct step *, struct fn_error *);
	uint64_t fence; /* of the worker who takes it; 0: anybody may */
	bool fresh;
	int64_t score;
	struct fn_bytes text;
	const struct video_file *file;
};

static enum outcome
take_called(struct video_job *job, const struct step *step, struct fn_error *err)
{
	(void)err;
	job->operation = step->text;
	if (job->call_begun_at_ms == 0) /* of a late worker, and forgotten since */
		job->call_begun_at_ms = fn_unix_ms();
	return TAKEN;
}

/* An operation costs: it is kept, whoever brings it, where no other is known. */
static bool
is_mine(const struct video_job *job, const struct step *step, struct fn_error *err)
{
	if (step->fence == 0 || job->fence <= step->fence ||
		(step->take == take_called && job->operation.size == 0))
		return true;
	return fn_fail(err, FN_PRECONDITION, "job %.*s: another worker has claimed it",
		FN_ARG(job->creation.id));
}

static bool
reread(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_bytes id, const struct step *step, struct fn_error *err)
{
	struct video_job now;

	TRY(video_job_read(&now, call, documents, id, err));
	TRY(is_mine(&now, step, err));
	*job = now;
	return true;
}

/* Tokens move with the flag, in one commit, and so as often as it changes. */
static bool
move_tokens(struct writes *writes, const struct video_job *from, const struct video_job *to,
	struct fn_call *call, struct document_store *documents, struct fn_error *err)
{
	const struct creation *creation = &to->creation;
	struct fn_bytes charge = tokens_charge(call, creation->id, to->charges);
	struct tokens tokens;

	if (from->refunded == to->refunded)
		return true;
	TRY(tokens_read(&tokens, call, documents, creation->owner.id, 0, err));
	if (!to->refunded)
		return tokens_debit(&tokens, call, writes, to->price, creation->type, charge, err);
	tokens_refund(&tokens, call, writes, to->price, charge);
	return true;
}

static bool
take_step(struct video_job *job, struct fn_call *call, struct document_store *documents,
	const struct step *step, struct fn_error *err)
{
	struct fn_retry retry = WRITES_RETRY;
	struct fn_error why;

	do {
		struct writes writes = {0};
		struct video_job next = *job;
		enum outcome outcome = step->take(&next, step, err);

		if (outcome != TAKEN)
			return outcome == NEEDLESS;
		writes_add(&writes, video_job_write(&next, call));
		TRY(move_tokens(&writes, job, &next, call, documents, err));
		if (writes_commit(&writes, call, documents, &why)) {
			next.version = writes.list[0].version;
			*job = next;
			return true;
		}
	} while (writes_again(&retry, call, &why) &&
		 reread(job, call, documents, job->creation.id, step, &why));
	*err = why;
	return false;
}

/* ---- Of a worker --------------------------------------------------------------------------- */

static bool
has_work(const struct video_job *job, struct fn_error *err)
{
	if (video_job_ended(job))
		return fn_fail(err, FN_CONFLICT, "the job has ended");
	if (job->cancel_wanted)
		return fn_fail(err, FN_CONFLICT, "its owner wants the job canceled");
	return true;
}

/* A claim whose begin is repeated is still one attempt. */
static enum outcome
take_begin(struct video_job *job, const struct step *step, struct fn_error *err)
{
	if (!has_work(job, err))
		return REFUSED;
	if (job->fence == step->fence)
		return NEEDLESS;
	job->creation.status = CREATION_RUNNING;
	job->fence = step->fence;
	job->attempts++;
	return TAKEN;
}

bool
video_job_begin(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_bytes id, uint64_t fence, struct fn_error *err)
{
	const struct step step = {.take = take_begin, .fence = fence};

	TRY(reread(job, call, documents, id, &step, err));
	return take_step(job, call, documents, &step, err);
}

static enum outcome
take_call(struct video_job *job, const struct step *step, struct fn_error *err)
{
	(void)step;
	if (!has_work(job, err))
		return REFUSED;
	job->operation = (struct fn_bytes){0};
	job->call_begun_at_ms = fn_unix_ms();
	return TAKEN;
}

bool
video_job_call(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	const struct step step = {.take = take_call, .fence = job->fence};

	return take_step(job, call, documents, &step, err);
}

bool
video_job_called(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_bytes operation, struct fn_error *err)
{
	const struct step step = {.take = take_called, .fence = job->fence, .text = operation};

	return take_step(job, call, documents, &step, err);
}

static void
forget_call(struct video_job *job)
{
	job->operation = (struct fn_bytes){0};
	job->call_begun_at_ms = 0;
}

static enum outcome
take_retry(struct video_job *job, const struct step *step, struct fn_error *err)
{
	if (!has_work(job, err))
		return REFUSED;
	job->creation.status = CREATION_QUEUED;
	if (step->fresh)
		forget_call(job);
	return TAKEN;
}

bool
video_job_retry(struct video_job *job, struct fn_call *call, struct document_store *documents,
	bool fresh, struct fn_error *err)
{
	const struct step step = {.take = take_retry, .fence = job->fence, .fresh = fresh};

	return take_step(job, call, documents, &step, err);
}

/* ---- Ends ---------------------------------------------------------------------------------- */

/* Whose owner wants it canceled has no other end. */
static enum outcome
end(struct video_job *job, const char *status, bool refunded)
{
	if (video_job_ended(job))
		return NEEDLESS;
	job->creation.status = job->cancel_wanted ? CREATION_CANCELED : status;
	job->refunded = job->cancel_wanted || refunded;
	return TAKEN;
}

static enum outcome
take_success(struct video_job *job, const struct step *step, struct fn_error *err)
{
	enum outcome outcome = end(job, CREATION_SUCCEEDED, false);

	(void)err;
	if (is(job, CREATION_SUCCEEDED)) {
		job->creation.url = step->text;
		job->creation.mime_type = step->file->mime_type;
		job->creation.width = step->file->width;
		job->creation.height = step->file->height;
	}
	return outcome;
}

bool
video_job_succeed(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_bytes url, const struct video_file *file, struct fn_error *err)
{
	const struct step step = {
		.take = take_success, .fence = job->fence, .text = url, .file = file};

	return take_step(job, call, documents, &step, err);
}

static enum outcome
take_failure(struct video_job *job, const struct step *step, struct fn_error *err)
{
	enum outcome outcome = end(job, CREATION_FAILED, true);

	(void)err;
	if (is(job, CREATION_FAILED))
		job->reason = step->text;
	if (step->fresh)
		forget_call(job);
	return outcome;
}

bool
video_job_fail(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_bytes reason, bool fresh, struct fn_error *err)
{
	const struct step step = {
		.take = take_failure, .fence = job->fence, .text = reason, .fresh = fresh};

	return take_step(job, call, documents, &step, err);
}

static enum outcome
take_stop(struct video_job *job, const struct step *step, struct fn_error *err)
{
	(void)step, (void)err;
	return end(job, CREATION_CANCELED, true);
}

bool
video_job_stop(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	const struct step step = {.take = take_stop, .fence = job->fence};

	return take_step(job, call, documents, &step, err);
}

/* ---- Of anybody else ----------------------------------------------------------------------- */

static enum outcome
take_cancel(struct video_job *job, const struct step *step, struct fn_error *err)
{
	(void)step;
	if (is(job, CREATION_QUEUED))
		return end(job, CREATION_CANCELED, true);
	if (is(job, CREATION_CANCELED) || (is(job, CREATION_RUNNING) && job->cancel_wanted))
		return NEEDLESS;
	if (!is(job, CREATION_RUNNING)) {
		(void)fn_fail(err, FN_CONFLICT, "the video has %s already", job->creation.status);
		return REFUSED;
	}
	job->cancel_wanted = true;
	return TAKEN;
}

bool
video_job_cancel(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	return take_step(job, call, documents, &(const struct step){.take = take_cancel}, err);
}

bool
video_job_give_up(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	return video_job_fail(job, call, documents,
		FN_BYTES("The video could not be made. Your tokens were given back."), false, err);
}

static enum outcome
take_place(struct video_job *job, const struct step *step, struct fn_error *err)
{
	(void)err;
	if (job->score != 0 || video_job_ended(job))
		return NEEDLESS;
	job->score = step->score;
	return TAKEN;
}

bool
video_job_place(struct video_job *job, struct fn_call *call, struct document_store *documents,
	int64_t score, struct fn_error *err)
{
	const struct step step = {.take = take_place, .score = score};

	return take_step(job, call, documents, &step, err);
}

static enum outcome
take_replay(struct video_job *job, const struct step *step, struct fn_error *err)
{
	(void)step;
	if (!is(job, CREATION_FAILED)) {
		(void)fn_fail(
			err, FN_CONFLICT, "the video has not failed: %s", job->creation.status);
		return REFUSED;
	}
	job->creation.status = CREATION_QUEUED;
	job->charges++;
	job->refunded = false;
	job->reason = (struct fn_bytes){0};
	job->score = 0;
	return TAKEN;
}

bool
video_job_replay(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_error *err)
{
	return take_step(job, call, documents, &(const struct step){.take = take_replay}, err);
}
