#include "tools/phoenixctl/command.h"

const struct command commands[] = {
	{
		.name = "queue status",
		.options = "",
		.run = queue_status,
		.summary = "Show how many jobs are in which state, and what limits them",
		.meaning = "",
		.example = "queue status",
	},
	{
		.name = "queue list",
		.options = "sul",
		.run = queue_list,
		.summary = "List jobs: active, waiting in order of service, delayed, dead",
		.meaning = "",
		.example = "queue list --state waiting --user user_dev --limit 5",
	},
	{
		.name = "dead list",
		.options = "ul",
		.run = dead_list,
		.summary = "List dead letters, newest first",
		.meaning = "",
		.example = "dead list --json | jq -r '.jobs[].id'",
	},
	{
		.name = "pause",
		.options = "",
		.run = queue_pause,
		.summary = "Let no more jobs begin; those that run go on",
		.meaning = "Jobs are still taken in.\n",
		.example = "pause",
	},
	{
		.name = "resume",
		.options = "",
		.run = queue_resume,
		.summary = "Let jobs begin again",
		.meaning = "",
		.example = "resume",
	},
	{
		.name = "worker list",
		.options = "",
		.run = worker_list,
		.summary = "List the workers that have claimed lately, and what they are at",
		.meaning = "",
		.example = "worker list",
	},
	{
		.name = "watch",
		.options = "c",
		.run = watch,
		.summary = "Watch the queue live, until q or Ctrl-C",
		.meaning = "On a terminal it fills the screen; into a pipe it writes one line a "
			   "second.\n",
		.example = "watch --json --count 1",
	},
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);
