#include "tests/support/program.h"

#include "tests/support/peer.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS_MOST 16
#define TICK_US 2000
#define PATIENCE_TICKS 100000

struct program {
	pid_t pid; /* 0 once it has ended */
	int status;
	struct fn_arena *arena;
	int said, complained; /* files */
};

static int
file_new(const char *folder, const char *name, struct fn_arena *arena)
{
	int fd = open(fn_textf(arena, "%s/%s", folder, name),
		O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	ck_assert(fd >= 0);
	return fd;
}

static const char *
path_of(const char *name, struct fn_arena *arena)
{
	const char *built = getenv("PHOENIX_BIN") ? getenv("PHOENIX_BIN") : "build/bin";
	const char *folder = strchr(name, '/') ? "." : built;
	char *path = realpath(fn_textf(arena, "%s/%s", folder, name), NULL);

	ck_assert_msg(path, "%s is not built", name);
	fn_arena_defer(arena, free, path);
	return path;
}

/* Between fork and exec. */
_Noreturn static void
become(const struct program_setup *setup, const char *path, const struct program *program)
{
	const struct rlimit limit = {setup->fds_most, setup->fds_most};
	char *arguments[OPTIONS_MOST + 2] = {(char *)(uintptr_t)path};
	char *none[] = {NULL};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL); /* what is started in the background of a shell ignores it */
	for (size_t i = 0; setup->options && setup->options[i] && i < OPTIONS_MOST; i++)
		arguments[i + 1] = (char *)(uintptr_t)setup->options[i];
	if (chdir(setup->folder ? setup->folder : "/proc") != 0 || dup2(null, STDIN_FILENO) < 0 ||
		dup2(program->said, STDOUT_FILENO) < 0 ||
		dup2(program->complained, STDERR_FILENO) < 0)
		_exit(126);
	for (unsigned i = 0; i < setup->fds_taken; i++)
		(void)!dup(STDIN_FILENO);
	if (setup->fds_most > 0 && setrlimit(RLIMIT_NOFILE, &limit) != 0)
		_exit(126);
	execve(path, arguments, setup->environment ? (char **)(uintptr_t)setup->environment : none);
	_exit(127);
}

struct program *
program_start(const struct program_setup *setup)
{
	struct fn_arena *arena = fn_arena_new();
	struct program *program = fn_arena_zero(arena, sizeof(*program));
	const char *folder = temp_folder(), *path = path_of(setup->name, arena);

	program->arena = arena;
	program->said = file_new(folder, "said", arena);
	program->complained = file_new(folder, "complained", arena);
	program->pid = setup->as_init
			       ? (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0)
			       : fork();
	if (program->pid == 0)
		become(setup, path, program);
	if (program->pid > 0)
		return program;
	program->pid = 0;
	program_drop(program);
	return NULL;
}

static bool
has_ended(struct program *program)
{
	if (program->pid > 0 && waitpid(program->pid, &program->status, WNOHANG) == program->pid)
		program->pid = 0;
	return program->pid == 0;
}

bool
program_is_up(struct program *program, unsigned port)
{
	for (int tick = 0; tick < PATIENCE_TICKS && !has_ended(program); tick++) {
		struct peer *peer = peer_connect_to("127.0.0.1", port);

		if (peer) {
			peer_close(peer);
			return true;
		}
		usleep(TICK_US);
	}
	return false;
}

int
program_pid(const struct program *program)
{
	return program->pid;
}

void
program_signal(struct program *program, int signal)
{
	ck_assert(program->pid > 0 && kill(program->pid, signal) == 0);
}

int
program_end(struct program *program)
{
	for (int tick = 0; !has_ended(program); tick++) {
		ck_assert_msg(tick < PATIENCE_TICKS, "the program does not end");
		usleep(TICK_US);
	}
	return WIFEXITED(program->status) ? WEXITSTATUS(program->status)
					  : 128 + WTERMSIG(program->status);
}

static const char *
content_of(struct program *program, int fd)
{
	struct stat file;
	char *text;
	ssize_t size;

	ck_assert(fstat(fd, &file) == 0);
	text = fn_arena_alloc(program->arena, (size_t)file.st_size + 1);
	size = pread(fd, text, (size_t)file.st_size, 0);
	ck_assert(size >= 0);
	text[size] = '\0';
	return text;
}

const char *
program_said(struct program *program)
{
	return content_of(program, program->said);
}

const char *
program_complained(struct program *program)
{
	return content_of(program, program->complained);
}

void
program_says(struct program *program, const char *text)
{
	for (int tick = 0; !strstr(program_said(program), text); tick++) {
		ck_assert_msg(tick < PATIENCE_TICKS, "the program does not say \"%s\"", text);
		usleep(TICK_US);
	}
}

void
program_drop(struct program *program)
{
	if (!program)
		return;
	if (!has_ended(program)) {
		kill(program->pid, SIGKILL);
		waitpid(program->pid, NULL, 0);
	}
	close(program->said);
	close(program->complained);
	fn_arena_drop(program->arena);
}
