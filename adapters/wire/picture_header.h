/* picture_header.h: what a picture's first bytes say about it.
 * Source: PNG third edition (W3C), sections 5.2 and 11.2.1; JPEG (ITU-T T.81), annex B. */
#ifndef PICTURE_HEADER_H
#define PICTURE_HEADER_H

#include "fn/bytes.h"

struct picture_header {
	const char *mime_type;  /* "image/png" or "image/jpeg" */
	unsigned width, height; /* pixels, never 0 */
};

/* False where the bytes do not begin like a PNG or a JPEG, or end before they have told both. */
FN_MUST bool picture_header_read(struct picture_header *, struct fn_bytes picture);

#endif
