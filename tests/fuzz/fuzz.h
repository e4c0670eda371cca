/* fuzz.h: what a fuzz target is: a function that must survive any bytes.
 *
 * `make fuzz` links each tests/fuzz/NAME_fuzz.c with libFuzzer and lets it look for bytes that a
 * target does not survive; `make test` links it with replay.c, which tries all that is kept in
 * tests/fuzz/corpus/NAME: seeds, and what was ever found. A target states what must hold of its
 * input by assert.
 * Source: llvm.org/docs/LibFuzzer.html. */
#ifndef FUZZ_H
#define FUZZ_H

#include "fn/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Always 0: the bytes may join the corpus. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* In memory of its own, as from a socket, so that a step over its end is seen; to be freed. */
static inline char *
fuzz_copy(struct fn_bytes bytes)
{
	char *copy = malloc(bytes.size);

	assert(copy || bytes.size == 0);
	if (bytes.size > 0)
		memcpy(copy, bytes.at, bytes.size);
	return copy;
}

#endif
