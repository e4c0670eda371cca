/* first PORT CPU COMMAND...: starts the command on that CPU and asks it for / until it answers 200.
 * Prints the milliseconds from just before exec to the last byte of that answer's head, ends the
 * command. To be run on another CPU: asking takes all of one. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_MS 10000

static double
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Whether it answered: a status of 200 or, for a function that wants more than GET /, any below
 * 500, which takes all of its start as well. */
static bool
answers(int port)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char answer[1024] = "";
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool ok = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		  send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0 &&
		  recv(fd, answer, sizeof(answer) - 1, 0) > 12 &&
		  strncmp(answer, "HTTP/1.1 ", 9) == 0 && answer[9] < '5';

	close(fd);
	return ok;
}

/* In a group of its own, so that what it forks ends with it, and silent: our output is a number. */
static pid_t
start(char **command, int cpu)
{
	cpu_set_t here, there;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	/* a child is where its parent was */
	CPU_ZERO(&there);
	CPU_SET(cpu, &there);
	sched_getaffinity(0, sizeof(here), &here);
	sched_setaffinity(0, sizeof(there), &there);
	if (posix_spawn(&pid, command[0], &files, &attributes, command, environ) != 0)
		err(1, "%s", command[0]);
	sched_setaffinity(0, sizeof(here), &here);
	return pid;
}

int
main(int argc, char **argv)
{
	int port = argc > 3 ? atoi(argv[1]) : 0;
	double start_ms, end_ms;
	pid_t pid;

	if (port == 0)
		errx(1, "usage: first PORT CPU COMMAND...");
	start_ms = now_ms();
	pid = start(argv + 3, atoi(argv[2]));
	while (!answers(port)) {
		if (now_ms() - start_ms > MOST_MS || waitpid(pid, NULL, WNOHANG) == pid)
			errx(1, "%s does not answer", argv[3]);
	}
	end_ms = now_ms();
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%.3f\n", end_ms - start_ms);
	return 0;
}
