/* figure.h: animals and things that can stand in a picture. */
#ifndef FIGURE_H
#define FIGURE_H

#include "fn/bytes.h"
#include "local/vertex/brush.h"

enum figure_place { ON_LAND, ON_WATER, IN_WATER, IN_SKY };

struct figure {
	const char *names; /* singular, lower case, separated by blanks */
	enum figure_place place;
	double size;       /* of its drawing, as a share of the picture's shorter side */
	struct rgb colour; /* unless the prompt names one */
	bool common;       /* may stand in any picture whose prompt names none */
	struct {
		char ink; /* B body, S its shade, L light, D dark, P plant, G glow */
		const char *path;
	} parts[10]; /* in a box of 100 by 100, standing on its lower edge */
};

/* NULL where the word, singular or plural, names none. */
const struct figure *figure_named(struct fn_bytes word);

/* A common one that fits the place, drawn by chance. */
const struct figure *figure_any(struct chance *, enum figure_place);

/* Draws it with the middle of its lower edge at x, y. */
void figure_draw(const struct figure *, cairo_t *, double x, double y, double size,
	struct rgb colour, struct rgb glow);

#endif
