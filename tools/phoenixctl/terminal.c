#include "tools/phoenixctl/terminal.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Second screen, no cursor, no new line where one is too long; and the opposite. */
static const char begin[] = "\033[?1049h\033[?25l\033[?7l";
static const char end[] = "\033[?7h\033[?25h\033[?1049l";

static struct termios usual;
static bool has_keys; /* standard input is the terminal as well */

bool
terminal_is_there(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDOUT_FILENO) && kind && *kind && strcmp(kind, "dumb") != 0;
}

void
terminal_size(size_t *width, size_t *height)
{
	struct winsize size = {0};

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*width = size.ws_col > 0 ? size.ws_col : 80;
	*height = size.ws_row > 0 ? size.ws_row : 24;
}

/* A terminal that is gone has nothing to show. */
static void
put(const char *text, size_t size)
{
	while (size > 0) {
		ssize_t written = write(STDOUT_FILENO, text, size);

		if (written <= 0)
			return;
		text += written;
		size -= (size_t)written;
	}
}

/* ---- Screen and signals: only calls that a signal handler may make --------------------------- */

static void
enter(void)
{
	struct termios quiet = usual;

	quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	if (has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
	put(begin, sizeof(begin) - 1);
}

static void
leave(void)
{
	put(end, sizeof(end) - 1);
	if (has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &usual);
}

/* The signal then does what it does without us (SA_RESETHAND). */
static void
on_end(int signal)
{
	leave();
	raise(signal);
}

static void
on_stop(int signal)
{
	(void)signal;
	leave();
	raise(SIGSTOP);
	enter();
}

/* It interrupts the wait, which is never restarted. */
static void
on_change(int signal)
{
	(void)signal;
}

void
terminal_begin(void)
{
	static const struct {
		int signal;
		void (*handler)(int);
		int flags;
	} handlers[] = {
		{SIGINT, on_end, SA_RESETHAND},
		{SIGTERM, on_end, SA_RESETHAND},
		{SIGHUP, on_end, SA_RESETHAND},
		{SIGQUIT, on_end, SA_RESETHAND},
		{SIGABRT, on_end, SA_RESETHAND},
		{SIGTSTP, on_stop, SA_RESTART},
		{SIGWINCH, on_change, SA_RESTART},
	};

	has_keys = tcgetattr(STDIN_FILENO, &usual) == 0;
	for (size_t i = 0; i < COUNT(handlers); i++) {
		struct sigaction action = {
			.sa_handler = handlers[i].handler, .sa_flags = handlers[i].flags};

		sigfillset(&action.sa_mask);
		sigaction(handlers[i].signal, &action, NULL);
	}
	enter();
}

void
terminal_end(void)
{
	leave();
}

/* ---- Frames -------------------------------------------------------------------------------- */

/* Line over line and in one piece, so that nothing flickers; what is too long falls off below. */
void
terminal_show(struct fn_arena *arena, struct fn_bytes text)
{
	struct fn_builder frame = {.arena = arena};
	size_t width, height, line;

	terminal_size(&width, &height);
	fn_add(&frame, FN_BYTES("\033[H"));
	for (line = 0; line < height && text.size > 0; line++) {
		fn_add(&frame, line > 0 ? FN_BYTES("\r\n\033[K") : FN_BYTES("\033[K"));
		fn_add(&frame, fn_bytes_cut(&text, '\n'));
	}
	if (line < height)
		fn_add(&frame, FN_BYTES("\r\n\033[J"));
	put(frame.at, frame.size);
}

bool
terminal_wait(int ms)
{
	struct pollfd keys = {.fd = has_keys ? STDIN_FILENO : -1, .events = POLLIN};
	char key;

	if (poll(&keys, 1, ms) <= 0)
		return true;
	return read(STDIN_FILENO, &key, 1) == 1 && key != 'q';
}
