/* safety.h: what the models refuse to paint. */
#ifndef SAFETY_H
#define SAFETY_H

#include "local/vertex/fault.h"

struct safety {
	bool prompt_refused, output_refused;
	const char *support_code; /* Google's number for why */
};

/* Refused are a few words that are plainly unsafe, the marks [[refuse-prompt]] and
 * [[refuse-output]] anywhere in the prompt, and what the fault says. */
struct safety safety_of(struct fn_bytes prompt, const struct fault *);

#endif
