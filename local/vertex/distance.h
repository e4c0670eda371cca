/* distance.h: what stands or lies behind the hills. */
#ifndef DISTANCE_H
#define DISTANCE_H

#include "local/vertex/scene.h"

void mountains_paint(cairo_t *, struct scene *);
void city_paint(cairo_t *, struct scene *);
void water_paint(cairo_t *, struct scene *); /* from the horizon down to our feet */

#endif
