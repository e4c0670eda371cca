#include "domain/fields.h"
#include "fn/clock.h"
#include "tools/phoenixctl/command.h"
#include "tools/phoenixctl/jobs.h"
#include "tools/phoenixctl/json.h"
#include "tools/phoenixctl/status.h"
#include "tools/phoenixctl/terminal.h"
#include "tools/phoenixctl/text.h"

#include <inttypes.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PAUSE_MS 1000
#define OTHER_LINES 11 /* of a screen that are no jobs */

#define CLOCK_SIZE sizeof("23:59:59")

static void
clock_text(char text[CLOCK_SIZE])
{
	time_t now = (time_t)(fn_unix_ms() / 1000);
	struct tm parts;

	localtime_r(&now, &parts);
	strftime(text, CLOCK_SIZE, "%T", &parts);
}

/* ---- Line by line -------------------------------------------------------------------------- */

static bool
say_json(struct tool *tool, const struct job_queue_status *status, struct fn_error *err)
{
	const struct job_info *active;
	size_t count = JOB_LIST_MOST;
	json_t *json;

	TRY(job_queue_list(tool->queue, tool->call, JOB_ACTIVE, 0, &active, &count, err));
	json = status_json(status);
	fields_put(json, "at", json_of_moment(fn_unix_ms()));
	fields_put(json, "jobs", jobs_json(tool->call->arena, active, count));
	tool_say_json(tool, json);
	return true;
}

static void
say_line(struct tool *tool, const struct job_queue_status *status)
{
	char clock[CLOCK_SIZE];

	clock_text(clock);
	page_addf(&tool->page, INK_PLAIN,
		"%s  %-7s  waiting %5zu  ready %5zu  active %4zu  delayed %4zu  dead %4zu"
		"  succeeded %6" PRIu64 "\n",
		clock, status_word(status).text.at, status->waiting, status->ready, status->active,
		status->delayed, status->dead, status->succeeded);
}

static bool
say_look(struct tool *tool, struct fn_error *err)
{
	struct job_queue_status status;

	TRY(job_queue_status(tool->queue, tool->call, &status, err));
	if (tool->wanted.json)
		TRY(say_json(tool, &status, err));
	else
		say_line(tool, &status);
	return tool_flush(tool, err);
}

static void
begin_again(struct tool *tool)
{
	fn_arena_reset(tool->call->arena);
	tool_set_deadline(tool);
}

static bool
watch_lines(struct tool *tool, struct fn_error *err)
{
	const struct timespec pause = {.tv_sec = PAUSE_MS / 1000};

	TRY(say_look(tool, err));
	for (uint64_t looks = 1; looks != tool->wanted.count; looks++) {
		nanosleep(&pause, NULL);
		begin_again(tool);
		TRY(say_look(tool, err));
	}
	return true;
}

/* ---- Screen -------------------------------------------------------------------------------- */

static const struct column columns[] = {
	{.title = "JOB"},
	{.title = "NEXT"},
	{.title = "USER", .least = 8},
	{.title = "TRY", .right = true},
	{.title = "ENQUEUED", .right = true},
	{.title = "NOTE", .least = 16},
};

struct section {
	enum job_state state;
	size_t total, shown;
	const struct job_info *jobs;
};

enum { ACTIVE, WAITING, DELAYED, DEAD, SECTIONS };

/* Each gets its share of the lines, and what others leave. */
static void
share(struct section *sections, size_t lines)
{
	size_t each = lines / SECTIONS;

	for (size_t i = 0; i < SECTIONS; i++) {
		sections[i].shown = sections[i].total < each ? sections[i].total : each;
		lines -= sections[i].shown;
	}
	for (size_t i = 0; i < SECTIONS; i++) {
		size_t hidden = sections[i].total - sections[i].shown;
		size_t more = hidden < lines ? hidden : lines;

		sections[i].shown += more;
		lines -= more;
	}
}

static bool
look(struct tool *tool, struct job_queue_status *status, struct section *sections, size_t lines,
	struct fn_error *err)
{
	TRY(job_queue_status(tool->queue, tool->call, status, err));
	sections[ACTIVE] = (struct section){JOB_ACTIVE, status->active, 0, NULL};
	sections[WAITING] = (struct section){JOB_WAITING, status->waiting, 0, NULL};
	sections[DELAYED] = (struct section){JOB_DELAYED, status->delayed, 0, NULL};
	sections[DEAD] = (struct section){JOB_DEAD, status->dead, 0, NULL};
	share(sections, lines);
	for (size_t i = 0; i < SECTIONS; i++) {
		struct section *section = &sections[i];

		if (section->shown > 0)
			TRY(job_queue_list(tool->queue, tool->call, section->state, 0,
				&section->jobs, &section->shown, err));
	}
	return true;
}

static struct cell
next_cell(const struct page *page, const struct job_info *job)
{
	struct fn_arena *arena = page->text.arena;

	if (job->state != JOB_ACTIVE)
		return (struct cell){job_outlook(arena, job), job_ink(job->state)};
	return (struct cell){page_bar(page, job->progress), job_ink(job->state)};
}

static struct cell
note_cell(struct fn_arena *arena, const struct job_info *job)
{
	if (job->cancel_wanted)
		return (struct cell){FN_BYTES("is being canceled"), INK_YELLOW};
	return (struct cell){
		text_clean(arena, job->state == JOB_ACTIVE ? job->worker : job->note), INK_DIM};
}

static void
job_row(const struct page *page, const struct job_info *job, struct cell *row)
{
	struct fn_arena *arena = page->text.arena;

	row[0] = (struct cell){.text = text_clean(arena, job->id)};
	row[1] = next_cell(page, job);
	row[2] = (struct cell){.text = text_clean(arena, job->user)};
	row[3] = (struct cell){.text = fn_bytes(fn_textf(arena, "%u", job->attempts))};
	row[4] = (struct cell){job_age(arena, job), INK_DIM};
	row[5] = note_cell(arena, job);
}

static struct cell
heading(struct fn_arena *arena, const struct section *section, size_t ready)
{
	struct fn_builder text = {.arena = arena};

	fn_addf(&text, "%zu %s", section->total, job_state_name(section->state));
	if (section->state == JOB_WAITING && section->total > 0)
		fn_addf(&text, ", %zu ready", ready);
	return (struct cell){fn_built(&text), section->total > 0 ? INK_BOLD : INK_DIM};
}

/* One table, so that all of it is aligned: a heading and its jobs, a blank line, the next one. */
static void
sections_add(struct page *page, const struct section *sections, size_t ready)
{
	size_t rows = 2 * SECTIONS - 1;
	struct cell *cells, *row;

	for (size_t i = 0; i < SECTIONS; i++)
		rows += sections[i].shown;
	row = cells = fn_arena_zero(page->text.arena, rows * sizeof(struct cell[COUNT(columns)]));
	for (size_t i = 0; i < SECTIONS; i++) {
		if (i > 0)
			row += COUNT(columns);
		*row = heading(page->text.arena, &sections[i], ready);
		row += COUNT(columns);
		for (size_t j = 0; j < sections[i].shown; j++, row += COUNT(columns))
			job_row(page, &sections[i].jobs[j], row);
	}
	page_table(page, columns, COUNT(columns), cells, rows);
}

static void
head_add(struct page *page, const struct job_queue_status *status)
{
	char clock[CLOCK_SIZE];
	struct cell word = status_word(status);

	clock_text(clock);
	page_addf(page, INK_BOLD, "Phoenix queue  ");
	page_add(page, word.ink, word.text);
	page_addf(page, INK_DIM, "  %s\n", clock);
	page_addf(page, INK_GREEN, "%" PRIu64 " succeeded", status->succeeded);
	page_addf(page, INK_DIM, ", %" PRIu64 " canceled, %" PRIu64 " given up", status->canceled,
		status->buried);
	if (status->gap_ms >= 0)
		page_addf(
			page, INK_DIM, "; one starts every %.1f s", (double)status->gap_ms / 1000);
	page_addf(page, INK_PLAIN, "\n\n");
}

/* What fails is shown, and tried again: a server that restarts is what one wants to watch. */
static void
show(struct tool *tool)
{
	struct section sections[SECTIONS];
	struct job_queue_status status;
	struct fn_error err;
	size_t height;

	terminal_size(&tool->page.width, &height);
	if (look(tool, &status, sections, height > OTHER_LINES ? height - OTHER_LINES : 0, &err)) {
		head_add(&tool->page, &status);
		sections_add(&tool->page, sections, status.ready);
	} else {
		page_addf(&tool->page, INK_BOLD, "Phoenix queue  ");
		page_add(
			&tool->page, INK_RED, text_clean(tool->call->arena, fn_bytes(err.message)));
	}
	terminal_show(tool->call->arena, page_take(&tool->page));
}

static bool
watch_screen(struct tool *tool, struct fn_error *err)
{
	struct job_queue_status status;

	TRY(job_queue_status(tool->queue, tool->call, &status, err));
	terminal_begin();
	show(tool);
	for (uint64_t looks = 1; looks != tool->wanted.count && terminal_wait(PAUSE_MS); looks++) {
		begin_again(tool);
		show(tool);
	}
	terminal_end();
	return true;
}

bool
watch(struct tool *tool, struct fn_error *err)
{
	if (terminal_is_there() && !tool->wanted.json)
		return watch_screen(tool, err);
	return watch_lines(tool, err);
}
