/* redis_connection.h: one connection to Redis, over TCP or TLS. Private to adapters.
 *
 * hiredis formats commands and reads replies; the socket is our own, because Debian's hiredis
 * knows no TLS. The socket blocks, with a timeout in the kernel: a command is one write and one
 * read, and nothing waits for ever on a server that is gone.
 * Source: redis.io/docs/latest/develop/reference/protocol-spec. */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include "fn/call.h"

#include <hiredis/hiredis.h>
#include <openssl/ssl.h>

struct redis_connection {
	struct redis_connection *next; /* for a list of idle ones */
	int fd;
	SSL *tls; /* NULL: plain TCP */
	redisReader *reader;
	int64_t timeout_ms; /* as the kernel has it */
	bool reused;        /* has answered a command before */
};

/* With `tls` the server must prove by its certificate that it is `host`. */
FN_MUST bool redis_connection_open(struct redis_connection **, const char *host, const char *port,
	SSL_CTX *tls, struct fn_error *);
void redis_connection_close(struct redis_connection *);

/* FN_DEADLINE: there is no reply after `timeout_ms`; FN_UPSTREAM: the connection broke. In both
 * cases it is of no further use, and the command may have been carried out. */
FN_MUST bool redis_connection_write(
	struct redis_connection *, const char *bytes, size_t size, struct fn_error *);
FN_MUST bool redis_connection_read(struct redis_connection *, int64_t timeout_ms, struct fn_arena *,
	const redisReply **, struct fn_error *);

#endif
