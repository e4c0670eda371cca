#include "local/vertex/plants.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct rgb
plant_colour(const struct scene *scene, double depth)
{
	const struct mood *mood = &scene->mood;

	return rgb_mix(rgb_mix(mood->far, mood->near, depth), mood->near, 0.45);
}

/* A clearing around the middle keeps the figures free. */
static bool
in_clearing(const struct scene *scene, const struct ridge *ridge, double x, double half)
{
	return ridge->depth > 0.6 && fabs(x / scene->width - 0.5) < half;
}

static void
trace_pine(cairo_t *cr, double x, double y, double tall)
{
	static const struct {
		double top, bottom, half; /* as shares of its height */
	} tiers[] = {{1.00, 0.62, 0.13}, {0.80, 0.38, 0.20}, {0.58, 0.08, 0.27}};

	cairo_rectangle(cr, x - tall * 0.025, y - tall * 0.12, tall * 0.05, tall * 0.16);
	for (size_t i = 0; i < COUNT(tiers); i++) {
		double half = tiers[i].half * tall;
		double top = y - tiers[i].top * tall, foot = y - tiers[i].bottom * tall;

		cairo_move_to(cr, x, top);
		cairo_curve_to(cr, x + half * 0.2, foot - half * 0.9, x + half * 0.5,
			foot - half * 0.3, x + half, foot);
		cairo_curve_to(cr, x + half * 0.4, foot + half * 0.12, x - half * 0.4,
			foot + half * 0.12, x - half, foot);
		cairo_curve_to(cr, x - half * 0.5, foot - half * 0.3, x - half * 0.2,
			foot - half * 0.9, x, top);
		cairo_close_path(cr);
	}
}

static void
trace_round_tree(cairo_t *cr, double x, double y, double tall)
{
	static const struct {
		double right, up, radius; /* as shares of its height */
	} puffs[] = {{0, 0.7, 0.27}, {-0.17, 0.52, 0.2}, {0.18, 0.55, 0.19}};

	cairo_rectangle(cr, x - tall * 0.03, y - tall * 0.5, tall * 0.06, tall * 0.54);
	for (size_t i = 0; i < COUNT(puffs); i++) {
		cairo_new_sub_path(cr);
		cairo_arc(cr, x + puffs[i].right * tall, y - puffs[i].up * tall,
			puffs[i].radius * tall, 0, 2 * M_PI);
	}
}

void
plant_trees(cairo_t *cr, struct scene *scene, const struct ridge *ridge)
{
	double side = scene_side(scene);
	double tall = side * (0.025 + 0.13 * ridge->depth * ridge->depth);
	bool dense = scene->land == FOREST;
	bool pines = dense || scene->land == MOUNTAINS || scene->snowy;
	double gap = tall * (dense ? 0.32 : 1.1), sparse = dense ? 0.3 : 0.56;

	for (double x = -tall; x < scene->width + tall;) {
		double wood =
			noise(ridge->seed + 3, x / (side * 0.35), 2); /* they come in patches */
		double height = tall * chance_between(&scene->chance, 0.65, 1.35);
		double foot = ridge_height(ridge, x) + height * 0.04;

		if (wood >= sparse && !in_clearing(scene, ridge, x, 0.34))
			(pines ? trace_pine : trace_round_tree)(cr, x, foot, height);
		x += gap * chance_between(&scene->chance, 0.4, 1.6);
	}
	brush_fill(cr, plant_colour(scene, ridge->depth), 1);
}

void
plant_grass(cairo_t *cr, struct scene *scene, const struct ridge *ridge)
{
	double tall = scene_side(scene) * 0.05;
	int count = (int)(scene->width / 3);

	for (int i = 0; i < count; i++) {
		double x = chance_between(&scene->chance, 0, scene->width);
		double patch = noise(ridge->seed + 5, x / (tall * 4), 2);
		double height = tall * patch * patch * chance_between(&scene->chance, 0.5, 2);
		double lean = height * chance_between(&scene->chance, -0.5, 0.5);
		double foot = ridge_height(ridge, x) + 3, half = 1 + height * 0.035;

		cairo_move_to(cr, x - half, foot);
		cairo_curve_to(cr, x - half, foot - height * 0.5, x + lean * 0.5,
			foot - height * 0.8, x + lean, foot - height);
		cairo_curve_to(cr, x + lean * 0.5 + half, foot - height * 0.8, x + half,
			foot - height * 0.5, x + half, foot);
	}
	brush_fill(cr, ridge_colour(scene, ridge->depth * 0.97), 1);
}

/* The nearest ones stay at the edge of the ground, where no words are written. */
void
plant_flowers(cairo_t *cr, struct scene *scene, const struct ridge *ridge)
{
	static const unsigned colours[] = {0xf26b7a, 0xf7b84b, 0xf4f0e6, 0xb67be0, 0xf58fb5};
	double unit = scene_side(scene) / 1024;
	double deep = scene->height * (ridge->depth < 1 ? 0.14 : 0.02);

	for (int i = 0; i < 260; i++) {
		double down = chance_between(&scene->chance, 0, 1);
		double x = chance_between(&scene->chance, 0, scene->width);
		double size = unit * (1.6 + 3.6 * ridge->depth * (0.5 + down));
		struct rgb colour = rgb(colours[chance_below(&scene->chance, COUNT(colours))]);

		colour = rgb_mix(colour, scene->mood.near, scene->mood.moon ? 0.5 : 0.12);
		brush_disc(cr, x, ridge_height(ridge, x) + down * down * deep - 2 * unit, size,
			colour, 0.95);
	}
}

void
plant_kelp(cairo_t *cr, struct scene *scene, const struct ridge *ridge)
{
	double side = scene_side(scene);
	int count = (int)(14 * scene->width / side);

	for (int i = 0; i < count; i++) {
		double x = chance_between(&scene->chance, 0, scene->width);
		double tall =
			side * chance_between(&scene->chance, 0.06, 0.3) * (0.4 + ridge->depth);
		double wave = tall * chance_between(&scene->chance, 0.08, 0.16);
		double foot = ridge_height(ridge, x) + 6, half = tall * 0.035;

		if (in_clearing(scene, ridge, x, 0.25))
			continue;
		cairo_move_to(cr, x - half, foot);
		cairo_curve_to(cr, x - wave, foot - tall * 0.35, x + wave, foot - tall * 0.65, x,
			foot - tall);
		cairo_curve_to(cr, x + wave + half * 2, foot - tall * 0.65, x - wave + half * 2,
			foot - tall * 0.35, x + half, foot);
	}
	brush_fill(cr, plant_colour(scene, ridge->depth), 1);
}
