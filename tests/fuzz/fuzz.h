/* fuzz.h: what a fuzz target is: a function that must survive any bytes.
 *
 * `make fuzz` links each tests/fuzz/NAME_fuzz.c with libFuzzer and lets it look for bytes that a
 * target does not survive; `make test` links it with replay.c, which tries all that is kept in
 * tests/fuzz/corpus/NAME: seeds, and what was ever found. A target states what must hold of its
 * input by assert.
 * Source: llvm.org/docs/LibFuzzer.html. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Always 0: the bytes may join the corpus. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
