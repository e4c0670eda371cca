/* Base64 by 32 characters at a time, six times as fast as by table.
 *
 * A character is looked up by its two halves. Each half says which groups of the alphabet it could
 * not be of; a character is of none when its halves have a bit in common. The upper half also says
 * by how much its group is shifted; only '/' shares it with another group and is told apart.
 * Source: Mula and Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions", 2018. */
#include "base64_avx2.h"

#ifdef __x86_64__

#include <immintrin.h>

#define NEEDED 44 /* characters: they leave room for a whole vector to be written */
#define AVX2 __attribute__((target("avx2")))
#define IN_BOTH_LANES(...) _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))

/* 32 bytes of 6 bits each become 24 of 8, at the vector's beginning: of each two neighbours the
 * first is shifted, by 6 bits and then by 12, and added to the second. */
AVX2 static __m256i
pack(__m256i sextets)
{
	const __m256i backwards =
		IN_BOTH_LANES(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
	const __m256i lanes_together = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7);
	__m256i pairs = _mm256_maddubs_epi16(sextets, _mm256_set1_epi32(0x01400140));
	__m256i quartets = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));

	return _mm256_permutevar8x32_epi32(
		_mm256_shuffle_epi8(quartets, backwards), lanes_together);
}

AVX2 static size_t
decode(const char *text, size_t size, char *into)
{
	const __m256i not_by_lower = IN_BOTH_LANES(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
		0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
	const __m256i not_by_upper = IN_BOTH_LANES(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
		0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
	const __m256i shifts =
		IN_BOTH_LANES(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i slash = _mm256_set1_epi8('/'); /* 0x2f: also leaves no bit 7 in a half */
	size_t done = 0;

	for (; done + NEEDED <= size; done += 32, into += 24) {
		__m256i in = _mm256_loadu_si256((const __m256i *)(text + done));
		__m256i upper = _mm256_and_si256(_mm256_srli_epi32(in, 4), slash);
		__m256i lower = _mm256_and_si256(in, slash);
		if (!_mm256_testz_si256(_mm256_shuffle_epi8(not_by_lower, lower),
			    _mm256_shuffle_epi8(not_by_upper, upper)))
			break;
		__m256i group = _mm256_add_epi8(upper, _mm256_cmpeq_epi8(in, slash));
		__m256i sextets = _mm256_add_epi8(in, _mm256_shuffle_epi8(shifts, group));
		_mm256_storeu_si256((__m256i *)into, pack(sextets));
	}
	return done;
}

size_t
base64_decode_avx2(const char *text, size_t size, char *into)
{
	return __builtin_cpu_supports("avx2") ? decode(text, size, into) : 0;
}

#else

size_t
base64_decode_avx2(const char *text, size_t size, char *into)
{
	(void)text, (void)size, (void)into;
	return 0;
}

#endif
