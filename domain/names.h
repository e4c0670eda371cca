/* names.h: the names of those who made what is shown, remembered for a while.
 *
 * A page shows the same few people over and over. Somebody who takes another name is shown under
 * the old one for NAMES_KEPT_MS at most. */
#ifndef NAMES_H
#define NAMES_H

#include "domain/creation.h"

#define NAMES_KEPT_MS 30000

struct names; /* opaque; safe for many threads */

struct names *names_open(void);
void names_close(struct names *);

/* Sets the owners' names. Those that are not known are read at once. */
FN_MUST bool names_fill(struct names *, struct fn_call *, struct document_store *,
	struct creation *, size_t count, struct fn_error *);

/* Somebody has taken a name just now. */
void names_learn(struct names *, const struct user *);

#endif
