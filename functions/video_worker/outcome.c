#include "functions/video_worker/outcome.h"

#include <stdlib.h>

#define DELAY_MOST_MS 600000

int64_t
outcome_delay_ms(int64_t most_ms)
{
	return most_ms - arc4random_uniform((uint32_t)(most_ms / 2 + 1));
}

/* ---- Ways out -------------------------------------------------------------------------------- */

static int64_t
backoff_ms(const struct outcome *outcome)
{
	int64_t ms = outcome->use->patience->retry_ms;

	for (unsigned i = 0; i < outcome->claimed->failures && ms < DELAY_MOST_MS; i++)
		ms *= 2;
	return outcome_delay_ms(ms < DELAY_MOST_MS ? ms : DELAY_MOST_MS);
}

static bool
end_with(struct outcome *outcome, enum job_verdict verdict, int64_t delay_ms, bool fresh,
	struct fn_bytes note)
{
	outcome->end = (struct job_end){
		.verdict = verdict,
		.delay_ms = delay_ms,
		.fresh = fresh,
		.note = fn_bytes_copy(outcome->call->arena, note),
	};
	return false;
}

bool
outcome_fail(struct outcome *outcome, bool fresh, const char *reason, struct fn_bytes note)
{
	outcome->reason = fn_bytes(reason);
	return end_with(outcome, JOB_RETRY, backoff_ms(outcome), fresh, note);
}

bool
outcome_fail_for_good(struct outcome *outcome, struct fn_bytes reason, struct fn_bytes note)
{
	outcome->reason = fn_bytes_copy(outcome->call->arena, reason);
	return end_with(outcome, JOB_FAILURE, 0, true, note.size > 0 ? note : reason);
}

bool
outcome_hand_back(struct outcome *outcome, int64_t delay_ms, bool fresh, const struct fn_error *why)
{
	return end_with(outcome, JOB_RELEASE, delay_ms, fresh, fn_bytes(why->message));
}

bool
outcome_interrupt(struct outcome *outcome, const struct fn_error *why)
{
	switch (why->code) {
	case FN_PRECONDITION:
		fn_log(outcome->call, FN_NOTICE, "dropped: %s", why->message);
		outcome->is_lost = true;
		return false;
	case FN_CONFLICT:
	case FN_NOT_FOUND:
		return end_with(outcome, JOB_STOPPED, 0, false, fn_bytes(why->message));
	case FN_INTERNAL:
		return end_with(outcome, JOB_FAILURE, 0, false, fn_bytes(why->message));
	default:
		return outcome_hand_back(outcome, backoff_ms(outcome), false, why);
	}
}

bool
outcome_succeed(struct outcome *outcome, struct fn_bytes url)
{
	outcome->url = url;
	end_with(outcome, JOB_SUCCESS, 0, false, (struct fn_bytes){0});
	return true;
}

/* ---- The document ---------------------------------------------------------------------------- */

static struct fn_bytes
public_reason(const struct outcome *outcome)
{
	return fn_bytes(fn_textf(outcome->call->arena,
		"The video could not be made%s%.*s. Your tokens were given back.",
		outcome->reason.size > 0 ? ": " : "", FN_ARG(outcome->reason)));
}

static bool
write_end(const struct outcome *outcome, struct video_job *job, struct fn_error *err)
{
	struct document_store *documents = outcome->use->videos.documents;
	struct fn_call *call = outcome->call;
	bool fresh = outcome->end.fresh;

	switch (outcome->end.verdict) {
	case JOB_SUCCESS:
		return video_job_succeed(job, call, documents, outcome->url, &outcome->file, err);
	case JOB_STOPPED:
		return video_job_stop(job, call, documents, err);
	case JOB_RETRY:
		if (!outcome->claimed->last_failure)
			return video_job_retry(job, call, documents, fresh, err);
		break;
	case JOB_RELEASE:
		return video_job_retry(job, call, documents, fresh, err);
	case JOB_FAILURE:
		break;
	}
	return video_job_fail(job, call, documents, public_reason(outcome), fresh, err);
}

/* What this attempt or one before it may have stored. */
static void
forget_object(const struct outcome *outcome, const struct video_job *job)
{
	struct fn_error why;

	if (!object_store_delete(
		    outcome->use->videos.objects, outcome->call, job->creation.object_key, &why))
		fn_log(outcome->call, FN_WARNING, "an object may be left over: %s", why.message);
}

/* A job that has ended, or that its owner wants to, is not queued again. */
void
outcome_write(struct outcome *outcome, struct video_job *job)
{
	const enum job_verdict *verdict = &outcome->end.verdict;
	struct fn_error why;
	bool ok = write_end(outcome, job, &why);

	if (!ok && why.code == FN_CONFLICT) {
		outcome->end.verdict = JOB_STOPPED;
		ok = write_end(outcome, job, &why);
	}
	if (!ok)
		outcome_interrupt(outcome, &why);
	else if (video_job_ended(job))
		outcome->end.verdict = video_job_verdict(job);
	if (!outcome->is_lost && (*verdict == JOB_STOPPED || *verdict == JOB_FAILURE))
		forget_object(outcome, job);
}

void
outcome_log(const struct outcome *outcome)
{
	static const char *const words[] = {
		[JOB_SUCCESS] = "succeeded",
		[JOB_STOPPED] = "canceled",
		[JOB_RETRY] = "failed, and is tried again",
		[JOB_RELEASE] = "handed back",
		[JOB_FAILURE] = "failed",
	};
	const struct job_end *end = &outcome->end;
	bool is_bad = end->verdict == JOB_RETRY || end->verdict == JOB_FAILURE;

	if (!outcome->is_lost)
		fn_log(outcome->call, is_bad ? FN_WARNING : FN_INFO, "%s%s%.*s",
			words[end->verdict], end->note.size > 0 ? ": " : "", FN_ARG(end->note));
}
