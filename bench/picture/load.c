/* load PORT IN_FLIGHT COUNT: asks for COUNT pictures, IN_FLIGHT at a time, each as soon as the one
 * before it is answered. Prints the seconds that it took. */
#include "bench/picture/plain_http.h"

#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IN_FLIGHT_MOST 64

static const char *port;
static atomic_int left;

static void *
ask(void *unused)
{
	static const char prompt[] = "{\"prompt\":\"a red fox in the snow\"}";
	struct message answer = {0};
	int fd = connection_open(port);
	char head[160];

	snprintf(head, sizeof(head),
		"POST /api/image/generate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		sizeof(prompt) - 1);
	while (atomic_fetch_sub(&left, 1) > 0) {
		message_send(fd, head, prompt, sizeof(prompt) - 1);
		if (!message_read(&answer, fd))
			errx(1, "no answer");
		if (strncmp(answer.at, "HTTP/1.1 201 ", 13) != 0)
			errx(1, "not created: %s", answer.at);
	}
	close(fd);
	free(answer.at);
	return unused;
}

static double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	pthread_t threads[IN_FLIGHT_MOST];
	int in_flight = argc == 4 ? atoi(argv[2]) : 0;

	if (in_flight < 1 || in_flight > IN_FLIGHT_MOST)
		errx(1, "usage: load PORT IN_FLIGHT COUNT");
	port = argv[1];
	left = atoi(argv[3]);

	double began_s = now_s();
	for (int i = 0; i < in_flight; i++) {
		if (pthread_create(&threads[i], NULL, ask, NULL) != 0)
			err(1, "thread");
	}
	for (int i = 0; i < in_flight; i++)
		pthread_join(threads[i], NULL);
	printf("%.6f\n", now_s() - began_s);
}
