#include "domain/fields.h"
#include "tools/phoenixctl/command.h"
#include "tools/phoenixctl/jobs.h"
#include "tools/phoenixctl/json.h"
#include "tools/phoenixctl/status.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

bool
queue_status(struct tool *tool, struct fn_error *err)
{
	struct job_queue_status status;

	TRY(job_queue_status(tool->queue, tool->call, &status, err));
	if (tool->wanted.json)
		tool_say_json(tool, status_json(&status));
	else
		status_add(&tool->page, &status);
	return true;
}

/* ---- List ---------------------------------------------------------------------------------- */

struct found {
	struct job_info *jobs;
	size_t count, most;
};

/* The queue moves on between two pages: a job may then be missed, or be there twice. */
static bool
find(struct tool *tool, enum job_state state, struct found *found, struct fn_error *err)
{
	struct fn_bytes user = tool->wanted.user;
	const struct job_info *jobs;
	size_t skip = 0, count;

	do {
		count = JOB_LIST_MOST;
		TRY(job_queue_list(tool->queue, tool->call, state, skip, &jobs, &count, err));
		for (size_t i = 0; i < count && found->count < found->most; i++)
			if (user.size == 0 || fn_bytes_equal(user, jobs[i].user))
				found->jobs[found->count++] = jobs[i];
		skip += count;
	} while (count == JOB_LIST_MOST && found->count < found->most);
	return true;
}

static void
say_found(struct tool *tool, const struct found *found, bool more)
{
	struct fn_arena *arena = tool->page.text.arena;

	if (tool->wanted.json) {
		json_t *json = json_object();

		fields_put(json, "jobs", jobs_json(arena, found->jobs, found->count));
		fields_put(json, "more", json_boolean(more));
		tool_say_json(tool, json);
		return;
	}
	if (found->count == 0)
		page_addf(&tool->page, INK_DIM, "There are no such jobs.\n");
	else
		jobs_add(&tool->page, found->jobs, found->count);
	if (more)
		page_addf(&tool->page, INK_DIM, "There are more: --limit shows them.\n");
}

/* One more than is wanted is looked for, to know whether there is more. */
static bool
list(struct tool *tool, const enum job_state *states, size_t count, struct fn_error *err)
{
	size_t limit = tool->wanted.limit;
	struct found found = {.most = limit + 1};
	bool more;

	found.jobs = fn_arena_alloc(tool->call->arena, found.most * sizeof(*found.jobs));
	for (size_t i = 0; i < count; i++)
		TRY(find(tool, states[i], &found, err));
	more = found.count > limit;
	if (more)
		found.count = limit;
	say_found(tool, &found, more);
	return true;
}

bool
queue_list(struct tool *tool, struct fn_error *err)
{
	static const enum job_state all[] = {JOB_ACTIVE, JOB_WAITING, JOB_DELAYED, JOB_DEAD};

	if (tool->wanted.state != JOB_UNKNOWN)
		return list(tool, &tool->wanted.state, 1, err);
	return list(tool, all, COUNT(all), err);
}

bool
dead_list(struct tool *tool, struct fn_error *err)
{
	static const enum job_state dead = JOB_DEAD;

	return list(tool, &dead, 1, err);
}

/* ---- Pause --------------------------------------------------------------------------------- */

static void
say_paused(struct tool *tool, bool paused, const char *sentence)
{
	if (tool->wanted.json)
		tool_say_json(tool, json_pack("{s:b}", "paused", paused));
	else
		page_addf(&tool->page, INK_PLAIN, "%s\n", sentence);
}

bool
queue_pause(struct tool *tool, struct fn_error *err)
{
	TRY(job_queue_pause(tool->queue, tool->call, err));
	say_paused(tool, true, "The queue is paused: what runs goes on, nothing else begins.");
	return true;
}

bool
queue_resume(struct tool *tool, struct fn_error *err)
{
	TRY(job_queue_resume(tool->queue, tool->call, err));
	say_paused(tool, false, "The queue runs again. Workers that sleep wake within a minute.");
	return true;
}
