/* creation.h: a picture or video that somebody made: its id, its document, its JSON. */
#ifndef CREATION_H
#define CREATION_H

#include "adapters/document_store.h"
#include "adapters/image_model.h"
#include "domain/prompt.h"
#include "domain/user.h"

#define CREATIONS "creations" /* the collection */

#define CREATION_ID_SIZE 31 /* "img_" + 26 characters + NUL */

/* "img_" or "vid_" and a ULID in lower case (48 bits of time, 80 random bits): sortable by time
 * and unguessable. */
void creation_new_id(const char *prefix, char id[CREATION_ID_SIZE]);
bool creation_is_id(struct fn_bytes); /* whether it could be one */

#define CREATION_QUEUED "queued"
#define CREATION_RUNNING "running"
#define CREATION_SUCCEEDED "succeeded" /* pictures know no other status */
#define CREATION_FAILED "failed"
#define CREATION_CANCELED "canceled"

struct creation {
	struct fn_bytes id;
	const char *type;   /* "image", "video" */
	const char *status; /* one of those above */
	struct fn_bytes prompt;
	struct fn_bytes object_key; /* images/<user id>/<id>.png */
	struct fn_bytes url;
	const char *mime_type;
	unsigned width, height;
	struct user owner;
	int64_t likes;
	bool liked;
	bool published;
	int64_t created_at_ms; /* Unix */
};

/* Fills in a picture that is about to be stored; its url is for the caller to add. */
void creation_of_picture(struct creation *, struct fn_call *, struct fn_bytes id,
	const struct user *, const struct prompt *, const struct picture *);

/* The object that DESIGN calls a creation:
 * {id, type, status, prompt, url, mime_type, width, height, owner:{id, username}, likes, liked,
 * published, created_at}; url and size are null while there are none. For more members to be
 * added, and as text; both live as long as the call's arena. */
json_t *creation_object(const struct creation *, struct fn_call *);
struct fn_bytes creation_json(const struct creation *, struct fn_call *);

bool creation_is(const struct creation *, const char *status);

/* Whether everybody may see it: it is made and published. Its owner always may. */
bool creation_is_listed(const struct creation *);

/* Its document in the collection "creations", and back again (FN_INTERNAL: not such a document).
 * Both live as long as the call's arena; `liked`, which depends on who asks, is in none. Lists are
 * made by the field `listed`, which is written and never read. */
json_t *creation_to_document(const struct creation *, struct fn_call *);
FN_MUST bool creation_from_document(
	struct creation *, struct fn_bytes id, const struct document *, struct fn_error *);

/* What is there for `user`, and what it was read from. FN_NOT_FOUND: nothing; or it is another's
 * and not listed, of which nobody learns. */
FN_MUST bool creation_read(struct creation *, struct document *, struct fn_call *,
	struct document_store *, struct fn_bytes id, const struct user *, struct fn_error *);

/* The same of a document that was read already; one without fields is none. */
FN_MUST bool creation_see(struct creation *, const struct document *, struct fn_bytes id,
	const struct user *, struct fn_error *);
bool creation_is_unknown(struct fn_error *); /* false, FN_NOT_FOUND */

/* By its owner; may be repeated, and is not taken back. FN_NOT_FOUND as above; FN_FORBIDDEN: it is
 * another's. */
FN_MUST bool creation_publish(struct fn_call *, struct document_store *, struct fn_bytes id,
	const struct user *, struct fn_error *);

/* Writes a document back whose fields were changed, if nobody else has written it since. */
struct document_write creation_write(struct fn_bytes id, const struct document *);

#endif
