/* services.h: what the function video_worker works with. */
#ifndef VIDEO_WORKER_SERVICES_H
#define VIDEO_WORKER_SERVICES_H

#include "adapters/events.h"
#include "domain/video_reconcile.h"

/* For what the model lets us wait for. */
struct patience {
	long poll_ms;   /* VIDEO_POLL_MS */
	long search_s;  /* VIDEO_SEARCH_S */
	long give_up_s; /* VIDEO_GIVE_UP_S */
	long retry_ms;  /* VIDEO_RETRY_MS */
};

extern const struct fn_setting patience_settings[];

struct upkeep; /* what is done once for the whole process: see upkeep.h */

struct services {
	struct video_reconcile videos; /* documents, queue, objects */
	struct video_model *model;
	struct events *events; /* that wake other workers */
	const struct job_queue_config *queue;
	const struct job_limits *limits;
	const struct patience *patience;
	struct upkeep *upkeep;
};

#endif
