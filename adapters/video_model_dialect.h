/* video_model_dialect.h: what video_model.c is made of. Private to adapters. */
#ifndef VIDEO_MODEL_DIALECT_H
#define VIDEO_MODEL_DIALECT_H

#include "adapters/google_storage.h"
#include "adapters/video_model.h"

struct video_model {
	struct fn_arena *arena; /* holds this and its texts */
	const struct video_dialect *dialect;
	const char *name; /* "veo-3.1-generate-001" */
	const char *url;  /* of the method that begins */
	struct vertex *vertex;
	struct fn_bytes folder; /* "gs://BUCKET/PREFIX", without '/' at its end; empty: inline */
	struct google_storage storage;
};

struct video_dialect {
	const char *scheme; /* of VIDEO_MODEL */
	const char *method; /* that begins: "predictLongRunning" */
	const char *home;   /* the location where VERTEX_LOCATION names none */

	/* As the port says. */
	bool (*start)(const struct video_model *, struct fn_call *, const struct video_request *,
		struct fn_bytes *operation, struct fn_error *);
	bool (*poll)(const struct video_model *, struct fn_call *, struct fn_bytes operation,
		struct video_poll *, struct fn_error *);
};

extern const struct video_dialect video_model_veo;

/* Where the result of a job is stored, with '/' at its end; NULL: it comes inline. */
const char *video_model_folder(const struct video_model *, struct fn_arena *, struct fn_bytes job);

#endif
