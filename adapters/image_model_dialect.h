/* image_model_dialect.h: what image_model.c is made of. Private to adapters.
 *
 * A dialect knows how to ask and what the answers mean; image_model_vertex.c carries both. */
#ifndef IMAGE_MODEL_DIALECT_H
#define IMAGE_MODEL_DIALECT_H

#include "adapters/image_model.h"
#include "adapters/wire/json_abridged.h"

struct image_model {
	struct fn_arena *arena; /* holds this and its texts */
	const struct image_dialect *dialect;
	const char *name; /* "gemini-3.1-flash-image" */
	const char *url;  /* of the method */
	struct vertex *vertex;
};

/* What one answer comes to. After a failure: whether asking anew may help. */
struct image_answer {
	char *base64;
	size_t size;
	enum {
		IMAGE_FINAL,
		IMAGE_ASK_AGAIN,
		IMAGE_INSIST, /* again, and say that a picture is wanted */
	} next;
};

struct image_dialect {
	const char *scheme; /* of IMAGE_MODEL */
	const char *method; /* "predict" */
	const char *home;   /* the location where VERTEX_LOCATION names none */
	void (*ask)(const struct image_request *, bool insist, struct fn_builder *body);
	bool (*read)(const struct json_abridged *, struct fn_call *, struct image_answer *,
		struct fn_error *);
};

extern const struct image_dialect image_model_gemini;
extern const struct image_dialect image_model_imagen;

/* Sends a request until it is answered with 200. The failures are those of image_model_paint. */
FN_MUST bool image_model_vertex_ask(const struct image_model *, struct fn_call *,
	const struct image_pace *, struct fn_bytes body, struct json_abridged *answer,
	struct fn_error *);

/* As the inside of a JSON string: the prompt, and in words what must not be seen. */
void image_model_add_prompt(struct fn_builder *, const struct image_request *);

#endif
