/* ridge.h: the layers of hills that every land is made of.
 *
 * Layer 0 is the farthest one, LAYERS - 1 the one that figures stand on, LAYERS the ground before
 * them. The depth of a layer, 0 far to 1 near, decides its size and its colours. */
#ifndef RIDGE_H
#define RIDGE_H

#include "local/vertex/scene.h"

#define LAYERS 6

struct ridge {
	uint64_t seed;
	double base, amplitude, wavelength;
	int octaves;
	double depth;
};

struct ridge ridge_of(const struct scene *, int layer);
double ridge_height(const struct ridge *, double x);

/* Far land takes the colour of the air before it; snow lies on all of it. */
struct rgb ridge_colour(const struct scene *, double depth);

void ridge_paint(cairo_t *, const struct scene *, const struct ridge *);

#endif
