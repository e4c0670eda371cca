/* jobs.h: jobs as JSON and as rows. */
#ifndef JOBS_H
#define JOBS_H

#include "tools/phoenixctl/tool.h"

/* Everything but the payload; what there is none of is null. */
json_t *job_json(struct fn_arena *, const struct job_info *);
json_t *jobs_json(struct fn_arena *, const struct job_info *, size_t count);

void jobs_add(struct page *, const struct job_info *, size_t count);

/* What happens to it next: "place 3, in ~40 s", "lease ends in 24 s", "died 2 h ago". */
struct fn_bytes job_outlook(struct fn_arena *, const struct job_info *);
struct fn_bytes job_age(struct fn_arena *, const struct job_info *); /* "31 s ago" */

enum ink job_ink(enum job_state);

#endif
