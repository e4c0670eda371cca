/* landscape.h: the world around the figures, from the farthest to the nearest. */
#ifndef LANDSCAPE_H
#define LANDSCAPE_H

#include "local/vertex/scene.h"

void sky_paint(cairo_t *, struct scene *);     /* with sun or moon, stars, clouds */
void land_paint(cairo_t *, struct scene *);    /* down to where the figures stand */
void ground_paint(cairo_t *, struct scene *);  /* what is nearer than they are */
void weather_paint(cairo_t *, struct scene *); /* what falls or floats in front of it all */

/* All between the sky and the weather: land, figures and ground (painter.c). */
void world_paint(cairo_t *, struct scene *);

/* The height at which something stands at x. */
double land_height(const struct scene *, double x);

#endif
