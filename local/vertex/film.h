/* film.h: a film made of a prompt: the painter's picture, with a camera that moves through it.
 *
 * The same prompt, seed, size and length give the same bytes on one machine. */
#ifndef FILM_H
#define FILM_H

#include "local/vertex/painter.h"

struct filming {
	struct painting scene; /* its prompt, seed and size; even numbers of pixels */
	unsigned duration_s;
	bool has_sound;
};

/* Makes it as an MP4 in the arena. FN_INTERNAL: a library failed. */
FN_MUST bool film_make(
	const struct filming *, struct fn_arena *, struct fn_bytes *mp4, struct fn_error *);

#endif
