#include "local/vertex/landscape.h"

#include <math.h>

static void
paint_gradient(cairo_t *cr, const struct scene *scene)
{
	static const double at[] = {0, 0.38, 0.74, 1};

	/* Under water the light comes from above all the way down. */
	double depth = scene->land == SEABED ? scene->height : scene->horizon * 1.1;
	cairo_pattern_t *sky = cairo_pattern_create_linear(0, 0, 0, depth);
	for (int i = 0; i < 4; i++) {
		struct rgb colour = scene->mood.sky[i];

		cairo_pattern_add_color_stop_rgb(sky, at[i], colour.r, colour.g, colour.b);
	}
	cairo_set_source(cr, sky);
	cairo_paint(cr);
	cairo_pattern_destroy(sky);
}

static void
paint_stars(cairo_t *cr, struct scene *scene)
{
	struct chance *chance = &scene->chance;
	double unit = scene_side(scene) / 1024;
	int count = (int)(scene->mood.stars * scene->width * scene->height / 3500);

	for (int i = 0; i < count; i++) {
		double x = chance_between(chance, 0, scene->width);
		double y = scene->horizon * (1 - sqrt(chance_between(chance, 0, 1)));
		double faint = chance_between(chance, 0, 1);
		double radius = unit * (0.6 + 1.5 * pow(faint, 6));

		brush_disc(cr, x, y * 1.15, radius, scene->mood.light, 0.25 + 0.7 * faint);
		if (faint > 0.975)
			brush_glow(cr, x, y * 1.15, radius * 7, scene->mood.light, 0.5);
	}
}

/* A curtain of light: many thin, upright fades along a wandering line. */
static void
paint_curtain(
	cairo_t *cr, const struct scene *scene, uint64_t seed, double level, struct rgb colour)
{
	double step = scene->width / 256, high = scene->horizon;

	for (double x = 0; x < scene->width; x += step) {
		double at = x / scene->width;
		double foot = level + high * 0.34 * (noise(seed, at * 3, 2) - 0.5);
		double tall = high * (0.25 + 0.4 * noise(seed + 9, at * 9, 2));
		double alpha = 0.62 * noise(seed + 5, at * 22, 2) * noise(seed + 7, at * 4, 1);

		cairo_rectangle(cr, x, foot - tall, step + 0.5, tall);
		brush_fade(cr, foot - tall, colour, 0, foot, colour, alpha);
		cairo_rectangle(cr, x, foot, step + 0.5, tall * 0.12);
		brush_fade(cr, foot, colour, alpha, foot + tall * 0.12, colour, 0);
	}
}

static void
paint_aurora(cairo_t *cr, const struct scene *scene)
{
	static const unsigned colours[] = {0x4ff2a0, 0x38d6c0, 0x9a6cf0};

	for (unsigned i = 0; i < 3; i++)
		paint_curtain(cr, scene, scene->seed + i, scene->horizon * (0.78 - 0.17 * i),
			rgb(colours[i]));
}

static void
paint_nebula(cairo_t *cr, struct scene *scene)
{
	static const unsigned colours[] = {0xb0407a, 0x5a4fd0, 0x2b8fb0, 0xd0704a};

	for (int i = 0; i < 9; i++) {
		double x = chance_between(&scene->chance, 0, scene->width);
		double y = chance_between(&scene->chance, 0, scene->horizon);
		double radius = scene_side(scene) * chance_between(&scene->chance, 0.15, 0.42);

		brush_glow(cr, x, y, radius, rgb(colours[i % 4]), 0.2);
	}
}

static void
paint_light(cairo_t *cr, const struct scene *scene)
{
	const struct mood *mood = &scene->mood;
	double x = scene->light_x, y = scene->light_y, side = scene_side(scene);
	double radius = side * (mood->moon ? 0.055 : 0.072);
	struct rgb air = rgb_mix(mood->light, mood->sky[3], mood->moon ? 0.6 : 0.1);
	struct rgb shade = rgb_mix(mood->light, mood->sky[2], 0.22);

	brush_glow(cr, x, y, side * 0.62, air, 0.5);
	brush_glow(cr, x, y, radius * 2.6, mood->light, 0.55);
	brush_disc(cr, x, y, radius, mood->light, 1);
	if (!mood->moon)
		return;
	brush_disc(cr, x - radius * 0.3, y - radius * 0.25, radius * 0.22, shade, 0.8);
	brush_disc(cr, x + radius * 0.35, y + radius * 0.1, radius * 0.3, shade, 0.8);
	brush_disc(cr, x - radius * 0.15, y + radius * 0.5, radius * 0.16, shade, 0.8);
}

/* Puffs on a common flat base, brighter above. */
static void
paint_cloud(cairo_t *cr, struct scene *scene, double x, double base, double size, double alpha)
{
	struct chance *chance = &scene->chance;
	struct rgb top = rgb_mix(scene->mood.light, rgb(0xffffff), 0.4);
	struct rgb foot = rgb_mix(scene->mood.sky[2], scene->mood.light, 0.35);
	int puffs = 5 + chance_below(chance, 4);

	cairo_save(cr);
	cairo_rectangle(cr, x - 2 * size, base - 2 * size, 4 * size, 2 * size);
	cairo_clip(cr);
	for (int i = 0; i < puffs; i++) {
		double along = (i + 0.5) / puffs * 2 - 1;
		double radius = size * (0.22 + 0.36 * (1 - along * along));

		radius *= chance_between(chance, 0.8, 1.25);
		cairo_new_sub_path(cr);
		cairo_arc(cr, x + along * size, base - radius * 0.35, radius, 0, 2 * M_PI);
	}
	brush_fade(cr, base - size * 0.85, top, alpha, base, foot, alpha * 0.25);
	cairo_restore(cr);
}

static void
paint_clouds(cairo_t *cr, struct scene *scene)
{
	bool many = scene->air == CLOUDS || scene->air == RAIN;
	int count = many ? 7 : 3;

	for (int i = 0; i < count; i++) {
		double x = chance_between(&scene->chance, 0, scene->width);
		double base = scene->horizon * chance_between(&scene->chance, 0.18, 0.82);
		double size = scene_side(scene) * chance_between(&scene->chance, 0.07, 0.17);

		paint_cloud(cr, scene, x, base, size, many ? 0.75 : 0.4);
	}
}

/* Rays that fall through the surface of the sea. */
static void
paint_rays(cairo_t *cr, struct scene *scene)
{
	double w = scene->width, h = scene->height;

	for (int i = 0; i < 9; i++) {
		double top = scene->light_x + w * chance_between(&scene->chance, -0.35, 0.35);
		double slant = (top - scene->light_x) * 1.1 + w * 0.06;
		double wide = w * chance_between(&scene->chance, 0.02, 0.07);
		double alpha = chance_between(&scene->chance, 0.08, 0.24);

		cairo_move_to(cr, top, 0);
		cairo_line_to(cr, top + wide, 0);
		cairo_line_to(cr, top + wide * 2.4 + slant, h * 0.85);
		cairo_line_to(cr, top - wide * 0.6 + slant, h * 0.85);
		brush_fade(cr, 0, scene->mood.light, alpha, h * 0.85, scene->mood.light, 0);
	}
	brush_glow(cr, scene->light_x, 0, w * 0.5, scene->mood.light, 0.5);
}

void
sky_paint(cairo_t *cr, struct scene *scene)
{
	paint_gradient(cr, scene);
	if (scene->land == SEABED) {
		paint_rays(cr, scene);
		return;
	}
	if (scene->land == MOONSCAPE)
		paint_nebula(cr, scene);
	paint_stars(cr, scene);
	if (scene->mood.aurora)
		paint_aurora(cr, scene);
	if (scene->air != RAIN)
		paint_light(cr, scene);
	if (scene->land != MOONSCAPE && !scene->mood.aurora)
		paint_clouds(cr, scene);
}
