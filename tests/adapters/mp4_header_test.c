/* What a file says of itself is believed as far as it makes sense. */
#include "adapters/wire/mp4_header.h"

#include "tests/support/arena.h"
#include "tests/support/suite.h"

#include <string.h>

static struct fn_error err;

static bool
read_bytes(void *with, uint64_t offset, char *into, size_t size, struct fn_error *failure)
{
	const struct fn_bytes *file = with;

	(void)failure;
	ck_assert_uint_le(offset, file->size);
	ck_assert_uint_le(size, file->size - offset);
	memcpy(into, file->at + offset, size);
	return true;
}

/* clang-format off */
#define Z4 "\0\0\0\0"
#define Z8 Z4 Z4
#define Z32 Z8 Z8 Z8 Z8
#define FTYP "\0\0\0\x10" "ftypisom" Z4
#define FREE "\0\0\0\x0c" "free" Z4
#define MVHD "\0\0\0\x1c" "mvhd" Z4 Z8 "\0\0\x03\xe8" "\0\0\x0f\xa0" /* 4000 / 1000 */
#define MVHD_64 "\0\0\0\x28" "mvhd" "\1\0\0\0" Z8 Z8 "\0\0\x02\x58" Z4 "\0\0\x09\x60" /* 2400 / 600 */
#define TKHD(size) "\0\0\0\x5c" "tkhd" Z32 Z32 Z8 Z4 size
#define TRAK(size) "\0\0\0\x64" "trak" TKHD(size)
#define FILM "\x02\x80\0\0" "\x01\x68\0\0" /* 640 x 360 */
#define SOUND Z8
#define MOOV "\0\0\0\xec" "moov"
#define MOOV_64 "\0\0\0\x94" "moov"
#define MDAT "\0\0\0\x0c" "mdat" "film"
#define MDAT_64 "\0\0\0\1" "mdat" "\0\0\0\0\0\0\0\x14" "film"
#define MDAT_TO_END Z4 "mdat" "film"
/* clang-format on */

static const struct {
	const char *name;
	struct fn_bytes file;
	unsigned width, height, duration_ms; /* 0: it is refused */
} cases[] = {
	{"for players", FN_BYTES_INIT(FTYP MOOV MVHD TRAK(SOUND) TRAK(FILM) MDAT), 640, 360, 4000},
	{"as it was encoded", FN_BYTES_INIT(FTYP FREE MDAT MOOV MVHD TRAK(FILM) TRAK(SOUND)), 640,
		360, 4000},
	{"for large files", FN_BYTES_INIT(FTYP MDAT_64 MOOV_64 MVHD_64 TRAK(FILM) FREE), 640, 360,
		4000},
	{"with data up to the end",
		FN_BYTES_INIT(FTYP MOOV MVHD TRAK(FILM) TRAK(SOUND) MDAT_TO_END), 640, 360, 4000},
	{"sound alone", FN_BYTES_INIT(FTYP MOOV MVHD TRAK(SOUND) TRAK(SOUND)), 0, 0, 0},
	{"empty", FN_BYTES_INIT(""), 0, 0, 0},
	{"short",
		FN_BYTES_INIT("\0\0\0\x08"
			      "fty"),
		0, 0, 0},
	{"a picture", FN_BYTES_INIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), 0, 0, 0},
	{"without a header", FN_BYTES_INIT(FTYP MDAT), 0, 0, 0},
	{"with data up to the end, and no header", FN_BYTES_INIT(FTYP MDAT_TO_END MOOV), 0, 0, 0},
	{"not from its beginning", FN_BYTES_INIT(MOOV MVHD TRAK(FILM) TRAK(SOUND)), 0, 0, 0},
	{"a header that is cut", FN_BYTES_INIT(FTYP MOOV MVHD TRAK(FILM)), 0, 0, 0},
	{"a box smaller than its head",
		FN_BYTES_INIT(FTYP "\0\0\0\x07"
				   "free" MOOV MVHD TRAK(FILM) TRAK(SOUND)),
		0, 0, 0},
	{"a box of no end",
		FN_BYTES_INIT(FTYP "\0\0\0\1"
				   "mdat\xff\xff\xff\xff\xff\xff\xff\xff"),
		0, 0, 0},
};

START_TEST(header_is_read_or_refused)
{
	struct mp4_header header = {.width = 7};
	struct fn_bytes file = cases[_i].file;
	const struct fn_source source = {file.size, read_bytes, &file};

	bool ok = mp4_header_read(&header, &source, arena, &err);
	ck_assert_msg(ok == (cases[_i].width > 0), "%s: %s", cases[_i].name, err.message);
	ck_assert_uint_eq(header.width, ok ? cases[_i].width : 7);
	ck_assert_int_eq(err.code, ok ? FN_OK : FN_UPSTREAM);
	if (ok) {
		ck_assert_uint_eq(header.height, cases[_i].height);
		ck_assert_uint_eq(header.duration_ms, cases[_i].duration_ms);
	}
}
END_TEST

int
main(void)
{
	const struct suite_case suite[] = {
		{.test = header_is_read_or_refused, .rows = COUNT(cases)},
	};

	return suite_run_with("mp4_header", suite, COUNT(suite), arena_begin, arena_end);
}
