/* shelf.h: one document store in a temporary folder, and the call that a row of a test makes of it.
 *
 * For the setup and the teardown of a suite; a setup that fails, fails the test. */
#ifndef SHELF_H
#define SHELF_H

#include "adapters/document_store.h"

extern struct document_store *documents;
extern struct fn_call call;
extern struct fn_error err;

void shelf_begin(void);
void shelf_end(void); /* gives the real clock back, too */

void must(bool ok); /* else err is why not */

#endif
