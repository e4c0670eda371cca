#include "tests/support/stack.h"

#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Below those that the kernel hands out to others. */
#define FIRST_PORT 12000
#define LAST_PORT 30000

#define SETTINGS_MOST 16

/* ---- Free ports ------------------------------------------------------------------------------ */

static bool
port_is_free(unsigned port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	bool ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
		  bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return ok;
}

/* Tests run at the same time, so each looks in a place of its own first. */
static unsigned
free_ports(unsigned count)
{
	const unsigned places = (LAST_PORT - FIRST_PORT) / count;

	for (unsigned i = 0; i < places; i++) {
		unsigned first = FIRST_PORT + ((unsigned)getpid() + i) % places * count, found = 0;

		while (found < count && port_is_free(first + found))
			found++;
		if (found == count)
			return first;
	}
	ck_abort_msg("there are no %u free ports in a row", count);
}

/* ---- The stack ------------------------------------------------------------------------------- */

void
stack_prepare(struct stack *stack)
{
	struct fn_arena *arena = fn_arena_new();
	unsigned port = free_ports(STACK_PORTS);

	*stack = (struct stack){
		.port = port,
		.url = fn_textf(arena, "http://localhost:%u", port),
		.data = temp_folder(),
		.temp = temp_folder(),
		.arena = arena,
	};
}

void
stack_launch(struct stack *stack, const char *const *settings)
{
	char *bin = realpath(getenv("PHOENIX_BIN") ? getenv("PHOENIX_BIN") : "build/bin", NULL);
	const char *environment[SETTINGS_MOST] = {
		fn_textf(stack->arena, "PATH=%s", getenv("PATH")),
		fn_textf(stack->arena, "TMPDIR=%s", stack->temp),
		fn_textf(stack->arena, "PORT=%u", stack->port),
		fn_textf(stack->arena, "PHOENIX_BIN=%s", bin),
		fn_textf(stack->arena, "PHOENIX_DATA=%s", stack->data),
	};
	const struct program_setup setup = {.name = "local/up", .environment = environment};

	ck_assert_msg(bin, "nothing is built");
	free(bin);
	for (size_t own = 5, i = 0; settings && settings[i]; i++) {
		ck_assert(own + i < SETTINGS_MOST - 1);
		environment[own + i] = settings[i];
	}
	stack->program = program_start(&setup);
}

void
stack_is_up(struct stack *stack)
{
	ck_assert_msg(program_is_up(stack->program, stack->port), "%s",
		program_complained(stack->program));
	program_says(stack->program, "Ctrl-C");
}

void
stack_start(struct stack *stack, const char *const *settings)
{
	stack_prepare(stack);
	stack_launch(stack, settings);
	stack_is_up(stack);
}

int
stack_stop(struct stack *stack, int signal)
{
	program_signal(stack->program, signal);
	return program_end(stack->program);
}

/* Its parts end with it. */
void
stack_drop(struct stack *stack)
{
	program_drop(stack->program);
	fn_arena_drop(stack->arena);
}
