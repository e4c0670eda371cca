/* plants.h: what grows along a ridge. */
#ifndef PLANTS_H
#define PLANTS_H

#include "local/vertex/ridge.h"

void plant_trees(cairo_t *, struct scene *, const struct ridge *);
void plant_grass(cairo_t *, struct scene *, const struct ridge *);
void plant_flowers(cairo_t *, struct scene *, const struct ridge *);
void plant_kelp(cairo_t *, struct scene *, const struct ridge *);

#endif
