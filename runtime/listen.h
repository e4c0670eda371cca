/* listen.h: the socket that clients connect to. */
#ifndef LISTEN_H
#define LISTEN_H

#include "fn/error.h"

/* Listens on host:port without blocking; an empty host is every address, IPv6 and IPv4. FN_BUSY:
 * another process has the port. */
FN_MUST bool listen_on(const char *host, long port, int *fd, struct fn_error *);

#endif
