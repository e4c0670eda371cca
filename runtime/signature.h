/* signature.h: a registered function of any kind, called as an HTTP handler. */
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include "fn/serve.h"

/* An fn_handler whose `with` is the struct fn_function. */
bool signature_handle(struct fn_call *, const void *function, struct fn_error *);

#endif
