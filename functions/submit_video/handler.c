#include "functions/submit_video/handler.h"

#include "domain/video_bell.h"

static void
log_job(struct fn_call *call, struct fn_bytes id)
{
	fn_log_field(call, "creation", id);
	fn_log_field(call, "job", id);
}

/* The document is written, so that from here on nothing fails: what the queue does not take now it
 * is given by the reconciler. */
static struct video_outlook
enqueue(const struct services *use, struct fn_call *call, const struct video_job *job)
{
	struct job_ticket ticket;
	struct fn_error why;

	if (job->score == 0 || video_job_ended(job))
		return video_outlook_unknown;
	if (!video_queue_enqueue(&use->submit.queue, call, job, &ticket, &why)) {
		fn_log(call, FN_WARNING, "not in the queue yet: %s", why.message);
		return video_outlook_unknown;
	}
	if (ticket.runnable)
		video_bell_ring(use->events, call, job->creation.id);
	return (struct video_outlook){ticket.position, ticket.starts_in_ms, -1};
}

static bool
reply(struct fn_call *call, int status, const struct video_job *job,
	const struct video_outlook *outlook, struct fn_error *err)
{
	return fn_reply(call, status, video_job_json(job, call, outlook), err);
}

/* POST {"prompt": text, "aspect_ratio"?, "duration_s"?, "seed"?, "audio"?, "publish"?}, optionally
 * with an Idempotency-Key: charge for a video, queue it, answer with its draft.
 *
 *   202 queued, see Location      400, 415 no usable prompt or key, 401 no usable token
 *   200 the same video again      402 too few tokens
 *   429, 503 try later            422 the key is another request's
 *   502, 504 the store failed, or was too slow
 *
 * One commit, then the queue, then a bell. What was committed will be made, whatever happens
 * to the other two or to us; the same request again finds it and does the rest. */
static bool
submit(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct user user;
	struct video_prompt prompt;
	struct video_outlook outlook;
	struct video_job job;
	bool is_new;

	TRY(user_require(&user, call, use->identity, err));
	TRY(video_prompt_parse(&prompt, call, err));
	TRY(video_submit(&use->submit, call, &user, &prompt, &job, &is_new, err));
	log_job(call, job.creation.id);
	outlook = enqueue(use, call, &job);
	const char *location = fn_textf(call->arena, "/api/video/%.*s", FN_ARG(job.creation.id));
	TRY(fn_reply_header(call, "Location", fn_bytes(location), err));
	return reply(call, is_new ? 202 : 200, &job, &outlook, err);
}

/* Nobody learns of another's video that there is one. */
static bool
read_own(struct video_job *job, struct fn_call *call, const struct services *use,
	struct fn_error *err)
{
	struct fn_bytes id = fn_param(call, "id");
	struct user user;
	struct fn_error why;

	TRY(user_require(&user, call, use->identity, err));
	log_job(call, id);
	bool ok = video_job_read(job, call, use->submit.documents, id, &why);
	if (!ok && why.code != FN_NOT_FOUND) {
		*err = why;
		return false;
	}
	if (!ok || !fn_bytes_equal(job->creation.owner.id, user.id))
		return fn_fail(err, FN_NOT_FOUND, "there is no such video");
	return true;
}

/* GET: the video with its place in the queue and its progress, as far as they are known. 401, 404.
 */
static bool
status(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct video_outlook outlook = video_outlook_unknown;
	struct video_job job;

	TRY(read_own(&job, call, use, err));
	if (!video_job_ended(&job))
		outlook = video_queue_look(&use->submit.queue, call, &job);
	return reply(call, 200, &job, &outlook, err);
}

/* DELETE: nobody is to make it, and its tokens come back.
 *
 *   200 canceled                          404 there is none
 *   202 it is at work, and will be soon   409 it has ended already   401 no usable token */
static bool
cancel(struct fn_call *call, const void *with, struct fn_error *err)
{
	const struct services *use = with;
	struct video_job job;

	TRY(read_own(&job, call, use, err));
	TRY(video_queue_cancel(&use->submit.queue, call, use->submit.documents, &job, err));
	return reply(call, video_job_ended(&job) ? 200 : 202, &job, &video_outlook_unknown, err);
}

bool
submit_video(struct fn_call *call, const void *with, struct fn_error *err)
{
	static const struct fn_route routes[] = {
		{"POST", "/api/video/generate", submit},
		{"GET", "/api/video/{id}", status},
		{"DELETE", "/api/video/{id}", cancel},
	};
	const struct services *use = with;

	return fn_api_route(call, use->api, routes, sizeof(routes) / sizeof(routes[0]), use, err);
}
