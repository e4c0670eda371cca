/* video_model.h: a sentence becomes a video, which takes minutes: begun once, polled by its name.
 *
 * What is begun is paid for, cannot be stopped and has no idempotency key. So a start is sent
 * once and never again from here, the caller keeps the operation's name before all else, and
 * where the answer was lost it looks with video_model_find before it pays anew.
 *
 * Backend: video_model_veo.c: "veo:MODEL", Vertex AI's :predictLongRunning. */
#ifndef VIDEO_MODEL_H
#define VIDEO_MODEL_H

#include "adapters/vertex.h"

struct video_model; /* opaque; safe for many threads */

struct video_model_config {
	const char *model;        /* VIDEO_MODEL */
	const char *storage;      /* VIDEO_STORAGE_URI: gs://BUCKET/PREFIX; empty: inline */
	const char *storage_host; /* STORAGE_EMULATOR_HOST; empty: Google's own */
};

extern const struct fn_setting video_model_settings[];

/* The config's text is borrowed until the model is closed.
 * FN_INVALID: a setting is wrong; the message names the variable. */
FN_MUST bool video_model_open(struct video_model **, const struct video_model_config *,
	struct vertex *, struct fn_error *);
void video_model_close(struct video_model *);

struct video_request {
	struct fn_bytes job;             /* where its result is stored, below VIDEO_STORAGE_URI:
					    [A-Za-z0-9._-], at most 64 bytes */
	struct fn_bytes prompt;          /* UTF-8 */
	struct fn_bytes negative_prompt; /* empty: none */
	const char *aspect_ratio;        /* "16:9" or "9:16" */
	unsigned duration_s;             /* 4, 6 or 8 */
	bool audio;
	bool has_seed;
	uint32_t seed;
};

/* Begins a video; its name lives in call->arena and may be 512 bytes long.
 *
 * FN_DEADLINE: nobody knows whether it was begun: it may have been, and be paid for. Nothing else
 *   fails with this code, and after all other failures it has not been begun:
 * FN_RATE_LIMITED (with retry_after_s): the quota is used up, or there is no capacity.
 * FN_BUSY (with retry_after_s): the service, or the way to it, is down.
 * FN_UNPROCESSABLE: the safety filter refused the prompt. The message is for people.
 * FN_INVALID: the model does not take such a request and never will.
 * FN_UPSTREAM: an operator has to act: credentials, permissions, a retired model. */
FN_MUST bool video_model_start(struct video_model *, struct fn_call *, const struct video_request *,
	struct fn_bytes *operation, struct fn_error *);

enum video_state {
	VIDEO_RUNNING,
	VIDEO_DONE,
	VIDEO_REFUSED,  /* by the safety filter: for good, and not paid for */
	VIDEO_REJECTED, /* for good, for another reason */
	VIDEO_FAILED,   /* the model's own failure: begun anew it may succeed */
	VIDEO_LOST,     /* nobody knows this operation, or not any more: find, else begin anew */
};

/* A result, wherever it is. */
struct video {
	struct fn_bytes uri; /* "gs://BUCKET/OBJECT"; empty: it came inline and is in `file` */
	int file;            /* unlinked, closed with call->arena */
};

struct video_poll {
	enum video_state state;
	int progress;           /* VIDEO_RUNNING: percent; -1: not known */
	struct video video;     /* VIDEO_DONE */
	struct fn_bytes reason; /* all others: a sentence that people may read... */
	struct fn_bytes detail; /* ...and what the model said, for the log; may be empty */
};

/* Asks how an operation is doing, as often as one likes: Google's samples do it every 10 to 15 s.
 * True once it has an answer. Else nobody knows, nothing is lost, and it is for a later poll:
 * FN_RATE_LIMITED, FN_BUSY, FN_DEADLINE, FN_UPSTREAM.
 * An inline result is written to a temporary file while it arrives. */
FN_MUST bool video_model_poll(struct video_model *, struct fn_call *, struct fn_bytes operation,
	struct video_poll *, struct fn_error *);

/* What a job whose start nobody knows about has left below VIDEO_STORAGE_URI. FN_NOT_FOUND: no
 * video (yet), as always where results come inline. Other codes: as for a poll. */
FN_MUST bool video_model_find(struct video_model *, struct fn_call *, struct fn_bytes job,
	struct video *, struct fn_error *);

/* The bytes of a video, read from where they are when they are asked for, a few MiB at a time. */
struct video_file {
	struct fn_source bytes; /* while call->arena lives; for one thread */
	const char *mime_type;  /* "video/mp4": read from the bytes, not believed */
	unsigned width, height; /* pixels, read from the bytes */
	unsigned duration_ms;   /* the same */
};

/* FN_NOT_FOUND: it is not there any more. FN_UPSTREAM: it cannot be read, or is no MP4. */
FN_MUST bool video_model_fetch(struct video_model *, struct fn_call *, const struct video *,
	struct video_file *, struct fn_error *);

#endif
