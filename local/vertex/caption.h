/* caption.h: some of the prompt's words, written at the foot of the picture. */
#ifndef CAPTION_H
#define CAPTION_H

#include "local/vertex/scene.h"

/* At most two lines, the last one cut after a word. The font is the one that is built into cairo,
 * so that no machine lacks it and none writes another hand; words beyond ASCII are left out. */
void caption_write(
	cairo_surface_t *, const struct scene *, struct fn_bytes text, struct fn_arena *);

#endif
