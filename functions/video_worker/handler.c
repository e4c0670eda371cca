#include "functions/video_worker/handler.h"

#include "domain/video_bell.h"
#include "functions/video_worker/fault_point.h"
#include "functions/video_worker/upkeep.h"
#include "functions/video_worker/work.h"

#define ROOM_MS 30000  /* a job is claimed only where there is so much time for it */
#define SOON_MS 5000   /* what may be due by then is waited for... */
#define TICK_MS 60000  /* ...and what is, since nobody else may be woken sooner... */
#define LISTEN_MS 1000 /* ...so long at a time, so that a stop is noticed */

/* One event's worth of work: job after job. */
struct shift {
	const struct services *use;
	struct fn_call *call; /* the event's */
	struct job_worker *worker;
	struct fn_arena *arena; /* of the claim and the work at it: each job has one of its own */
	struct job_claim claim;
	struct job_end end; /* of the job that was claimed... */
	bool has_end;       /* ...if the queue has to be told of it */
};

/* One for each thread, kept from event to event. */
static struct job_worker *
own_worker(void)
{
	static _Thread_local struct job_worker worker;

	if (worker.id[0] == '\0')
		job_worker_init(&worker, "video-worker");
	return &worker;
}

static bool
has_time(const struct fn_call *call)
{
	return !fn_stopping(call) && fn_time_left_ms(call, ROOM_MS) == ROOM_MS;
}

/* ---- Claims ---------------------------------------------------------------------------------- */

/* What it refuses it would refuse again: the document knows better by now. */
static bool
finish(struct shift *shift, struct fn_error *err)
{
	struct job_queue *jobs = shift->use->videos.queue.jobs;

	if (job_queue_finish(jobs, shift->call, &shift->claim.job, &shift->end, err)) {
		fault_point("finished");
		return true;
	}
	if (err->code != FN_PRECONDITION && err->code != FN_NOT_FOUND)
		return false;
	fn_log(shift->call, FN_NOTICE, "not finished: %s", err->message);
	return true;
}

/* Where the last one got nothing, a moment is left for something to come. */
static bool
claim_in(struct shift *shift, struct fn_call *call, struct job_claim *claim, struct fn_error *err)
{
	struct job_queue *jobs = shift->use->videos.queue.jobs;
	int64_t wait_ms = shift->claim.again_ms < LISTEN_MS ? shift->claim.again_ms : LISTEN_MS;

	if (wait_ms > 0)
		return job_queue_wait_and_claim(jobs, call, wait_ms, shift->worker, claim, err);
	if (!shift->has_end)
		return job_queue_claim(jobs, call, shift->worker, claim, err);
	TRY(job_queue_finish_and_claim(
		jobs, call, &shift->claim.job, &shift->end, shift->worker, claim, err));
	fault_point("finished");
	return true;
}

/* Ends what is at hand and claims the next, in one round trip. */
static bool
claim_next(struct shift *shift, struct fn_error *err)
{
	struct fn_arena *arena = fn_arena_new();
	struct fn_call call = *shift->call;
	struct job_claim claim;

	call.arena = arena;
	if (!claim_in(shift, &call, &claim, err)) {
		fn_arena_drop(arena);
		return false;
	}
	fn_arena_drop(shift->arena);
	shift->arena = arena;
	shift->claim = claim;
	shift->has_end = false;
	return true;
}

/* ---- Work ------------------------------------------------------------------------------------ */

static void
do_job(struct shift *shift)
{
	const struct job *job = &shift->claim.job;
	struct fn_call call = *shift->call;

	call.arena = shift->arena;
	fn_log_field(&call, "job", job->id);
	fn_log_field(&call, "creation", job->id);
	fn_log_field(&call, "user", job->user);
	fault_point("claimed");
	shift->has_end = work_at(shift->use, &call, job, &shift->end);
	fault_point("before_finish");
}

/* Brings the queue in line with the documents, or leaves that to the one who is at it. */
static bool
rebuild(struct shift *shift, enum video_reach reach, struct fn_error *err)
{
	return upkeep_rebuild(shift->use, shift->call, shift->worker, reach, err);
}

/* What the queue has lost may wait, what it has need not. */
static void
catch_up(struct shift *shift)
{
	struct fn_error why;

	if (!rebuild(shift, VIDEO_RECENT, &why))
		fn_log(shift->call, FN_WARNING, "%s", why.message);
}

/* What is due soon is waited for, be it what the queue had lost. */
static bool
is_done(const struct job_claim *claim)
{
	bool is_due = claim->due_ms >= 0 && claim->due_ms < TICK_MS;

	return !is_due && claim->again_ms >= SOON_MS && !claim->reconcile;
}

/* Until there is nothing to do, or no time to do it in. */
static bool
work(struct shift *shift, struct fn_error *err)
{
	while (has_time(shift->call)) {
		TRY(claim_next(shift, err));
		if (shift->claim.reconcile)
			catch_up(shift);
		if (shift->claim.kind == JOB_CLAIMED)
			do_job(shift);
		else if (shift->claim.kind == JOB_REBUILD)
			TRY(rebuild(shift, VIDEO_ALL, err));
		else if (is_done(&shift->claim))
			return true;
	}
	if (shift->has_end)
		TRY(finish(shift, err));
	video_bell_ring(shift->use->events, shift->call, (struct fn_bytes){0}); /* for others */
	return true;
}

/* An event says that there may be something to do, and no more: whatever it brings, the queue says
 * what that is. Acknowledged once nothing is left that could be begun; else its sender tries again.
 */
bool
video_worker(
	struct fn_call *call, const struct fn_event *event, const void *with, struct fn_error *err)
{
	struct shift shift = {.use = with, .call = call, .worker = own_worker()};
	struct fn_bytes job;

	if (!video_bell_read(event, call->arena, &job)) {
		fn_log(call, FN_WARNING, "ignored: an event of the type %.100s",
			fn_text(call->arena, event->type));
		return true;
	}
	if (!has_time(call)) /* a bell rung for others would come back to us, again and again */
		return fn_fail(err, FN_BUSY, "within %d s no job can be done", ROOM_MS / 1000);
	fn_log(call, FN_INFO, "woken for %.64s",
		job.size > 0 ? fn_text(call->arena, job) : "whatever there is");
	upkeep_do(shift.use, call);
	bool ok = work(&shift, err);
	fn_arena_drop(shift.arena);
	return ok;
}
