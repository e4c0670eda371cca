/* redis_client.h: commands to one Redis server, for any number of threads. Private to adapters.
 *
 * A command whose connection breaks before the reply, or which the server refuses for a reason
 * that passes (it loads its data, became a replica, moves its keys), is sent again on another
 * connection after a drawn wait. So all commands must be safe to repeat. */
#ifndef REDIS_CLIENT_H
#define REDIS_CLIENT_H

#include "fn/call.h"

#include <hiredis/hiredis.h>

#define REDIS_WORDS_MOST 256 /* of one command */

struct redis_client;

/* "redis://[user:password@]host[:port][/db]", "rediss://" for TLS; `ca_file` empty: the system's
 * authorities. FN_INVALID names the variable and never quotes the URL. */
FN_MUST bool redis_client_open(
	struct redis_client **, const char *url, const char *ca_file, struct fn_error *);
void redis_client_close(struct redis_client *);

/* One command and its reply, which lives in the call's arena and may be an error of the command's
 * own. `block_ms`: how long the server may take its time for it, beyond the usual.
 * FN_UPSTREAM, FN_DEADLINE: all attempts failed; it may have been carried out. */
FN_MUST bool redis_client_send(struct redis_client *, struct fn_call *,
	const struct fn_bytes *words, size_t count, int64_t block_ms, const redisReply **reply,
	struct fn_error *);

/* Several of them, one behind the other, in one round trip; sent again as a whole. `replies` has a
 * place for each. */
struct redis_command {
	const struct fn_bytes *words;
	size_t count;
};

FN_MUST bool redis_client_send_all(struct redis_client *, struct fn_call *,
	const struct redis_command *, size_t count, int64_t block_ms, const redisReply **replies,
	struct fn_error *);

/* The name of the history of writes that the server has gone through (its master_replid), as of
 * the latest connection. A restart or a failover begins a new one, in which the newest writes of
 * the old one may be missing. Empty while it is not known. */
#define REDIS_HISTORY_SIZE 41
void redis_client_history(struct redis_client *, char history[REDIS_HISTORY_SIZE]);

#endif
