#include "tools/phoenixctl/tool.h"

#include "fn/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000

void
tool_set_deadline(struct tool *tool)
{
	tool->call->deadline_ms = fn_now_ms() + PATIENCE_MS;
}

void
tool_say_json(struct tool *tool, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	assert(text);
	fn_addf(&tool->page.text, "%s\n", text);
	free(text);
	json_decref(json);
}

bool
tool_flush(struct tool *tool, struct fn_error *err)
{
	struct fn_bytes text = page_take(&tool->page);
	bool written = text.size == 0 ||
		       (fwrite(text.at, text.size, 1, stdout) == 1 && fflush(stdout) == 0);
	int reason = written ? 0 : errno;

	return written || fn_fail(err, FN_INTERNAL, "standard output: %s", strerror(reason));
}
