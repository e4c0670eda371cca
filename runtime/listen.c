#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

static int
try_address(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int yes = 1, no = 0, failure;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	failure = errno;
	close(fd);
	errno = failure;
	return -1;
}

/* The IPv6 wildcard takes IPv4 in as well; where the machine has no IPv6 it fails and the IPv4
 * one is next. */
static int
family_rank(const struct addrinfo *address)
{
	return address->ai_family == AF_INET6 ? 0 : 1;
}

bool
listen_on(const char *host, long port, int *fd, struct fn_error *err)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *addresses;
	char service[8];
	int failure, status, found = -1;

	snprintf(service, sizeof(service), "%ld", port);
	status = getaddrinfo(host[0] ? host : NULL, service, &hints, &addresses);
	if (status != 0)
		return fn_fail(err, FN_INVALID, "listen on %s: %s", host, gai_strerror(status));
	errno = 0;
	for (int rank = 0; rank < 2 && found < 0 && errno != EADDRINUSE; rank++) {
		for (struct addrinfo *at = addresses; at && found < 0; at = at->ai_next) {
			if (family_rank(at) == rank)
				found = try_address(at);
		}
	}
	failure = errno;
	freeaddrinfo(addresses);
	if (found < 0)
		return fn_fail(err, failure == EADDRINUSE ? FN_BUSY : FN_INTERNAL,
			"listen on port %ld: %s", port, strerror(failure));
	*fd = found;
	return true;
}
