/* words.h: the words of a prompt, as far as the Latin alphabet goes. */
#ifndef WORDS_H
#define WORDS_H

#include "fn/bytes.h"

/* Takes the next run of ASCII letters from `rest`; empty at the end. */
struct fn_bytes word_next(struct fn_bytes *rest);

/* Whether the word, in any case, is one of the names, which stand separated by blanks. The
 * plurals in -s and -es count as well. */
bool word_is_among(struct fn_bytes word, const char *names);

#endif
