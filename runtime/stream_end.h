/* stream_end.h: the last of an answer that was sent while it was made. */
#ifndef STREAM_END_H
#define STREAM_END_H

#include "exchange.h"

/* On the handler's thread, once the handler has returned. False where the client does not have
 * the whole answer: the connection must be broken off, which is how it learns of that. */
bool stream_end(struct fn_exchange *);

#endif
