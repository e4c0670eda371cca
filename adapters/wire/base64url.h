/* base64url.h: base64 for URLs, unpadded, as tokens are made of it.
 * Source: RFC 4648, section 5; RFC 7515, section 2. */
#ifndef BASE64URL_H
#define BASE64URL_H

#include "fn/bytes.h"

/* Decodes into the arena. There is one text for each bytes, so that nobody can write the same token
 * twice: false for padding, line breaks, the other alphabet and unused bits that are set. */
FN_MUST bool base64url_decode(struct fn_bytes text, struct fn_arena *, struct fn_bytes *bytes);

#endif
