/* png_file.h: a painted surface as a PNG file. */
#ifndef PNG_FILE_H
#define PNG_FILE_H

#include "fn/bytes.h"

#include <cairo.h>

/* Encodes an RGB24 surface, with a grain like that of paper. FN_INTERNAL: libpng failed. */
FN_MUST bool png_encode(cairo_surface_t *, uint64_t seed, struct fn_arena *, struct fn_bytes *png,
	struct fn_error *);

#endif
