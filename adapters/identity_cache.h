/* identity_cache.h: tokens that were verified a short while ago. Private to adapters.
 *
 * Tokens are known by their hash, so that none of them lies in memory longer than its request. Room
 * is limited: in each small part of the cache the one that ends first makes place. */
#ifndef IDENTITY_CACHE_H
#define IDENTITY_CACHE_H

#include "adapters/wire/sha256.h"

#define IDENTITY_SUBJECT_MOST 255 /* bytes (OpenID Connect Core 1.0, 2: "sub") */

struct identity_cache; /* opaque; safe for many threads */

FN_MUST bool identity_cache_open(struct identity_cache **, struct fn_error *);
void identity_cache_close(struct identity_cache *);

/* The subject of the token of this hash, if it is remembered, copied into the arena. */
bool identity_cache_find(struct identity_cache *, const struct sha256 *, int64_t now_ms,
	struct fn_arena *, struct fn_bytes *subject);

/* Remembers it until then, in Unix time. */
void identity_cache_add(
	struct identity_cache *, const struct sha256 *, int64_t until_ms, struct fn_bytes subject);

#endif
