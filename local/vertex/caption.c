#include "local/vertex/caption.h"

#include <pthread.h>

#define LINES 2
#define ELLIPSIS "..."

/* Whether the font has all of the word. */
static bool
is_drawable(struct fn_bytes word)
{
	for (size_t i = 0; i < word.size; i++) {
		unsigned char byte = (unsigned char)word.at[i];

		if (byte <= ' ' || byte > '~')
			return false;
	}
	return word.size > 0;
}

static bool
fits(cairo_t *cr, const char *line, double width)
{
	cairo_text_extents_t extents;

	cairo_text_extents(cr, line, &extents);
	return extents.x_advance <= width;
}

/* Fills the lines word by word and returns how many there are. */
static int
wrap(cairo_t *cr, struct fn_bytes text, double width, struct fn_arena *arena, char *lines[LINES])
{
	int count = 0;

	while (text.size > 0) {
		struct fn_bytes next = fn_bytes_cut(&text, ' ');

		if (!is_drawable(next))
			continue;
		char *word = fn_text(arena, next);
		char *longer = count ? fn_textf(arena, "%s %s", lines[count - 1], word) : word;
		if (count > 0 && fits(cr, longer, width)) {
			lines[count - 1] = longer;
		} else if (count < LINES && fits(cr, word, width)) {
			lines[count++] = word;
		} else {
			if (count > 0)
				lines[count - 1] = fn_textf(arena, "%s" ELLIPSIS, lines[count - 1]);
			break;
		}
	}
	return count;
}

static void
write_lines(cairo_t *cr, const struct scene *scene, char *const lines[], int count, double size)
{
	for (int i = 0; i < count; i++) {
		double line = i - (count - 1) / 2.0;
		cairo_text_extents_t extents;

		cairo_text_extents(cr, lines[i], &extents);
		cairo_move_to(cr, (scene->width - extents.x_advance) / 2,
			scene->height * 0.95 + line * size * 1.35);
		cairo_show_text(cr, lines[i]);
	}
}

void
caption_write(cairo_surface_t *surface, const struct scene *scene, struct fn_bytes text,
	struct fn_arena *arena)
{
	/* Cairo takes the locks of its fonts in more than one order (ThreadSanitizer sees it in
	 * 1.16), so only one thread at a time has to do with fonts. */
	static pthread_mutex_t fonts = PTHREAD_MUTEX_INITIALIZER;
	double size = scene_side(scene) / 27;
	bool on_snow = scene->snowy && !scene->mood.moon;
	char *lines[LINES];

	pthread_mutex_lock(&fonts);
	cairo_t *cr = cairo_create(surface);
	cairo_select_font_face(cr, "@cairo:", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
	cairo_set_font_size(cr, size);
	brush_colour(cr, on_snow ? scene->mood.near : rgb(0xfaf3e6), 0.95);
	write_lines(cr, scene, lines, wrap(cr, text, scene->width * 0.86, arena, lines), size);
	cairo_destroy(cr);
	pthread_mutex_unlock(&fonts);
}
