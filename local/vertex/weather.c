#include "local/vertex/landscape.h"

#include <math.h>

static void
snow(cairo_t *cr, double size, struct rgb colour, double alpha)
{
	brush_disc(cr, 0, 0, size, colour, alpha);
}

static void
spark(cairo_t *cr, double size, struct rgb colour, double alpha)
{
	brush_glow(cr, 0, 0, size * 4, colour, alpha * 0.7);
	brush_disc(cr, 0, 0, size * 0.6, rgb_mix(colour, rgb(0xffffff), 0.6), alpha);
}

static void
bubble(cairo_t *cr, double size, struct rgb colour, double alpha)
{
	brush_disc(cr, 0, 0, size, colour, alpha * 0.3);
	brush_disc(cr, -size * 0.3, -size * 0.3, size * 0.25, colour, alpha);
}

static void
leaf(cairo_t *cr, double size, struct rgb colour, double alpha)
{
	cairo_move_to(cr, -size, 0);
	cairo_curve_to(cr, -size * 0.4, -size * 0.9, size * 0.6, -size * 0.7, size, 0);
	cairo_curve_to(cr, size * 0.5, size * 0.6, -size * 0.5, size * 0.6, -size, 0);
	brush_fill(cr, colour, alpha);
}

#define TINTS 4

struct drift {
	void (*piece)(cairo_t *, double size, struct rgb, double alpha);
	int count;          /* in a square picture */
	double least, most; /* size, as a share of the shorter side */
	double alpha;
	unsigned tints[TINTS];
};

static const struct drift bubbles = {
	bubble, 60, 0.002, 0.012, 0.7, {0xe6fffa, 0xd8f6ff, 0xffffff, 0xc8f0f0}};

/* Clear air, and clouds, have nothing in them. */
static const struct drift drifts[] = {
	[SNOWFALL] = {snow, 260, 0.0012, 0.009, 0.9, {0xffffff, 0xffffff, 0xf2f7ff, 0xe8f1fb}},
	[FIREFLIES] = {spark, 46, 0.003, 0.007, 0.95, {0xffe08a, 0xfff0b0, 0xd9f28a, 0xffd070}},
	[LEAVES] = {leaf, 60, 0.005, 0.014, 0.95, {0xd9622b, 0xe8943a, 0xb8402c, 0xf0c04e}},
	[PETALS] = {leaf, 55, 0.003, 0.009, 0.95, {0xffd3e0, 0xffc0d4, 0xffffff, 0xffe6ee}},
};

static void
scatter(cairo_t *cr, struct scene *scene, const struct drift *drift)
{
	struct chance *chance = &scene->chance;
	double side = scene_side(scene);
	int count = (int)(drift->count * scene->width * scene->height / (side * side));

	for (int i = 0; i < count; i++) {
		double near = pow(chance_between(chance, 0, 1), 3);
		double size = side * (drift->least + (drift->most - drift->least) * near);
		double alpha = drift->alpha * chance_between(chance, 0.5, 1);
		double x = chance_between(chance, 0, scene->width);
		double y = chance_between(chance, 0, scene->height * 0.93);
		struct rgb tint = rgb(drift->tints[chance_below(chance, TINTS)]);

		cairo_save(cr);
		cairo_translate(cr, x, y);
		cairo_rotate(cr, chance_between(chance, 0, 2 * M_PI));
		drift->piece(cr, size, tint, alpha);
		cairo_restore(cr);
	}
}

static void
paint_rain(cairo_t *cr, struct scene *scene)
{
	double side = scene_side(scene);

	for (int i = 0; i < 420; i++) {
		double length = side * chance_between(&scene->chance, 0.02, 0.06);
		double x = chance_between(&scene->chance, 0, scene->width * 1.05);
		double y = chance_between(&scene->chance, -length, scene->height);

		cairo_move_to(cr, x, y);
		cairo_line_to(cr, x - length * 0.22, y + length);
	}
	cairo_set_line_width(cr, side / 700);
	brush_colour(cr, rgb(0xe6eef2), 0.32);
	cairo_stroke(cr);
}

void
weather_paint(cairo_t *cr, struct scene *scene)
{
	if (scene->land == SEABED)
		scatter(cr, scene, &bubbles);
	else if (scene->air == RAIN)
		paint_rain(cr, scene);
	else
		scatter(cr, scene, &drifts[scene->air]);
}
