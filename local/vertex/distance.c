#include "local/vertex/distance.h"

#include <math.h>

/* ---- Mountains ------------------------------------------------------------------------------- */

struct peak {
	double x, top, foot, wide, depth;
};

/* A rough line from the current point. */
static void
trace_rough(cairo_t *cr, struct chance *chance, double x, double y, double rough)
{
	enum { PIECES = 12 };
	double from_x, from_y;

	cairo_get_current_point(cr, &from_x, &from_y);
	for (int i = 1; i < PIECES; i++) {
		double at = (double)i / PIECES;
		double right = chance_between(chance, -rough, rough);
		double down = chance_between(chance, -rough, rough) / 2;

		cairo_line_to(
			cr, from_x + (x - from_x) * at + right, from_y + (y - from_y) * at + down);
	}
	cairo_line_to(cr, x, y);
}

/* One side of a peak, inside the current clip: rock below, snow above a ragged line. */
static void
paint_face(
	cairo_t *cr, struct scene *scene, const struct peak *peak, struct rgb rock, struct rgb snow)
{
	double left = peak->x - peak->wide, step = peak->wide / 12;
	double line = peak->top + (peak->foot - peak->top) * (scene->snowy ? 0.5 : 0.28);

	cairo_rectangle(cr, left, peak->top, peak->wide * 2, peak->foot - peak->top);
	brush_fade(cr, peak->top, rock, 1, peak->foot, rgb_mix(rock, scene->mood.sky[3], 0.4), 1);
	cairo_move_to(cr, left, peak->top);
	for (int i = 0; i <= 24; i++)
		cairo_line_to(cr, left + i * step,
			line + peak->wide * chance_between(&scene->chance, -0.03, 0.07));
	cairo_line_to(cr, left + 24 * step, peak->top);
	brush_fill(cr, snow, 1);
}

static void
paint_peak(cairo_t *cr, struct scene *scene, const struct peak *peak)
{
	struct chance *chance = &scene->chance;
	const struct mood *mood = &scene->mood;
	struct rgb rock = rgb_mix(mood->far, mood->near, peak->depth);
	struct rgb snow = rgb_mix(rgb(0xffffff), mood->sky[1], mood->moon ? 0.5 : 0.12);
	double sunward = scene->light_x < peak->x ? -1 : 1, half = peak->wide / 2;
	double spine = peak->x - sunward * peak->wide * chance_between(chance, 0.02, 0.12);

	cairo_save(cr);
	cairo_move_to(cr, peak->x - half, peak->foot);
	trace_rough(cr, chance, peak->x, peak->top, half * 0.03);
	trace_rough(cr, chance, peak->x + half, peak->foot, half * 0.03);
	cairo_clip(cr);
	paint_face(cr, scene, peak, rock, rgb_mix(snow, rock, 0.4));

	cairo_move_to(cr, peak->x, peak->top);
	trace_rough(cr, chance, spine, peak->foot, half * 0.09);
	cairo_line_to(cr, peak->x + sunward * peak->wide, peak->foot);
	cairo_line_to(cr, peak->x + sunward * peak->wide, peak->top);
	cairo_clip(cr);
	paint_face(cr, scene, peak, rgb_mix(rock, mood->light, 0.25), snow);
	cairo_restore(cr);
}

static void
paint_range(cairo_t *cr, struct scene *scene, double depth, double tall, double wide)
{
	struct chance *chance = &scene->chance;
	double x = -wide * chance_between(chance, 0, 0.4);

	while (x < scene->width + wide / 2) {
		struct peak peak = {
			.x = x, .foot = scene->horizon + scene->height * 0.09, .depth = depth};

		peak.wide = wide * chance_between(chance, 0.8, 1.3);
		peak.top = scene->horizon - tall * chance_between(chance, 0.5, 1.1);
		paint_peak(cr, scene, &peak);
		x += wide * chance_between(chance, 0.4, 0.75);
	}
}

void
mountains_paint(cairo_t *cr, struct scene *scene)
{
	double side = scene_side(scene);

	paint_range(cr, scene, 0.2, scene->height * 0.34, side * 0.62);
	paint_range(cr, scene, 0.42, scene->height * 0.22, side * 0.46);
}

/* ---- City ------------------------------------------------------------------------------------ */

struct tower {
	double left, top, wide, foot;
};

static void
trace_tower(cairo_t *cr, const struct tower *tower, int roof)
{
	double left = tower->left, top = tower->top, wide = tower->wide;

	cairo_rectangle(cr, left, top, wide, tower->foot - top);
	switch (roof) {
	case 0: /* a mast */
		cairo_rectangle(cr, left + wide * 0.47, top - wide * 0.7, wide * 0.05, wide * 0.8);
		break;
	case 1: /* a smaller storey */
		cairo_rectangle(cr, left + wide * 0.2, top - wide * 0.2, wide * 0.6, wide * 0.3);
		break;
	case 2: /* a gable */
		cairo_move_to(cr, left, top + 1);
		cairo_line_to(cr, left + wide * 0.5, top - wide * 0.4);
		cairo_line_to(cr, left + wide, top + 1);
		break;
	}
}

static void
trace_lit_windows(cairo_t *cr, struct scene *scene, const struct tower *tower)
{
	double pane = scene_side(scene) / 170, right = tower->left + tower->wide - pane * 1.4;
	double share = scene->mood.stars > 0 ? 0.45 : 0.16;

	for (double y = tower->top + pane * 1.6; y < tower->foot; y += pane * 2.3) {
		for (double x = tower->left + pane; x < right; x += pane * 2) {
			if (chance_between(&scene->chance, 0, 1) < share)
				cairo_rectangle(cr, x, y, pane * 0.9, pane * 1.2);
		}
	}
}

static void
paint_skyline(cairo_t *cr, struct scene *scene, int row, double depth)
{
	struct chance *chance = &scene->chance;
	double side = scene_side(scene), height = scene->height;
	double street = scene->horizon + height * (0.04 + 0.1 * depth);
	struct rgb wall = rgb_mix(scene->mood.far, scene->mood.near, 0.15 + 0.7 * depth);
	struct tower tower = {.left = -side * 0.05, .foot = height * 0.9};

	while (tower.left < scene->width) {
		double quarter = noise(scene->seed + (uint64_t)row, tower.left / (side * 0.3), 2);
		double rise = quarter * quarter * (0.62 - 0.28 * depth);

		tower.wide = side * chance_between(chance, 0.05, 0.12) * (0.7 + 0.5 * depth);
		tower.top = street - height * (rise + chance_between(chance, 0.05, 0.12));
		trace_tower(cr, &tower, chance_below(chance, 4));
		brush_fade(cr, tower.top, wall, 1, tower.foot,
			rgb_mix(wall, scene->mood.sky[3], 0.35), 1);
		trace_lit_windows(cr, scene, &tower);
		brush_fill(cr, rgb(0xffd98a), 0.4 + 0.5 * depth);
		tower.left += tower.wide + side * chance_between(chance, -0.01, 0.015);
	}
}

void
city_paint(cairo_t *cr, struct scene *scene)
{
	for (int row = 0; row < 3; row++)
		paint_skyline(cr, scene, row, row / 2.0);
}

/* ---- Water ----------------------------------------------------------------------------------- */

/* Short level strokes, finer towards the horizon. */
static void
paint_waves(cairo_t *cr, struct scene *scene)
{
	struct chance *chance = &scene->chance;
	struct rgb crest = rgb_mix(scene->mood.sky[3], scene->mood.light, 0.4);
	double side = scene_side(scene), top = scene->horizon;

	for (int i = 0; i < 170; i++) {
		double near = pow(chance_between(chance, 0, 1), 1.6);
		double length = side * (0.01 + 0.13 * near) * chance_between(chance, 0.4, 1.3);
		double x = chance_between(chance, -length, scene->width);

		cairo_rectangle(cr, x, top + 2 + (scene->height - top) * near, length,
			side * (0.0008 + 0.003 * near));
		brush_fill(cr, crest, 0.1 + 0.12 * (1 - near));
	}
}

/* The path of light on the water below sun or moon. */
static void
paint_glitter(cairo_t *cr, struct scene *scene)
{
	struct chance *chance = &scene->chance;
	double side = scene_side(scene), top = scene->horizon + 1;

	for (int i = 0; i < 170; i++) {
		double near = chance_between(chance, 0, 1);
		double spread = side * (0.025 + 0.15 * near) * chance_between(chance, 0, 1);
		double length = side * (0.008 + 0.055 * near) * chance_between(chance, 0.4, 1.2);
		double x = scene->light_x + spread * chance_between(chance, -1, 1) - length / 2;
		double alpha = chance_between(chance, 0.25, 0.85) * (1 - 0.5 * near);

		cairo_rectangle(cr, x, top + (scene->height * 0.86 - top) * near, length,
			side * (0.0012 + 0.0035 * near));
		brush_fill(cr, scene->mood.light, alpha);
	}
}

void
water_paint(cairo_t *cr, struct scene *scene)
{
	const struct mood *mood = &scene->mood;
	double top = scene->horizon, bottom = scene->height;

	cairo_rectangle(cr, 0, top, scene->width, bottom - top);
	brush_fade(cr, top, rgb_mix(mood->sky[3], mood->sky[2], 0.5), 1, bottom * 0.92,
		rgb_mix(mood->sky[0], mood->near, 0.35), 1);
	paint_waves(cr, scene);
	if (scene->air != RAIN)
		paint_glitter(cr, scene);
}
