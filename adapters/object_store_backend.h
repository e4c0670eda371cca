/* object_store_backend.h: what each backend of object_store.h fills in; theirs alone to include. */
#ifndef OBJECT_STORE_BACKEND_H
#define OBJECT_STORE_BACKEND_H

#include "adapters/object_store.h"

struct object_store_backend {
	const char *scheme; /* "file:" */

	/* `where` is what follows the scheme. */
	bool (*open)(struct object_store **, const char *where, const struct object_store_config *,
		struct fn_http_client *, struct fn_error *);
	void (*close)(struct object_store *);

	/* As the port says; the key has been checked. */
	bool (*put)(struct object_store *, struct fn_call *, struct fn_bytes key,
		const struct object *, struct fn_error *);
	bool (*put_stream)(struct object_store *, struct fn_call *, struct fn_bytes key,
		const struct object_stream *, struct fn_error *);
	bool (*get)(struct object_store *, struct fn_call *, struct fn_bytes key, size_t most,
		struct fn_bytes *, struct fn_error *);
	bool (*remove)(
		struct object_store *, struct fn_call *, struct fn_bytes key, struct fn_error *);
};

/* The first member of each backend's own struct. */
struct object_store {
	const struct object_store_backend *backend;
	struct fn_bytes public_url; /* without the '/' at its end */
};

extern const struct object_store_backend object_store_file;
extern const struct object_store_backend object_store_s3;

#endif
