/* handler.h: the function submit_video: a sentence is to become a video, and how far it has come.
 */
#ifndef SUBMIT_VIDEO_HANDLER_H
#define SUBMIT_VIDEO_HANDLER_H

#include "adapters/events.h"
#include "adapters/identity.h"
#include "domain/video_submit.h"
#include "fn/api.h"

struct services {
	const struct fn_api *api;
	struct identity *identity;
	struct video_submit submit; /* documents, queue, prices */
	struct events *events;      /* that wake a worker */
};

/* `with` is a struct services. */
bool submit_video(struct fn_call *, const void *with, struct fn_error *);

#endif
