/* brush.h: what every part of a picture is made of: colours, chance, noise and soft shapes.
 *
 * Chance is drawn from the scene's seed alone, so that a picture can be painted again. Lengths
 * are in pixels; helpers leave the path of the cairo context empty. */
#ifndef BRUSH_H
#define BRUSH_H

#include <cairo.h>
#include <stdint.h>

struct rgb {
	double r, g, b; /* 0..1 */
};

struct rgb rgb(unsigned hex); /* 0xrrggbb */
#define RGB(hex)                                                                                   \
	{                                                                                          \
		((hex) >> 16) / 255., ((hex) >> 8 & 255) / 255., ((hex)&255) / 255.                \
	}
struct rgb rgb_mix(struct rgb from, struct rgb to, double share); /* 0: from, 1: to */

/* Chance: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators"). */
struct chance {
	uint64_t state;
};

double chance_between(struct chance *, double least, double most);
int chance_below(struct chance *, int limit); /* 0..limit-1 */

/* Smooth value noise in 0..1 over one dimension; octaves add ever finer detail. */
double noise(uint64_t seed, double x, int octaves);

void brush_colour(cairo_t *, struct rgb, double alpha);
void brush_fill(cairo_t *, struct rgb, double alpha); /* fills the current path */

/* Fills the current path with a vertical gradient between two heights. */
void brush_fade(cairo_t *, double top, struct rgb, double top_alpha, double bottom, struct rgb,
	double bottom_alpha);

void brush_disc(cairo_t *, double x, double y, double radius, struct rgb, double alpha);
/* Light that is strongest in the middle and ends at `radius`. */
void brush_glow(cairo_t *, double x, double y, double radius, struct rgb, double alpha);

/* Adds a drawing to the current path: "M x y", "L x y", "C x1 y1 x2 y2 x y", "Z" as in SVG, and
 * "O x y r" for a circle. */
void brush_path(cairo_t *, const char *drawing);

#endif
