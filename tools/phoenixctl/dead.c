#include "domain/video_dead.h"
#include "tools/phoenixctl/command.h"

bool
dead_replay(struct tool *tool, struct fn_error *err)
{
	struct fn_bytes id = tool->wanted.id;
	struct job_ticket ticket;

	TRY(video_dead_replay(&tool->videos, tool->call, tool->documents, id, &ticket, err));
	if (tool->wanted.json)
		tool_say_json(tool, json_pack("{s:s%, s:s, s:I}", "id", id.at, id.size, "state",
					    job_state_name(ticket.state), "position",
					    (json_int_t)ticket.position));
	else
		page_addf(&tool->page, INK_PLAIN,
			"%.*s waits again, at place %zu of %zu. Workers that sleep wake within a "
			"minute.\n",
			FN_ARG(id), ticket.position, ticket.of);
	return true;
}

bool
dead_drop(struct tool *tool, struct fn_error *err)
{
	struct fn_bytes id = tool->wanted.id;

	TRY(video_dead_drop(&tool->videos, tool->call, tool->documents, id, err));
	if (tool->wanted.json)
		tool_say_json(
			tool, json_pack("{s:s%, s:b}", "id", id.at, id.size, "dropped", true));
	else
		page_addf(&tool->page, INK_PLAIN, "%.*s is forgotten; its video stays failed.\n",
			FN_ARG(id));
	return true;
}
