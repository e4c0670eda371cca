/* tool.h: what a command is asked for, what it works with, and what it says. */
#ifndef TOOL_H
#define TOOL_H

#include "adapters/document_store.h"
#include "domain/video_queue.h"
#include "tools/phoenixctl/page.h"

struct command;

struct arguments {
	const struct command *command;
	struct fn_bytes id;   /* of a job; empty where the command takes none */
	enum job_state state; /* JOB_UNKNOWN: any */
	struct fn_bytes user; /* empty: any */
	size_t limit;
	uint64_t count; /* 0: no end */
	bool json, prompt;
};

struct tool {
	struct arguments wanted;
	struct job_queue *queue;
	struct video_queue videos; /* the same, as the domain sees it */
	struct document_store *documents;
	struct fn_call *call; /* its deadline is that of one look at the queue */
	struct page page;     /* what is said; written out at the end */
};

/* From now on nothing may take longer than a person would wait. */
void tool_set_deadline(struct tool *);

/* Says it on a line of its own, and releases it. */
void tool_say_json(struct tool *, json_t *);

/* Writes what was said so far, and begins a new page. */
FN_MUST bool tool_flush(struct tool *, struct fn_error *);

#endif
