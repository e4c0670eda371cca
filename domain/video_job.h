/* video_job.h: a video from its submit to its end.
 *
 * The creation's document is the truth, the job of the same id in the queue its schedule. A job is
 * queued, then running, and may be queued again; it ends once, as succeeded, failed or canceled,
 * and the commit that ends it without a video gives its tokens back.
 *
 * Each step is one commit, made on condition that the document is as it was read. If somebody has
 * changed it meanwhile it is read again and the step judged anew, so that `job` is what the
 * document says once the step was taken. What every step may fail with:
 *
 * FN_NOT_FOUND: the creation is gone.
 * FN_BUSY, FN_UPSTREAM, FN_DEADLINE: the store; the step may be repeated. */
#ifndef VIDEO_JOB_H
#define VIDEO_JOB_H

#include "adapters/document_store.h"
#include "adapters/job_queue.h"
#include "adapters/video_model.h"
#include "domain/creation.h"
#include "domain/video_prompt.h"

struct video_job {
	struct creation creation;     /* its id is the job's as well */
	struct video_request request; /* what the model is asked for */
	int64_t price;                /* tokens */
	int64_t charges;              /* how often it was charged */
	bool refunded;                /* the last of them */
	bool paid;                    /* by somebody who pays: served before others */

	int64_t score;             /* its place in the queue; 0: not known yet */
	uint64_t fence;            /* of the last worker that began */
	unsigned attempts;         /* how often one has begun */
	int64_t call_begun_at_ms;  /* Unix: the model's call, which costs; 0: there is none */
	struct fn_bytes operation; /* what that call named; empty: nothing, or not yet */
	bool cancel_wanted;
	struct fn_bytes reason; /* of a failure, for people; empty: none */

	int64_t touched_at_ms; /* Unix: of the document's last change */
	int64_t version;       /* of the document */
};

/* A new one, queued; what it has cost and its place in the queue are for the caller to add. */
void video_job_init(struct video_job *, struct fn_call *, struct fn_bytes id, const struct user *,
	const struct video_prompt *);

/* Its document in the collection "creations", as a write that creates it, or that replaces the one
 * it was read from if nobody else has written that since. */
struct document_write video_job_write(const struct video_job *, struct fn_call *);

/* FN_NOT_FOUND: there is no such video. */
FN_MUST bool video_job_read(struct video_job *, struct fn_call *, struct document_store *,
	struct fn_bytes id, struct fn_error *);

/* FN_INTERNAL: it is not such a document. */
FN_MUST bool video_job_from_document(
	struct video_job *, const struct document *, struct fn_error *);

bool video_job_ended(const struct video_job *);

/* What a job that has ended is finished with in the queue. */
enum job_verdict video_job_verdict(const struct video_job *);

/* ---- Steps of a worker that holds the job under a claim ----------------------------------------
 *
 * FN_PRECONDITION: another worker has claimed the job since: drop it silently.
 * FN_CONFLICT from the first three: there is nothing to do any more, since the job has ended or
 * its owner wants it to; video_job_stop brings both to the same end. */

/* After the claim: reads the job, counts an attempt, and shuts out all claims before this one. */
FN_MUST bool video_job_begin(struct video_job *, struct fn_call *, struct document_store *,
	struct fn_bytes id, uint64_t fence, struct fn_error *);

/* Just before the model's call: what is known of an earlier one is forgotten. */
FN_MUST bool video_job_call(
	struct video_job *, struct fn_call *, struct document_store *, struct fn_error *);

/* Back to the queue. `fresh`: the call is over, or never was; the next attempt makes another. */
FN_MUST bool video_job_retry(struct video_job *, struct fn_call *, struct document_store *,
	bool fresh, struct fn_error *);

/* The call has been answered: poll this operation. It is kept also where the job has ended, and for
 * a late worker where no other is known. */
FN_MUST bool video_job_called(struct video_job *, struct fn_call *, struct document_store *,
	struct fn_bytes operation, struct fn_error *);

/* Ends. True once the job has one, this or another that came first: video_job_verdict tells. What
 * its owner wants canceled does not succeed any more: the object stored for it is to be deleted.
 * `fresh`: as above, should it be replayed. */
FN_MUST bool video_job_succeed(struct video_job *, struct fn_call *, struct document_store *,
	struct fn_bytes url, const struct video_file *, struct fn_error *);
FN_MUST bool video_job_fail(struct video_job *, struct fn_call *, struct document_store *,
	struct fn_bytes reason, bool fresh, struct fn_error *);
FN_MUST bool video_job_stop(
	struct video_job *, struct fn_call *, struct document_store *, struct fn_error *);

/* ---- Steps of anybody else ------------------------------------------------------------------- */

/* By its owner: a queued job has ended then, a running one is wanted to.
 * FN_CONFLICT: it has ended otherwise. */
FN_MUST bool video_job_cancel(
	struct video_job *, struct fn_call *, struct document_store *, struct fn_error *);

/* Fails a job whose workers died one after the other and could not; one that has ended stays as it
 * is. What was paid for is kept, should it be replayed. */
FN_MUST bool video_job_give_up(
	struct video_job *, struct fn_call *, struct document_store *, struct fn_error *);

/* Its place in the queue, where its submit could not get one. */
FN_MUST bool video_job_place(struct video_job *, struct fn_call *, struct document_store *,
	int64_t score, struct fn_error *);

/* A failed one is queued again, and charged again.
 * FN_CONFLICT: it has not failed. FN_PAYMENT_REQUIRED: its owner has too few tokens. */
FN_MUST bool video_job_replay(
	struct video_job *, struct fn_call *, struct document_store *, struct fn_error *);

/* ---- JSON ------------------------------------------------------------------------------------ */

struct video_outlook {
	size_t position;      /* 1 is next; 0: it does not wait, or nobody knows */
	int64_t starts_in_ms; /* -1: unknown */
	int progress;         /* percent; -1: unknown */
};

extern const struct video_outlook video_outlook_unknown;

/* {..., position, eta_s, progress, attempts, reason}: the creation's members, and these, of which
 * all but the attempts may be null. `eta_s` is until it starts. */
struct fn_bytes video_job_json(
	const struct video_job *, struct fn_call *, const struct video_outlook *);

#endif
