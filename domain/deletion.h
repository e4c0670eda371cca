/* deletion.h: a creation goes, and all that hangs on it.
 *
 * One commit takes it out of everybody's sight and leaves a note of what is to be done yet: its
 * object, its likes, and last the note. Whoever finds a note goes on where another broke off, and
 * breaks off himself after some seconds: the object store may hang. */
#ifndef DELETION_H
#define DELETION_H

#include "adapters/object_store.h"
#include "domain/creation.h"

struct deletion {
	struct document_store *documents;
	struct object_store *objects;
};

/* By its owner; may be repeated until all is done. True once nobody sees it any more: what could
 * not be deleted now is left to deletion_sweep.
 * FN_NOT_FOUND: `user` sees no such creation. FN_FORBIDDEN: it is another's. FN_CONFLICT: it is
 * being made. */
FN_MUST bool deletion_make(const struct deletion *, struct fn_call *, const struct user *,
	struct fn_bytes id, struct fn_error *);

/* Goes on with a few that others have left, if there are any. */
FN_MUST bool deletion_sweep(const struct deletion *, struct fn_call *, struct fn_error *);

#endif
