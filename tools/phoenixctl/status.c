#include "tools/phoenixctl/status.h"

#include "domain/fields.h"
#include "tools/phoenixctl/json.h"

#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct cell
status_word(const struct job_queue_status *status)
{
	if (!status->rebuilt)
		return (struct cell){FN_BYTES("new"), INK_YELLOW};
	if (status->paused)
		return (struct cell){FN_BYTES("paused"), INK_YELLOW};
	return (struct cell){FN_BYTES("running"), INK_GREEN};
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static int64_t
if_limited(long limit)
{
	return limit > 0 ? limit : -1;
}

static json_t *
limits_json(const struct job_limits *limits)
{
	const struct json_count counts[] = {
		{"running", if_limited(limits->running)},
		{"running_per_user", if_limited(limits->running_per_user)},
		{"waiting", if_limited(limits->waiting)},
		{"waiting_per_user", if_limited(limits->waiting_per_user)},
		{"calls_per_minute", if_limited(limits->calls_per_minute)},
		{"failures", if_limited(limits->failures)},
		{"crashes", if_limited(limits->crashes)},
	};
	json_t *json = json_object();

	json_put_counts(json, counts, COUNT(counts));
	return json;
}

static json_t *
so_far_json(const struct job_queue_status *status)
{
	const struct json_count counts[] = {
		{"enqueued", (int64_t)status->enqueued},
		{"claimed", (int64_t)status->claimed},
		{"succeeded", (int64_t)status->succeeded},
		{"canceled", (int64_t)status->canceled},
		{"failed", (int64_t)status->failed},
		{"crashed", (int64_t)status->crashed},
		{"released", (int64_t)status->released},
		{"buried", (int64_t)status->buried},
	};
	json_t *json = json_object();

	json_put_counts(json, counts, COUNT(counts));
	return json;
}

json_t *
status_json(const struct job_queue_status *status)
{
	const struct json_count counts[] = {
		{"waiting", (int64_t)status->waiting},
		{"ready", (int64_t)status->ready},
		{"active", (int64_t)status->active},
		{"delayed", (int64_t)status->delayed},
		{"dead", (int64_t)status->dead},
		{"gap_ms", status->gap_ms},
	};
	json_t *json = json_object();

	fields_put(json, "state", json_string(status_word(status).text.at));
	json_put_counts(json, counts, COUNT(counts));
	fields_put(json, "so_far", so_far_json(status));
	fields_put(json, "limits", limits_json(&status->limits));
	return json;
}

/* ---- Text ---------------------------------------------------------------------------------- */

/* "at most 10, 2 of one user"; `each` has a place for the number. */
static void
add_limit(struct fn_builder *text, long limit, const char *each)
{
	if (limit <= 0)
		return;
	fn_add(text, text->size > 0 ? FN_BYTES(", ") : FN_BYTES("at most "));
	fn_addf(text, "%ld%s", limit, each);
}

static struct fn_bytes
waiting_limits(struct fn_arena *arena, const struct job_limits *limits)
{
	struct fn_builder text = {.arena = arena};

	add_limit(&text, limits->waiting, "");
	add_limit(&text, limits->waiting_per_user, " of one user");
	return fn_built(&text);
}

static struct fn_bytes
active_limits(struct fn_arena *arena, const struct job_limits *limits)
{
	struct fn_builder text = {.arena = arena};

	add_limit(&text, limits->running, "");
	add_limit(&text, limits->running_per_user, " of one user");
	add_limit(&text, limits->calls_per_minute, " begun a minute");
	return fn_built(&text);
}

/* They are unknown until a worker has set them. */
static struct fn_bytes
dead_limits(struct fn_arena *arena, const struct job_limits *limits)
{
	if (limits->failures == 0)
		return fn_bytes(NULL);
	return fn_bytes(fn_textf(
		arena, "after %ld failures or %ld crashes", limits->failures, limits->crashes));
}

struct row {
	const char *name;
	uint64_t jobs;
	enum ink ink; /* where there are any */
	struct fn_bytes meaning;
};

static void
rows_add(struct page *page, const char *title, const struct row *rows, size_t count)
{
	const struct column columns[] = {
		{.title = title}, {.title = "JOBS", .right = true}, {.title = "", .least = 8}};
	struct fn_arena *arena = page->text.arena;
	struct cell *cells = fn_arena_alloc(arena, count * sizeof(struct cell[COUNT(columns)]));

	for (size_t i = 0; i < count; i++) {
		struct cell *row = &cells[i * COUNT(columns)];
		struct fn_bytes jobs = fn_bytes(fn_textf(arena, "%" PRIu64, rows[i].jobs));

		row[0] = (struct cell){.text = fn_bytes(rows[i].name)};
		row[1] = (struct cell){jobs, rows[i].jobs > 0 ? rows[i].ink : INK_DIM};
		row[2] = (struct cell){rows[i].meaning, INK_DIM};
	}
	page_table(page, columns, COUNT(columns), cells, count);
}

static void
state_add(struct page *page, const struct job_queue_status *status)
{
	struct cell word = status_word(status);

	page_addf(page, INK_PLAIN, "The queue is ");
	page_add(page, word.ink, word.text);
	if (!status->rebuilt)
		page_addf(page, INK_DIM, ": the first worker fills it from the store");
	else if (status->gap_ms >= 0)
		page_addf(page, INK_DIM, "; a job starts every %.1f s",
			(double)status->gap_ms / 1000);
	page_addf(page, INK_PLAIN, ".\n\n");
}

void
status_add(struct page *page, const struct job_queue_status *status)
{
	struct fn_arena *arena = page->text.arena;
	const struct job_limits *limits = &status->limits;
	const struct row now[] = {
		{"waiting", status->waiting, INK_BOLD, waiting_limits(arena, limits)},
		{"  ready", status->ready, INK_PLAIN, FN_BYTES("a worker could start them now")},
		{"active", status->active, INK_CYAN, active_limits(arena, limits)},
		{"delayed", status->delayed, INK_YELLOW, FN_BYTES("until they are tried again")},
		{"dead", status->dead, INK_RED, dead_limits(arena, limits)},
	};
	const struct row so_far[] = {
		{"enqueued", status->enqueued, INK_PLAIN, FN_BYTES("")},
		{"claimed", status->claimed, INK_PLAIN, FN_BYTES("attempts that began")},
		{"succeeded", status->succeeded, INK_GREEN, FN_BYTES("")},
		{"canceled", status->canceled, INK_PLAIN, FN_BYTES("")},
		{"failed", status->failed, INK_YELLOW, FN_BYTES("attempts, to be tried again")},
		{"crashed", status->crashed, INK_YELLOW, FN_BYTES("leases that ran out")},
		{"released", status->released, INK_PLAIN,
			FN_BYTES("attempts that were given back")},
		{"buried", status->buried, INK_RED, FN_BYTES("given up: they became dead letters")},
	};

	state_add(page, status);
	rows_add(page, "NOW", now, COUNT(now));
	fn_add(&page->text, FN_BYTES("\n"));
	rows_add(page, "SO FAR", so_far, COUNT(so_far));
}
