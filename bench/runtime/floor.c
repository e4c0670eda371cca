/* floor PORT: as little server as there can be: one epoll loop, one fixed answer, no parsing,
 * linked statically. What a start or a request costs here, no server can go below. */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
			     "Content-Length: 14\r\n\r\nHello, world!\n";

static int
listen_on(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 4096) != 0)
		err(1, "port %d", port);
	return fd;
}

static void
watch(int epoll, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void
serve(int fd)
{
	char request[16384];
	ssize_t size = recv(fd, request, sizeof(request), MSG_DONTWAIT);

	if (size > 0)
		send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	else if (size == 0)
		close(fd);
}

int
main(int argc, char **argv)
{
	int listener = listen_on(argc == 2 ? atoi(argv[1]) : 0), epoll = epoll_create1(0), yes = 1;
	struct epoll_event events[256];

	watch(epoll, listener, EPOLLIN);
	for (;;) {
		int count = epoll_wait(epoll, events, 256, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd != listener) {
				serve(events[i].data.fd);
				continue;
			}
			int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
			watch(epoll, fd, EPOLLIN | EPOLLET | EPOLLRDHUP);
		}
	}
}
