#include "domain/video_reconcile.h"

#include "domain/fields.h"
#include "fn/clock.h"

#include <assert.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PAGE 100
#define PAGES_A_PASS 10
#define SILENT_MS 90000
#define RECENT_MS 600000

static const char *const unfinished[] = {CREATION_QUEUED, CREATION_RUNNING};
static const char *const fruitless[] = {CREATION_FAILED, CREATION_CANCELED};

/* ---- One job ------------------------------------------------------------------------------- */

/* The queue has ended it and nobody has written that down: its workers died one after the other,
 * or it was canceled there. */
static bool
write_end(const struct video_reconcile *with, struct fn_call *call, struct video_job *job,
	enum job_state state, struct fn_error *err)
{
	fn_log(call, FN_WARNING, "the queue has ended this job: %s", job_state_name(state));
	if (state == JOB_CANCELED)
		return video_job_stop(job, call, with->documents, err);
	return video_job_give_up(job, call, with->documents, err);
}

static bool
place(const struct video_reconcile *with, struct fn_call *call, struct video_job *job,
	struct fn_error *err)
{
	int64_t score;

	TRY(video_queue_reserve(&with->queue, call, job, &score, err));
	return video_job_place(job, call, with->documents, score, err);
}

static bool
put_back(const struct video_reconcile *with, struct fn_call *call, struct video_job *job,
	struct fn_error *err)
{
	struct job_ticket ticket;

	if (job->score == 0)
		TRY(place(with, call, job, err));
	if (video_job_ended(job))
		return true;
	TRY(video_queue_enqueue(&with->queue, call, job, &ticket, err));
	if (job->cancel_wanted && ticket.state != JOB_ACTIVE) /* nobody is at it who would see */
		return video_queue_cancel(&with->queue, call, with->documents, job, err);
	if (!ticket.existed)
		fn_log(call, FN_NOTICE, "put back into the queue");
	else if (ticket.state != JOB_WAITING && ticket.state != JOB_DELAYED &&
		 ticket.state != JOB_ACTIVE)
		return write_end(with, call, job, ticket.state, err);
	return true;
}

/* A worker that had stored the video did not live to write so, and whoever ended the job without
 * one could not know of it. */
static bool
clear(const struct video_reconcile *with, struct fn_call *call, struct video_job *job,
	struct fn_error *err)
{
	if (job->attempts == 0)
		return true;
	return object_store_delete(with->objects, call, job->creation.object_key, err);
}

/* ---- Pages --------------------------------------------------------------------------------- */

struct walk {
	const char *status;
	int64_t from_ms, until_ms; /* last touched in between */
	bool (*step)(const struct video_reconcile *, struct fn_call *, struct video_job *,
		struct fn_error *);
	const struct job_worker *holder; /* of the queue's lock; NULL: it is not needed */
};

/* What takes so long that the lock is another's by then is left to that. */
static bool
keep_lock(const struct video_reconcile *with, struct fn_call *call, const struct job_worker *holder,
	struct fn_error *err)
{
	bool mine;

	TRY(job_queue_rebuild_begin(with->queue.jobs, call, holder, &mine, err));
	return mine || fn_fail(err, FN_PRECONDITION, "another worker reconciles the queue");
}

/* One that cannot be helped keeps no other waiting; a store or queue that is down does. */
static bool
visit(const struct video_reconcile *with, struct fn_call *call, const struct walk *walk,
	struct video_job *job, struct fn_error *err)
{
	struct fn_error why;

	fn_log_field(call, "user", job->creation.owner.id);
	fn_log_field(call, "job", job->creation.id);
	if (walk->holder)
		TRY(keep_lock(with, call, walk->holder, err));
	if (walk->step(with, call, job, &why))
		return true;
	if (why.code == FN_UPSTREAM || why.code == FN_DEADLINE) {
		*err = why;
		return fn_wrap(err, "reconcile %.*s", FN_ARG(job->creation.id));
	}
	fn_log(call, FN_WARNING, "not reconciled: %s", why.message);
	return true;
}

/* `token` becomes empty with the last page that is in range. */
static bool
visit_page(const struct video_reconcile *with, struct fn_call *call, const struct walk *walk,
	char token[VIDEO_PASS_TOKEN_SIZE], struct fn_error *err)
{
	const struct document_query query = {
		.collection = CREATIONS,
		.filters = {{"status", fields_keep(call, json_string(walk->status))}},
		.filter_count = 1,
		.order_by = "touched_at_ms",
		.start_at = fields_keep(call, json_integer(walk->from_ms)),
		.limit = PAGE,
		.page_token = fn_bytes(token),
	};
	struct document_page page;
	struct video_job job;
	struct fn_error why;

	TRY(document_store_query(with->documents, call, &query, &page, err));
	for (size_t i = 0; i < page.count; i++) {
		if (!video_job_from_document(&job, &page.documents[i], &why)) {
			fn_log(call, FN_ERROR, "not reconciled: %s", why.message);
			continue;
		}
		if (job.touched_at_ms > walk->until_ms) {
			token[0] = '\0';
			return true;
		}
		TRY(visit(with, call, walk, &job, err));
	}
	assert(page.next.size < VIDEO_PASS_TOKEN_SIZE);
	snprintf(token, VIDEO_PASS_TOKEN_SIZE, "%.*s", FN_ARG(page.next));
	return true;
}

FN_DROP(drop_arena, struct fn_arena *, fn_arena_drop)

/* However many pages there are, memory holds one of them. */
static bool
turn_page(const struct video_reconcile *with, struct fn_call *call, const struct walk *walk,
	char token[VIDEO_PASS_TOKEN_SIZE], struct fn_error *err)
{
	AUTO(drop_arena) struct fn_arena *arena = fn_arena_new();
	struct fn_call own = *call;

	own.arena = arena;
	return visit_page(with, &own, walk, token, err);
}

/* ---- All of them --------------------------------------------------------------------------- */

bool
video_reconcile_rebuild(const struct video_reconcile *with, struct fn_call *call,
	const struct job_worker *worker, const struct job_limits *limits, enum video_reach reach,
	struct fn_error *err)
{
	const int64_t from_ms = reach == VIDEO_RECENT ? fn_unix_ms() - RECENT_MS : 0;
	bool mine;

	TRY(job_queue_rebuild_begin(with->queue.jobs, call, worker, &mine, err));
	if (!mine)
		return true;
	for (size_t i = 0; i < COUNT(unfinished); i++) {
		const struct walk walk = {unfinished[i], from_ms, INT64_MAX, put_back, worker};
		char token[VIDEO_PASS_TOKEN_SIZE] = "";

		do
			TRY(turn_page(with, call, &walk, token, err));
		while (token[0] != '\0');
	}
	return job_queue_rebuild_end(with->queue.jobs, call, worker, limits, err);
}

static bool
clear_all(const struct video_reconcile *with, struct fn_call *call, struct fn_error *err)
{
	int64_t now_ms = fn_unix_ms();

	for (size_t i = 0; i < COUNT(fruitless); i++) {
		const struct walk walk = {fruitless[i], now_ms - RECENT_MS, now_ms, clear, NULL};
		char token[VIDEO_PASS_TOKEN_SIZE] = "";

		do
			TRY(turn_page(with, call, &walk, token, err));
		while (token[0] != '\0');
	}
	return true;
}

bool
video_reconcile_pass(const struct video_reconcile *with, struct fn_call *call,
	struct video_pass *pass, struct fn_error *err)
{
	const int64_t until_ms = fn_unix_ms() - SILENT_MS;

	for (size_t i = 0; i < COUNT(unfinished); i++) {
		const struct walk walk = {unfinished[i], 0, until_ms, put_back, NULL};
		int pages = PAGES_A_PASS;

		do
			TRY(turn_page(with, call, &walk, pass->tokens[i], err));
		while (pass->tokens[i][0] != '\0' && --pages > 0);
	}
	return clear_all(with, call, err);
}
