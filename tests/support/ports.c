#include "tests/support/ports.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_PORT 10000
#define LAST_PORT 32000
#define TRIES 1000

static bool
is_free(unsigned port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool bound = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return bound;
}

/* By chance, since tests run at the same time. */
unsigned
free_ports(unsigned count)
{
	for (int i = 0; i < TRIES; i++) {
		unsigned first = FIRST_PORT + arc4random_uniform(LAST_PORT - FIRST_PORT - count);
		unsigned found = 0;

		while (found < count && is_free(first + found))
			found++;
		if (found == count)
			return first;
	}
	fprintf(stderr, "no %u ports in a row are free\n", count);
	abort();
}

unsigned
free_port(void)
{
	return free_ports(1);
}
