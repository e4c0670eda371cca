#include "fn/base64.h"

#include "base64_avx2.h"

#include <endian.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What a character adds to the 24 bits that four of them make, by its place among the four. One
 * that is of the alphabet also counts one above these bits, where four make ALL_VALID. */
#define VALID (1U << 24)
#define ALL_VALID 4
/* clang-format off */
#define EIGHT(shift, first, a, b, c, d, e, f, g, h)                                                \
	[a] = VALID | (first + 0U) << (shift), [b] = VALID | (first + 1U) << (shift),              \
	[c] = VALID | (first + 2U) << (shift), [d] = VALID | (first + 3U) << (shift),              \
	[e] = VALID | (first + 4U) << (shift), [f] = VALID | (first + 5U) << (shift),              \
	[g] = VALID | (first + 6U) << (shift), [h] = VALID | (first + 7U) << (shift)
#define ALPHABET(shift)                                                                            \
	EIGHT(shift, 0, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'),                                   \
	EIGHT(shift, 8, 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P'),                                   \
	EIGHT(shift, 16, 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X'),                                  \
	EIGHT(shift, 24, 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f'),                                  \
	EIGHT(shift, 32, 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'),                                  \
	EIGHT(shift, 40, 'o', 'p', 'q', 'r', 's', 't', 'u', 'v'),                                  \
	EIGHT(shift, 48, 'w', 'x', 'y', 'z', '0', '1', '2', '3'),                                  \
	EIGHT(shift, 56, '4', '5', '6', '7', '8', '9', '+', '/')
/* clang-format on */
static const uint32_t sextets[4][256] = {
	{ALPHABET(18)},
	{ALPHABET(12)},
	{ALPHABET(6)},
	{ALPHABET(0)},
};

static uint32_t
quartet(const unsigned char *at)
{
	return sextets[0][at[0]] + sextets[1][at[1]] + sextets[2][at[2]] + sextets[3][at[3]];
}

static void
put(char *into, uint32_t bits)
{
	into[0] = (char)(bits >> 16);
	into[1] = (char)(bits >> 8);
	into[2] = (char)bits;
}

/* The last four characters, of which one or two may be padding. */
static bool
decode_last(const char *at, char *into, size_t *size)
{
	size_t padding = at[3] != '=' ? 0 : at[2] != '=' ? 1 : 2;
	char text[4] = {at[0], at[1], padding < 2 ? at[2] : 'A', padding < 1 ? at[3] : 'A'};
	uint32_t bits = quartet((const unsigned char *)text);
	char bytes[3];

	if (bits >> 24 != ALL_VALID || bits & ((1U << 8 * padding) - 1))
		return false;
	put(bytes, bits);
	memcpy(into, bytes, 3 - padding);
	*size += 3 - padding;
	return true;
}

/* All are judged together at the end, and each step writes a byte too many, which the next one
 * overwrites: a fifth faster than one by one. */
bool
fn_base64_decode(struct fn_bytes text, char *into, size_t *size)
{
	size_t read, done;
	uint32_t in_all = ALL_VALID << 24;

	if (text.size % 4 != 0)
		return false;
	read = base64_decode_avx2(text.at, text.size, into);
	for (done = read / 4 * 3; read + 4 < text.size; read += 4, done += 3) {
		uint32_t bits = quartet((const unsigned char *)text.at + read);
		uint32_t bytes = htobe32(bits << 8);

		in_all &= bits;
		memcpy(into + done, &bytes, sizeof(bytes));
	}
	if (in_all >> 24 != ALL_VALID)
		return false;
	if (read < text.size && !decode_last(text.at + read, into + done, &done))
		return false;
	*size = done;
	return true;
}

struct fn_bytes
fn_base64_encode(struct fn_bytes bytes, struct fn_arena *arena)
{
	size_t size = (bytes.size + 2) / 3 * 4;
	char *text = fn_arena_alloc(arena, size + 1), *out = text;

	for (size_t i = 0; i < bytes.size; i += 3, out += 4) {
		size_t left = bytes.size - i;
		unsigned char in[3] = {0};

		memcpy(in, bytes.at + i, left < 3 ? left : 3);
		out[0] = alphabet[in[0] >> 2];
		out[1] = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
		out[2] = left > 1 ? alphabet[(in[1] & 15) << 2 | in[2] >> 6] : '=';
		out[3] = left > 2 ? alphabet[in[2] & 63] : '=';
	}
	return (struct fn_bytes){text, size};
}
