/* load PORT COUNT TOKENS: asks for COUNT videos, over as many connections as the file TOKENS has
 * lines, each for the user whose token that is, and each as soon as the one before it is answered.
 * Prints "VIDEOS_PER_S P50_MS P99_MS", where both are medians of those of each WINDOW requests: a
 * stall of the machine spoils the windows it falls in, a server's own tail shows in all. */
#include "bench/picture/plain_http.h"

#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MOST 256
#define TOKEN_MOST 2048
#define WINDOW 600

static const char *port;
static int count;
static char tokens[CONNECTIONS_MOST][TOKEN_MOST];
static atomic_int begun;
static double *took_ms;

static double
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void *
ask(void *token)
{
	static const char body[] = "{\"prompt\":\"a kite over a marsh, slow dolly\"}";
	struct message answer = {0};
	int fd = connection_open(port), number;
	char head[TOKEN_MOST + 200];

	snprintf(head, sizeof(head),
		"POST /api/video/generate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n"
		"Authorization: Bearer %s\r\n\r\n",
		sizeof(body) - 1, (const char *)token);
	while ((number = atomic_fetch_add(&begun, 1)) < count) {
		double began_ms = now_ms();

		message_send(fd, head, body, sizeof(body) - 1);
		if (!message_read(&answer, fd))
			errx(1, "no answer");
		if (strncmp(answer.at, "HTTP/1.1 202 ", 13) != 0)
			errx(1, "not accepted: %s", answer.at);
		took_ms[number] = now_ms() - began_ms;
	}
	close(fd);
	free(answer.at);
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double
percentile(double *values, int size, double share)
{
	qsort(values, (size_t)size, sizeof(*values), compare);
	return values[(size_t)((double)(size - 1) * share)];
}

static double
median_of_windows(double share)
{
	int windows = count / WINDOW;
	double *found = calloc((size_t)windows, sizeof(*found));

	if (!found)
		err(1, "calloc");
	for (int i = 0; i < windows; i++)
		found[i] = percentile(took_ms + i * WINDOW, WINDOW, share);
	double median = percentile(found, windows, 0.5);
	free(found);
	return median;
}

static int
read_tokens(const char *path)
{
	FILE *file = fopen(path, "r");
	int lines = 0;

	if (!file)
		err(1, "%s", path);
	while (lines < CONNECTIONS_MOST && fgets(tokens[lines], TOKEN_MOST, file)) {
		tokens[lines][strcspn(tokens[lines], "\n")] = '\0';
		lines++;
	}
	fclose(file);
	return lines;
}

int
main(int argc, char **argv)
{
	pthread_t threads[CONNECTIONS_MOST];

	count = argc == 4 ? atoi(argv[2]) : 0;
	if (count < WINDOW)
		errx(1, "usage: load PORT COUNT TOKENS, of which COUNT is at least %d", WINDOW);
	port = argv[1];
	took_ms = calloc((size_t)count, sizeof(*took_ms));
	if (!took_ms)
		err(1, "calloc");
	int connections = read_tokens(argv[3]);
	double began_ms = now_ms();
	for (int i = 0; i < connections; i++)
		if (pthread_create(&threads[i], NULL, ask, tokens[i]) != 0)
			errx(1, "no thread");
	for (int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	double all_ms = now_ms() - began_ms;
	printf("%.1f %.2f %.2f\n", count * 1e3 / all_ms, median_of_windows(0.5),
		median_of_windows(0.99));
	free(took_ms);
	return 0;
}
