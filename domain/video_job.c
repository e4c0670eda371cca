#include "domain/video_job.h"

#include "domain/fields.h"
#include "domain/tokens.h"
#include "fn/clock.h"

#include <assert.h>
#include <string.h>

#define COLLECTION "creations"

#define QUEUED "queued"
#define RUNNING "running"
#define SUCCEEDED "succeeded"
#define FAILED "failed"
#define CANCELED "canceled"

static bool
is(const struct video_job *job, const char *status)
{
	return strcmp(job->creation.status, status) == 0;
}

bool
video_job_ended(const struct video_job *job)
{
	return !is(job, QUEUED) && !is(job, RUNNING);
}

enum job_verdict
video_job_verdict(const struct video_job *job)
{
	assert(video_job_ended(job));
	if (is(job, SUCCEEDED))
		return JOB_SUCCESS;
	return is(job, CANCELED) ? JOB_STOPPED : JOB_FAILURE;
}

void
video_job_init(struct video_job *job, struct fn_call *call, struct fn_bytes id,
	const struct user *owner, const struct video_prompt *prompt)
{
	*job = (struct video_job){
		.creation =
			{
				.id = id,
				.type = "video",
				.status = QUEUED,
				.prompt = prompt->video.prompt,
				.object_key = fn_bytes(fn_textf(call->arena, "videos/%.*s/%.*s.mp4",
					FN_ARG(owner->id), FN_ARG(id))),
				.mime_type = "video/mp4",
				.owner = *owner,
				.published = prompt->publish,
				.created_at_ms = fn_unix_ms(),
			},
		.request = prompt->video,
		.charges = 1,
	};
	job->request.job = id;
}

/* ---- Document ------------------------------------------------------------------------------ */

static json_t *
to_document(const struct video_job *job, struct fn_call *call)
{
	json_t *fields = creation_to_document(&job->creation, call);
	const struct video_request *request = &job->request;

	fields_put(fields, "aspect_ratio", json_string(request->aspect_ratio));
	fields_put(fields, "duration_s", json_integer(request->duration_s));
	fields_put(fields, "audio", json_boolean(request->audio));
	fields_put(fields, "has_seed", json_boolean(request->has_seed));
	fields_put(fields, "seed", json_integer(request->seed));
	fields_put(fields, "price", json_integer(job->price));
	fields_put(fields, "charges", json_integer(job->charges));
	fields_put(fields, "refunded", json_boolean(job->refunded));
	fields_put(fields, "paid", json_boolean(job->paid));
	fields_put(fields, "score", json_integer(job->score));
	fields_put(fields, "fence", json_integer((json_int_t)job->fence));
	fields_put(fields, "attempts", json_integer(job->attempts));
	fields_put(fields, "call_begun_at_ms", json_integer(job->call_begun_at_ms));
	fields_put(fields, "operation", fields_text_or_null(job->operation));
	fields_put(fields, "cancel_wanted", json_boolean(job->cancel_wanted));
	fields_put(fields, "reason", fields_text_or_null(job->reason));
	fields_put(fields, "touched_at_ms", json_integer(job->touched_at_ms));
	return fields;
}

static struct document_write
write_of(const struct video_job *job, struct fn_call *call, enum document_write_kind kind)
{
	struct video_job touched = *job;

	touched.touched_at_ms = fn_unix_ms();
	return (struct document_write){
		.kind = kind,
		.collection = COLLECTION,
		.id = job->creation.id,
		.fields = to_document(&touched, call),
		.if_version = job->version,
	};
}

struct document_write
video_job_creation(const struct video_job *job, struct fn_call *call)
{
	return write_of(job, call, DOCUMENT_CREATE);
}

bool
video_job_from_document(
	struct video_job *job, const struct document *document, struct fn_error *err)
{
	struct fields from = {document->fields, NULL};
	struct video_job read = {
		.request.aspect_ratio = fields_name(&from, "aspect_ratio"),
		.request.duration_s = (unsigned)fields_number(&from, "duration_s"),
		.request.audio = fields_flag(&from, "audio"),
		.request.has_seed = fields_flag(&from, "has_seed"),
		.request.seed = (uint32_t)fields_number(&from, "seed"),
		.price = fields_number(&from, "price"),
		.charges = fields_number(&from, "charges"),
		.refunded = fields_flag(&from, "refunded"),
		.paid = fields_flag(&from, "paid"),
		.score = fields_number(&from, "score"),
		.fence = (uint64_t)fields_number(&from, "fence"),
		.attempts = (unsigned)fields_number(&from, "attempts"),
		.call_begun_at_ms = fields_number(&from, "call_begun_at_ms"),
		.operation = fields_text(&from, "operation"),
		.cancel_wanted = fields_flag(&from, "cancel_wanted"),
		.reason = fields_text(&from, "reason"),
		.touched_at_ms = fields_number(&from, "touched_at_ms"),
		.version = document->version,
	};

	TRY(creation_from_document(&read.creation, document->id, document, err));
	if (from.wrong)
		return fn_fail(err, FN_INTERNAL, COLLECTION "/%.*s: no usable %s in it",
			FN_ARG(document->id), from.wrong);
	read.request.job = read.creation.id;
	read.request.prompt = read.creation.prompt;
	*job = read;
	return true;
}

bool
video_job_read(struct video_job *job, struct fn_call *call, struct document_store *documents,
	struct fn_bytes id, struct fn_error *err)
{
	struct document document;

	if (!fn_bytes_starts(id, "vid_"))
		return fn_fail(err, FN_NOT_FOUND, "%.*s: this is no video", FN_ARG(id));
	TRY(document_store_get(documents, call, COLLECTION, id, &document, err));
	return video_job_from_document(job, &document, err);
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
		writes_add(&writes, write_of(&next, call, DOCUMENT_REPLACE));
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
	job->creation.status = RUNNING;
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
	job->creation.status = QUEUED;
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
	job->creation.status = job->cancel_wanted ? CANCELED : status;
	job->refunded = job->cancel_wanted || refunded;
	return TAKEN;
}

static enum outcome
take_success(struct video_job *job, const struct step *step, struct fn_error *err)
{
	enum outcome outcome = end(job, SUCCEEDED, false);

	(void)err;
	if (is(job, SUCCEEDED)) {
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
	enum outcome outcome = end(job, FAILED, true);

	(void)err;
	if (is(job, FAILED))
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
	return end(job, CANCELED, true);
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
	if (is(job, QUEUED))
		return end(job, CANCELED, true);
	if (is(job, CANCELED) || (is(job, RUNNING) && job->cancel_wanted))
		return NEEDLESS;
	if (!is(job, RUNNING)) {
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
	if (!is(job, FAILED)) {
		(void)fn_fail(
			err, FN_CONFLICT, "the video has not failed: %s", job->creation.status);
		return REFUSED;
	}
	job->creation.status = QUEUED;
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

/* ---- JSON ---------------------------------------------------------------------------------- */

const struct video_outlook video_outlook_unknown = {.starts_in_ms = -1, .progress = -1};

static json_t *
number_or_null(bool known, int64_t number)
{
	return known ? json_integer(number) : json_null();
}

struct fn_bytes
video_job_json(
	const struct video_job *job, struct fn_call *call, const struct video_outlook *outlook)
{
	json_t *json = creation_object(&job->creation, call);
	int progress = is(job, SUCCEEDED) ? 100 : is(job, RUNNING) ? outlook->progress : -1;
	bool waits = is(job, QUEUED);

	fields_put(json, "position",
		number_or_null(waits && outlook->position > 0, (int64_t)outlook->position));
	fields_put(json, "eta_s",
		number_or_null(
			waits && outlook->starts_in_ms >= 0, (outlook->starts_in_ms + 999) / 1000));
	fields_put(json, "progress", number_or_null(progress >= 0, progress));
	fields_put(json, "attempts", json_integer(job->attempts));
	fields_put(json, "reason", fields_text_or_null(job->reason));
	return fields_dump(json, call);
}
