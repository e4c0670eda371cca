/* gallery.h: what the function feed works with, made of real parts: SQLite or Firestore's emulator,
 * a folder of objects; and words for what is asked of it and what there is. Whoever asks is the
 * guest of an identity of their own.
 *
 * One at a time; a setup that fails, fails the test. */
#ifndef GALLERY_H
#define GALLERY_H

#include "functions/feed/handler.h"
#include "tests/support/asked.h"
#include "tests/support/suite.h"

#define GALLERY_THEN 1795498618123 /* 2026-11-24T05:36:58.123Z */
#define GALLERY_CALL_MS 30000

enum who { NOBODY, ANN, BEN, WHO_COUNT };

struct gallery {
	struct services use;
	struct fn_arena *arena; /* of all that outlives a call */
	struct fn_call call;    /* the test's own */
	struct fn_error err;
	struct fn_http_client *http;
	struct identity *identities[WHO_COUNT];
	int64_t now_ms; /* when what is made was made; 0: GALLERY_THEN */
};

extern struct gallery gallery;

/* Runs cases on SQLite, and the second ones, of which some may be the same, on Firestore where its
 * emulator can be had. */
int gallery_suite(const char *name, const struct suite_case *, size_t count,
	const struct suite_case *on_firestore, size_t firestore_count);

void gallery_must(bool ok); /* else gallery.err is why not */
void gallery_reopen_pages(const char *redis_url, long fresh_ms);

/* ---- Requests ------------------------------------------------------------------------------ */

/* `header` NULL: none. */
struct asked gallery_ask_with(enum who, const char *method, const char *target,
	const struct fn_header *header, const char *body);
struct asked gallery_ask(enum who, const char *method, const char *target);
struct asked gallery_rename(enum who, const char *name);

const char *gallery_path(const char *id, const char *behind);       /* of a creation */
json_t *gallery_member(enum who, const char *id, const char *name); /* of one, as it is shown */

/* The ids on a page, one behind the other; the same of a page that is asked for. */
const char *gallery_ids(const struct asked *page);
const char *gallery_list(enum who, const char *target);

/* ---- What there is ------------------------------------------------------------------------- */

/* A creation and its object; its id. */
const char *gallery_make(enum who owner, const char *prefix, const char *status, bool published);
const char *gallery_make_listed(enum who owner);

size_t gallery_count(const char *collection);
bool gallery_has_object(enum who owner, const char *id);

#endif
