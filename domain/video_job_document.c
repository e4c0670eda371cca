/* A video as its document, and as people see it. */
#include "domain/video_job.h"

#include "domain/fields.h"
#include "fn/clock.h"

void
video_job_init(struct video_job *job, struct fn_call *call, struct fn_bytes id,
	const struct user *owner, const struct video_prompt *prompt)
{
	*job = (struct video_job){
		.creation =
			{
				.id = id,
				.type = "video",
				.status = CREATION_QUEUED,
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

struct document_write
video_job_write(const struct video_job *job, struct fn_call *call)
{
	struct video_job touched = *job;

	touched.touched_at_ms = fn_unix_ms();
	return (struct document_write){
		.kind = job->version == 0 ? DOCUMENT_CREATE : DOCUMENT_REPLACE,
		.collection = CREATIONS,
		.id = job->creation.id,
		.fields = to_document(&touched, call),
		.if_version = job->version,
	};
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
		return fn_fail(err, FN_INTERNAL, CREATIONS "/%.*s: no usable %s in it",
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
	TRY(document_store_get(documents, call, CREATIONS, id, &document, err));
	return video_job_from_document(job, &document, err);
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
	int progress = creation_is(&job->creation, CREATION_SUCCEEDED) ? 100
		       : creation_is(&job->creation, CREATION_RUNNING) ? outlook->progress
								       : -1;
	bool waits = creation_is(&job->creation, CREATION_QUEUED);

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
