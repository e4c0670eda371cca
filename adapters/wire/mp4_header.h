/* mp4_header.h: what an MP4 says of itself, wherever in the file it says so.
 * Source: ISO/IEC 14496-12 (ISO base media file format), 4.2, 8.2.2 and 8.3.2. */
#ifndef MP4_HEADER_H
#define MP4_HEADER_H

#include "fn/http_client.h"

struct mp4_header {
	unsigned width, height; /* pixels, never 0 */
	unsigned duration_ms;
};

/* FN_UPSTREAM: the bytes are no MP4 with moving pictures. Else the source's own failures. */
FN_MUST bool mp4_header_read(
	struct mp4_header *, const struct fn_source *, struct fn_arena *, struct fn_error *);

#endif
