#include "domain/video_submit.h"

#include "domain/idempotency.h"

#define RETRY_AFTER_S 30
#define UNTRIED (-1)

/* A queue that is down keeps nobody from asking: the document waits for it. */
static bool
find_place(const struct video_queue *queue, struct fn_call *call, const struct video_job *job,
	int64_t *score, struct fn_error *err)
{
	struct fn_error why;

	if (video_queue_reserve(queue, call, job, score, &why))
		return true;
	if (why.code != FN_UPSTREAM && why.code != FN_DEADLINE) {
		*err = why;
		err->retry_after_s = RETRY_AFTER_S;
		return false;
	}
	fn_log(call, FN_WARNING, "no place in the queue yet: %s", why.message);
	*score = 0;
	return true;
}

/* `score` outlives a commit that has to be made anew. */
static bool
compose(const struct video_submit *with, struct fn_call *call, struct video_job *job,
	int64_t *score, struct writes *writes, struct fn_error *err)
{
	struct tokens tokens;

	TRY(tokens_read(
		&tokens, call, with->documents, job->creation.owner.id, with->prices->signup, err));
	job->price = with->prices->video;
	job->paid = tokens.paid;
	TRY(tokens_debit(&tokens, call, writes, job->price, "video", job->creation.id, err));
	if (*score == UNTRIED)
		TRY(find_place(&with->queue, call, job, score, err));
	job->score = *score;
	writes_add(writes, video_job_write(job, call));
	return true;
}

/* A request counts once, however often its commit has to be made, and a key as well. */
static bool
count(const struct video_submit *with, struct fn_call *call, const struct user *user,
	const struct idempotency *once, struct fn_bytes *counted, struct fn_error *err)
{
	struct fn_bytes event = once->record_id.size > 0 ? once->record_id : once->creation_id;

	if (counted->size > 0)
		return true;
	TRY(limits_generation(&with->limits, call, user, event, err));
	*counted = event;
	return true;
}

static bool
submit(const struct video_submit *with, struct fn_call *call, const struct user *user,
	const struct video_prompt *prompt, struct video_job *job, bool *is_new,
	struct fn_bytes *counted, struct fn_error *err)
{
	struct fn_retry retry = WRITES_RETRY;
	int64_t score = UNTRIED;
	struct video_job draft;
	struct idempotency once;
	struct fn_error why;

	do {
		struct writes writes = {0};

		TRY(idempotency_look(&once, call, with->documents, user, "vid_", err));
		if (once.done) {
			*is_new = false;
			return video_job_read(job, call, with->documents, once.creation_id, err);
		}
		TRY(count(with, call, user, &once, counted, err));
		video_job_init(&draft, call, once.creation_id, user, prompt);
		TRY(compose(with, call, &draft, &score, &writes, err));
		idempotency_add(&once, call, &writes);
		if (writes_commit(&writes, call, with->documents, &why)) {
			*is_new = true;
			*job = draft;
			return true;
		}
	} while (writes_again(&retry, call, &why));
	*err = why;
	return false;
}

bool
video_submit(const struct video_submit *with, struct fn_call *call, const struct user *user,
	const struct video_prompt *prompt, struct video_job *job, bool *is_new,
	struct fn_error *err)
{
	struct fn_bytes counted = {0};

	if (submit(with, call, user, prompt, job, is_new, &counted, err))
		return true;
	if (counted.size > 0 && err->code != FN_DEADLINE) /* which may have written it */
		limits_give_back(&with->limits, call, user, counted);
	return false;
}
