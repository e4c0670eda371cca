/* cursor.h: where in a list a client goes on: text that only we can make.
 *
 * A cursor holds the store's page token and a MAC over it and over what is listed, so that nobody
 * can write one, or use one for another list than it was made for. */
#ifndef CURSOR_H
#define CURSOR_H

#include "fn/call.h"

#define CURSOR_KEY_SIZE 32

struct cursor_key {
	unsigned char bytes[CURSOR_KEY_SIZE];
};

/* All processes that serve one list need the same secret; without one the key is drawn, and its
 * cursors are good for this process alone. */
void cursor_key_init(struct cursor_key *, struct fn_bytes secret);

/* `list` says what is listed: "explore image". Of no page token comes no cursor. */
struct fn_bytes cursor_seal(
	const struct cursor_key *, struct fn_call *, struct fn_bytes list, struct fn_bytes token);

/* FN_INVALID: we have not made it, or for another list. */
FN_MUST bool cursor_open(const struct cursor_key *, struct fn_call *, struct fn_bytes list,
	struct fn_bytes cursor, struct fn_bytes *token, struct fn_error *);

#endif
