/* model.h: the models that answer here, and the two languages in which they are asked. */
#ifndef MODEL_H
#define MODEL_H

#include "fn/call.h"
#include "local/vertex/fault.h"

#include <jansson.h>

struct model;

enum outcome {
	PAINTED,
	REFUSED,   /* for the sake of safety */
	REJECTED,  /* not authenticated, or not by the rules */
	EXHAUSTED, /* the quota was used up */
	FAULTY,    /* a scheduled fault */
	OUTCOMES,
};

struct dialect {
	const char *method; /* stands behind the model's name: "predict" */
	bool global_only;   /* answers at the location "global" and nowhere else */
	/* Makes the body of a 200, with a picture (PAINTED) or without (REFUSED). FN_INVALID: the
	 * request breaks a rule (REJECTED), or its prompt is refused in this way (REFUSED). */
	bool (*answer)(struct fn_call *, const struct model *, const struct fault *,
		json_t *request, struct fn_bytes *body, enum outcome *, struct fn_error *);
	/* Always false: FN_RATE_LIMITED in the dialect's words. */
	bool (*exhausted)(const struct model *, struct fn_error *);
};

extern const struct dialect imagen_dialect; /* contract: Imagen on Vertex AI, :predict */
extern const struct dialect gemini_dialect; /* contract: Gemini image models, :generateContent */

struct model {
	const char *name;
	const char *base; /* what the quota counts: the family's name */
	const struct dialect *dialect;
	bool negative_prompt;        /* Imagen: takes one */
	const char *thinking_levels; /* Gemini: those that it takes, separated by blanks */
};

#define MODELS 10
extern const struct model models[MODELS];

/* NULL where there is none of this name. */
const struct model *model_named(struct fn_bytes name);

#endif
