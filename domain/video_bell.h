/* video_bell.h: wakes workers that sleep, when there may be something for them to do. */
#ifndef VIDEO_BELL_H
#define VIDEO_BELL_H

#include "adapters/events.h"

/* `job`: which one may be runnable now; empty: some are. That nobody hears costs a minute at most:
 * a failure is logged and no more. */
void video_bell_ring(struct events *, struct fn_call *, struct fn_bytes job);

/* Whether an event is meant to wake a worker: the above, posted straight or brought by Pub/Sub, or
 * a scheduler's tick. `job` is for the log alone, since anybody can write anything there. */
bool video_bell_read(const struct fn_event *, struct fn_arena *, struct fn_bytes *job);

#endif
