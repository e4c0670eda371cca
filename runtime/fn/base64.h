/* base64.h: bytes as text, in the two alphabets of RFC 4648. */
#ifndef FN_BASE64_H
#define FN_BASE64_H

#include "fn/bytes.h"

/* Section 4: the standard alphabet, padded, without line breaks.
 *
 * Decodes into `into`, which needs room for three quarters of the text and may be the text's own
 * memory. False where anything is not as the standard wants it, unused bits included. */
bool fn_base64_decode(struct fn_bytes text, char *into, size_t *size);

struct fn_bytes fn_base64_encode(struct fn_bytes, struct fn_arena *);

/* Section 5: the alphabet for URLs, unpadded, as tokens are made of it (RFC 7515, section 2).
 *
 * There is one text for each bytes, so that nobody can write the same token twice: false for
 * padding, line breaks, the other alphabet and unused bits that are set. What is encoded is
 * followed by a NUL that does not count. */
bool fn_base64url_decode(struct fn_bytes text, struct fn_arena *, struct fn_bytes *bytes);
struct fn_bytes fn_base64url_encode(struct fn_bytes, struct fn_arena *);

#endif
