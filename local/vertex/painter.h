/* painter.h: a picture made of a prompt, in place of a model that would need a data centre.
 *
 * The same prompt, seed and size give the same bytes on one machine. Some of the prompt's words
 * are written into the picture. */
#ifndef PAINTER_H
#define PAINTER_H

#include "fn/bytes.h"

struct painting {
	struct fn_bytes prompt; /* UTF-8 */
	uint64_t seed;
	unsigned width, height;
};

/* Paints it as a PNG in the arena. FN_INTERNAL: cairo or libpng failed. */
FN_MUST bool painter_paint(
	const struct painting *, struct fn_arena *, struct fn_bytes *png, struct fn_error *);

#endif
