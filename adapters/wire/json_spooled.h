/* json_spooled.h: JSON with a file in it, as base64, that memory should not hold.
 *
 * The text is read while it arrives. The value of the first member of one of the given names is
 * decoded into a spool, and in the tree stands an empty string in its place. */
#ifndef JSON_SPOOLED_H
#define JSON_SPOOLED_H

#include "adapters/spool.h"
#include "adapters/wire/json.h"

#define JSON_SPOOLED_MOST (1024 * 1024) /* bytes of all but that value */

struct json_spooled;

/* It lives in the arena, as do the spool and the tree. `names` ends with NULL. */
struct json_spooled *json_spooled_new(struct fn_arena *, const char *const names[]);

/* The next piece of the text. FN_UPSTREAM: the value is no base64, there is too much beside it, or
 * the disk fails. */
FN_MUST bool json_spooled_add(struct json_spooled *, struct fn_bytes piece, struct fn_error *);

/* After the last piece. `spool` is NULL where no member had one of the names.
 * FN_UPSTREAM: the text is no JSON. */
FN_MUST bool json_spooled_read(
	struct json_spooled *, json_t **root, const struct spool **spool, struct fn_error *);

#endif
