/* handler.h: the function video_worker, which makes the videos that were asked for. */
#ifndef VIDEO_WORKER_HANDLER_H
#define VIDEO_WORKER_HANDLER_H

#include "fn/cloud_event.h"
#include "functions/video_worker/services.h"

/* `with` is a struct services. */
bool video_worker(struct fn_call *, const struct fn_event *, const void *with, struct fn_error *);

#endif
