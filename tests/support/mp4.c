#include "tests/support/mp4.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

static void
add_32(struct fn_builder *file, uint32_t value)
{
	uint32_t bytes = htobe32(value);

	fn_add(file, (struct fn_bytes){(const char *)&bytes, sizeof(bytes)});
}

static void
add_head(struct fn_builder *file, uint32_t size, const char *type)
{
	add_32(file, size);
	fn_add(file, fn_bytes(type));
}

static void
add_zeros(struct fn_builder *file, size_t size)
{
	static const char zeros[64];

	fn_add(file, (struct fn_bytes){zeros, size});
}

/* A file's head as ISO/IEC 14496-12 has it, in version 0 of all boxes. */
static void
add_headers(struct fn_builder *file)
{
	add_head(file, 16, "ftyp");
	fn_add(file, FN_BYTES("isom"));
	add_32(file, 0x200);
	add_head(file, 8 + 108 + 8 + 92, "moov");
	add_head(file, 108, "mvhd");
	add_zeros(file, 12);
	add_32(file, 1000); /* units a second */
	add_32(file, 4000);
	add_zeros(file, 40);
	add_zeros(file, 40);
	add_head(file, 8 + 92, "trak");
	add_head(file, 92, "tkhd");
	add_zeros(file, 38);
	add_zeros(file, 38);
	add_32(file, 1280 << 16);
	add_32(file, 720 << 16);
}

struct fn_bytes
mp4_sample(struct fn_arena *arena, size_t size)
{
	struct fn_builder head = {.arena = arena};

	add_headers(&head);
	add_head(&head, (uint32_t)(size - head.size), "mdat");
	assert(size >= 1024);
	char *file = fn_arena_alloc(arena, size);
	memcpy(file, head.at, head.size);
	for (size_t i = head.size; i < size; i++)
		file[i] = (char)(i * 2654435761u >> 24);
	return (struct fn_bytes){file, size};
}
