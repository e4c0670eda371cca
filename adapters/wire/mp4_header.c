#include "adapters/wire/mp4_header.h"

#include <endian.h>
#include <string.h>

#define MOVIE_MOST (8 * 1024 * 1024) /* bytes of a moov box */
#define BOXES_MOST 256               /* before it */
#define HEAD 8                       /* size and type */
#define LARGE_HEAD 16                /* where the size needs 64 bits */
#define DIMENSIONS 8                 /* width and height, at the end of a tkhd box */

struct box {
	char type[5];
	uint64_t head, size; /* the size with the head */
};

static uint32_t
get_32(const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static uint64_t
get_64(const char *at)
{
	return (uint64_t)get_32(at) << 32 | get_32(at + 4);
}

/* `head` has LARGE_HEAD bytes, of which those beyond `left` are 0. */
static bool
box_read(struct box *box, const char *head, uint64_t left)
{
	uint32_t size = get_32(head);

	memcpy(box->type, head + 4, 4);
	box->type[4] = '\0';
	box->head = size == 1 ? LARGE_HEAD : HEAD;
	box->size = size == 0 ? left : size == 1 ? get_64(head + 8) : size;
	return box->size >= box->head && box->size <= left;
}

/* ---- In memory ------------------------------------------------------------------------------- */

/* The next box of the list: its type, and its content. */
static bool
box_next(struct fn_bytes *list, struct box *box, struct fn_bytes *content)
{
	char head[LARGE_HEAD] = {0};

	if (list->size < HEAD)
		return false;
	memcpy(head, list->at, list->size < LARGE_HEAD ? list->size : LARGE_HEAD);
	if (!box_read(box, head, list->size))
		return false;
	*content = (struct fn_bytes){list->at + box->head, (size_t)(box->size - box->head)};
	*list = (struct fn_bytes){list->at + box->size, (size_t)(list->size - box->size)};
	return true;
}

/* Version 1 has 64 bits for the two dates before, and for the duration. */
static void
read_duration(struct fn_bytes mvhd, struct mp4_header *header)
{
	bool is_long = mvhd.size > 0 && mvhd.at[0] == 1;
	size_t at = is_long ? 20 : 12;

	if (mvhd.size < at + (is_long ? 12 : 8))
		return;
	uint64_t scale = get_32(mvhd.at + at);
	uint64_t duration = is_long ? get_64(mvhd.at + at + 4) : get_32(mvhd.at + at + 4);
	if (scale > 0 && duration <= UINT32_MAX)
		header->duration_ms = (unsigned)(duration * 1000 / scale);
}

/* In 16.16 fixed point; sound has none. */
static void
read_dimensions(struct fn_bytes tkhd, struct mp4_header *header)
{
	if (tkhd.size < DIMENSIONS)
		return;
	const char *at = tkhd.at + tkhd.size - DIMENSIONS;
	if (get_32(at) >> 16 == 0 || get_32(at + 4) >> 16 == 0)
		return;
	header->width = get_32(at) >> 16;
	header->height = get_32(at + 4) >> 16;
}

static void
read_track(struct fn_bytes boxes, struct mp4_header *header)
{
	struct fn_bytes content;
	struct box box;

	while (box_next(&boxes, &box, &content))
		if (strcmp(box.type, "tkhd") == 0)
			read_dimensions(content, header);
}

static void
read_movie(struct fn_bytes boxes, struct mp4_header *header)
{
	struct fn_bytes content;
	struct box box;

	while (box_next(&boxes, &box, &content)) {
		if (strcmp(box.type, "mvhd") == 0)
			read_duration(content, header);
		if (strcmp(box.type, "trak") == 0)
			read_track(content, header);
	}
}

/* ---- In the file ----------------------------------------------------------------------------- */

static bool
no_mp4(struct fn_error *err)
{
	return fn_fail(err, FN_UPSTREAM, "the video is no MP4");
}

static bool
read_head(struct box *box, const struct fn_source *source, uint64_t offset, struct fn_error *err)
{
	uint64_t left = source->size - offset;
	char head[LARGE_HEAD] = {0};

	if (left < HEAD)
		return no_mp4(err);
	size_t size = left < LARGE_HEAD ? (size_t)left : LARGE_HEAD;
	TRY(source->read(source->with, offset, head, size, err));
	return box_read(box, head, left) || no_mp4(err);
}

/* Where the moov box is: players want it first, encoders write it last. */
static bool
find_movie(struct box *box, uint64_t *offset, const struct fn_source *source, struct fn_error *err)
{
	TRY(read_head(box, source, 0, err));
	if (strcmp(box->type, "ftyp") != 0)
		return no_mp4(err);
	*offset = box->size;
	for (unsigned i = 0; i < BOXES_MOST; i++) {
		TRY(read_head(box, source, *offset, err));
		if (strcmp(box->type, "moov") == 0)
			return box->size <= MOVIE_MOST || no_mp4(err);
		*offset += box->size;
	}
	return no_mp4(err);
}

bool
mp4_header_read(struct mp4_header *header, const struct fn_source *source, struct fn_arena *arena,
	struct fn_error *err)
{
	struct mp4_header read = {0};
	uint64_t offset;
	struct box box;

	TRY(find_movie(&box, &offset, source, err));
	size_t size = (size_t)(box.size - box.head);
	char *movie = fn_arena_alloc(arena, size);
	TRY(source->read(source->with, offset + box.head, movie, size, err));
	read_movie((struct fn_bytes){movie, size}, &read);
	if (read.width == 0)
		return fn_fail(err, FN_UPSTREAM, "the video has no moving pictures");
	*header = read;
	return true;
}
