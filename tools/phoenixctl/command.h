/* command.h: the commands, and how they are asked for. */
#ifndef COMMAND_H
#define COMMAND_H

#include "tools/phoenixctl/tool.h"

typedef bool command_run(struct tool *, struct fn_error *);

struct command {
	const char *name;    /* "queue list" */
	bool takes_id;       /* of a job, which is looked up in the store as well */
	bool needs_store;    /* the same without an id */
	const char *options; /* the letters of those it takes, beside --json and --help */
	command_run *run;
	const char *summary; /* one line */
	const char *meaning; /* what else there is to know */
	const char *example;
};

extern const struct command commands[];
extern const size_t command_count;

command_run queue_status, queue_list, queue_pause, queue_resume;
command_run job_show, job_cancel;
command_run dead_list, dead_replay, dead_drop;
command_run worker_list;
command_run ledger_check;
command_run watch;

#endif
