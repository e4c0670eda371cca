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
#include "functions/video_worker/outcome.h"

#define LEAVE_MS 5000 /* what it takes to hand a job back */
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
	struct fn_call *call;
	struct fn_call within; /* the same, with less time: some is left to hand the job back */
	const struct job *claimed;
	struct lease lease;
	struct video_job job; /* as its document has it; version 0: it could not be read */
	struct outcome outcome;
};

/* True if the job is still ours once we have waited, and there is time for it. */
static bool
hold(struct work *work, int64_t wait_ms)
{
	struct fn_error why;

	if (lease_hold(&work->lease, &work->within, wait_ms, &why))
		return true;
	return why.code == FN_BUSY ? outcome_hand_back(&work->outcome, 0, false, &why)
				   : outcome_interrupt(&work->outcome, &why);
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
		return outcome_interrupt(&work->outcome, &why);
	if (!video_job_call(&work->job, &work->within, work->use->videos.documents, &why))
		return outcome_interrupt(&work->outcome, &why);
	return hold(
		work, 0); /* the process may have stood still, and the lease run out, meanwhile */
}

/* Either of the two is enough for whoever claims the job next; both are told whatever the time. */
static bool
note_operation(struct work *work, struct fn_bytes operation)
{
	const struct video_reconcile *videos = &work->use->videos;
	struct fn_error why;

	if (!job_queue_set_operation(
		    videos->queue.jobs, work->call, work->claimed, operation, &why))
		fn_log(work->call, FN_WARNING, "operation not in the queue: %s", why.message);
	if (!video_job_called(&work->job, work->call, videos->documents, operation, &why))
		return outcome_interrupt(&work->outcome, &why);
	fault_point("operation_stored");
	return true;
}

/* How long to wait before a video is looked for again. */
static int64_t
search_pause_ms(int64_t left_ms)
{
	return outcome_delay_ms(left_ms < SEARCH_AGAIN_MS ? left_ms : SEARCH_AGAIN_MS);
}

static bool
not_begun(struct work *work, const struct fn_error *why)
{
	struct outcome *outcome = &work->outcome;
	struct fn_bytes message = fn_bytes(why->message);

	switch (why->code) {
	case FN_DEADLINE: /* or begun: nobody knows */
		return outcome_hand_back(
			outcome, search_pause_ms(work->use->patience->search_s * 1000), false, why);
	case FN_RATE_LIMITED:
	case FN_BUSY:
		return outcome_hand_back(
			outcome, outcome_delay_ms((int64_t)why->retry_after_s * 2000), true, why);
	case FN_UNPROCESSABLE:
		return outcome_fail_for_good(outcome, message, (struct fn_bytes){0});
	case FN_INVALID:
		return outcome_fail_for_good(
			outcome, FN_BYTES("the video model does not take this request"), message);
	default:
		return outcome_fail(outcome, true, "the video model cannot be used", message);
	}
}

static bool
start(struct work *work)
{
	struct fn_bytes operation;
	struct fn_error why;

	if (!announce(work)) {
		work->outcome.end.fresh = true;
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
	int64_t wait_ms = work->use->patience->poll_ms * 3 / 2;
	struct fn_error why;

	if (video_model_poll(work->use->model, &work->within, work->job.operation, poll, &why)) {
		fault_point("polled");
		return outcome_delay_ms(wait_ms);
	}
	fn_log(work->call, FN_WARNING, "%s", why.message);
	*poll = (struct video_poll){.state = VIDEO_RUNNING, .progress = -1};
	return outcome_delay_ms(wait_ms) + (int64_t)why.retry_after_s * 1000;
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
	return fn_unix_ms() - work->job.call_begun_at_ms > work->use->patience->give_up_s * 1000;
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
			return outcome_fail(&work->outcome, true, "the video model was too slow",
				FN_BYTES("given up"));
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
		return outcome_fail_for_good(&work->outcome, poll->reason, poll->detail);
	case VIDEO_LOST:
		if (find(work, video, &why))
			return true;
		if (why.code != FN_NOT_FOUND)
			return outcome_interrupt(&work->outcome, &why);
		break;
	default:
		break;
	}
	return outcome_fail(
		&work->outcome, true, fn_text(work->call->arena, poll->reason), poll->detail);
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
	return start(work) && poll_for(work, work->use->patience->poll_ms * 2, video);
}

/* Somebody has called the model and did not live to say what it answered. */
static bool
search(struct work *work, struct video *video)
{
	int64_t left_ms = work->use->patience->search_s * 1000 - call_age_ms(work);
	struct fn_error why;

	if (find(work, video, &why))
		return true;
	if (why.code != FN_NOT_FOUND)
		return outcome_interrupt(&work->outcome, &why);
	if (left_ms > 0)
		return outcome_hand_back(&work->outcome, search_pause_ms(left_ms), false, &why);
	fn_log(work->call, FN_WARNING, "begun anew, and perhaps paid twice: %s", why.message);
	return make_anew(work, video);
}

/* Of a call that is open in the document the queue may know the answer. */
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
	const struct fn_source *bytes = &work->outcome.file.bytes;

	TRY(lease_hold(&work->lease, &work->within, 0, err));
	return bytes->read(bytes->with, offset, into, size, err);
}

static bool
not_passed_on(struct work *work, const struct fn_error *why)
{
	if (!hold(work, 0))
		return false;
	return outcome_fail(
		&work->outcome, why->code == FN_NOT_FOUND, NULL, fn_bytes(why->message));
}

static bool
pass_on(struct work *work, const struct video *video)
{
	struct object_store *objects = work->use->videos.objects;
	struct fn_bytes key = work->job.creation.object_key;
	struct fn_error why;

	fault_point("before_fetch");
	if (!video_model_fetch(work->use->model, &work->within, video, &work->outcome.file, &why))
		return not_passed_on(work, &why);
	const struct fn_source bytes = {work->outcome.file.bytes.size, read_while_held, work};
	const struct object_stream object = {&bytes, work->outcome.file.mime_type, IMMUTABLE};
	if (!object_store_put_stream(objects, &work->within, key, &object, &why))
		return not_passed_on(work, &why);
	fault_point("stored_object");
	return outcome_succeed(
		&work->outcome, object_store_public_url(objects, work->call->arena, key));
}

/* ---- All of it ------------------------------------------------------------------------------- */

static bool
begin(struct work *work)
{
	struct fn_error why;

	if (!video_job_begin(&work->job, &work->within, work->use->videos.documents,
		    work->claimed->id, work->claimed->fence, &why))
		return outcome_interrupt(&work->outcome, &why);
	return true;
}

static bool
make(struct work *work)
{
	struct video video;

	return begin(work) && get_video(work, &video) && pass_on(work, &video);
}

/* Until it is done, or cannot be gone on with; then whatever has become of it is written. */
static void
make_and_write(struct work *work)
{
	struct outcome *outcome = &work->outcome;

	if (!make(work) && (outcome->is_lost || work->job.version == 0))
		return;
	fault_point("before_document");
	outcome_write(outcome, &work->job);
	fault_point("after_document");
}

bool
work_at(const struct services *use, struct fn_call *call, const struct job *claimed,
	struct job_end *end)
{
	struct work work = {
		.use = use,
		.call = call,
		.within = *call,
		.claimed = claimed,
		.outcome = {.use = use, .call = call, .claimed = claimed},
	};
	struct fn_error why;

	if (call->deadline_ms != 0)
		work.within.deadline_ms -= LEAVE_MS;
	if (lease_begin(&work.lease, call, use->videos.queue.jobs, claimed, use->queue->lease_ms,
		    &why)) {
		make_and_write(&work);
		lease_end(&work.lease);
	} else {
		outcome_interrupt(&work.outcome, &why);
	}
	outcome_log(&work.outcome);
	*end = work.outcome.end;
	return !work.outcome.is_lost;
}
