#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* False where `host` is no address. No names: they would have to be looked up before the start. */
static bool
address_read(const char *host, long port, union address *address)
{
	*address = (union address){
		.v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};
	if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1)
		return true;
	*address =
		(union address){.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
	return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1;
}

/* The listening socket, or -1 with errno. */
static int
try_address(const union address *address)
{
	bool is_v6 = address->any.sa_family == AF_INET6;
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int yes = 1, no = 0, failure;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (is_v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (bind(fd, &address->any, is_v6 ? sizeof(address->v6) : sizeof(address->v4)) == 0 &&
		listen(fd, BACKLOG) == 0)
		return fd;
	failure = errno;
	close(fd);
	errno = failure;
	return -1;
}

static bool
listen_at(const char *host, long port, int *fd, struct fn_error *err)
{
	union address address;
	int found;

	if (!address_read(host, port, &address))
		return fn_fail(err, FN_INVALID, "LISTEN_HOST: \"%.64s\" is no IP address", host);
	found = try_address(&address);
	if (found < 0)
		return fn_fail(err, errno == EADDRINUSE ? FN_BUSY : FN_INTERNAL,
			"listen on port %ld: %s", port, strerror(errno));
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
