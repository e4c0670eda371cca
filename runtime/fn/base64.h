/* base64.h: RFC 4648, section 4: the standard alphabet, padded, without line breaks. */
#ifndef FN_BASE64_H
#define FN_BASE64_H

#include "fn/bytes.h"

/* Decodes into `into`, which needs room for three quarters of the text and may be the text's own
 * memory. False where anything is not as the standard wants it, unused bits included. */
bool fn_base64_decode(struct fn_bytes text, char *into, size_t *size);

struct fn_bytes fn_base64_encode(struct fn_bytes, struct fn_arena *);

#endif
