/* status.h: the state of the whole queue. */
#ifndef STATUS_H
#define STATUS_H

#include "tools/phoenixctl/tool.h"

json_t *status_json(const struct job_queue_status *);
void status_add(struct page *, const struct job_queue_status *);

/* "running", "paused"; "new" until a worker has filled it from the store. */
struct cell status_word(const struct job_queue_status *);

#endif
