#include "adapters/wire/picture_header.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define PNG(width, height) "\x89PNG\r\n\x1a\n\0\0\0\rIHDR" width height "\x8\x2\0\0\0\1\2\3\4"
#define JFIF "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
#define SOF(n) "\xff" n "\0\x11\x8\0\x30\1\2\3\1\x22\0\2\x11\1\3\x11\1"

static const struct header_case {
	const char *name;
	struct fn_bytes picture;
	const char *mime_type; /* NULL: refused */
	unsigned width, height;
} header_cases[] = {
	{"PNG", FN_BYTES_INIT(PNG("\0\0\4\0", "\0\0\3\0")), "image/png", 1024, 768},
	{"PNG, as large as can be", FN_BYTES_INIT(PNG("\x7f\xff\xff\xff", "\0\0\0\1")), "image/png",
		0x7fffffff, 1},
	{"PNG, larger than can be", FN_BYTES_INIT(PNG("\x80\0\0\0", "\0\0\0\1")), NULL, 0, 0},
	{"PNG without width", FN_BYTES_INIT(PNG("\0\0\0\0", "\0\0\0\1")), NULL, 0, 0},
	{"PNG without height", FN_BYTES_INIT(PNG("\0\0\0\1", "\0\0\0\0")), NULL, 0, 0},
	{"PNG whose line ends were mended", FN_BYTES_INIT("\x89PNG\n\x1a\n\0\0\0\rIHDR"), NULL, 0,
		0},
	{"PNG that begins with something else",
		FN_BYTES_INIT("\x89PNG\r\n\x1a\n\0\0\0\rtEXt\0\0\4\0\0\0\3\0\x8\x2\0\0\0\1\2\3\4"),
		NULL, 0, 0},

	{"JPEG", FN_BYTES_INIT(JFIF SOF("\xc0")), "image/jpeg", 258, 48},
	{"JPEG, progressive", FN_BYTES_INIT(JFIF SOF("\xc2")), "image/jpeg", 258, 48},
	{"JPEG with a Huffman table before the frame",
		FN_BYTES_INIT(JFIF "\xff\xc4\0\5\1\2\3" SOF("\xc0")), "image/jpeg", 258, 48},
	{"JPEG with fill bytes", FN_BYTES_INIT(JFIF "\xff\xff\xff" SOF("\xc1")), "image/jpeg", 258,
		48},
	{"JPEG without width", FN_BYTES_INIT(JFIF "\xff\xc0\0\x11\x8\0\x30\0\0\3"), NULL, 0, 0},
	{"JPEG whose height comes later", FN_BYTES_INIT(JFIF "\xff\xc0\0\x11\x8\0\0\1\2\3"), NULL,
		0, 0},
	{"JPEG with a frame too short", FN_BYTES_INIT(JFIF "\xff\xc0\0\7\x8\0\x30\1\2"), NULL, 0,
		0},
	{"JPEG with a segment too short", FN_BYTES_INIT(JFIF "\xff\xe1\0\1" SOF("\xc0")), NULL, 0,
		0},
	{"JPEG with a segment too long", FN_BYTES_INIT(JFIF "\xff\xe1\xff\xff" SOF("\xc0")), NULL,
		0, 0},
	{"JPEG without a frame", FN_BYTES_INIT(JFIF "\xff\xda\0\x8\1\1\0\0\x3f\0" SOF("\xc0")),
		NULL, 0, 0},
	{"JPEG that is over at once", FN_BYTES_INIT("\xff\xd8\xff\xd9\0\0\0\0"), NULL, 0, 0},

	{"nothing", {0}, NULL, 0, 0},
	{"GIF", FN_BYTES_INIT("GIF89a\1\0\1\0\x80\0\0"), NULL, 0, 0},
	{"WebP", FN_BYTES_INIT("RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\1"), NULL, 0, 0},
	{"HTML", FN_BYTES_INIT("<!doctype html><title>502</title>"), NULL, 0, 0},
};

START_TEST(size_is_read_or_the_picture_refused)
{
	const struct header_case *c = &header_cases[_i];
	struct picture_header header = {0};

	bool ok = picture_header_read(&header, c->picture);
	ck_assert_msg(ok == (c->mime_type != NULL), "%s", c->name);
	ck_assert_msg(header.width == c->width && header.height == c->height, "%s: %ux%u", c->name,
		header.width, header.height);
	ck_assert_pstr_eq(header.mime_type, c->mime_type);
}
END_TEST

/* However early it ends, nothing behind the end is read: each piece has memory of its own, for
 * AddressSanitizer to watch. */
START_TEST(every_beginning_is_refused)
{
	static const struct fn_bytes whole[] = {FN_BYTES_INIT(PNG("\0\0\4\0", "\0\0\3\0")),
		FN_BYTES_INIT(JFIF "\xff\xc4\0\5\1\2\3\xff\xc0\0\x11\x8\0\x30\1\2")};
	struct picture_header header;

	for (size_t size = 1; size < whole[_i].size; size++) {
		char *piece = malloc(size);
		memcpy(piece, whole[_i].at, size);
		ck_assert_msg(
			!picture_header_read(&header, (struct fn_bytes){piece, size}), "%zu", size);
		free(piece);
	}
	ck_assert(picture_header_read(&header, whole[_i]));
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = size_is_read_or_the_picture_refused, .rows = COUNT(header_cases)},
		{.test = every_beginning_is_refused, .rows = 2},
	};
	return suite_run("picture_header", cases, COUNT(cases));
}
