/* base64_avx2.h: the quick start of fn_base64_decode. */
#ifndef BASE64_AVX2_H
#define BASE64_AVX2_H

#include <stddef.h>

/* Decodes from the beginning as far as it gets, which ends before the first character that is no
 * base64; returns how many characters it has read, a multiple of 32. Writes to no more than three
 * quarters of `size`, but there also beyond what it has decoded. */
size_t base64_decode_avx2(const char *text, size_t size, char *into);

#endif
