/* support_codes.h: what Vertex AI's "support codes" say about a refused prompt or picture.
 * Source: cloud.google.com/vertex-ai/generative-ai/docs/image/responsible-ai-imagen. */
#ifndef SUPPORT_CODES_H
#define SUPPORT_CODES_H

#include "fn/bytes.h"

/* The subject of the first known code in the text, in words ("violence"); NULL: there is none. */
const char *support_code_subject(struct fn_bytes text);

#endif
