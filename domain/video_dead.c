#include "domain/video_dead.h"

static bool
must_be_dead(const struct video_queue *queue, struct fn_call *call, struct fn_bytes id,
	struct fn_error *err)
{
	struct job_info job;

	TRY(job_queue_get(queue->jobs, call, id, &job, err));
	if (job.state == JOB_UNKNOWN)
		return fn_fail(
			err, FN_NOT_FOUND, "job %.*s: the queue does not know it", FN_ARG(id));
	return job.state == JOB_DEAD ||
	       fn_fail(err, FN_PRECONDITION, "job %.*s is no dead letter: it is %s", FN_ARG(id),
		       job_state_name(job.state));
}

bool
video_dead_replay(const struct video_queue *queue, struct fn_call *call,
	struct document_store *documents, struct fn_bytes id, struct job_ticket *ticket,
	struct fn_error *err)
{
	struct job_class class;
	struct video_job job;

	TRY(must_be_dead(queue, call, id, err));
	TRY(video_job_read(&job, call, documents, id, err));
	TRY(video_job_give_up(&job, call, documents, err));
	TRY(video_job_replay(&job, call, documents, err));
	class = video_queue_class(queue, &job);
	TRY(job_queue_replay(queue->jobs, call, id, &class, ticket, err));
	return video_job_place(&job, call, documents, ticket->score, err);
}

bool
video_dead_drop(const struct video_queue *queue, struct fn_call *call,
	struct document_store *documents, struct fn_bytes id, struct fn_error *err)
{
	struct video_job job;
	struct fn_error why;

	TRY(must_be_dead(queue, call, id, err));
	if (video_job_read(&job, call, documents, id, &why))
		TRY(video_job_give_up(&job, call, documents, err));
	else if (why.code != FN_NOT_FOUND) {
		*err = why;
		return false;
	}
	return job_queue_drop(queue->jobs, call, id, err);
}
