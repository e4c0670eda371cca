/* google_storage.h: reads what Google's models leave in Cloud Storage. Private to adapters.
 * Source: cloud.google.com/storage/docs/json_api/v1/objects. */
#ifndef GOOGLE_STORAGE_H
#define GOOGLE_STORAGE_H

#include "adapters/vertex.h"

struct google_storage {
	const struct vertex *vertex; /* in whose name */
	const char *origin;          /* "https://storage.googleapis.com" */
};

/* "gs://BUCKET/NAME", where the name may be empty; false for all else. */
bool google_storage_split(struct fn_bytes uri, struct fn_bytes *bucket, struct fn_bytes *name);

/* An object, from which a few MiB at a time are asked for. It lives as long as the call, is for
 * one thread, and reads within the call's deadline. FN_NOT_FOUND: there is none. All else that can
 * go wrong, now and when it is read, is FN_DEADLINE or FN_UPSTREAM. */
FN_MUST bool google_storage_open(const struct google_storage *, struct fn_call *,
	struct fn_bytes uri, struct fn_source *, struct fn_error *);

/* The first object below the folder whose name ends like that. FN_NOT_FOUND: there is none. */
FN_MUST bool google_storage_find(const struct google_storage *, struct fn_call *,
	struct fn_bytes folder, const char *ending, struct fn_bytes *uri, struct fn_error *);

#endif
