#include "local/vertex/safety.h"
#include "local/vertex/words.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct {
	const char *words, *support_code;
} unsafe[] = {
	{"porn nude nudity", "90789179"},
	{"gore beheading torture massacre", "61493863"},
	{"swastika nazi", "57734940"},
};

static bool
contains(struct fn_bytes text, const char *mark)
{
	return memmem(text.at, text.size, mark, strlen(mark)) != NULL;
}

struct safety
safety_of(struct fn_bytes prompt, const struct fault *fault)
{
	struct safety safety = {
		.prompt_refused = fault->kind == FAULT_REFUSED_PROMPT ||
				  contains(prompt, "[[refuse-prompt]]"),
		.output_refused = fault->kind == FAULT_REFUSED_OUTPUT ||
				  contains(prompt, "[[refuse-output]]"),
		.support_code = "42876398", /* for "other" reasons */
	};

	for (struct fn_bytes word; (word = word_next(&prompt)).size > 0;) {
		for (size_t i = 0; i < COUNT(unsafe); i++) {
			if (word_is_among(word, unsafe[i].words)) {
				safety.prompt_refused = true;
				safety.support_code = unsafe[i].support_code;
			}
		}
	}
	return safety;
}
