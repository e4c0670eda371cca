#include "local/vertex/film.h"

#include "local/vertex/caption.h"
#include "local/vertex/landscape.h"
#include "local/vertex/mp4_file.h"

#include <math.h>

#define RATE 24 /* pictures a second, as Veo's */
#define SOUND_SHARE (MP4_SOUND_RATE / RATE)

/* What moves each in its own way, from the farthest to the nearest. */
struct layers {
	cairo_surface_t *sky, *land, *air, *caption;
};

/* ---- Layers ---------------------------------------------------------------------------------- */

static cairo_surface_t *
layer_new(const struct scene *scene, cairo_content_t content)
{
	cairo_format_t format =
		content == CAIRO_CONTENT_COLOR ? CAIRO_FORMAT_RGB24 : CAIRO_FORMAT_ARGB32;

	return cairo_image_surface_create(format, (int)scene->width, (int)scene->height);
}

static cairo_surface_t *
layer_paint(struct scene *scene, cairo_content_t content, void (*paint)(cairo_t *, struct scene *))
{
	cairo_surface_t *layer = layer_new(scene, content);
	cairo_t *cr = cairo_create(layer);

	paint(cr, scene);
	cairo_destroy(cr);
	return layer;
}

static void
layers_paint(
	struct layers *layers, struct scene *scene, struct fn_bytes prompt, struct fn_arena *arena)
{
	layers->sky = layer_paint(scene, CAIRO_CONTENT_COLOR, sky_paint);
	layers->land = layer_paint(scene, CAIRO_CONTENT_COLOR_ALPHA, world_paint);
	layers->air = layer_paint(scene, CAIRO_CONTENT_COLOR_ALPHA, weather_paint);
	layers->caption = layer_new(scene, CAIRO_CONTENT_COLOR_ALPHA);
	caption_write(layers->caption, scene, prompt, arena);
}

static void
layers_drop(const struct layers *layers)
{
	cairo_surface_destroy(layers->sky);
	cairo_surface_destroy(layers->land);
	cairo_surface_destroy(layers->air);
	cairo_surface_destroy(layers->caption);
}

/* ---- Movement -------------------------------------------------------------------------------- */

/* Widths and heights of the picture a second, by what is in the air. */
static const struct wind {
	double x, y;
} winds[] = {
	[SNOWFALL] = {0.015, 0.09},
	[RAIN] = {-0.2, 1.6},
	[FIREFLIES] = {0.01, -0.02},
	[LEAVES] = {0.08, 0.1},
	[PETALS] = {0.06, 0.07},
};
static const struct wind current = {0.01, -0.07}; /* of bubbles */

/* Larger than the picture, so that its edges stay outside of it, and shifted by shares of it. */
static void
place_layer(
	cairo_t *cr, const struct scene *scene, cairo_surface_t *layer, double scale, double shift)
{
	cairo_save(cr);
	cairo_translate(cr, scene->width * (0.5 + shift), scene->height);
	cairo_scale(cr, scale, scale);
	cairo_translate(cr, -scene->width / 2, -scene->height);
	cairo_set_source_surface(cr, layer, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
	cairo_paint(cr);
	cairo_restore(cr);
}

/* What leaves on one side comes back on the other. */
static void
blow(cairo_t *cr, const struct scene *scene, cairo_surface_t *layer, double seconds)
{
	const struct wind *wind = scene->land == SEABED ? &current : &winds[scene->air];

	cairo_set_source_surface(cr, layer, round(wind->x * seconds * scene->width),
		round(wind->y * seconds * scene->height));
	cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_REPEAT);
	cairo_paint(cr);
}

static void
compose(cairo_t *cr, const struct scene *scene, const struct layers *layers, double share,
	double seconds)
{
	double ease = 0.5 - 0.5 * cos(share * M_PI);

	place_layer(cr, scene, layers->sky, 1.1, 0.04 - 0.08 * ease);
	place_layer(cr, scene, layers->land, 1.04 + 0.08 * ease, 0.015 - 0.03 * ease);
	blow(cr, scene, layers->air, seconds);
	cairo_set_source_surface(cr, layers->caption, 0, 0);
	cairo_paint(cr);
}

/* ---- Sound ----------------------------------------------------------------------------------- */

/* A soft chord on a note of the scene's own, that swells and fades. */
static void
sing(const struct scene *scene, size_t from, size_t all, float samples[SOUND_SHARE])
{
	static const double ratios[] = {1, 1.5, 2, 2.5};
	double note = 110 * pow(2, (double)(scene->seed % 12) / 12);

	for (size_t i = 0; i < SOUND_SHARE; i++) {
		double t = (double)(from + i) / MP4_SOUND_RATE, sum = 0;
		double swell = sin(M_PI * (double)(from + i) / (double)all);

		for (size_t k = 0; k < sizeof(ratios) / sizeof(ratios[0]); k++)
			sum += sin(2 * M_PI * note * ratios[k] * t) / (double)(k + 1) *
			       (0.8 + 0.2 * sin(t * (1.1 + 0.3 * (double)k)));
		samples[i] = (float)(0.04 * swell * sum);
	}
}

/* ---- The film -------------------------------------------------------------------------------- */

static bool
shoot(struct mp4_file *file, const struct filming *filming, const struct scene *scene,
	const struct layers *layers, struct fn_error *err)
{
	size_t count = (size_t)filming->duration_s * RATE;
	cairo_surface_t *picture = layer_new(scene, CAIRO_CONTENT_COLOR);
	cairo_t *cr = cairo_create(picture);
	float samples[SOUND_SHARE];
	bool ok = true;

	for (size_t i = 0; ok && i < count; i++) {
		compose(cr, scene, layers, (double)i / (double)count, (double)i / RATE);
		ok = mp4_file_add_picture(file, picture, err);
		if (!ok || !filming->has_sound)
			continue;
		sing(scene, i * SOUND_SHARE, count * SOUND_SHARE, samples);
		ok = mp4_file_add_sound(file, samples, SOUND_SHARE, err);
	}
	cairo_destroy(cr);
	cairo_surface_destroy(picture);
	return ok;
}

FN_DROP(drop_file, struct mp4_file *, mp4_file_close)

bool
film_make(const struct filming *filming, struct fn_arena *arena, struct fn_bytes *mp4,
	struct fn_error *err)
{
	const struct painting *painting = &filming->scene;
	AUTO(drop_file) struct mp4_file *file = NULL;
	struct layers layers;
	struct scene scene;

	TRY(mp4_file_open(&file, painting->width, painting->height, RATE, filming->has_sound, err));
	scene_imagine(&scene, painting->prompt, painting->seed, painting->width, painting->height);
	layers_paint(&layers, &scene, painting->prompt, arena);
	bool ok = shoot(file, filming, &scene, &layers, err);
	layers_drop(&layers);
	return ok && mp4_file_finish(file, arena, mp4, err);
}
