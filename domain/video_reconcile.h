/* video_reconcile.h: brings the queue in line with the documents, which are the truth.
 *
 * What is done twice does no harm, so several workers may be at it. */
#ifndef VIDEO_RECONCILE_H
#define VIDEO_RECONCILE_H

#include "adapters/object_store.h"
#include "domain/video_queue.h"

struct video_reconcile {
	struct document_store *documents;
	struct video_queue queue;
	struct object_store *objects; /* for passes */
};

#define VIDEO_PASS_TOKEN_SIZE 256

enum video_reach {
	VIDEO_ALL,    /* after JOB_REBUILD: the queue has nothing */
	VIDEO_RECENT, /* after `reconcile` of a claim: the newest writes may be missing */
};

/* Puts unfinished jobs back into the queue, each in its place and with its operation, and lets
 * claims through. True also where another worker is at it. FN_PRECONDITION: one has taken over. */
FN_MUST bool video_reconcile_rebuild(const struct video_reconcile *, struct fn_call *,
	const struct job_worker *, const struct job_limits *, enum video_reach, struct fn_error *);

/* Where the next pass goes on; zero for the first. */
struct video_pass {
	char tokens[2][VIDEO_PASS_TOKEN_SIZE];
};

/* For every minute: puts jobs back that nobody has touched for 90 s and that the queue does not
 * know, and ends those whose end it knows and the document does not. A pass looks at so many
 * documents, longest untouched first; the next one goes on behind them. Then it deletes what may
 * have been stored for videos that in the last ten minutes have ended as failed or canceled. */
FN_MUST bool video_reconcile_pass(
	const struct video_reconcile *, struct fn_call *, struct video_pass *, struct fn_error *);

#endif
