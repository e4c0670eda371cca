/* job_queue_scripts.h: the Lua side of the queue in Redis, as texts. Private to its backend. */
#ifndef JOB_QUEUE_SCRIPTS_H
#define JOB_QUEUE_SCRIPTS_H

#include "fn/bytes.h"

enum job_script_id {
	JOB_SCRIPT_ENQUEUE,
	JOB_SCRIPT_CLAIM,
	JOB_SCRIPT_RENEW,
	JOB_SCRIPT_SET_OPERATION,
	JOB_SCRIPT_FINISH,
	JOB_SCRIPT_TICK,
	JOB_SCRIPT_GET,
	JOB_SCRIPT_LIST,
	JOB_SCRIPT_CANCEL,
	JOB_SCRIPT_REPLAY,
	JOB_SCRIPT_DROP,
	JOB_SCRIPT_WORKERS,
	JOB_SCRIPT_LIMITS,
	JOB_SCRIPT_SEAT,
	JOB_SCRIPT_USER_LIMIT,
	JOB_SCRIPT_PAUSE,
	JOB_SCRIPT_STATUS,
	JOB_SCRIPT_REBUILD_BEGIN,
	JOB_SCRIPT_REBUILD_END,
	JOB_SCRIPT_COUNT,
};

struct job_script {
	struct fn_bytes text;
	struct fn_bytes sha1; /* in hex: what EVALSHA wants */
};

/* Puts all scripts together; they live in the arena. */
void job_scripts_make(struct job_script scripts[JOB_SCRIPT_COUNT], struct fn_arena *);

#endif
