#include "local/vertex/brush.h"

#include <math.h>
#include <stdlib.h>

struct rgb
rgb(unsigned hex)
{
	return (struct rgb)RGB(hex);
}

struct rgb
rgb_mix(struct rgb from, struct rgb to, double share)
{
	return (struct rgb){
		from.r + (to.r - from.r) * share,
		from.g + (to.g - from.g) * share,
		from.b + (to.b - from.b) * share,
	};
}

static uint64_t
scramble(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static double
to_unit(uint64_t bits)
{
	return (double)(bits >> 11) / (double)(1ULL << 53);
}

double
chance_between(struct chance *chance, double least, double most)
{
	chance->state += 0x9e3779b97f4a7c15;
	return least + (most - least) * to_unit(scramble(chance->state));
}

int
chance_below(struct chance *chance, int limit)
{
	return (int)chance_between(chance, 0, limit);
}

double
noise(uint64_t seed, double x, int octaves)
{
	double sum = 0, whole = 0, weight = 1;

	for (int i = 0; i < octaves; i++) {
		double cell = floor(x), t = x - cell;
		uint64_t at = seed + (uint64_t)(int64_t)cell * 0x9e3779b97f4a7c15;
		double left = to_unit(scramble(at));
		double right = to_unit(scramble(at + 0x9e3779b97f4a7c15));

		sum += weight * (left + (right - left) * t * t * (3 - 2 * t));
		whole += weight;
		weight /= 2;
		x = 2 * x + 17;
	}
	return sum / whole;
}

void
brush_colour(cairo_t *cr, struct rgb colour, double alpha)
{
	cairo_set_source_rgba(cr, colour.r, colour.g, colour.b, alpha);
}

void
brush_fill(cairo_t *cr, struct rgb colour, double alpha)
{
	brush_colour(cr, colour, alpha);
	cairo_fill(cr);
}

static void
fill_with(cairo_t *cr, cairo_pattern_t *pattern)
{
	cairo_set_source(cr, pattern);
	cairo_fill(cr);
	cairo_pattern_destroy(pattern);
}

static void
add_stop(cairo_pattern_t *pattern, double at, struct rgb colour, double alpha)
{
	cairo_pattern_add_color_stop_rgba(pattern, at, colour.r, colour.g, colour.b, alpha);
}

void
brush_fade(cairo_t *cr, double top, struct rgb top_colour, double top_alpha, double bottom,
	struct rgb bottom_colour, double bottom_alpha)
{
	cairo_pattern_t *pattern = cairo_pattern_create_linear(0, top, 0, bottom);

	add_stop(pattern, 0, top_colour, top_alpha);
	add_stop(pattern, 1, bottom_colour, bottom_alpha);
	fill_with(cr, pattern);
}

void
brush_disc(cairo_t *cr, double x, double y, double radius, struct rgb colour, double alpha)
{
	cairo_arc(cr, x, y, radius, 0, 2 * M_PI);
	brush_fill(cr, colour, alpha);
}

void
brush_glow(cairo_t *cr, double x, double y, double radius, struct rgb colour, double alpha)
{
	cairo_pattern_t *pattern = cairo_pattern_create_radial(x, y, 0, x, y, radius);

	/* Close to a Gaussian, which has no visible edge. */
	add_stop(pattern, 0, colour, alpha);
	add_stop(pattern, 0.25, colour, alpha * 0.62);
	add_stop(pattern, 0.5, colour, alpha * 0.23);
	add_stop(pattern, 0.75, colour, alpha * 0.05);
	add_stop(pattern, 1, colour, 0);
	cairo_arc(cr, x, y, radius, 0, 2 * M_PI);
	fill_with(cr, pattern);
}

static void
read_numbers(const char **drawing, double numbers[], int count)
{
	for (int i = 0; i < count; i++) {
		char *end;

		numbers[i] = strtod(*drawing, &end);
		*drawing = end;
	}
}

void
brush_path(cairo_t *cr, const char *drawing)
{
	double p[6];

	while (*drawing) {
		switch (*drawing++) {
		case 'M':
			read_numbers(&drawing, p, 2);
			cairo_move_to(cr, p[0], p[1]);
			break;
		case 'L':
			read_numbers(&drawing, p, 2);
			cairo_line_to(cr, p[0], p[1]);
			break;
		case 'C':
			read_numbers(&drawing, p, 6);
			cairo_curve_to(cr, p[0], p[1], p[2], p[3], p[4], p[5]);
			break;
		case 'O':
			read_numbers(&drawing, p, 3);
			cairo_new_sub_path(cr);
			cairo_arc(cr, p[0], p[1], p[2], 0, 2 * M_PI);
			cairo_close_path(cr);
			break;
		case 'Z':
			cairo_close_path(cr);
			break;
		}
	}
}
