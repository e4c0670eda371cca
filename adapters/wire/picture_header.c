#include "adapters/wire/picture_header.h"

#include <string.h>

/* Its signature, then the size and the name of its first chunk. */
#define PNG_HEADER "\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
#define PNG_SIZE_AT 16
#define PNG_HEADER_SIZE 33 /* with the rest of the chunk */
#define PNG_MOST 0x7fffffff
#define JPEG_START "\xff\xd8\xff"

static unsigned
be16(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static unsigned
be32(const unsigned char *at)
{
	return be16(at) << 16 | be16(at + 2);
}

static bool
read_png(struct picture_header *header, const unsigned char *at, size_t size)
{
	if (size < PNG_HEADER_SIZE)
		return false;
	header->width = be32(at + PNG_SIZE_AT);
	header->height = be32(at + PNG_SIZE_AT + 4);
	return header->width <= PNG_MOST && header->height <= PNG_MOST;
}

/* SOF0 to SOF15 carry the size; in their midst lie DHT, JPG and DAC. */
static bool
is_frame(unsigned char marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	       marker != 0xcc;
}

/* Before the first scan (SOS) every segment says how long it is. Its marker may follow any number
 * of fill bytes, which look like the first byte of a marker. */
static bool
read_jpeg(struct picture_header *header, const unsigned char *at, size_t size)
{
	const unsigned char *end = at + size;

	for (at += 2; end - at >= 4 && at[0] == 0xff && at[1] != 0xda;) {
		if (at[1] == 0xff) {
			at++;
			continue;
		}
		size_t length = be16(at + 2);
		if (is_frame(at[1])) {
			if (length < 8 || end - at < 9)
				return false;
			header->height = be16(at + 5);
			header->width = be16(at + 7);
			return true;
		}
		if (length < 2 || (size_t)(end - at) < length + 2)
			return false;
		at += length + 2;
	}
	return false;
}

static const struct format {
	struct fn_bytes start;
	const char *mime_type;
	bool (*read)(struct picture_header *, const unsigned char *, size_t);
} formats[] = {
	{FN_BYTES_INIT(PNG_HEADER), "image/png", read_png},
	{FN_BYTES_INIT(JPEG_START), "image/jpeg", read_jpeg},
};

bool
picture_header_read(struct picture_header *header, struct fn_bytes picture)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const struct format *format = &formats[i];
		struct picture_header found = {.mime_type = format->mime_type};

		if (picture.size < format->start.size ||
			memcmp(picture.at, format->start.at, format->start.size) != 0)
			continue;
		if (!format->read(&found, (const unsigned char *)picture.at, picture.size) ||
			found.width == 0 || found.height == 0)
			return false;
		*header = found;
		return true;
	}
	return false;
}
