#include "tests/support/s3_server.h"

#include "tests/support/temp.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUCKET "media"

struct s3_server {
	pid_t pid;
	char url[64];
};

/* Becomes the server; a test that crashes takes it along. */
_Noreturn static void
server_run(const char *npm, const char *folder, int output)
{
	char script[4096];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(output, STDOUT_FILENO);
	snprintf(script, sizeof(script), "%s/s3_server.js", npm);
	execlp("node", "node", script, folder, BUCKET, NULL);
	perror("node");
	_exit(127);
}

struct s3_server *
s3_server_start(void)
{
	const char *npm = getenv("PHOENIX_NPM") ? getenv("PHOENIX_NPM") : "build/npm";
	const char *folder = temp_folder();
	struct s3_server *server = malloc(sizeof(*server));
	unsigned port;
	int output[2];

	assert(server && pipe(output) == 0);
	server->pid = fork();
	assert(server->pid >= 0);
	if (server->pid == 0)
		server_run(npm, folder, output[1]);
	close(output[1]);
	FILE *said = fdopen(output[0], "r");
	assert(said);
	if (fscanf(said, "%u", &port) != 1) {
		fprintf(stderr, "the S3 server in %s did not start\n", npm);
		abort();
	}
	fclose(said);
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u/" BUCKET, port);
	return server;
}

void
s3_server_stop(struct s3_server *server)
{
	if (!server)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	free(server);
}

const char *
s3_server_bucket_url(const struct s3_server *server)
{
	return server->url;
}
