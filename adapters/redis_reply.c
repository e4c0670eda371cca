#include "adapters/redis_reply.h"

#include <stdlib.h>
#include <string.h>

bool
redis_is_error(const redisReply *reply, const char *code)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, code, strlen(code)) == 0;
}

bool
redis_no_error(const redisReply *reply, struct fn_error *err)
{
	return reply->type != REDIS_REPLY_ERROR ||
	       fn_fail(err, FN_UPSTREAM, "redis: %s", reply->str);
}

bool
redis_is_list(const redisReply *reply, size_t least)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements >= least;
}

struct fn_bytes
redis_text(const redisReply *reply)
{
	bool is_text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;

	return is_text ? (struct fn_bytes){reply->str, (size_t)reply->len} : fn_bytes(NULL);
}

struct fn_bytes
redis_text_at(const redisReply *list, size_t i)
{
	return redis_text(list->element[i]);
}

int64_t
redis_number_or(const redisReply *list, size_t i, int64_t absent)
{
	const redisReply *reply = list->element[i];

	if (reply->type == REDIS_REPLY_INTEGER)
		return reply->integer;
	return reply->type == REDIS_REPLY_STRING && reply->len > 0 ? strtoll(reply->str, NULL, 10)
								   : absent;
}

int64_t
redis_number_at(const redisReply *list, size_t i)
{
	return redis_number_or(list, i, 0);
}
