/* image_model.h: a sentence becomes a picture.
 *
 * Backends: image_model_vertex.c, which speaks both dialects of Vertex AI's REST API:
 * "gemini:MODEL" (:generateContent) and "imagen:MODEL" (:predict). */
#ifndef IMAGE_MODEL_H
#define IMAGE_MODEL_H

#include "adapters/vertex.h"

struct image_model; /* opaque; safe for many threads */

struct image_model_config {
	const char *model; /* IMAGE_MODEL */
};

extern const struct fn_setting image_model_settings[];

struct image_request {
	struct fn_bytes prompt;          /* UTF-8 */
	struct fn_bytes negative_prompt; /* empty: none. A dialect without such a field says
					    "Do not show: ..." in the prompt */
	const char *aspect_ratio;        /* "1:1", "3:4", "4:3", "9:16" or "16:9" */
	bool has_seed;
	uint32_t seed; /* 1..2147483647, what both dialects take */
};

struct picture {
	struct fn_bytes bytes;  /* in call->arena */
	const char *mime_type;  /* "image/png" or "image/jpeg": read from the bytes, not believed */
	unsigned width, height; /* pixels, read from the bytes */
};

/* FN_INVALID: a setting is wrong; the message names the variable. */
FN_MUST bool image_model_open(struct image_model **, const struct image_model_config *,
	struct vertex *, struct fn_error *);
void image_model_close(struct image_model *);

/* Holds each attempt until the model may be asked; what it fails with is an attempt's failure. */
struct image_pace {
	bool (*wait)(void *with, struct fn_call *, struct fn_error *);
	void *with;
};

/* One picture, paid for once. Busy or failing models are tried again inside the deadline, each time
 * at this pace (NULL: at once).
 * FN_UNPROCESSABLE: the safety filter refused the prompt or the picture; nothing is charged.
 * FN_RATE_LIMITED (with retry_after_s): the quota was still used up at the last attempt.
 * FN_UPSTREAM: the model failed or answered nonsense. FN_DEADLINE: it was too slow. */
FN_MUST bool image_model_paint(struct image_model *, struct fn_call *, const struct image_request *,
	const struct image_pace *, struct picture *, struct fn_error *);

#endif
