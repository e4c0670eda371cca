#include "domain/fields.h"
#include "tools/phoenixctl/command.h"
#include "tools/phoenixctl/json.h"
#include "tools/phoenixctl/text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Redis keeps them in no order. */
static int
by_id(const void *left, const void *right)
{
	struct fn_bytes a = ((const struct job_worker_info *)left)->id;
	struct fn_bytes b = ((const struct job_worker_info *)right)->id;
	int order = memcmp(a.at, b.at, a.size < b.size ? a.size : b.size);

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static struct job_worker_info *
sorted(struct fn_arena *arena, const struct job_worker_info *workers, size_t count)
{
	struct job_worker_info *copy = fn_arena_alloc(arena, (count + 1) * sizeof(*copy));

	memcpy(copy, workers, count * sizeof(*copy));
	qsort(copy, count, sizeof(*copy), by_id);
	return copy;
}

static json_t *
workers_json(struct fn_arena *arena, const struct job_worker_info *workers, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct job_worker_info *worker = &workers[i];
		json_t *json = json_object();

		fields_put(json, "id", json_of_text(arena, worker->id));
		fields_put(json, "busy", json_boolean(worker->busy));
		fields_put(json, "job", json_of_text(arena, worker->job));
		fields_put(json, "silent_ms", json_integer(worker->silent_ms));
		json_array_append_new(list, json);
	}
	return json_pack("{s:o}", "workers", list);
}

static void
workers_add(struct page *page, const struct job_worker_info *workers, size_t count)
{
	static const struct column columns[] = {
		{.title = "WORKER", .least = 16},
		{.title = "STATE"},
		{.title = "LAST CLAIM"},
		{.title = "LAST JOB"},
	};
	struct fn_arena *arena = page->text.arena;
	struct cell *cells = fn_arena_alloc(arena, count * sizeof(struct cell[COUNT(columns)]));

	for (size_t i = 0; i < count; i++) {
		const struct job_worker_info *worker = &workers[i];
		struct cell *row = &cells[i * COUNT(columns)];
		bool busy = worker->busy;

		row[0] = (struct cell){.text = text_clean(arena, worker->id)};
		row[1] = (struct cell){
			busy ? FN_BYTES("busy") : FN_BYTES("idle"), busy ? INK_CYAN : INK_DIM};
		row[2] = (struct cell){text_ago(arena, worker->silent_ms), INK_DIM};
		row[3] = (struct cell){text_clean(arena, worker->job), busy ? INK_PLAIN : INK_DIM};
	}
	page_table(page, columns, COUNT(columns), cells, count);
}

bool
worker_list(struct tool *tool, struct fn_error *err)
{
	const struct job_worker_info *workers;
	size_t count;

	TRY(job_queue_workers(tool->queue, tool->call, &workers, &count, err));
	workers = sorted(tool->call->arena, workers, count);
	if (tool->wanted.json)
		tool_say_json(tool, workers_json(tool->call->arena, workers, count));
	else if (count == 0)
		page_addf(&tool->page, INK_DIM, "No worker has claimed anything yet.\n");
	else
		workers_add(&tool->page, workers, count);
	return true;
}
