#include "local/vertex/png_file.h"

#include <png.h>

/* Knuth's linear congruential generator: -1, 0 or 1, and 0 half of the time. */
static int
next_grain(uint64_t *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (int)(*state >> 63) + (int)(*state >> 62 & 1) - 1;
}

static unsigned char
clamp(int value)
{
	return (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Cairo's xRGB words as bytes R, G, B. Each pixel becomes a little lighter or darker, which hides
 * the bands of gradients. */
static unsigned char *
convert_row(const uint32_t *pixels, unsigned width, uint64_t *grains, unsigned char *bytes)
{
	for (unsigned x = 0; x < width; x++) {
		int grain = next_grain(grains);

		*bytes++ = clamp((int)(pixels[x] >> 16 & 255) + grain);
		*bytes++ = clamp((int)(pixels[x] >> 8 & 255) + grain);
		*bytes++ = clamp((int)(pixels[x] & 255) + grain);
	}
	return bytes;
}

bool
png_encode(cairo_surface_t *surface, uint64_t seed, struct fn_arena *arena, struct fn_bytes *file,
	struct fn_error *err)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION,
		.width = (unsigned)cairo_image_surface_get_width(surface),
		.height = (unsigned)cairo_image_surface_get_height(surface),
		.format = PNG_FORMAT_RGB,
		.flags = PNG_IMAGE_FLAG_FAST,
	};
	const unsigned char *pixels = cairo_image_surface_get_data(surface);
	size_t stride = (size_t)cairo_image_surface_get_stride(surface);
	unsigned char *bytes = fn_arena_alloc(arena, PNG_IMAGE_SIZE(image)), *end = bytes;
	png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
	char *png = fn_arena_alloc(arena, size);

	for (unsigned y = 0; y < image.height; y++)
		end = convert_row((const void *)(pixels + y * stride), image.width, &seed, end);
	if (!png_image_write_to_memory(&image, png, &size, 0, bytes, 0, NULL))
		return fn_fail(err, FN_INTERNAL, "libpng: %s", image.message);
	*file = (struct fn_bytes){png, size};
	return true;
}
