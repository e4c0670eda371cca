/* model.h: the models that answer here, and the languages in which they are asked. */
#ifndef MODEL_H
#define MODEL_H

#include "fn/call.h"
#include "local/vertex/fault.h"

#include <jansson.h>

struct model;
struct conditions;
struct operations;

enum outcome {
	PAINTED,   /* or begun, where it is a film */
	REFUSED,   /* for the sake of safety */
	REJECTED,  /* not authenticated, or not by the rules */
	EXHAUSTED, /* the quota was used up */
	FAULTY,    /* a scheduled fault */
	OUTCOMES,
};

struct question {
	struct fn_call *call;
	const struct model *model;
	const struct fault *fault;
	json_t *request;
	const struct conditions *conditions;
	struct operations *operations; /* of the models that take minutes */
};

struct dialect {
	const char *method; /* stands behind the model's name: "predict" */
	bool global_only;   /* answers at the location "global" and nowhere else */
	/* Makes the body of a 200, with a picture (PAINTED) or without (REFUSED). FN_INVALID: the
	 * request breaks a rule (REJECTED), or its prompt is refused in this way (REFUSED). */
	bool (*answer)(
		const struct question *, struct fn_bytes *body, enum outcome *, struct fn_error *);
	/* Always false: FN_RATE_LIMITED in the dialect's words. */
	bool (*exhausted)(const struct model *, struct fn_error *);

	/* NULL where the answer is all that there is. */
	const char *poll_method;
	/* Makes the body of a 200; the question's fault is nothing yet, and `fault` is what goes
	 * wrong with this answer. */
	bool (*poll)(
		const struct question *, struct fn_bytes *body, struct fault *, struct fn_error *);
};

extern const struct dialect imagen_dialect; /* contract: Imagen on Vertex AI, :predict */
extern const struct dialect gemini_dialect; /* contract: Gemini image models, :generateContent */
extern const struct dialect veo_dialect;    /* contract: Veo, :predictLongRunning */

struct model {
	const char *name;
	const char *base; /* what the quota counts: the family's name */
	const struct dialect *dialect;
	bool negative_prompt;        /* Imagen: takes one */
	const char *thinking_levels; /* Gemini: those that it takes, separated by blanks */
};

#define MODELS 13
extern const struct model models[MODELS];

/* What Imagen and Veo say where the quota is used up. */
bool model_exhausted(const struct model *, struct fn_error *);

/* NULL where there is none of this name. */
const struct model *model_named(struct fn_bytes name);

#endif
