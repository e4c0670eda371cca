#include "domain/fields.h"
#include "domain/video_dead.h"
#include "fn/clock.h"
#include "tools/phoenixctl/command.h"
#include "tools/phoenixctl/jobs.h"
#include "tools/phoenixctl/json.h"
#include "tools/phoenixctl/text.h"

#include <inttypes.h>

/* ---- Show ---------------------------------------------------------------------------------- */

/* What the queue and the store know; one of them may know nothing. */
struct view {
	struct job_info job;
	struct video_job video;
	bool is_stored;
};

static bool
view_read(struct tool *tool, struct view *view, struct fn_error *err)
{
	struct fn_bytes id = tool->wanted.id;
	struct fn_error why;

	TRY(job_queue_get(tool->queue, tool->call, id, &view->job, err));
	view->is_stored = video_job_read(&view->video, tool->call, tool->documents, id, &why);
	if (view->is_stored || (why.code == FN_NOT_FOUND && view->job.state != JOB_UNKNOWN))
		return true;
	if (why.code != FN_NOT_FOUND) {
		*err = why;
		return false;
	}
	return fn_fail(err, FN_NOT_FOUND, "job %.*s: neither queue nor store knows it", FN_ARG(id));
}

static json_t *
video_json(struct fn_arena *arena, const struct video_job *video, bool with_prompt)
{
	const struct video_request *request = &video->request;
	const struct json_count counts[] = {
		{"price", video->price},
		{"attempts", video->attempts},
		{"duration_s", request->duration_s},
		{"seed", request->has_seed ? (int64_t)request->seed : -1},
	};
	json_t *json = json_object();

	fields_put(json, "status", json_string(video->creation.status));
	fields_put(json, "user", json_of_text(arena, video->creation.owner.id));
	fields_put(json, "username", json_of_text(arena, video->creation.owner.username));
	json_put_counts(json, counts, sizeof(counts) / sizeof(counts[0]));
	fields_put(json, "paid", json_boolean(video->paid));
	fields_put(json, "refunded", json_boolean(video->refunded));
	fields_put(json, "cancel_wanted", json_boolean(video->cancel_wanted));
	fields_put(json, "aspect_ratio", json_string(request->aspect_ratio));
	fields_put(json, "audio", json_boolean(request->audio));
	fields_put(json, "reason", json_of_text(arena, video->reason));
	fields_put(json, "operation", json_of_text(arena, video->operation));
	fields_put(json, "url", json_of_text(arena, video->creation.url));
	fields_put(json, "created_at", json_of_moment(video->creation.created_at_ms));
	fields_put(json, "touched_at", json_of_moment(video->touched_at_ms));
	fields_put(json, "call_begun_at", json_of_moment(video->call_begun_at_ms));
	if (with_prompt)
		fields_put(json, "prompt", json_of_text(arena, video->creation.prompt));
	return json;
}

static void
view_json(struct tool *tool, const struct view *view)
{
	struct fn_arena *arena = tool->call->arena;
	json_t *json = json_object();
	bool is_queued = view->job.state != JOB_UNKNOWN;

	fields_put(json, "id", json_of_text(arena, tool->wanted.id));
	fields_put(json, "job", is_queued ? job_json(arena, &view->job) : json_null());
	fields_put(json, "video",
		view->is_stored ? video_json(arena, &view->video, tool->wanted.prompt)
				: json_null());
	tool_say_json(tool, json);
}

/* "Owner      user_dev"; nothing where there is no value. */
static void
line_add(struct page *page, const char *name, enum ink ink, struct fn_bytes value)
{
	if (value.size == 0)
		return;
	page_addf(page, INK_DIM, "%-10s ", name);
	page_add(page, ink, text_clean(page->text.arena, value));
	page_addf(page, INK_PLAIN, "\n");
}

static enum ink
status_ink(const struct video_job *video)
{
	if (!video_job_ended(video))
		return INK_CYAN;
	switch (video_job_verdict(video)) {
	case JOB_SUCCESS:
		return INK_GREEN;
	case JOB_FAILURE:
		return INK_RED;
	default:
		return INK_DIM;
	}
}

static struct fn_bytes
owner_text(struct fn_arena *arena, const struct user *owner)
{
	if (owner->username.size == 0)
		return owner->id;
	return fn_bytes(fn_textf(arena, "%.*s (%.*s)", FN_ARG(owner->id), FN_ARG(owner->username)));
}

static struct fn_bytes
request_text(struct fn_arena *arena, const struct video_request *request)
{
	struct fn_builder text = {.arena = arena};

	fn_addf(&text, "%s, %u s, %s sound", request->aspect_ratio, request->duration_s,
		request->audio ? "with" : "without");
	if (request->has_seed)
		fn_addf(&text, ", seed %" PRIu32, request->seed);
	return fn_built(&text);
}

static struct fn_bytes
price_text(struct fn_arena *arena, const struct video_job *video)
{
	return fn_bytes(fn_textf(arena, "%" PRId64 " tokens%s", video->price,
		video->refunded ? ", given back" : ""));
}

static void
video_add(struct page *page, const struct video_job *video, bool with_prompt)
{
	const struct creation *creation = &video->creation;
	struct fn_arena *arena = page->text.arena;

	line_add(page, "Status", status_ink(video), fn_bytes(creation->status));
	line_add(page, "Reason", INK_PLAIN, video->reason);
	line_add(page, "Owner", INK_PLAIN, owner_text(arena, &creation->owner));
	line_add(page, "Created", INK_PLAIN,
		text_ago(arena, fn_unix_ms() - creation->created_at_ms));
	line_add(page, "Touched", INK_PLAIN, text_ago(arena, fn_unix_ms() - video->touched_at_ms));
	line_add(page, "Request", INK_PLAIN, request_text(arena, &video->request));
	line_add(page, "Price", INK_PLAIN, price_text(arena, video));
	line_add(page, "Class", INK_PLAIN, video->paid ? FN_BYTES("paid") : FN_BYTES("free"));
	line_add(page, "Operation", INK_PLAIN, video->operation);
	line_add(page, "URL", INK_PLAIN, creation->url);
	if (with_prompt)
		line_add(page, "Prompt", INK_PLAIN, creation->prompt);
}

static struct fn_bytes
queue_text(struct fn_arena *arena, const struct job_info *job)
{
	struct fn_bytes outlook = job_outlook(arena, job);

	return fn_bytes(fn_textf(arena, "%s%s%.*s%s", job_state_name(job->state),
		outlook.size > 0 ? ", " : "", FN_ARG(outlook),
		job->cancel_wanted ? ", is being canceled" : ""));
}

static void
job_add(struct page *page, const struct job_info *job)
{
	struct fn_arena *arena = page->text.arena;

	line_add(page, "Queue", job_ink(job->state), queue_text(arena, job));
	if (job->state == JOB_UNKNOWN)
		return;
	if (job->state == JOB_ACTIVE)
		line_add(page, "Progress", INK_CYAN, page_bar(page, job->progress));
	line_add(page, "Enqueued", INK_PLAIN, job_age(arena, job));
	line_add(page, "Attempts", INK_PLAIN,
		fn_bytes(fn_textf(arena, "%u, of which %u failed and %u crashed", job->attempts,
			job->failures, job->crashes)));
	line_add(page, "Worker", INK_PLAIN, job->worker);
	line_add(page, "Note", INK_PLAIN, job->note);
}

bool
job_show(struct tool *tool, struct fn_error *err)
{
	struct page *page = &tool->page;
	struct view view;

	TRY(view_read(tool, &view, err));
	if (tool->wanted.json) {
		view_json(tool, &view);
		return true;
	}
	line_add(page, "Job", INK_BOLD, tool->wanted.id);
	if (view.is_stored)
		video_add(page, &view.video, tool->wanted.prompt);
	else
		line_add(page, "Status", INK_RED, FN_BYTES("unknown to the store"));
	job_add(page, &view.job);
	return true;
}

/* ---- Cancel -------------------------------------------------------------------------------- */

static void
say_canceled(struct tool *tool, const struct video_job *video)
{
	struct fn_bytes id = tool->wanted.id;

	if (tool->wanted.json)
		tool_say_json(tool, json_pack("{s:s%, s:s, s:b}", "id", id.at, id.size, "status",
					    video->creation.status, "refunded", video->refunded));
	else if (video_job_ended(video))
		page_addf(&tool->page, INK_PLAIN,
			"%.*s is canceled; %" PRId64 " tokens were given back.\n", FN_ARG(id),
			video->price);
	else
		page_addf(&tool->page, INK_PLAIN,
			"%.*s is being stopped; its tokens come back then.\n", FN_ARG(id));
}

bool
job_cancel(struct tool *tool, struct fn_error *err)
{
	struct video_job video;
	struct fn_bytes id = tool->wanted.id;

	if (!video_job_read(&video, tool->call, tool->documents, id, err)) {
		if (err->code == FN_NOT_FOUND)
			fn_fail(err, FN_NOT_FOUND, "job %.*s: the store knows no such job",
				FN_ARG(id));
		return false;
	}
	TRY(video_queue_cancel(&tool->videos, tool->call, tool->documents, &video, err));
	say_canceled(tool, &video);
	return true;
}
