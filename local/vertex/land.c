#include "local/vertex/distance.h"
#include "local/vertex/landscape.h"
#include "local/vertex/plants.h"

double
land_height(const struct scene *scene, double x)
{
	struct ridge ridge = ridge_of(scene, LAYERS - 1);

	return ridge_height(&ridge, x);
}

static void
paint_craters(cairo_t *cr, struct scene *scene, const struct ridge *ridge)
{
	struct rgb ground = ridge_colour(scene, ridge->depth);
	struct rgb shade = rgb_mix(ground, rgb(0x000000), 0.3);
	struct rgb rim = rgb_mix(ground, scene->mood.light, 0.25);

	for (int i = 0; i < 7; i++) {
		double x = chance_between(&scene->chance, 0, scene->width);
		double wide = scene_side(scene) * chance_between(&scene->chance, 0.015, 0.06);
		double below = scene->height * chance_between(&scene->chance, 0, 0.05);

		wide *= 0.4 + ridge->depth;
		cairo_save(cr);
		cairo_translate(cr, x, ridge_height(ridge, x) + wide * 0.6 + below);
		cairo_scale(cr, 1, 0.3);
		brush_disc(cr, 0, wide * 0.18, wide, rim, 0.7);
		brush_disc(cr, 0, 0, wide, shade, 0.9);
		cairo_restore(cr);
	}
}

static void
furnish(cairo_t *cr, struct scene *scene, const struct ridge *ridge)
{
	switch (scene->land) {
	case HILLS:
	case MOUNTAINS:
	case FOREST:
		plant_trees(cr, scene, ridge);
		break;
	case MEADOW:
		plant_trees(cr, scene, ridge);
		if (ridge->depth > 0.4)
			plant_flowers(cr, scene, ridge);
		break;
	case SEABED:
		plant_kelp(cr, scene, ridge);
		break;
	case MOONSCAPE:
		paint_craters(cr, scene, ridge);
		break;
	case DUNES:
	case SEA:
	case CITY:
		break;
	}
}

/* What lies behind the hills; returns the first of their layers that is still to be seen. */
static int
paint_distance(cairo_t *cr, struct scene *scene)
{
	struct ridge island = ridge_of(scene, 0);

	switch (scene->land) {
	case MOUNTAINS:
		mountains_paint(cr, scene);
		return 0;
	case CITY:
		city_paint(cr, scene);
		return LAYERS - 1;
	case SEA:
		island.amplitude *= 1.6;
		ridge_paint(cr, scene, &island);
		water_paint(cr, scene);
		return LAYERS;
	default:
		return 0;
	}
}

void
land_paint(cairo_t *cr, struct scene *scene)
{
	bool sunlit = scene->land != SEABED && scene->air != RAIN;

	for (int layer = paint_distance(cr, scene); layer < LAYERS; layer++) {
		struct ridge ridge = ridge_of(scene, layer);

		ridge_paint(cr, scene, &ridge);
		furnish(cr, scene, &ridge);
		/* Light lies on what is far, like a veil. */
		if (layer == 2 && sunlit)
			brush_glow(cr, scene->light_x, scene->light_y, scene_side(scene) * 0.75,
				scene->mood.light, scene->mood.moon ? 0.12 : 0.3);
	}
}

void
ground_paint(cairo_t *cr, struct scene *scene)
{
	struct ridge ridge = ridge_of(scene, LAYERS);
	bool bare = scene->land == CITY || scene->land == MOONSCAPE || scene->land == SEABED ||
		    scene->land == DUNES || scene->snowy;

	if (!bare)
		plant_grass(cr, scene, &ridge);
	ridge_paint(cr, scene, &ridge);
	if (scene->land == MEADOW)
		plant_flowers(cr, scene, &ridge);
}
