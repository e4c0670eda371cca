/* temp_store.h: a document store in a temporary folder. */
#ifndef TEMP_STORE_H
#define TEMP_STORE_H

#include "adapters/document_store.h"

struct document_store *temp_store_open(void); /* that fails, fails the test */

#endif
