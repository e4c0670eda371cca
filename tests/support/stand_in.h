/* stand_in.h: the stand-in for Vertex AI, asked for pictures without a socket, as the runtime would
 * ask it.
 *
 * One at a time; what is not as expected, fails the test. */
#ifndef STAND_IN_H
#define STAND_IN_H

#include "local/vertex/handler.h"

#include <jansson.h>
#include <png.h>

#define STAND_IN_MODEL_PATH "/v1/projects/p/locations/%s/publishers/google/models/"
#define STAND_IN_IMAGEN "imagen-4.0-generate-001:predict"
#define STAND_IN_GEMINI "gemini-3.1-flash-image:generateContent"
#define STAND_IN_IMAGEN_BYTES "predictions.0.bytesBase64Encoded"
#define STAND_IN_GEMINI_BYTES "candidates.0.content.parts.0.inlineData.data"
#define STAND_IN_IMAGEN_KITE                                                                       \
	stand_in_imagen("a kite", "\"sampleCount\":1,\"includeRaiReason\":true")
#define STAND_IN_GEMINI_KITE stand_in_gemini("a kite", "\"responseModalities\":[\"IMAGE\"]")

struct stand_in {
	struct fn_arena *arena;
	struct stats stats;
	struct vertex vertex;
};

extern struct stand_in stand_in;

void stand_in_open(void);
void stand_in_close(void);

/* From here on these are the conditions. */
void stand_in_suppose(const char *latency_ms, long quota_per_s, const char *faults);

/* ---- Asking -------------------------------------------------------------------------------- */

struct fn_call *stand_in_call(const char *method, const char *path, const char *body);
int stand_in_answer(struct fn_call *); /* its status */

/* The answer to a call of a model, as JSON; `status` is what it must have. */
json_t *stand_in_ask(const char *model, const char *body, int status);

char *stand_in_imagen(const char *prompt, const char *parameters); /* bodies, in each dialect */
char *stand_in_gemini(const char *prompt, const char *config);

/* ---- Reading ------------------------------------------------------------------------------- */

/* The value behind "candidates.0.content", NULL or empty where a step is missing. */
json_t *stand_in_at(json_t *, const char *path);
const char *stand_in_text_at(json_t *, const char *path);

bool stand_in_decode(const char *base64, png_image *);
void stand_in_painted(const char *base64, unsigned width, unsigned height);

#endif
