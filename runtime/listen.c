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

static bool
listen_at(const char *host, long port, int *fd, struct fn_error *err)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *address;
	char service[8];
	int failure, found;

	snprintf(service, sizeof(service), "%ld", port);
	if (getaddrinfo(host, service, &hints, &address) != 0)
		return fn_fail(err, FN_INVALID, "LISTEN_HOST: \"%.64s\" is no IP address", host);
	found = try_address(address);
	failure = errno;
	freeaddrinfo(address);
	if (found < 0)
		return fn_fail(err, failure == EADDRINUSE ? FN_BUSY : FN_INTERNAL,
			"listen on port %ld: %s", port, strerror(failure));
	*fd = found;
	return true;
}

/* IPv6's wildcard lets IPv4 in as well, and fails where the machine has no IPv6. */
bool
listen_on(const char *host, long port, int *fd, struct fn_error *err)
{
	if (host[0])
		return listen_at(host, port, fd, err);
	return listen_at("::", port, fd, err) ||
	       (err->code != FN_BUSY && listen_at("0.0.0.0", port, fd, err));
}
