/* The painter: every prompt becomes a sound PNG that can be painted again, and looks like what it
 * says. */
#include "local/vertex/painter.h"
#include "tests/support/arena.h"
#include "tests/support/suite.h"

#include <png.h>
#include <stdlib.h>

struct pixels {
	unsigned width, height;
	unsigned char *rgb;
};

static struct fn_bytes
paint(const char *prompt, uint64_t seed, unsigned width, unsigned height)
{
	const struct painting painting = {fn_bytes(prompt), seed, width, height};
	struct fn_bytes png;
	struct fn_error err = {0};

	ck_assert_msg(painter_paint(&painting, arena, &png, &err), "%s", err.message);
	return png;
}

static struct pixels
decode(struct fn_bytes png)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	struct pixels pixels;

	ck_assert_msg(
		png_image_begin_read_from_memory(&image, png.at, png.size), "%s", image.message);
	image.format = PNG_FORMAT_RGB;
	pixels = (struct pixels){
		image.width, image.height, fn_arena_alloc(arena, PNG_IMAGE_SIZE(image))};
	ck_assert_msg(
		png_image_finish_read(&image, NULL, pixels.rgb, 0, NULL), "%s", image.message);
	return pixels;
}

static int
luma(const struct pixels *pixels, unsigned x, unsigned y)
{
	const unsigned char *rgb = pixels->rgb + 3 * ((size_t)y * pixels->width + x);

	return (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]) / 1000;
}

static double
mean_luma(const struct pixels *pixels)
{
	long sum = 0;

	for (unsigned y = 0; y < pixels->height; y++) {
		for (unsigned x = 0; x < pixels->width; x++)
			sum += luma(pixels, x, y);
	}
	return (double)sum / pixels->width / pixels->height;
}

/* How many pixels at the foot of the picture stand out from the ground: those of letters. */
static int
letter_pixels(const struct pixels *pixels)
{
	int ground = luma(pixels, 2, pixels->height * 95 / 100), count = 0;

	for (unsigned y = pixels->height * 92 / 100; y < pixels->height * 98 / 100; y++) {
		for (unsigned x = 0; x < pixels->width; x++)
			count += abs(luma(pixels, x, y) - ground) > 90;
	}
	return count;
}

/* How much more red than blue there is. */
static double
mean_redness(const struct pixels *pixels)
{
	size_t size = 3 * (size_t)pixels->width * pixels->height;
	long sum = 0;

	for (size_t i = 0; i < size; i += 3)
		sum += pixels->rgb[i] - pixels->rgb[i + 2];
	return 3 * (double)sum / (double)size;
}

static double
mean_difference(const struct pixels *one, const struct pixels *other)
{
	size_t size = 3 * (size_t)one->width * one->height;
	long sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += abs(one->rgb[i] - other->rgb[i]);
	return (double)sum / (double)size;
}

/* ---- Tests ---- */

static const unsigned sizes[][2] = {
	{1024, 1024}, {1408, 768}, {768, 1408}, {1280, 896}, {896, 1280}, {1584, 672}, {256, 256}};

/* A picture is a PNG of the size that was asked for. */
START_TEST(picture_has_the_size_asked_for)
{
	struct pixels pixels = decode(paint("a lake", 1, sizes[_i][0], sizes[_i][1]));

	ck_assert_uint_eq(pixels.width, sizes[_i][0]);
	ck_assert_uint_eq(pixels.height, sizes[_i][1]);
}
END_TEST

/* It weighs what a model's pictures weigh, so that the rest of the system is put to the test. */
START_TEST(picture_weighs_what_pictures_weigh)
{
	size_t size = paint("a red fox in the snow", 1, 1024, 1024).size;

	ck_assert_uint_ge(size, 300000);
	ck_assert_uint_le(size, 1500000);
}
END_TEST

/* The same prompt and seed give the same bytes again. */
START_TEST(picture_can_be_painted_again)
{
	struct fn_bytes once = paint("a city at night", 42, 512, 512);
	struct fn_bytes again = paint("a city at night", 42, 512, 512);

	ck_assert(fn_bytes_equal(once, again));
}
END_TEST

static const struct {
	const char *name, *prompt, *other;
	uint64_t seed, other_seed;
} pairs[] = {
	{"another seed", "something", "something", 1, 2},
	{"another word", "a fox in a forest", "an owl in a forest", 1, 1},
	{"another prompt without known words", "xyzzy", "plugh", 1, 1},
	{"a great seed", "something", "something", 1, 4294967295},
};

/* Another prompt, or another seed, gives a picture that looks different. */
START_TEST(other_wishes_give_other_pictures)
{
	struct pixels one = decode(paint(pairs[_i].prompt, pairs[_i].seed, 512, 512));
	struct pixels other = decode(paint(pairs[_i].other, pairs[_i].other_seed, 512, 512));

	ck_assert_msg(
		mean_difference(&one, &other) >= 4, "%s: the pictures look alike", pairs[_i].name);
}
END_TEST

/* What the prompt says of the hour is seen: day is brighter than night, snow than a storm. */
START_TEST(words_choose_the_light)
{
	struct pixels day = decode(paint("hills at noon", 1, 256, 256));
	struct pixels night = decode(paint("hills at midnight", 1, 256, 256));
	struct pixels snow = decode(paint("hills in winter", 1, 256, 256));
	struct pixels storm = decode(paint("hills in a storm", 1, 256, 256));

	ck_assert_double_gt(mean_luma(&day), mean_luma(&night) + 40);
	ck_assert_double_gt(mean_luma(&snow), mean_luma(&storm) + 40);
}
END_TEST

/* A colour in the prompt is the colour of what it stands before. */
START_TEST(words_choose_the_colour)
{
	struct pixels red = decode(paint("a red elephant at noon", 1, 256, 256));
	struct pixels blue = decode(paint("a blue elephant at noon", 1, 256, 256));
	struct pixels sunset = decode(paint("a sunset", 1, 256, 256));
	struct pixels reef = decode(paint("a reef", 1, 256, 256));

	ck_assert_double_gt(mean_redness(&red), mean_redness(&blue) + 15);
	ck_assert_double_gt(mean_redness(&sunset), mean_redness(&reef) + 60);
}
END_TEST

static const struct {
	const char *prompt;
	bool written;
} captions[] = {
	{"quiet hills at dusk", true},
	{"quiet hills in the snow", true},
	{"dusk \xe9\x9d\x99\xe3\x81\x8b at a lake", true},
	{"\xe9\x9d\x99\xe3\x81\x8b\xe3\x81\xaa\xe4\xb8\x98", false},
	{"", false},
};

/* The prompt's words can be read at the foot, as far as the font has their letters. */
START_TEST(words_are_written_into_the_picture)
{
	struct pixels pixels = decode(paint(captions[_i].prompt, 3, 1024, 1024));
	int letters = letter_pixels(&pixels);

	if (captions[_i].written)
		ck_assert_int_gt(letters, 1000);
	else
		ck_assert_int_lt(letters, 100);
}
END_TEST

static char *
repeated(const char *text, size_t times)
{
	struct fn_builder all = {.arena = arena};

	while (times-- > 0)
		fn_add(&all, fn_bytes(text));
	return fn_text(arena, fn_built(&all));
}

/* No prompt is too long, too odd or too full of figures to be painted. */
START_TEST(every_prompt_can_be_painted)
{
	const char *prompts[] = {
		repeated("w", 20000),
		repeated("fox ", 5000),
		repeated("\xf0\x9f\xa6\x8a", 2000),
		"\x01\x02\t\r\n%s%n",
		"fox cat wolf owl bear rabbit boat whale castle kite rocket",
		"a desert",
		"a city in the rain",
		"fish underwater",
		"in space",
		"an aurora",
		"snow at night",
		"fireflies",
		"autumn leaves",
		"blossom",
		"a sunny sky",
		"-",
	};

	for (size_t i = 0; i < COUNT(prompts); i++)
		decode(paint(prompts[i], i, 128, 96));
}
END_TEST

/* Whatever land, hour and figure chance draws, it can be painted. */
START_TEST(every_seed_can_be_painted)
{
	for (uint64_t seed = 0; seed < 200; seed++)
		paint("", seed, 96, 64);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = picture_has_the_size_asked_for, .rows = COUNT(sizes)},
		{.test = picture_weighs_what_pictures_weigh},
		{.test = picture_can_be_painted_again},
		{.test = other_wishes_give_other_pictures, .rows = COUNT(pairs)},
		{.test = words_choose_the_light},
		{.test = words_choose_the_colour},
		{.test = words_are_written_into_the_picture, .rows = COUNT(captions)},
		{.test = every_prompt_can_be_painted},
		{.test = every_seed_can_be_painted},
	};

	return suite_run_with("vertex painter", cases, COUNT(cases), arena_begin, arena_end);
}
