/* easel.h: the image model with a scripted server in the place of Vertex AI.
 *
 * One at a time; a setup that fails, fails the test. */
#ifndef EASEL_H
#define EASEL_H

#include "adapters/image_model.h"
#include "tests/support/scripted_server.h"

#define GEMINI "gemini:gemini-3.1-flash-image"
#define IMAGEN "imagen:imagen-4.0-generate-001"

/* 640x480 and the beginning of 320x200, for which readers of the header need no more. */
#define PNG "iVBORw0KGgoAAAANSUhEUgAAAoAAAAHgCAIAAAC6s0uz"
#define JPEG "/9j/wAARCADIAUADASIAAhEBAxEB"
#define GEMINI_PARTS(parts)                                                                        \
	"{\"candidates\":[{\"content\":{\"parts\":[" parts "]},\"finishReason\":\"STOP\"}]}"
#define GEMINI_FINISH(reason) "{\"candidates\":[{\"finishReason\":\"" reason "\"}]}"
#define INLINE(base64) "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"" base64 "\"}}"
#define GEMINI_OK GEMINI_PARTS(INLINE(PNG))
#define IMAGEN_OK                                                                                  \
	"{\"predictions\":[{\"mimeType\":\"image/png\",\"bytesBase64Encoded\":\"" PNG "\"}]}"

struct easel {
	struct fn_call call;
	struct picture picture; /* what was painted */
	struct fn_error err;
	struct fn_http_client *http;
	struct scripted_server *metadata, *server;
	struct google_credentials *credentials;
	struct vertex *vertex;
	struct image_model *model;
};

extern struct easel easel;

void easel_begin(void);
void easel_end(void);

/* A model, as image_model_config names it, that answers what the script says. */
void easel_open(const char *model, const struct script *, size_t count);
bool easel_open_with(const char *model, const struct vertex_config *);

extern const struct image_request easel_fox; /* a red fox, nothing special */

bool easel_paint(const struct image_request *, const struct image_pace *); /* NULL: at any pace */
bool easel_paint_fox(void);                                                /* at any pace */

const char *easel_request(size_t nth); /* from 0 */
const char *easel_body(size_t nth);    /* of it */

#endif
