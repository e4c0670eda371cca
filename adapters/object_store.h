/* object_store.h: immutable bytes under a key, published under a URL.
 *
 * Backends: object_store_file.c ("file:DIR"), object_store_s3.c ("s3:https://ENDPOINT/BUCKET":
 * Cloudflare R2, S3 and look-alikes; "s3:http://..." for loopback hosts only). */
#ifndef OBJECT_STORE_H
#define OBJECT_STORE_H

#include "fn/config.h"
#include "fn/http_client.h"

struct object_store; /* opaque; safe for many threads */

struct object_store_config {
	const char *url;           /* OBJECTS_URL */
	const char *public_url;    /* OBJECTS_PUBLIC_URL: what a key is appended to, after '/' */
	const char *access_key_id; /* S3_ACCESS_KEY_ID */
	const char *secret_access_key; /* S3_SECRET_ACCESS_KEY */
	const char *region;            /* S3_REGION */
};

extern const struct fn_setting object_store_settings[];

struct object {
	struct fn_bytes bytes;
	const char *content_type;  /* "image/png" */
	const char *cache_control; /* NULL: none */
};

/* The config's text is borrowed until the store is closed.
 * FN_INVALID: the URL or a setting that it needs is wrong; the message names the variable. */
FN_MUST bool object_store_open(struct object_store **, const struct object_store_config *,
	struct fn_http_client *, struct fn_error *);
void object_store_close(struct object_store *);

/* Makes all of the object visible under its key, or nothing. Putting the same key again replaces
 * it, so a put may be repeated. Keys are 1..1024 bytes of [A-Za-z0-9._/-], with no empty, "."
 * or ".." segment (FN_INVALID). After FN_DEADLINE or FN_UPSTREAM the object may be there. */
FN_MUST bool object_store_put(struct object_store *, struct fn_call *, struct fn_bytes key,
	const struct object *, struct fn_error *);

/* An object that memory should not hold. */
struct object_stream {
	const struct fn_source *source;
	const char *content_type;  /* "video/mp4" */
	const char *cache_control; /* NULL: none */
};

/* The same, a piece at a time. What the source says of its own failure is the put's error, and then
 * nothing is visible that was not before. */
FN_MUST bool object_store_put_stream(struct object_store *, struct fn_call *, struct fn_bytes key,
	const struct object_stream *, struct fn_error *);

/* FN_NOT_FOUND where there is none; FN_TOO_LARGE beyond `most` bytes. */
FN_MUST bool object_store_get(struct object_store *, struct fn_call *, struct fn_bytes key,
	size_t most, struct fn_bytes *bytes, struct fn_error *);

/* Also true where there was none. */
FN_MUST bool object_store_delete(
	struct object_store *, struct fn_call *, struct fn_bytes key, struct fn_error *);

/* Where the world reads the object. */
struct fn_bytes object_store_public_url(
	const struct object_store *, struct fn_arena *, struct fn_bytes key);

#endif
