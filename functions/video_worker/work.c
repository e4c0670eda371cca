/* The order in which things are done is what keeps a video from being paid for twice, or lost:
 *
 * - That the model is about to be called is written into queue and document before it is, and what
 *   it answers before anything else. Whoever claims the job next polls that operation.
 * - If a call is open and has no answer its worker died in that moment. The video is looked for
 *   where the model would leave it, for as long as a video may take, before another is paid.
 * - Bytes first, document second, queue last: whatever the later ones forget is done again, to the
 *   same end. */
#include "functions/video_worker/work.h"

#include "fn/clock.h"
#include "functions/video_worker/fault_point.h"
#include "functions/video_worker/lease.h"

#include <stdlib.h>

#define LEAVE_MS 5000 /* what it takes to hand a job back */
#define DELAY_MOST_MS 600000
#define SEARCH_AGAIN_MS 60000
#define IMMUTABLE "public, max-age=31536000, immutable"

const struct fn_setting patience_settings[] = {
	{"VIDEO_POLL_MS", FN_NUMBER, offsetof(struct patience, poll_ms), "10000", 1, 600000,
		"how long the model is left in peace between two polls, at least"},
	{"VIDEO_SEARCH_S", FN_NUMBER, offsetof(struct patience, search_s), "360", 0, 86400,
		"how long a video whose beginning nobody knows about is looked for before it is "
		"begun anew"},
	{"VIDEO_GIVE_UP_S", FN_NUMBER, offsetof(struct patience, give_up_s), "1800", 1, 86400,
		"how long the model may take for a video"},
	{"VIDEO_RETRY_MS", FN_NUMBER, offsetof(struct patience, retry_ms), "5000", 1, 600000,
		"how long a job waits after its first failure; twice as long after the next"},
	{0},
};

struct work {
	const struct services *use;
	const struct patience *patience;
	const struct job *claimed;
	struct fn_call *call;
	struct fn_call
		within; /* the same call, with less time: some is left to hand the job back */
	struct lease lease;
	struct video_job job; /* as its document has it; version 0: it could not be read */

	struct job_end end;     /* what is to become of the job... */
	bool is_lost;           /* ...unless it is another's by now */
	struct fn_bytes reason; /* why it failed, for people; empty: nothing that helps them */
	struct fn_bytes url;    /* where the video is once it is stored... */
	struct video_file file; /* ...and what it is like */
};

/* ---- Ways out: all are false, and say in `end` what is to become of the job ------------------ */

static int64_t
jittered(int64_t ms)
{
	return ms - arc4random_uniform((uint32_t)(ms / 2 + 1));
}

/* How long to wait before a video is looked for again. */
static int64_t
search_pause_ms(int64_t left_ms)
{
	return jittered(left_ms < SEARCH_AGAIN_MS ? left_ms : SEARCH_AGAIN_MS);
}

static int64_t
backoff_ms(const struct work *work)
{
	int64_t ms = work->patience->retry_ms;

	for (unsigned i = 0; i < work->claimed->failures && ms < DELAY_MOST_MS; i++)
		ms *= 2;
	return jittered(ms < DELAY_MOST_MS ? ms : DELAY_MOST_MS);
}

static bool
end_with(struct work *work, enum job_verdict verdict, int64_t delay_ms, struct fn_bytes note)
{
	work->end = (struct job_end){
		.verdict = verdict,
		.delay_ms = delay_ms,
		.note = fn_bytes_copy(work->call->arena, note),
	};
	return false;
}

/* It has failed, and may do so again. `fresh`: what the model has begun is of no use any more. */
static bool
fail(struct work *work, bool fresh, const char *reason, struct fn_bytes note)
{
	work->reason = fn_bytes(reason);
	end_with(work, JOB_RETRY, backoff_ms(work), note);
	work->end.fresh = fresh;
	return false;
}

static bool
fail_for_good(struct work *work, struct fn_bytes reason, struct fn_bytes note)
{
	work->reason = fn_bytes_copy(work->call->arena, reason);
	end_with(work, JOB_FAILURE, 0, note.size > 0 ? note : reason);
	work->end.fresh = true;
	return false;
}

/* Not its fault. */
static bool
hand_back(struct work *work, int64_t delay_ms, const struct fn_error *why)
{
	return end_with(work, JOB_RELEASE, delay_ms, fn_bytes(why->message));
}

/* A step of the document's, or the lease, did not let us go on. */
static bool
interrupted(struct work *work, const struct fn_error *why)
{
	switch (why->code) {
	case FN_PRECONDITION:
		fn_log(work->call, FN_NOTICE, "dropped: %s", why->message);
		work->is_lost = true;
		return false;
	case FN_CONFLICT:
	case FN_NOT_FOUND:
		return end_with(work, JOB_STOPPED, 0, fn_bytes(why->message));
	case FN_INTERNAL:
		return end_with(work, JOB_FAILURE, 0, fn_bytes(why->message));
	default:
		return hand_back(work, backoff_ms(work), why);
	}
}

/* True if the job is still ours once we have waited, and there is time for it. */
static bool
hold(struct work *work, int64_t wait_ms)
{
	struct fn_error why;

	if (lease_hold(&work->lease, &work->within, wait_ms, &why))
		return true;
	return why.code == FN_BUSY ? hand_back(work, 0, &why) : interrupted(work, &why);
}

/* ---- The model's call, which costs ----------------------------------------------------------- */

/* Nobody but the holder gets past this. A queue that has forgotten the job leaves it to us. */
static bool
announce(struct work *work)
{
	struct job_queue *jobs = work->use->videos.queue.jobs;
	struct fn_error why;

	if (!hold(work, 0))
		return false;
	if (!job_queue_set_operation(
		    jobs, &work->within, work->claimed, (struct fn_bytes){0}, &why) &&
		why.code != FN_NOT_FOUND)
		return interrupted(work, &why);
	return video_job_call(&work->job, &work->within, work->use->videos.documents, &why) ||
	       interrupted(work, &why);
}

/* Either of the two is enough for whoever claims the job next. */
static bool
note_operation(struct work *work, struct fn_bytes operation)
{
	const struct video_reconcile *videos = &work->use->videos;
	struct fn_error why;

	if (!job_queue_set_operation(
		    videos->queue.jobs, work->call, work->claimed, operation, &why))
		fn_log(work->call, FN_WARNING, "operation not in the queue: %s", why.message);
	if (!video_job_called(&work->job, work->call, videos->documents, operation, &why))
		return interrupted(work, &why);
	fault_point("operation_stored");
	return true;
}

static bool
not_begun(struct work *work, const struct fn_error *why)
{
	switch (why->code) {
	case FN_DEADLINE: /* or begun: nobody knows */
		return hand_back(work, search_pause_ms(work->patience->search_s * 1000), why);
	case FN_RATE_LIMITED:
	case FN_BUSY:
		hand_back(work, jittered((int64_t)why->retry_after_s * 2000), why);
		work->end.fresh = true;
		return false;
	case FN_UNPROCESSABLE:
		return fail_for_good(work, fn_bytes(why->message), (struct fn_bytes){0});
	case FN_INVALID:
		return fail_for_good(work, FN_BYTES("the video model does not take this request"),
			fn_bytes(why->message));
	default:
		return fail(work, true, "the video model cannot be used", fn_bytes(why->message));
	}
}

static bool
start(struct work *work)
{
	struct fn_bytes operation;
	struct fn_error why;

	if (!announce(work)) {
		work->end.fresh = true;
		return false;
	}
	fault_point("before_start");
	if (!video_model_start(
		    work->use->model, &work->within, &work->job.request, &operation, &why))
		return not_begun(work, &why);
	fault_point("after_start");
	return note_operation(work, operation);
}

/* ---- Waiting for the model ------------------------------------------------------------------- */

/* A poll that fails is for the next one. */
static int64_t
ask(struct work *work, struct video_poll *poll)
{
	int64_t wait_ms = work->patience->poll_ms * 3 / 2;
	struct fn_error why;

	if (video_model_poll(work->use->model, &work->within, work->job.operation, poll, &why)) {
		fault_point("polled");
		return jittered(wait_ms);
	}
	fn_log(work->call, FN_WARNING, "%s", why.message);
	*poll = (struct video_poll){.state = VIDEO_RUNNING, .progress = -1};
	return jittered(wait_ms) + (int64_t)why.retry_after_s * 1000;
}

static int64_t
call_age_ms(const struct work *work)
{
	int64_t age_ms = work->claimed->call_age_ms; /* by the queue's clock, which all share */

	return age_ms >= 0 ? age_ms : fn_unix_ms() - work->job.call_begun_at_ms;
}

static bool
is_too_slow(const struct work *work)
{
	return fn_unix_ms() - work->job.call_begun_at_ms > work->patience->give_up_s * 1000;
}

/* Until it is done, however long it takes. */
static bool
await(struct work *work, int64_t wait_ms, struct video_poll *poll)
{
	do {
		if (!hold(work, wait_ms))
			return false;
		wait_ms = ask(work, poll);
		if (poll->progress >= 0)
			lease_tell(&work->lease, poll->progress);
		if (poll->state == VIDEO_RUNNING && is_too_slow(work))
			return fail(
				work, true, "the video model was too slow", FN_BYTES("given up"));
	} while (poll->state == VIDEO_RUNNING);
	return true;
}

static bool
find(struct work *work, struct video *video, struct fn_error *why)
{
	return video_model_find(work->use->model, &work->within, work->job.creation.id, video, why);
}

static bool
take_result(struct work *work, const struct video_poll *poll, struct video *video)
{
	struct fn_error why;

	switch (poll->state) {
	case VIDEO_DONE:
		*video = poll->video;
		return true;
	case VIDEO_REFUSED:
	case VIDEO_REJECTED:
		return fail_for_good(work, poll->reason, poll->detail);
	case VIDEO_LOST:
		if (find(work, video, &why))
			return true;
		break;
	default:
		break;
	}
	return fail(work, true, fn_text(work->call->arena, poll->reason), poll->detail);
}

static bool
poll_for(struct work *work, int64_t wait_ms, struct video *video)
{
	struct video_poll poll;

	return await(work, wait_ms, &poll) && take_result(work, &poll, video);
}

/* ---- Getting the video ----------------------------------------------------------------------- */

static bool
make_anew(struct work *work, struct video *video)
{
	return start(work) && poll_for(work, work->patience->poll_ms * 2, video);
}

/* Somebody has called the model and did not live to say what it answered. */
static bool
search(struct work *work, struct video *video)
{
	int64_t left_ms = work->patience->search_s * 1000 - call_age_ms(work);
	struct fn_error why;

	if (find(work, video, &why))
		return true;
	if (why.code != FN_NOT_FOUND)
		return interrupted(work, &why);
	if (left_ms > 0)
		return hand_back(work, search_pause_ms(left_ms), &why);
	fn_log(work->call, FN_WARNING, "begun anew, and perhaps paid twice: %s", why.message);
	return make_anew(work, video);
}

/* The queue may know an operation of which the document has only that it was about to be. */
static bool
get_video(struct work *work, struct video *video)
{
	bool is_open = work->job.call_begun_at_ms != 0 && work->job.operation.size == 0;

	if (is_open && work->claimed->operation.size > 0) {
		if (!note_operation(work, work->claimed->operation))
			return false;
	} else if (is_open) {
		return search(work, video);
	}
	if (work->job.operation.size > 0)
		return poll_for(work, 0, video);
	return make_anew(work, video);
}

/* ---- Passing it on --------------------------------------------------------------------------- */

/* Reads on only while the job is ours. */
static bool
read_while_held(void *with, uint64_t offset, char *into, size_t size, struct fn_error *err)
{
	struct work *work = with;
	const struct fn_source *bytes = &work->file.bytes;

	TRY(lease_hold(&work->lease, &work->within, 0, err));
	return bytes->read(bytes->with, offset, into, size, err);
}

static bool
not_passed_on(struct work *work, const struct fn_error *why)
{
	if (!hold(work, 0))
		return false;
	return fail(work, why->code == FN_NOT_FOUND, NULL, fn_bytes(why->message));
}

static bool
pass_on(struct work *work, const struct video *video)
{
	struct object_store *objects = work->use->videos.objects;
	struct fn_bytes key = work->job.creation.object_key;
	struct fn_error why;

	fault_point("before_fetch");
	if (!video_model_fetch(work->use->model, &work->within, video, &work->file, &why))
		return not_passed_on(work, &why);
	const struct fn_source bytes = {work->file.bytes.size, read_while_held, work};
	const struct object_stream object = {&bytes, work->file.mime_type, IMMUTABLE};
	if (!object_store_put_stream(objects, &work->within, key, &object, &why))
		return not_passed_on(work, &why);
	fault_point("stored_object");
	work->url = object_store_public_url(objects, work->call->arena, key);
	return true;
}

/* ---- The end --------------------------------------------------------------------------------- */

static struct fn_bytes
public_reason(const struct work *work)
{
	return fn_bytes(fn_textf(work->call->arena,
		"The video could not be made%s%.*s. Your tokens were given back.",
		work->reason.size > 0 ? ": " : "", FN_ARG(work->reason)));
}

static bool
write_end(struct work *work, struct fn_error *err)
{
	struct document_store *documents = work->use->videos.documents;
	bool fresh = work->end.fresh;

	switch (work->end.verdict) {
	case JOB_SUCCESS:
		return video_job_succeed(
			&work->job, work->call, documents, work->url, &work->file, err);
	case JOB_STOPPED:
		return video_job_stop(&work->job, work->call, documents, err);
	case JOB_RETRY:
		if (!work->claimed->last_failure)
			return video_job_retry(&work->job, work->call, documents, fresh, err);
		break;
	case JOB_RELEASE:
		return video_job_retry(&work->job, work->call, documents, fresh, err);
	case JOB_FAILURE:
		break;
	}
	return video_job_fail(&work->job, work->call, documents, public_reason(work), fresh, err);
}

/* What an attempt may have stored. */
static void
forget_object(struct work *work)
{
	struct fn_error why;

	if (!object_store_delete(
		    work->use->videos.objects, work->call, work->job.creation.object_key, &why))
		fn_log(work->call, FN_WARNING, "an object may be left over: %s", why.message);
}

/* A job that has ended, or that its owner wants to, is not queued again. */
static void
settle(struct work *work)
{
	struct fn_error why;
	bool ok = write_end(work, &why);

	if (!ok && why.code == FN_CONFLICT) {
		work->end.verdict = JOB_STOPPED;
		ok = write_end(work, &why);
	}
	if (!ok)
		interrupted(work, &why);
	else if (video_job_ended(&work->job))
		work->end.verdict = video_job_verdict(&work->job);
	if (!work->is_lost &&
		(work->end.verdict == JOB_STOPPED || work->end.verdict == JOB_FAILURE))
		forget_object(work);
}

static void
log_end(const struct work *work)
{
	static const char *const words[] = {
		[JOB_SUCCESS] = "succeeded",
		[JOB_STOPPED] = "canceled",
		[JOB_RETRY] = "failed, and is tried again",
		[JOB_RELEASE] = "handed back",
		[JOB_FAILURE] = "failed",
	};
	enum job_verdict verdict = work->end.verdict;
	bool is_bad = verdict == JOB_RETRY || verdict == JOB_FAILURE;

	fn_log(work->call, is_bad ? FN_WARNING : FN_INFO, "%s%s%.*s", words[verdict],
		work->end.note.size > 0 ? ": " : "", FN_ARG(work->end.note));
}

/* ---- All of it ------------------------------------------------------------------------------- */

static bool
begin(struct work *work)
{
	struct fn_error why;

	if (!video_job_begin(&work->job, &work->within, work->use->videos.documents,
		    work->claimed->id, work->claimed->fence, &why))
		return interrupted(work, &why);
	return true;
}

static void
make(struct work *work)
{
	struct video video;

	if (begin(work) && get_video(work, &video) && pass_on(work, &video))
		end_with(work, JOB_SUCCESS, 0, (struct fn_bytes){0});
}

bool
work_at(const struct services *use, struct fn_call *call, const struct job *claimed,
	struct job_end *end)
{
	struct work work = {
		.use = use, .patience = use->patience, .claimed = claimed, .call = call};
	struct fn_error why;

	work.within = *call;
	if (call->deadline_ms != 0)
		work.within.deadline_ms -= LEAVE_MS;
	if (lease_begin(&work.lease, call, use->videos.queue.jobs, claimed, use->queue->lease_ms,
		    &why)) {
		make(&work);
		if (!work.is_lost && work.job.version != 0) {
			fault_point("before_document");
			settle(&work);
			fault_point("after_document");
		}
		lease_end(&work.lease);
	} else {
		hand_back(&work, jittered(work.patience->retry_ms), &why);
	}
	if (!work.is_lost)
		log_end(&work);
	*end = work.end;
	return !work.is_lost;
}
