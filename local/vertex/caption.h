/* caption.h: some of the prompt's words, written at the foot of the picture. */
#ifndef CAPTION_H
#define CAPTION_H

#include "local/vertex/scene.h"

/* At most two lines, the last one cut after a word. Words in scripts that the font lacks are left
 * out; it has Latin, Greek and Cyrillic. Without DejaVu, cairo takes what font there is, and in
 * the end the one that is built into it. */
void caption_write(cairo_t *, const struct scene *, struct fn_bytes text, struct fn_arena *);

#endif
