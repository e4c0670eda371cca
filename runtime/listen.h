/* listen.h: the socket that clients connect to. */
#ifndef LISTEN_H
#define LISTEN_H

#include "fn/error.h"

/* Listens without blocking, and without asking anybody: `host` is an IP address, or empty for all
 * of the machine, IPv6 and IPv4. FN_BUSY: another process has the port. */
FN_MUST bool listen_on(const char *host, long port, int *fd, struct fn_error *);

#endif
