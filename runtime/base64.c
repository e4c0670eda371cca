#include "fn/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define NO_BASE64 UINT32_MAX

/* What a character stands for; the top bit says that it stands for nothing. */
#define __ 0x80
/* clang-format off */
static const unsigned char values[256] = {
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __,
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __,
	__, __, __, __, __, __, __, __, __, __, __, 62, __, __, __, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, __, __, __, __, __, __,
	__,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, __, __, __, __, __,
	__, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, __, __, __, __, __,
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __,
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __,
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __,
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __,
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __,
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __,
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __,
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __,
};
/* clang-format on */
#undef __

/* Four characters as 24 bits; NO_BASE64 where one of them is none. */
static uint32_t
quartet(const unsigned char *at)
{
	uint32_t a = values[at[0]], b = values[at[1]], c = values[at[2]], d = values[at[3]];

	if ((a | b | c | d) & 0x80)
		return NO_BASE64;
	return a << 18 | b << 12 | c << 6 | d;
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

	if (bits >> 24 || bits & ((1U << 8 * padding) - 1))
		return false;
	put(bytes, bits);
	memcpy(into, bytes, 3 - padding);
	*size += 3 - padding;
	return true;
}

bool
fn_base64_decode(struct fn_bytes text, char *into, size_t *size)
{
	size_t done = 0, bodies = text.size / 4;

	if (text.size % 4 != 0)
		return false;
	for (size_t i = 0; i + 1 < bodies; i++, done += 3) {
		uint32_t bits = quartet((const unsigned char *)text.at + 4 * i);

		if (bits == NO_BASE64)
			return false;
		put(into + done, bits);
	}
	if (bodies > 0 && !decode_last(text.at + text.size - 4, into + done, &done))
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
