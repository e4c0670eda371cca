/* children.h: processes of one's own, all at once. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include "fn/error.h"

#define CHILDREN_MOST 100

/* Runs `work` in that many processes, which begin together; each gets its number from 0. Waits for
 * all of them, and fails the test where one has said false (then *err, of its memory, is printed)
 * or has crashed. */
void children_run(int count, bool (*work)(int n), const struct fn_error *err);

#endif
