#include "tools/phoenixctl/jobs.h"

#include "domain/fields.h"
#include "tools/phoenixctl/json.h"
#include "tools/phoenixctl/text.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- JSON ---------------------------------------------------------------------------------- */

json_t *
job_json(struct fn_arena *arena, const struct job_info *job)
{
	const struct json_count counts[] = {
		{"position", job->position > 0 ? (int64_t)job->position : -1},
		{"starts_in_ms", job->starts_in_ms},
		{"progress", job->progress},
		{"attempts", job->attempts},
		{"failures", job->failures},
		{"crashes", job->crashes},
	};
	json_t *json = json_object();

	fields_put(json, "id", json_of_text(arena, job->id));
	fields_put(json, "user", json_of_text(arena, job->user));
	fields_put(json, "state", json_string(job_state_name(job->state)));
	json_put_counts(json, counts, COUNT(counts));
	fields_put(json, "cancel_wanted", json_boolean(job->cancel_wanted));
	fields_put(json, "enqueued_at", json_of_moment(job->enqueued_ms));
	fields_put(json, "lease_until", json_of_moment(job->state == JOB_ACTIVE ? job->at_ms : 0));
	fields_put(
		json, "delayed_until", json_of_moment(job->state == JOB_DELAYED ? job->at_ms : 0));
	fields_put(json, "died_at", json_of_moment(job->state == JOB_DEAD ? job->at_ms : 0));
	fields_put(json, "worker", json_of_text(arena, job->worker));
	fields_put(json, "operation", json_of_text(arena, job->operation));
	fields_put(json, "note", json_of_text(arena, job->note));
	return json;
}

json_t *
jobs_json(struct fn_arena *arena, const struct job_info *jobs, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, job_json(arena, &jobs[i]));
	return list;
}

/* ---- Rows ---------------------------------------------------------------------------------- */

enum ink
job_ink(enum job_state state)
{
	static const enum ink inks[] = {
		[JOB_UNKNOWN] = INK_DIM,
		[JOB_WAITING] = INK_PLAIN,
		[JOB_DELAYED] = INK_YELLOW,
		[JOB_ACTIVE] = INK_CYAN,
		[JOB_SUCCEEDED] = INK_GREEN,
		[JOB_CANCELED] = INK_DIM,
		[JOB_DEAD] = INK_RED,
	};

	return inks[state];
}

static struct fn_bytes
place(struct fn_arena *arena, const struct job_info *job)
{
	if (job->starts_in_ms < 0)
		return fn_bytes(fn_textf(arena, "place %zu", job->position));
	return fn_bytes(fn_textf(arena, "place %zu, in ~%.*s", job->position,
		FN_ARG(text_span(arena, job->starts_in_ms))));
}

struct fn_bytes
job_outlook(struct fn_arena *arena, const struct job_info *job)
{
	int64_t left_ms = job->at_ms - job->seen_ms;

	switch (job->state) {
	case JOB_WAITING:
		return place(arena, job);
	case JOB_ACTIVE:
		return fn_bytes(
			fn_textf(arena, "lease ends %.*s", FN_ARG(text_in(arena, left_ms))));
	case JOB_DELAYED:
		return fn_bytes(fn_textf(arena, "again %.*s", FN_ARG(text_in(arena, left_ms))));
	case JOB_DEAD:
		return fn_bytes(fn_textf(arena, "died %.*s", FN_ARG(text_ago(arena, -left_ms))));
	default:
		return fn_bytes(NULL);
	}
}

struct fn_bytes
job_age(struct fn_arena *arena, const struct job_info *job)
{
	return text_ago(arena, job->seen_ms - job->enqueued_ms);
}

static struct fn_bytes
state_text(struct fn_arena *arena, const struct job_info *job)
{
	const char *name = job_state_name(job->state);

	if (job->state != JOB_ACTIVE)
		return fn_bytes(name);
	if (job->cancel_wanted)
		return FN_BYTES("stopping");
	if (job->progress < 0)
		return fn_bytes(name);
	return fn_bytes(fn_textf(arena, "%s %d %%", name, job->progress));
}

void
jobs_add(struct page *page, const struct job_info *jobs, size_t count)
{
	static const struct column columns[] = {
		{.title = "JOB"},
		{.title = "USER", .least = 8},
		{.title = "STATE"},
		{.title = "NEXT"},
		{.title = "TRY", .right = true},
		{.title = "ENQUEUED", .spare = true},
		{.title = "NOTE", .least = 8},
	};
	struct fn_arena *arena = page->text.arena;
	struct cell *cells =
		fn_arena_alloc(arena, (count + 1) * sizeof(struct cell[COUNT(columns)]));

	for (size_t i = 0; i < count; i++) {
		const struct job_info *job = &jobs[i];
		const struct cell row[COUNT(columns)] = {
			{.text = text_clean(arena, job->id)},
			{.text = text_clean(arena, job->user)},
			{state_text(arena, job), job_ink(job->state)},
			{.text = job_outlook(arena, job)},
			{.text = fn_bytes(fn_textf(arena, "%u", job->attempts))},
			{job_age(arena, job), INK_DIM},
			{text_clean(arena, job->note), INK_DIM},
		};

		memcpy(&cells[i * COUNT(columns)], row, sizeof(row));
	}
	page_table(page, columns, COUNT(columns), cells, count);
}
