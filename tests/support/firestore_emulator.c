#include "tests/support/firestore_emulator.h"

#include "fn/clock.h"
#include "fn/http_client.h"
#include "tests/support/ports.h"
#include "tests/support/temp.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JAR                                                                                        \
	"/usr/lib/google-cloud-sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
#define MAIN_CLASS "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
#define STARTS 5 /* another may take the port that was free a moment ago */
#define PATIENCE_MS 60000
#define TRY_MS 50

struct firestore_emulator {
	pid_t pid; /* 0: it is not ours */
	char host[256];
	char log[4200];
};

/* Compiling little and collecting garbage in one thread leaves the machine to the tests. */
_Noreturn static void
emulator_run(const struct firestore_emulator *emulator, const char *jar, unsigned port)
{
	char port_option[16];
	int log = open(emulator->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	snprintf(port_option, sizeof(port_option), "--port=%u", port);
	execlp("java", "java", "-Duser.language=en", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		"-cp", jar, MAIN_CLASS, "--host=127.0.0.1", port_option, NULL);
	_exit(127);
}

static bool
answers(struct fn_http_client *client, const struct firestore_emulator *emulator)
{
	struct fn_call call = {.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 5000};
	const struct fn_http_request request = {
		.url = fn_textf(call.arena, "http://%s/", emulator->host)};
	struct fn_http_response response;
	struct fn_error err;
	bool ok = fn_http_send(client, &call, &request, &response, &err) && response.status == 200;

	fn_arena_drop(call.arena);
	return ok;
}

/* False where it has ended instead. */
static bool
wait_for(const struct firestore_emulator *emulator)
{
	struct fn_http_client *client;
	struct fn_error err;
	int64_t until_ms = fn_now_ms() + PATIENCE_MS;
	bool ok = false;

	if (!fn_http_client_open(&client, &err))
		abort();
	while (!(ok = answers(client, emulator)) && fn_now_ms() < until_ms &&
		waitpid(emulator->pid, NULL, WNOHANG) == 0)
		nanosleep(&(struct timespec){.tv_nsec = TRY_MS * 1000000}, NULL);
	fn_http_client_close(client);
	return ok;
}

static void
start_own(struct firestore_emulator *emulator, const char *jar)
{
	for (int i = 0; i < STARTS; i++) {
		unsigned port = free_port();

		snprintf(emulator->host, sizeof(emulator->host), "127.0.0.1:%u", port);
		emulator->pid = fork();
		assert(emulator->pid >= 0);
		if (emulator->pid == 0)
			emulator_run(emulator, jar, port);
		if (wait_for(emulator))
			return;
	}
	fprintf(stderr, "the Firestore emulator did not start: see %s\n", emulator->log);
	abort();
}

struct firestore_emulator *
firestore_emulator_start(const char **why)
{
	const char *host = getenv("FIRESTORE_EMULATOR_HOST"),
		   *named = getenv("FIRESTORE_EMULATOR_JAR");
	const char *jar = named ? named : JAR;
	struct firestore_emulator *emulator;

	if (!host && access(jar, R_OK) != 0) {
		*why = "the Firestore emulator is not installed";
		return NULL;
	}
	emulator = calloc(1, sizeof(*emulator));
	assert(emulator);
	if (host) {
		snprintf(emulator->host, sizeof(emulator->host), "%s", host);
		return emulator;
	}
	snprintf(emulator->log, sizeof(emulator->log), "%s/emulator.log", temp_folder());
	start_own(emulator, jar);
	return emulator;
}

void
firestore_emulator_stop(struct firestore_emulator *emulator)
{
	if (emulator && emulator->pid > 0) {
		kill(emulator->pid, SIGKILL);
		waitpid(emulator->pid, NULL, 0);
	}
	free(emulator);
}

const char *
firestore_emulator_host(const struct firestore_emulator *emulator)
{
	return emulator->host;
}

/* A project of its own: there is no need to make one first. */
const char *
firestore_emulator_store(void)
{
	static char url[64];
	static unsigned count;

	snprintf(url, sizeof(url), "firestore:test-%d-%u-%llx/(default)", (int)getpid(), count++,
		(unsigned long long)fn_now_ms());
	return url;
}
