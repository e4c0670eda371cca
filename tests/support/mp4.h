/* mp4.h: MP4 files as small as they can be, for tests that look at nothing but their headers. */
#ifndef MP4_H
#define MP4_H

#include "fn/bytes.h"

/* ftyp, moov, and an mdat that brings it to `size` bytes, at least 1024; the film is 1280x720 and
 * lasts 4 s. Bytes of the mdat differ from place to place. */
struct fn_bytes mp4_sample(struct fn_arena *, size_t size);

#endif
