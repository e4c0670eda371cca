/* load PORT CONNECTIONS RATE SECONDS [PATH]: asks for it (/) over that many kept connections, from
 * one thread.
 *
 * RATE 0 is a closed loop: each connection asks as soon as it has its answer. Otherwise requests
 * are due at a fixed rate, and their latency counts from when they were due, so that a server that
 * stalls is charged for all that it kept waiting. Prints "REQUESTS_PER_S P50_US P99_US", where P99
 * is the median of the P99s of windows of WINDOW_S: a stall of the machine, which takes
 * milliseconds and may meet any server, spoils the windows it falls in; a server's own tail shows
 * in all. */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define CONNECTIONS_MOST 16384
#define SAMPLES_MOST 8000000
#define WARM_UP 0.2 /* of the time: not counted */
#define WINDOW_S 0.05

struct client {
	int fd;
	bool waiting;
	int64_t due_ns;
	size_t size; /* of what has come of the answer */
	char answer[32768];
};

static struct client clients[CONNECTIONS_MOST];
static char request[512];
static uint32_t *samples_us;
static size_t sample_count;

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
dial(struct client *client, int port, int epoll)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
	int yes = 1;

	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(1, "connect");
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
}

static void
ask(struct client *client, int64_t due_ns)
{
	client->waiting = true;
	client->due_ns = due_ns;
	if (send(client->fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		err(1, "send");
}

/* Some servers send the head and the body of an answer one after the other. */
static bool
is_whole(const struct client *client)
{
	const char *body = strstr(client->answer, "\r\n\r\n");
	const char *length = strcasestr(client->answer, "\r\nContent-Length:");

	return body && length && length < body &&
	       client->answer + client->size >= body + 4 + atoi(length + 17);
}

/* True when the answer is whole. */
static bool
take(struct client *client, int64_t counted_from_ns)
{
	size_t room = sizeof(client->answer) - client->size - 1;
	ssize_t size = recv(client->fd, client->answer + client->size, room, 0);

	if (size <= 0)
		errx(1, "the connection ended in the middle of an answer");
	client->size += (size_t)size;
	client->answer[client->size] = '\0';
	if (!is_whole(client))
		return false;
	if (strncmp(client->answer + 9, "200", 3) != 0)
		errx(1, "no 200: %.40s", client->answer);
	client->waiting = false;
	client->size = 0;
	if (client->due_ns >= counted_from_ns && sample_count < SAMPLES_MOST)
		samples_us[sample_count++] = (uint32_t)((now_ns() - client->due_ns) / 1000);
	return true;
}

static int
compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static uint32_t
percentile(uint32_t *sorted_us, size_t count, double share)
{
	qsort(sorted_us, count, sizeof(*sorted_us), compare);
	return count > 0 ? sorted_us[(size_t)((double)(count - 1) * share)] : 0;
}

static uint32_t
median_of_windows(double rate, double share)
{
	size_t size = (size_t)(rate * WINDOW_S) + 1, count = sample_count / size;
	uint32_t *windows_us = calloc(count + 1, sizeof(*windows_us));

	for (size_t i = 0; i < count; i++)
		windows_us[i] = percentile(samples_us + i * size, size, share);
	uint32_t median = percentile(windows_us, count, 0.5);
	free(windows_us);
	return median;
}

/* Asks for what is due, over whichever connections are free. */
static int64_t
ask_due(int connections, int64_t next_ns, int64_t gap_ns, int64_t at_ns)
{
	static int turn;

	for (int tried = 0; tried < connections && next_ns <= at_ns; tried++) {
		struct client *client = &clients[turn++ % connections];

		if (client->waiting)
			continue;
		ask(client, next_ns);
		next_ns += gap_ns;
	}
	return next_ns;
}

int
main(int argc, char **argv)
{
	int port = argc >= 5 ? atoi(argv[1]) : 0, connections = argc >= 5 ? atoi(argv[2]) : 0;
	double rate = argc >= 5 ? atof(argv[3]) : 0, seconds = argc >= 5 ? atof(argv[4]) : 0;
	int64_t gap_ns = rate > 0 ? (int64_t)(1e9 / rate) : 0, start_ns, count_ns, end_ns, next_ns;
	struct rlimit files = {CONNECTIONS_MOST + 64, CONNECTIONS_MOST + 64};
	struct epoll_event events[512];
	int epoll = epoll_create1(0);

	if (port == 0 || connections < 1 || connections > CONNECTIONS_MOST || seconds <= 0)
		errx(1, "usage: load PORT CONNECTIONS RATE SECONDS [PATH]");
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n",
		argc > 5 ? argv[5] : "/");
	setrlimit(RLIMIT_NOFILE, &files);
	samples_us = malloc(SAMPLES_MOST * sizeof(*samples_us));
	for (int i = 0; i < connections; i++)
		dial(&clients[i], port, epoll);

	start_ns = next_ns = now_ns();
	count_ns = start_ns + (int64_t)(seconds * WARM_UP * 1e9);
	end_ns = start_ns + (int64_t)(seconds * 1e9);
	for (int i = 0; gap_ns == 0 && i < connections; i++)
		ask(&clients[i], start_ns);
	while (now_ns() < end_ns) {
		int count = epoll_wait(epoll, events, 512, gap_ns > 0 ? 0 : 100);

		for (int i = 0; i < count; i++) {
			if (take(events[i].data.ptr, count_ns) && gap_ns == 0)
				ask(events[i].data.ptr, now_ns());
		}
		if (gap_ns > 0)
			next_ns = ask_due(connections, next_ns, gap_ns, now_ns());
	}
	rate = (double)sample_count / (seconds * (1 - WARM_UP));
	uint32_t p99_us = median_of_windows(rate, 0.99);
	printf("%.0f %u %u\n", rate, percentile(samples_us, sample_count, 0.5), p99_us);
	return 0;
}
