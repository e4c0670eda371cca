#include "local/vertex/painter.h"
#include "local/vertex/caption.h"
#include "local/vertex/landscape.h"
#include "local/vertex/png_file.h"

#define GLOW rgb(0xffd27a)

/* Light behind it and a shadow, or a wake, under it, so that it belongs where it stands. */
static void
ground_figure(cairo_t *cr, const struct scene *scene, const struct figure *figure, double x,
	double y, double size)
{
	brush_glow(cr, x, y - size * 0.5, size * 0.85, scene->mood.light, 0.28);
	if (figure->place != ON_LAND)
		return;
	cairo_save(cr);
	cairo_translate(cr, x, y - size * 0.005);
	cairo_scale(cr, 1, 0.09);
	brush_glow(cr, 0, 0, size * 0.62, scene->mood.near, 0.75);
	cairo_restore(cr);
}

static void
place_figure(cairo_t *cr, const struct scene *scene, size_t nth)
{
	static const double columns[][SCENE_MOST_FIGURES] = {{0.5}, {0.32, 0.7}, {0.5, 0.22, 0.79}};
	const struct figure *figure = scene->figures[nth].figure;
	double size = scene_side(scene) * figure->size;

	/* Away from the sun, so that neither hides the other. */
	double shift = scene->light_x < scene->width / 2 ? 0.05 : -0.05;
	double x = scene->width * (columns[scene->figure_count - 1][nth] + shift);
	double y = land_height(scene, x) + size * 0.03;

	if (scene->figure_count > 1)
		size *= 0.8;
	if (figure->place == IN_SKY)
		y = scene->horizon - scene->height * 0.02;
	if (figure->place == IN_WATER)
		y = scene->height * 0.6;
	if (figure->place == ON_WATER)
		y = scene->height * 0.74;
	ground_figure(cr, scene, figure, x, y, size);
	figure_draw(figure, cr, x, y, size, scene->figures[nth].colour, GLOW);
}

void
world_paint(cairo_t *cr, struct scene *scene)
{
	land_paint(cr, scene);
	for (size_t i = 0; i < scene->figure_count; i++)
		place_figure(cr, scene, i);
	ground_paint(cr, scene);
}

static void
paint_all(cairo_t *cr, struct scene *scene)
{
	sky_paint(cr, scene);
	world_paint(cr, scene);
	weather_paint(cr, scene);
}

bool
painter_paint(const struct painting *painting, struct fn_arena *arena, struct fn_bytes *png,
	struct fn_error *err)
{
	struct scene scene;

	scene_imagine(&scene, painting->prompt, painting->seed, painting->width, painting->height);

	cairo_surface_t *surface = cairo_image_surface_create(
		CAIRO_FORMAT_RGB24, (int)painting->width, (int)painting->height);
	cairo_t *cr = cairo_create(surface);
	paint_all(cr, &scene);
	cairo_status_t status = cairo_status(cr);
	cairo_destroy(cr);
	caption_write(surface, &scene, painting->prompt, arena);
	cairo_surface_flush(surface);

	bool ok = status == CAIRO_STATUS_SUCCESS
			  ? png_encode(surface, scene.seed, arena, png, err)
			  : fn_fail(err, FN_INTERNAL, "cairo: %s", cairo_status_to_string(status));
	cairo_surface_destroy(surface);
	return ok;
}
