/* redis_reply.h: what a reply of Redis holds. Private to adapters. */
#ifndef REDIS_REPLY_H
#define REDIS_REPLY_H

#include "fn/bytes.h"
#include "fn/error.h"

#include <hiredis/hiredis.h>

bool redis_is_error(const redisReply *, const char *code); /* "NOSCRIPT" */

/* FN_UPSTREAM with the error's text where it is one, whichever. */
FN_MUST bool redis_no_error(const redisReply *, struct fn_error *);

bool redis_is_list(const redisReply *, size_t least);

/* What is no text is an empty one. */
struct fn_bytes redis_text(const redisReply *);
struct fn_bytes redis_text_at(const redisReply *list, size_t i);

/* Fields of a hash come as text, what a script has computed as a number: both are taken. */
int64_t redis_number_or(const redisReply *list, size_t i, int64_t absent);
int64_t redis_number_at(const redisReply *list, size_t i); /* 0: absent */

#endif
