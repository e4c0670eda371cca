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
		.name = "job show",
		.takes_id = true,
		.options = "p",
		.run = job_show,
		.summary = "Show all that queue and store know of a job",
		.meaning = "A video's job has the video's id. What its owner wrote is not shown "
			   "unless\n"
			   "it is asked for.\n",
		.example = "job show vid_01kavd0z3m8f2q4r6t8v0x2z4b",
	},
	{
		.name = "job cancel",
		.takes_id = true,
		.options = "",
		.run = job_cancel,
		.summary = "Cancel a job and give its tokens back",
		.meaning = "One that waits ends at once. One that runs is stopped by its worker, "
			   "within\n"
			   "seconds.\n",
		.example = "job cancel vid_01kavd0z3m8f2q4r6t8v0x2z4b",
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
		.name = "dead replay",
		.takes_id = true,
		.options = "",
		.run = dead_replay,
		.summary = "Try a dead letter again, as if it were new",
		.meaning = "Its tokens, which were given back, are taken again first.\n",
		.example = "dead replay vid_01kavd0z3m8f2q4r6t8v0x2z4b",
	},
	{
		.name = "dead drop",
		.takes_id = true,
		.options = "",
		.run = dead_drop,
		.summary = "Forget a dead letter",
		.meaning = "Its video stays failed, and its tokens given back.\n",
		.example = "dead drop vid_01kavd0z3m8f2q4r6t8v0x2z4b",
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
		.name = "ledger check",
		.needs_store = true,
		.options = "u",
		.run = ledger_check,
		.summary = "Prove that each balance is the sum of its ledger",
		.meaning = "Where one is not, it says which, and fails.\n",
		.example = "ledger check --user user_dev",
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
