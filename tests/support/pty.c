#include "tests/support/pty.h"

#include "tests/support/suite.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define OPTIONS_MOST 16
#define TICK_MS 2
#define PATIENCE_TICKS 100000

struct pty {
	pid_t pid; /* 0 once it has ended */
	int fd;    /* the side where the person sits */
	struct fn_arena *arena;
	struct fn_builder got;
	size_t seen; /* of what it got, by pty_gets */
};

_Noreturn static void
become(const struct pty_setup *setup, const char *path)
{
	char *arguments[OPTIONS_MOST + 2] = {(char *)(uintptr_t)path};
	char *none[] = {NULL};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	for (size_t i = 0; setup->options && setup->options[i] && i < OPTIONS_MOST; i++)
		arguments[i + 1] = (char *)(uintptr_t)setup->options[i];
	execve(path, arguments,
		setup->environment ? (char *const *)(uintptr_t)setup->environment : none);
	_exit(127);
}

struct pty *
pty_start(const struct pty_setup *setup)
{
	struct winsize size = {
		.ws_col = (unsigned short)setup->width, .ws_row = (unsigned short)setup->height};
	struct fn_arena *arena = fn_arena_new();
	struct pty *pty = fn_arena_zero(arena, sizeof(*pty));
	const char *built = getenv("PHOENIX_BIN") ? getenv("PHOENIX_BIN") : "build/bin";
	const char *path = fn_textf(arena, "%s/%s", built, setup->program);

	pty->arena = arena;
	pty->got.arena = arena;
	pty->pid = forkpty(&pty->fd, NULL, NULL, &size);
	ck_assert_msg(pty->pid >= 0, "forkpty: %s", strerror(errno));
	if (pty->pid == 0)
		become(setup, path);
	return pty;
}

void
pty_drop(struct pty *pty)
{
	if (pty->pid > 0) {
		kill(pty->pid, SIGKILL);
		waitpid(pty->pid, NULL, 0);
	}
	close(pty->fd);
	fn_arena_drop(pty->arena);
}

void
pty_resize(struct pty *pty, unsigned width, unsigned height)
{
	struct winsize size = {.ws_col = (unsigned short)width, .ws_row = (unsigned short)height};

	ck_assert(ioctl(pty->fd, TIOCSWINSZ, &size) == 0);
}

void
pty_type(struct pty *pty, const char *keys)
{
	size_t size = strlen(keys);

	ck_assert(write(pty->fd, keys, size) == (ssize_t)size);
}

/* ---- What it shows --------------------------------------------------------------------------- */

/* Takes what has come, and waits a tick for it. The end of a program is an error of its terminal.
 */
static void
take(struct pty *pty)
{
	struct pollfd more = {.fd = pty->fd, .events = POLLIN};
	char piece[4096];
	ssize_t size;

	if (poll(&more, 1, TICK_MS) != 1)
		return;
	size = read(pty->fd, piece, sizeof(piece));
	if (size > 0)
		fn_add(&pty->got, (struct fn_bytes){piece, (size_t)size});
	else
		usleep(TICK_MS * 1000);
}

void
pty_gets(struct pty *pty, const char *text)
{
	const char *found = NULL;

	for (int tick = 0; !found; tick++) {
		ck_assert_msg(tick < PATIENCE_TICKS,
			"the terminal does not get \"%s\" after:\n%.1000s", text,
			pty_got(pty) + pty->seen);
		take(pty);
		if (pty->got.size > pty->seen)
			found = memmem(pty->got.at + pty->seen, pty->got.size - pty->seen, text,
				strlen(text));
	}
	pty->seen = (size_t)(found - pty->got.at) + strlen(text);
}

const char *
pty_got(struct pty *pty)
{
	return fn_text(pty->arena, fn_built(&pty->got));
}

bool
pty_echoes(struct pty *pty)
{
	struct termios modes;

	ck_assert(tcgetattr(pty->fd, &modes) == 0);
	return modes.c_lflag & ECHO;
}

/* ---- What becomes of it ---------------------------------------------------------------------- */

static int
wait_for(struct pty *pty, int options)
{
	int status;

	for (int tick = 0; waitpid(pty->pid, &status, options | WNOHANG) != pty->pid; tick++) {
		ck_assert_msg(tick < PATIENCE_TICKS, "the program goes on");
		take(pty);
	}
	return status;
}

void
pty_is_stopped(struct pty *pty)
{
	ck_assert(WIFSTOPPED(wait_for(pty, WUNTRACED)));
}

void
pty_signal(struct pty *pty, int signal)
{
	ck_assert(kill(pty->pid, signal) == 0);
}

int
pty_end(struct pty *pty)
{
	int status = wait_for(pty, 0);

	pty->pid = 0;
	for (size_t before = 0; before != pty->got.size;) {
		before = pty->got.size;
		take(pty);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
