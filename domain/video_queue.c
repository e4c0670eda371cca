#include "domain/video_queue.h"

#include "fn/clock.h"

#include <assert.h>
#include <stddef.h>

#define STEP_MS 1000

#define INTO(member) offsetof(struct video_queue_config, member)

const struct fn_setting video_queue_settings[] = {
	{"QUEUE_FREE_PENALTY_S", FN_NUMBER, INTO(free_penalty_s), "300", 0, 86400,
		"how far those who pay may come from behind those who do not"},
	{"QUEUE_QUANTUM_S", FN_NUMBER, INTO(quantum_s), "45", 0, 86400,
		"by how much a job puts off the next one of its user"},
	{0},
};

static struct fn_call
briefly(const struct fn_call *call)
{
	struct fn_call brief = *call;

	brief.deadline_ms = fn_now_ms() + fn_time_left_ms(call, STEP_MS);
	return brief;
}

struct job_class
video_queue_class(const struct video_queue *queue, const struct video_job *job)
{
	return (struct job_class){
		.penalty_ms = job->paid ? 0 : queue->config->free_penalty_s * 1000,
		.quantum_ms = queue->config->quantum_s * 1000,
	};
}

bool
video_queue_reserve(const struct video_queue *queue, struct fn_call *call,
	const struct video_job *job, int64_t *score, struct fn_error *err)
{
	struct fn_call brief = briefly(call);
	const struct job_class class = video_queue_class(queue, job);

	return job_queue_reserve(queue->jobs, &brief, job->creation.owner.id, &class, score, err);
}

bool
video_queue_enqueue(const struct video_queue *queue, struct fn_call *call,
	const struct video_job *job, struct job_ticket *ticket, struct fn_error *err)
{
	struct fn_call brief = briefly(call);
	const struct job_order order = {
		.id = job->creation.id,
		.user = job->creation.owner.id,
		.payload = FN_BYTES("{}"), /* the document says it all */
		.fingerprint = job->creation.id,
		.score = job->score,
		.fence = job->fence,
		.operation = job->operation,
	};

	assert(job->score != 0);
	return job_queue_enqueue(queue->jobs, &brief, &order, ticket, err);
}

struct video_outlook
video_queue_look(const struct video_queue *queue, struct fn_call *call, const struct video_job *job)
{
	struct fn_call brief = briefly(call);
	struct job_info info;
	struct fn_error why;

	if (job_queue_get(queue->jobs, &brief, job->creation.id, &info, &why))
		return (struct video_outlook){info.position, info.starts_in_ms, info.progress};
	fn_log(call, FN_WARNING, "the queue cannot be asked: %s", why.message);
	return video_outlook_unknown;
}

bool
video_queue_cancel(const struct video_queue *queue, struct fn_call *call,
	struct document_store *documents, struct video_job *job, struct fn_error *err)
{
	struct fn_call brief = briefly(call);
	enum job_state state;
	struct fn_error why;

	TRY(video_job_cancel(job, call, documents, err));
	if (job_queue_cancel(queue->jobs, &brief, job->creation.id, &state, &why))
		return state == JOB_ACTIVE || video_job_stop(job, call, documents, err);
	fn_log(call, FN_WARNING, "canceled in the document only: %s", why.message);
	return true;
}
