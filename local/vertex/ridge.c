#include "local/vertex/ridge.h"

#include <math.h>

static const struct {
	double amplitude; /* as a share of the picture's height */
	int octaves;      /* more of them are rougher */
} shapes[] = {
	[HILLS] = {0.16, 2},
	[MOUNTAINS] = {0.1, 3},
	[DUNES] = {0.15, 1},
	[SEA] = {0.05, 2},
	[CITY] = {0.03, 1},
	[FOREST] = {0.13, 3},
	[MEADOW] = {0.12, 2},
	[SEABED] = {0.14, 3},
	[MOONSCAPE] = {0.1, 3},
};

struct ridge
ridge_of(const struct scene *scene, int layer)
{
	double depth = (double)layer / LAYERS;
	double stretch = scene->height * 0.865 - scene->horizon;

	return (struct ridge){
		.seed = scene->seed + 77 * (uint64_t)layer,
		.base = scene->horizon + stretch * pow(depth, 1.25),
		.amplitude = scene->height * shapes[scene->land].amplitude * (1 - 0.55 * depth),
		.wavelength = scene_side(scene) * (0.3 + 0.45 * depth),
		.octaves = shapes[scene->land].octaves,
		.depth = depth,
	};
}

double
ridge_height(const struct ridge *ridge, double x)
{
	double n = noise(ridge->seed, x / ridge->wavelength, ridge->octaves);

	return ridge->base - ridge->amplitude * (n - 0.5);
}

struct rgb
ridge_colour(const struct scene *scene, double depth)
{
	const struct mood *mood = &scene->mood;
	double white = mood->moon ? 0.18 + 0.3 * depth : 0.45 + 0.45 * depth;

	if (!scene->snowy)
		return rgb_mix(mood->far, mood->near, depth);
	return rgb_mix(rgb_mix(mood->sky[1], mood->sky[2], 0.5), rgb(0xfbfcff), white);
}

void
ridge_paint(cairo_t *cr, const struct scene *scene, const struct ridge *ridge)
{
	struct rgb colour = ridge_colour(scene, ridge->depth);
	struct rgb mist = rgb_mix(colour, scene->mood.sky[3], 0.55 * (1 - ridge->depth));
	double top = ridge->base - ridge->amplitude / 2, step = 4;

	cairo_move_to(cr, 0, scene->height);
	for (double x = 0; x < scene->width + step; x += step)
		cairo_line_to(cr, x, ridge_height(ridge, x));
	cairo_line_to(cr, scene->width + step, scene->height);
	brush_fade(cr, top, colour, 1, top + scene->height * 0.2, mist, 1);
}
