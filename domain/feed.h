/* feed.h: creations as they are shown: in pages, and one by one.
 *
 * What may change after a creation was made is not taken from its document: names are looked up,
 * URLs made of the object's key. A page costs one query, and a read of what names are not known
 * yet; `liked` is one more read. How many like a creation is right in its document once what is
 * marked (page_cache.h) has been looked at, which each page does first. */
#ifndef FEED_H
#define FEED_H

#include "adapters/page_cache.h"
#include "domain/cursor.h"
#include "domain/deletion.h"
#include "domain/names.h"

struct feed {
	struct document_store *documents;
	struct object_store *objects;
	struct page_cache *pages;
	struct names *names;
	struct cursor_key key;
};

#define FEED_LIMIT 20 /* creations on a page, where nobody asks for another number */
#define FEED_LIMIT_MOST 60

/* The newest first. */
struct feed_list {
	struct fn_bytes owner; /* empty: everybody's */
	const char *type;      /* "image", "video"; NULL: both */
	bool drafts;           /* what is not listed, instead of what is */
};

struct feed_place {
	size_t limit;           /* 1..FEED_LIMIT_MOST */
	struct fn_bytes cursor; /* `next_cursor` of the page before; empty: the first page */
};

/* {"creations": [...], "next_cursor": text or null}; nobody has liked them.
 * FN_INVALID: the cursor is none of this list's. */
FN_MUST bool feed_page(const struct feed *, struct fn_call *, const struct feed_list *,
	const struct feed_place *, json_t **page, struct fn_error *);

/* One, with how many like it now, and whether `user` does. FN_NOT_FOUND: `user` sees none. */
FN_MUST bool feed_creation(const struct feed *, struct fn_call *, const struct user *,
	struct fn_bytes id, json_t **creation, struct fn_error *);

/* The documents of this creation have changed in a way that lists are to be told. */
void feed_mark(const struct feed *, struct fn_call *, struct fn_bytes creation);

/* Deletes, as deletion_make does, and takes it out of what is cached. */
FN_MUST bool feed_delete(const struct feed *, struct fn_call *, const struct user *,
	struct fn_bytes id, struct fn_error *);

#endif
