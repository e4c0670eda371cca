/* mp4_file.h: painted surfaces and sound as an MP4 file that browsers play while it loads.
 *
 * H.264 and AAC by FFmpeg's libraries, on one thread, so that the same input gives the same bytes
 * on one machine. */
#ifndef MP4_FILE_H
#define MP4_FILE_H

#include "fn/bytes.h"

#include <cairo.h>

#define MP4_SOUND_RATE 48000 /* samples a second */

struct mp4_file; /* opaque; for one thread */

/* FN_INTERNAL, here and below: a library failed. */
FN_MUST bool mp4_file_open(struct mp4_file **, unsigned width, unsigned height, unsigned rate,
	bool has_sound, struct fn_error *);

/* The next picture: an RGB24 surface of the film's size. */
FN_MUST bool mp4_file_add_picture(struct mp4_file *, cairo_surface_t *, struct fn_error *);

/* More sound: one channel, -1..1. */
FN_MUST bool mp4_file_add_sound(
	struct mp4_file *, const float *samples, size_t count, struct fn_error *);

/* What has become of it. */
FN_MUST bool mp4_file_finish(
	struct mp4_file *, struct fn_arena *, struct fn_bytes *mp4, struct fn_error *);

void mp4_file_close(struct mp4_file *); /* NULL is fine */

#endif
