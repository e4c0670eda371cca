#include "tests/support/stack.h"

#include "tests/support/ports.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SETTINGS_MOST 16

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
